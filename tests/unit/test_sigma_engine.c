/* The judge of logs says what the oracle says: of trees made by hand, of drawn rules and entries,
 * and of long and many values. */
#include "sigma_world.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define LONG_TOKEN "a long text of more than thirty two bytes, Twice as long as half of it"

/* ---- by hand ---- */

static const struct logsource any_source;

static void test_routes(void **state)
{
    struct arena *arena = arena_start();
    struct world world;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, source_of("windows", "process_creation"),
             is(&world, "Image", "*\\cmd.exe"));
    rule_way(&world, 1, source_of("windows", ""), is(&world, "Image", "*\\cmd.exe"));
    rule_way(&world, 2, source_of("linux", ""), is(&world, "Image", "*\\cmd.exe"));
    rule_way(&world, 3, source_of("", "process_creation"), is(&world, "Image", "*cmd*"));
    world_build(&world);
    entry_begin(&world, "windows", "process_creation");
    entry_put(&world, "Image", STR("C:\\Windows\\System32\\CMD.exe"), false);
    assert_rules(&world, "013");
    world.entry.source.category = STR("image_load");
    assert_rules(&world, "1");
    world.entry.source = any_source;
    assert_rules(&world, "0123");
    world.entry.source = source_of("macos", "process_creation");
    assert_rules(&world, "3");
    world.entry.source = source_of("a product that no rule knows", "");
    assert_rules(&world, "");
    world_done(&world);
    arena_free(arena);
}

/* Rule 0 says what an entry is not: of an unknown source it would say that of each. */
static void test_unknown_source(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, source_of("zeek", ""),
             node_of_two(&world, SIGMA_NODE_NOT, is(&world, "ip", "10.*"), NULL));
    rule_way(&world, 1, source_of("zeek", ""), is(&world, "ip", "203.*"));
    rule_way(&world, 2, source_of("zeek", ""), is(&world, "ip", "203.0.*")); /* waits for a clue */
    ((struct sigma_way *)(uintptr_t)world.rules[0].ways)->needs_source = true;
    ((struct sigma_way *)(uintptr_t)world.rules[2].ways)->needs_source = true;
    world_build(&world);
    entry_begin(&world, "zeek", "");
    entry_put(&world, "ip", STR("203.0.113.5"), false);
    assert_rules(&world, "012");
    world.entry.source = any_source;
    assert_rules(&world, "1");
    world.entry.source = source_of("zeek", "");
    assert_rules(&world, "012");
    world_done(&world);
    arena_free(arena);
}

static void test_events(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    struct sigma_node *either;

    (void)state;
    world_init(&world, arena);
    either = node_of_two(&world, SIGMA_NODE_OR, number(&world, "EventID", 4624),
                         number(&world, "EventID", 4625));
    rule_way(&world, 0, source_of("windows", ""), number(&world, "EventID", 4625));
    rule_way(&world, 1, source_of("windows", ""),
             node_of_two(&world, SIGMA_NODE_AND, either, is(&world, "LogonType", "3")));
    rule_way(&world, 2, source_of("windows", ""),
             node_of_two(&world, SIGMA_NODE_NOT, number(&world, "EventID", 4625), NULL));
    /* one rule, two places where its events are found */
    rule_way(&world, 3, source_of("windows", ""),
             node_of_two(&world, SIGMA_NODE_AND, number(&world, "EventID", 1),
                         is(&world, "Image", "*\\a.exe")));
    rule_way(&world, 3, source_of("windows", ""),
             node_of_two(&world, SIGMA_NODE_AND, number(&world, "EventID", 4688),
                         is(&world, "NewProcessName", "*\\a.exe")));
    world_build(&world);
    entry_begin(&world, "windows", "");
    entry_put(&world, "EventID", STR("4625"), false);
    entry_put(&world, "LogonType", STR("3"), false);
    assert_rules(&world, "01");
    world.entry.fields[0].value = STR("4624");
    assert_rules(&world, "12");
    world.entry.fields[0].value = STR("4625.0"); /* the same number */
    assert_rules(&world, "01");
    world.entry.fields[0].value = STR("not a number");
    assert_rules(&world, "2");
    world.entry.fields[0].value = STR("7");
    entry_put(&world, "EventID", STR("4625"), false); /* one of two */
    assert_rules(&world, "01");
    entry_begin(&world, "windows", "");
    entry_put(&world, "NewProcessName", STR("c:\\\\A.EXE"), true);
    assert_rules(&world, "2");
    entry_put(&world, "EventID", STR("4688"), false);
    assert_rules(&world, "23");
    world_done(&world);
    arena_free(arena);
}

