/* state.db: hosts, users, sessions, tokens, actions, counters; foreign, newer and damaged
 * files. */
#include "store_bench.h"

#include "store/sqlite/sqlite.h"

#include <fcntl.h>
#include <sys/wait.h>

/* ---- hosts */

static void test_host_round_trip(void **state)
{
    struct bench *bench = *state;
    struct store_host host = make_host(1, "Sở-KHCN-pc04");
    struct store_host got;
    struct status status = {.time = 5, .version = STR("0.1"), .kernel = STR("6.1"), .dropped = 7};
    struct id nobody = fixture_id(99);

    host.clock_offset = -42;
    host.acknowledged = 9;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &host), 0);
    assert_int_equal(store_host_status(bench->store, &host.id, &status, FIXTURE_NOW + 1), 0);
    assert_int_equal(store_host_status(bench->store, &nobody, &status, 1), -ERR_NOENT);
    assert_int_equal(store_commit(bench->store), 0);

    assert_int_equal(store_host_get(bench->store, &host.id, bench->fixture.arena, &got), 0);
    assert_str(got.name, "Sở-KHCN-pc04");
    assert_memory_equal(got.key_sha256, host.key_sha256, 32);
    assert_true(got.clock_offset == -42 && got.acknowledged == 9 && got.seen == FIXTURE_NOW + 1);
    assert_str(got.status.kernel, "6.1");
    assert_true(got.status.dropped == 7 && got.open_alerts == 0);
    assert_int_equal(store_host_find_key(bench->store, host.key_sha256, bench->fixture.arena, &got),
                     0);
    assert_true(id_is(&got.id, &host.id));
    assert_int_equal(store_host_get(bench->store, &nobody, bench->fixture.arena, &got), -ERR_NOENT);
}

static void test_host_acknowledge(void **state)
{
    struct bench *bench = *state;
    struct store_host got;
    struct store_host again = make_host(1, "may-1");

    put_host(bench->store, 1, "may-1");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_acknowledge(bench->store, &again.id, 10), 0);
    assert_int_equal(store_host_acknowledge(bench->store, &again.id, 10), -ERR_EXIST);
    assert_int_equal(store_host_acknowledge(bench->store, &again.id, 3), -ERR_EXIST);
    assert_int_equal(store_host_put(bench->store, &again),
                     0); /* acknowledged 0 does not lower it */
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_host_get(bench->store, &again.id, bench->fixture.arena, &got), 0);
    assert_true(got.acknowledged == 10);

    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_acknowledge(bench->store, &again.id, UINT64_MAX), -ERR_RANGE);
    assert_int_equal(store_commit(bench->store), -ERR_RANGE);
}

static void test_host_names(void **state)
{
    struct bench *bench = *state;
    struct store_host old = make_host(1, "kế-toán");
    struct store_host new = make_host(2, "kế-toán");
    struct store_host got;

    put_host(bench->store, 1, "kế-toán");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &new), -ERR_EXIST);
    assert_int_equal(store_commit(bench->store), 0); /* nothing was half done */

    old.is_revoked = true;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &old), 0);
    assert_int_equal(store_host_put(bench->store, &new), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_host_get(bench->store, &old.id, bench->fixture.arena, &got), 0);
    assert_str(got.name, "kế-toán~a0000000");
    assert_int_equal(store_host_get(bench->store, &new.id, bench->fixture.arena, &got), 0);
    assert_str(got.name, "kế-toán");
}

static void test_host_pages(void **state)
{
    struct bench *bench = *state;
    struct store_host *hosts;
    struct str after = STR("");
    size_t count = 0;
    unsigned seen = 0;

    for (unsigned i = 0; i < 25; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "may-%02u", 24 - i);
        put_host(bench->store, i + 1, name);
    }
    for (;;) {
        assert_int_equal(
            store_host_list(bench->store, after, 10, bench->fixture.arena, &hosts, &count), 0);
        if (count == 0) {
            break;
        }
        for (size_t i = 0; i < count; i++) {
            char name[16];

            (void)snprintf(name, sizeof(name), "may-%02u", seen++);
            assert_str(hosts[i].name, name);
        }
        after = hosts[count - 1].name;
    }
    assert_int_equal(seen, 25);
}

