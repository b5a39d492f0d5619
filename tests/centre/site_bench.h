/* What the tests of watched sites share: people who ask, and looks as the process that fetches
 * pages sends them. */
#ifndef TESTS_CENTRE_SITE_BENCH_H
#define TESTS_CENTRE_SITE_BENCH_H

#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/fetch/wire.h"
#include "model/passage.h"
#include "sys/fd.h"

#include <sys/mman.h>

static struct rig rig;
static char duty[256];
static char admin[256];
static char viewer[256];

static inline int start(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_login(&rig, "duty", duty);
    rig_login(&rig, "admin", admin);
    rig_login(&rig, "viewer", viewer);
    return 0;
}

static inline int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* Asks and hands the answer on; status is checked. */
static inline void ask(const char *method, const char *path, const char *cookie, const char *body,
                       int status, struct answer *answer)
{
    rig_http(&rig, method, path, cookie, body, answer);
    if (answer->status != status) {
        fail_msg("%s %s: %d, not %d: %.*s", method, path, answer->status, status,
                 (int)answer->body.len, answer->body.len != 0 ? answer->body.ptr : "");
    }
}

static inline void expect(const char *method, const char *path, const char *cookie,
                          const char *body, int status)
{
    struct answer answer;

    ask(method, path, cookie, body, status, &answer);
    answer_done(&answer);
}

static inline const char *path_of(const char *format, ...)
{
    static char path[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    return path;
}

static inline int64_t add_site(const char *name, const char *url, const char *service)
{
    char body[600];
    struct answer answer;
    int64_t number;

    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"%s\",\"url\":\"%s\",\"unit\":\"Sở Nội vụ\",\"service\":\"%s\","
                   "\"permission\":\"Công văn 12/STTTT\"}",
                   name, url, service);
    ask("POST", "/api/v1/sites", admin, body, 200, &answer);
    number = json_member_i64(answer.json, "number", 0);
    answer_done(&answer);
    assert_true(number > 0);
    return number;
}

/* The next message of a type that core has sent to fetch; the others are dropped. */
static inline void fetch_receive(uint16_t type, struct channel_packet *packet)
{
    for (int i = 0; i < 2000; i++) {
        int r = channel_receive(rig.fetch, packet);

        if (r == -ERR_AGAIN) {
            rig_step(&rig);
            continue;
        }
        assert_int_equal(r, 0);
        if (packet->msg.type == type) {
            return;
        }
        channel_packet_done(packet);
    }
    fail_msg("core has not sent message %u", type);
}

static inline void fetch_send(struct msg_writer *msg, const int *fds, unsigned count)
{
    assert_int_equal(msg_end(msg), 0);
    assert_int_equal(channel_send(rig.fetch, msg, fds, count), 0);
    for (int i = 0; i < 20; i++) { /* taken, and its batch committed */
        rig_step(&rig);
    }
    rig.mono_offset += 100 * NS_PER_MS;
    (void)core_batch_commit(rig.core);
    for (int i = 0; i < 5; i++) {
        rig_step(&rig);
    }
}

static inline int memory_of(struct str bytes)
{
    int fd = memfd_create("part", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_full(fd, bytes.ptr, bytes.len), 0);
    return fd;
}

/* A look as fetch sends it; text: passages parted by |, or NULL. */
static inline void look(const struct site_check *check, const char *text, struct str memory)
{
    static struct msg_writer msg;
    struct buf bytes;
    struct buf passages;
    struct fetch_check sent = {.site = check->site};
    struct passage list[16];
    int fds[2];
    unsigned count = 0;
    size_t len = 0;

    buf_init(&bytes, 1U << 16);
    buf_init(&passages, PASSAGES_SIZE_MAX);
    site_check_encode(check, &bytes);
    sent.check = buf_str(&bytes);
    if (memory.len != 0) {
        sent.parts |= FETCH_PART_PAGE;
        fds[count++] = memory_of(memory);
    }
    if (text != NULL) {
        struct str rest = str_from(text);
        struct str part;

        while (str_cut(&rest, '|', &part)) {
            list[len++] = (struct passage){.text = part};
        }
        passages_encode(list, len, &passages);
        sent.parts |= FETCH_PART_TEXT;
        fds[count++] = memory_of(buf_str(&passages));
    }
    fetch_check_put(&msg, &sent);
    fetch_send(&msg, fds, count);
    for (unsigned i = 0; i < count; i++) {
        closep(&fds[i]);
    }
    buf_done(&bytes);
    buf_done(&passages);
}

static inline struct site_check fine(int64_t site, const char *url)
{
    struct site_check check = {.site = (uint64_t)site,
                               .url = str_from(url),
                               .url_final = str_from(url),
                               .time = clock_wall(&rig.clock),
                               .verdict = SITE_VERDICT_OK,
                               .status = 200,
                               .timing = {.done = 180 * NS_PER_MS},
                               .size = 4000,
                               .title = STR("Sở Nội vụ")};

    check.body_sha256[0] = 1;
    return check;
}

static const struct site_reason gambling = {.layer = SITE_LAYER_CONTENT,
                                            .view = SITE_VIEW_CRAWLER,
                                            .what = STR("gambling"),
                                            .value = STR("nhà cái"),
                                            .score = 4.5,
                                            .snippet = STR("đăng ký nhà cái <b>uy tín</b>")};

static inline struct site_check red(int64_t site, const char *url)
{
    struct site_check check = fine(site, url);

    check.verdict = SITE_VERDICT_RED;
    check.is_confirmed = true;
    check.score = 9;
    check.layers = 1U << SITE_LAYER_CONTENT | 1U << SITE_LAYER_PROFILE;
    check.reasons = &gambling;
    check.reason_count = 1;
    check.body_sha256[0] = 2;
    return check;
}

/* The newest alert of a site, with its state checked. */
static inline int64_t alert_of(int64_t site, const char *state, const char *severity,
                               struct str title)
{
    struct answer answer;
    const struct json_value *item;
    int64_t number;

    ask("GET", path_of("/api/v1/alerts?state=all&site=%lld", (long long)site), viewer, NULL, 200,
        &answer);
    item = json_member(answer.json, "items")->first;
    assert_non_null(item);
    assert_str(json_member_str(item, "state", STR("")), state);
    assert_str(json_member_str(item, "severity", STR("")), severity);
    assert_true(str_is(json_member_str(item, "title", STR("")), title));
    assert_int_equal(json_member_i64(item, "site", 0), site);
    number = json_member_i64(item, "number", 0);
    answer_done(&answer);
    return number;
}

static inline uint64_t count_alerts(int64_t site)
{
    struct answer answer;
    uint64_t count;

    ask("GET", path_of("/api/v1/alerts?state=all&site=%lld", (long long)site), viewer, NULL, 200,
        &answer);
    count = json_member(answer.json, "items")->count;
    answer_done(&answer);
    return count;
}

/* The newest change of a site. */
static inline int64_t change_of(int64_t site, struct answer *answer)
{
    ask("GET", path_of("/api/v1/sites/%lld/changes?limit=1", (long long)site), viewer, NULL, 200,
        answer);
    assert_non_null(json_member(answer->json, "items")->first);
    return json_member_i64(json_member(answer->json, "items")->first, "number", 0);
}

#endif