static uint64_t world_regexes(const struct world *world)
{
    struct sigma_engine_stats stats;

    sigma_engine_stats(world->matcher, &stats);
    return stats.regexes;
}

static void test_regexes_wait_for_their_text(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    struct sigma_engine_stats stats;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, regex(&world, "CommandLine", "-e(nc)? +[A-Za-z]{2}lonGer", 0));
    rule_way(&world, 1, any_source,
             regex(&world, "CommandLine", "\\x41foobar\\d", SIGMA_REGEX_NOCASE));
    rule_way(&world, 2, any_source, regex(&world, "CommandLine", "a{12345}|zzzzz", 0));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("powershell -e  xxlonGer"), false);
    assert_rules(&world, "0");
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("afooBAR7 zzzzz"), false);
    assert_rules(&world, "12");
    entry_begin(&world, "", "");
    entry_put(&world, "Image", STR("lonGer"), false);
    sigma_engine_stats(world.matcher, &stats);
    assert_rules(&world, "");
    entry_put(&world, "CommandLine", STR("nothing that one of the first two begins with"), false);
    assert_rules(&world, "");
    /* of the second and third nothing is known that must stand there; each is asked twice */
    assert_int_equal(world_regexes(&world) - stats.regexes, 4);
    world_done(&world);
    arena_free(arena);
}

/* Lists of names and of phrases, of which one stands in a value: short, long, with and without
 * characters that are not ASCII. */
static void test_lists(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    struct sigma_node *names;
    struct sigma_node *phrases;

    (void)state;
    world_init(&world, arena);
    names = node_new(&world, SIGMA_NODE_OR, 200);
    phrases = node_new(&world, SIGMA_NODE_OR, 203);
    for (unsigned i = 0; i < 200; i++) {
        node_set(names, i, is(&world, "Image", arena_printf(arena, "*\\tool%u.exe", i).ptr));
        node_set(phrases, i, is(&world, "CommandLine", arena_printf(arena, "*/do%u *", i).ptr));
    }
    node_set(phrases, 200, is(&world, "CommandLine", "*Đ*"));
    node_set(phrases, 201, is(&world, "CommandLine", "*iex*"));
    node_set(phrases, 202, is(&world, "CommandLine", "*☁*"));
    rule_way(&world, 0, any_source, names);
    rule_way(&world, 1, any_source, phrases);
    rule_way(&world, 2, any_source, node_of_two(&world, SIGMA_NODE_AND, names, phrases));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "Image", STR("c:\\x\\TOOL199.exe"), true);
    assert_rules(&world, "0");
    entry_put(&world, "CommandLine", STR("tool /do7"), false);
    assert_rules(&world, "0");
    entry_put(&world, "CommandLine", STR("/DO7 x"), false); /* a second value */
    assert_rules(&world, "012");
    world.entry.fields[2].value = STR("đ");
    assert_rules(&world, "012");
    world.entry.fields[2].value = STR("\\u0110");
    assert_rules(&world, "0");
    world.entry.fields[2].is_escaped = true;
    assert_rules(&world, "012");
    world.entry.fields[2].value = STR("IEX");
    assert_rules(&world, "012");
    world.entry.fields[2].value = STR("a \\u2601");
    assert_rules(&world, "012");
    world.entry.fields[2].type = ENTRY_TYPE_NULL;
    assert_rules(&world, "0");
    world_done(&world);
    arena_free(arena);
}

