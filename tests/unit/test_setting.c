/* Settings: defaults, values and their bounds, files, command lines, help and the console's form.
 */
#include "harness.h"

#include "base/text.h"
#include "base/time.h"
#include "model/setting.h"

#include <stdio.h>
#include <string.h>

struct sample {
    bool is_loud;
    int64_t workers;
    int64_t bytes;
    int64_t wait;
    const char *name;
    const char *folder;
    const char *mode;
    struct setting_list tags;
    struct setting_list protect;
    const char *even;
};

static int check_even(struct str value, struct diag *to)
{
    return value.len % 2 == 0
               ? 0
               : diag_set(to, -ERR_SYNTAX, "'%.*s' is odd; write one letter more", STR_ARG(value));
}

static const struct setting rows[] = {
    {"loud", 'l', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct sample, is_loud), NULL,
     N_("speak up")},
    {"workers", 'w', SETTING_NUMBER, "2", "1", "64", offsetof(struct sample, workers), N_("N"),
     N_("how many work")},
    {"vault-bytes", 0, SETTING_SIZE, "10G", "64M", "1P", offsetof(struct sample, bytes), N_("SIZE"),
     N_("most bytes the vault may hold")},
    {"wait", 0, SETTING_DURATION, "24h", "1ms", NULL, offsetof(struct sample, wait), NULL,
     N_("how long")},
    {"name", 'n', SETTING_TEXT, NULL, NULL, NULL, offsetof(struct sample, name), NULL,
     N_("what it is called")},
    {"folder", 0, SETTING_PATH, "/var/lib/x", NULL, NULL, offsetof(struct sample, folder), NULL,
     N_("where")},
    {"mode", 'm', SETTING_CHOICE, "ask", NULL, "ask|stop|none", offsetof(struct sample, mode), NULL,
     N_("what to do")},
    {"tag", 't', SETTING_LIST, NULL, NULL, NULL, offsetof(struct sample, tags), NULL, N_("a word")},
    {"protect", 'p', SETTING_PATH_LIST, "/home,/srv", NULL, NULL, offsetof(struct sample, protect),
     NULL, N_("a folder to protect")},
    {"even", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct sample, even), NULL,
     N_("a pair of letters"), check_even},
    {},
};

static const char *here; /* where the command line is typed */
static struct arena *arena;
static struct sample sample;
static struct diag diag;

