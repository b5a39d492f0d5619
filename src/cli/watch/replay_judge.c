/* Reads and judges stored pages without rights. On its way: watch/replay.c → (channel) → page_read
 * → deface_judge → a line on standard output → deface_learn. Invariants: rights go before the first
 * byte is read; a page's profile lives as long as its versions come. */
#include "cli/watch/replay_judge.h"

#include "base/arena.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "codec/json.h"
#include "detect/deface/deface.h"
#include "model/reason.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/sandbox.h"

#define REPLAY_DOMAINS_MAX  (1U << 20)
#define REPLAY_LIST_LIMIT   (64U << 20)
#define REPLAY_MEMORY_LIMIT (2ULL << 30)
#define REPLAY_NAME_MAX     255
#define REPLAY_LINE_LIMIT   (1U << 20)
#define REPLAY_LOCAL_S      25200 /* Viet Nam has one time zone and no summer time */
#define REPLAY_REASONS      3

struct replay {
    const struct replay_judge *judge;
    struct deface_model *model;
    struct deface_site *site;
    struct deface_profile *profile;
    struct arena *arena;
    struct buf body;
    struct buf line;
    struct buf list;
    struct map domains;
    char page[REPLAY_NAME_MAX + 1];
};

/* A host is listed when it or a domain above it is. */
static bool replay_has_host(void *context, struct str host, struct str *ret_list)
{
    const struct map *domains = context;

    while (host.len != 0) {
        size_t dot = str_find_byte(host, '.');

        if (map_get(domains, host) != NULL) {
            *ret_list = STR("gambling");
            return true;
        }
        host = str_slice(host, dot < host.len ? dot + 1 : host.len, host.len);
    }
    return false;
}

static int replay_read_list(struct replay *replay)
{
    struct str rest;
    struct str name;
    int r = replay->judge->domains >= 0 ? fd_read_all(replay->judge->domains, &replay->list) : 0;

    rest = buf_str(&replay->list);
    while (r == 0 && str_cut(&rest, '\n', &name)) {
        name = str_trim(name);
        if (name.len != 0 && name.ptr[0] != '#') {
            r = map_put(&replay->domains, name, replay);
        }
    }
    return r;
}

static int replay_open(struct replay *replay, const struct replay_judge *judge)
{
    const struct deface_lists lists = {&replay->domains, replay_has_host};
    int r;

    *replay = (struct replay){.judge = judge};
    buf_init(&replay->body, PAGE_SIZE_MAX + 1);
    buf_init(&replay->line, REPLAY_LINE_LIMIT);
    buf_init(&replay->list, REPLAY_LIST_LIMIT);
    map_init(&replay->domains, REPLAY_DOMAINS_MAX, 0);
    r = replay_read_list(replay);
    r = r < 0 ? r : arena_new(PAGE_ARENA_MAX * 2, &replay->arena);
    return r < 0 ? r : deface_model_new(&lists, &replay->model);
}

static void replay_close(struct replay *replay)
{
    deface_model_free(replay->model);
    deface_site_free(replay->site);
    deface_profile_free(replay->profile);
    arena_free(replay->arena);
    map_done(&replay->domains);
    buf_done(&replay->list);
    buf_done(&replay->line);
    buf_done(&replay->body);
}

static void json_put_member(struct json_writer *json, const char *key, struct str value)
{
    json_put_key(json, key);
    json_put_str(json, value);
}

static void replay_put_json(struct replay *replay, const struct deface_look *look,
                            const struct deface_verdict *verdict)
{
    struct json_writer json;
    char time[TIME_TEXT_SIZE];

    time_format_utc(look->time, time);
    json_begin(&json, &replay->line);
    json_open_object(&json);
    json_put_member(&json, "page", str_from(replay->page));
    json_put_member(&json, "time", str_from(time));
    json_put_member(&json, "view", str_from(site_view_name(look->view)));
    json_put_member(&json, "verdict", str_from(site_verdict_name(verdict->verdict)));
    json_put_member(&json, "failure", str_from(site_failure_name(verdict->failure)));
    json_put_key(&json, "learning");
    json_put_bool(&json, verdict->is_learning);
    json_put_key(&json, "confirm");
    json_put_bool(&json, verdict->needs_confirmation);
    json_put_key(&json, "score");
    json_put_double(&json, verdict->score);
    site_layers_write_json(verdict->layers, &json);
    site_reasons_write_json(verdict->reasons, verdict->reason_count, &json);
    json_close_object(&json);
    (void)buf_put_byte(&replay->line, '\n');
}

