/* What an attacker left in a document root, kept for whoever looks into it: the content by its hash
 * (store/blobs.h), sealed, and a record of where, when, what and who. A record is a file of its own
 * that comes to be by rename. Several processes at once. */
#ifndef STORE_EVIDENCE_H
#define STORE_EVIDENCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/blobs.h"

#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_RECORD_MAX 16384

struct evidence_record {
    uint64_t number; /* of the record, from 1 */
    int64_t time;    /* ns since 1970 UTC, when it was taken */
    struct str root; /* the document root */
    struct str path; /* below it */
    struct str what; /* machine word of model/reasons.def */
    uint32_t mode;   /* st_mode of what stood there */
    uint32_t uid;
    uint32_t gid;
    int64_t mtime;
    int64_t changed; /* st_ctime */
    uint64_t size;
    bool has_content; /* the blob was kept; else only its facts: see result */
    int result;       /* why not, negative */
    uint8_t sha256[32];
    int64_t pid; /* who did it; 0: not known */
    struct str user;
    struct str exe;
    struct str cmdline;
};

struct evidence {
    int folder;
    int records;
    struct blobs blobs;
    uint64_t number; /* given last */
    uint64_t bytes;  /* of all blobs */
    uint64_t limit;
};

/* Makes what is missing in the folder parent. limit: most bytes of contents; beyond it only facts
 * are kept. */
[[nodiscard]] int evidence_open(int parent, uint64_t limit, struct evidence *ret_evidence);
void evidence_close(struct evidence *evidence);

/* Keeps what fd holds (-1: facts only, as of a removal) and fills number, size, sha256, has_content
 * and result. What passes the limit costs the content, not the record. -ERR_NOSPC: nothing was
 * kept; try again when there is room. */
[[nodiscard]] int evidence_take(struct evidence *evidence, int fd, struct evidence_record *record);

/* The record's texts lie in the arena. -ERR_NOENT, -ERR_CORRUPT. */
[[nodiscard]] int evidence_get(const struct evidence *evidence, uint64_t number,
                               struct arena *arena, struct evidence_record *ret_record);
/* Calls fn for each record, the oldest first, until it returns non-zero, which is returned.
 * Records that cannot be read are counted in *ret_damaged. The arena is reset in between. */
typedef int evidence_fn(void *context, const struct evidence_record *record);
[[nodiscard]] int evidence_each(const struct evidence *evidence, struct arena *arena,
                                evidence_fn *fn, void *context, uint64_t *ret_damaged);

void evidence_encode(const struct evidence_record *record, struct buf *buf);
[[nodiscard]] int evidence_decode(struct str bytes, struct evidence_record *ret_record);

#endif