static int setup(void **state)
{
    (void)state;
    text_set_language(LANGUAGE_EN);
    return arena_new(1 << 20, &arena);
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Defaults over whatever stood there before. */
static void start(void)
{
    arena_reset(arena);
    memset(&sample, 0x5a, sizeof(sample));
    diag.text[0] = '\0';
    assert_int_equal(settings_default(rows, &sample, arena), 0);
}

static int set(const char *name, const char *value)
{
    diag.text[0] = '\0';
    return settings_set(rows, &sample, str_from(name), str_from(value), arena, &diag);
}

static int parse(const char *text)
{
    start();
    return settings_parse(rows, &sample, "x.conf", str_from(text), arena, &diag);
}

static void test_defaults(void **state)
{
    (void)state;
    start();
    assert_false(sample.is_loud);
    assert_int_equal(sample.workers, 2);
    assert_int_equal(sample.bytes, 10LL << 30);
    assert_int_equal(sample.wait, 86400 * NS_PER_S);
    assert_null(sample.name);
    assert_string_equal(sample.folder, "/var/lib/x");
    assert_string_equal(sample.mode, "ask");
    assert_int_equal(sample.tags.count, 0);
    assert_int_equal(sample.protect.count, 2);
    assert_string_equal(sample.protect.items[1], "/srv");
}

static void test_numbers(void **state)
{
    (void)state;
    start();
    assert_int_equal(set("vault-bytes", "64M"), 0);
    assert_int_equal(sample.bytes, 64 << 20);
    assert_int_equal(set("vault-bytes", "1P"), 0);
    assert_int_equal(set("vault-bytes", "2P"), -ERR_RANGE);
    assert_string_equal(diag.text, "'vault-bytes' must be at most 1P, not 2P");
    assert_int_equal(set("vault-bytes", "63M"), -ERR_RANGE);
    assert_string_equal(diag.text, "'vault-bytes' must be at least 64M, not 63M");
    assert_int_equal(set("vault-bytes", "9223372036854775807K"), -ERR_RANGE); /* overflows */
    assert_int_equal(set("vault-bytes", "99999999999999999999"), -ERR_RANGE);
    assert_int_equal(set("wait", "1500ms"), 0);
    assert_int_equal(sample.wait, 1500 * NS_PER_MS);
    assert_int_equal(set("wait", "7d"), 0);
    assert_int_equal(sample.wait, 7 * 86400 * NS_PER_S);
    assert_int_equal(set("workers", "64"), 0);
    assert_int_equal(sample.workers, 64);
}

static void test_bad_units(void **state)
{
    static const char *const bad[][2] = {
        {"vault-bytes", ""},     {"vault-bytes", "G"},    {"vault-bytes", "10GB"},
        {"vault-bytes", "10 G"}, {"vault-bytes", "10g"},  {"vault-bytes", "1.5G"},
        {"vault-bytes", "-"},    {"vault-bytes", "0x10"}, {"wait", "5"},
        {"wait", "5 s"},         {"wait", "5min"},        {"wait", "s"},
        {"workers", "2K"},       {"workers", "two"},      {"workers", "+2"},
        {"workers", "--2"},
    };

    (void)state;
    start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (set(bad[i][0], bad[i][1]) != -ERR_SYNTAX) {
            fail_msg("%s = '%s' was taken", bad[i][0], bad[i][1]);
        }
    }
    assert_int_equal(set("wait", "5min"), -ERR_SYNTAX);
    assert_string_equal(diag.text, "'wait' wants a value such as 24h, not '5min'");
    assert_int_equal(sample.bytes, 10LL << 30); /* a refused value changes nothing */
    assert_int_equal(sample.workers, 2);
}

static void test_words(void **state)
{
    (void)state;
    start();
    assert_int_equal(set("loud", "có"), 0);
    assert_true(sample.is_loud);
    assert_int_equal(set("loud", "off"), 0);
    assert_false(sample.is_loud);
    assert_int_equal(set("loud", "maybe"), -ERR_SYNTAX);
    assert_string_equal(diag.text, "'loud' wants yes or no, not 'maybe'");
    assert_int_equal(set("mode", "stop"), 0);
    assert_string_equal(sample.mode, "stop");
    assert_int_equal(set("mode", "sto"), -ERR_SYNTAX);
    assert_string_equal(diag.text, "'mode' wants one of ask|stop|none, not 'sto'");
    assert_int_equal(set("mode", "ask|stop"), -ERR_SYNTAX);
    assert_string_equal(sample.mode, "stop");
}

static void test_paths(void **state)
{
    static const char *const bad[] = {"",       "srv", "./srv", "/srv/../etc",
                                      "/srv/.", "/..", "//srv", "/a//b"};

    (void)state;
    start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (set("folder", bad[i]) != -ERR_SYNTAX) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_string_equal(sample.folder, "/var/lib/x");
    assert_int_equal(set("folder", "/srv/Phòng HC/"), 0);
    assert_string_equal(sample.folder, "/srv/Phòng HC"); /* without the closing slash */
    assert_int_equal(set("folder", "/"), 0);
    assert_string_equal(sample.folder, "/");
    assert_int_equal(set("folder", "/..a"), 0);
    assert_int_equal(settings_set(rows, &sample, STR("folder"), STR("/srv\0/x"), arena, NULL),
                     -ERR_SYNTAX);
}

/* What a type does not say of a text. */
static void test_checked(void **state)
{
    (void)state;
    start();
    assert_int_equal(settings_parse(rows, &sample, "/etc/x.conf", STR("workers = 3\neven = abc\n"),
                                    arena, &diag),
                     -ERR_SYNTAX);
    assert_string_equal(diag.text, "/etc/x.conf, line 2: 'abc' is odd; write one letter more");
    assert_null(sample.even);
    assert_int_equal(set("even", "abcd"), 0);
    assert_string_equal(sample.even, "abcd");
}

