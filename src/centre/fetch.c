/* The fetch process: see centre/fetch.h. Its body, and the dispatch of what comes over its
 * channels.
 */
#include "centre/fetch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "centre/confine.h"
#include "centre/fetch/private.h"
#include "centre/protocol.h"
#include "cli/command.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define FETCH_AUTHORITIES_MAX (4U << 20)
#define FETCH_GETS_MAX        2048U
#define FETCH_OPEN_MAX        16384U /* connections kept for the next look */
#define FETCH_FILES_SPARE     2048U
#define FETCH_LEAST_INTERVAL  (10 * NS_PER_S)
#define FETCH_MOST_INTERVAL   (20 * NS_PER_S)
#define FETCH_CONNECT_TIME    (10 * NS_PER_S)
#define FETCH_WHOLE_TIME      (30 * NS_PER_S)
#define FETCH_LOOK_MORE       (15 * NS_PER_S) /* that a look may take beside one answer's time */
#define FETCH_RETRY           (5 * NS_PER_S)
#define FETCH_LOST            (15 * NS_PER_S) /* a question that core has not answered in so long */

static void fetch_on_core(void *context, int fd, unsigned events)
{
    struct fetch *fetch = context;

    if ((events & LOOP_WRITE) != 0) {
        fetch_outbox_flush(fetch);
    }
    if ((events & (LOOP_READ | LOOP_HANGUP)) == 0) {
        return;
    }
    if (channel_receive(fd, &fetch->packet) < 0) {
        if ((events & LOOP_HANGUP) != 0) {
            loop_stop(fetch->loop, 0); /* both ends of it live in the supervisor: it has gone */
        }
        return;
    }
    switch (fetch->packet.msg.type) {
    case CENTRE_MESSAGE_SITES:
        fetch_take_sites(fetch, &fetch->packet.msg);
        break;
    case CENTRE_MESSAGE_SITES_CHANGED:
        fetch_ask_sites(fetch);
        break;
    case CENTRE_MESSAGE_PROFILE:
        fetch_take_profile(fetch, &fetch->packet);
        break;
    case CENTRE_MESSAGE_LOOK:
        fetch_take_look(fetch, &fetch->packet.msg);
        break;
    default:
        break;
    }
    channel_packet_done(&fetch->packet);
}

static void fetch_on_supervisor(void *context, int fd, unsigned events)
{
    struct fetch *fetch = context;

    (void)events;
    if (channel_receive(fd, &fetch->packet) == -ERR_PIPE) {
        loop_stop(fetch->loop, 0);
        return;
    }
    channel_packet_done(&fetch->packet);
}

/* It holds nothing that is to be kept; to give back ten thousand connections one by one would take
 * seconds, for which the whole centre waits. */
static void fetch_on_signal(void *context, int signal)
{
    (void)context;
    (void)signal;
    _exit(EXIT_STATUS_CLEAN);
}

void fetch_end_hung(struct fetch *fetch, uint32_t which)
{
    log_warn("a process that sees pages hangs which=%u", which);
    if (fetch->channels.supervisor >= 0) {
        msg_begin(&fetch->msg, CENTRE_MESSAGE_HUNG);
        msg_put_u32(&fetch->msg, which);
        (void)!channel_send(fetch->channels.supervisor, &fetch->msg, NULL, 0);
    }
}

static void fetch_on_hung(void *context, size_t reader)
{
    fetch_end_hung(context, (uint32_t)reader);
}

/* Core may have died over a question. */
static void fetch_on_retry(void *context)
{
    struct fetch *fetch = context;

    if (fetch->is_asking && clock_mono(fetch->clock) - fetch->asked > FETCH_LOST) {
        fetch->is_asking = false;
        fetch_ask_sites(fetch);
    }
    fetch_looks_expire(fetch);
}

static int fetch_sandbox(const struct fetch_options *options, struct diag *diag)
{
    static const struct sandbox_path paths[] = {{"/etc/resolv.conf", SANDBOX_READ},
                                                {"/etc/hosts", SANDBOX_READ}};
    struct sandbox sandbox = {.user = options->user,
                              .paths = paths,
                              .calls =
                                  SANDBOX_CALLS_IO | SANDBOX_CALLS_NETWORK | SANDBOX_CALLS_LOOK};

    /* one that is missing needs no leave: the resolver passes it over as well */
    while (sandbox.path_count < ARRAY_LEN(paths) &&
           access(paths[sandbox.path_count].path, R_OK) == 0) {
        sandbox.path_count++;
    }
    return confine(&sandbox, diag);
}

/* As many connections may stand as there may be files. */
static unsigned fetch_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return FETCH_FILES_SPARE;
    }
    limit.rlim_cur = limit.rlim_max < FETCH_OPEN_MAX + 2 * FETCH_FILES_SPARE
                         ? limit.rlim_max
                         : FETCH_OPEN_MAX + 2 * FETCH_FILES_SPARE;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return (unsigned)limit.rlim_cur;
}

