/* The audit log: whoever edits, deletes, reorders or cuts off rows is seen. */
#include "store_bench.h"

#include "cli/command.h"
#include "store/chain.h"
#include "store/sqlite/sqlite.h"

#include <fcntl.h>

static void add_rows(struct bench *bench, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char object[32];

        (void)snprintf(object, sizeof(object), "cảnh báo %u", i);
        bench->fixture.wall += NS_PER_S;
        assert_int_equal(store_begin(bench->store), 0);
        assert_int_equal(store_audit_add(bench->store, STR("lan"), STR("alert.take"),
                                         str_from(object), STR("{\"từ\":\"10.0.0.1\"}")),
                         0);
        assert_int_equal(store_commit(bench->store), 0);
    }
}

static int verify(struct bench *bench, uint64_t *ret_rows, struct diag *diag)
{
    uint8_t head[32];

    *diag = (struct diag){{0}};
    return store_audit_verify(bench->store, ret_rows, head, diag);
}

/* What somebody with the file in hand can do. */
static void tamper(struct bench *bench, const char *sql)
{
    sqlite3 *handle = NULL;
    char *message = NULL;

    store_close(bench->store);
    bench->store = NULL;
    assert_int_equal(sqlite3_open(fixture_path(&bench->fixture, STORE_FILE), &handle), SQLITE_OK);
    if (sqlite3_exec(handle, "DROP TRIGGER audit_stays; DROP TRIGGER audit_is_fixed;", NULL, NULL,
                     &message) != SQLITE_OK ||
        sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
    sqlite3_close(handle);
    bench->store = open_store(&bench->fixture, false);
}

static void assert_broken(struct bench *bench, const char *says)
{
    struct diag diag;
    uint64_t rows = 0;

    assert_int_equal(verify(bench, &rows, &diag), -ERR_CORRUPT);
    if (strstr(diag.text, says) == NULL) {
        fail_msg("'%s' does not name '%s'", diag.text, says);
    }
}

static void test_empty_and_whole(void **state)
{
    struct bench *bench = *state;
    struct store_audit *list;
    struct diag diag;
    uint64_t rows = 99;
    size_t count;

    assert_int_equal(verify(bench, &rows, &diag), 0);
    assert_true(rows == 0);
    add_rows(bench, 20);
    assert_int_equal(verify(bench, &rows, &diag), 0);
    assert_true(rows == 20);
    assert_int_equal(store_audit_list(bench->store, 0, 7, bench->fixture.arena, &list, &count), 0);
    assert_int_equal(count, 7);
    assert_true(list[0].number == 20 && list[6].number == 14);
    assert_str(list[0].object, "cảnh báo 19");
    assert_int_equal(store_audit_list(bench->store, 3, 7, bench->fixture.arena, &list, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_audit_add(bench->store, STR(""), STR("x"), STR(""), STR("")),
                     -ERR_INVAL);
    assert_int_equal(store_commit(bench->store), -ERR_INVAL);
}

/* SHA-256 of 32 zero bytes and 86 01 02 61 61 61 62 60 60, as sha256sum gives it. */
static void test_first_link(void **state)
{
    static const uint8_t expected[32] = {0x68, 0xbe, 0xcc, 0x54, 0x47, 0xa5, 0x6e, 0xc8,
                                         0xda, 0xfd, 0x8a, 0xf4, 0xab, 0x14, 0xca, 0x5d,
                                         0xf7, 0xc6, 0x23, 0x81, 0x05, 0x13, 0x51, 0xac,
                                         0x09, 0xbc, 0xaf, 0x68, 0x51, 0xb7, 0xa9, 0xe2};
    const struct store_audit row = {.number = 1, .time = 2, .actor = STR("a"), .act = STR("b")};
    uint8_t zero[32] = {0};
    uint8_t link[32];
    uint8_t other[32];
    struct store_audit moved = row;

    (void)state;
    assert_int_equal(chain_link(zero, &row, link), 0);
    assert_memory_equal(link, expected, 32);
    moved.actor = STR("ab"); /* the same letters, parted elsewhere */
    moved.act = STR("");
    assert_int_equal(chain_link(zero, &moved, other), 0);
    assert_memory_not_equal(link, other, 32);
}

static void test_table_refuses(void **state)
{
    struct bench *bench = *state;
    sqlite3 *handle = database_handle(bench->store->database);

    add_rows(bench, 3);
    assert_int_not_equal(sqlite3_exec(handle, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(handle, "UPDATE audit SET actor = 'x'", NULL, NULL, NULL),
                         SQLITE_OK);
}

static void test_edit(void **state)
{
    static const char *const edits[] = {
        "UPDATE audit SET actor = 'minh' WHERE number = 5",
        "UPDATE audit SET time = time + 1 WHERE number = 5",
        "UPDATE audit SET detail = detail || ' ' WHERE number = 5",
        "UPDATE audit SET chain = zeroblob(32) WHERE number = 5",
    };
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        void *own = NULL;

        set_up(&own);
        add_rows(own, 10);
        tamper(own, edits[i]);
        assert_broken(own, "5");
        tear_down(&own);
    }
    (void)state;
}

static void test_delete(void **state)
{
    struct bench *bench = *state;

    add_rows(bench, 10);
    tamper(bench, "DELETE FROM audit WHERE number = 4");
    assert_broken(bench, "4");
}

static void test_delete_and_renumber(void **state)
{
    struct bench *bench = *state;

    add_rows(bench, 10);
    tamper(bench, "DELETE FROM audit WHERE number = 4;"
                  "UPDATE audit SET number = number - 1 WHERE number > 4");
    assert_broken(bench, "4");
}

static void test_reorder(void **state)
{
    struct bench *bench = *state;

    add_rows(bench, 10);
    tamper(bench, "UPDATE audit SET number = 99 WHERE number = 6; UPDATE audit SET number = 6 "
                  "WHERE number = 7;"
                  "UPDATE audit SET number = 7 WHERE number = 99");
    assert_broken(bench, "6");
}

static void test_truncate(void **state)
{
    struct bench *bench = *state;

    add_rows(bench, 10);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    tamper(bench, "DELETE FROM audit WHERE number > 7");
    assert_broken(bench, "10");
    add_rows(bench, 3); /* growing over it does not hide it */
    assert_broken(bench, "10");
}

/* Cut off and written anew with a chain that holds: only the anchor knows. */
static void test_rewrite(void **state)
{
    struct bench *bench = *state;

    add_rows(bench, 4);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    tamper(bench, "DELETE FROM audit WHERE number > 2");
    bench->fixture.wall += 12345;
    add_rows(bench, 2);
    assert_broken(bench, "4");
}

static size_t anchors_size(struct bench *bench, off_t cut_to)
{
    struct stat st;

    if (cut_to >= 0) {
        assert_int_equal(truncate(fixture_path(&bench->fixture, STORE_ANCHORS), cut_to), 0);
    }
    assert_int_equal(stat(fixture_path(&bench->fixture, STORE_ANCHORS), &st), 0);
    return (size_t)st.st_size;
}

static void test_anchor_in_time(void **state)
{
    struct bench *bench = *state;
    size_t before;
    size_t line;

    add_rows(bench, 1);
    line = anchors_size(bench, -1); /* the first commit of a life anchors */
    assert_true(line > 0);
    add_rows(bench, 50);
    assert_int_equal(anchors_size(bench, -1), line);
    bench->fixture.mono += 600 * NS_PER_S;
    add_rows(bench, 2);
    before = anchors_size(bench, -1);
    assert_true(before > line && before < 3 * line);
    bench->fixture.mono += 600 * NS_PER_S;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_commit(bench->store), 0); /* nothing new but one row: it is anchored */
    before = anchors_size(bench, -1);
    bench->fixture.mono += 600 * NS_PER_S;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(anchors_size(bench, -1), before);
}

/* A life begins with commits of other things; the first act after them is anchored at once. */
static void test_anchor_first_act(void **state)
{
    struct bench *bench = *state;
    struct diag diag;
    uint64_t rows;
    size_t before;

    add_rows(bench, 1);
    bench->fixture.mono += 600 * NS_PER_S;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_begin(bench->store), 0);
        assert_int_equal(store_commit(bench->store), 0);
    }
    before = anchors_size(bench, -1);
    add_rows(bench, 1);
    assert_true(anchors_size(bench, -1) > before);
    assert_int_equal(verify(bench, &rows, &diag), 0);
}

