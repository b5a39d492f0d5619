/* Which fields of an entry a match is shown with: those that its rule names, or that its atoms look
 * at. An entry may have fields by the ten thousand and hold for rules by the hundred, so names have
 * numbers, by which a view of the entry finds its fields after having gone through it once. Shared
 * by threads once it is made; a view is a thread's own. Pure. */
#ifndef DETECT_SIGMA_SHOWN_H
#define DETECT_SIGMA_SHOWN_H

#include "detect/sigma/rule.h"

#define SIGMA_SHOWN_MAX 64 /* names of a rule */
#define SIGMA_VIEW_END  UINT32_MAX

struct sigma_shown;

/* has_both: names of atoms beside those that the rule names, not in place of none. The set must
 * outlive it. -ERR_NOMEM, -ERR_LIMIT. */
[[nodiscard]] int sigma_shown_new(const struct sigma_set *set, bool has_both,
                                  struct sigma_shown **ret_shown);
void sigma_shown_free(struct sigma_shown *shown);
/* Numbers of a rule's names, in the order in which it has them; returns how many. */
size_t sigma_shown_names(const struct sigma_shown *shown, uint32_t rule,
                         const uint32_t **ret_names);
/* Names have the numbers from 1 to this. */
size_t sigma_shown_count(const struct sigma_shown *shown);
struct str sigma_shown_name(const struct sigma_shown *shown, uint32_t name);

struct sigma_view {
    const struct sigma_shown *shown;
    uint64_t turn;
    struct sigma_view_name *names; /* by number */
    uint32_t *next;                /* by field: the next of its name */
    size_t next_room;
};

[[nodiscard]] int sigma_view_init(struct sigma_view *view, const struct sigma_shown *shown);
void sigma_view_done(struct sigma_view *view);
/* Views the entry, with its empty fields or without. -ERR_NOMEM. */
[[nodiscard]] int sigma_view_turn(struct sigma_view *view, const struct entry *entry,
                                  bool has_empty);
/* The place of the entry's first field of that name, and of the one behind; SIGMA_VIEW_END. */
uint32_t sigma_view_first(const struct sigma_view *view, uint32_t name);
uint32_t sigma_view_next(const struct sigma_view *view, uint32_t field);

#endif
