/* The fetcher on the loop: who waits, who runs, and one hop after another. Neighbours:
 * fetch/fetcher_transfer.c does a hop, dns.c finds where it goes. Invariants: a fetch that waits
 * for room is not timed; libcurl is never called from inside one of its own callbacks. */
#include "centre/fetch/fetcher.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/fetch/fetcher_inside.h"
#include "sys/fd.h"

#define PULSE       (100 * NS_PER_MS)
#define LATE        (700 * NS_PER_MS) /* as late as that, a time-out may be of our own making */
#define LATE_COUNTS (15 * NS_PER_S)
#define HOSTS_MAX   32768

static void fetcher_take_ends(struct fetcher *fetcher);
static void fetcher_start_waiting(struct fetcher *fetcher);

static void fetcher_on_socket(void *context, int fd, unsigned events)
{
    struct fetcher *fetcher = context;
    int running = 0;
    int mask = ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0) |
               ((events & LOOP_HANGUP) != 0 ? CURL_CSELECT_ERR : 0);

    (void)curl_multi_socket_action(fetcher->multi, fd, mask, &running);
    fetcher_take_ends(fetcher);
}

static void fetcher_on_timer(void *context)
{
    struct fetcher *fetcher = context;
    int running = 0;

    (void)curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    fetcher_take_ends(fetcher);
}

/* libcurl says what it waits for. */
static int fetcher_on_wants(CURL *easy, curl_socket_t fd, int what, void *context, void *data)
{
    struct fetcher *fetcher = context;
    struct loop_source *source = data;
    unsigned events = ((what & CURL_POLL_IN) != 0 ? (unsigned)LOOP_READ : 0) |
                      ((what & CURL_POLL_OUT) != 0 ? (unsigned)LOOP_WRITE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        loop_source_free(source);
        (void)curl_multi_assign(fetcher->multi, fd, NULL);
        return 0;
    }
    if (source != NULL) {
        return loop_source_set_events(source, events) < 0 ? -1 : 0;
    }
    if (loop_add_fd(fetcher->options.loop, fd, events, fetcher_on_socket, fetcher, &source) < 0) {
        return -1;
    }
    (void)curl_multi_assign(fetcher->multi, fd, source);
    return 0;
}

static int fetcher_on_delay(CURLM *multi, long delay_ms, void *context)
{
    struct fetcher *fetcher = context;
    int64_t delay = delay_ms < 0 ? 0 : delay_ms * NS_PER_MS + 1; /* 0 would disarm */

    (void)multi;
    return loop_source_set_timer(fetcher->timer, delay, 0) < 0 ? -1 : 0;
}

/* On a machine that is too busy, or was asleep, a site would seem slow that is not. */
static void fetcher_on_pulse(void *context)
{
    struct fetcher *fetcher = context;
    int64_t now = clock_mono(fetcher->options.clock);

    if (now - fetcher->pulse_due > LATE) {
        fetcher->late_at = now;
    }
    fetcher->pulse_due = now + PULSE;
    fetcher_start_waiting(fetcher);
}

static int fetcher_make(struct fetcher *fetcher, struct diag *diag)
{
    struct loop *loop = fetcher->options.loop;
    const struct dns_options dns = {.loop = loop,
                                    .clock = fetcher->options.clock,
                                    .servers = fetcher->options.servers,
                                    .host_limit = HOSTS_MAX};
    int r = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ERR_NOMEM;

    if (r == 0) {
        fetcher->multi = curl_multi_init();
        r = fetcher->multi != NULL ? fetcher_trust_load(fetcher, diag) : -ERR_NOMEM;
    }
    if (r == 0) {
        r = fetcher_brake_load();
    }
    if (r == 0) {
        r = unpacker_new(FETCHER_SIZE_MAX, &fetcher->unpacker);
    }
    if (r == 0) {
        r = dns_new(&dns, &fetcher->dns, diag);
    }
    if (r == 0) {
        r = loop_add_timer(loop, fetcher_on_timer, fetcher, &fetcher->timer);
    }
    if (r == 0) {
        r = loop_add_timer(loop, fetcher_on_pulse, fetcher, &fetcher->pulse);
    }
    return r < 0 ? r : loop_source_set_timer(fetcher->pulse, PULSE, PULSE);
}

