/* Pipelines: a rule finds its entries where they are written, under the names they have there. */
#include "harness.h"

#include "base/arena.h"
#include "base/diag.h"
#include "detect/sigma/oracle.h"
#include "detect/sigma/pipeline.h"

#include <string.h>

static struct arena *arena;

/* A rule that asks for field = value, and its log source. */
static struct sigma_rule make_rule(const char *product, const char *category, const char *service,
                                   const char *field, const char *value)
{
    struct sigma_part *part = arena_alloc(arena, 1, sizeof(*part));
    struct sigma_atom *atom = arena_alloc(arena, 1, sizeof(*atom));
    struct sigma_node *node = arena_alloc(arena, 1, sizeof(*node));
    struct sigma_way *way = arena_alloc(arena, 1, sizeof(*way));

    assert_non_null(part);
    assert_non_null(atom);
    assert_non_null(node);
    assert_non_null(way);
    *part = (struct sigma_part){SIGMA_PART_LITERAL, str_from(value)};
    *atom = (struct sigma_atom){.match = SIGMA_MATCH_PATTERN,
                                .field = str_from(field),
                                .text = str_from(value),
                                .parts = part,
                                .part_count = 1};
    *node = (struct sigma_node){.kind = SIGMA_NODE_ATOM, .atom = atom};
    *way = (struct sigma_way){{str_from(product), str_from(category), str_from(service)}, node};
    return (struct sigma_rule){.id = STR("id-1"),
                               .title = STR("a rule"),
                               .source = way->source,
                               .ways = way,
                               .way_count = 1};
}

static void add_field(struct entry *entry, const char *name, const char *value)
{
    assert_int_equal(
        entry_add(entry, &(struct entry_field){.name = str_from(name), .value = str_from(value)}),
        0);
}

/* Whether the rule holds for an entry of Windows' service with an EventID and one more field. */
static bool holds(const struct sigma_pipelines *pipelines, struct sigma_rule rule,
                  const char *service, const char *event, const char *field, const char *value)
{
    struct entry entry;
    bool is_match = false;

    assert_int_equal(
        sigma_pipelines_ways(pipelines, &rule, arena, &rule.ways, &rule.way_count, NULL), 0);
    entry_init(&entry);
    entry.source = (struct logsource){.product = rule.source.product, .service = str_from(service)};
    entry.is_structured = true;
    if (event != NULL) {
        add_field(&entry, "EventID", event);
    }
    add_field(&entry, field, value);
    assert_int_equal(sigma_oracle(&rule, &entry, arena, &is_match), 0);
    entry_done(&entry);
    return is_match;
}

static void test_own(void **state)
{
    struct sigma_rule rule = make_rule("windows", "process_creation", "", "Image", "c:\\a.exe");
    struct sigma_pipelines *own = NULL;
    const struct sigma_way *ways;
    size_t count;

    (void)state;
    assert_int_equal(sigma_pipelines_new(&own), 0);
    assert_int_equal(sigma_pipelines_add_own(own), 0);
    assert_true(holds(own, rule, "sysmon", "1", "Image", "C:\\A.exe"));
    assert_true(holds(own, rule, "security", "4688", "NewProcessName", "C:\\A.exe"));
    assert_false(holds(own, rule, "sysmon", "3", "Image", "C:\\A.exe"));
    assert_false(holds(own, rule, "security", "4688", "Image", "C:\\A.exe"));
    assert_false(holds(own, rule, "powershell", "1", "Image", "C:\\A.exe"));

    rule = make_rule("windows", "registry_event", "", "TargetObject", "\\run");
    assert_true(holds(own, rule, "sysmon", "14", "TargetObject", "\\Run"));
    assert_true(holds(own, rule, "security", "4657", "ObjectName", "\\Run"));
    assert_true(holds(own, rule, "security", "4657", "ObjectValueName", "\\Run"));
    rule = make_rule("windows", "network_connection", "", "Initiated", "true");
    assert_true(holds(own, rule, "sysmon", "3", "Initiated", "true"));
    assert_true(holds(own, rule, "security", "5156", "Direction", "%%14593"));
    assert_false(holds(own, rule, "security", "5156", "Direction", "%%14592"));
    rule = make_rule("windows", "", "windefend", "ThreatName", "x");
    assert_true(holds(own, rule, "windefend", "1116", "Threat Name", "x"));
    assert_true(holds(own, rule, "windefend", "1116", "ThreatName", "x"));
    rule = make_rule("windows", "ps_script", "", "ScriptBlockText", "x");
    assert_true(holds(own, rule, "powershell", "4104", "ScriptBlockText", "x"));
    assert_false(holds(own, rule, "powershell", "4103", "ScriptBlockText", "x"));
    rule = make_rule("linux", "process_creation", "", "CommandLine", "id");
    assert_true(holds(own, rule, "sysmon", "1", "CommandLine", "id"));
    rule = make_rule("linux", "", "auth", "message", "x");
    assert_true(holds(own, rule, "sshd", NULL, "message", "x"));
    rule = make_rule("macos", "process_creation", "", "CommandLine", "id");
    assert_int_equal(sigma_pipelines_ways(own, &rule, arena, &ways, &count, NULL), 0);
    assert_int_equal(count, 1); /* as it was written */
    assert_str(ways[0].source.category, "process_creation");
    assert_ptr_equal(ways[0].root->atom, rule.ways[0].root->atom);
    sigma_pipelines_freep(&own);
}

