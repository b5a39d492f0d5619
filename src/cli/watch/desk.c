/* See cli/watch/desk.h. Invariants: a reader that ends is started anew; fetch is not, since what it
 * was about is lost: the watch then ends and says so. */
#include "cli/watch/desk.h"

#include "base/arena.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/browser.h"
#include "centre/fetch.h"
#include "centre/fetch/wire.h"
#include "centre/protocol.h"
#include "centre/reader.h"
#include "centre/render.h"
#include "cli/watch/eye.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/spawn.h"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>

#define DESK_READERS     2
#define DESK_SOURCES     32
#define DESK_ARENA       (1U << 20)
#define DESK_ONCE_LEAST  (200 * NS_PER_MS)
#define DESK_ONCE_MOST   (600 * NS_PER_MS)
#define DESK_DEATHS_MOST 20 /* of readers within one minute: something is wrong with us */
#define DESK_CALM        (60 * NS_PER_S)
#define DESK_PATIENCE_MS 100 /* between two looks whether it is to end */
#define DESK_USER        "nobody"
#define DESK_PICTURE     ((RENDER_WAIT_SECONDS + 15) * NS_PER_S) /* none for so long: none comes */

struct desk;

struct desk_reader {
    struct desk *desk;
    size_t number;
    pid_t pid;
};

struct desk {
    const struct watch_desk_options *options;
    struct loop *loop;
    struct arena *arena;
    struct diag *diag;
    uint8_t *looks; /* so many of a site are still to come, when once */
    size_t open;    /* sites of which some are */
    pid_t fetch;
    int core[2];
    int watch[2]; /* between fetch and us as its supervisor */
    int readers[DESK_READERS][2];
    struct desk_reader reader[DESK_READERS];
    int render[2];
    pid_t render_pid;
    bool has_pictured;
    struct watch_eye *eye; /* NULL: pages are not pictured */
    size_t awaited;        /* pictures, when once */
    int64_t heard;         /* monotonic ns, of fetch last */
    unsigned deaths;
    int64_t calm;
    struct msg_writer msg;
    struct channel_packet packet;
};

unsigned watch_desk_looks(uint32_t views)
{
    return (unsigned)__builtin_popcount(views) + ((views & 1U << SITE_VIEW_CRAWLER) != 0 ? 1 : 0);
}

/* Root starts them as nobody; anybody else as themselves, which Landlock and seccomp narrow. */
static const char *desk_user(void)
{
    return geteuid() == 0 ? DESK_USER : NULL;
}

static int desk_reader_body(void *context)
{
    const struct desk_reader *reader = context;
    const struct reader_options options = {.user = desk_user(),
                                           .lists = reader->desk->options->lists,
                                           .channel = reader->desk->readers[reader->number][1],
                                           .supervisor = -1};

    return reader_run(&options);
}

static int desk_render_body(void *context)
{
    const struct desk *desk = context;
    const struct render_options options = {.user = desk_user(),
                                           .program = BROWSER_PROGRAM,
                                           .channel = desk->render[1],
                                           .supervisor = -1};

    return render_run(&options);
}

static int desk_fetch_body(void *context)
{
    const struct desk *desk = context;
    const struct watch_desk_options *asked = desk->options;
    const struct fetch_options options = {
        .user = desk_user(),
        .servers = asked->servers,
        .authorities = asked->authorities,
        .is_once = asked->is_once,
        .least_interval = asked->is_once ? DESK_ONCE_LEAST : asked->interval * 2 / 3,
        .most_interval = asked->is_once ? DESK_ONCE_MOST : asked->interval * 4 / 3,
        .most_time = asked->most_time};
    struct fetch_channels channels = {.core = desk->core[1],
                                      .reader_count = DESK_READERS,
                                      .render = desk->render[0],
                                      .supervisor = desk->watch[1]};

    for (size_t i = 0; i < DESK_READERS; i++) {
        channels.readers[i] = desk->readers[i][0];
    }
    return fetch_run(&options, &channels);
}