/* Keywords of structured entries are first looked for in the bytes as they were read. */
static void test_keywords(void **state)
{
    static const char raw[] = "{\"a\":\"x sekurl\\u0053a::logon\",\"b\":\"ki\xe2\x84\xaa"
                              "\xc5\xbf \\\"quoted\\\"\"}";
    struct arena *arena = arena_start();
    struct world world;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, is(&world, "", "*sekurlsa::*"));
    rule_way(&world, 1, any_source, is(&world, "", "*kikS*"));
    rule_way(&world, 2, any_source, is(&world, "", "*\"quoted\"*"));
    rule_way(&world, 3, any_source, is(&world, "", "*nowhere*"));
    world_build(&world);
    entry_begin(&world, "", "");
    world.entry.raw = str_from(raw);
    entry_put(&world, "a", str_of(raw + 6, 24), true);
    assert_rules(&world, "0");
    entry_put(&world, "b", str_of(strstr(raw, "ki\xe2"), 19), true);
    assert_rules(&world, "012");
    entry_put(&world, "c", STR("\\u003e No\\u0057here"), true); /* not of the raw bytes */
    assert_rules(&world, "0123");
    world.entry.is_structured = false;
    assert_rules(&world, "1");
    world_done(&world);
    arena_free(arena);
}

static uint64_t world_candidates(const struct world *world)
{
    struct sigma_engine_stats stats;

    sigma_engine_stats(world->matcher, &stats);
    return stats.candidates;
}

/* What is too short to be searched for has its rule wait for a byte that is seldom. */
static void test_short_texts_wait_for_a_byte(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    uint64_t before;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, is(&world, "CommandLine", "*^^*"));
    rule_way(&world, 1, any_source, regex(&world, "CommandLine", "(?:\\{\\d\\})+", 0));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("cmd /c whoami"), false);
    before = world_candidates(&world);
    assert_rules(&world, "");
    assert_int_equal(world_candidates(&world), before);
    world.entry.fields[0].value = STR("c^md {0}");
    assert_rules(&world, "1");
    world.entry.fields[0].value = STR("c^^md {x}");
    assert_rules(&world, "0");
    world_done(&world);
    arena_free(arena);
}

/* A long value and very many values. */
static void test_large(void **state)
{
    static char value[1U << 20];
    struct arena *arena = arena_start();
    struct world world;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, is(&world, "CommandLine", "*needle*"));
    rule_way(&world, 1, any_source, is(&world, "CommandLine", "*needle*haystack"));
    rule_way(&world, 2, any_source,
             node_of_two(&world, SIGMA_NODE_AND, is(&world, "Image", "a.exe"),
                         is(&world, "CommandLine", "*other needle*")));
    world_build(&world);
    entry_begin(&world, "", "");
    memset(value, 'n', sizeof(value));
    entry_put(&world, "CommandLine", str_of(value, sizeof(value)), false);
    entry_put(&world, "Image", STR("A.EXE"), false);
    assert_rules(&world, "");
    memcpy(value + sizeof(value) - 22, "Other Needle, Haystack", 22);
    assert_rules(&world, "012");
    entry_begin(&world, "", "");
    for (unsigned i = 0; i < 10000; i++) {
        entry_put(&world, "CommandLine", STR("nothing"), false);
    }
    assert_rules(&world, "");
    world.entry.fields[9999].value = STR("needle");
    assert_rules(&world, "0");
    world_done(&world);
    arena_free(arena);
}

/* Values by the thousand, each for a regex: the work for one entry ends, what was found until then
 * is told, and that it ended too. The next entry is judged in full. */