/* ---- people */

static void test_users(void **state)
{
    struct bench *bench = *state;
    struct store_user user = {.name = STR("lan"),
                              .full_name = STR("Nguyễn Thị Lan"),
                              .role = ROLE_DUTY,
                              .password = STR("$argon2id$…"),
                              .totp_secret = str_of("a\0b", 3)};
    struct store_user got;
    struct store_user *users;
    uint64_t number = 0;
    uint64_t other = 0;
    size_t count;

    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_user_put(bench->store, &user, &number), 0);
    assert_int_equal(store_user_put(bench->store, &user, &other), -ERR_EXIST);
    user.number = number;
    user.role = ROLE_ADMIN;
    assert_int_equal(store_user_put(bench->store, &user, &other), 0);
    assert_true(other == number);
    user.number = 77;
    user.name = STR("x");
    assert_int_equal(store_user_put(bench->store, &user, &other), -ERR_NOENT);
    user.role = ROLE_COUNT;
    assert_int_equal(store_user_put(bench->store, &user, &other), -ERR_INVAL);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_user_get(bench->store, STR("lan"), bench->fixture.arena, &got), 0);
    assert_int_equal(got.role, ROLE_ADMIN);
    assert_str(got.full_name, "Nguyễn Thị Lan");
    assert_int_equal(got.totp_secret.len, 3);
    assert_int_equal(store_user_get_number(bench->store, number, bench->fixture.arena, &got), 0);
    assert_str(got.name, "lan");
    assert_int_equal(store_user_get(bench->store, STR("Lan"), bench->fixture.arena, &got),
                     -ERR_NOENT);
    assert_int_equal(store_user_list(bench->store, bench->fixture.arena, &users, &count), 0);
    assert_int_equal(count, 1);
}

static void test_sessions(void **state)
{
    struct bench *bench = *state;
    struct store_user user = {.name = STR("lan")};
    struct store_session session = {.token_sha256 = {1},
                                    .created = FIXTURE_NOW,
                                    .used = FIXTURE_NOW,
                                    .expires = FIXTURE_NOW + 10,
                                    .address = STR("10.0.0.1")};
    struct store_session got;
    struct arena *arena = bench->fixture.arena;

    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_user_put(bench->store, &user, &session.user), 0);
    assert_int_equal(store_session_put(bench->store, &session), 0);
    session.token_sha256[0] = 2;
    assert_int_equal(store_session_put(bench->store, &session), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_session_get(bench->store, session.token_sha256, arena, &got), 0);
    assert_str(got.address, "10.0.0.1");
    assert_true(got.user == session.user);
    bench->fixture.wall += 10;
    assert_int_equal(store_session_get(bench->store, session.token_sha256, arena, &got),
                     -ERR_EXPIRED);

    session.expires += NS_PER_S;
    session.token_sha256[0] = 3;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_session_put(bench->store, &session),
                     0); /* clears the two that are over */
    session.token_sha256[0] = 4;
    assert_int_equal(store_session_put(bench->store, &session), 0);
    assert_int_equal(store_session_drop(bench->store, session.token_sha256), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_session_get(bench->store, session.token_sha256, arena, &got),
                     -ERR_NOENT);
    session.token_sha256[0] = 2;
    assert_int_equal(store_session_get(bench->store, session.token_sha256, arena, &got),
                     -ERR_NOENT);
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_session_drop_user(bench->store, session.user), 0);
    assert_int_equal(store_commit(bench->store), 0);
    session.token_sha256[0] = 3;
    assert_int_equal(store_session_get(bench->store, session.token_sha256, arena, &got),
                     -ERR_NOENT);
}