static const char users[] =
    "name: theirs\n"
    "priority: 1\n"
    "vars:\n"
    "  admins: [root, toor]\n"
    "transformations:\n"
    "  - id: one\n"
    "    type: field_name_mapping\n"
    "    mapping: {a: b, c: [d, e]}\n"
    "  - type: field_name_prefix\n"
    "    prefix: win.\n"
    "    field_name_conditions: [{type: include_fields, fields: [b, x]}]\n"
    "  - {type: field_name_suffix, suffix: .raw, field_name_conditions: [{type: exclude_fields, "
    "fields: [win.b, d, e, hash, EventID]}]}\n"
    "  - type: replace_string\n"
    "    regex: '^c:(.*)'\n"
    "    replacement: 'd:\\1'\n"
    "    rule_conditions: [{type: tag, tag: attack.t1}, {type: rule_attribute, attribute: id, "
    "value: id-1}]\n"
    "    rule_cond_op: or\n"
    "  - {type: set_state, key: k, val: v}\n"
    "  - type: value_placeholders\n"
    "  - type: nest\n"
    "    rule_conditions: [{type: contains_field, field: hash}]\n"
    "    items:\n"
    "      - {type: change_logsource, product: other}\n"
    "      - {type: add_condition, conditions: {EventID: [1, 2], kind: 'x*'}}\n";