static void test_costly(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    struct sigma_engine_stats stats;
    const uint32_t *rules = NULL;
    size_t count = 0;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, is(&world, "Image", "*\\a.exe"));
    rule_way(&world, 1, any_source, regex(&world, "CommandLine", "(a+)+[bd]", 0));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "Image", STR("c:\\a.exe"), false);
    for (unsigned i = 0; i < 40000; i++) {
        entry_put(&world, "CommandLine", STR("aaaaaaaaaaaaaaaaaaaaac"), false);
    }
    assert_int_equal(sigma_match(world.matcher, &world.entry, &rules, &count), -ERR_LIMIT);
    assert_int_equal(count, 1);
    assert_int_equal(rules[0], 0);
    sigma_engine_stats(world.matcher, &stats);
    assert_int_equal(stats.costly, 1);
    assert_true(stats.regexes < 10000);
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("aab"), false);
    assert_rules(&world, "1");
    sigma_engine_stats(world.matcher, &stats);
    assert_int_equal(stats.costly, 1);
    world_done(&world);
    arena_free(arena);
}

/* Values by the hundred thousand cost something each, even if no rule waits for any of them. */
static void test_crowded(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    const uint32_t *rules = NULL;
    size_t count = 0;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, is(&world, "Image", "*\\a.exe"));
    rule_way(&world, 1, any_source, is(&world, "CommandLine", "needle*"));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "Image", STR("c:\\a.exe"), false);
    for (unsigned i = 0; i < 30000; i++) {
        entry_put(&world, "CommandLine", STR("1"), false);
    }
    entry_put(&world, "CommandLine", STR("needle"), false);
    assert_int_equal(sigma_match(world.matcher, &world.entry, &rules, &count), 0);
    assert_int_equal(count, 2);
    for (unsigned i = 0; i < 300000; i++) {
        entry_put(&world, "CommandLine", STR("1"), false);
    }
    assert_int_equal(sigma_match(world.matcher, &world.entry, &rules, &count), -ERR_LIMIT);
    assert_int_equal(count, 2);
    world_done(&world);
    arena_free(arena);
}

/* What a regex cannot be found without has it wait; and a byte of it has it not run at all. */
static void test_regexes_want_a_byte(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    uint64_t before;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, regex(&world, "CommandLine", "\\w`\\w", 0));
    rule_way(&world, 1, any_source, regex(&world, "CommandLine", "x\\$?\\w|y`", 0));
    rule_way(&world, 2, any_source, regex(&world, "CommandLine", "a(*ACCEPT)`", 0));
    world_build(&world);
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("xa"), false);
    before = world_regexes(&world);
    assert_rules(&world, "12");
    assert_int_equal(world_regexes(&world) - before, 4); /* each asked twice, the first never */
    entry_begin(&world, "", "");
    entry_put(&world, "CommandLine", STR("i\\u0060e"), true);
    assert_rules(&world, "0");
    world_done(&world);
    arena_free(arena);
}

static int match_whole(struct world *world)
{
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = sigma_engine_new(&world->set, &world->engine, &(struct diag){{0}});

    if (r == 0) {
        r = sigma_matcher_new(world->engine, &world->matcher);
    }
    if (r == 0) {
        r = sigma_match(world->matcher, &world->entry, &rules, &count);
    }
    sigma_matcher_freep(&world->matcher);
    sigma_engine_freep(&world->engine);
    return r;
}

static void test_out_of_memory(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    uint64_t asked;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, source_of("windows", ""), is(&world, "Image", "*\\cmd.exe"));
    rule_way(&world, 1, any_source, is(&world, "", "*keyword*"));
    rule_way(&world, 2, any_source, regex(&world, "Image", "abcd+", 0));
    mem_fail_at(0);
    assert_int_equal(match_whole(&world), 0);
    asked = mem_fail_at(0);
    assert_true(asked > 20);
    for (uint64_t nth = 1; nth <= asked; nth++) {
        mem_fail_at(nth);
        assert_int_equal(match_whole(&world), -ERR_NOMEM);
    }
    mem_fail_at(0);
    assert_int_equal(match_whole(&world), 0);
    world_done(&world);
    arena_free(arena);
}

static void test_refuses_a_bad_regex(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    struct diag diag = {0};

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, any_source, regex(&world, "a", "fine", 0));
    rule_way(&world, 1, any_source, regex(&world, "a", "(not closed", 0));
    assert_int_equal(sigma_engine_new(&world.set, &world.engine, &diag), -ERR_SYNTAX);
    assert_non_null(strstr(diag.text, "rules.yml:2: (not closed"));
    world_done(&world);
    arena_free(arena);
}