static void test_nearest_name(void **state)
{
    (void)state;
    start();
    assert_int_equal(set("protekt", "/x"), -ERR_NOENT);
    assert_string_equal(diag.text, "there is no 'protekt'; did you mean 'protect'?");
    assert_int_equal(set("vault_bytes", "1G"), -ERR_NOENT);
    assert_string_equal(diag.text, "there is no 'vault_bytes'; did you mean 'vault-bytes'?");
    assert_int_equal(set("q", "1"), -ERR_NOENT); /* one letter is near to nothing */
    assert_string_equal(diag.text, "there is no 'q'; --help lists what there is");
    assert_int_equal(
        set("a-name-much-longer-than-sixty-three-bytes-which-no-setting-will-ever-have", "1"),
        -ERR_NOENT);
    assert_int_equal(set("", "1"), -ERR_NOENT);
}

static void test_file(void **state)
{
    (void)state;
    assert_int_equal(parse("# how it works\n\n  workers = 7  \r\nname=a = b # c\n\tmode\t=\tstop"),
                     0);
    assert_int_equal(sample.workers, 7);
    assert_string_equal(sample.name, "a = b # c"); /* only a line of its own is a comment */
    assert_string_equal(sample.mode, "stop");
    assert_int_equal(parse(""), 0);
    assert_int_equal(parse("name ="), 0);
    assert_string_equal(sample.name, "");
    assert_int_equal(parse("\nworkers = 0\n"), -ERR_RANGE);
    assert_string_equal(diag.text, "x.conf, line 2: 'workers' must be at least 1, not 0");
    assert_int_equal(parse("workers 3"), -ERR_SYNTAX);
    assert_string_equal(diag.text, "x.conf, line 1: a line is 'name = value', not 'workers 3'");
    assert_int_equal(parse("wrkers = 3"), -ERR_NOENT);
    assert_string_equal(diag.text, "x.conf, line 1: there is no 'wrkers'; did you mean 'workers'?");
}

static void test_lists(void **state)
{
    static char many[SETTING_LIST_MAX * 2 + 2];

    (void)state;
    /* What a file names replaces the default; its later lines add. */
    assert_int_equal(parse("protect = /data\nworkers = 3\nprotect = /a, /b,,"), 0);
    assert_int_equal(sample.protect.count, 3);
    assert_string_equal(sample.protect.items[0], "/data");
    assert_string_equal(sample.protect.items[2], "/b");
    assert_int_equal(parse("protect ="), 0); /* and may name nothing */
    assert_int_equal(sample.protect.count, 0);
    assert_int_equal(parse("protect = /a,b"), -ERR_SYNTAX);
    for (size_t i = 0; i <= SETTING_LIST_MAX; i++) {
        many[2 * i] = 'x';
        many[2 * i + 1] = ',';
    }
    start();
    assert_int_equal(
        settings_set(rows, &sample, STR("tag"), str_of(many, 2 * SETTING_LIST_MAX), arena, NULL),
        0);
    assert_int_equal(sample.tags.count, SETTING_LIST_MAX);
    assert_int_equal(set("tag", "one more"), -ERR_LIMIT);
    assert_string_equal(diag.text, "'tag' takes at most 256 values");
}

static const char *items[17];
static struct setting_operands operands;

/* Words parted by single spaces. */
static int parse_args(const char *line)
{
    static char words[512];
    static char *argv[17];
    int argc = 0;
    char *at = words;

    assert_true(strlen(line) < sizeof(words));
    memcpy(words, line, strlen(line) + 1);
    while (at != NULL && *at != '\0') {
        char *space = strchr(at, ' ');

        argv[argc++] = at;
        if (space != NULL) {
            *space++ = '\0';
        }
        at = space;
    }
    start();
    argv[argc] = NULL;
    operands = (struct setting_operands){.items = items, .count = 99, .here = here};
    return settings_parse_args(rows, &sample, argv, &operands, arena, &diag);
}

