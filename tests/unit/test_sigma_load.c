/* The loader: what it takes, what it refuses and how that reads, filters, collections,
 * correlations; and all rules of ../shared/data/sigma (or CANHGAC_DATA). */
#include "harness.h"

#include "base/arena.h"
#include "base/text.h"
#include "codec/json.h"
#include "detect/sigma/load.h"
#include "detect/sigma/oracle.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCE  "logsource: {product: x}\n"
#define RULE(t) "title: " t "\n" SOURCE "detection: {s: {A: x}, condition: s}\n"

static struct sigma_loader *loader;
static char file_text[SIGMA_FILE_MAX];

static const struct sigma_set *load(const char *text)
{
    const struct sigma_set *set = NULL;

    sigma_loader_free(loader);
    assert_int_equal(sigma_loader_new(true, &loader), 0);
    assert_int_equal(sigma_loader_add(loader, STR("a.yml"), str_from(text)), 0);
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    return set;
}

static const struct sigma_set *load_well(const char *text)
{
    const struct sigma_set *set = load(text);

    if (set->refusal_count != 0) {
        fail_msg("%.*s", STR_ARG(set->refusals[0].reason));
    }
    return set;
}

static void expect_said(const struct sigma_refusal *refusal, const char *place, const char *reason,
                        const char *remedy)
{
    char own_place[64];

    (void)snprintf(own_place, sizeof(own_place), "%.*s:%u:%u", STR_ARG(refusal->file),
                   refusal->line, refusal->column);
    assert_string_equal(own_place, place);
    assert_str(refusal->reason, reason);
    assert_true(refusal->remedy.len != 0);
    assert_str(refusal->remedy, remedy);
}

static void expect_refused(const char *text, const char *place, const char *reason,
                           const char *remedy)
{
    const struct sigma_set *set = load(text);

    if (set->refusal_count != 1 || set->rule_count != 0) {
        fail_msg("%s: %zu refusals", text, set->refusal_count);
    }
    assert_false(set->refusals[0].is_warning);
    expect_said(&set->refusals[0], place, reason, remedy);
}

