/* Known bad hosts, phrases, hashes, addresses, URLs, user agents and e-mail addresses, from lists
 * that people import: what the judge of pages asks for each host it sees, and the screen of logs
 * (screen.h) for whatever looks like one. A million take less than 24 MB, phrases aside. Pure: no
 * clock, file or socket; the form in which a list lies on disk is read and written here, by whoever
 * has the file.
 *
 * A host is listed when it or a domain above it is, unless an allow list that a person imported
 * (label "allow") or that of popular hosts (rules/web/popular-hosts.list) speaks for it. Entries
 * and lists expire; what has expired is no hit but stays until the list is imported again. */
#ifndef DETECT_INTEL_INDICATORS_H
#define DETECT_INTEL_INDICATORS_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/literals.h"
#include "base/str.h"
#include "codec/feed.h"
#include "detect/deface/deface.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDICATORS_LISTS_MAX 255U
#define INDICATORS_MAX       20000000 /* of all lists; as many phrases */
#define INDICATORS_TEXT_MAX  255      /* of each text of a list */
#define INDICATORS_FILE_MAX  (512u << 20)
#define INDICATORS_NAME_MAX  64U

struct indicator_list {
    struct str name;   /* its file's: lower-case letters, digits, '-' and '_' */
    struct str label;  /* what being on it means: "gambling", "phishing" … */
    struct str source; /* where it came from, for people */
    int64_t imported;  /* ns since 1970 UTC */
    int64_t expires;   /* 0: never */
    uint64_t counts[FEED_KIND_COUNT];
};

/* The label of lists whose entries are no hits, whatever other lists say: of a domain all that lies
 * below it too, URLs as well, of a network all its addresses. In whatever case it is written. */
#define INDICATORS_ALLOW "allow"

struct indicator_hit {
    const struct indicator_list *list;
    enum feed_kind kind;
    struct str value; /* of what was asked the part that is listed: the domain above a host, the
                       * phrase; empty of an address */
    int64_t expires;  /* of the entry, to the day; 0: never */
    size_t at;        /* of a phrase in the text */
    unsigned bits;    /* of an address's network, of the 128 of IPv6 */
};

struct indicators;

/* popular: the allow list's text; empty: none. -ERR_SYNTAX with the line in diag. */
[[nodiscard]] int indicators_new(struct str popular, struct indicators **ret_indicators,
                                 struct diag *diag);
void indicators_free(struct indicators *indicators);
void indicators_freep(struct indicators **indicators);
/* The allow list that is built in. */
struct str indicators_popular(void);

/* Adds the file form of a list. -ERR_SYNTAX, -ERR_TRUNCATED (it does not end as it should),
 * -ERR_VERSION, -ERR_DUPLICATE (a list of that name is there), -ERR_LIMIT, each with diag: the list
 * is then there in part, and the whole should be given up. */
[[nodiscard]] int indicators_add_file(struct indicators *indicators, struct str text,
                                      struct diag *diag);
/* Whose day it is, ns since 1970 UTC: decides what has expired. Until it is told nothing has. */
void indicators_set_time(struct indicators *indicators, int64_t time);
/* 0: it was not told. */
int64_t indicators_time(const struct indicators *indicators);

/* host: in lower case, without port; one of digits is an address. */
bool indicators_find_host(const struct indicators *indicators, struct str host,
                          struct indicator_hit *ret_hit);
/* hash: hexadecimal in lower case. */
bool indicators_find_hash(const struct indicators *indicators, struct str hash,
                          struct indicator_hit *ret_hit);
/* address: as feed_parse_address gives it. The narrowest network it lies in. */
bool indicators_find_address(const struct indicators *indicators, const uint8_t address[16],
                             struct indicator_hit *ret_hit);
/* value: in the form of codec/feed.h. For hashes, URLs, user agents, e-mail addresses. */
bool indicators_find(const struct indicators *indicators, enum feed_kind kind, struct str value,
                     struct indicator_hit *ret_hit);
/* The same for something seen at a time of its own, ns since 1970 UTC: what had not ended then is a
 * hit, the wider network or domain where the narrower had. Allow lists are asked as of now. */
bool indicators_find_host_at(const struct indicators *indicators, struct str host, int64_t at,
                             struct indicator_hit *ret_hit);
bool indicators_find_address_at(const struct indicators *indicators, const uint8_t address[16],
                                int64_t at, struct indicator_hit *ret_hit);
bool indicators_find_at(const struct indicators *indicators, enum feed_kind kind, struct str value,
                        int64_t at, struct indicator_hit *ret_hit);
/* text: folded (base/utf8.h). The first phrase at or behind from. */
bool indicators_find_phrase(const struct indicators *indicators, struct str text, size_t from,
                            struct indicator_hit *ret_hit);

/* Different values of that kind. */
uint64_t indicators_count(const struct indicators *indicators, enum feed_kind kind);

/* Keeps the values of lists that are added from now on, for indicators_each: only their hashes are
 * kept else. */
void indicators_keep_values(struct indicators *indicators);
/* Every entry of the list at index, in the order of its file. */
typedef void indicator_fn(void *context, const struct feed_entry *entry);
void indicators_each(const struct indicators *indicators, size_t index, indicator_fn *fn,
                     void *context);
size_t indicators_list_count(const struct indicators *indicators);
const struct indicator_list *indicators_list(const struct indicators *indicators, size_t index);
/* Bytes of memory they hold. */
size_t indicators_size(const struct indicators *indicators);
/* As the judge asks; context is indicators. */
struct deface_lists indicators_for_deface(struct indicators *indicators);

bool indicators_is_name(struct str name);

/* Writes the file form: the head, entries, the end with their count. */
struct indicator_writer {
    struct buf *buf;
    uint64_t count;
};

void indicator_write_head(struct indicator_writer *writer, const struct indicator_list *list,
                          struct buf *buf);
void indicator_write_entry(struct indicator_writer *writer, const struct feed_entry *entry);
void indicator_write_end(struct indicator_writer *writer);

#endif
