/* The channel to fetch, which looks at the websites: tells it what to watch and what was learned,
 * takes its looks. What fetch says is hostile: it parses pages. Neighbours: fetch/wire.h is the
 * words, core/check.c takes a look in, core/site.c is where people say what is watched. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/fetch/wire.h"
#include "model/passage.h"
#include "store/pictures.h"
#include "sys/fd.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define WATCH_ARENA_LIMIT (24U << 20)
#define WATCH_MESSAGES    32 /* taken in one go */
#define WATCH_PAGE        400
#define WATCH_HOLD        (10 * NS_PER_S) /* "ours" can be taken back so long */
#define WATCH_TELL        20U /* ticks: screens hear of looks that found nothing new this seldom */
#define WATCH_SILENT      (300 * NS_PER_S)
#define WATCH_KEPT        (90 * 86400 * NS_PER_S) /* changes that raised no alert */
#define WATCH_WINDOWS                                                                              \
    (365 * 86400 * NS_PER_S) /* that have ended: a year of them can be asked about */
#define WATCH_EVIDENCE (4ULL << 30)

static int watch_send(struct core *core, struct msg_writer *msg, const int *fds, unsigned count)
{
    int r = msg_end(msg);

    if (r == 0 && core->options.channels.fetch < 0) {
        return -ERR_PIPE;
    }
    return r < 0 ? r : channel_send(core->options.channels.fetch, msg, fds, count);
}

void core_watch_renew(struct core *core)
{
    static struct msg_writer msg;

    msg_begin(&msg, CENTRE_MESSAGE_SITES_CHANGED);
    core->watch.is_stale = watch_send(core, &msg, NULL, 0) == -ERR_AGAIN;
}

int core_watch_look(struct core *core, uint64_t site, struct str url, bool is_ours)
{
    static struct msg_writer msg;

    fetch_look_put(&msg, site, url, is_ours);
    return watch_send(core, &msg, NULL, 0);
}

static int watch_put_site(struct core *core, const struct store_site *row, struct msg_writer *msg)
{
    struct fetch_site site = {.number = row->number,
                              .url = row->url,
                              .service = row->service,
                              .views = row->views,
                              .interval = row->interval};
    int r = store_window_is_open(core->options.store, row->number, clock_wall(core->options.clock),
                                 &site.is_window_open);

    return r < 0 ? r : fetch_sites_put(msg, &site);
}

static int watch_tell_sites(struct core *core, struct msg_reader *asked, struct arena *arena)
{
    static struct msg_writer msg;
    uint64_t after = msg_get_u64(asked);
    struct store_site *sites;
    size_t count = 0;
    size_t put = 0;
    int r = msg_close(asked);

    if (r == 0) {
        r = store_site_watched(core->options.store, after, WATCH_PAGE, arena, &sites, &count);
    }
    fetch_sites_begin(&msg, after);
    while (r == 0 && put < count) {
        r = watch_put_site(core, &sites[put], &msg);
        put += r == 0 ? 1 : 0;
    }
    if (r < 0 && r != -ERR_LIMIT) {
        return r;
    }
    fetch_sites_end(&msg, put == count && count < WATCH_PAGE);
    return watch_send(core, &msg, NULL, 0);
}

/* -1 when there is nothing to hand over. */
static int watch_memory_fd(struct str bytes, int *ret_fd)
{
    CLEANUP(closep) int fd = -1;
    int r;

    *ret_fd = -1;
    if (bytes.len == 0) {
        return 0;
    }
    fd = memfd_create("memory", MFD_CLOEXEC);
    if (fd < 0) {
        return -ERR_NOMEM;
    }
    r = fd_write_full(fd, bytes.ptr, bytes.len);
    if (r == 0 && lseek(fd, 0, SEEK_SET) != 0) {
        r = -ERR_IO;
    }
    if (r == 0) {
        *ret_fd = TAKE_FD(fd);
    }
    return r;
}

