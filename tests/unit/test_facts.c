/* What the shield knows of files and folders besides their content: names, owner, mode, times. */
#include "harness.h"

#include "agent/aliases.h"
#include "agent/facts.h"
#include "agent/folders.h"
#include "base/banned.h"
#include "base/time.h"

#define ATTACKER ((struct actor_key){66, 6})
#define USER     ((struct actor_key){7, 7})

static bool is_attacker(void *context, struct actor_key who)
{
    (void)context;
    return who.pid == ATTACKER.pid;
}

static const struct facts_query attackers = {is_attacker, NULL, 0};

static struct stat stat_of(mode_t mode, uid_t uid, time_t modified)
{
    return (struct stat){
        .st_mode = S_IFREG | mode, .st_uid = uid, .st_gid = 5, .st_mtim = {.tv_sec = modified}};
}

static struct vault_version copy_of(const struct stat *stat)
{
    return (struct vault_version){.mode = stat->st_mode,
                                  .uid = stat->st_uid,
                                  .gid = stat->st_gid,
                                  .mtime = stat->st_mtim.tv_sec * NS_PER_S};
}

static void change(struct facts *facts, uint64_t key, struct actor_key who, const struct stat *stat)
{
    const struct fact_event event = {key, who, 100, STR("/data/f")};

    facts_change(facts, &event, stat);
}

static void test_facts_before_a_copy(void **state)
{
    struct stat first = stat_of(0444, 1000, 10);
    struct stat opened = stat_of(0644, 1000, 10);
    struct stat owned = stat_of(0644, 0, 99);
    struct vault_version copy = copy_of(&owned);
    struct vault_facts before;
    struct facts *facts = NULL;

    (void)state;
    assert_int_equal(facts_new(8, 4, &facts), 0);
    facts_see(facts, 3, &first);
    change(facts, 3, ATTACKER, &opened);
    change(facts, 3, ATTACKER, &owned);
    assert_true(facts_before(facts, 3, &copy, &attackers, &before));
    assert_int_equal(before.mode, 0444);
    assert_int_equal(before.uid, 1000);
    assert_int_equal(before.mtime, 10 * NS_PER_S);
    assert_false(facts_before(facts, 5, &copy, &attackers, &before));
    facts_free(facts);
}

/* A copy from before the change is right already; what somebody else changed stays. */
static void test_facts_leave_the_right(void **state)
{
    struct stat first = stat_of(0444, 1000, 10);
    struct stat later = stat_of(0600, 1000, 10);
    struct vault_version early = copy_of(&first);
    struct vault_version late = copy_of(&later);
    struct vault_facts before;
    struct facts *facts = NULL;

    (void)state;
    assert_int_equal(facts_new(8, 4, &facts), 0);
    facts_see(facts, 3, &first);
    facts_see(facts, 3, &later); /* known: what was counts */
    change(facts, 3, ATTACKER, &later);
    assert_false(facts_before(facts, 3, &early, &attackers, &before));
    facts_set(facts, 3, &first);
    facts_see(facts, 5, &first);
    change(facts, 5, USER, &later);
    assert_false(facts_before(facts, 5, &late, &attackers, &before));
    facts_free(facts);
}

/* Full tables note no more, and forgetting leaves all others findable. */
static void test_facts_bounds(void **state)
{
    struct stat first = stat_of(0444, 1000, 10);
    struct stat later = stat_of(0600, 1000, 10);
    struct vault_version late = copy_of(&later);
    struct vault_facts before;
    struct fact_event event;
    struct facts *facts = NULL;
    size_t cursor = 0;
    size_t found = 0;

    (void)state;
    assert_int_equal(facts_new(100, 150, &facts), 0);
    for (uint64_t key = 1; key < 400; key += 2) {
        facts_see(facts, key, &first);
    }
    assert_int_equal(facts_count(facts), 100);
    for (uint64_t key = 1; key < 200; key += 4) {
        facts_forget(facts, key);
    }
    assert_int_equal(facts_count(facts), 50);
    for (uint64_t key = 1; key < 200; key += 2) {
        change(facts, key, ATTACKER, &later);
        assert_int_equal(facts_before(facts, key, &late, &attackers, &before), key % 4 == 3);
    }
    while (facts_next(facts, &attackers, &cursor, &event)) {
        assert_true(str_is(event.path, STR("/data/f")));
        found++;
    }
    assert_int_equal(found, 50);
    facts_free(facts);
}