static void test_tokens(void **state)
{
    struct bench *bench = *state;
    struct store_token token = {.secret_sha256 = {7},
                                .note = STR("UBND xã"),
                                .created_by = STR("admin"),
                                .created = FIXTURE_NOW,
                                .expires = FIXTURE_NOW + 100};
    struct store_token *tokens;
    struct id host = fixture_id(1);
    size_t count;

    put_host(bench->store, 1, "may-1");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_token_put(bench->store, &token), 0);
    assert_int_equal(store_token_put(bench->store, &token), -ERR_EXIST);
    token.secret_sha256[0] = 8;
    assert_int_equal(store_token_put(bench->store, &token), 0);
    assert_int_equal(store_token_use(bench->store, token.secret_sha256, &host), 0);
    assert_int_equal(store_token_use(bench->store, token.secret_sha256, &host), -ERR_EXIST);
    bench->fixture.wall += 100;
    token.secret_sha256[0] = 7;
    assert_int_equal(store_token_use(bench->store, token.secret_sha256, &host), -ERR_EXPIRED);
    token.secret_sha256[0] = 9;
    assert_int_equal(store_token_use(bench->store, token.secret_sha256, &host), -ERR_NOENT);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_token_list(bench->store, bench->fixture.arena, &tokens, &count), 0);
    assert_int_equal(count, 2);
    assert_true(tokens[0].used == FIXTURE_NOW && id_is(&tokens[0].used_by, &host));
    assert_true(tokens[1].used == 0 && id_is_none(&tokens[1].used_by));
    assert_str(tokens[1].note, "UBND xã");
}

static size_t actions(struct bench *bench, const struct id *host, const struct id *finding,
                      int state, struct store_action **ret_actions)
{
    size_t count = 0;

    const struct store_action_filter filter = {.host = host, .finding = finding, .state = state};

    assert_int_equal(
        store_action_list(bench->store, &filter, bench->fixture.arena, ret_actions, &count), 0);
    return count;
}

static void test_actions(void **state)
{
    struct bench *bench = *state;
    struct id host = fixture_id(1);
    struct id other = fixture_id(2);
    struct id finding = fixture_id(50);
    struct store_action action = {
        .request = {.id = fixture_id(60),
                    .action = ACTION_RESUME,
                    .finding = finding,
                    .asked = 5,
                    .expires = 9,
                    .actor = STR("lan"),
                    .reason = STR("biết rõ")},
        .host = host,
    };
    struct action_answer answer = {
        .id = action.request.id, .time = 7, .result = -ERR_NOENT, .detail = STR("no such group")};
    struct store_action *list;

    put_host(bench->store, 1, "may-1");
    put_host(bench->store, 2, "may-2");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_action_put(bench->store, &action), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(actions(bench, NULL, NULL, ACTION_STATE_WAITING, &list), 1);
    assert_int_equal(actions(bench, &other, NULL, ACTION_STATE_WAITING, &list), 0);
    action.state = ACTION_STATE_SENT;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_action_put(bench->store, &action), 0);
    assert_int_equal(store_action_answer(bench->store, &other, &answer), -ERR_NOENT);
    assert_int_equal(store_action_answer(bench->store, &host, &answer), 0);
    assert_int_equal(store_action_answer(bench->store, &host, &answer), -ERR_EXIST);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(actions(bench, &host, NULL, -1, &list), 1);
    assert_int_equal(actions(bench, NULL, &finding, ACTION_STATE_FAILED, &list), 1);
    assert_int_equal(actions(bench, NULL, NULL, -1, &list), 1);
    assert_int_equal(list[0].state, ACTION_STATE_FAILED);
    assert_int_equal(list[0].answer.result, -ERR_NOENT);
    assert_str(list[0].answer.detail, "no such group");
    assert_str(list[0].request.reason, "biết rõ");
    assert_int_equal(actions(bench, &host, &other, -1, &list), 0);
}