static int watch_tell_memory(struct core *core, struct msg_reader *asked, struct arena *arena)
{
    static struct msg_writer msg;
    CLEANUP(closep) int fd = -1;
    uint64_t site;
    struct str url;
    struct str bytes;
    int r = fetch_profile_get(asked, &site, &url);

    if (r == 0) {
        r = str_is_text(url, FETCH_SCRIPTS)
                ? store_scripts_get(core->options.store, site, arena, &bytes)
                : store_memory_get(core->options.store, site, url, arena, &bytes);
    }
    if (r == 0) {
        r = watch_memory_fd(bytes, &fd);
    }
    if (r < 0) {
        return r;
    }
    fetch_profile_put(&msg, site, url);
    return watch_send(core, &msg, &fd, fd < 0 ? 0 : 1);
}

/* A pipe in place of a file would keep core waiting. */
static int watch_read_part(int fd, size_t limit, struct arena *arena, struct str *ret_bytes)
{
    struct stat stat;
    char *bytes;
    ssize_t len;

    if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
        return -ERR_PROTO;
    }
    if (stat.st_size < 0 || (uint64_t)stat.st_size > limit) {
        return -ERR_LIMIT;
    }
    bytes = arena_alloc(arena, (size_t)stat.st_size + 1, 1);
    if (bytes == NULL) {
        return -ERR_NOMEM;
    }
    len = pread(fd, bytes, (size_t)stat.st_size, 0);
    if (len != stat.st_size) {
        return -ERR_TRUNCATED;
    }
    *ret_bytes = str_of(bytes, (size_t)len);
    return 0;
}

/* What travels with a look, by enum fetch_part's order. */
struct watch_parts {
    struct str page;
    struct str site;
    struct str body;
    struct str passages;
    struct str scripts;
};

static int watch_read_parts(struct channel_packet *packet, uint32_t which, struct arena *arena,
                            struct watch_parts *parts)
{
    const struct {
        uint32_t bit;
        size_t limit;
        struct str *into;
    } rows[] = {{FETCH_PART_PAGE, STORE_PROFILE_MAX, &parts->page},
                {FETCH_PART_SITE, STORE_MEMORY_MAX, &parts->site},
                {FETCH_PART_EVIDENCE, STORE_EVIDENCE_MAX, &parts->body},
                {FETCH_PART_TEXT, PASSAGES_SIZE_MAX, &parts->passages},
                {FETCH_PART_SCRIPTS, STORE_SCRIPTS_MAX, &parts->scripts}};
    unsigned at = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if ((which & rows[i].bit) == 0) {
            continue;
        }
        if (at < packet->fd_count) {
            int r = watch_read_part(packet->fds[at++], rows[i].limit, arena, rows[i].into);

            if (r < 0) {
                return r;
            }
            continue;
        }
        return -ERR_PROTO;
    }
    return at == packet->fd_count ? 0 : -ERR_PROTO;
}

static int watch_keep(struct core *core, const struct site_check *check,
                      const struct watch_parts *parts)
{
    const struct core_seen seen = {
        .check = check, .passages = parts->passages, .body = parts->body};
    struct store *store = core->options.store;
    int r = core_check_take(core, &seen);

    if (r == 0 && parts->page.len != 0) {
        r = store_memory_put(store, check->site, check->url, parts->page);
    }
    if (r == 0 && parts->site.len != 0) {
        r = store_memory_put(store, check->site, STR(""), parts->site);
    }
    if (r == 0 && parts->scripts.len != 0) {
        r = store_scripts_put(store, check->site, parts->scripts);
    }
    return r;
}

