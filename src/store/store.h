/* The state of a centre behind a port: hosts, alerts, users, sessions, tokens, actions, audit. One
 * back end for now, store/sqlite/sqlite.c (state.db: SQLite, WAL, STRICT, migrations by
 * user_version); others come by filling the same struct. Core is the only writer; the api process
 * opens with is_read_only.
 *
 * Rows handed out live in the caller's arena. Lists page by cursor: `after` is the last row's own
 * cursor, 0 or empty to begin. Every write happens in the transaction that the caller opened. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/id.h"
#include "base/str.h"
#include "base/text.h"
#include "base/time.h"
#include "model/action.h"
#include "model/finding.h"
#include "model/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PAGE_MAX 500
#define STORE_NAME_MAX 255 /* bytes of a host's name */

enum store_host_kind {
    STORE_HOST_AGENT,
    STORE_HOST_SENDER, /* sends logs without an agent; nothing proves its name */
    STORE_HOST_KIND_COUNT,
};

struct store_host {
    struct id id;
    struct str name;
    enum store_host_kind kind;
    struct str via;         /* of a sender: the address or the token that its entries come by */
    uint8_t key_sha256[32]; /* of the public key its certificate carries; of a sender, of its name
                               and via */
    int64_t enrolled;       /* ns since 1970 UTC */
    int64_t seen;           /* last frame, 0 never */
    bool is_revoked;
    bool is_connected;
    int64_t clock_offset;  /* host clock minus centre clock, ns */
    uint64_t acknowledged; /* highest record sequence committed */
    struct status status;  /* the last one, zeroed before the first */
    uint64_t open_alerts;  /* without drills */
};

enum alert_state {
    ALERT_STATE_NEW,
    ALERT_STATE_TAKEN, /* somebody on duty has taken it */
    ALERT_STATE_CLOSED,
    ALERT_STATE_COUNT,
};

/* Findings of one detector, host and cause folded into one thing to act on. */
struct store_alert {
    uint64_t number; /* grows; what people say */
    struct id finding;
    struct id host;
    uint64_t site;        /* watched site (store/sites.h) that it speaks of, 0: of a host */
    struct str host_name; /* or the site's */
    enum alert_state state;
    enum severity severity;
    bool is_drill;
    int64_t first;
    int64_t last;
    uint64_t count; /* findings folded in, and what was counted besides */
    struct str detector;
    struct str title;
    struct str taken_by;
    struct str close_reason; /* "true", "false-alarm", "test" and the person's words */
    uint64_t changed;        /* grows with each change of any alert: the live stream's cursor */
    struct str body;         /* the last finding, CBOR as finding_encode wrote it */
};

struct store_user {
    uint64_t number;
    struct str name;
    struct str full_name;
    enum role role;
    struct str password;    /* Argon2id encoded string */
    struct str totp_secret; /* raw bytes, empty: not in use */
    uint64_t totp_step;     /* of the last code that was taken: none up to it is good again */
    bool is_disabled;
    bool must_change_password;
    enum language language;
    int64_t created;
    int64_t last_login;
};

struct store_session {
    uint8_t token_sha256[32]; /* the cookie's value itself is never stored */
    uint64_t user;
    int64_t created;
    int64_t used;
    int64_t expires;
    struct str address;
};

struct store_token {
    uint64_t number;
    uint8_t secret_sha256[32];
    struct str note;
    struct str created_by;
    int64_t created;
    int64_t expires;
    int64_t used;      /* 0: not yet */
    struct id used_by; /* host */
};

enum action_state {
    ACTION_STATE_WAITING, /* for the host to connect */
    ACTION_STATE_SENT,
    ACTION_STATE_DONE,
    ACTION_STATE_FAILED,
    ACTION_STATE_EXPIRED,
    ACTION_STATE_CANCELED, /* called off before it was sent */
    ACTION_STATE_COUNT,
};

struct store_action {
    struct action_request request;
    struct id host;
    enum action_state state;
    struct action_answer answer; /* zeroed until answered */
};

struct store_audit {
    uint64_t number;
    int64_t time;
    struct str actor; /* user name, "canhgac" or "host:NAME" */
    struct str act;   /* "login", "alert.take", "action.resume", "host.revoke" … */
    struct str object;
    struct str detail; /* JSON */
    uint8_t chain[32]; /* SHA-256 over the previous link and this row's canonical bytes */
};

/* A setting as somebody changed it in the console; each change is a row, the newest counts. */
struct store_setting {
    uint64_t number;
    struct str name;
    bool is_set; /* false: taken back, the settings file or the default counts again */
    struct str value;
    bool was_set; /* the same of what stood before it */
    struct str before;
    int64_t time;
    struct str actor;
    struct str reason;
};

