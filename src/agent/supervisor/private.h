/* What the files of the supervisor share; for nobody else. */
#ifndef AGENT_SUPERVISOR_PRIVATE_H
#define AGENT_SUPERVISOR_PRIVATE_H

#include "agent/confines.h"
#include "agent/control.h"
#include "agent/outbox.h"
#include "agent/page.h"
#include "agent/places.h"
#include "agent/supervisor.h"
#include "base/id.h"
#include "model/action.h"
#include "respond/freeze.h"
#include "sense/sensor.h"
#include "store/vault.h"
#include "sys/channel.h"
#include "sys/loop.h"

#include <assert.h>

enum child_kind {
    CHILD_WATCHDOG,
    CHILD_SCANNER,
    CHILD_OUTLET,
    CHILD_LEASH,
    CHILD_SENSOR,
    CHILD_INSPECTOR, /* only beside the guard */
    CHILD_GUARD,     /* only where a document root is to be guarded */
    CHILD_VISITS,    /* only where an access log is to be read */
    CHILD_LOGS,      /* only beside a centre */
    CHILD_JOURNAL,   /* the same */
    CHILD_COUNT,
};
static_assert(1 + CHILD_COUNT <= PAGE_OWN_MAX, "each has a place on the page, and we one");

/* Which pairs of processes talk. The supervisor keeps both ends of each. */
enum pair_kind {
    PAIR_SENSOR_SUPERVISOR, /* [0]: the first named */
    PAIR_SENSOR_OUTLET,
    PAIR_SENSOR_SCANNER,
    PAIR_SENSOR_LEASH,
    PAIR_OUTLET_SUPERVISOR,
    PAIR_GUARD_SUPERVISOR,
    PAIR_GUARD_INSPECTOR,
    PAIR_VISITS_SUPERVISOR,
    PAIR_LOGS_SUPERVISOR,
    PAIR_LOGS_OUTLET,
    PAIR_JOURNAL_SUPERVISOR,
    PAIR_JOURNAL_OUTLET,
    PAIR_COUNT,
};

enum agent_state {
    AGENT_STATE_STARTING = 1,
    AGENT_STATE_WATCHING = 2,
    AGENT_STATE_ENDING = 4,
};

struct supervisor;

struct child {
    struct supervisor *supervisor;
    enum child_kind kind;
    pid_t pid; /* 0: does not run */
    int64_t started;
    unsigned failures; /* deaths in a row, each soon after the start */
    bool is_ending;    /* was asked to */
    struct loop_source *timer;
};

enum held_state {
    HELD_STATE_STOPPED = 1,
    HELD_STATE_RESTORED = 2,
    HELD_STATE_RESUMED = 4,
    HELD_STATE_KILLED = 8,
    HELD_STATE_KILLED_RESTORED = 16,
};

#define HELD_MAX 256

/* A group that a finding is about. */
struct held {
    struct id finding;
    enum held_state state;
    bool is_busy;   /* a worker restores or undoes */
    bool is_wanted; /* to be restored as soon as it and a worker are free */
    unsigned retries;
    int64_t retry_at; /* ns, monotonic: restored again then; 0: not */
    struct freeze_group group;
};

#define WORKERS_MAX 8
#define ASKED_MAX   256

/* A forked process that restores or undoes one case. */
struct worker {
    struct supervisor *supervisor;
    struct id finding;
    enum action action; /* RESTORE, UNDO_RESTORE or RESUME (undo, then let go) */
    struct id request;  /* to be answered; none when the sensor asked */
    pid_t pid;          /* 0: free */
    int pipe;
    unsigned tries;
};

struct supervisor {
    const struct agent_settings *settings;
    agent_outlet_fn *outlet_body;
    struct places places;
    struct confines confines;
    struct control control;
    const char *sensor_user;
    struct page *page;
    struct intake_page *intake;
    int fds[SENSOR_KIND_COUNT][SENSOR_FDS_MAX];
    struct diag lacks[SENSOR_KIND_COUNT]; /* what each sensor has to do without */
    int pairs[PAIR_COUNT][2];
    int watch_fd; /* eventfd, for watchdog_stir */
    struct loop *loop;
    struct loop_source *end_timer;
    struct loop_source *retry_timer;
    enum agent_state state;
    struct child children[CHILD_COUNT];
    int64_t logs_since;   /* ns since boot: since then a logs' process saw what came; 0: none did */
    int64_t logs_started; /* the last one */
    struct outbox sensor;
    struct outbox outlet;
    struct outbox guard;
    struct held held[HELD_MAX];
    size_t held_count;
    uint64_t held_refused; /* groups that found no place there */
    struct worker workers[WORKERS_MAX];
    struct id asked[ASKED_MAX]; /* actions taken, so that one that comes twice is done once */
    size_t asked_next;
    unsigned stalls_told;
    bool has_marks;
    int status; /* of the outlet, an enum exit_status */
    int result;
    struct diag diag;
    struct channel_packet packet;
    struct msg_writer msg;
};

extern const char *const child_names[CHILD_COUNT];

/* supervisor/children.c */
[[nodiscard]] int supervisor_start_child(struct supervisor *supervisor, enum child_kind kind);
void supervisor_end_child(struct supervisor *supervisor, enum child_kind kind);
void supervisor_end(struct supervisor *supervisor);

/* supervisor/requests.c */
void supervisor_on_sensor(void *context, int fd, unsigned events);
void supervisor_on_outlet(void *context, int fd, unsigned events);
void supervisor_on_guard(void *context, int fd, unsigned events);
void supervisor_on_visits(void *context, int fd, unsigned events);
void supervisor_on_logs(void *context, int fd, unsigned events);
void supervisor_on_journal(void *context, int fd, unsigned events);
/* A finding of the supervisor itself. title: English source sentence. */
void supervisor_tell(struct supervisor *supervisor, const char *title, const char *value);

/* supervisor/actions.c */
void supervisor_take_action(struct supervisor *supervisor, const struct action_request *request);
void supervisor_restore(struct supervisor *supervisor, const struct id *finding);
bool supervisor_has_workers(const struct supervisor *supervisor);

/* supervisor/held.c: borrowed until the next call. NULL when it is not listed, or, is_made, when
 * the list is full of groups that somebody has yet to decide about; the latter is told. */
struct held *supervisor_held(struct supervisor *supervisor, const struct id *finding, bool is_made);

#endif