static int watch_take_check(struct core *core, struct channel_packet *packet, struct arena *arena)
{
    struct watch_parts parts = {0};
    struct cbor_reader reader;
    struct fetch_check came;
    struct site_check check;
    int r = fetch_check_get(&packet->msg, &came);

    if (r == 0) {
        r = watch_read_parts(packet, came.parts, arena, &parts);
    }
    if (r < 0) {
        return r;
    }
    cbor_open(&reader, came.check);
    r = site_check_decode(&reader, arena, &check);
    if (r == 0) {
        r = cbor_close(&reader);
    }
    if (r == 0 && (check.site != came.site || check.url.len == 0)) {
        r = -ERR_PROTO;
    }
    if (r == 0) {
        r = core_batch_begin(core);
    }
    if (r < 0) {
        return r;
    }
    r = watch_keep(core, &check, &parts);
    core->watch.has_looked = true;
    return r == -ERR_NOENT || r == -ERR_LIMIT ? 0 : r; /* dropped meanwhile; too many pages */
}

static int watch_take_picture(struct core *core, struct channel_packet *packet, struct arena *arena)
{
    struct fetch_picture came;
    struct core_picture picture;
    int r = fetch_picture_get(&packet->msg, &came);

    if (r < 0 || packet->fd_count != 1) {
        return -ERR_PROTO;
    }
    picture = (struct core_picture){.site = came.site,
                                    .url = came.url,
                                    .view = came.view,
                                    .time = came.time,
                                    .visual = came.visual};
    r = watch_read_part(packet->fds[0], STORE_PICTURE_SIZE_MAX, arena, &picture.png);
    r = r < 0 ? r : core_batch_begin(core);
    r = r < 0 ? r : core_picture_take(core, &picture, arena);
    return r == -ERR_NOENT ? 0 : r; /* dropped meanwhile */
}

static int watch_take(struct core *core, struct channel_packet *packet)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r = arena_new(WATCH_ARENA_LIMIT, &arena);

    if (r < 0) {
        return r;
    }
    switch (packet->msg.type) {
    case CENTRE_MESSAGE_SITES_ASK:
        return watch_tell_sites(core, &packet->msg, arena);
    case CENTRE_MESSAGE_PROFILE_ASK:
        return watch_tell_memory(core, &packet->msg, arena);
    case CENTRE_MESSAGE_CHECK:
        return watch_take_check(core, packet, arena);
    case CENTRE_MESSAGE_PICTURE:
        return watch_take_picture(core, packet, arena);
    default:
        return -ERR_PROTO;
    }
}

/* A look that cannot be written is lost: the next one says the same or better. */
static void watch_refuse(struct core *core, int error)
{
    if (error == -ERR_PROTO || error == -ERR_VERSION || error == -ERR_SYNTAX ||
        error == -ERR_AGAIN || error == -ERR_PIPE || error == -ERR_LIMIT) {
        log_warn("a message of fetch was not taken error=%s", err_name(error));
        return;
    }
    core_fail(core, error);
}

/* Most of what fetch says asks for an answer: it is taken while there is room for one. */
static bool watch_has_room(struct core *core, int fd)
{
    struct loop_source *source = core->channel_sources[CORE_SOURCE_FETCH];
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    bool is_waiting = poll(&room, 1, 0) == 0;

    if (is_waiting != core->watch.is_waiting &&
        loop_source_set_events(source, is_waiting ? LOOP_WRITE : LOOP_READ) == 0) {
        core->watch.is_waiting = is_waiting;
    }
    return !is_waiting;
}

void core_on_fetch(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct core *core = context;

    (void)events;
    for (int i = 0;
         i < WATCH_MESSAGES && watch_has_room(core, fd) && channel_receive(fd, &packet) == 0; i++) {
        int r = core->is_full ? 0 : watch_take(core, &packet);

        core->watch.heard = clock_mono(core->options.clock);
        channel_packet_done(&packet);
        if (r < 0) {
            watch_refuse(core, r);
        }
    }
}