static void desk_on_reader_end(void *context, pid_t pid, int wait_status);

static int desk_start_reader(struct desk_reader *reader)
{
    struct desk *desk = reader->desk;
    int keep[1] = {desk->readers[reader->number][1]};
    int r = spawn_body("reader", keep, 1, desk_reader_body, reader, &reader->pid);

    return r < 0 ? r : loop_add_child(desk->loop, reader->pid, desk_on_reader_end, reader);
}

static void desk_on_reader_end(void *context, pid_t pid, int wait_status)
{
    struct desk_reader *reader = context;
    struct desk *desk = reader->desk;
    int64_t now = clock_mono(&clock_real);
    int r;

    (void)pid;
    reader->pid = 0;
    log_warn("a reader ended over a page and is started again %s=%d",
             WIFSIGNALED(wait_status) ? "signal" : "status",
             WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status));
    if (now - desk->calm > DESK_CALM) {
        desk->calm = now;
        desk->deaths = 0;
    }
    r = ++desk->deaths > DESK_DEATHS_MOST ? -ERR_CANCELED : desk_start_reader(reader);
    if (r < 0) {
        (void)diag_set(desk->diag, r, _("the process that reads pages does not stay up: %s"),
                       err_text(r));
        loop_stop(desk->loop, r);
    }
}

static void desk_on_render_end(void *context, pid_t pid, int wait_status);

static int desk_start_render(struct desk *desk)
{
    int keep[1] = {desk->render[1]};
    int r = spawn_body("render", keep, 1, desk_render_body, desk, &desk->render_pid);

    return r < 0 ? r : loop_add_child(desk->loop, desk->render_pid, desk_on_render_end, desk);
}

/* One that never made a picture will not make any; the reason stands in its own words above. */
static void desk_on_render_end(void *context, pid_t pid, int wait_status)
{
    struct desk *desk = context;
    int r;

    (void)pid;
    (void)wait_status;
    desk->render_pid = 0;
    r = desk->has_pictured ? desk_start_render(desk) : -ERR_CANCELED;
    if (r < 0) {
        (void)diag_set(
            desk->diag, r,
            _("pages cannot be pictured: the browser does not stay up; mend what is told "
              "above, or leave out --visual"));
        loop_stop(desk->loop, r);
    }
}

static void desk_on_fetch_end(void *context, pid_t pid, int wait_status)
{
    struct desk *desk = context;

    (void)pid;
    desk->fetch = 0;
    loop_stop(
        desk->loop,
        diag_set(desk->diag, -ERR_CANCELED, _("the process that fetches pages has ended (%s %d)"),
                 WIFSIGNALED(wait_status) ? _("signal") : _("status"),
                 WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status)));
}

static void desk_on_watch(void *context, int fd, unsigned events)
{
    struct desk *desk = context;
    uint32_t which;

    (void)events;
    if (channel_receive(fd, &desk->packet) < 0) {
        return; /* its pidfd tells of its end */
    }
    if (desk->packet.msg.type == CENTRE_MESSAGE_HUNG) {
        which = msg_get_u32(&desk->packet.msg);
        if (which < DESK_READERS && desk->reader[which].pid != 0) {
            (void)kill(desk->reader[which].pid, SIGKILL);
        } else if (which == DESK_READERS && desk->render_pid != 0) {
            (void)kill(desk->render_pid, SIGKILL);
        }
    }
    channel_packet_done(&desk->packet);
}

/* Fetch may be busy for seconds; whoever wants the watch to end does not wait for that. */
static int desk_send(struct desk *desk, const int *fds, unsigned count)
{
    struct pollfd room = {.fd = desk->core[0], .events = POLLOUT};
    sigset_t pending;

    while (poll(&room, 1, DESK_PATIENCE_MS) == 0) {
        if (sigpending(&pending) == 0 &&
            (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1)) {
            return -ERR_CANCELED;
        }
    }
    return channel_send(desk->core[0], &desk->msg, fds, count);
}

