/* The inside of core, shared by core*.c only. Core is one loop on one thread; the password thread
 * (centre/worker.h) touches nothing of this. */
#ifndef CENTRE_CORE_INSIDE_H
#define CENTRE_CORE_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/list.h"
#include "base/map.h"
#include "base/time.h"
#include "centre/account.h"
#include "centre/argument.h"
#include "centre/core.h"
#include "centre/limiter.h"
#include "centre/overlay.h"
#include "centre/protocol.h"
#include "centre/worker.h"
#include "link/authority.h"
#include "link/server.h"
#include "store/archive.h"
#include "store/sites.h"
#include "store/store.h"
#include "sys/channel.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_HOSTS_MAX   65536
#define CORE_STREAMS_MAX 16384
#define CORE_CALLS_MAX   256
#define CORE_LATER       1 /* of a function: the password thread answers */

struct core_stream;

/* A host as core keeps it at hand; the store holds the same. */
struct core_host {
    struct id id;
    char *name;
    uint8_t key_sha256[32];
    char *via;        /* of a sender of logs: what its entries come by; NULL: an agent */
    int64_t enrolled; /* wall, ns; of a sender: when it was heard first */
    bool is_revoked;
    bool is_gone;          /* its row is taken away with the open transaction */
    int64_t cut;           /* monotonic; when it was revoked in this life of core, 0: not */
    bool is_dirty;         /* pending is ahead of acknowledged */
    uint64_t acknowledged; /* highest sequence that is durable */
    uint64_t pending;      /* the same with the open transaction */
    int64_t seen;          /* wall, ns; of anything it said */
    int64_t deaf;          /* wall, ns; it was away until then, 0: never */
    unsigned sources;      /* of logs, that core/source.c counts */
    int64_t clock_offset;
    uint64_t silent_alert; /* number of the open alert about its silence, 0: none */
    uint64_t refused;      /* records that could not be understood */
    uint64_t poison;       /* sequence of a record that the store would not take */
    unsigned poisons;
    struct core_stream *stream; /* NULL: not connected */
    struct list dirty_node;
};

/* One agent's plain stream from front. */
struct core_stream {
    struct list node;
    struct core *core;
    struct core_host *host; /* NULL: enrolment */
    struct link_server *server;
    struct loop_source *source;
    int fd;
    bool is_ending; /* closes when its output is out */
    bool is_open;   /* HELLO was said */
    bool is_enrolment;
    int64_t heard; /* monotonic */
    int64_t begun; /* the same */
};

#define CORE_SOURCE_FETCH 3 /* of channel_sources */

/* What core remembers of the website watch. */
struct core_watch {
    int64_t heard;        /* monotonic; of anything fetch said, 0: nothing yet */
    int64_t turned;       /* wall; so far it was looked whether a deploy window turned */
    bool is_stale;        /* fetch must ask for its sites anew and has not been told yet */
    bool is_holding;      /* "ours" was said somewhere and waits to be learned */
    bool has_looked;      /* since screens were told */
    bool is_waiting;      /* for room in fetch's channel, before more of it is taken */
    struct id silence;    /* the finding that fetch says nothing, or none */
    struct id no_network; /* that our own network is down, or none */
};

struct core_options {
    struct loop *loop;
    struct store *store;
    struct archive *archive;
    struct authority *authority;
    const struct clock *clock;
    struct core_channels channels;
    const char *folder;   /* whose disk is watched */
    int64_t silent_after; /* ns */
    int64_t source_silent;
    int64_t log_ahead; /* ns; see settings */
    int64_t log_behind;
    int64_t sender_keep; /* ns */
    int64_t token_life;
    int64_t event_life;                     /* ns; 0: keep for ever */
    const struct centre_settings *settings; /* whence those above; NULL: they are not changed */
};

#define READ_SAID_MAX 1400 /* bytes: who, and what he looked for */

/* Searches that are in the audit log, the last ones. */
struct core_reads {
    struct core_read {
        int64_t time; /* monotonic */
        size_t len;
        char said[READ_SAID_MAX];
    } list[16];
    unsigned next;
};