static void test_rule(void **state)
{
    const struct sigma_set *set = load_well(
        "title: ' A rule '\nid: 42\nname: n\nlevel: HIGH\nstatus: test\ndate: 2024-01-02\n"
        "author: me\ndescription: |\n  why\ntags: [attack.t1059, attack.execution]\n"
        "references: https://example.vn/\nfalsepositives:\n  - none\nfields: [A]\n"
        "related: [{id: x, type: derived}]\ncustom: {any: thing}\n"
        "logsource: {product: windows, category: process_creation, definition: d}\n"
        "detection:\n  sel: {A|contains: X}\n  timeframe: 5m\n  condition: sel\n");
    const struct sigma_rule *rule = &set->rules[0];

    (void)state;
    assert_int_equal(set->rule_count, 1);
    assert_str(rule->title, "A rule");
    assert_str(rule->id, "42");
    assert_str(rule->description, "why");
    assert_int_equal(rule->level, SIGMA_LEVEL_HIGH);
    assert_int_equal(rule->tag_count, 2);
    assert_str(rule->tags[1], "attack.execution");
    assert_str(rule->references[0], "https://example.vn/");
    assert_str(rule->source.category, "process_creation");
    assert_int_equal(rule->way_count, 1);
    assert_str(rule->ways[0].root->name, "sel");
    assert_str(rule->ways[0].root->atom->text, "X");
    assert_str(rule->ways[0].root->atom->parts[1].text, "x");
    assert_int_equal(rule->line, 1);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *detection;
        const char *place;
        const char *reason;
        const char *remedy;
    } rows[] = {
        {"{s: {A|contians: x}, condition: s}", "a.yml:3:17", "the modifier “contians” is not known",
         "did you mean “contains”?"},
        {"{sel: {A: x}, condition: sle}", "a.yml:3:37", "there is no selection “sle”",
         "did you mean “sel”?"},
        {"{s: {A: x}, condition: s and}", "a.yml:3:40", "the condition ends too early",
         "write a selection behind the last word, or take it out"},
        {"{s: {A: x}, condition: (s}", "a.yml:3:37", "a closing parenthesis is missing",
         "write “)” where it ends, or take “(” out"},
        {"{s: {A: x}, condition: s s}", "a.yml:3:37", "“s” is not expected here",
         "join selections with “and” or “or”"},
        {"{s: {A: x}, condition: s | count() > 5}", "a.yml:3:37",
         "counting behind “|” is Sigma of old",
         "write a correlation document that refers to this rule"},
        {"{s1: {A: x}, condition: s*}", "a.yml:3:36", "“s*” names several selections",
         "write “1 of” or “all of” in front of it"},
        {"{s1: {A: x}, condition: 2 of s*}", "a.yml:3:43",
         "more selections are asked for than there are", "ask for fewer, or write “all of”"},
        {"{s: {A: x}}", "a.yml:3:12", "the condition is missing",
         "write “condition” beside the selections"},
        {"{s: {A: []}, condition: s}", "a.yml:3:20", "the list of values is empty",
         "name at least one value, or take the field out"},
        {"{s: {}, condition: s}", "a.yml:3:16", "the selection is empty",
         "name a field and its values, or take it out"},
        {"{s: {A: {b: c}}, condition: s}", "a.yml:3:20",
         "a list or mapping stands where a value should",
         "write a single value, or a flat list of them"},
        {"{s: {A|re: '(x'}, condition: s}", "a.yml:3:17",
         "the regex is broken at its character 3: missing closing parenthesis",
         "mend it, or put a backslash before a sign that stands for itself"},
        {"{s: {A|re: 'a(?!b)'}, condition: s}", "a.yml:3:17",
         "regexes with look-around or back references are not taken",
         "write what must not be there as a filter with “and not”"},
        {"{s: {A|i: x}, condition: s}", "a.yml:3:17", "“i”, “m” and “s” are flags of a regex",
         "put “re” in front of it"},
        {"{s: {A|cidr: 10.0.0/8}, condition: s}", "a.yml:3:17",
         "“10.0.0/8” is not a network such as 10.0.0.0/8 or fe80::/10",
         "write the value so, or take the modifier away"},
        {"{s: {A|gt: x}, condition: s}", "a.yml:3:17", "“x” is not a number",
         "write the value so, or take the modifier away"},
        {"{s: {A|exists: x}, condition: s}", "a.yml:3:17",
         "“exists” takes true or false, and no other modifier", "write “field|exists: true”"},
        {"{s: {A|base64: 'x*'}, condition: s}", "a.yml:3:17",
         "Base64 can only be made of a text without wildcards",
         "write the wildcards with a backslash, or use “contains” behind the modifier"},
        {"{s: {A|expand: '%users%'}, condition: s}", "a.yml:3:17",
         "nobody knows what “%users%” stands for",
         "give it values in a pipeline: “vars” and “value_placeholders”"},
        {"{s: {A|hour: 24}, condition: s}", "a.yml:3:17", "no time can ever be so",
         "minutes go from 0 to 59, hours to 23; days from 1 to 31, weeks to 53, months to 12"},
        {"{sel: {A: x}, other: {A: y}, condition: nothing}", "a.yml:3:52",
         "there is no selection “nothing”", "known here: sel, other"},
        {"{s: {'|exists': true}, condition: s}", "a.yml:3:17", "this can only be asked of a field",
         "name the field in front of the modifier"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];

        (void)snprintf(text, sizeof(text), "title: t\n" SOURCE "detection: %s\n",
                       rows[i].detection);
        expect_refused(text, rows[i].place, rows[i].reason, rows[i].remedy);
    }
}

static void test_documents_refused(void **state)
{
    (void)state;
    expect_refused("- a\n", "a.yml:1:1", "this is no Sigma document",
                   "write “title:”, “logsource:” and “detection:”");
    expect_refused("title: t\nlevel: hihg\n", "a.yml:2:8", "the level “hihg” is not known",
                   "did you mean “high”?");
    expect_refused("title: t\ndetection: {}\n", "a.yml:1:1", "the log source is missing",
                   "write “logsource” with product, category or service");
    expect_refused("title: t\nlogsource: {definition: x}\n", "a.yml:2:12",
                   "the log source is missing",
                   "write “logsource” with product, category or service");
    expect_refused("title: t\n\tx: y\n", "a.yml:2:1",
                   "this is not YAML: found a tab character that violates indentation",
                   "save it as UTF-8, indent with spaces, and put values with signs such as : # * "
                   "% between single quotation marks");
}