/* ---- drawn ---- */

static const char *const drawn_fields[] = {"Image", "CommandLine", "EventID", "a.b", ""};
/* Between bars. */
static const char drawn_tokens[] =
    "\\cmd.exe|powershell|a|B|ab|AbC|c:\\Windows\\System32\\|/|"
    "\xc3\x89t\xc3\xa9|\xe2\x84\xaa|1|4688|.exe|-enc|\xff| |\\u0041|\\u017f|"
    "iex|\xe2\x98\x81|\xc5\xbf|\\n|^|`|>|{1}|\\u003e|\\u0060|" LONG_TOKEN;
#define DRAWN_TOKENS 29
static const char *const drawn_regexes[] = {"power(shell)?",
                                            "c:.*\\\\cmd\\.exe",
                                            "^a+$",
                                            "[0-9]{4}",
                                            "(?i)POWERSHELL",
                                            "a|4688",
                                            "b.c",
                                            "\\w`",
                                            "(?:\\{\\d\\})+a",
                                            "(\\^[[:alpha:]])?a",
                                            "(?:`?b)+>",
                                            "(a(\\^))b?",
                                            "(?!>)a"};

static struct str drawn_token(struct prop *prop)
{
    struct str rest = STR(drawn_tokens);
    struct str token = STR("");

    for (uint64_t left = prop_below(prop, DRAWN_TOKENS) + 1; left > 0; left--) {
        (void)str_cut(&rest, '|', &token);
    }
    return token;
}

static struct str drawn_text(struct prop *prop, size_t most)
{
    struct str text = STR("");

    for (uint64_t count = prop_below(prop, most + 1); count > 0; count--) {
        struct str token = drawn_token(prop);

        text = arena_printf(prop->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(token));
    }
    return text;
}

static struct sigma_node *drawn_pattern(struct prop *prop, struct world *world, const char *field)
{
    struct str text = drawn_text(prop, 2);
    bool is_cased = prop_below(prop, 5) == 4;

    switch (prop_below(prop, 6)) {
    case 0:
        text = arena_printf(prop->arena, "*%.*s*", STR_ARG(text));
        break;
    case 1:
        text = arena_printf(prop->arena, "*%.*s", STR_ARG(text));
        break;
    case 2:
        text = arena_printf(prop->arena, "%.*s*", STR_ARG(text));
        break;
    case 3:
        text = arena_printf(prop->arena, "*%.*s*a?%.*s", STR_ARG(text), STR_ARG(text));
        break;
    case 4:
        text = arena_printf(prop->arena, "%.*s*%.*s", STR_ARG(text), STR_ARG(drawn_text(prop, 1)));
        break;
    default:
        break;
    }
    return pattern(world, field, text, is_cased);
}

static struct sigma_node *drawn_atom(struct prop *prop, struct world *world)
{
    const char *field = drawn_fields[prop_below(prop, ARRAY_LEN(drawn_fields))];
    struct sigma_node *node;

    switch (prop_below(prop, 10)) {
    case 0:
        return number(world, "EventID", (double)prop_below(prop, 3));
    case 1:
        return number(world, field[0] != '\0' ? field : "Image", 4688);
    case 2:
        return regex(world, field, drawn_regexes[prop_below(prop, ARRAY_LEN(drawn_regexes))],
                     (unsigned)prop_below(prop, 2) * SIGMA_REGEX_NOCASE);
    case 3:
        node = atom_new(world, SIGMA_MATCH_COMPARE, field[0] != '\0' ? field : "Image");
        node->atom->number = 2;
        node->atom->order = (enum sigma_order)prop_below(prop, 4);
        return node;
    case 4:
        node = atom_new(world, prop_bool(prop) ? SIGMA_MATCH_EXISTS : SIGMA_MATCH_NULL,
                        field[0] != '\0' ? field : "Image");
        node->atom->want = node->atom->match == SIGMA_MATCH_EXISTS && prop_bool(prop);
        return node;
    case 5:
        node = atom_new(world, SIGMA_MATCH_FIELD, "Image");
        node->atom->text = STR("CommandLine");
        node->atom->affix = (enum sigma_affix)prop_below(prop, 4);
        return node;
    default:
        return drawn_pattern(prop, world, field);
    }
}