static int desk_tell_sites(struct desk *desk, uint64_t after)
{
    const struct watch_desk_options *options = desk->options;
    size_t i = after;
    int r = 0;

    fetch_sites_begin(&desk->msg, after);
    while (i < options->count && r == 0) {
        const struct fetch_site site = {.number = i + 1,
                                        .url = str_from(options->urls[i]),
                                        .service = SITE_SERVICE_OTHER,
                                        .views = options->views,
                                        .interval = 0};

        r = fetch_sites_put(&desk->msg, &site);
        i += r == 0 ? 1 : 0;
    }
    fetch_sites_end(&desk->msg, i >= options->count);
    return desk_send(desk, NULL, 0);
}

static const char *desk_url(const struct desk *desk, uint64_t number)
{
    return number > 0 && number <= desk->options->count ? desk->options->urls[number - 1] : NULL;
}

static int desk_tell_profile(struct desk *desk)
{
    CLEANUP(closep) int fd = -1;
    uint64_t number;
    struct str page;
    int r = fetch_profile_get(&desk->packet.msg, &number, &page);

    if (r < 0 || desk_url(desk, number) == NULL) {
        return -ERR_PROTO;
    }
    fd = watch_keep_get(desk->options->keep, str_from(desk_url(desk, number)), page);
    fetch_profile_put(&desk->msg, number, page);
    return desk_send(desk, &fd, fd >= 0 ? 1 : 0);
}

static void desk_keep(struct desk *desk, const struct fetch_check *told,
                      const struct site_check *check)
{
    struct str site = str_from(desk_url(desk, told->site));
    CLEANUP(closep) int page_fd = -1;
    CLEANUP(closep) int site_fd = -1;
    CLEANUP(closep) int scripts_fd = -1;
    unsigned next = 0;
    int r = 0;

    if ((told->parts & FETCH_PART_PAGE) != 0) {
        page_fd = channel_packet_take(&desk->packet, next++);
        r = page_fd >= 0 ? watch_keep_put(desk->options->keep, site, check->url, page_fd) : 0;
    }
    if (r == 0 && (told->parts & FETCH_PART_SITE) != 0) {
        site_fd = channel_packet_take(&desk->packet, next++);
        r = site_fd >= 0 ? watch_keep_put(desk->options->keep, site, STR(""), site_fd) : 0;
    }
    next += (told->parts & FETCH_PART_EVIDENCE) != 0;
    next += (told->parts & FETCH_PART_TEXT) != 0;
    if (r == 0 && (told->parts & FETCH_PART_SCRIPTS) != 0) {
        scripts_fd = channel_packet_take(&desk->packet, next);
        r = scripts_fd >= 0
                ? watch_keep_put(desk->options->keep, site, STR(FETCH_SCRIPTS), scripts_fd)
                : 0;
    }
    if (r < 0) {
        log_warn("what was learned of a page cannot be kept url=%s reason=%s", site.ptr,
                 err_text(r));
    }
}

/* Once, and all that was to come has come. */
static void desk_end_if_done(struct desk *desk)
{
    if (desk->options->is_once && desk->open == 0 && desk->awaited == 0) {
        loop_stop(desk->loop, 0);
    }
}

static void desk_count(struct desk *desk, uint64_t number, const struct site_check *check)
{
    uint8_t *left = &desk->looks[number - 1];

    if (!desk->options->is_once || *left == 0) {
        return;
    }
    *left = fetch_check_is_last(check) ? 0 : (uint8_t)(*left - 1);
    desk->open -= *left == 0 ? 1 : 0;
    if (desk->eye != NULL && check->page == SITE_PAGE_LISTED && check->view == SITE_VIEW_DESKTOP &&
        check->status == 200 && check->size <= RENDER_BODY_MAX) {
        desk->awaited++;
    }
    desk_end_if_done(desk);
}

static void desk_tell(struct desk *desk, size_t site, const struct site_check *check)
{
    if (!desk->options->look(desk->options->context, site, check)) {
        loop_stop(desk->loop, 0);
    }
}

