/* The inside of the api process, shared by the files of api/ only. One loop, one thread:
 * libmicrohttpd runs inside it through its epoll descriptor and never listens. */
#ifndef CENTRE_API_INSIDE_H
#define CENTRE_API_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/account.h"
#include "centre/api.h"
#include "centre/argument.h"
#include "centre/assets.h"
#include "centre/core/receive.h"
#include "centre/detector.h"
#include "centre/limiter.h"
#include "centre/overlay.h"
#include "centre/problem.h"
#include "centre/protocol.h"
#include "centre/route.h"
#include "centre/searcher.h"
#include "codec/json.h"
#include "store/sites.h"
#include "store/store.h"
#include "sys/channel.h"
#include "sys/loop.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_CONNECTIONS_MAX 2048
#define API_WORDS_MAX       4096 /* more than connections, so that none is lost unsaid */
#define API_STREAMS_MAX     512
#define API_STREAMS_EACH    16 /* of one user */
#define API_ASKS_MAX        64 /* questions to core under way */
#define API_BODY_MAX        (64U << 10)
#define API_ADDRESS_MAX     64

/* Built once and compared by a test, byte for byte. */
#define API_CSP                                                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "   \
    "connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "               \
    "frame-ancestors 'none'"
#define API_COOKIE "__Host-canhgac"

struct api_options {
    struct loop *loop;
    struct store *store; /* read-only */
    const struct clock *clock;
    struct api_channels channels;
    const char *folder; /* where the archive is; NULL: none */
    const struct asset *assets;
    const struct centre_settings *settings; /* NULL in tests that have none */
    enum language language;                 /* before log-in, when the browser says nothing */
    int64_t silent_after;
};

enum api_stage {
    API_STAGE_RECEIVING, /* the body comes */
    API_STAGE_ASKING,    /* suspended until core answers */
    API_STAGE_ANSWERED,
};

/* One request of one browser. */
struct api_request {
    struct api *api;
    struct MHD_Connection *connection;
    enum api_stage stage;
    enum method method;
    bool is_method_known;
    bool is_too_large;
    size_t skipped; /* bytes of a body that is too long */
    struct arena *arena;
    struct buf body;
    struct str path;
    struct str address;
    enum language language;
    const struct route *route;
    struct arguments arguments;
    struct str secret;      /* of the session, 32 bytes, or empty */
    struct account account; /* when is_known */
    bool is_known;
    struct diag diag;

    uint64_t ask;      /* number of the question to core */
    int64_t ask_until; /* monotonic */
    struct list ask_node;
    bool is_replied;
    bool is_searched; /* reply is what the searcher found */
    int result;       /* core's */
    struct str reply; /* core's, CBOR, in the arena */

    struct api_post *post; /* entries of logs that come; NULL: it is none */

    struct buf out;
    struct json_writer json;       /* writes into out */
    unsigned status;               /* 200 when left alone */
    const char *type;              /* application/json when left alone */
    char cookie[160];              /* Set-Cookie, or "" */
    unsigned retry_after;          /* s, for a refusal; 0: says nothing */
    struct MHD_Response *response; /* a handler's own, in place of out */
};

struct api_stream;

/* What all streams share: how far the store was read, and who listens. */
struct api_hub {
    struct list streams;
    unsigned count;
    uint64_t cursor;    /* of alert changes */
    struct buf message; /* of one language */
    struct arena *arena;
    uint32_t hints; /* enum centre_changed, not yet told */
    int64_t hinted; /* monotonic */
};

struct api_counters {
    uint64_t requests[6]; /* by the first digit of the status */
    uint64_t asks;
    uint64_t late_asks;
    uint64_t stream_messages;
};

/* What the receiver is to hear of what became of a post (centre/receiver.h). */
struct api_word {
    enum receiver_message type; /* LEFT or TOLD */
    uint64_t number;
    uint64_t kept; /* by which core keeps it; 0: it does not */
};