static void test_others_stand(void **state)
{
    const struct sigma_set *set =
        load(RULE("one") "---\ntitle: [broken\n---\ntitle: x\ntitle: y\n---\n" RULE("two"));

    (void)state;
    assert_int_equal(set->rule_count, 2);
    assert_str(set->rules[1].title, "two");
    assert_int_equal(set->rules[1].line, 10);
    assert_int_equal(set->refusal_count, 2);
    expect_said(&set->refusals[1], "a.yml:8:1", "the key “title” stands twice, first in line 7",
                "take one of the two out");
}

static void test_same_id(void **state)
{
    const struct sigma_set *set = load("id: a-1\n" RULE("one") "---\nid: a-1\n" RULE("two"));

    (void)state;
    assert_int_equal(set->rule_count, 1);
    expect_said(&set->refusals[0], "a.yml:6:1", "another rule has this id already: a.yml, line 1",
                "give it an id of its own, or take one away");
}

static void test_collection(void **state)
{
    const struct sigma_set *set = load_well(
        "action: global\ntitle: G\n" SOURCE "detection: {condition: s}\n---\n"
        "detection: {s: {A: x}}\n---\naction: repeat\ntitle: R\ndetection: {s: {B: y}}\n---\n"
        "action: reset\n---\n" RULE("own"));

    (void)state;
    assert_int_equal(set->rule_count, 3);
    assert_str(set->rules[0].title, "G");
    assert_str(set->rules[1].title, "R");
    assert_int_equal(set->rules[1].ways[0].root->child_count, 2); /* mappings are merged */
    assert_str(set->rules[2].title, "own");
}

static void test_filter(void **state)
{
    const struct sigma_set *set =
        load_well("title: f\n" SOURCE
                  "filter: {rules: [n], q: {B: y}, condition: not q}\n---\nname: n\n" RULE(
                      "one") "---\nname: m\n" RULE("two"));

    (void)state;
    assert_int_equal(set->rules[0].ways[0].root->kind, SIGMA_NODE_AND);
    assert_int_equal(set->rules[1].ways[0].root->kind, SIGMA_NODE_ATOM);
    set = load("title: f\nfilter: {rules: any, q: {B: y}, condition: q}\n---\n" RULE("one"));
    assert_int_equal(set->rule_count, 1);
    assert_int_equal(set->rules[0].ways[0].root->kind, SIGMA_NODE_AND);
    assert_true(set->refusals[0].is_warning);
    expect_said(&set->refusals[0], "a.yml:2:44", "the filter keeps only what it selects",
                "write “not” in front to leave that out instead");
    set = load_well("title: f\n" SOURCE
                    "filter: {rules: All, q: {B: y}, condition: not q}\n---\n" RULE("one"));
    assert_int_equal(set->rules[0].ways[0].root->kind, SIGMA_NODE_AND);
    set = load("title: f\nfilter: {rules: [zz], q: {B: y}, condition: not q}\n---\n" RULE("one"));
    assert_true(set->refusals[0].is_warning);
    assert_str(set->refusals[0].reason, "the filter is for a rule “zz” that is not there");
}

#define COUNT(title)                                                                               \
    "---\nid: " title "\ntitle: " title                                                            \
    "\ncorrelation: {type: event_count, rules: [n], timespan: 1m, condition: {gte: 2}}\n"
#define CHAIN(title)                                                                               \
    "---\nid: " title "\ntitle: " title                                                            \
    "\ncorrelation: {type: event_count, rules: [a, a], timespan: 1m, condition: {gte: 2}}\n"

/* A filter that names a correlation is none of the rules under it, nor of others over them. */
static void test_filter_of_correlation(void **state)
{
    const struct sigma_set *set = load_well(
        "title: f\nid: f\nfilter: {rules: [a], q: {B: y}, condition: not q}\n" COUNT("a")
            COUNT("b") "---\nname: n\nid: id-n\n" RULE(
                "one") "---\ntitle: g\nfilter: {rules: [n], q: {C: y}, condition: not q}\n");
    const struct sigma_rule *own = &set->rules[set->correlations[0].parts[0].index];

    (void)state;
    assert_int_equal(sigma_set_written(set), 1);
    assert_int_equal(set->rule_count, 2);
    assert_int_equal(set->correlations[1].parts[0].index, 0);
    assert_int_equal(set->rules[0].ways[0].root->child_count, 2);
    assert_int_equal(set->rules[0].ways[0].root->children[0]->kind, SIGMA_NODE_ATOM);
    assert_true(own->is_stand_in && own->is_silent && set->rules[0].is_silent);
    assert_str(own->id, "id-n");
    assert_int_equal(own->ways[0].root->children[0]->kind, SIGMA_NODE_AND); /* g, and then f */
    set = load_well("title: f\nid: f\nfilter: {rules: [c], q: {B: y}, condition: not q}\n" CHAIN(
        "c") COUNT("a") "---\nname: n\n" RULE("one"));
    assert_int_equal(set->rule_count, 2);
    assert_int_equal(set->correlations[0].parts[0].index, 1);
    set = load("title: f\nid: f\nfilter: {rules: [a], q: {B: y}, condition: not q}\n" CHAIN(
        "a") "---\nname: n\n" RULE("one"));
    assert_int_equal(set->correlation_count, 0);
    assert_str(set->refusals[0].reason, "the filter fits no rule");
}