int fetcher_new(const struct fetcher_options *options, struct fetcher **ret_fetcher,
                struct diag *diag)
{
    struct fetcher *fetcher = mem_alloc(1, sizeof(*fetcher));
    int r;

    if (fetcher == NULL) {
        return -ERR_NOMEM;
    }
    fetcher->options = *options;
    fetcher->pulse_due = clock_mono(options->clock) + PULSE;
    fetcher->late_at = -LATE_COUNTS;
    list_init(&fetcher->waiting);
    list_init(&fetcher->active);
    r = fetcher_make(fetcher, diag);
    if (r < 0) {
        fetcher_free(fetcher);
        return r;
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, fetcher_on_wants);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, fetcher_on_delay);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)options->connections);
    curl_multi_setopt(fetcher->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    *ret_fetcher = fetcher;
    return 0;
}

static void fetcher_get_free(struct fetcher_get *get)
{
    struct fetcher *fetcher = get->fetcher;

    dns_cancel(get->wait);
    if (get->is_added) {
        (void)curl_multi_remove_handle(fetcher->multi, get->easy);
    }
    fetcher_transfer_done(get);
    closep(&get->doubtful.body_fd);
    if (get->easy != NULL && fetcher->spare_count < FETCHER_SPARE_MAX) {
        curl_easy_reset(get->easy);
        fetcher->spare[fetcher->spare_count++] = get->easy;
    } else {
        curl_easy_cleanup(get->easy);
    }
    list_remove(&get->node);
    mem_free(get);
}

void fetcher_free(struct fetcher *fetcher)
{
    if (fetcher == NULL) {
        return;
    }
    LIST_EACH (node, &fetcher->active) {
        fetcher_get_free(LIST_ENTRY(node, struct fetcher_get, node));
    }
    LIST_EACH (node, &fetcher->waiting) {
        fetcher_get_free(LIST_ENTRY(node, struct fetcher_get, node));
    }
    while (fetcher->spare_count != 0) {
        curl_easy_cleanup(fetcher->spare[--fetcher->spare_count]);
    }
    dns_free(fetcher->dns);
    curl_multi_cleanup(fetcher->multi);
    X509_STORE_free(fetcher->trusted);
    unpacker_free(fetcher->unpacker);
    loop_source_free(fetcher->timer);
    loop_source_free(fetcher->pulse);
    curl_global_cleanup();
    mem_free(fetcher);
}

/* Browsers speak HTTP/2: HTTP/1.1 has the last word on where that page ends, not on what it is. Who
 * does not speak HTTP/1.1, refuses to or shows another page there has said over HTTP/2 all that he
 * will; who breaks off there too was heard over neither. */
static void fetcher_settle_doubt(struct fetcher_get *get)
{
    struct fetcher_answer *answer = &get->answer;
    bool is_good = (answer->status != 0 && answer->status < 400) || answer->status == 404;
    bool is_heard = answer->status == get->doubtful.status;

    if (get->doubtful.status == 0) {
        answer->facts |= get->is_plain && is_good ? (unsigned)FETCHER_FACT_PLAIN : 0;
    } else if (is_heard && answer->failure != SITE_FAILURE_NONE) {
        return;
    } else if (is_heard && get->is_rest_known) {
        answer->facts |= FETCHER_FACT_PLAIN;
    } else {
        closep(&answer->body_fd);
        *answer = get->doubtful;
        get->doubtful.body_fd = -1;
    }
}

/* Tells, and is gone. */
static void fetcher_tell(struct fetcher_get *get)
{
    struct fetcher *fetcher = get->fetcher;
    struct fetcher_answer *answer = &get->answer;
    int64_t now = clock_mono(fetcher->options.clock);

    fetcher_settle_doubt(get);
    if (answer->failure == SITE_FAILURE_TIMEOUT && now - fetcher->late_at < LATE_COUNTS) {
        answer->facts |= FETCHER_FACT_OURS;
    }
    if (answer->url_final.ptr == NULL) {
        answer->url_final = str_from(get->url);
    }
    fetcher->active_count--;
    get->done(get->context, answer);
    fetcher_get_free(get);
}