struct core {
    struct core_options options;
    struct overlay overlay; /* its base is NULL when the options have no settings */
    struct arena *arena;    /* of the record or the tick in hand */

    uint64_t seed; /* of maps */
    struct map hosts_by_key;
    struct map hosts_by_id;
    struct list streams;
    unsigned stream_count;

    bool is_batch; /* a transaction is open */
    size_t batch_records;
    size_t batch_bytes;
    struct list dirty;           /* hosts with pending acknowledgements */
    struct store_counts counted; /* since the last commit */
    uint32_t changed;            /* enum centre_changed since the api was told */
    struct loop_source *commit_timer;
    struct loop_source *tick_timer;
    struct loop_source *channel_sources[6];
    struct core_watch watch;
    struct core_detect *detect;   /* core/detect.h; NULL in a test without a detector */
    struct core_sources *sources; /* core/source.h */
    struct core_receive *receive; /* core/receive.h; NULL in a test without a receiver */
    unsigned ticks;
    bool is_full;
    bool is_holding; /* an action waits for the end of its time to be called off */
    int64_t started;
    int64_t begun;          /* the same, monotonic */
    int64_t expire_stepped; /* when the time to delete by was moved on after a leap; monotonic */
    bool is_leap_told;

    struct worker *worker;
    struct limiter pairs;     /* failures to log in: of a user from an address */
    struct limiter addresses; /* from an address, whoever */
    struct limiter users;     /* of a user, from wherever */
    struct list operators;
    struct list calls;
    unsigned call_count;
    struct core_reads reads;
};

[[nodiscard]] int core_new(const struct core_options *options, struct core **ret_core,
                           struct diag *diag);
void core_free(struct core *core);

/* core/host.c */
[[nodiscard]] int core_hosts_load(struct core *core);
[[nodiscard]] int core_host_add(struct core *core, const struct store_host *row,
                                struct core_host **ret_host);
struct core_host *core_host_by_id(const struct core *core, const struct id *id);
/* Forgets those that are gone, with their sources; or that they were to be, when it came to
 * nothing. No transaction is open. */
void core_hosts_sweep(struct core *core, bool is_durable);
void core_hosts_done(struct core *core);
/* Raises and closes what silence there is; expires actions; called on each tick. */
void core_hosts_watch(struct core *core);
/* The host spoke: closes the alert about its silence. */
void core_host_heard(struct core *core, struct core_host *host);
[[nodiscard]] int core_host_store(struct core *core, struct core_host *host);

/* core/stream.c */
void core_stream_accept(struct core *core, struct channel_packet *packet);
/* Says why and closes as soon as that is out. */
void core_stream_end(struct core_stream *stream, enum link_bye bye);
void core_stream_flush(struct core_stream *stream);
void core_stream_free(struct core_stream *stream);
void core_streams_end(struct core *core, enum link_bye bye);
/* Cuts who has said nothing for too long. */
void core_streams_watch(struct core *core);

/* core/ingest.c */
/* Opens the transaction that the next commit closes. */
[[nodiscard]] int core_batch_begin(struct core *core);
/* Makes everything since core_batch_begin durable, then acknowledges it. On failure nothing of it
 * stays and every agent is cut, to send it again. */
int core_batch_commit(struct core *core);
[[nodiscard]] int core_ingest(struct core *core, struct core_host *host, uint64_t sequence,
                              struct str record);
void core_fail(struct core *core, int error);
/* Failures of the store itself, as against those of one record: who sends nonsense must not cut the
 * others off. */
bool core_is_store_failure(int error);
/* Tells what the archive could not read. */
void core_archive_watch(struct core *core);
/* Looks whether a full disk has room again. */
void core_disk_watch(struct core *core);
void core_tell(struct core *core, uint32_t changed);
/* One alert of the centre's own about a host. */
[[nodiscard]] int core_raise(struct core *core, const struct id *host, enum severity severity,
                             const char *title, uint64_t *ret_number);

/* core/expire.c: deletes what is older than event_life; called once an hour. */
void core_expire(struct core *core);

/* core/action.c */
void core_actions_deliver(struct core *core, struct core_host *host);
/* Sends what was held long enough; called on each tick. */
void core_actions_release(struct core *core);
void core_actions_expire(struct core *core);

