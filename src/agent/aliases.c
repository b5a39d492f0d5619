/* A ring: files with several names are few, and each look goes through all of it. */
#include "agent/aliases.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

/* Links to one file do not drive out what is known of others: from so many on, its oldest that
 * stands makes room. */
#define ALIASES_EACH 16

struct aliases {
    size_t limit;
    size_t used; /* rows, from the first on */
    size_t next;
    struct alias list[];
};

int aliases_new(size_t limit, struct aliases **ret_aliases)
{
    struct aliases *aliases = mem_alloc(1, sizeof(*aliases) + limit * sizeof(aliases->list[0]));

    if (aliases == NULL) {
        return -ERR_NOMEM;
    }
    aliases->limit = limit;
    *ret_aliases = aliases;
    return 0;
}

static void alias_forget(struct alias *alias)
{
    mem_free(alias->path);
    mem_free(alias->moved_to);
    *alias = (struct alias){0};
}

void aliases_free(struct aliases *aliases)
{
    if (aliases == NULL) {
        return;
    }
    for (size_t i = 0; i < aliases->limit; i++) {
        alias_forget(&aliases->list[i]);
    }
    mem_free(aliases);
}

static bool alias_is(const struct alias *alias, uint64_t serial, struct str path)
{
    return alias->serial == serial && str_is_text(path, alias->path);
}

static struct alias *aliases_find(struct aliases *aliases, uint64_t serial, struct str path)
{
    for (size_t i = 0; i < aliases->used; i++) {
        if (alias_is(&aliases->list[i], serial, path)) {
            return &aliases->list[i];
        }
    }
    return NULL;
}

/* The i-th, oldest first. */
static struct alias *aliases_nth(struct aliases *aliases, size_t i)
{
    size_t first = aliases->used == aliases->limit ? aliases->next : 0;

    return &aliases->list[(first + i) % aliases->used];
}

/* Of a file with many, the entry of its oldest name that stands, after those of all its younger
 * ones; else NULL. */
static struct alias *aliases_spare(struct aliases *aliases, uint64_t serial)
{
    struct alias *spare = NULL;
    unsigned count = 0;

    for (size_t i = 0; i < aliases->used; i++) {
        count += aliases_nth(aliases, i)->serial == serial ? 1U : 0U;
    }
    for (size_t i = 0; count >= ALIASES_EACH && i < aliases->used; i++) {
        struct alias *alias = aliases_nth(aliases, i);

        if (alias->serial == serial && alias->lost_by.pid == 0) {
            if (spare != NULL) {
                const struct alias oldest = *spare;

                *spare = *alias;
                *alias = oldest;
            }
            spare = alias;
        }
    }
    return spare;
}

static struct alias *aliases_next_free(struct aliases *aliases)
{
    struct alias *alias = &aliases->list[aliases->next];

    aliases->used += aliases->used < aliases->limit ? 1 : 0;
    aliases->next = aliases->next + 1 < aliases->limit ? aliases->next + 1 : 0;
    return alias;
}

/* Finds or adds; NULL without memory. */
static struct alias *aliases_take(struct aliases *aliases, uint64_t serial, struct str path)
{
    struct alias *alias = aliases_find(aliases, serial, path);
    char *copy;

    if (alias != NULL) {
        return alias;
    }
    copy = mem_dup(path.ptr, path.len);
    if (copy == NULL) {
        return NULL;
    }
    alias = aliases_spare(aliases, serial);
    alias = alias != NULL ? alias : aliases_next_free(aliases);
    alias_forget(alias);
    alias->serial = serial;
    alias->path = copy;
    return alias;
}

/* The name that was moved there, or NULL. */
static struct alias *aliases_moved_to(struct aliases *aliases, uint64_t serial, struct str path)
{
    for (size_t i = 0; i < aliases->used; i++) {
        struct alias *alias = &aliases->list[i];

        if (alias->serial == serial && alias->moved_to != NULL &&
            str_is_text(path, alias->moved_to)) {
            return alias;
        }
    }
    return NULL;
}

static void alias_set_moved(struct alias *alias, struct str target)
{
    mem_free(alias->moved_to);
    alias->moved_to = target.len != 0 ? mem_dup(target.ptr, target.len) : NULL;
}

void aliases_see(struct aliases *aliases, uint64_t serial, struct str path)
{
    struct alias *alias;

    if (path.len == 0 || aliases_moved_to(aliases, serial, path) != NULL) {
        return;
    }
    alias = aliases_take(aliases, serial, path);
    if (alias != NULL) {
        alias->lost_by = (struct actor_key){0};
        alias_set_moved(alias, STR(""));
    }
}

/* A name that was seen before it was told how it came about: the moved one tells of it. */
static void aliases_forget_early(struct aliases *aliases, uint64_t serial, struct str path)
{
    struct alias *early = aliases_find(aliases, serial, path);

    if (early != NULL && early->lost_by.pid == 0) {
        alias_forget(early);
    }
}

void aliases_move(struct aliases *aliases, uint64_t serial, struct str path, struct str target,
                  struct actor_key who)
{
    struct alias *alias = aliases_moved_to(aliases, serial, path);

    if (alias == NULL && path.len != 0) {
        alias = aliases_take(aliases, serial, path);
    }
    if (alias == NULL) {
        return;
    }
    alias->lost_by = who;
    alias_set_moved(alias, target);
    if (str_is_text(target, alias->path)) { /* home again */
        alias->lost_by = (struct actor_key){0};
        alias_set_moved(alias, STR(""));
    } else {
        aliases_forget_early(aliases, serial, target);
    }
}

bool aliases_has(const struct aliases *aliases, uint64_t serial)
{
    size_t cursor = 0;

    return aliases_next(aliases, serial, &cursor) != NULL;
}

bool aliases_is_lost(const struct aliases *aliases, uint64_t serial, struct str path)
{
    size_t cursor = 0;
    const struct alias *alias = aliases_next(aliases, serial, &cursor);

    while (alias != NULL && !str_is_text(path, alias->path)) {
        alias = aliases_next(aliases, serial, &cursor);
    }
    return alias != NULL && alias->lost_by.pid != 0;
}

uint64_t aliases_at(const struct aliases *aliases, struct str path)
{
    for (size_t i = 0; i < aliases->used; i++) {
        const struct alias *alias = &aliases->list[i];

        if (alias->serial != 0 && alias->lost_by.pid == 0 && str_is_text(path, alias->path)) {
            return alias->serial;
        }
    }
    return 0;
}

const struct alias *aliases_next(const struct aliases *aliases, uint64_t serial, size_t *cursor)
{
    while (*cursor < aliases->used) {
        const struct alias *alias = &aliases->list[(*cursor)++];

        if (alias->serial != 0 && (serial == 0 || alias->serial == serial)) {
            return alias;
        }
    }
    return NULL;
}