static int watch_teach(struct core *core, struct arena *arena)
{
    int64_t now = clock_wall(core->options.clock);
    struct store_change *changes;
    size_t count;
    uint64_t number;
    int r = store_change_held(core->options.store, INT64_MAX, arena, &changes, &count);

    core->watch.is_holding = r == 0 && count != 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (changes[i].decided > now - WATCH_HOLD && changes[i].decided <= now) {
            continue;
        }
        if (core_watch_look(core, changes[i].site, changes[i].url, true) < 0) {
            return 0; /* fetch is not there: it is asked again */
        }
        changes[i].decision = CHANGE_DECISION_OURS;
        core->changed |= CENTRE_CHANGED_SITES;
        r = core_batch_begin(core);
        r = r < 0 ? r : store_change_put(core->options.store, &changes[i], &number);
        r = r < 0 ? r : store_picture_learn(core->options.store, changes[i].site, changes[i].url);
    }
    return r;
}

static int watch_raise_silence(struct core *core, bool is_silent)
{
    const struct core_alarm alarm = {
        .time = clock_wall(core->options.clock),
        .severity = is_silent ? SEVERITY_HIGH : SEVERITY_INFO,
        .title = is_silent ? N_("The website watch is silent: no site is being looked at")
                           : N_("The website watch is at work again"),
        .is_over = !is_silent,
    };
    uint32_t revision = is_silent ? 0 : 1;
    uint64_t alert;
    int r = core_alarm_raise(core, &alarm, &core->watch.silence, &revision, &alert);

    if (r == 0 && !is_silent) {
        core->watch.silence = (struct id){0};
    }
    return r;
}

/* Whether there is anything to look at. */
static int watch_has_sites(struct core *core, struct arena *arena, bool *ret_has)
{
    struct store_site *sites;
    size_t count = 0;
    int r = store_site_watched(core->options.store, 0, 1, arena, &sites, &count);

    *ret_has = count != 0;
    return r;
}

static int watch_listen(struct core *core, struct arena *arena)
{
    int64_t now = clock_mono(core->options.clock);
    int64_t since = core->watch.heard != 0 ? core->watch.heard : core->begun;
    bool is_silent = now - since > WATCH_SILENT;
    bool was_silent = !id_is_none(&core->watch.silence);
    bool has = false;
    int r;

    if (is_silent == was_silent) {
        return 0;
    }
    r = is_silent ? watch_has_sites(core, arena, &has) : 0;
    return r < 0 || (is_silent && !has) ? r : watch_raise_silence(core, is_silent);
}

/* A window that begins or ends by itself is told as one that people open and close. */
static int watch_turn_windows(struct core *core)
{
    int64_t now = clock_wall(core->options.clock);
    bool has_turned = false;
    int r = store_window_turned(core->options.store, core->watch.turned, now, &has_turned);

    core->watch.turned = now;
    core->watch.is_stale |= has_turned;
    core->changed |= has_turned ? CENTRE_CHANGED_SITES : 0;
    return r;
}

void core_watch_tick(struct core *core)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    int r;

    if (core->options.channels.fetch < 0 || core->is_full) {
        return;
    }
    r = watch_turn_windows(core);
    if (core->watch.is_stale) {
        core_watch_renew(core);
    }
    if (core->watch.has_looked && core->ticks % WATCH_TELL == 0) {
        core->watch.has_looked = false;
        core->changed |= CENTRE_CHANGED_SITES;
    }
    r = r < 0 ? r : arena_new(WATCH_ARENA_LIMIT, &arena);
    if (r == 0 && core->watch.is_holding) {
        r = watch_teach(core, arena);
    }
    if (r == 0) {
        r = watch_listen(core, arena);
    }
    if (r < 0) {
        core_fail(core, r);
    }
}

void core_watch_expire(struct core *core)
{
    int64_t now = clock_wall(core->options.clock);
    int r = core_batch_begin(core);

    r = r < 0 ? r : store_evidence_expire(core->options.store, now - WATCH_KEPT, WATCH_EVIDENCE);
    r = r < 0 ? r : store_window_expire(core->options.store, now - WATCH_WINDOWS);
    if (r < 0) {
        core_fail(core, r);
    }
}
