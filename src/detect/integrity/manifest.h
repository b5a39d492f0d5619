/* The manifest of a web server's document root: what stands in it, by whose word, and what may
 * change. CBOR (RFC 8949, deterministic); entries in one order, so that a folder's content follows
 * the folder at once and an entry is found by halving. Pure. The signature over it lies in the
 * envelope (integrity/envelope.h). On its way: agent/webroot/sign.c → here → agent/guard.c. */
#ifndef DETECT_INTEGRITY_MANIFEST_H
#define DETECT_INTEGRITY_MANIFEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_ENTRIES_MAX 1000000
#define MANIFEST_PATH_MAX    4096
#define MANIFEST_XATTRS_MAX  65536
#define MANIFEST_RULES_MAX   256
#define MANIFEST_RULE_MAX    1024
#define MANIFEST_SIZE_MAX    (512U << 20)
#define MANIFEST_KEY_SIZE    32

enum manifest_kind {
    MANIFEST_KIND_FILE,
    MANIFEST_KIND_FOLDER,
    MANIFEST_KIND_LINK,
    MANIFEST_KIND_COUNT,
};

enum manifest_class {
    MANIFEST_CLASS_FIXED,   /* only a publish window changes it */
    MANIFEST_CLASS_CONTENT, /* the site's own programs write it: caches, logs */
    MANIFEST_CLASS_UPLOAD,  /* visitors write it: nothing there may execute */
    MANIFEST_CLASS_COUNT,
};

struct manifest_entry {
    struct str path; /* below the root, without . and ..; "" is the root itself */
    enum manifest_kind kind;
    enum manifest_class class;
    uint32_t mode; /* the permission bits, 07777 */
    uint32_t uid;
    uint32_t gid;
    uint64_t size;      /* of a folder: 0 */
    int64_t mtime;      /* ns since 1970 UTC; of a folder: 0, since it changes with its content */
    uint8_t sha256[32]; /* of the content, of a link's target; of a folder: zero */
    struct str xattrs;  /* packed by store/vault/meta.h */
};

struct manifest {
    uint64_t version;               /* grows by one with each signing, never 0 */
    int64_t time;                   /* ns since 1970 UTC */
    struct str root;                /* as the settings name it */
    uint8_t key[MANIFEST_KEY_SIZE]; /* SHA-256 of the public key that vouches for it */
    const struct str *uploads;      /* globs (integrity/classify.h) */
    size_t upload_count;
    const struct str *contents;
    size_t content_count;
    const struct manifest_entry *entries; /* in the order of manifest_compare */
    size_t entry_count;
};

/* The order of entries: bytewise, but that a slash comes before everything else. */
int manifest_compare(struct str a, struct str b);
/* Whether a path is one that an entry may have. */
bool manifest_is_path(struct str path);
/* NULL when nothing of that path was signed. */
const struct manifest_entry *manifest_find(const struct manifest *manifest, struct str path);
/* Index of the first entry that is not before path; entry_count when all are. */
size_t manifest_lower_bound(const struct manifest *manifest, struct str path);

/* The buffer's error tells whether it fitted. */
void manifest_encode(const struct manifest *manifest, struct buf *buf);
/* Borrows bytes; arrays lie in the arena. Checks limits, order, and that every entry stands in a
 * folder of the manifest. -ERR_SYNTAX, -ERR_TRUNCATED, -ERR_LIMIT, -ERR_VERSION, -ERR_CORRUPT
 * (order, paths, parents), -ERR_NOMEM. */
[[nodiscard]] int manifest_decode(struct str bytes, struct arena *arena,
                                  struct manifest *ret_manifest);

const char *manifest_class_name(enum manifest_class class);
const char *manifest_kind_name(enum manifest_kind kind);

#endif
