/* A document root under a signed manifest: what differs from it, how it is put back, and how a new
 * version is signed. Used by the guard (agent/guard.c) and by hand (cli/webroot.c). Invariant:
 * every path below the root is walked from the root's descriptor without following a symbolic link;
 * what is read is hashed on the descriptor it was opened with; what is put back gets its name by an
 * atomic rename.
 *
 * In the store, one folder a root:
 *     manifests/N   signed versions (detect/integrity/envelope.h)
 *     highest       the highest version that ever was in force, and its digest
 *     base/         contents to restore from
 *     stage/        what comes and goes by rename
 *     publish*      an open window, see webroot/publish.c
 *     place         the file system's id
 *     journal       who signed and opened windows, and why: one JSON object a line */
#ifndef AGENT_WEBROOT_H
#define AGENT_WEBROOT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "detect/integrity/classify.h"
#include "detect/integrity/envelope.h"
#include "model/setting.h"
#include "store/blobs.h"
#include "store/evidence.h"
#include "store/seal.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define WEBROOT_MAX          32
#define WEBROOT_EVIDENCE_MAX (1ULL << 30)
#define WEBROOT_STAGE_NAME   64
#define WEBROOT_DOMAIN       "canhgac webroot manifest"
#define WEBROOT_GRANT_DOMAIN "canhgac webroot grant"

/* How what stands at a path differs from its entry; or'ed. */
enum webroot_difference {
    WEBROOT_MISSING = 1,
    WEBROOT_ADDED = 2, /* no entry */
    WEBROOT_KIND = 4,  /* a folder where a file stood, a link where … */
    WEBROOT_CONTENT = 8,
    WEBROOT_MODE = 16,
    WEBROOT_OWNER = 32,
    WEBROOT_MTIME = 64,
    WEBROOT_XATTRS = 128,
    WEBROOT_UNREAD = 256, /* nothing differs, but the content was not looked at */
    WEBROOT_ATTRIBUTES = WEBROOT_MODE | WEBROOT_OWNER | WEBROOT_MTIME | WEBROOT_XATTRS,
};

struct webroot_config {
    const char *store;                  /* folder of all roots */
    const char *path;                   /* the document root */
    const struct setting_list *uploads; /* globs beside those of the manifest */
    const struct setting_list *contents;
};

struct webroot {
    const struct webroot_config *config;
    const char *path; /* borrowed from the configuration */
    int fd;           /* the root itself */
    dev_t dev;
    ino_t ino;
    uint64_t mount;
    int folder; /* its part of the store */
    int stage;
    bool is_apart; /* the store lies on another mount: nothing can be renamed between them */
    struct blobs base;
    bool has_key;
    uint8_t public[SEAL_KEY_SIZE];
    struct arena *arena; /* of the manifest */
    struct buf bytes;
    struct manifest manifest;
    bool is_signed; /* a manifest is in force */
    uint64_t highest;
    uint8_t highest_sha256[32];
    struct str uploads[MANIFEST_RULES_MAX + SETTING_LIST_MAX];
    struct str contents[MANIFEST_RULES_MAX + SETTING_LIST_MAX];
    struct class_rules rules;
};

/* The store's folder for a root, as a path. */
void webroot_folder(const struct webroot_config *config, char *out, size_t size);
/* Opens the root and its part of the store, which it makes; loads no manifest. The configuration
 * must outlive it. diag tells. */
[[nodiscard]] int webroot_open(struct webroot *webroot, const struct webroot_config *config,
                               struct diag *diag);
void webroot_close(struct webroot *webroot);
/* 0 when path still leads to the root that is open; -ERR_CONFLICT when another folder stands there,
 * -ERR_XDEV when another mount does, -ERR_NOENT. */
[[nodiscard]] int webroot_is_in_place(const struct webroot *webroot);

/* Marks the root as guarded for as long as the returned descriptor is open; -ERR_BUSY: it is. */
[[nodiscard]] int webroot_claim(const struct webroot *webroot);
bool webroot_is_guarded(const struct webroot *webroot);
/* By what the guard hears of changes there, noted with its claim. "" when nobody guards it. */
void webroot_note_hearing(int claim, const char *what);
void webroot_hearing(const struct webroot *webroot, char *out, size_t size);
/* Whether fd lies on the file system on which the root was signed; true where nothing is noted. */
bool webroot_is_home(const struct webroot_config *config, int fd);
/* Notes that it is this one. */
[[nodiscard]] int webroot_note_home(const struct webroot *webroot);

/* webroot/load.c: takes the newest manifest that is genuine into force. One that is not (older than
 * the highest seen, foreign, damaged, of another root) is passed over; diag then says why, and what
 * was in force stays so. 0 with diag empty: fine. -ERR_NOENT: none was ever signed. */
[[nodiscard]] int webroot_load(struct webroot *webroot, struct diag *diag);
/* Writes a signed manifest and takes it into force. */
[[nodiscard]] int webroot_accept(struct webroot *webroot, struct str envelope, struct diag *diag);
/* Puts the file of the manifest in force back as it was read. */
[[nodiscard]] int webroot_rewrite(const struct webroot *webroot);
/* Whether a grant is by the site's own key, for this root. */
[[nodiscard]] int webroot_check_grant(const struct webroot *webroot, struct str envelope,
                                      struct grant *ret_grant);

/* webroot/compare.c */

/* Differences of path from its entry (NULL: only whether something stands there), or'ed, or a
 * negative error. most: a larger file is not read where size, time and all else agree. ret_stat may
 * be NULL; filled unless WEBROOT_MISSING. */
[[nodiscard]] int webroot_compare(const struct webroot *webroot, struct str path,
                                  const struct manifest_entry *entry, uint64_t most,
                                  struct stat *ret_stat);
