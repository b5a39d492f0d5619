/* What one HTML page says, read in one lenient pass without building a tree: the facts on which all
 * layers judge. Pure; hostile bytes: call it only where there are no rights. On the data's way:
 * fetcher → page_read → deface_judge. Everything borrows the arena or the bytes given.
 *
 * Similarity is by simhash (Charikar 2002): features hashed to 64 bits, near pages differ in few
 * bits. Visible text is cut into blocks (what a block-level tag or a line break ends), each
 * normalised (NFC, entities decoded, white space folded) and hashed, so that what is new is found
 * by block, not by "the text changed". */
#ifndef DETECT_DEFACE_PAGE_H
#define DETECT_DEFACE_PAGE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE_MAX      (8u << 20) /* of a body; what is behind is not read, is_cut says so */
#define PAGE_BLOCKS_MAX    8192
#define PAGE_LINKS_MAX     8192
#define PAGE_SCRIPTS_MAX   1024
#define PAGE_DEPTH_MAX     256 /* elements inside each other; deeper ones count as this deep */
#define PAGE_URL_MAX       1024
#define PAGE_HOST_MAX      253
#define PAGE_LINK_TEXT_MAX 512
#define PAGE_TITLE_MAX     512
#define PAGE_ARENA_MAX     (128u << 20) /* enough for any page; an ordinary one takes about 1 MB */

/* How something is kept from people's eyes; bits. */
enum page_hiding {
    PAGE_HIDING_DISPLAY =
        1 << 0,                  /* display:none, visibility:hidden, hidden, <template>, <dialog> */
    PAGE_HIDING_PLACE = 1 << 1,  /* off-screen by position, indent, margin, clip */
    PAGE_HIDING_SIZE = 1 << 2,   /* font, height or width of 0 or 1 */
    PAGE_HIDING_COLOUR = 1 << 3, /* the colour of what is behind it, or transparent */
    PAGE_HIDING_NOSCRIPT = 1 << 4,
    PAGE_HIDING_OVERFLOW = 1 << 5, /* a box of no height with overflow:hidden, marquee of 1 px */
    PAGE_HIDING_SHEET = 1 << 6,    /* through a style sheet of the page or of its site, beside what
                                      the sheet does */
};

struct page_block {
    struct str text; /* normalised, UTF-8 */
    uint64_t hash;   /* of the text, whatever hides it */
    uint32_t offset; /* of its first letter in page.source */
    uint32_t hiding; /* enum page_hiding; a block ends where this changes */
    bool is_link;    /* all of it stands inside <a> */
};

enum page_link_kind {
    PAGE_LINK_ANCHOR,
    PAGE_LINK_SCRIPT,
    PAGE_LINK_FRAME,   /* iframe, frame, object, embed */
    PAGE_LINK_FORM,    /* each <form>, also one that names no action; formaction of a button */
    PAGE_LINK_REFRESH, /* meta refresh, and location set by an inline script to a constant */
    PAGE_LINK_STYLE,
    PAGE_LINK_IMAGE,
    PAGE_LINK_CANONICAL, /* canonical, alternate, amphtml, og:url */
    PAGE_LINK_MEDIA,     /* audio, video */
    PAGE_LINK_BASE,      /* <base>: where relative links lead; they have its host */
    PAGE_LINK_COUNT,
};

struct page_link {
    enum page_link_kind kind;
    struct str url; /* as written, entities decoded, cut at PAGE_URL_MAX */
    /* Lower case, punycode or UTF-8 as written, without port. Empty: the page's own (with or
     * without "www."), or none, as in "mailto:". */
    struct str host;
    struct str text; /* of an anchor, alt of an image */
    uint32_t offset; /* of its tag in page.source */
    uint32_t hiding; /* of its element; PAGE_HIDING_SIZE also for a frame or picture of 0 or 1 px */
    bool has_password; /* of a form: a field of that type stands in it */
};

struct page_script { /* inline */
    /* Of its words in their order but those that hold a digit, and of how many signs it has, "+/="
     * aside: white space, nonces, time stamps and counters fall out. Of data: of its bytes. */
    uint64_t hash;
    struct str text; /* borrows page.source */
    uint32_t offset;
    bool is_data; /* of a type that browsers do not run: JSON, a template */
};

struct page {
    size_t size;       /* of the body as given */
    struct str source; /* what was read, as UTF-8: the body, or its translation in the arena */
    bool is_cut;       /* past a limit above */
    bool is_html;      /* at least one tag of a page was seen */
    struct str title;
    struct str language;    /* of <html lang> */
    struct str description; /* meta description */
    struct str generator;
    uint64_t body_hash;         /* XXH3 of the bytes */
    uint64_t text_hash;         /* of all visible blocks in order */
    uint64_t text_simhash;      /* of words, pairs of words */
    uint64_t structure_simhash; /* of tags with their parents' tags and depth */
    uint32_t tag_count;
    uint32_t word_count; /* visible */
    uint32_t hidden_word_count;
    uint32_t image_count;
    uint32_t password_count; /* fields of that type */
    uint32_t form_count;
    const struct page_block *blocks;
    size_t block_count;
    const struct page_link *links;
    size_t link_count;
    const struct page_script *scripts;
    size_t script_count;
};

/* The style sheets that a page links. find: is asked for each in its order, by the address as
 * written and by that of <base> (empty: none); false when the sheet is not known. */
struct page_sheets {
    void *context;
    bool (*find)(void *context, struct str url, struct str base, struct str *ret_sheet);
};

struct page_options {
    struct str url;                   /* where it was fetched from: resolves hosts */
    struct str charset;               /* of the Content-Type; empty: it names none */
    const struct page_sheets *sheets; /* NULL: none are known */
};

/* body: content encoding undone, any bytes; in UTF-8, UTF-16, windows-1258 or windows-1252 as
 * codec/charset.h finds out (text that is not valid becomes U+FFFD). The body must outlive the
 * page. -ERR_NOMEM out of memory or past the arena's limit. Everything else is a page, however
 * broken. */
[[nodiscard]] int page_read(const struct page_options *options, struct str body,
                            struct arena *arena, struct page *ret_page);

#endif