static int desk_take_picture(struct desk *desk)
{
    struct fetch_picture picture;
    struct site_check check;
    enum watch_eye_word word = WATCH_EYE_SAME;
    int r = fetch_picture_get(&desk->packet.msg, &picture);

    if (r < 0 || desk->eye == NULL || desk_url(desk, picture.site) == NULL) {
        return -ERR_PROTO;
    }
    if (!str_is_text(picture.url, desk_url(desk, picture.site)) ||
        picture.view != SITE_VIEW_DESKTOP) {
        return 0; /* of an odd page that nothing was learned of */
    }
    arena_reset(desk->arena);
    desk->has_pictured = true;
    r = watch_eye_take(desk->eye, picture.site - 1, &picture, desk->arena, &word, &check);
    if (r == 0 && word == WATCH_EYE_ODD) {
        desk_tell(desk, picture.site - 1, &check);
    } else if (r == 0 && word == WATCH_EYE_DOUBT) {
        fetch_look_put(&desk->msg, picture.site, picture.url, false);
        r = desk_send(desk, NULL, 0);
    }
    desk->awaited -= desk->awaited != 0 ? 1 : 0;
    desk_end_if_done(desk);
    return r;
}

static int desk_take_check(struct desk *desk)
{
    struct cbor_reader reader;
    struct fetch_check told;
    struct site_check check;
    int r = fetch_check_get(&desk->packet.msg, &told);

    if (r < 0 || desk_url(desk, told.site) == NULL) {
        return -ERR_PROTO;
    }
    arena_reset(desk->arena);
    cbor_open(&reader, told.check);
    r = site_check_decode(&reader, desk->arena, &check);
    if (r == 0) {
        r = cbor_close(&reader);
    }
    if (r < 0) {
        return r;
    }
    desk_keep(desk, &told, &check);
    r = desk->eye != NULL ? watch_eye_weigh(desk->eye, told.site - 1, desk->arena, &check) : 0;
    if (r < 0) {
        return r;
    }
    desk_tell(desk, told.site - 1, &check);
    desk_count(desk, told.site, &check);
    return 0;
}

static void desk_on_core(void *context, int fd, unsigned events)
{
    struct desk *desk = context;
    int r;

    (void)events;
    if (channel_receive(fd, &desk->packet) < 0) {
        return;
    }
    desk->heard = clock_mono(&clock_real);
    switch (desk->packet.msg.type) {
    case CENTRE_MESSAGE_SITES_ASK:
        r = desk_tell_sites(desk, msg_get_u64(&desk->packet.msg));
        break;
    case CENTRE_MESSAGE_PROFILE_ASK:
        r = desk_tell_profile(desk);
        break;
    case CENTRE_MESSAGE_CHECK:
        r = desk_take_check(desk);
        break;
    case CENTRE_MESSAGE_PICTURE:
        r = desk_take_picture(desk);
        break;
    default:
        r = -ERR_PROTO;
        break;
    }
    channel_packet_done(&desk->packet);
    if (r < 0 && r != -ERR_PIPE && r != -ERR_CANCELED) {
        log_warn("a word of the process that fetches pages was refused reason=%s", err_text(r));
    }
}

static void desk_on_signal(void *context, int signal)
{
    (void)signal;
    loop_stop(context, 0);
}

static void desk_on_tick(void *context)
{
    const struct desk *desk = context;

    desk->options->tick(desk->options->context);
    if (desk->open == 0 && desk->awaited != 0 &&
        clock_mono(&clock_real) - desk->heard >= DESK_PICTURE) {
        loop_stop(desk->loop,
                  diag_set(desk->diag, -ERR_TIMEDOUT,
                           _("%zu pages could not be pictured; look again, or leave out "
                             "--visual"),
                           desk->awaited));
    }
}

static int desk_make_channels(struct desk *desk)
{
    int r = channel_pair(desk->core);

    if (r == 0) {
        r = channel_pair(desk->watch);
    }
    for (size_t i = 0; r == 0 && i < DESK_READERS; i++) {
        r = channel_pair(desk->readers[i]);
    }
    if (r == 0 && desk->options->is_visual) {
        r = channel_pair(desk->render);
    }
    return r;
}