/* Opens what stands at path for reading; the caller's. */
[[nodiscard]] int webroot_read(const struct webroot *webroot, struct str path);
/* What a file that no manifest knows could be planted for: enum plant, or'ed. */
[[nodiscard]] int webroot_plants(const struct webroot *webroot, struct str path,
                                 const struct stat *st);

/* webroot/repair.c */

/* Told of what stood where something was put back or taken out: it lies under name in folder now
 * and is the callee's to remove. */
typedef void webroot_taken_fn(void *context, struct str path, int folder, const char *name);
struct webroot_taker {
    void *context;
    webroot_taken_fn *fn;
};

/* Puts entry back (its folders first), whatever stands there. differences: of webroot_compare;
 * where only attributes differ they are set in place. -ERR_CORRUPT: the baseline copy is damaged.
 */
[[nodiscard]] int webroot_put_back(struct webroot *webroot, const struct manifest_entry *entry,
                                   unsigned differences, const struct webroot_taker *taker);
[[nodiscard]] int webroot_take_out(struct webroot *webroot, struct str path,
                                   const struct webroot_taker *taker);
/* Gives what was moved within the root its name back; -ERR_EXIST when something has taken it. */
[[nodiscard]] int webroot_move_back(struct webroot *webroot, struct str now, struct str before);
/* webroot/bury.c */

/* Keeps what lies at name in folder as evidence, a folder with all that is in it, and removes it.
 * record: who, when, what; its path is the one that was taken. is_patient: what the disk has no
 * room for stays (-ERR_NOSPC), else it goes with its facts noted. Number of the first record in
 * *ret_number, 0: none. */
[[nodiscard]] int webroot_bury(struct evidence *evidence, int folder, const char *name,
                               bool is_patient, const struct evidence_record *record,
                               uint64_t *ret_number);

/* The same of a file that has no name any more. */
[[nodiscard]] int webroot_bury_open(struct evidence *evidence, int fd,
                                    const struct evidence_record *record, uint64_t *ret_number);

/* webroot/scan.c: all that stands below a path, folder by folder, a little at a time. */

struct webroot_scan;

/* Of each name, folders before what is in them; false leaves a folder out. Of a whole scan
 * afterwards each entry that was not met, is_there then being false. */
typedef bool webroot_met_fn(void *context, struct str path, bool is_folder, bool is_there);

[[nodiscard]] int webroot_scan_new(struct webroot *webroot, webroot_met_fn *fn, void *context,
                                   struct webroot_scan **ret_scan);
void webroot_scan_free(struct webroot_scan *scan);
/* path "": a whole scan, from the beginning. Another is looked at first. */
[[nodiscard]] int webroot_scan_add(struct webroot_scan *scan, struct str path);
/* Each entry of the manifest at path and below, as if met, the first next. */
[[nodiscard]] int webroot_scan_add_entries(struct webroot_scan *scan, struct str path);
/* Works for about so long; 1 when there is more, 0 when all is done. */
[[nodiscard]] int webroot_scan_step(struct webroot_scan *scan, int64_t budget_ns);

/* webroot/sign.c */

struct webroot_signing {
    const struct seal_key *key;
    struct str grant; /* of a window: the envelope around it; empty: the site's own key */
    int64_t until;    /* what changed later (by ctime) is not signed; INT64_MAX: all is */
    int64_t since;    /* what changed last before (by ctime) and looks as it was signed is signed on
                         unread; 0: all is read */
    const struct setting_list *uploads; /* globs for the manifest */
    const struct setting_list *contents;
    void *context;
    /* Told of what can execute in an upload folder and is signed as it is; may be NULL. */
    void (*plant)(void *context, struct str path, unsigned plants);
};

struct webroot_signed {
    uint64_t version;
    uint64_t files;
    uint64_t fixed;
    uint64_t bytes; /* of fixed files */
};

/* Walks the root, keeps what is fixed in the store, signs the next version and takes it into force.
 */
[[nodiscard]] int webroot_sign(struct webroot *webroot, const struct webroot_signing *signing,
                               struct webroot_signed *ret_signed, struct diag *diag);
/* Takes contents out of the store that the manifest in force does not name. */
[[nodiscard]] int webroot_sweep(struct webroot *webroot);

/* webroot/publish.c */

struct webroot_window {
    bool is_open;
    struct grant grant; /* its texts in bytes */
    struct buf bytes;   /* the envelope around it */
    int64_t until;      /* the grant's, or earlier when it was ended by hand */
};

/* Opens a window with a key of its own. grant.who, reason, from, until are the caller's. */
[[nodiscard]] int webroot_window_grant(struct webroot *webroot, const struct seal_key *key,
                                       const struct grant *wanted, struct diag *diag);
/* Asks that the window end now. -ERR_NOENT: none is open. */
[[nodiscard]] int webroot_window_end(const struct webroot *webroot);
/* Reads the window that is open, if any. -ERR_UNTRUSTED: somebody else's; it was put aside. */
[[nodiscard]] int webroot_window_read(const struct webroot *webroot, struct webroot_window *window);
void webroot_window_done(struct webroot_window *window);
/* For whoever opened it: changes are let be from now on. */
void webroot_window_note_seen(const struct webroot *webroot);
/* Signs what the window brought and closes it. */
[[nodiscard]] int webroot_window_close(struct webroot *webroot, struct webroot_window *window,
                                       struct webroot_signed *ret_signed, struct diag *diag);
/* One line in the journal. */
void webroot_note(const struct webroot *webroot, const char *what, uint64_t version, struct str who,
                  struct str why);

#endif