static void test_anchors_cut(void **state)
{
    struct bench *bench = *state;
    struct diag diag;
    uint64_t rows;
    size_t whole;

    add_rows(bench, 3);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    whole = anchors_size(bench, -1);
    add_rows(bench, 3);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    assert_int_equal(verify(bench, &rows, &diag), 0);
    (void)anchors_size(bench, (off_t)whole);
    assert_broken(bench, "6");
    (void)anchors_size(bench, 0);
    assert_broken(bench, "6");
}

/* A crash may leave half a line; it was not counted, and the next one is whole again. */
static void test_torn_anchor(void **state)
{
    struct bench *bench = *state;
    struct diag diag;
    uint64_t rows;
    int fd;

    add_rows(bench, 3);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    fd = open(fixture_path(&bench->fixture, STORE_ANCHORS), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "2025-11-24T1", 12), 12);
    close(fd);
    assert_int_equal(verify(bench, &rows, &diag), 0);
    add_rows(bench, 1);
    assert_int_equal(store_audit_anchor(bench->store), 0);
    assert_int_equal(verify(bench, &rows, &diag), 0);
    assert_true(rows == 4);
    fd = open(fixture_path(&bench->fixture, STORE_ANCHORS), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "rubbish\n", 8), 8);
    close(fd);
    assert_broken(bench, "audit.anchors");
}