/* The newest change of each setting, with what stood before it; taking back is a change too. */
static void test_settings(void **state)
{
    struct bench *bench = *state;
    const struct store_setting first = {.name = STR("token-life"),
                                        .is_set = true,
                                        .value = STR("2h"),
                                        .actor = STR("lan"),
                                        .reason = STR("xã xa")};
    struct store_setting back = first;
    struct store_setting *list;
    size_t count;

    assert_int_equal(store_setting_put(bench->store, &first), -ERR_INVAL); /* no transaction */
    back.is_set = false;
    back.was_set = true;
    back.before = STR("2h");
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_setting_put(bench->store, &first), 0);
    assert_int_equal(store_setting_put(bench->store, &back), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_setting_list(bench->store, bench->fixture.arena, &list, &count), 0);
    assert_int_equal(count, 1);
    assert_false(list[0].is_set);
    assert_true(list[0].was_set && list[0].time != 0);
    assert_str(list[0].before, "2h");
    assert_str(list[0].reason, "xã xa");
}

static void test_counts(void **state)
{
    struct bench *bench = *state;
    struct store_counts more = {.events = 5, .findings = 2, .duplicates = 1};
    struct store_counts counts;
    struct status status = {.dropped = 11};
    struct store_host revoked = make_host(2, "may-2");
    struct id host = fixture_id(1);

    put_host(bench->store, 1, "may-1");
    revoked.is_revoked = true;
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &revoked), 0);
    assert_int_equal(store_host_status(bench->store, &host, &status, FIXTURE_NOW), 0);
    assert_int_equal(store_counts_add(bench->store, &more), 0);
    assert_int_equal(store_counts_add(bench->store, &more), 0);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_counts(bench->store, &counts), 0);
    assert_true(counts.events == 10 && counts.findings == 4 && counts.duplicates == 2);
    assert_true(counts.hosts == 1 && counts.hosts_silent == 0 && counts.hosts_revoked == 1);
    assert_true(counts.dropped == 11);
    bench->fixture.wall += STORE_SILENT_NS + 1;
    assert_int_equal(store_counts(bench->store, &counts), 0);
    assert_true(counts.hosts_silent == 1);
}

/* ---- transactions and files */

static void test_transactions(void **state)
{
    struct bench *bench = *state;
    struct store_host host = make_host(1, "may-1");
    struct store_host got;
    struct id nobody = fixture_id(9);
    struct finding finding = make_finding(1, "T", 1);
    uint64_t number = 0;

    assert_int_equal(store_host_put(bench->store, &host), -ERR_INVAL); /* outside a transaction */
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &host), 0);
    store_rollback(bench->store);
    assert_int_equal(store_host_get(bench->store, &host.id, bench->fixture.arena, &got),
                     -ERR_NOENT);

    /* A finding of a host that is not there fails half done: nothing of the batch may stay. */
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &host), 0);
    assert_int_equal(store_alert_fold(bench->store, &nobody, &finding, &number), -ERR_NOENT);
    assert_int_equal(store_commit(bench->store), -ERR_NOENT);
    assert_int_equal(store_host_get(bench->store, &host.id, bench->fixture.arena, &got),
                     -ERR_NOENT);
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_commit(bench->store), 0);
}

static void test_read_only(void **state)
{
    struct bench *bench = *state;
    struct store *reader = open_store(&bench->fixture, true);
    struct store_host host = make_host(1, "may-1");
    struct store_host got;

    assert_int_equal(store_begin(reader), -ERR_ROFS);
    assert_int_equal(store_host_put(reader, &host), -ERR_ROFS);
    assert_int_equal(store_begin(bench->store), 0);
    assert_int_equal(store_host_put(bench->store, &host), 0);
    assert_int_equal(store_host_get(reader, &host.id, bench->fixture.arena, &got), -ERR_NOENT);
    assert_int_equal(store_commit(bench->store), 0);
    assert_int_equal(store_host_get(reader, &host.id, bench->fixture.arena, &got), 0);
    store_close(reader);
}

static int refuse(struct fixture *fixture, bool is_read_only, struct diag *diag)
{
    struct store_options options = {.folder = fixture->folder, .is_read_only = is_read_only};
    struct store *store = NULL;
    int r = store_open(&options, &store, diag);

    assert_null(store);
    return r;
}