static void test_users(void **state)
{
    struct sigma_rule rule = make_rule("windows", "", "", "a", "c:\\x");
    struct sigma_pipelines *theirs = NULL;
    const struct sigma_way *ways;
    const struct str *values;
    struct diag diag = {{0}};
    size_t count;

    (void)state;
    assert_int_equal(sigma_pipelines_new(&theirs), 0);
    if (sigma_pipelines_add(theirs, STR("theirs.yml"), str_from(users), &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    assert_true(holds(theirs, rule, "", NULL, "win.b", "D:\\x"));
    assert_false(holds(theirs, rule, "", NULL, "win.b", "C:\\x"));
    assert_false(holds(theirs, rule, "", NULL, "a", "D:\\x"));
    rule = make_rule("windows", "", "", "c", "v");
    assert_true(holds(theirs, rule, "", NULL, "d", "V"));
    assert_true(holds(theirs, rule, "", NULL, "e", "V"));
    rule = make_rule("windows", "", "", "z", "v");
    assert_true(holds(theirs, rule, "", NULL, "z.raw", "V"));
    rule = make_rule("windows", "", "", "hash", "v");
    assert_int_equal(sigma_pipelines_ways(theirs, &rule, arena, &ways, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_str(ways[0].source.product, "other");
    assert_int_equal(ways[0].root->kind, SIGMA_NODE_AND);
    assert_int_equal(ways[0].root->child_count, 2);
    assert_str(rule.ways[0].source.product, "windows"); /* the rule is as it was */
    assert_int_equal(sigma_pipelines_values(theirs, STR("admins"), &values), 2);
    assert_str(values[1], "toor");
    assert_int_equal(sigma_pipelines_values(theirs, STR("others"), &values), 0);
    sigma_pipelines_freep(&theirs);
}

static void expect_refusal(const char *text, const char *reason)
{
    struct sigma_pipelines *pipelines = NULL;
    struct diag diag = {{0}};

    assert_int_equal(sigma_pipelines_new(&pipelines), 0);
    assert_int_equal(sigma_pipelines_add(pipelines, STR("p.yml"), str_from(text), &diag),
                     -ERR_SYNTAX);
    if (strstr(diag.text, reason) == NULL) {
        fail_msg("'%s' does not say '%s'", diag.text, reason);
    }
    sigma_pipelines_freep(&pipelines);
}

static void test_refused(void **state)
{
    static const char dropping[] = "transformations:\n  - type: drop_detection_item\n";
    static const char failing[] =
        "transformations:\n  - {type: rule_failure, message: 'no such logs'}\n";
    struct sigma_rule rule = make_rule("windows", "", "", "a", "b");
    struct sigma_pipelines *pipelines = NULL;
    const struct sigma_way *ways;
    struct diag diag = {{0}};
    size_t count;

    (void)state;
    expect_refusal("", "p.yml:");
    expect_refusal("transformations: {type: ways}\n", "p.yml:1:");
    expect_refusal("a: [", "p.yml:2:");
    expect_refusal("name: x\n", "transformations");
    expect_refusal("transformations:\n  - {type: field_name_maping}\n", "p.yml:2:");
    expect_refusal("transformations:\n  - {type: field_name_mapping}\n", "mapping");
    expect_refusal("transformations:\n  - {type: replace_string, regex: '(', replacement: x}\n",
                   "p.yml:2:");
    expect_refusal("transformations:\n  - type: nest\n    items: [{type: nest, items: []}]\n",
                   "p.yml:3:");
    expect_refusal("transformations:\n  - {type: set_state, rule_conditions: [{type: moon}]}\n",
                   "logsource");
    expect_refusal("transformations:\n  - {type: set_state, detection_item_conditions: [{type: "
                   "match_string}]}\n",
                   "rule_conditions");
    expect_refusal("transformations:\n  - {type: add_condition, conditions: {'a|endswith': b}}\n",
                   "plain");

    assert_int_equal(sigma_pipelines_new(&pipelines), 0);
    assert_int_equal(sigma_pipelines_add(pipelines, STR("d"), str_from(dropping), NULL), 0);
    assert_int_equal(sigma_pipelines_ways(pipelines, &rule, arena, &ways, &count, &diag),
                     -ERR_DENIED);
    sigma_pipelines_freep(&pipelines);
    assert_int_equal(sigma_pipelines_new(&pipelines), 0);
    assert_int_equal(sigma_pipelines_add(pipelines, STR("f"), str_from(failing), NULL), 0);
    diag.text[0] = '\0';
    assert_int_equal(sigma_pipelines_ways(pipelines, &rule, arena, &ways, &count, &diag),
                     -ERR_DENIED);
    assert_string_equal(diag.text, "no such logs");
    sigma_pipelines_freep(&pipelines);
}

static int build_once(void *context)
{
    const struct sigma_rule *rule = context;
    struct sigma_pipelines *pipelines = NULL;
    const struct sigma_way *ways;
    size_t count;
    int r = sigma_pipelines_new(&pipelines);

    if (r == 0) {
        r = sigma_pipelines_add_own(pipelines);
    }
    if (r == 0) {
        r = sigma_pipelines_add(pipelines, STR("theirs.yml"), str_from(users), NULL);
    }
    if (r == 0) {
        r = sigma_pipelines_ways(pipelines, rule, arena, &ways, &count, NULL);
    }
    sigma_pipelines_freep(&pipelines);
    return r;
}

static void test_no_memory(void **state)
{
    struct sigma_rule rule = make_rule("windows", "process_creation", "", "Image", "c:\\a.exe");

    (void)state;
    assert_survives_no_memory(build_once, &rule);
}

static int start(void **state)
{
    (void)state;
    return arena_new(64U << 20, &arena);
}

static int stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_own), cmocka_unit_test(test_users),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_no_memory)};

    return cmocka_run_group_tests_name("pipeline", tests, start, stop);
}