/* People are told of what they should look at, and of what could not be judged. */
static void replay_put_plain(struct replay *replay, const struct deface_look *look,
                             const struct deface_verdict *verdict)
{
    struct buf *line = &replay->line;
    char time[TIME_TEXT_SIZE];

    if (verdict->verdict == SITE_VERDICT_OK || verdict->verdict == SITE_VERDICT_CHANGED) {
        return;
    }
    time_format_offset(look->time, REPLAY_LOCAL_S, time);
    (void)buf_putf(line, "%s  ", site_verdict_name(verdict->verdict));
    (void)buf_put_plain(line, str_from(replay->page));
    (void)buf_putf(line, "  %s  %s", time, site_view_name(look->view));
    if (verdict->verdict == SITE_VERDICT_UNKNOWN) {
        (void)buf_putf(line, "  %s", text_get(site_failure_sentence(verdict->failure)));
    }
    (void)buf_put_byte(line, '\n');
    for (size_t i = 0; i < verdict->reason_count && i < REPLAY_REASONS; i++) {
        const struct site_reason *reason = &verdict->reasons[i];

        (void)buf_putf(line, "    %.*s (", STR_ARG(reason_text(reason->what)));
        (void)buf_put_plain(line, reason->value);
        (void)buf_put_text(line, "): ");
        (void)buf_put_plain(line, reason->snippet);
        (void)buf_put_byte(line, '\n');
    }
}

static int replay_begin_page(struct replay *replay, struct msg_reader *msg)
{
    struct str name = msg_get_str(msg);

    (void)snprintf(replay->page, sizeof(replay->page), "%.*s", STR_ARG(name));
    deface_site_free(TAKE_PTR(replay->site));
    deface_profile_free(TAKE_PTR(replay->profile));
    if (msg_close(msg) < 0) {
        return -ERR_PROTO;
    }
    return deface_site_new(&replay->site) < 0 ? -ERR_NOMEM : deface_profile_new(&replay->profile);
}

static int replay_judge_body(struct replay *replay, struct deface_look *look,
                             struct deface_verdict *ret_verdict)
{
    const struct page_options options = {.url = STR("https://replay.invalid/")};
    struct page *page = arena_alloc(replay->arena, 1, sizeof(*page));
    int r = page != NULL ? page_read(&options, buf_str(&replay->body), replay->arena, page)
                         : -ERR_NOMEM;

    if (r < 0) {
        return r;
    }
    look->page = page;
    r = deface_judge(replay->model, replay->site, replay->profile, look, replay->arena,
                     ret_verdict);
    if (r < 0) {
        return r;
    }
    buf_reset(&replay->line);
    if (replay->judge->is_json) {
        replay_put_json(replay, look, ret_verdict);
    } else {
        replay_put_plain(replay, look, ret_verdict);
    }
    (void)fwrite(replay->line.ptr, 1, replay->line.len, stdout);
    return deface_learn(replay->site, replay->profile, look, ret_verdict);
}

/* A file past the limit is read as far as the limit goes: page.h says is_cut then. */
static int replay_read_body(struct replay *replay, int fd)
{
    int r;

    buf_reset(&replay->body);
    r = fd_read_all(fd, &replay->body);
    return r == -ERR_LIMIT ? 0 : r;
}

static int replay_version(struct replay *replay, struct channel_packet *packet)
{
    static struct msg_writer answer;
    CLEANUP(closep) int fd = channel_packet_take(packet, 0);
    struct deface_look look = {.time = msg_get_i64(&packet->msg)};
    uint32_t view = msg_get_u32(&packet->msg);
    struct deface_verdict verdict;
    int r;

    if (msg_close(&packet->msg) < 0 || view >= SITE_VIEW_COUNT || fd < 0 ||
        replay->profile == NULL) {
        return -ERR_PROTO;
    }
    look.view = (enum site_view)view;
    arena_reset(replay->arena);
    r = replay_read_body(replay, fd);
    r = r < 0 ? r : replay_judge_body(replay, &look, &verdict);
    if (r < 0) {
        return r;
    }
    msg_begin(&answer, REPLAY_MESSAGE_JUDGED);
    msg_put_u32(&answer, verdict.verdict);
    r = msg_end(&answer);
    return r < 0 ? r : channel_send(replay->judge->channel, &answer, NULL, 0);
}

static int replay_serve(struct replay *replay)
{
    static struct channel_packet packet;
    bool is_over = false;
    int r = 0;

    while (r == 0 && !is_over) {
        r = channel_receive(replay->judge->channel, &packet);
        if (r < 0) {
            break;
        }
        if (packet.msg.type == REPLAY_MESSAGE_PAGE) {
            r = replay_begin_page(replay, &packet.msg);
        } else if (packet.msg.type == REPLAY_MESSAGE_VERSION) {
            r = replay_version(replay, &packet);
        } else {
            is_over = true;
        }
        channel_packet_done(&packet);
    }
    return r == -ERR_PIPE ? 0 : r;
}

static int replay_enter(void)
{
    struct sandbox sandbox = {.user = geteuid() == 0 ? "nobody" : NULL,
                              .calls = SANDBOX_CALLS_IO,
                              .memory_more = REPLAY_MEMORY_LIMIT};
    struct diag diag = {0};
    int r = sandbox_enter(&sandbox, NULL, &diag);

    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

int replay_judge_run(void *context)
{
    static struct replay replay;
    int r = replay_enter();

    if (r != 0) {
        return r;
    }
    r = replay_open(&replay, context);
    r = r < 0 ? r : replay_serve(&replay);
    replay_close(&replay);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        r = -ERR_IO;
    }
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", err_text(r)) : EXIT_STATUS_CLEAN;
}