#define CORRELATION(body) "---\ntitle: c\ncorrelation: {" body "}\n"
#define TWO               "name: one\n" RULE("1") "---\nname: two\nid: id-2\n" RULE("2")

static void test_correlation(void **state)
{
    const struct sigma_set *set =
        load_well("title: chain\ncorrelation: {type: temporal, rules: [count, id-2], timespan: 2h,"
                  " condition: count AND NOT id-2}\n---\n" TWO
                  "---\ntitle: c\nname: count\nlevel: low\ncorrelation:\n  type: value_count\n"
                  "  rules: [one, two]\n  group-by: [user]\n  timespan: 5m\n"
                  "  aliases: {user: {one: A, two: B}}\n"
                  "  condition: {gte: 10, lt: 20, field: C}\n  generate: true\n");
    const struct sigma_correlation *count = &set->correlations[0];
    const struct sigma_correlation *chain = &set->correlations[1];

    (void)state;
    assert_int_equal(set->correlation_count, 2);
    assert_str(count->title, "c");
    assert_int_equal(count->kind, SIGMA_CORRELATION_VALUE_COUNT);
    assert_int_equal(count->part_count, 2);
    assert_int_equal(count->parts[1].index, 1);
    assert_true(count->timespan == 300000000000LL);
    assert_int_equal(count->bounds.asked, 1U << SIGMA_ORDER_GTE | 1U << SIGMA_ORDER_LT);
    assert_true(count->bounds.limits[SIGMA_ORDER_GTE] == 10);
    assert_str(count->bounds.fields[0], "C");
    assert_str(count->aliases[0].name, "user");
    assert_str(count->aliases[0].fields[1], "B");
    assert_true(count->is_silent);
    assert_true(chain->parts[0].is_correlation);
    assert_int_equal(chain->parts[1].index, 1);
    assert_int_equal(chain->root->kind, SIGMA_NODE_AND);
    assert_true(chain->root->children[1]->children[0]->atom->number == 1);
    assert_false(set->rules[0].is_silent); /* `generate` of the count lets them speak */
    set = load_well(
        TWO CORRELATION("type: event_count, rules: one, timespan: 1d, condition: {gt: 1}"));
    assert_true(set->rules[0].is_silent);
    assert_false(set->rules[1].is_silent);
}

static void test_correlation_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
        const char *remedy;
    } rows[] = {
        {TWO CORRELATION("type: event_cuont, rules: one, timespan: 1m, condition: {gt: 1}"),
         "the type “event_cuont” is not known", "did you mean “event_count”?"},
        {TWO CORRELATION("type: event_count, rules: [oen], timespan: 1m, condition: {gt: 1}"),
         "there is no rule “oen”", "did you mean “one”?"},
        {TWO CORRELATION("type: event_count, rules: one, timespan: 1x, condition: {gt: 1}"),
         "the correlation has no timespan that can be read",
         "write a number and a unit of s m h d w M y: “5m”, at most a year"},
        {TWO CORRELATION("type: event_count, rules: one, timespan: 1m, condition: {gtt: 1}"),
         "a condition does not know “gtt”", "did you mean “gt”?"},
        {TWO CORRELATION("type: value_count, rules: one, timespan: 1m, condition: {gt: 1}"),
         "the correlation does not say whose values it takes", "write “field” in the condition"},
        {TWO CORRELATION("type: event_count, rules: one, timespan: 1m"),
         "the correlation has no condition", "write “condition” with a bound such as “gte: 10”"},
        {TWO "---\ntitle: a\nname: a\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n",
         "the correlation refers to itself, or to too long a chain",
         "name only rules and correlations that do not build on this one"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct sigma_set *set = load(rows[i].text);

        assert_int_equal(set->rule_count, 2);
        assert_int_equal(set->correlation_count, 0);
        assert_int_equal(set->refusal_count, 1);
        assert_str(set->refusals[0].reason, rows[i].reason);
        assert_str(set->refusals[0].remedy, rows[i].remedy);
    }
}

