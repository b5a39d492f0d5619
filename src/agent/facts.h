/* Owner, mode and time of protected files, so that what somebody changed before the first write,
 * and before there was a copy, is known too. A compact census (32 bytes a file) and a ring of
 * changes with who made them. What is not covered: attributes other than these, files that were
 * never seen (more than the limit, or changed before the walk at the start had come to them). Not
 * thread-safe: the shield's lock guards it. Neighbour: shield/facts.c. */
#ifndef AGENT_FACTS_H
#define AGENT_FACTS_H

#include "base/str.h"
#include "detect/ransom/judge.h"
#include "store/vault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct facts;

/* files_max: more are not noted. changes_max: the oldest are forgotten. */
[[nodiscard]] int facts_new(size_t files_max, size_t changes_max, struct facts **ret_facts);
void facts_free(struct facts *facts);

/* A file's name here: of the kernel's handle, type and bytes, which no later file will have. */
uint64_t facts_key(int32_t type, struct str bytes);
/* Notes a file that is not known. */
void facts_see(struct facts *facts, uint64_t key, const struct stat *stat);
/* Takes what is now for what was. */
void facts_set(struct facts *facts, uint64_t key, const struct stat *stat);
/* Somebody changed attributes, at a time (ns, monotonic). */
struct fact_event {
    uint64_t key;
    struct actor_key who;
    int64_t time;
    struct str path;
};
void facts_change(struct facts *facts, const struct fact_event *event, const struct stat *stat);
void facts_forget(struct facts *facts, uint64_t key);
size_t facts_count(const struct facts *facts);

/* Whose changes are asked for. */
struct facts_query {
    bool (*is_member)(void *context, struct actor_key who);
    void *context;
    int64_t since; /* ns, monotonic */
};
/* The next change by members, oldest first; false at the end. *cursor: 0 at first. The path is
 * borrowed until the next change. */
bool facts_next(const struct facts *facts, const struct facts_query *query, size_t *cursor,
                struct fact_event *ret_event);
/* What a file was before members first changed it, where a copy that was made later says otherwise;
 * false when the copy tells the truth. */
bool facts_before(const struct facts *facts, uint64_t key, const struct vault_version *copy,
                  const struct facts_query *query, struct vault_facts *ret_facts);

#endif
