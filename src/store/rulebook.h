/* What people add to the rules for logs, how often rules hit, and what must outlive the process
 * that judges. Core writes; the api process reads. The rules of store/store.h hold. */
#ifndef STORE_RULEBOOK_H
#define STORE_RULEBOOK_H

#include "base/arena.h"
#include "base/str.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_DOCUMENTS_MAX      2000
#define STORE_DOCUMENT_TEXT_MAX  (48U << 10)
#define STORE_RULE_HITS_DAYS     90 /* that are kept */
#define STORE_LOG_STATE_SIZE_MAX (96U << 20)

enum rule_document_kind {
    RULE_DOCUMENT_RULE,   /* rules and correlations of the user's own */
    RULE_DOCUMENT_FILTER, /* a Sigma filter */
    RULE_DOCUMENT_OFF,    /* the rule of that id is switched off; no text */
    RULE_DOCUMENT_COUNT,
};

/* A document as somebody changed it; each change is a row, the newest of a kind and id counts. */
struct store_document {
    uint64_t number;
    enum rule_document_kind kind;
    struct str id;
    struct str title;
    struct str text; /* YAML */
    struct str rule; /* of a filter: id of the rule for which it was made */
    bool is_on;
    int64_t until; /* ns since 1970 UTC; 0: no end */
    int64_t time;
    struct str actor;
    struct str reason;
};

/* number and time are given by the store. -ERR_LIMIT when STORE_DOCUMENTS_MAX others are on, and
 * nothing is changed. */
[[nodiscard]] int store_document_put(struct store *store, const struct store_document *document);
/* The newest row; -ERR_NOENT. */
[[nodiscard]] int store_document_get(struct store *store, enum rule_document_kind kind,
                                     struct str id, struct arena *arena,
                                     struct store_document *ret_document);
/* The newest row of each, those that are on first, then the last changed; at most
 * STORE_DOCUMENTS_MAX. Texts only with_text. */
[[nodiscard]] int store_document_list(struct store *store, bool with_text, struct arena *arena,
                                      struct store_document **ret_documents, size_t *ret_count);

/* Of a rule, or of a filter (then only `kept` counts). */
struct store_rule_hits {
    struct str rule;  /* id; of a rule without one: its title */
    struct str title; /* as it was called last */
    uint32_t level;   /* enum sigma_level */
    uint64_t hits;    /* with those that were kept back */
    uint64_t told;    /* findings that were made of them */
    uint64_t kept;    /* kept back by filters */
    uint64_t today;   /* hits of the last day; when read */
};

/* A day as people here count it: since 1970, in Viet Nam's time. */
int64_t store_day(int64_t wall);
[[nodiscard]] int store_rule_hits_add(struct store *store, int64_t day,
                                      const struct store_rule_hits *hits);
/* Summed from day `since` to day `today`, by rule. */
[[nodiscard]] int store_rule_hits_list(struct store *store, int64_t since, int64_t today,
                                       struct arena *arena, struct store_rule_hits **ret_hits,
                                       size_t *ret_count);
[[nodiscard]] int store_rule_hits_expire(struct store *store, int64_t before);

/* Alerts of the logs' rules that people closed as false alarms since then, by title, most first. */
struct store_false_alarms {
    struct str title;
    uint64_t count;
};
[[nodiscard]] int store_false_alarm_list(struct store *store, int64_t since, size_t limit,
                                         struct arena *arena, struct store_false_alarms **ret_rows,
                                         size_t *ret_count);

#endif
