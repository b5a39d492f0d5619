/* One question to the reader: from the bytes that came to a verdict, to what is kept of the page,
 * and to the addresses it names. Only for reader*.c and its tests; hostile bytes. */
#ifndef CENTRE_READER_PAGE_H
#define CENTRE_READER_PAGE_H

#include "base/arena.h"
#include "base/msg.h"
#include "centre/reader.h"
#include "detect/deface/deface.h"

struct reader_links {
    size_t count;
    struct {
        enum reader_link kind;
        struct str url;
    } items[READER_LINKS_MAX];
};

struct reader_sheet {
    struct str url;
    struct str text; /* as it is kept */
    bool is_given;   /* to the page in hand: a second time it says nothing new */
};

struct reader_sheets {
    struct reader_sheet items[READER_SHEETS_MAX];
    size_t count;
    size_t wanted; /* by the page, and not among them */
    bool is_new;   /* they are to be kept */
};

struct reader_look {
    const struct deface_model *model;
    struct arena *arena;
    uint64_t number;
    uint32_t flags;          /* enum reader_flag */
    struct str charset;      /* that its Content-Type named; empty: none */
    struct site_check check; /* as fetched, then as judged */
    bool needs_second;
    bool needs_sheets; /* then it was not judged */
    int body;          /* -1: nothing came */
    int page_in;       /* what is kept, -1: nothing yet */
    int site_in;
    int sheets_in;
    int page_out; /* what to keep, -1: as before */
    int site_out;
    int sheets_out;
    uint64_t text_hash; /* of the words that were handed on last, then of these */
    int text_out;       /* the words, -1: as before */
    struct reader_links links;
    struct reader_sheets sheets;
    int scripts_in;
    int scripts_out;                /* -1: as before */
    struct deface_scripts *scripts; /* NULL: nothing came that could link one */
    size_t scripts_wanted;          /* by the page, and not among them as they are now */
};

void reader_look_init(struct reader_look *look, const struct deface_model *model,
                      struct arena *arena);
/* Closes descriptors; the arena is the caller's. */
void reader_look_done(struct reader_look *look);
/* -ERR_NOMEM, -ERR_LIMIT: the page is then not judged, and whoever asked hears nothing. */
[[nodiscard]] int reader_look_judge(struct reader_look *look);

/* The whole address of a reference, seen from the page or its <base> (empty: none), when it is one
 * of the same site; else empty. In the arena. */
struct str reader_links_own(const struct reader_look *look, struct str base, struct str url);
/* Adds an address when it is one of the same site, new and not too long. */
void reader_links_add(struct reader_look *look, enum reader_link kind, struct str url);
void reader_links_put(const struct reader_links *links, struct msg_writer *msg);
/* From a page that was read, and from robots.txt. */
void reader_links_of_page(struct reader_look *look, const struct page *page);
void reader_links_of_robots(struct reader_look *look, struct str body);
/* Reads what came of sheets, see READER_MESSAGE_ASK. -ERR_PROTO, -ERR_NOMEM. */
[[nodiscard]] int reader_sheets_open(struct reader_look *look, struct str bytes);
/* What is to be kept. */
void reader_sheets_put(const struct reader_sheets *sheets, struct buf *buf);
/* The find of struct page_sheets; context: the look. */
bool reader_sheets_lookup(void *context, struct str url, struct str base, struct str *ret_sheet);
/* Reads what came of scripts, see READER_MESSAGE_ASK. -ERR_PROTO, -ERR_NOMEM. */
[[nodiscard]] int reader_scripts_open(struct reader_look *look, struct str bytes);
/* Names those that the page loads from its own site. */
void reader_scripts_link(struct reader_look *look, const struct page *page);
/* Reads a sitemap or an index of sitemaps (expat, at most so many addresses), plain or gzip: as
 * links, and as the HTML page that it would be, for the judge. */
[[nodiscard]] int reader_read_sitemap(struct reader_look *look, struct str body,
                                      struct str *ret_html);

#endif
