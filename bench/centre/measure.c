/* Figures of the console's API, for bench/centre/run: what a page of alerts costs over HTTP when there are many,
 * and how long a change takes to reach 200 browsers that listen. Core, api and the browsers share one process
 * and one processor here, so the figures are an upper bound. */
#include "../../tests/harness.h"

#include "../../tests/centre/rig.h"

#include "base/banned.h"
#include "sys/fd.h"

#include <sys/socket.h>

#define BROWSERS   200
#define PAGES      400
#define CHANGES    100
#define FOLD_BATCH 10000

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void report(const char *name, int64_t *ns, size_t count)
{
    qsort(ns, count, sizeof(ns[0]), compare);
    printf("{\"figure\":\"%s\",\"count\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n", name, count,
           (double)ns[count / 2] / 1e6, (double)ns[count * 99 / 100] / 1e6, (double)ns[count - 1] / 1e6);
    fflush(stdout);
}

static void fill(struct rig *rig, const struct id *host, uint64_t alerts)
{
    uint64_t number;

    for (uint64_t done = 0; done < alerts; done += FOLD_BATCH) {
        assert_int_equal(store_begin(rig->store), 0);
        for (uint64_t i = 0; i < FOLD_BATCH; i++) {
            char title[64];
            struct finding finding = {.time = clock_wall(&rig->clock), .detector = STR("ransom"), .score = 5};

            (void)snprintf(title, sizeof(title), "Alert number %llu of the bench", (unsigned long long)(done + i));
            finding.title = str_from(title);
            finding.severity = (enum severity)(i % SEVERITY_COUNT);
            assert_int_equal(id_new(&finding.id), 0);
            assert_int_equal(store_alert_fold(rig->store, host, &finding, &number), 0);
        }
        assert_int_equal(store_commit(rig->store), 0);
    }
}

static void measure_pages(struct rig *rig, const char *name, const char *cookie, const char *path)
{
    static int64_t ns[PAGES];

    for (size_t i = 0; i < PAGES; i++) {
        struct answer answer;
        int64_t from = clock_mono(&clock_real);

        rig_http(rig, "GET", path, cookie, NULL, &answer);
        ns[i] = clock_mono(&clock_real) - from;
        assert_int_equal(answer.status, 200);
        answer_done(&answer);
    }
    report(name, ns, PAGES);
}

static void measure_stream(struct rig *rig, const struct id *host, const char *cookies[])
{
    static int64_t ns[BROWSERS * CHANGES];
    static int fds[BROWSERS];
    static struct buf bufs[BROWSERS];
    size_t taken = 0;

    for (size_t i = 0; i < BROWSERS; i++) {
        char request[512];

        fds[i] = rig_browser(rig, "198.51.100.7");
        (void)snprintf(request, sizeof(request), "GET /api/v1/events/stream HTTP/1.1\r\nHost: h\r\n%s\r\n",
                       cookies[i / API_STREAMS_EACH]);
        rig_send(fds[i], request, strlen(request));
        buf_init(&bufs[i], 1U << 20);
        rig_wait_text(rig, fds[i], &bufs[i], "event: hello");
    }
    for (size_t change = 0; change < CHANGES; change++) {
        char title[64];
        size_t left = BROWSERS;
        int64_t from;

        (void)snprintf(title, sizeof(title), "Live change %zu.", change);
        for (size_t i = 0; i < BROWSERS; i++) {
            buf_reset(&bufs[i]);
        }
        from = clock_mono(&clock_real);
        (void)rig_add_alert(rig, host, title, SEVERITY_HIGH);
        while (left != 0) {
            rig_step(rig);
            for (size_t i = 0; i < BROWSERS; i++) {
                char bytes[4096];
                ssize_t n = recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT);

                if (n > 0 && buf_error(&bufs[i]) == 0) {
                    buf_put(&bufs[i], bytes, (size_t)n);
                    if (str_find(buf_str(&bufs[i]), str_from(title)) != bufs[i].len) {
                        ns[taken++] = clock_mono(&clock_real) - from;
                        bufs[i].error = -ERR_EXIST; /* has it */
                        left--;
                    }
                }
            }
        }
    }
    report("change to 200 browsers", ns, taken);
    for (size_t i = 0; i < BROWSERS; i++) {
        closep(&fds[i]);
        buf_done(&bufs[i]);
    }
}

static void add_viewers(struct rig *rig, char names[][16], size_t count)
{
    struct arena *arena;
    struct store_user user;
    uint64_t number;

    assert_int_equal(arena_new(1U << 20, &arena), 0);
    assert_int_equal(store_begin(rig->store), 0);
    assert_int_equal(store_user_get(rig->store, STR("viewer"), arena, &user), 0);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], 16, "viewer%zu", i);
        user.number = 0;
        user.name = str_from(names[i]);
        assert_int_equal(store_user_put(rig->store, &user, &number), 0);
    }
    assert_int_equal(store_commit(rig->store), 0);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    static struct rig rig;
    static char cookies[BROWSERS / API_STREAMS_EACH + 1][256];
    static const char *cookie_list[BROWSERS / API_STREAMS_EACH + 1];
    char names[BROWSERS / API_STREAMS_EACH + 1][16];
    uint64_t alerts = 100000;
    struct id host;

    if (argc > 1 && str_to_u64(str_from(argv[1]), &alerts) < 0) {
        return 2;
    }
    rig_start(&rig);
    host = rig_add_host(&rig, "kt-pc07", 7);
    fill(&rig, &host, alerts);
    add_viewers(&rig, names, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        rig_login(&rig, names[i], cookies[i]);
        cookie_list[i] = cookies[i];
    }
    printf("{\"figure\":\"alerts in the store\",\"count\":%llu}\n", (unsigned long long)alerts);
    measure_pages(&rig, "page of 50 alerts", cookies[0], "/api/v1/alerts?state=all");
    measure_pages(&rig, "page of 50, high, far back", cookies[0], "/api/v1/alerts?severity=high&cursor=5000");
    measure_pages(&rig, "overview", cookies[0], "/api/v1/overview");
    measure_stream(&rig, &host, cookie_list);
    rig_stop(&rig);
    return 0;
}