/* From where they are typed: /srv/phong. In a file there is no such place. */
static void test_relative_paths(void **state)
{
    static const struct {
        const char *line;
        const char *is; /* NULL: it is refused */
    } rows_of[] = {{"--folder kho", "/srv/phong/kho"},
                   {"--folder=./kho/", "/srv/phong/kho"},
                   {"--folder .", "/srv/phong"},
                   {"--folder ./.", "/srv/phong"},
                   {"--folder ..", "/srv"},
                   {"--folder ../hcns/kho", "/srv/hcns/kho"},
                   {"--folder ../../..", "/"},
                   {"--folder ../../../x", "/x"},
                   {"--folder ...", "/srv/phong/..."},
                   {"--folder .kho", "/srv/phong/.kho"},
                   {"--folder /kho", "/kho"},
                   {"--folder kho/../x", NULL}, /* kho may be a link */
                   {"--folder kho//x", NULL},
                   {"--folder .//x", NULL},
                   {"--folder=", NULL}};

    (void)state;
    here = "/srv/phong";
    for (size_t i = 0; i < sizeof(rows_of) / sizeof(rows_of[0]); i++) {
        int r = parse_args(rows_of[i].line);

        if (r != (rows_of[i].is != NULL ? 0 : -ERR_SYNTAX) ||
            (r == 0 && strcmp(sample.folder, rows_of[i].is) != 0)) {
            fail_msg("'%s' is '%s': %d", rows_of[i].line, sample.folder, r);
        }
    }
    assert_int_equal(parse_args("--protect a,/b,./c -p ../d"), 0);
    assert_int_equal(sample.protect.count, 4);
    assert_string_equal(sample.protect.items[0], "/srv/phong/a");
    assert_string_equal(sample.protect.items[1], "/b");
    assert_string_equal(sample.protect.items[2], "/srv/phong/c");
    assert_string_equal(sample.protect.items[3], "/srv/d");
    assert_int_equal(parse_args("--tag a/b"), 0);
    assert_string_equal(sample.tags.items[0], "a/b");
    here = "(unreachable)/srv";
    assert_int_equal(parse_args("--folder kho"), -ERR_SYNTAX);
    here = NULL;
    assert_int_equal(parse_args("--folder kho"), -ERR_SYNTAX);
}

static void test_args(void **state)
{
    (void)state;
    assert_int_equal(parse_args("one --workers 5 -l --mode=none two - -- --three -w"), 0);
    assert_int_equal(sample.workers, 5);
    assert_true(sample.is_loud);
    assert_string_equal(sample.mode, "none");
    assert_int_equal(operands.count, 5);
    assert_string_equal(items[0], "one");
    assert_string_equal(items[2], "-");
    assert_string_equal(items[4], "-w");
    assert_int_equal(parse_args("-w7 --loud=no -p /a -p/b,/c --tag=x=y"), 0);
    assert_int_equal(sample.workers, 7);
    assert_false(sample.is_loud);
    assert_int_equal(sample.protect.count, 3);
    assert_string_equal(sample.protect.items[0], "/a");
    assert_string_equal(sample.tags.items[0], "x=y");
    assert_int_equal(operands.count, 0);
    assert_int_equal(parse_args(""), 0);
    assert_int_equal(operands.count, 0);
}

static void test_args_refuse(void **state)
{
    (void)state;
    assert_int_equal(parse_args("--workers"), -ERR_SYNTAX);
    assert_string_equal(diag.text, "--workers wants N");
    assert_int_equal(parse_args("--workrs 5"), -ERR_NOENT);
    assert_string_equal(diag.text, "there is no 'workrs'; did you mean 'workers'?");
    assert_int_equal(parse_args("-x"), -ERR_NOENT);
    assert_string_equal(diag.text, "there is no '-x'; --help lists what there is");
    assert_int_equal(parse_args("--=5"), -ERR_NOENT);
    assert_int_equal(parse_args("--workers -5"), -ERR_RANGE);
    assert_int_equal(parse_args("-lw"), -ERR_SYNTAX);
    assert_int_equal(parse_args("--wait 1h --wait 5"), -ERR_SYNTAX);
}