static struct sigma_node *drawn_tree(struct prop *prop, struct world *world, unsigned depth)
{
    uint64_t kind = depth == 0 ? 0 : prop_below(prop, 6);
    struct sigma_node *node;

    if (kind < 2) {
        return drawn_atom(prop, world);
    }
    if (kind == 2) {
        return node_of_two(world, SIGMA_NODE_NOT, drawn_tree(prop, world, depth - 1), NULL);
    }
    node = node_new(world, kind < 5 ? SIGMA_NODE_AND : SIGMA_NODE_OR,
                    prop_below(prop, 8) == 7 ? 12 : prop_below(prop, 4));
    for (size_t i = 0; i < node->child_count; i++) {
        node_set(node, i, drawn_tree(prop, world, depth - 1));
    }
    return node;
}

static struct logsource drawn_source(struct prop *prop)
{
    static const char *const products[] = {"", "windows", "linux"};
    static const char *const categories[] = {"", "process_creation"};

    return source_of(products[prop_below(prop, 3)], categories[prop_below(prop, 2)]);
}

static void drawn_entry(struct prop *prop, struct world *world)
{
    entry_reset(&world->entry);
    world->entry.source = drawn_source(prop);
    world->entry.is_structured = prop_below(prop, 4) != 3;
    world->entry.raw = drawn_text(prop, 6);
    for (uint64_t count = prop_below(prop, 6); count > 0; count--) {
        const char *name = drawn_fields[prop_below(prop, ARRAY_LEN(drawn_fields) - 1)];
        struct str value = prop_below(prop, 3) == 2
                               ? arena_printf(prop->arena, "%u", (unsigned)prop_below(prop, 3))
                               : drawn_text(prop, 4);

        if (prop_bool(prop)) { /* as readers of JSON do: a piece of the raw bytes */
            world->entry.raw =
                arena_printf(prop->arena, "%.*s\"%.*s", STR_ARG(value), STR_ARG(value));
            value = str_slice(world->entry.raw, value.len + 1, world->entry.raw.len);
        }
        entry_put(world, prop_below(prop, 8) == 7 ? "nobody asks" : name, value, prop_bool(prop));
        if (prop_below(prop, 10) == 9) {
            world->entry.fields[world->entry.count - 1].type = ENTRY_TYPE_NULL;
            world->entry.fields[world->entry.count - 1].value = STR("");
        }
    }
}

static const char *engine_is_oracle(struct prop *prop)
{
    struct world world;
    const char *broke = NULL;

    world_init(&world, prop->arena);
    for (uint64_t count = prop_below(prop, 6) + 1; count > 0; count--) {
        for (uint64_t ways = prop_below(prop, 2) + 1; ways > 0; ways--) {
            rule_way(&world, count - 1, drawn_source(prop), drawn_tree(prop, &world, 3));
        }
    }
    world_build(&world);
    for (uint64_t count = prop_below(prop, 6) + 1; broke == NULL && count > 0; count--) {
        drawn_entry(prop, &world);
        for (unsigned again = 0; broke == NULL && again < 4; again++) {
            broke = world_compare(&world);
            world.entry.source = again % 2 == 1 ? drawn_source(prop) : world.entry.source;
        }
    }
    world_done(&world);
    return broke;
}

static void test_engine_is_oracle(void **state)
{
    (void)state;
    prop_check("engine = oracle", engine_is_oracle, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_unknown_source),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_regexes_wait_for_their_text),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_short_texts_wait_for_a_byte),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_costly),
        cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_regexes_want_a_byte),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_refuses_a_bad_regex),
        cmocka_unit_test(test_engine_is_oracle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