/* The last ones, in a ring. */
struct api_words {
    struct api_word of[API_WORDS_MAX];
    uint64_t count;    /* so many there were … */
    uint64_t said;     /* … and so many have been said */
    bool is_begin_due; /* before them: that all which went before is left */
};

struct api {
    struct api_options options;
    struct overlay overlay; /* its base is NULL when the options have no settings */
    struct MHD_Daemon *daemon;
    struct loop_source *http_source;
    struct loop_source *http_timer;
    struct loop_source *tick_timer;
    struct loop_source *channel_sources[4];
    bool is_serving; /* inside MHD_run: do not enter it again */
    unsigned ticks;
    struct list asks;
    unsigned ask_count;
    uint64_t next_ask;
    struct list posts; /* under way */
    uint64_t next_post;
    struct api_words words;    /* to the receiver */
    bool is_receiver_full;     /* its channel takes no more for now */
    struct limiter senders;    /* wrong tokens, by address */
    int64_t sender_told;       /* wall; a wrong token was logged last */
    struct searcher *searcher; /* NULL in tests that have no archive */
    uint64_t health_ask;
    struct detector_counts logs;         /* as core said last */
    struct core_receive_counts received; /* the same */
    int64_t core_heard;                  /* monotonic; 0 never */
    bool is_full;                        /* core's disk */
    struct store_counts counts;          /* as of counted */
    int64_t counted;                     /* monotonic; 0 never */
    struct api_hub hub;
    struct api_counters counters;
};

[[nodiscard]] int api_new(const struct api_options *options, struct api **ret_api,
                          struct diag *diag);
void api_free(struct api *api);
/* Runs libmicrohttpd once and sets its timer; call after anything that may have woken a connection.
 */
void api_serve(struct api *api);

/* api/http.c */
/* Both have the shape that libmicrohttpd gives them. */
enum MHD_Result api_on_access(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **slot);
void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode code);

/* Whether it is a program that proves itself with a header. */
bool api_has_authorization(const struct api_request *request);

/* api/reply.c */
enum MHD_Result api_reply(struct api_request *request);
enum MHD_Result api_refuse(struct api_request *request, enum problem problem, const char *detail);
enum MHD_Result api_refuse_method(struct api_request *request, unsigned allowed);
/* Headers that every answer carries. */
void api_add_headers(struct MHD_Response *response);
enum MHD_Result api_queue(struct api_request *request, unsigned status,
                          struct MHD_Response *response);

/* api/asset.c */
enum MHD_Result api_asset(struct api_request *request);

/* api/session.c */
/* The session that the cookie names and its user; nothing when there is none. */
[[nodiscard]] int api_identify(struct api_request *request);
/* Has core do what nobody waits for. */
void api_tell(struct api_request *request, const char *verb, struct str body);
/* Whether a write comes from our own pages: the custom header, and Origin where the browser sends
 * one. */
bool api_is_own_origin(struct api_request *request);
enum language api_choose_language(const char *accept, enum language fallback);
bool api_is_local(struct str address);

/* Members that a user sees of himself and an admin of everybody. */
void api_put_person(struct json_writer *json, const struct store_user *user);

/* The refusal that core's answer stands for; notes how long to wait. */
enum problem api_core_problem(struct api_request *request, int error);

/* api/ask.c */
/* Asks core and suspends the connection. body: CBOR. */
[[nodiscard]] int api_ask(struct api_request *request, const char *verb, struct str body);
void api_ask_forget(struct api_request *request);
/* Suspends the connection until api_wake, which has it answered by its handler once more. */
void api_wait(struct api_request *request);
void api_wake(struct api_request *request, int result);
void api_asks_watch(struct api *api);
void api_health_ask(struct api *api);
void api_on_core(void *context, int fd, unsigned events);

#define API_LATER 1 /* of a handler: it waits, and is called again */

/* api/search.c: takes what the searcher found. */
void api_take_found(void *context, void *job, const struct searcher_answer *answer);