static void test_help(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 16);
    settings_write_help(rows, 100, &buf);
    assert_int_equal(buf_error(&buf), 0);
    assert_non_null(strstr(buf.ptr, "  -l, --loud                       speak up\n"));
    assert_non_null(strstr(
        buf.ptr, "      --vault-bytes SIZE           most bytes the vault may hold [10G]\n"));
    assert_non_null(
        strstr(buf.ptr, "  -m, --mode VALUE                 what to do (ask|stop|none) [ask]\n"));
    buf_reset(&buf);
    settings_write_help(rows, 60, &buf);
    assert_non_null(strstr(buf.ptr, "  -m, --mode VALUE                 what to do\n"
                                    "                                   (ask|stop|none) [ask]\n"));
    buf_done(&buf);
}

static void test_json(void **state)
{
    struct json_value *value = NULL;
    const struct json_value *row;
    struct json_writer json;
    struct buf buf;

    (void)state;
    start();
    assert_int_equal(set("loud", "yes"), 0);
    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    settings_write_json(rows, &sample, &json);
    assert_int_equal(json_parse(buf_str(&buf), arena, &value, NULL), 0);
    assert_int_equal(value->count, 10);
    row = value->first;
    assert_str(json_member_str(row, "type", STR("")), "flag");
    assert_true(json_member_bool(row, "value", false));
    row = row->next->next;
    assert_str(json_member_str(row, "name", STR("")), "vault-bytes");
    assert_str(json_member_str(row, "maximum", STR("")), "1P");
    assert_int_equal(json_member_i64(row, "value", 0), 10LL << 30);
    row = row->next->next;
    assert_int_equal(json_member(row, "value")->type, JSON_TYPE_NULL);
    row = row->next->next->next->next;
    assert_int_equal(json_member(row, "value")->count, 2);
    buf_done(&buf);
}

static int parse_a_file(void *context)
{
    struct arena *own = NULL;
    int r = arena_new(1 << 16, &own);

    (void)context;
    if (r == 0) {
        r = settings_default(rows, &sample, own);
    }
    if (r == 0) {
        r = settings_parse(rows, &sample, "x", STR("name = a\nprotect = /a,/b\n"), own, NULL);
    }
    arena_free(own);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(parse_a_file, NULL);
}

/* What is written as text is read back as the same value. */
static void test_text_round_trip(void **state)
{
    static const struct {
        const char *name;
        const char *given;
        const char *written;
    } cases[] = {
        {"loud", "có", "yes"},           {"loud", "off", "no"},
        {"workers", "64", "64"},         {"vault-bytes", "1048576K", "1G"},
        {"vault-bytes", "65M", "65M"},   {"wait", "90s", "90s"},
        {"wait", "120s", "2m"},          {"wait", "48h", "2d"},
        {"wait", "1ms", "1ms"},          {"name", "Tỉnh Đồng Nai", "Tỉnh Đồng Nai"},
        {"folder", "/srv/a/", "/srv/a"}, {"mode", "stop", "stop"},
        {"tag", "một, hai", "một, hai"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct setting *row = setting_find(rows, str_from(cases[i].name));
        struct sample given = {0};
        struct sample again = {0};
        struct buf text;

        assert_non_null(row);
        buf_init(&text, 4096);
        assert_int_equal(settings_set(rows, &given, str_from(cases[i].name),
                                      str_from(cases[i].given), arena, NULL),
                         0);
        setting_write_text(row, &given, &text);
        assert_str(buf_str(&text), cases[i].written);
        assert_int_equal(
            settings_set(rows, &again, str_from(cases[i].name), buf_str(&text), arena, NULL), 0);
        buf_reset(&text);
        setting_write_text(row, &again, &text);
        assert_str(buf_str(&text), cases[i].written);
        buf_done(&text);
    }
    assert_null(setting_find(rows, STR("no-such")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bad_units),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_relative_paths), cmocka_unit_test(test_checked),
        cmocka_unit_test(test_paths),          cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_file),           cmocka_unit_test(test_lists),
        cmocka_unit_test(test_args),           cmocka_unit_test(test_args_refuse),
        cmocka_unit_test(test_help),           cmocka_unit_test(test_json),
        cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_text_round_trip),
    };

    return cmocka_run_group_tests_name("setting", tests, setup, teardown);
}
