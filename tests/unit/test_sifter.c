/* Entries read in a process without rights: what a search and a rule on trial make of them, and
 * what becomes of the asker when that process dies. And the promise to the archive: whatever a
 * reader takes out of an entry, the needles of a search for it stand in the entry's texts, and the
 * filter of the block that it lies in admits them. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"
#include "centre/sifter.h"
#include "codec/logs.h"
#include "model/coded.h"
#include "store/filter.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1795680000000000000) /* 2026-11-26 */

static struct arena *arena;

struct bench {
    struct sifter sifter;
    pid_t pid;
    struct buf bytes;
    struct find_candidate candidates[4];
    size_t count;
};

static int body(void *context)
{
    const int *channel = context;

    return sifter_run(&(struct sifter_options){.channel = *channel, .supervisor = -1});
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    int ends[2];

    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(spawn_body("sifter", &ends[1], 1, body, &ends[1], &bench->pid), 0);
    close(ends[1]);
    sifter_init(&bench->sifter, ends[0]);
    buf_init(&bench->bytes, 1 << 20);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    close(bench->sifter.channel);
    (void)waitpid(bench->pid, NULL, 0);
    sifter_done(&bench->sifter);
    buf_done(&bench->bytes);
    free(bench);
    return 0;
}

static void add(struct bench *bench, const char *format, const char *raw)
{
    size_t from = bench->bytes.len;
    struct event event;

    event_init(&event, EVENT_KIND_LOG, NOW);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, str_from(raw)), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, str_from(format)), 0);
    event_encode(&event, &bench->bytes);
    bench->candidates[bench->count++] =
        (struct find_candidate){.host = STR("web"),
                                .event = str_slice(buf_str(&bench->bytes), from, bench->bytes.len),
                                .verdict = TERMS_UNREAD};
}

static void add_all(struct bench *bench)
{
    buf_reset(&bench->bytes);
    assert_non_null(buf_reserve(&bench->bytes, 64 << 10)); /* what is encoded stays in its place */
    bench->count = 0;
    add(bench, "syslog",
        "Dec 10 07:28:03 web sshd[2]: Failed password for root from 203.0.113.9 port 22 ssh2");
    add(bench, "ndjson", "{\"Channel\":\"Security\",\"EventID\":4625,\"IpAddress\":\"10.0.0.1\"}");
    add(bench, "ndjson", "{\"broken\":");
}

static int judge(struct bench *bench, const char *typed)
{
    struct terms terms;

    add_all(bench);
    assert_int_equal(terms_parse(str_from(typed), arena, &terms, NULL), 0);
    return sifter_judge(&bench->sifter, &terms, bench->candidates, bench->count);
}

static void test_terms(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(judge(bench, "src_ip:203.0.113.9 OR eventid:4625"), 0);
    assert_int_equal(bench->candidates[0].verdict, TERMS_YES);
    assert_int_equal(bench->candidates[1].verdict, TERMS_YES);
    assert_int_equal(bench->candidates[2].verdict, TERMS_NO);
    assert_int_equal(judge(bench, "-EventID:4625"), 0);
    assert_int_equal(bench->candidates[0].verdict, TERMS_YES);
    assert_int_equal(bench->candidates[1].verdict, TERMS_NO);
    assert_int_equal(bench->candidates[2].verdict, TERMS_YES);
    assert_int_equal(bench->sifter.unread, 0);
}

static const char rule[] =
    "title: root\nlogsource:\n    product: linux\n    service: sshd\n"
    "detection:\n    s:\n        user: root\n    condition: s\nlevel: high\n";

static void test_rule(void **state)
{
    struct bench *bench = *state;

    bench->sifter.rule = str_from(rule);
    assert_int_equal(judge(bench, ""), 0);
    assert_int_equal(bench->candidates[0].verdict, TERMS_YES);
    assert_int_equal(bench->candidates[1].verdict, TERMS_NO);
    assert_string_equal(bench->sifter.title, "root");
    bench->sifter.rule = STR("title: x\nlogsource: {product: linux}\ndetection: {condition: s}\n");
    assert_int_equal(judge(bench, ""), -ERR_SYNTAX);
    assert_true(bench->sifter.diag.text[0] != '\0');
    bench->sifter.rule = str_from(rule); /* a refused one leaves no trace */
    assert_int_equal(judge(bench, ""), 0);
    assert_int_equal(bench->candidates[0].verdict, TERMS_YES);
}