static void test_circle(void **state)
{
    const struct sigma_set *set =
        load("title: a\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\n"
             "title: b\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n");

    (void)state;
    assert_int_equal(set->correlation_count, 0);
    assert_int_equal(set->refusal_count, 2);
}

static void test_placeholders(void **state)
{
    const struct sigma_set *set = NULL;
    const struct sigma_node *root;
    struct diag diag = {{0}};

    (void)state;
    sigma_loader_free(loader);
    assert_int_equal(sigma_loader_new(true, &loader), 0);
    assert_int_equal(
        sigma_loader_add_pipeline(loader, STR("p.yml"),
                                  STR("name: p\nvars: {admins: [root, 'adm*']}\ntransformations:\n"
                                      "  - {type: value_placeholders, include: [admins]}\n"),
                                  &diag),
        0);
    assert_int_equal(
        sigma_loader_add(loader, STR("a.yml"),
                         STR("title: t\n" SOURCE
                             "detection: {s: {A|startswith|expand: 'x%admins%'}, condition: s}\n"
                             "---\ntitle: u\n" SOURCE
                             "detection: {s: {A|re|expand: '^%admins%$'}, condition: s}\n")),
        0);
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    assert_int_equal(set->rule_count, 2);
    assert_str(set->rules[1].ways[0].root->children[1]->atom->text, "^adm\\*$");
    root = set->rules[0].ways[0].root;
    assert_int_equal(root->kind, SIGMA_NODE_OR);
    assert_int_equal(root->child_count, 2);
    assert_str(root->children[0]->atom->parts[0].text, "xroot");
    assert_int_equal(root->children[1]->atom->part_count, 2); /* adm*, not adm** */
}

static int load_all_kinds(void *context)
{
    struct sigma_loader *own = NULL;
    const struct sigma_set *set;
    int r = sigma_loader_new(true, &own);

    (void)context;
    if (r >= 0) {
        r = sigma_loader_add(
            own, STR("a.yml"),
            STR("title: [bad\n---\n" TWO
                "---\ntitle: f\nfilter: {rules: any, q: {B: y}, condition: q}\n"
                "---\ntitle: w\n" SOURCE
                "detection: {s: {A|windash|contains|all: [' -x', y], B|re: x+},"
                " t: [k, {C|base64offset|contains: abc}], condition: 1 of them}\n" CORRELATION(
                    "type: temporal, rules: [one, two], timespan: 1m,"
                    " aliases: {u: {one: A}}, condition: one and two")));
    }
    if (r >= 0) {
        r = sigma_loader_finish(own, &set);
    }
    sigma_loader_free(own);
    return r;
}