static void write_file(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static void raw_exec(const char *path, const char *sql)
{
    sqlite3 *handle = NULL;
    char *message = NULL;

    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
    sqlite3_close(handle);
}

static void test_foreign_files(void **state)
{
    struct fixture fixture;
    struct diag diag = {{0}};
    char page[4096] = "this is somebody's letter";
    char back[4096];
    int fd;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(refuse(&fixture, true, &diag), -ERR_NOENT);
    assert_non_null(strstr(diag.text, fixture.folder));

    write_file(fixture_path(&fixture, STORE_FILE), page, sizeof(page));
    diag = (struct diag){{0}};
    assert_int_equal(refuse(&fixture, false, &diag), -ERR_FOREIGN);
    assert_non_null(strstr(diag.text, STORE_FILE));
    fd = open(fixture_path(&fixture, STORE_FILE), O_RDONLY);
    assert_int_equal(read(fd, back, sizeof(back)), sizeof(back));
    close(fd);
    assert_memory_equal(page, back, sizeof(page)); /* not a byte of it was touched */

    unlink(fixture_path(&fixture, STORE_FILE));
    raw_exec(fixture_path(&fixture, STORE_FILE), "CREATE TABLE letters (t TEXT)");
    assert_int_equal(refuse(&fixture, false, NULL), -ERR_FOREIGN);
    raw_exec(fixture_path(&fixture, STORE_FILE), "SELECT * FROM letters");

    unlink(fixture_path(&fixture, STORE_FILE));
    raw_exec(fixture_path(&fixture, STORE_FILE),
             "PRAGMA application_id = 0x43474153; PRAGMA user_version = 999");
    diag = (struct diag){{0}};
    assert_int_equal(refuse(&fixture, false, &diag), -ERR_VERSION);
    assert_non_null(strstr(diag.text, "999"));
    fixture_done(&fixture);
}

static void test_damaged_file(void **state)
{
    struct bench *bench = *state;
    struct store_alert_filter filter = no_filter;
    struct store_alert *alerts;
    size_t count = 0;
    char junk[4096];
    int fd;
    int r;

    make_varied_alerts(bench);
    store_close(bench->store);
    raw_exec(fixture_path(&bench->fixture, STORE_FILE), "PRAGMA wal_checkpoint(TRUNCATE)");
    memset(junk, 0xa5, sizeof(junk));
    fd = open(fixture_path(&bench->fixture, STORE_FILE), O_RDWR);
    for (off_t at = 4096; at < lseek(fd, 0, SEEK_END); at += 4096) {
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    }
    close(fd);
    bench->store = NULL;
    {
        struct store_options options = {.folder = bench->fixture.folder,
                                        .clock = &bench->fixture.clock};

        r = store_open(&options, &bench->store, NULL);
    }
    if (r == 0) {
        r = store_alert_list(bench->store, &filter, bench->fixture.arena, &alerts, &count);
    }
    assert_int_equal(r, -ERR_CORRUPT);
}

static void remove_store(struct fixture *fixture)
{
    static const char *const names[] = {STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm",
                                        STORE_ANCHORS};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)unlink(fixture_path(fixture, names[i]));
    }
}

/* Version 1 as it was: tables only, no words. */
static void test_migration(void **state)
{
    struct bench *bench = *state;
    struct store_alert_filter filter = no_filter;
    struct store_counts counts;
    struct store_host *hosts;
    struct store_alert *alerts;
    struct diag diag = {{0}};
    const char *path;
    size_t count;

    store_close(bench->store);
    bench->store = NULL;
    remove_store(&bench->fixture);
    path = fixture_path(&bench->fixture, STORE_FILE);
    raw_exec(path, store_steps[0]);
    raw_exec(
        path,
        "PRAGMA application_id = 0x43474153; PRAGMA user_version = 1;"
        "INSERT INTO hosts VALUES (x'a0000000010000000000000000000000', 'Máy-Đội-1', zeroblob(32), "
        "1, 2,"
        " 0, 0, 0, 77, 0, NULL);"
        "INSERT INTO alerts VALUES (5, x'000102030405060708090a0b0c0d0e0f',"
        " x'a0000000010000000000000000000000', 0, 4, 0, 1, 2, 3, 'ransom', 'Old Title', '', '', 1);"
        "INSERT INTO findings VALUES (x'000102030405060708090a0b0c0d0e0f', 5, 1, 1, x'00')");
    assert_int_equal(refuse(&bench->fixture, true, &diag), -ERR_VERSION);
    bench->store = open_store(&bench->fixture, false);
    filter.words = STR("doi title");
    assert_int_equal(list(bench, &filter, &alerts), 1);
    assert_true(alerts[0].number == 5 && alerts[0].count == 3);
    assert_int_equal(store_counts(bench->store, &counts), 0);
    assert_true(counts.alerts_new == 1 && counts.alerts_taken == 0);
    assert_int_equal(
        store_host_list(bench->store, STR(""), 0, bench->fixture.arena, &hosts, &count), 0);
    assert_int_equal(hosts[0].open_alerts, 1);
    store_close(bench->store);
    bench->store = open_store(&bench->fixture, false); /* lifted once, not again */
    assert_int_equal(list(bench, &filter, &alerts), 1);
}