static int desk_start(struct desk *desk)
{
    int keep[3 + DESK_READERS] = {desk->core[1], desk->watch[1]};
    unsigned count = 2 + DESK_READERS;
    int r = 0;

    for (size_t i = 0; r == 0 && i < DESK_READERS; i++) {
        keep[2 + i] = desk->readers[i][0];
        desk->reader[i] = (struct desk_reader){.desk = desk, .number = i};
        r = desk_start_reader(&desk->reader[i]);
    }
    if (r == 0 && desk->options->is_visual) {
        keep[count++] = desk->render[0];
        r = desk_start_render(desk);
    }
    if (r == 0) {
        r = spawn_body("fetch", keep, count, desk_fetch_body, desk, &desk->fetch);
    }
    return r < 0 ? r : loop_add_child(desk->loop, desk->fetch, desk_on_fetch_end, desk);
}

static int desk_listen(struct desk *desk)
{
    struct loop_source *tick = NULL;
    int r = loop_add_fd(desk->loop, desk->core[0], LOOP_READ, desk_on_core, desk, NULL);

    if (r == 0) {
        r = loop_add_fd(desk->loop, desk->watch[0], LOOP_READ, desk_on_watch, desk, NULL);
    }
    if (r == 0) {
        r = loop_add_signal(desk->loop, SIGINT, desk_on_signal, desk->loop);
    }
    if (r == 0) {
        r = loop_add_signal(desk->loop, SIGTERM, desk_on_signal, desk->loop);
    }
    if (r == 0) {
        r = loop_add_timer(desk->loop, desk_on_tick, desk, &tick);
    }
    return r < 0 ? r : loop_source_set_timer(tick, NS_PER_S, NS_PER_S);
}

/* They hold nothing that is to be kept, and on a busy machine fetch alone would take a minute to
 * give back ten thousand connections one by one. */
static void desk_end(pid_t pid)
{
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

static void desk_done(struct desk *desk)
{
    loop_free(desk->loop);
    desk_end(desk->fetch);
    for (size_t i = 0; i < DESK_READERS; i++) {
        desk_end(desk->reader[i].pid);
        closep(&desk->readers[i][0]);
        closep(&desk->readers[i][1]);
    }
    desk_end(desk->render_pid);
    watch_eye_free(desk->eye);
    for (int i = 0; i < 2; i++) {
        closep(&desk->render[i]);
        closep(&desk->core[i]);
        closep(&desk->watch[i]);
    }
    arena_free(desk->arena);
    mem_free(desk->looks);
    mem_free(desk);
}

int watch_desk_run(const struct watch_desk_options *options, struct diag *diag)
{
    struct desk *desk = mem_alloc(1, sizeof(*desk));
    int r;

    if (desk == NULL) {
        return -ERR_NOMEM;
    }
    desk->options = options;
    desk->diag = diag;
    desk->open = options->count;
    desk->core[0] = desk->core[1] = desk->watch[0] = desk->watch[1] = -1;
    desk->render[0] = desk->render[1] = -1;
    memset(desk->readers, -1, sizeof(desk->readers));
    desk->looks = mem_alloc(options->count + 1, 1);
    r = desk->looks != NULL ? arena_new(DESK_ARENA, &desk->arena) : -ERR_NOMEM;
    if (r == 0) {
        memset(desk->looks, (int)watch_desk_looks(options->views), options->count);
        r = loop_new(DESK_SOURCES, &desk->loop);
    }
    if (r == 0 && options->is_visual) {
        r = watch_eye_new(options->keep, options->urls, options->count, options->is_once,
                          &desk->eye);
    }
    if (r == 0) {
        r = desk_make_channels(desk);
    }
    if (r == 0) {
        r = desk_start(desk);
    }
    if (r == 0) {
        r = desk_listen(desk);
    }
    if (r == 0) {
        r = loop_run(desk->loop);
    }
    desk_done(desk);
    return r;
}