static int fetch_open(struct fetch *fetch, struct diag *diag)
{
    const struct fetch_options *options = &fetch->options;
    unsigned files = fetch_raise_files();
    unsigned room = files > 2 * FETCH_FILES_SPARE ? files - 2 * FETCH_FILES_SPARE : files / 4;
    int64_t whole = options->most_time != 0 ? options->most_time : FETCH_WHOLE_TIME;
    struct fetcher_options fetcher = {.clock = fetch->clock,
                                      .servers = options->servers,
                                      .authorities = options->authorities,
                                      .limit = room < FETCH_GETS_MAX ? room : FETCH_GETS_MAX,
                                      .connections = room < FETCH_OPEN_MAX ? room : FETCH_OPEN_MAX,
                                      .connect_time =
                                          whole < FETCH_CONNECT_TIME ? whole : FETCH_CONNECT_TIME,
                                      .whole_time = whole};
    int r = loop_new(files, &fetch->loop);

    fetcher.loop = fetch->loop;
    fetch->look_time = whole + FETCH_LOOK_MORE;
    if (r == 0) {
        r = fetcher_new(&fetcher, &fetch->fetcher, diag);
    }
    if (r == 0) {
        r = surveyor_new(fetch->loop, fetch->clock, options->servers, &fetch->surveyor, diag);
    }
    return r < 0 ? r : fetch_sandbox(options, diag);
}

static int fetch_listen(struct fetch *fetch)
{
    const struct fetch_channels *channels = &fetch->channels;
    struct loop_source *retry = NULL;
    int r = fd_set_nonblocking(channels->core, true);

    if (r == 0) {
        r = loop_add_fd(fetch->loop, channels->core, LOOP_READ, fetch_on_core, fetch,
                        &fetch->core_source);
    }
    if (r == 0 && channels->supervisor >= 0) {
        r = loop_add_fd(fetch->loop, channels->supervisor, LOOP_READ, fetch_on_supervisor, fetch,
                        &fetch->supervisor_source);
    }
    if (r == 0) {
        r = loop_add_signal(fetch->loop, SIGTERM, fetch_on_signal, NULL);
    }
    if (r == 0) {
        r = readers_new(fetch->loop, channels->readers, channels->reader_count, fetch_on_hung,
                        fetch, &fetch->readers);
    }
    if (r == 0) {
        r = fetch_rota_new(fetch, &fetch->rota);
    }
    if (r == 0) {
        r = fetch_paint_new(fetch, &fetch->paint);
    }
    if (r == 0) {
        r = loop_add_timer(fetch->loop, fetch_on_retry, fetch, &retry);
    }
    return r < 0 ? r : loop_source_set_timer(retry, FETCH_RETRY, FETCH_RETRY);
}

static int fetch_ready(struct fetch *fetch)
{
    if (fetch->channels.supervisor < 0) {
        return 0;
    }
    msg_begin(&fetch->msg, CENTRE_MESSAGE_READY);
    msg_put_str(&fetch->msg, STR("fetch"));
    return channel_send(fetch->channels.supervisor, &fetch->msg, NULL, 0);
}

static void fetch_done(struct fetch *fetch)
{
    readers_free(fetch->readers);
    if (fetch->rota != NULL) {
        fetch_sites_done(fetch);
    }
    fetch_paint_free(fetch->paint);
    fetch_rota_free(fetch->rota);
    surveyor_free(fetch->surveyor);
    fetcher_free(fetch->fetcher);
    fetch_outbox_done(fetch);
    loop_free(fetch->loop);
}

int fetch_run(const struct fetch_options *options, const struct fetch_channels *channels)
{
    static struct fetch fetch;
    struct diag diag = {0};
    int r;

    log_init("fetch", LOG_LEVEL_INFO);
    fetch.options = *options;
    fetch.channels = *channels;
    fetch.clock = &clock_real;
    if (fetch.options.most_interval == 0) {
        fetch.options.least_interval = FETCH_LEAST_INTERVAL;
        fetch.options.most_interval = FETCH_MOST_INTERVAL;
    }
    list_init(&fetch.outbox);
    list_init(&fetch.looks);
    r = getrandom(&fetch.seed, sizeof(fetch.seed), 0) == (ssize_t)sizeof(fetch.seed) ? 0 : -ERR_IO;
    prng_init(&fetch.prng, fetch.seed);
    map_init(&fetch.watches, FETCH_SITES_MAX, fetch.seed);
    if (r == 0) {
        r = fetch_open(&fetch, &diag);
    }
    if (r == 0) {
        r = fetch_listen(&fetch);
    }
    if (r == 0) {
        r = fetch_ready(&fetch);
    }
    if (r == 0) {
        fetch_ask_sites(&fetch);
        r = loop_run(fetch.loop);
    }
    if (r < 0) {
        log_error("fetch ends: %s", diag_text(&diag, r));
    }
    fetch_done(&fetch);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}

int fetch_run_centre(const struct centre_settings *settings, const struct fetch_channels *channels)
{
    CLEANUP(buf_done) struct buf authorities;
    struct fetch_options options = {.user = settings->is_user_kept ? NULL : settings->fetch_user,
                                    .servers = settings->name_servers};
    int r;

    buf_init(&authorities, FETCH_AUTHORITIES_MAX);
    r = settings->web_authorities != NULL
            ? file_read_all(AT_FDCWD, settings->web_authorities, &authorities)
            : 0;
    if (r < 0) { /* the watch goes on, and tells of certificates that nobody here trusts */
        log_error("certificate authorities cannot be read file=%s reason=%s",
                  settings->web_authorities, err_text(r));
    }
    options.authorities = r == 0 ? buf_str(&authorities) : STR("");
    return fetch_run(&options, channels);
}
