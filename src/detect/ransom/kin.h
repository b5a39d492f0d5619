/* Who is who: processes with their parents, also the dead ones that still matter, and what they
 * share: a session, and an executable under one user. Answers who descends from whom. Part of the
 * judge. */
#ifndef DETECT_RANSOM_KIN_H
#define DETECT_RANSOM_KIN_H

#include "base/list.h"
#include "base/map.h"
#include "detect/ransom/judge.h"

#define KIN_DEPTH_MAX 64

struct ruling;

enum scope_kind {
    SCOPE_KIND_SESSION,
    SCOPE_KIND_EXE,
};

struct scope_key {
    uint64_t kind;
    uint64_t first;
    uint64_t second;
    uint64_t uid;
};

struct scope {
    struct scope_key key;
    unsigned refs;
    unsigned asked;       /* open questions of its members */
    unsigned charged;     /* destroyed files laid to its members */
    unsigned members;     /* processes ever seen in it */
    unsigned reads;       /* files opened for reading by its members */
    unsigned made;        /* new files that they closed after reads enough */
    unsigned products;    /* ciphertexts known to be theirs */
    int64_t armed;        /* ns, when the last of those was met */
    int64_t first_charge; /* ns; 0 while none */
};

#define KIN_FOLDERS 4

/* A process as the map's key: without padding, whose bytes nobody owns. */
struct kin_key {
    int64_t pid;
    uint64_t start;
};

struct relative {
    struct kin_key key;
    struct actor actor;
    struct relative *parent;
    struct scope *session; /* NULL when unknown */
    struct scope *exe;
    struct ruling *ruling; /* this process and all below it */
    unsigned children;
    unsigned refs; /* of files and rulings */
    bool is_known; /* an ACTOR step named it, not only a child of it */
    bool is_dead;
    bool is_trusted;               /* and all below it */
    struct list age;               /* least recently seen first */
    uint32_t folders[KIN_FOLDERS]; /* hashes of those it last made files in, ciphertext left out */
    uint8_t next_folder;
};

struct kin {
    struct map relatives;
    struct map scopes;
    struct list ages;
};

void kin_init(struct kin *kin, size_t limit);
void kin_done(struct kin *kin);

/* The process, or NULL. */
struct relative *kin_find(const struct kin *kin, struct actor_key key);
/* Finds or makes it. -ERR_NOMEM, -ERR_LIMIT when every place is taken by one that still matters. */
[[nodiscard]] int kin_get(struct kin *kin, struct actor_key key, struct relative **ret_relative);
/* Fills in what is known of a process: at first sight and after exec. */
[[nodiscard]] int kin_learn(struct kin *kin, const struct actor *actor);
void kin_exit(struct kin *kin, struct actor_key key);

void relative_ref(struct relative *relative);
/* May free it. Takes NULL. */
void relative_unref(struct kin *kin, struct relative *relative);
void scope_ref(struct scope *scope);
void scope_unref(struct kin *kin, struct scope *scope);

/* It made a file in the folder of that path; and: the file was ciphertext, and is none of its own
 * affairs. */
void relative_note_folder(struct relative *relative, struct str path);
void relative_drop_folder(struct relative *relative, struct str path);
bool relative_works_beside(const struct relative *relative, struct str path);

/* Whether descendant is ancestor or stands below it, over any session. */
bool relative_is_below(const struct relative *descendant, const struct relative *ancestor);
/* The ruling that holds this process: its own or the nearest ancestor's. */
struct ruling *relative_ruling(const struct relative *relative);
bool relative_is_trusted(const struct relative *relative);
/* Whether two may be in one job: same session, or same executable under the same user. */
bool relative_is_akin(const struct relative *a, const struct relative *b);
/* The lowest process that is a or stands above it, and the same for b; NULL when they share none,
 * or none that one may stop: not outside both sessions unless it ran under the same user and is no
 * child of init. */
struct relative *relative_common(struct relative *a, struct relative *b);

#endif