/* api/post.c */
struct api_post;
/* Whether it is a shipper that posts entries of logs, or looks whether it may: what is asked of
 * routes with ACCESS_SENDER, and "/" with a token. */
bool api_is_post(struct api_request *request);
/* Takes the place of api_on_access's later calls. */
enum MHD_Result api_post_begin(struct api_request *request);
enum MHD_Result api_post_go_on(struct api_request *request, const char *upload,
                               size_t *upload_size);
/* has_answer: whoever posted has it. */
void api_post_forget(struct api_request *request, bool has_answer);
/* The receiver hears that nobody waits for what an api before this one had under way. */
void api_posts_begin(struct api *api);
/* api/post_channel.c: what the receiver says. */
void api_on_receiver(void *context, int fd, unsigned events);
/* Called on each tick. */
void api_posts_watch(struct api *api);
/* Lets all connections go on that wait, so that the daemon may end them. */
void api_posts_done(struct api *api);

/* api/stream.c */
[[nodiscard]] int api_hub_start(struct api *api);
void api_hub_done(struct api *api);
void api_hub_changed(struct api *api, uint32_t changed);
void api_hub_tick(struct api *api);

/* api/members.c */
void api_put_time(struct json_writer *json, const char *key, int64_t wall); /* null for 0 */
void api_put_id(struct json_writer *json, const char *key, const struct id *id);
void api_open_items(struct json_writer *json);
void api_close_items(struct json_writer *json);
/* Ends a list that comes in pages. next: the cursor of the page behind it; 0 or empty: none is. */
void api_close_page(struct json_writer *json, uint64_t next);
void api_close_page_str(struct json_writer *json, struct str next);

/* api/alert.c */
void api_put_alert(struct json_writer *json, const struct store_alert *alert, struct arena *arena);
/* api/setting.c: lets what people set in the console count here too. */
[[nodiscard]] int api_settings_apply(struct api *api);
/* api/host.c */
/* The store's counts, a second old at most: hundreds of screens ask for them at the same moment. */
[[nodiscard]] int api_read_counts(struct api *api, struct store_counts *ret_counts);
bool api_host_is_silent(const struct api *api, const struct store_host *host);

/* Handlers of routes.def, each in the file that its name begins with. */
int api_login(struct api_request *request);
int api_logout(struct api_request *request);
int api_me(struct api_request *request);
int api_forward(struct api_request *request);
int api_overview(struct api_request *request);
int api_alert_list(struct api_request *request);
int api_alert_get(struct api_request *request);
int api_alert_after(struct api_request *request);
int api_action_list(struct api_request *request);
int api_host_list(struct api_request *request);
int api_host_get(struct api_request *request);
int api_source_list(struct api_request *request);
int api_source_host(struct api_request *request);
int api_source_account(struct api_request *request);
int api_site_list(struct api_request *request);
int api_unit_list(struct api_request *request);
int api_site_get(struct api_request *request);
int api_change_list(struct api_request *request);
int api_change_get(struct api_request *request);
int api_picture_list(struct api_request *request);
int api_picture_alerts(struct api_request *request);
int api_picture_get(struct api_request *request);
int api_token_list(struct api_request *request);
int api_post_events(struct api_request *request);
int api_post_bulk(struct api_request *request);
int api_post_collector(struct api_request *request);
int api_post_raw(struct api_request *request);
int api_collector_health(struct api_request *request);
int api_sender_list(struct api_request *request);
int api_user_list(struct api_request *request);
int api_audit_list(struct api_request *request);
int api_settings(struct api_request *request);
int api_rule_list(struct api_request *request);
int api_rule_get(struct api_request *request);
int api_rule_report(struct api_request *request);
int api_filter_list(struct api_request *request);
int api_document_get(struct api_request *request);
int api_event_search(struct api_request *request);
int api_rule_draft(struct api_request *request);
int api_stream(struct api_request *request);
int api_metrics(struct api_request *request);
int api_healthz(struct api_request *request);

#endif