static void fetcher_fail(struct fetcher_get *get, enum site_failure failure, const char *why)
{
    struct fetcher *fetcher = get->fetcher;

    get->answer.failure = get->refusal != SITE_FAILURE_NONE ? get->refusal : failure;
    get->answer.why = why;
    get->answer.timing.done = clock_mono(fetcher->options.clock) - get->started;
    fetcher_tell(get);
}

static void fetcher_take_alias(struct fetcher_get *get, const struct dns_answer *answer)
{
    if (get->hops == 0 && answer->alias[0] != '\0' &&
        !url_is_same_site(url_host(str_from(get->url)), str_from(answer->alias))) {
        (void)snprintf(get->alias, sizeof(get->alias), "%s", answer->alias);
        get->answer.alias = str_from(get->alias);
    }
}

static void fetcher_on_resolved(void *context, const struct dns_answer *answer)
{
    struct fetcher_get *get = context;
    struct fetcher *fetcher = get->fetcher;
    int r;

    get->wait = NULL;
    get->resolved = clock_mono(fetcher->options.clock) - get->hop_time;
    if (answer->error != 0) {
        fetcher_fail(get,
                     answer->error == -ERR_NOMEM ? SITE_FAILURE_OWN_NETWORK : SITE_FAILURE_NAME,
                     answer->error == -ERR_NOENT ? "" : err_text(answer->error));
        return;
    }
    fetcher_take_alias(get, answer);
    r = fetcher_transfer_begin(get, answer);
    if (r == 0 && curl_multi_add_handle(fetcher->multi, get->easy) != CURLM_OK) {
        r = -ERR_NOMEM;
    }
    get->is_added = r == 0;
    if (r < 0) {
        fetcher_fail(get, SITE_FAILURE_OWN_NETWORK, err_text(r));
    }
}

static void fetcher_hop(struct fetcher_get *get)
{
    int r;

    get->hop_time = clock_mono(get->fetcher->options.clock);
    r = dns_resolve(get->fetcher->dns, url_host(str_from(get->url)), fetcher_on_resolved, get,
                    &get->wait);
    if (r < 0) {
        fetcher_fail(get, SITE_FAILURE_OWN_NETWORK, err_text(r));
    }
}

/* The handle is as new, for another request of the same fetch. */
static void fetcher_rehop(struct fetcher_get *get)
{
    (void)curl_multi_remove_handle(get->fetcher->multi, get->easy);
    get->is_added = false;
    fetcher_transfer_done(get);
    curl_easy_reset(get->easy);
    fetcher_hop(get);
}

/* Whether the answer led on and is followed; not from a page that had come already. */
static bool fetcher_follow(struct fetcher_get *get)
{
    static char where[SITE_URL_MAX + 1];
    struct fetcher_answer *answer = &get->answer;
    struct str from = str_from(get->url);

    if (get->doubtful.status != 0 || answer->failure != SITE_FAILURE_NONE ||
        !fetcher_transfer_redirect(get, where)) {
        return false;
    }
    if (str_has_prefix(from, STR("https:")) && str_has_prefix(str_from(where), STR("http:"))) {
        answer->facts |= FETCHER_FACT_DOWNGRADED;
    }
    if (!url_is_same_site(url_host(from), url_host(str_from(where)))) {
        answer->facts |= FETCHER_FACT_ELSEWHERE;
        answer->url_final = str_from(where);
        return false;
    }
    if (get->hops == FETCHER_HOPS_MAX) {
        answer->failure = SITE_FAILURE_REDIRECTS;
        return false;
    }
    (void)snprintf(get->url, sizeof(get->url), "%s", where);
    get->etag[0] = '\0'; /* they were said of another page */
    get->modified = 0;
    get->hops++;
    fetcher_rehop(get);
    return true;
}

/* Whether it is asked again over HTTP/1.1, where a body says its own end: for all of it, whatever
 * its tag says. */
