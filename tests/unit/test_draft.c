/* A search that becomes a rule: the rule says the same of an entry as the search did. */
#include "harness.h"

#include "base/err.h"
#include "codec/logs.h"
#include "detect/sigma/draft.h"
#include "detect/sigma/engine.h"
#include "detect/sigma/load.h"

#include <string.h>

static struct arena *arena;

struct line {
    const char *format;
    const char *raw;
};

static const struct line lines[] = {
    {"syslog", "Dec 10 07:28:03 web sshd[24206]: Failed password for invalid user admin from "
               "203.0.113.9 port 22 ssh2"},
    {"syslog", "Dec 10 07:28:03 web sshd[24206]: Accepted password for lan from 10.0.0.7 port 22 "
               "ssh2"},
    {"syslog", "Dec 10 07:29:00 web sshd[1]: error: it's 100% C:\\temp\\* broken?"},
    {"ndjson", "{\"Channel\":\"Security\",\"EventID\":4625,\"TargetUserName\":\"Lan\","
               "\"IpAddress\":\"203.0.113.9\",\"LogonType\":3}"},
    {"ndjson", "{\"Channel\":\"Security\",\"EventID\":4688,\"NewProcessName\":"
               "\"C:\\\\Windows\\\\cmd.exe\",\"CommandLine\":\"cmd /c it's \\\"x\\\"\"}"},
};

static const char *const searches[] = {
    "failed",
    "failed OR accepted",
    "password NOT admin",
    "NOT (admin OR lan)",
    "(failed OR accepted) password -lan",
    "src_ip:203.0.113.9",
    "SRC_IP:203.*",
    "src_ip:10.0.0.? password",
    "-src_ip:10.* password",
    "eventid:4625",
    "EventID:>4624 EventID:<=4688",
    "EventID:4625 OR EventID:4688",
    "NewProcessName:*\\cmd.exe",
    "NewProcessName:c:\\windows\\*",
    "\"it's 100%\"",
    "\"temp\\*\"",
    "\"broken?\"",
    "entry:*password*",
    "kind:log failed",
    "kind:log (failed OR accepted)",
    "commandline:*it's*",
    "TargetUserName:lan LogonType:3",
    "source.ip:203.0.113.9",
    "source.ip:203.0.113.0/28",
    "-source.ip:10.0.0.0/8 password",
    "IpAddress:10.0.0.0/8 OR src_ip:10.0.0.4/30",
    "-source.ip:10.* password",
    "event.code:>4624",
    "user.name:lan",
    "process.executable:*\\cmd.exe",
};

/* What is seen of an entry by both. */
struct look {
    const struct terms *terms;
    struct event event;
    struct sigma_matcher *matcher; /* NULL: only the draft is written */
    struct buf *yaml;
    enum terms_verdict search;
    bool rule;
};

static int see(void *context, const struct entry *entry)
{
    struct look *look = context;
    const uint32_t *rules;
    size_t count = 0;

    look->search = terms_judge(look->terms, &look->event, STR("web"), entry, arena);
    if (look->matcher == NULL) {
        const struct sigma_draft draft = {.title = STR("t"), .sample = entry};

        return sigma_draft(look->terms, &draft, look->yaml, NULL);
    }
    assert_int_equal(sigma_match(look->matcher, entry, &rules, &count), 0);
    look->rule = count != 0;
    return 0;
}

static void look_at(struct look *look, const struct line *line, const struct entry_names *names)
{
    const struct log_format *format = log_format_find(str_from(line->format));
    struct log_reading reading;

    event_init(&look->event, EVENT_KIND_LOG, 1);
    assert_int_equal(event_add_text(&look->event, EVENT_FIELD_EVENT_ORIGINAL, str_from(line->raw)),
                     0);
    assert_int_equal(log_reading_init(&reading, names), 0);
    assert_int_equal(format->read(&reading, str_from(line->raw), see, look), 0);
    log_reading_done(&reading);
}

/* The rule drafted by one line, asked of all lines of its log source. */
static void check_rule(const struct terms *terms, const char *typed, struct str yaml,
                       const struct line *sample)
{
    struct sigma_loader *loader;
    const struct sigma_set *set;
    struct sigma_engine *engine;
    struct look look = {.terms = terms};

    assert_int_equal(sigma_loader_new(false, &loader), 0);
    assert_int_equal(sigma_loader_add(loader, STR("draft"), yaml), 0);
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    if (set->rule_count != 1) {
        fail_msg("'%s': %.*s\n%.*s", typed,
                 STR_ARG(set->refusal_count != 0 ? set->refusals[0].reason : STR("no rule")),
                 STR_ARG(yaml));
    }
    assert_int_equal(sigma_engine_new(set, &engine, NULL), 0);
    assert_int_equal(sigma_matcher_new(engine, &look.matcher), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        enum terms_verdict search;

        if (strcmp(lines[i].format, sample->format) != 0) {
            continue;
        }
        look_at(&look, &lines[i], NULL);
        search = look.search;
        look_at(&look, &lines[i], sigma_engine_names(engine));
        if (look.rule != (search == TERMS_YES)) {
            fail_msg("'%s' says %d of '%s', its rule %d:\n%.*s", typed, search, lines[i].raw,
                     look.rule, STR_ARG(yaml));
        }
    }
    sigma_matcher_free(look.matcher);
    sigma_engine_free(engine);
    sigma_loader_free(loader);
}

static void test_rule_is_search(void **state)
{
    unsigned checked = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        struct terms terms;
        unsigned found = 0;

        assert_int_equal(terms_parse(str_from(searches[i]), arena, &terms, NULL), 0);
        for (size_t j = 0; j < sizeof(lines) / sizeof(lines[0]); j++) {
            struct buf yaml;
            struct look look = {.terms = &terms, .yaml = &yaml};

            buf_init(&yaml, 16 << 10);
            look_at(&look, &lines[j], NULL);
            if (look.search == TERMS_YES) { /* a draft is made of what the search has found */
                check_rule(&terms, searches[i], buf_str(&yaml), &lines[j]);
                found++;
            }
            buf_done(&yaml);
        }
        if (found == 0) {
            fail_msg("'%s' finds nothing: it checks nothing", searches[i]);
        }
        checked += found;
    }
    assert_true(checked > 22);
}

static void test_left_out(void **state)
{
    struct terms terms;
    struct diag diag = {0};
    struct buf yaml;

    (void)state;
    buf_init(&yaml, 16 << 10);
    assert_int_equal(terms_parse(STR("host:web* failed"), arena, &terms, NULL), 0);
    assert_int_equal(
        sigma_draft(&terms, &(struct sigma_draft){.title = STR("a: 'b'")}, &yaml, &diag), 0);
    buf_put_byte(&yaml, '\0');
    assert_non_null(strstr(yaml.ptr, "host:web*\n"));
    assert_non_null(strstr(yaml.ptr, "title: 'a: ''b'''\n"));
    assert_non_null(strstr(yaml.ptr, "condition: t2\n"));
    assert_int_equal(terms_parse(STR("host:web* kind:log"), arena, &terms, NULL), 0);
    assert_int_equal(sigma_draft(&terms, &(struct sigma_draft){.title = STR("a")}, &yaml, &diag),
                     -ERR_SYNTAX);
    assert_true(diag.text[0] != '\0');
    buf_done(&yaml);
}

static int start(void **state)
{
    (void)state;
    return arena_new(4 << 20, &arena);
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
        cmocka_unit_test(test_rule_is_search),
        cmocka_unit_test(test_left_out),
    };

    return cmocka_run_group_tests(tests, start, end);
}
