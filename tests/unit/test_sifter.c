/* Entries read in a process without rights: what a search and a rule on trial make of them, and
 * what becomes of the asker when that process dies. And the promise to the archive: whatever a
 * reader takes out of an entry, the needles of a search for it stand in the entry's texts. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/utf8.h"
#include "centre/sifter.h"
#include "codec/logs.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
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

static int ask_entry(void *context, const struct entry *entry)
{
    struct str texts[2];
    struct event event;

    (void)context;
    event_init(&event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, entry->raw), 0);
    assert_int_equal(event_add_text(&event, EVENT_FIELD_EVENT_MODULE, sample_format), 0);
    for (size_t i = 0; i < entry->count; i++) {
        struct needles needles;
        struct terms terms;
        struct str value;
        struct str typed;

        arena_reset(arena);
        assert_int_equal(entry_field_text(&entry->fields[i], arena, &value), 0);
        typed =
            arena_printf(arena, "%.*s:\"%.*s\"", STR_ARG(entry->fields[i].name), STR_ARG(value));
        if (str_find_byte(value, '"') < value.len || str_find_byte(value, '\\') < value.len ||
            terms_parse(typed, arena, &terms, NULL) < 0 || terms.count != 1 ||
            !terms.list[0].is_in_entry ||
            terms_judge(&terms, &event, STR(""), entry, arena) != TERMS_YES) {
            continue; /* not what a person could type */
        }
        texts[0] = folded(entry->raw);
        texts[1] = folded(sample_format);
        terms_needles(&terms, &needles);
        if (!needles_stand_in(&needles, &event, texts, 2)) {
            fail_msg("%.*s is hidden in '%.*s' (%.*s)", STR_ARG(typed), STR_ARG(entry->raw),
                     STR_ARG(sample_format));
        }
        fields_asked++;
    }
    return 0;
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
    {
        struct str text = str_of(bytes, (size_t)info->st_size);
        const struct log_format *format = log_format_guess(text);
        struct log_reading reading;

        sample_format = str_from(format->name);
        assert_int_equal(log_reading_init(&reading, NULL), 0);
        reading.head = text;
        assert_int_equal(format->read(&reading, text, ask_entry, NULL), 0);
        log_reading_done(&reading);
    }
    free(bytes);
    return 0;
}

static void test_needles_of_samples(void **state)
{
    (void)state;
    assert_int_equal(nftw(TESTS_FOLDER "/../rules/logs", ask_file, 8, FTW_PHYS), 0);
    assert_true(fields_asked > 1000);
}

static int start(void **state)
{
    (void)state;
    return arena_new(8 << 20, &arena);
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_terms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rule, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_draft, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_death, set_up, tear_down),
        cmocka_unit_test(test_needles_of_samples),
    };

    return cmocka_run_group_tests(tests, start, end);
}
