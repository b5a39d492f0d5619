/* Lists of indicators as others publish them: hosts files, one value a line, CSV, MISP JSON, STIX
 * 2.1 JSON. Each becomes the same entries, brought to one form: hosts in lower case without scheme,
 * port and path; hashes and e-mail addresses in lower case; phrases folded for search
 * (base/utf8.h); addresses and networks as inet_ntop writes them, without host bits; URLs without
 * scheme, user, fragment and the usual ports, their host in lower case. A URL without a path is its
 * host. Dots in brackets are read as dots. What is not understood is counted, the first few are
 * kept with their lines. Pure; the bytes are hostile. */
#ifndef CODEC_FEED_H
#define CODEC_FEED_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_SIZE_MAX   (64u << 20) /* of a file */
#define FEED_LINE_MAX   4096
#define FEED_HOST_MAX   253
#define FEED_PHRASE_MIN 4 /* bytes when folded: what is shorter stands in every text */
#define FEED_PHRASE_MAX 64
#define FEED_URL_MAX    2048 /* of path and query */
#define FEED_AGENT_MIN  4
#define FEED_AGENT_MAX  512
#define FEED_FAULTS_MAX 5

enum feed_format {
    FEED_FORMAT_HOSTS, /* "0.0.0.0 name…" */
    FEED_FORMAT_PLAIN, /* a host, address, network, URL, e-mail address, hash, or a phrase in
                        * quotes, a line */
    FEED_FORMAT_CSV,   /* a head row with a column value, indicator, domain, url, ip … */
    FEED_FORMAT_MISP,
    FEED_FORMAT_STIX,
    FEED_FORMAT_COUNT,
};

enum feed_kind {
    FEED_KIND_DOMAIN, /* of a host and all below it */
    FEED_KIND_PHRASE,
    FEED_KIND_HASH,    /* MD5, SHA-1 or SHA-256 */
    FEED_KIND_ADDRESS, /* or a network with "/bits": IPv4 from 8, IPv6 from 16 */
    FEED_KIND_URL,     /* with a path */
    FEED_KIND_AGENT,   /* a user agent, whole */
    FEED_KIND_EMAIL,
    FEED_KIND_COUNT,
};

struct feed_entry {
    enum feed_kind kind;
    struct str value;
    int64_t expires; /* ns since 1970 UTC; 0: it says nothing */
};

/* Who is handed the entries. A negative answer ends feed_read with it. The entry is borrowed for
 * the call. */
struct feed_sink {
    int (*take)(void *context, const struct feed_entry *entry);
    void *context;
};

struct feed_fault {
    uint64_t line; /* of the file; in JSON the how manieth value */
    char what[192];
};

struct feed_report {
    uint64_t taken;
    uint64_t passed; /* comments, and what is well formed but no indicator of ours */
    uint64_t faulty;
    uint64_t endless; /* of those taken: an end is named that cannot be read, so they have none */
    struct feed_fault faults[FEED_FAULTS_MAX]; /* the first of both */
};

const char *feed_format_name(enum feed_format format);
bool feed_format_parse(struct str name, enum feed_format *ret_format);
/* By what the text looks like: JSON with "objects" is STIX, other JSON is MISP, lines that begin
 * with an address are a hosts file, a head row makes CSV. */
enum feed_format feed_guess(struct str text);
const char *feed_kind_name(enum feed_kind kind);

/* arena: for JSON trees and rows; twelve times the text is enough. -ERR_SYNTAX when the whole is
 * not of that format, -ERR_LIMIT past FEED_SIZE_MAX or the arena, with diag; what the sink
 * answered. Faulty lines are no error: see ret_report, which is valid whatever is returned. */
[[nodiscard]] int feed_read(enum feed_format format, struct str text, struct arena *arena,
                            const struct feed_sink *sink, struct feed_report *ret_report,
                            struct diag *diag);

/* A value as people write it, brought to its form in room of FEED_LINE_MAX bytes; false when it is
 * none of that kind. */
bool feed_read_host(struct str text, char *room, struct str *ret_host);
bool feed_read_hash(struct str text, char *room, struct str *ret_hash);
bool feed_read_phrase(struct str text, char *room, struct str *ret_phrase);
bool feed_read_address(struct str text, char *room, struct str *ret_address);
bool feed_read_url(struct str text, char *room, struct str *ret_url);
bool feed_read_agent(struct str text, char *room, struct str *ret_agent);
bool feed_read_email(struct str text, char *room, struct str *ret_email);
bool feed_read_value(enum feed_kind kind, struct str text, char *room, struct str *ret_value);

/* An address or network as 16 bytes, IPv4 as mapped into IPv6, and its bits of the 128. */
bool feed_parse_address(struct str text, uint8_t ret_address[16], unsigned *ret_bits);
/* The other way, in room of FEED_LINE_MAX bytes. */
struct str feed_format_address(const uint8_t address[16], unsigned bits, char *room);

#endif