/* core/watch.c: the channel to fetch. */
void core_on_fetch(void *context, int fd, unsigned events);
/* Tells fetch to ask for its sites anew, now or as soon as there is room. */
void core_watch_renew(struct core *core);
/* Looks at a site, or at one page of it, at once. is_ours: what is seen then is learned. */
[[nodiscard]] int core_watch_look(struct core *core, uint64_t site, struct str url, bool is_ours);
/* Teaches what was called ours long enough ago; tells when fetch is silent. */
void core_watch_tick(struct core *core);
/* Drops what is too old or too much of evidence. */
void core_watch_expire(struct core *core);

/* core/check.c */
/* Takes one look into the store and raises what it stands for. passages, body: evidence, or empty.
 * -ERR_NOENT for a site that is no longer watched: nothing is written. */
struct core_seen {
    const struct site_check *check;
    struct str passages;
    struct str body;
};
[[nodiscard]] int core_check_take(struct core *core, const struct core_seen *seen);

/* core/import.c: adds what the list of the setting "sites" names and nobody has entered before.
 * What is wrong with it is logged by file and line. */
void core_sites_list(struct core *core, const char *file, struct str text);

/* core/picture.c */
struct core_picture {
    uint64_t site;
    struct str url;
    enum site_view view;
    int64_t time;
    struct str visual; /* visual_encode */
    struct str png;
};
/* Keeps and judges it. -ERR_NOENT when the page is not watched any more, -ERR_PROTO. */
[[nodiscard]] int core_picture_take(struct core *core, const struct core_picture *came,
                                    struct arena *arena);
/* Lets what the page was seen to look like count in a look at it. */
[[nodiscard]] int core_picture_weigh(struct core *core, struct arena *arena,
                                     struct site_check *check);

/* core/alarm.c */
/* A finding of the watch: raises it (an id of none is filled in), or brings it up to date. */
struct core_alarm {
    uint64_t site;
    struct str subject;
    uint64_t change;
    int64_t time;
    enum severity severity;
    const char *title;
    const struct site_check *check; /* whose reasons are told; NULL: none */
    bool is_over;                   /* all that its alert told of has passed by itself */
};
[[nodiscard]] int core_alarm_raise(struct core *core, const struct core_alarm *alarm, struct id *id,
                                   uint32_t *revision, uint64_t *ret_alert);
/* Tells what a look at a page of this site means, against the look before: fills look->alarm. */
[[nodiscard]] int core_alarm_page(struct core *core, const struct store_site *site,
                                  const struct site_check *check, struct store_look *look,
                                  uint64_t *ret_alert);
/* The same for what makes up the site: whether it can be reached, and its certificate. */
[[nodiscard]] int core_alarm_site(struct core *core, struct store_site *site,
                                  const struct site_check *check, const struct store_look *look);

/* core/setting.c: reads what people set in the console and lets it count. */
[[nodiscard]] int core_settings_apply(struct core *core);

/* core/enrol.c */
void core_enrol(struct core_stream *stream, const struct link_enrol *enrol);

/* core/request.c */
struct core_call;
typedef int core_then_fn(struct core_call *call, const struct worker_answer *answer);

/* One request under way. */
struct core_call {
    struct list node;
    struct core *core;
    const struct core_request *request; /* NULL: an operator's */
    int channel;                        /* where the reply goes; -1: nobody waits for it any more */
    uint64_t number;
    struct arena *arena;
    struct arguments arguments;
    struct account account; /* zeroed for ACCESS_OPEN */
    struct str actor;
    struct str address;
    struct str session;
    enum language language;
    struct diag diag;
    struct buf reply; /* CBOR */
    bool is_kept;     /* what was written stays although the answer is an error */
    bool is_setting;  /* settings are read anew after the commit */
    bool is_watch;    /* fetch asks anew after the commit */
    bool is_rules;    /* the detector is told after the commit */
    uint32_t changed; /* enum centre_changed */
    core_then_fn *then;
    void *state;               /* of the function, in the arena */
    void *kept;                /* the same, over a wait */
    struct core_host *deliver; /* has new actions */
};

