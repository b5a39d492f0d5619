/* The scripts that a site serves itself: of each what it was like as long as it stayed the same,
 * and what it is like now where that is something else (script.h). Kept for the site, not for a
 * page: a script that was changed is changed on all of them. On the data's way:
 * centre/reader/scripts.c → here → layer_scripts.c. Everything lies in the arena that it was opened
 * with, or borrows the bytes.
 */
#ifndef DETECT_DEFACE_SCRIPTS_H
#define DETECT_DEFACE_SCRIPTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "detect/deface/script.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPTS_MAX      16 /* of a site */
#define SCRIPTS_URL_MAX  512
#define SCRIPTS_SIZE_MAX (64U << 10) /* encoded; an ordinary site has 20 KB */
#define SCRIPTS_LEARNED  4 /* times that one came the same, before a change of it is told */

enum script_standing {
    SCRIPT_KNOWN,   /* as it is now */
    SCRIPT_WANTED,  /* it is to be fetched */
    SCRIPT_NO_ROOM, /* it is not kept */
};

struct deface_script {
    struct str url;               /* it came from there last */
    struct script_sketch learned; /* no tokens: it never came */
    struct script_sketch fresh;   /* no tokens: it is as learned */
    uint32_t looks;               /* that it came as learned, up to SCRIPTS_LEARNED */
    uint32_t day;                 /* since 1970, on which a page linked it last */
    bool is_linked;               /* by the page in hand */
};

struct deface_scripts {
    uint64_t key;
    struct arena *arena;
    struct deface_script items[SCRIPTS_MAX];
    size_t count;
    bool is_changed; /* since it was opened: to be kept */
};

/* By which it is known from one version to the next: without its query where that names a version,
 * as it does behind ".js". Borrows. */
struct str deface_script_name(struct str url);

/* Empty bytes: nothing is known yet. Bytes were written by this program but count as hostile:
 * -ERR_SYNTAX, -ERR_LIMIT, -ERR_VERSION; -ERR_NOMEM. */
[[nodiscard]] int deface_scripts_open(struct str bytes, struct arena *arena,
                                      struct deface_scripts *ret_scripts);
/* buf: of SCRIPTS_SIZE_MAX. Of a script whose sketches find no room, only the address is kept. */
void deface_scripts_encode(const struct deface_scripts *scripts, struct buf *buf);

/* The page in hand links it. */
enum script_standing deface_scripts_link(struct deface_scripts *scripts, struct str url,
                                         int64_t time);
/* It came from there; empty: there is none. -ERR_NOMEM. */
[[nodiscard]] int deface_scripts_take(struct deface_scripts *scripts, struct str url,
                                      struct str text, int64_t time);
/* It was asked for and is what it was when it came last. */
void deface_scripts_take_same(struct deface_scripts *scripts, struct str url);
/* What the page in hand links is from now on as it should be. */
void deface_scripts_learn(struct deface_scripts *scripts);

#endif