static void test_aliases(void **state)
{
    struct aliases *aliases = NULL;
    const struct alias *alias;
    size_t cursor = 0;

    (void)state;
    assert_int_equal(aliases_new(4, &aliases), 0);
    aliases_see(aliases, 1, STR("/data/a"));
    aliases_see(aliases, 1, STR("/data/b"));
    assert_true(aliases_has(aliases, 1));
    assert_int_equal(aliases_at(aliases, STR("/data/b")), 1);
    aliases_move(aliases, 1, STR("/data/a"), STR("/data/.0.tmp"), ATTACKER);
    assert_int_equal(aliases_at(aliases, STR("/data/a")), 0);
    /* not a name that it had before */
    aliases_move(aliases, 1, STR("/data/.0.tmp"), STR(""), ATTACKER);
    alias = aliases_next(aliases, 1, &cursor);
    assert_string_equal(alias->path, "/data/a");
    assert_null(alias->moved_to);
    assert_int_equal(alias->lost_by.pid, ATTACKER.pid);
    aliases_see(aliases, 1, STR("/data/a")); /* it is back */
    assert_int_equal(aliases_at(aliases, STR("/data/a")), 1);
    aliases_move(aliases, 1, STR("/data/b"), STR("/data/c"), USER);
    aliases_move(aliases, 1, STR("/data/c"), STR("/data/b"), USER);
    assert_int_equal(aliases_at(aliases, STR("/data/b")), 1);
    for (uint64_t serial = 2; serial < 6; serial++) {
        aliases_see(aliases, serial, STR("/data/other"));
    }
    assert_false(aliases_has(aliases, 1)); /* the oldest go first */
    aliases_free(aliases);
}

/* Seen where it was moved to before that was told, and moved on: it does not stand there. */
static void test_alias_seen_early(void **state)
{
    struct aliases *aliases = NULL;

    (void)state;
    assert_int_equal(aliases_new(4, &aliases), 0);
    aliases_see(aliases, 1, STR("/data/a"));
    aliases_see(aliases, 1, STR("/data/b"));
    aliases_move(aliases, 1, STR("/data/a"), STR("/data/b"), USER);
    aliases_move(aliases, 1, STR("/data/b"), STR("/data/c"), USER);
    assert_int_equal(aliases_at(aliases, STR("/data/b")), 0);
    aliases_move(aliases, 1, STR("/data/c"), STR("/data/a"), USER);
    assert_int_equal(aliases_at(aliases, STR("/data/a")), 1);
    aliases_free(aliases);
}

/* A file with more names than there is room for: what was taken from others is still known. */
static void test_alias_of_many(void **state)
{
    struct aliases *aliases = NULL;
    char path[32];

    (void)state;
    assert_int_equal(aliases_new(32, &aliases), 0);
    aliases_move(aliases, 1, STR("/data/a"), STR(""), ATTACKER);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof(path), "/data/link%d", i);
        aliases_see(aliases, 2, str_from(path));
    }
    assert_true(aliases_is_lost(aliases, 1, STR("/data/a")));
    assert_int_equal(aliases_at(aliases, str_from(path)), 2);
    assert_int_equal(aliases_at(aliases, STR("/data/link90")), 2);
    assert_int_equal(aliases_at(aliases, STR("/data/link1")), 0); /* the oldest go first */
    for (int i = 0; i < 20; i++) { /* those that it has lost are all kept */
        (void)snprintf(path, sizeof(path), "/data/link%d", i);
        aliases_move(aliases, 2, str_from(path), STR(""), ATTACKER);
    }
    assert_true(aliases_is_lost(aliases, 2, STR("/data/link0")));
    assert_true(aliases_is_lost(aliases, 2, STR("/data/link19")));
    assert_true(aliases_is_lost(aliases, 1, STR("/data/a")));
    aliases_free(aliases);
}

static void test_folders(void **state)
{
    struct vault_folder folder = {.path = STR("/data/d"), .mode = 02770, .xattrs = STR("xyz")};
    struct folders *folders = NULL;
    const struct folder_row *row;

    (void)state;
    assert_int_equal(folders_new(1, &folders), 0);
    folders_put(folders, &folder, 9);
    folder.mode = 0700;
    folders_put(folders, &folder, 10); /* newer facts */
    row = folders_find(folders, STR("/data/d"));
    assert_int_equal(row->folder.mode, 0700);
    assert_int_equal(row->session, 10);
    assert_true(str_is(row->folder.xattrs, STR("xyz")));
    folder.path = STR("/data/e"); /* no room */
    folders_put(folders, &folder, 1);
    assert_null(folders_find(folders, STR("/data/e")));
    folders_free(folders);
}

static int use_all(void *context)
{
    struct vault_folder folder = {.path = STR("/data/d"), .xattrs = STR("")};
    struct folders *folders = NULL;
    struct aliases *aliases = NULL;
    struct facts *facts = NULL;
    int r = folders_new(4, &folders);

    (void)context;
    r = r < 0 ? r : aliases_new(4, &aliases);
    r = r < 0 ? r : facts_new(4, 4, &facts);
    if (r == 0) {
        folders_put(folders, &folder, 1); /* these do without what they cannot remember */
        aliases_see(aliases, 1, STR("/data/a"));
    }
    folders_free(folders);
    aliases_free(aliases);
    facts_free(facts);
    return r;
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(use_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_before_a_copy),
        cmocka_unit_test(test_facts_leave_the_right),
        cmocka_unit_test(test_facts_bounds),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_alias_seen_early),
        cmocka_unit_test(test_alias_of_many),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
