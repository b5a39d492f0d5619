/* What may change in a document root, by its path, and what a file could be planted for, by its
 * name, mode, first bytes and times. Pure. Asked by agent/webroot/sign.c for a new manifest and by
 * agent/guard*.c for what no manifest knows. */
#ifndef DETECT_INTEGRITY_CLASSIFY_H
#define DETECT_INTEGRITY_CLASSIFY_H

#include "base/str.h"
#include "detect/integrity/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLANT_HEAD_SIZE 4096 /* of a file's first bytes are looked at */

/* A glob has the parts of a path; * and ? stay within one part. One without a slash is the name of
 * any folder; one with a slash stands from the root on. It holds for all that is below too. */
struct class_rules {
    const struct str *uploads;
    size_t upload_count;
    const struct str *contents;
    size_t content_count;
};

/* What holds beside all that is asked for; ended by an empty one. */
extern const struct str class_default_uploads[];
extern const struct str class_default_contents[];

bool class_glob_matches(struct str glob, struct str path);
/* Uploads win over content: what visitors write is the more dangerous. */
enum manifest_class class_of(const struct class_rules *rules, struct str path);

enum plant {
    PLANT_SCRIPT = 1,     /* a name that web servers execute: .php, .jsp, .aspx, .cgi … */
    PLANT_DOUBLE = 2,     /* such a name hidden before another: x.php.jpg */
    PLANT_HANDLER = 4,    /* changes what is executed: .htaccess, web.config, .user.ini */
    PLANT_PROGRAM = 8,    /* may be executed as a program, or is set-id */
    PLANT_CODE = 16,      /* server code inside what its name says is none */
    PLANT_BACKDATED = 32, /* claims to be older than it can be */
};

unsigned plant_of_name(struct str path);
/* head: its first bytes, PLANT_HEAD_SIZE of them at most. */
unsigned plant_of_head(struct str path, struct str head);
/* mode: st_mode of a regular file. */
unsigned plant_of_mode(uint32_t mode, struct str head);
/* changed: st_ctime, which nobody can set; both in ns. */
unsigned plant_of_times(int64_t mtime, int64_t changed);
/* Of those, what lets a visitor run code of his own in a folder of this class. A site's own cache
 * holds scripts by right. */
unsigned plant_that_runs(unsigned plants, enum manifest_class class);
/* Machine word of model/reasons.def for one of them; the gravest when several are set. */
const char *plant_word(unsigned plants);

#endif