struct store_counts {
    uint64_t hosts, hosts_silent; /* without the revoked; silent: no frame for three minutes */
    uint64_t hosts_revoked;
    uint64_t senders;                  /* of logs, without an agent: not among the hosts above */
    uint64_t alerts_new, alerts_taken; /* without drills */
    uint64_t sites;                    /* watched or resting */
    uint64_t sites_grave;              /* red, yellow, or not to be reached */
    uint64_t events, findings;         /* committed, ever */
    uint64_t duplicates;               /* records that came again */
    uint64_t dropped;                  /* as agents say: their bound was reached */
    uint64_t sources, sources_silent;  /* of logs; those muted are not among the silent */
};

struct store; /* opaque; one thread at a time */

struct store_options {
    const char *folder;
    bool is_read_only;
    const struct clock *clock;
};

[[nodiscard]] int store_open(const struct store_options *options, struct store **ret_store,
                             struct diag *diag);
void store_close(struct store *store);
void store_closep(struct store **store);

/* A write that fails half done (not: -ERR_EXIST, -ERR_NOENT, -ERR_CONFLICT, -ERR_EXPIRED, which
 * change nothing) makes store_commit roll back and return that failure. -ERR_NOSPC on a full disk.
 */
[[nodiscard]] int store_begin(struct store *store);
[[nodiscard]] int store_commit(struct store *store); /* durable when it returns 0 */
void store_rollback(struct store *store);

/* By id; open_alerts and status are not written, acknowledged never falls. Names are unique:
 * -ERR_EXIST, and the transaction goes on; a name that only a revoked host holds passes to the new
 * one (the old one becomes "NAME~1a2b3c4d"). */
[[nodiscard]] int store_host_put(struct store *store, const struct store_host *host);
[[nodiscard]] int store_host_get(struct store *store, const struct id *id, struct arena *arena,
                                 struct store_host *ret_host);
[[nodiscard]] int store_host_find_key(struct store *store, const uint8_t key_sha256[32],
                                      struct arena *arena, struct store_host *ret_host);
[[nodiscard]] int store_host_list(struct store *store, struct str after_name, size_t limit,
                                  struct arena *arena, struct store_host **ret_hosts,
                                  size_t *ret_count);
/* Remembers that records up to sequence are in. -ERR_EXIST when they were already. */
[[nodiscard]] int store_host_acknowledge(struct store *store, const struct id *id,
                                         uint64_t sequence);
/* For core's start: whoever was connected to an earlier life is not now. */
[[nodiscard]] int store_host_disconnect_all(struct store *store);
[[nodiscard]] int store_host_status(struct store *store, const struct id *id,
                                    const struct status *status, int64_t seen);

struct store_alert_filter {
    int state;          /* enum alert_state, -1 all, -2 open */
    int severity_least; /* -1 all */
    int is_drill;       /* -1 all */
    const struct id *host;
    uint64_t site;          /* 0: all */
    struct str words;       /* folded words that title or host must hold */
    uint64_t before;        /* numbers below this, 0: from the newest */
    uint64_t changed_after; /* for the live stream, in order of change; 0: not used */
    size_t limit;
};
/* Folds a finding into the alert it belongs to (same finding id, else same detector, host and title
 * within an hour while open, or of the same site as long as it is open), or makes one.
 * -ERR_CONFLICT, and nothing is changed, when the id is another host's finding. */
[[nodiscard]] int store_alert_fold(struct store *store, const struct id *host,
                                   const struct finding *finding, uint64_t *ret_number);
[[nodiscard]] int store_alert_get(struct store *store, uint64_t number, struct arena *arena,
                                  struct store_alert *ret_alert);
[[nodiscard]] int store_alert_list(struct store *store, const struct store_alert_filter *filter,
                                   struct arena *arena, struct store_alert **ret_alerts,
                                   size_t *ret_count);
/* Whether an alert holds a finding of that id, whatever became of it since. */
[[nodiscard]] int store_alert_knows(struct store *store, const struct id *finding,
                                    bool *ret_is_known);
/* The findings of an alert, newest first: each can be acted on. limit 0: STORE_PAGE_MAX. */
struct store_finding {
    struct id id;
    uint32_t revision;
    int64_t time;
    struct str body; /* CBOR as finding_encode wrote it */
};
[[nodiscard]] int store_alert_findings(struct store *store, uint64_t number, size_t limit,
                                       struct arena *arena, struct store_finding **ret_findings,
                                       size_t *ret_count);