static bool fetcher_ask_again(struct fetcher_get *get)
{
    if (get->is_plain || !fetcher_transfer_is_unsure(get)) {
        return false;
    }
    get->is_plain = true;
    get->doubtful = get->answer;
    (void)snprintf(get->doubtful_charset, sizeof(get->doubtful_charset), "%.*s",
                   STR_ARG(get->answer.charset));
    get->doubtful.charset = str_from(get->doubtful_charset); /* the buffers are used again */
    get->doubtful.etag = STR(""); /* nor is half a page to be called unchanged */
    get->doubtful.modified = 0;
    get->doubtful.why = "";
    get->answer.body_fd = -1;
    get->answer.status = 0;
    get->etag[0] = '\0';
    get->modified = 0;
    fetcher_rehop(get);
    return true;
}

static void fetcher_take_ends(struct fetcher *fetcher)
{
    struct CURLMsg *msg;
    int left = 0;

    while ((msg = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        struct fetcher_get *get = NULL;

        if (msg->msg != CURLMSG_DONE ||
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &get) != CURLE_OK) {
            continue;
        }
        fetcher_transfer_end(get, msg->data.result);
        if (!fetcher_follow(get) && !fetcher_ask_again(get)) {
            fetcher_tell(get);
        }
    }
    fetcher_start_waiting(fetcher);
}

static void fetcher_start_waiting(struct fetcher *fetcher)
{
    while (fetcher->active_count < fetcher->options.limit && !list_is_empty(&fetcher->waiting)) {
        struct fetcher_get *get = LIST_ENTRY(fetcher->waiting.next, struct fetcher_get, node);

        list_remove(&get->node);
        list_append(&fetcher->active, &get->node);
        fetcher->waiting_count--;
        fetcher->active_count++;
        get->is_active = true;
        get->started = clock_mono(fetcher->options.clock);
        fetcher_hop(get);
    }
}

int fetcher_get(struct fetcher *fetcher, const struct fetcher_request *request,
                fetcher_done_fn *done, void *context, struct fetcher_get **ret_get)
{
    struct fetcher_get *get = mem_alloc(1, sizeof(*get));

    if (get == NULL || request->url.len > SITE_URL_MAX || request->etag.len > FETCHER_ETAG_MAX) {
        mem_free(get);
        return get == NULL ? -ERR_NOMEM : -ERR_LIMIT;
    }
    *get = (struct fetcher_get){.fetcher = fetcher,
                                .done = done,
                                .context = context,
                                .view = request->view,
                                .is_fresh = request->is_fresh,
                                .is_plain = request->is_plain,
                                .is_private_own = request->is_private_own,
                                .is_private_barred = request->is_private_barred,
                                .modified = request->modified,
                                .answer = {.body_fd = -1, .why = ""},
                                .doubtful = {.body_fd = -1}};
    memcpy(get->url, request->url.ptr, request->url.len);
    memcpy(get->etag, request->etag.ptr, request->etag.len);
    get->easy =
        fetcher->spare_count != 0 ? fetcher->spare[--fetcher->spare_count] : curl_easy_init();
    list_append(&fetcher->waiting, &get->node);
    fetcher->waiting_count++;
    if (get->easy == NULL) {
        fetcher_cancel(get);
        return -ERR_NOMEM;
    }
    *ret_get = get;
    return loop_source_set_timer(fetcher->pulse, 1, PULSE); /* not from inside this call */
}

void fetcher_cancel(struct fetcher_get *get)
{
    if (get == NULL) {
        return;
    }
    if (get->is_active) {
        get->fetcher->active_count--;
    } else {
        get->fetcher->waiting_count--;
    }
    fetcher_get_free(get);
}

bool fetcher_is_resolving(const struct fetcher_get *get)
{
    return get != NULL && get->wait != NULL;
}

bool fetcher_is_ours(const struct fetcher *fetcher, const struct fetcher_get *get)
{
    return (get != NULL && !get->is_active) ||
           clock_mono(fetcher->options.clock) - fetcher->late_at < LATE_COUNTS;
}

unsigned fetcher_active(const struct fetcher *fetcher)
{
    return fetcher->active_count;
}

unsigned fetcher_waiting(const struct fetcher *fetcher)
{
    return fetcher->waiting_count;
}