/* What is too costly to be judged is not what the rule does not hold for. */
static void test_costly(void **state)
{
    struct bench *bench = *state;
    static char raw[4096];
    struct terms terms;

    size_t len = (size_t)snprintf(raw, sizeof(raw),
                                  "{\"Channel\":\"Security\",\"EventID\":1,\"CommandLine\":\"");

    memset(raw + len, 'a', 3000);
    (void)snprintf(raw + len + 3000, 4, "\"}");
    bench->sifter.rule = STR("title: x\nlogsource: {product: windows, service: security}\n"
                             "detection:\n    s:\n        CommandLine|re: '(a+)+[bd]'\n"
                             "    condition: s\n");
    add_all(bench);
    add(bench, "ndjson", raw);
    assert_int_equal(terms_parse(STR(""), arena, &terms, NULL), 0);
    assert_int_equal(sifter_judge(&bench->sifter, &terms, bench->candidates, bench->count), 0);
    assert_int_equal(bench->candidates[1].verdict, TERMS_NO);
    assert_int_equal(bench->candidates[3].verdict, TERMS_UNREAD);
    assert_int_equal(bench->sifter.unread, 1);
}

static void test_draft(void **state)
{
    struct bench *bench = *state;
    struct terms terms;

    bench->sifter.draft_id = STR("6d6c1a4e-0000-4000-8000-000000000001");
    assert_int_equal(judge(bench, "SRC_IP:203.0.113.9"), 0);
    buf_put_byte(&bench->sifter.draft, '\0');
    assert_non_null(strstr(bench->sifter.draft.ptr, "'src_ip': '203.0.113.9'"));
    assert_non_null(strstr(bench->sifter.draft.ptr, "service: 'sshd'"));
    buf_reset(&bench->sifter.draft);
    assert_int_equal(terms_parse(STR("nothing:here"), arena, &terms, NULL), 0);
    assert_int_equal(sifter_draft(&bench->sifter, &terms), 0);
    assert_true(bench->sifter.draft.len != 0);
    assert_int_equal(terms_parse(STR("host:web"), arena, &terms, NULL), 0);
    assert_int_equal(sifter_draft(&bench->sifter, &terms), -ERR_SYNTAX);
}

/* Nothing that was asked of a dead one is taken for an answer. */
static void test_death(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(kill(bench->pid, SIGKILL), 0);
    assert_int_equal(waitpid(bench->pid, NULL, 0), bench->pid);
    assert_int_equal(judge(bench, "user:root"), -ERR_PIPE);
    assert_int_equal(bench->candidates[0].verdict, TERMS_UNREAD);
}

/* ---- needles, over the samples of all rules */

static size_t fields_asked;
static struct str sample_format;

static struct str folded(struct str text)
{
    size_t size = text.len + 1;
    char *out = arena_alloc(arena, size, 1);

    assert_non_null(out);
    return str_of(out, utf8_fold(text, out, size));
}

/* A block of one entry. */
struct lone_block {
    struct buf filter;
    unsigned coded;
};

static bool lone_holds(void *context, const struct needle *needle)
{
    const struct lone_block *block = context;

    return needle->kind == NEEDLE_RUN ||
           filter_admits(buf_str(&block->filter), FILTER_PIECES_NUMBERS, needle);
}

static bool lone_is_coded(void *context)
{
    const struct lone_block *block = context;

    return (block->coded & CODED_SIGNS) != 0;
}

static void fill_block(struct lone_block *block, const struct event *event, struct trigrams *set,
                       const struct str *texts)
{
    struct coded_walk walk;
    struct buf room;
    struct str text;

    trigrams_reset(set);
    buf_reset(&block->filter);
    buf_init(&room, 4 << 20);
    assert_int_equal(trigrams_add(set, texts[0]), 0);
    assert_int_equal(trigrams_add(set, texts[1]), 0);
    block->coded = coded_event(event);
    if (block->coded == CODED_PLAIN) {
        coded_begin(&walk, event, &room);
        while (coded_next(&walk, &text) > 0) {
            assert_int_equal(trigrams_add(set, folded(text)), 0);
        }
    }
    filter_write(set, &block->filter);
    buf_done(&room);
}

static struct trigrams pieces;
static struct lone_block lone;

/* Whoever asks for the entry by that must find it. */
static void ask_typed(const struct entry *entry, const struct event *event, const struct str *texts,
                      struct str typed)
{
    const struct needle_place place = {lone_holds, lone_is_coded, &lone};
    struct needles needles;
    struct terms terms;

    if (terms_parse(typed, arena, &terms, NULL) < 0 || terms.count != 1 ||
        !terms.list[0].is_in_entry ||
        terms_judge(&terms, event, STR(""), entry, arena) != TERMS_YES) {
        return; /* not what a person could type */
    }
    terms_needles(&terms, &needles);
    if (!needles_stand_in(&needles, event, texts, 2)) {
        fail_msg("%.*s is hidden in '%.*s' (%.*s)", STR_ARG(typed), STR_ARG(entry->raw),
                 STR_ARG(sample_format));
    }
    if (!needles_hold(&needles, &place)) {
        fail_msg("%.*s is kept back by the filter of '%.*s' (%.*s)", STR_ARG(typed),
                 STR_ARG(entry->raw), STR_ARG(sample_format));
    }
    fields_asked++;
}