typedef int core_request_fn(struct core_call *call);
struct core_request {
    const char *verb;
    enum access access;
    const struct argument *arguments;
    core_request_fn *function;
};

void core_request_receive(struct core *core, int channel, struct channel_packet *packet);
[[nodiscard]] int core_call_new(struct core *core, int channel, uint64_t number,
                                struct core_call **ret_call);
void core_call_free(struct core_call *call);
/* Runs function in a transaction of its own and replies, unless it says CORE_LATER. */
void core_call_run(struct core_call *call, core_request_fn *function);
/* Hands secrets to the password thread; then is called with its answer, in a transaction. Returns
 * CORE_LATER or an error. */
[[nodiscard]] int core_call_work(struct core_call *call, struct str password, struct str encoded,
                                 struct str fresh, core_then_fn *then);
void core_call_answer(void *context, void *job, const struct worker_answer *answer);
/* One audit row of the caller. detail: pairs of name and text, ended by NULL. */
[[nodiscard]] int core_call_audit(struct core_call *call, const char *act, struct str object, ...)
    __attribute__((sentinel));

/* core/operator.c */
void core_operators_done(struct core *core);
void core_operator_accept(struct core *core, struct channel_packet *packet);

/* Functions of requests.def. */
int core_session_open(struct core_call *call);
int core_session_close(struct core_call *call);
int core_session_touch(struct core_call *call);
int core_me_password(struct core_call *call);
int core_me_profile(struct core_call *call);
int core_me_totp_begin(struct core_call *call);
int core_me_totp_put(struct core_call *call);
int core_me_totp_drop(struct core_call *call);
int core_alert_take(struct core_call *call);
int core_alert_release(struct core_call *call);
int core_alert_close(struct core_call *call);
int core_alert_reopen(struct core_call *call);
int core_alert_act(struct core_call *call);
int core_alert_call_off(struct core_call *call);
int core_host_reinstate(struct core_call *call);
int core_host_revoke(struct core_call *call);
int core_token_create(struct core_call *call);
int core_sender_create(struct core_call *call);
int core_sender_revoke(struct core_call *call);
int core_sender_reinstate(struct core_call *call);
int core_sender_touch(struct core_call *call);
int core_user_create(struct core_call *call);
int core_user_change(struct core_call *call);
int core_setting_change(struct core_call *call);
int core_site_create(struct core_call *call);
int core_site_change(struct core_call *call);
int core_site_drop(struct core_call *call);
int core_site_restore(struct core_call *call);
int core_site_import(struct core_call *call);
int core_site_look(struct core_call *call);
int core_window_open(struct core_call *call);
int core_window_close(struct core_call *call);
int core_page_ours(struct core_call *call);
int core_page_incident(struct core_call *call);
int core_page_undecide(struct core_call *call);
int core_rule_put(struct core_call *call);
int core_rule_drop(struct core_call *call);
int core_rule_off(struct core_call *call);
int core_rule_on(struct core_call *call);
int core_rule_reload(struct core_call *call);
int core_filter_put(struct core_call *call);
int core_filter_drop(struct core_call *call);
int core_filter_restore(struct core_call *call);
int core_read_note(struct core_call *call);
int core_source_mute(struct core_call *call);
int core_source_unmute(struct core_call *call);
int core_health(struct core_call *call);

/* core/read.c */
int core_read_events(struct core_call *call);
int core_rule_try(struct core_call *call);

/* core/user.c: a new one-time password for a user, who is made an admin when there is none of that
 * name. */
[[nodiscard]] int core_user_reset(struct core_call *call, struct str name);
/* core/sender_token.c: a new token for a sender of logs, SENDER_TOKEN_SIZE bytes of text. */
[[nodiscard]] int core_sender_make(struct core_call *call, struct str name, char ret_text[],
                                   uint64_t *ret_number);
/* core/act.c */
[[nodiscard]] int core_host_cut(struct core_call *call, struct core_host *host, struct str reason);
[[nodiscard]] int core_token_make(struct core_call *call, struct str note, int64_t life,
                                  char ret_text[], int64_t *ret_expires);

#endif