/* Counts more of what an alert tells of, the last of them at that time. -ERR_NOENT. */
[[nodiscard]] int store_alert_count_more(struct store *store, uint64_t number, uint64_t more,
                                         int64_t last);
/* What it told of is over by itself: informational, until it happens again. -ERR_NOENT. */
[[nodiscard]] int store_alert_calm(struct store *store, uint64_t number);
/* Legal moves: new→taken, new→closed, taken→closed, taken→new, closed→taken. -ERR_CONFLICT
 * otherwise. */
[[nodiscard]] int store_alert_move(struct store *store, uint64_t number, enum alert_state state,
                                   struct str actor, struct str reason);

[[nodiscard]] int store_user_put(struct store *store, const struct store_user *user,
                                 uint64_t *ret_number); /* number 0: new */
[[nodiscard]] int store_user_get(struct store *store, struct str name, struct arena *arena,
                                 struct store_user *ret_user);
[[nodiscard]] int store_user_get_number(struct store *store, uint64_t number, struct arena *arena,
                                        struct store_user *ret_user);
[[nodiscard]] int store_user_list(struct store *store, struct arena *arena,
                                  struct store_user **ret_users, size_t *ret_count);
[[nodiscard]] int store_session_put(struct store *store, const struct store_session *session);
/* -ERR_EXPIRED past its `expires`. */
[[nodiscard]] int store_session_get(struct store *store, const uint8_t token_sha256[32],
                                    struct arena *arena, struct store_session *ret_session);
[[nodiscard]] int store_session_drop(struct store *store, const uint8_t token_sha256[32]);
[[nodiscard]] int store_session_drop_user(struct store *store, uint64_t user);
[[nodiscard]] int store_token_put(struct store *store, const struct store_token *token);
/* Uses it up: -ERR_NOENT, -ERR_EXPIRED, -ERR_EXIST when used already. */
[[nodiscard]] int store_token_use(struct store *store, const uint8_t secret_sha256[32],
                                  const struct id *host);
[[nodiscard]] int store_token_list(struct store *store, struct arena *arena,
                                   struct store_token **ret_tokens, size_t *ret_count);

/* number and time are given by the store. */
[[nodiscard]] int store_setting_put(struct store *store, const struct store_setting *setting);
/* The newest row of each setting that was ever changed, by name. */
[[nodiscard]] int store_setting_list(struct store *store, struct arena *arena,
                                     struct store_setting **ret_settings, size_t *ret_count);

[[nodiscard]] int store_action_put(struct store *store,
                                   const struct store_action *action); /* by request.id */
/* -ERR_NOENT when this host was not asked this, -ERR_EXIST when it was answered already. An answer
 * that comes after the action expired is kept: it says what was done. */
[[nodiscard]] int store_action_answer(struct store *store, const struct id *host,
                                      const struct action_answer *answer);
struct store_action_filter {
    const struct id *host;    /* NULL: all */
    const struct id *finding; /* NULL: all */
    int state;                /* enum action_state, -1 all */
};
/* Newest first, at most STORE_PAGE_MAX. */
[[nodiscard]] int store_action_list(struct store *store, const struct store_action_filter *filter,
                                    struct arena *arena, struct store_action **ret_actions,
                                    size_t *ret_count);

[[nodiscard]] int store_audit_add(struct store *store, struct str actor, struct str act,
                                  struct str object, struct str detail);
[[nodiscard]] int store_audit_list(struct store *store, uint64_t before, size_t limit,
                                   struct arena *arena, struct store_audit **ret_rows,
                                   size_t *ret_count);
/* Walks the whole chain and the anchors beside it. -ERR_CORRUPT: diag names the first row that does
 * not follow, or the anchor that the log does not reach. */
[[nodiscard]] int store_audit_verify(struct store *store, uint64_t *ret_rows, uint8_t ret_head[32],
                                     struct diag *diag);

/* Writes the head to audit.anchors, unless it stands there. store_commit does it once an hour and
 * store_close at the end; call it to know that it worked. Not within a transaction. */
[[nodiscard]] int store_audit_anchor(struct store *store);

/* Up to when the clock was believed last, ns since 1970 UTC; 0: never yet. */
[[nodiscard]] int store_clock(struct store *store, int64_t *ret_time);
[[nodiscard]] int store_set_clock(struct store *store, int64_t time);

[[nodiscard]] int store_counts(struct store *store, struct store_counts *ret_counts);
[[nodiscard]] int store_counts_add(
    struct store *store, const struct store_counts *more); /* events findings duplicates */

#endif