/* The api process: another user, who may read the files and write nothing. */
static int read_as_nobody(struct fixture *fixture, unsigned hosts)
{
    struct store_options options = {.folder = fixture->folder, .is_read_only = true};
    struct store *store = NULL;
    struct store_host *list;
    size_t count = 0;

    if (setgid(65534) < 0 || setuid(65534) < 0 || store_open(&options, &store, NULL) < 0 ||
        store_host_list(store, STR(""), 0, fixture->arena, &list, &count) < 0 || count != hosts) {
        return 1;
    }
    store_close(store);
    return 0;
}

static void check_nobody_reads(struct bench *bench, unsigned hosts)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(read_as_nobody(&bench->fixture, hosts));
    }
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void test_other_user_reads(void **state)
{
    struct bench *bench = *state;

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(bench->fixture.folder, 0755), 0);
    assert_int_equal(chmod(fixture_path(&bench->fixture, STORE_FILE), 0644), 0);
    assert_int_equal(chmod(fixture_path(&bench->fixture, STORE_FILE "-wal"), 0644), 0);
    assert_int_equal(chmod(fixture_path(&bench->fixture, STORE_FILE "-shm"), 0644), 0);
    assert_int_equal(chmod(fixture_path(&bench->fixture, STORE_ANCHORS), 0644), 0);
    put_host(bench->store, 1, "may-1");
    check_nobody_reads(bench, 1); /* while core has it open */
    store_close(bench->store);
    check_nobody_reads(bench, 1); /* and after it has closed */
    bench->store = open_store(&bench->fixture, false);
    put_host(bench->store, 2, "may-2");
    check_nobody_reads(bench, 2);
}

/* ---- running out of memory */

static int everything(void *context)
{
    struct fixture *fixture = context;
    struct store_options options = {.folder = fixture->folder, .clock = &fixture->clock};
    CLEANUP(store_closep) struct store *store = NULL;
    struct store_host host = make_host(1, "may-1");
    struct finding finding = make_finding(1, "T", FIXTURE_NOW);
    struct store_alert_filter filter = no_filter;
    struct store_alert *alerts;
    size_t count;
    uint64_t number;
    uint8_t head[32];
    int r;

    remove_store(fixture); /* each run starts from nothing */
    arena_reset(fixture->arena);
    filter.words = STR("may t");
    r = store_open(&options, &store, NULL);
    r = r < 0 ? r : store_begin(store);
    r = r < 0 ? r : store_host_put(store, &host);
    r = r < 0 ? r : store_alert_fold(store, &host.id, &finding, &number);
    r = r < 0 ? r : store_audit_add(store, STR("lan"), STR("act"), STR("o"), STR("{}"));
    r = r < 0 ? r : store_commit(store);
    r = r < 0 ? r : store_alert_list(store, &filter, fixture->arena, &alerts, &count);
    return r < 0 ? r : store_audit_verify(store, &number, head, NULL);
}

static void test_no_memory(void **state)
{
    struct bench *bench = *state;

    assert_survives_no_memory(everything, &bench->fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_host_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_acknowledge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_actions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test_setup_teardown(test_damaged_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_migration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_user_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