/* Which rules are asked of entries of a known source only. */
static void test_needs_source(void **state)
{
    static const struct {
        const char *detection;
        bool is_needed;
    } rows[] = {
        {"{s: [delete, erase], condition: s}", true},
        {"{s: [DELETE], condition: s}", false},
        {"{s: ['show history'], condition: s}", false},
        {"{s: ['show history', more], condition: s}", true},
        {"{s: [shutdowns], condition: s}", false}, /* nine letters */
        {"{s: {A: delete}, condition: s}", false},
        {"{s: [delete], t: {A: x}, condition: s and t}", false},
        {"{s: [delete], t: {A: x}, condition: s or t}", true},
        {"{s: [delete], t: [old], condition: s and not t}", true},
        {"{s: [delete], t: [old], condition: not t}", true},
        {"{s: {A: x}, condition: not s}", true},
        {"{s: [delete], t: [mimikatz.exe], condition: s and t}", false},
        {"{s: {A: null}, t: [copy], condition: s and t}", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];

        (void)snprintf(text, sizeof(text), "title: t\n" SOURCE "detection: %s\n",
                       rows[i].detection);
        if (load_well(text)->rules[0].ways[0].needs_source != rows[i].is_needed) {
            fail_msg("%s", rows[i].detection);
        }
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(load_all_kinds, NULL);
}

static void test_hostile_sizes(void **state)
{
    const struct sigma_set *set;
    size_t len;

    (void)state;
    memset(file_text, '(', 4096);
    len = (size_t)snprintf(file_text, sizeof(file_text),
                           "title: t\n" SOURCE "detection: {s: {A: x}, condition: '");
    memset(file_text + len, '(', 4096);
    (void)snprintf(file_text + len + 4096, 64, "s'}\n");
    set = load(file_text);
    assert_str(set->refusals[0].reason, "the condition is nested too deep");
    len = (size_t)snprintf(file_text, sizeof(file_text),
                           "title: t\n" SOURCE "detection:\n  condition: s\n  s:\n    A:\n");
    for (int i = 0; i < 70000; i++) {
        memcpy(file_text + len, "    - x\n", 8);
        len += 8;
    }
    file_text[len] = '\0';
    set = load(file_text);
    assert_int_equal(set->refusal_count, 1);
    assert_str(set->refusals[0].reason, "too many values");
    len = (size_t)snprintf(file_text, sizeof(file_text),
                           "title: t\n" SOURCE "detection:\n  condition: s\n  s:\n"
                           "    A|windash: ' -a -b -c -d -e ");
    memset(file_text + len, 'x', 60000);
    (void)snprintf(file_text + len + 60000, 128, "'\n---\n" RULE("good"));
    set = load(file_text);
    assert_int_equal(set->rule_count, 1);
    assert_str(set->refusals[0].reason, "the rule becomes too large");
}

/* ---- the rules of everybody ---- */

static const char *data_path(void)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/sigma",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data");
    return path;
}

static bool file_read(const char *path, struct str *ret_text)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return false;
    }
    *ret_text = str_of(file_text, fread(file_text, 1, sizeof(file_text), file));
    (void)fclose(file);
    return true;
}

static size_t add_folder(const char *name, clock_t *spent)
{
    char path[1100];
    char *paths[2] = {path, NULL};
    FTS *walk;
    FTSENT *one;
    size_t files = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", data_path(), name);
    walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    while (walk != NULL && (one = fts_read(walk)) != NULL) {
        struct str text;

        if (one->fts_info == FTS_F && str_has_suffix(str_from(one->fts_name), STR(".yml")) &&
            file_read(one->fts_path, &text)) {
            clock_t before = clock();

            assert_int_equal(sigma_loader_add(loader, str_from(one->fts_path), text), 0);
            *spent += clock() - before;
            files++;
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
    return files;
}

/* Each of the published rules is taken, or its absence has a reason that is its own. */
static void test_published_rules(void **state)
{
    static const char *const folders[] = {"rules", "rules-emerging-threats", "rules-threat-hunting",
                                          "rules-compliance"};
    const struct sigma_set *set = NULL;
    clock_t spent = 0;
    clock_t before;
    size_t files = 0;

    (void)state;
    sigma_loader_free(loader);
    assert_int_equal(sigma_loader_new(false, &loader), 0);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        files += add_folder(folders[i], &spent);
    }
    if (files == 0) {
        print_message("no %s: skipped\n", data_path());
        skip();
    }
    before = clock();
    assert_int_equal(sigma_loader_finish(loader, &set), 0);
    spent += clock() - before;
    print_message("%zu of %zu published rules loaded in %.0f ms\n", set->rule_count, files,
                  (double)spent * 1e3 / CLOCKS_PER_SEC);
    for (size_t i = 0; i < set->refusal_count; i++) {
        const struct sigma_refusal *refusal = &set->refusals[i];

        print_message("%.*s:%u: %.*s\n", STR_ARG(refusal->file), refusal->line,
                      STR_ARG(refusal->reason));
        assert_true(str_find(refusal->reason, STR("%known_cdcs%")) < refusal->reason.len);
    }
    assert_int_equal(set->rule_count + set->refusal_count, files);
}

static int setup(void **state)
{
    (void)state;
    text_set_language(LANGUAGE_EN);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sigma_loader_free(loader);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_documents_refused),
        cmocka_unit_test(test_others_stand),
        cmocka_unit_test(test_same_id),
        cmocka_unit_test(test_collection),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_of_correlation),
        cmocka_unit_test(test_correlation),
        cmocka_unit_test(test_correlation_refused),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_needs_source),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_hostile_sizes),
        cmocka_unit_test(test_published_rules),
    };

    return cmocka_run_group_tests_name("sigma_load", tests, setup, teardown);
}