/* ---- canhgac audit */

extern const struct command audit_command;

static int call_verb(struct bench *bench, const char *name, char **argv)
{
    const struct command *verb = audit_command.verbs;
    struct command_call call = {.arena = bench->fixture.arena};
    struct diag diag = {{0}};

    while (verb->name != NULL && strcmp(verb->name, name) != 0) {
        verb++;
    }
    assert_non_null(verb->name);
    call.command = verb;
    call.settings = arena_alloc(call.arena, 1, verb->settings_size);
    call.operands.items = arena_alloc(call.arena, 8, sizeof(char *));
    assert_int_equal(settings_default(verb->rows, call.settings, call.arena), 0);
    assert_int_equal(
        settings_parse_args(verb->rows, call.settings, argv, &call.operands, call.arena, &diag), 0);
    return verb->run(&call);
}

/* Runs a verb; what it printed to stdout comes back in out. */
static int run(struct bench *bench, const char *verb, const char *option, char *out, size_t size)
{
    char words[3][128] = {"--centre", "", ""};
    char *argv[4] = {words[0], words[1], option[0] != '\0' ? words[2] : NULL, NULL};
    int kept = dup(STDOUT_FILENO);
    int fd;
    ssize_t len;
    int status;

    (void)snprintf(words[1], sizeof(words[1]), "%s", bench->fixture.folder);
    (void)snprintf(words[2], sizeof(words[2]), "%s", option);
    fd = open(fixture_path(&bench->fixture, "out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && kept >= 0);
    (void)fflush(stdout);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    status = call_verb(bench, verb, argv);
    (void)fflush(stdout);
    assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    len = pread(fd, out, size - 1, 0);
    assert_true(len >= 0);
    out[len] = '\0';
    close(fd);
    close(kept);
    return status;
}

static void test_command(void **state)
{
    struct bench *bench = *state;
    char out[8192];

    text_set_language(LANGUAGE_EN);
    add_rows(bench, 3);
    assert_int_equal(run(bench, "verify", "", out, sizeof(out)), EXIT_STATUS_CLEAN);
    assert_non_null(strstr(out, "3 rows"));
    assert_int_equal(run(bench, "verify", "--json", out, sizeof(out)), EXIT_STATUS_CLEAN);
    assert_non_null(strstr(out, "\"intact\":true"));
    assert_int_equal(run(bench, "list", "--limit=2", out, sizeof(out)), EXIT_STATUS_CLEAN);
    assert_non_null(strstr(out, "cảnh báo 2"));
    assert_null(strstr(out, "cảnh báo 0"));
    assert_int_equal(run(bench, "list", "--json", out, sizeof(out)), EXIT_STATUS_CLEAN);
    assert_non_null(strstr(out, "\"actor\":\"lan\""));

    tamper(bench, "UPDATE audit SET actor = 'minh' WHERE number = 2");
    assert_int_equal(run(bench, "verify", "", out, sizeof(out)), EXIT_STATUS_FOUND);
    assert_non_null(strstr(out, "row 2"));
    assert_int_equal(run(bench, "verify", "--json", out, sizeof(out)), EXIT_STATUS_FOUND);
    assert_non_null(strstr(out, "\"intact\":false"));
}

/* A host's name may hold anything; the terminal must not obey it. */
static void test_command_is_plain(void **state)
{
    struct bench *bench = *state;
    char out[8192];

    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_audit_add(bench->store, STR("lan"), STR("host.revoke"),
                                     STR("a\x1b[2Jb\xc2\x9b"
                                         "1mc\nd"),
                                     STR("")),
                     0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(run(bench, "list", "", out, sizeof(out)), EXIT_STATUS_CLEAN);
    assert_non_null(strstr(out, "a?[2Jb?1mc?d"));
}

static void test_command_without_centre(void **state)
{
    struct bench *bench = *state;
    char out[64];

    store_close(bench->store);
    bench->store = NULL;
    assert_int_equal(unlink(fixture_path(&bench->fixture, STORE_FILE)), 0);
    assert_int_equal(run(bench, "verify", "", out, sizeof(out)), EXIT_STATUS_FAILED);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty_and_whole, set_up, tear_down),
        cmocka_unit_test(test_first_link),
        cmocka_unit_test_setup_teardown(test_table_refuses, set_up, tear_down),
        cmocka_unit_test(test_edit),
        cmocka_unit_test_setup_teardown(test_delete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delete_and_renumber, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reorder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truncate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rewrite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_anchor_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_anchor_first_act, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_anchors_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_torn_anchor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_is_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_without_centre, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
