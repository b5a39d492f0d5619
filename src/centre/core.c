/* The body of the core process, the only writer of the store: it reads the authority's key, gives
 * up every other right, opens store and archive, and serves agents' streams and the api's requests
 * on one loop. Neighbours: centre/supervisor.c forks it, centre/front.c passes agents on,
 * centre/api.c asks; core/service.c is what runs on the loop. */
#include "centre/core.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/confine.h"
#include "centre/core/private.h"
#include "cli/command.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <signal.h>

#define CORE_SOURCES_SPARE  64
#define CORE_SITES_SIZE_MAX (16U << 20) /* bytes of the list of sites */

/* What the process holds, in the order in which it is opened. */
struct core_body {
    struct loop *loop;
    struct store *store;
    struct archive *archive;
    struct authority *authority;
    struct core *core;
    struct arena *arena;
};

static void core_body_done(struct core_body *body)
{
    core_free(body->core);
    authority_free(body->authority);
    archive_close(body->archive);
    store_close(body->store);
    loop_free(body->loop);
    arena_free(body->arena);
}

static void core_on_signal(void *context, int signal)
{
    (void)signal;
    loop_stop(context, 0);
}

static int core_body_sandbox(const struct centre_settings *settings, struct diag *diag)
{
    const struct sandbox_path paths[] = {{settings->folder, SANDBOX_WRITE}};
    const struct sandbox sandbox = {
        .user = settings->is_user_kept ? NULL : settings->core_user,
        .paths = paths,
        .path_count = 1,
        .file_limit = CORE_STREAMS_MAX + CORE_SOURCES_SPARE,
        .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES | SANDBOX_CALLS_THREADS,
    };

    return confine(&sandbox, diag);
}

/* Whether there is a list. One that cannot be read keeps nobody from being watched who is known. */
static bool core_body_read_sites(const char *file, struct buf *text)
{
    int r = file != NULL ? file_read_all(AT_FDCWD, file, text) : -ERR_NOENT;

    if (r < 0 && file != NULL) {
        log_error(_("the list of sites %s cannot be read: %s"), file, err_text(r));
    }
    return r == 0;
}

/* The authority's key and the list of sites are read with the supervisor's rights; everything that
 * is written or parsed, after they are gone, so that it belongs to core. */
static int core_body_open(const struct centre_settings *settings, struct core_channels channels,
                          struct core_body *body, struct diag *diag)
{
    struct core_options options = {.channels = channels,
                                   .folder = settings->folder,
                                   .clock = &clock_real,
                                   .silent_after = settings->silent_after,
                                   .source_silent = settings->source_silent,
                                   .log_ahead = settings->log_ahead,
                                   .log_behind = settings->log_behind,
                                   .sender_keep = settings->sender_keep,
                                   .token_life = settings->token_life,
                                   .event_life = settings->event_days,
                                   .settings = settings};
    CLEANUP(buf_done) struct buf sites;
    bool has_sites = false;
    int r = arena_new(1U << 20, &body->arena);

    buf_init(&sites, CORE_SITES_SIZE_MAX);
    if (r == 0) {
        r = authority_load(centre_path(settings, body->arena, CENTRE_CA_CERT),
                           centre_path(settings, body->arena, CENTRE_CA_KEY), &body->authority,
                           diag);
    }
    if (r == 0) {
        has_sites = core_body_read_sites(settings->sites, &sites);
        r = core_body_sandbox(settings, diag);
    }
    if (r == 0) {
        r = store_open(&(struct store_options){.folder = settings->folder, .clock = &clock_real},
                       &body->store, diag);
    }
    if (r == 0) {
        r = archive_open(
            &(struct archive_options){.folder = settings->folder, .clock = &clock_real},
            &body->archive, diag);
    }
    if (r == 0) {
        r = loop_new(CORE_STREAMS_MAX + CORE_SOURCES_SPARE, &body->loop);
    }
    if (r == 0) {
        r = loop_add_signal(body->loop, SIGTERM, core_on_signal, body->loop);
    }
    options.loop = body->loop;
    options.store = body->store;
    options.archive = body->archive;
    options.authority = body->authority;
    r = r < 0 ? r : core_new(&options, &body->core, diag);
    if (r == 0 && has_sites) {
        core_sites_list(body->core, settings->sites, buf_str(&sites));
    }
    return r;
}

static int core_body_ready(int supervisor)
{
    static struct msg_writer msg;

    msg_begin(&msg, CENTRE_MESSAGE_READY);
    msg_put_str(&msg, STR("core"));
    return channel_send(supervisor, &msg, NULL, 0);
}

int core_run(const struct centre_settings *settings, struct core_channels channels)
{
    struct core_body body = {0};
    struct diag diag = {0};
    int r;

    log_init("core", LOG_LEVEL_INFO);
    r = core_body_open(settings, channels, &body, &diag);
    if (r == 0) {
        r = core_body_ready(channels.supervisor);
    }
    if (r == 0) {
        r = loop_run(body.loop);
    }
    if (r < 0) {
        log_error("core ends: %s", diag_text(&diag, r));
    }
    core_body_done(&body);
    return centre_exit_of(r);
}