static int ask_entry(void *context, const struct entry *entry)
{
    struct str texts[2];
    struct event event;

    (void)context;
    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, entry->raw), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, sample_format), 0);
    arena_reset(arena);
    texts[0] = folded(entry->raw);
    texts[1] = folded(sample_format);
    fill_block(&lone, &event, &pieces, texts);
    for (size_t i = 0; i < entry->count; i++) {
        struct str name = entry->fields[i].name;
        struct str value;
        int64_t number;

        assert_int_equal(entry_field_text(&entry->fields[i], arena, &value), 0);
        if (str_find_byte(value, '"') == value.len && str_find_byte(value, '\\') == value.len) {
            ask_typed(entry, &event, texts,
                      arena_printf(arena, "%.*s:\"%.*s\"", STR_ARG(name), STR_ARG(value)));
        }
        if (str_to_i64(value, &number) == 0) {
            ask_typed(entry, &event, texts,
                      arena_printf(arena, "%.*s:>=%lld", STR_ARG(name), (long long)number));
        }
    }
    return 0;
}

static void ask_text(struct str text)
{
    const struct log_format *format = log_format_guess(text);
    struct log_reading reading;

    sample_format = str_from(format->name);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.head = str_slice(text, 0, LOG_HEAD_SIZE);
    assert_int_equal(format->read(&reading, text, ask_entry, NULL), 0);
    log_reading_done(&reading);
}

static int ask_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    struct str name = str_from(path);
    char *bytes;
    int fd;

    (void)walk;
    if (kind != FTW_F || info->st_size > (1 << 20) ||
        (str_find(name, STR(".hit.")) == name.len && str_find(name, STR(".miss.")) == name.len)) {
        return 0;
    }
    bytes = malloc((size_t)info->st_size + 1);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)info->st_size), info->st_size);
    close(fd);
    ask_text(str_of(bytes, (size_t)info->st_size));
    free(bytes);
    return 0;
}

static void test_needles_of_samples(void **state)
{
    (void)state;
    assert_int_equal(nftw(TESTS_FOLDER "/../rules/logs", ask_file, 8, FTW_PHYS), 0);
    assert_true(fields_asked > 1000);
}

/* Values in escapes, beside digits that are none of theirs. */
static void test_needles_beside_escapes(void **state)
{
    static const char *const lines[] = {
        "{\"a\":\"12345\\u00206789\",\"b\":\"x\\u0041\\u0020777\",\"c\":45678,\"d\":-900,\"e\":1."
        "5e300}",
        "{\"stream\":\"stdout\",\"time\":\"2026-11-26T10:00:00Z\",\"log\":\"Dec 10 07:28:03 web "
        "sshd[2212]: Failed password for \\u0022 from "
        "203.0.113.9 port 22222 ssh2\"}",
        "10.0.0.1 - u\\x2017777 [10/Oct/2026:13:55:36 +0700] \"GET /a?b=44444 HTTP/1.1\" 200 "
        "123456",
        "Dec 10 07:28:03 web kernel: [12345.678901] IN=eth0 SPT=54321 DPT=443 LEN=1500ms x99999y",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        size_t before = fields_asked;

        ask_text(str_from(lines[i]));
        if (fields_asked == before) {
            fail_msg("nothing was asked of '%s'", lines[i]);
        }
    }
}

/* Logs that nobody here wrote, their front. */
static void test_needles_of_real_logs(void **state)
{
    static const char *const names[] = {"Apache.log", "Linux.log", "OpenSSH.log"};
    const char *folder = secure_getenv("CANHGAC_DATA");
    const char *data = folder != NULL ? folder : TESTS_FOLDER "/../../shared/data";
    static char bytes[256 << 10];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[4096];
        ssize_t len;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/logs/%s", data, names[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
            skip(); /* a clone alone does not have them */
        }
        len = read(fd, bytes, sizeof(bytes));
        assert_true(len > 0);
        close(fd);
        ask_text(str_of(bytes, (size_t)len));
    }
}

static int start(void **state)
{
    (void)state;
    trigrams_init(&pieces);
    buf_init(&lone.filter, 1 << 20);
    return arena_new(8 << 20, &arena);
}

static int end(void **state)
{
    (void)state;
    trigrams_done(&pieces);
    buf_done(&lone.filter);
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_terms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_costly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_draft, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_death, set_up, tear_down),
        cmocka_unit_test(test_needles_of_samples),
        cmocka_unit_test(test_needles_beside_escapes),
        cmocka_unit_test(test_needles_of_real_logs),
    };

    return cmocka_run_group_tests(tests, start, end);
}
