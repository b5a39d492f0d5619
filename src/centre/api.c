/* The body of the api process: opens the store read-only, gives up everything else, serves. It
 * parses what browsers send and therefore holds no key, no network and no right to write.
 * Neighbours: centre/supervisor.c forks it, centre/front.c passes browsers on, centre/core.c writes
 * for it. */
#include "centre/api.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "centre/api/private.h"
#include "centre/confine.h"
#include "cli/command.h"

#include <signal.h>

#define API_FILES_SPARE 64

/* What the process holds, in the order in which it is opened. */
struct api_body {
    struct loop *loop;
    struct store *store;
    struct api *api;
};

static void api_body_done(struct api_body *body)
{
    api_free(body->api);
    store_close(body->store);
    loop_free(body->loop);
}

static void api_on_signal(void *context, int signal)
{
    (void)signal;
    loop_stop(context, 0);
}

/* Reading is enough: the writer keeps the -wal and -shm files beside the database for readers. */
static int api_body_sandbox(const struct centre_settings *settings, struct diag *diag)
{
    const struct sandbox_path paths[] = {{settings->folder, SANDBOX_READ}};
    const struct sandbox sandbox = {
        .user = settings->is_user_kept ? NULL : settings->api_user,
        .paths = paths,
        .path_count = 1,
        .file_limit = API_CONNECTIONS_MAX + API_FILES_SPARE,
        .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES | SANDBOX_CALLS_THREADS,
    };

    return confine(&sandbox, diag);
}

static int api_body_open(const struct centre_settings *settings, struct api_channels channels,
                         struct api_body *body, struct diag *diag)
{
    struct api_options options = {.clock = &clock_real,
                                  .channels = channels,
                                  .folder = settings->folder,
                                  .assets = assets,
                                  .settings = settings,
                                  .language = LANGUAGE_VI,
                                  .silent_after = settings->silent_after};
    int r = api_body_sandbox(settings, diag);

    (void)text_parse_language(str_from(settings->language), &options.language);
    if (r == 0) {
        r = store_open(&(struct store_options){.folder = settings->folder,
                                               .is_read_only = true,
                                               .clock = &clock_real},
                       &body->store, diag);
    }
    if (r == 0) {
        r = loop_new(API_CONNECTIONS_MAX, &body->loop);
    }
    if (r == 0) {
        r = loop_add_signal(body->loop, SIGTERM, api_on_signal, body->loop);
    }
    options.loop = body->loop;
    options.store = body->store;
    return r < 0 ? r : api_new(&options, &body->api, diag);
}

static int api_body_ready(int supervisor)
{
    static struct msg_writer msg;

    msg_begin(&msg, CENTRE_MESSAGE_READY);
    msg_put_str(&msg, STR("api"));
    return channel_send(supervisor, &msg, NULL, 0);
}

int api_run(const struct centre_settings *settings, struct api_channels channels)
{
    struct api_body body = {0};
    struct diag diag = {0};
    int r;

    log_init("api", LOG_LEVEL_INFO);
    r = api_body_open(settings, channels, &body, &diag);
    if (r == 0) {
        r = api_body_ready(channels.supervisor);
    }
    if (r == 0) {
        r = loop_run(body.loop);
    }
    if (r < 0) {
        log_error("api ends: %s", diag_text(&diag, r));
    }
    api_body_done(&body);
    return centre_exit_of(r);
}
