/* Which names may mean anything: of a name that the filter does not have, the tables and whoever
 * asks say what they would say of any made-up one; and no way of writing a name that is asked for
 * gets past it. */
#include "prop.h"

#include "base/err.h"
#include "codec/ndjson_paths.h"

static const char *const asked[] = {
    "CommandLine", "Threat Name", "ThreatId",    "Target_User",  "requestParameters",
    "a.b.c",       "eventName",   "action.type", "Properties.x", "EventData.Kept",
};

static struct entry_names *make_names(void)
{
    struct entry_names *names = NULL;
    uint32_t id;

    assert_int_equal(entry_names_new(100, &names), 0);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        assert_int_equal(entry_names_add(names, str_from(asked[i]), &id), 0);
    }
    return names;
}

/* Parts that names of logs have, alone and behind fronts, some changed by a letter. */
static struct str draw_name(struct prop *prop)
{
    static const char *const parts[] = {"Event",
                                        "EventData",
                                        "System",
                                        "winlog",
                                        "event_data",
                                        "data",
                                        "win",
                                        "eventdata",
                                        "properties",
                                        "detail",
                                        "CommandLine",
                                        "commandLine",
                                        "ThreatName",
                                        "threat Id",
                                        "TargetUser",
                                        "target_user",
                                        "Target User",
                                        "x1",
                                        "Channel",
                                        "host",
                                        "name",
                                        "@timestamp",
                                        "_source",
                                        "result",
                                        "c",
                                        "b",
                                        "a",
                                        "Kept",
                                        "",
                                        "EventID",
                                        "type",
                                        "action",
                                        "UserData",
                                        "RuleAndFileData"};
    struct str name = STR("");

    for (uint64_t left = 1 + prop_below(prop, 4); left > 0; left--) {
        const char *part = parts[prop_below(prop, sizeof(parts) / sizeof(parts[0]))];

        name = arena_printf(prop->arena, "%.*s%s%s", STR_ARG(name), part, left > 1 ? "." : "");
        assert_non_null(name.ptr);
    }
    if (prop_below(prop, 3) == 1) {
        name = arena_printf(prop->arena, "%.*s%c", STR_ARG(name),
                            (int)(' ' + (char)prop_below(prop, 95)));
    }
    return name;
}

static bool call_is_same(const struct ndjson_call *a, const struct ndjson_call *b)
{
    return str_is(a->name, b->name) && a->id == b->id && a->family == b->family &&
           a->role == b->role && a->row == b->row && a->more == b->more &&
           a->also_count == b->also_count && a->field_kind == b->field_kind;
}

static const char *unknown_is_unknown(struct prop *prop)
{
    static struct ndjson_words words;
    struct entry_names *names = make_names();
    struct str name = draw_name(prop);
    struct ndjson_tells tells = ndjson_shapes_tells(name);
    const char *broke = NULL;

    ndjson_words_init(&words, names);
    if (!ndjson_words_has(&words, name)) {
        broke = tells.bits[0] != 0 || tells.bits[1] != 0 ? "a record is told by it" : broke;
        broke = ndjson_shapes_is_wrapper(name) ? "it wraps" : broke;
        for (unsigned family = 0; family < NDJSON_FAMILY_COUNT; family++) {
            struct ndjson_call full;
            struct ndjson_call quick;

            ndjson_shapes_call((enum ndjson_family)family, name, names, &full);
            ndjson_shapes_call_unknown((enum ndjson_family)family, name, &quick);
            broke = !call_is_same(&full, &quick) ? "a family calls it otherwise" : broke;
        }
    }
    entry_names_free(names);
    return broke;
}

static void test_unknown(void **state)
{
    (void)state;
    prop_check("unknown is unknown", unknown_is_unknown, 20000);
}

static void test_known(void **state)
{
    static const char *const known[] = {"commandLine", "Threat_Name",   "threat Name",
                                        "ThreatName",  "x.CommandLine", "Target User",
                                        "@timestamp",  "_source",       "winlog.channel"};
    static struct ndjson_words words;
    struct entry_names *names = make_names();
    unsigned wrong = 0;
    char text[32];

    (void)state;
    ndjson_words_init(&words, names);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(ndjson_words_has(&words, str_from(known[i])));
    }
    for (unsigned i = 0; i < 10000; i++) {
        int len = snprintf(text, sizeof(text), "CommandLine.x%u", i);

        wrong += ndjson_words_has(&words, str_of(text, (size_t)len));
    }
    assert_true(wrong < 500);
    entry_names_free(names);
}

/* The number of a name stays its own however many come between, and room goes when they do. */
static void test_room(void **state)
{
    struct ndjson_paths paths;
    uint32_t first;
    uint32_t again;
    uint32_t room;
    char text[16];

    (void)state;
    assert_int_equal(ndjson_paths_init(&paths, NULL), 0);
    room = paths.room;
    for (unsigned entry = 0; entry < 3; entry++) {
        assert_int_equal(ndjson_paths_trim(&paths), 0);
        assert_int_equal(ndjson_paths_member(&paths, 0, STR("first"), &first), 0);
        for (unsigned i = 0; i < 60000; i++) {
            int len = snprintf(text, sizeof(text), "%x.%x", entry, i);

            assert_int_equal(ndjson_paths_member(&paths, 0, str_of(text, (size_t)len), &again), 0);
            assert_int_equal(again, first + 1 + i);
        }
        assert_int_equal(ndjson_paths_member(&paths, 0, STR("first"), &again), 0);
        assert_int_equal(again, first);
        assert_true(paths.room > room);
    }
    room = paths.room;
    assert_int_equal(ndjson_paths_trim(&paths), 0);
    assert_int_equal(paths.room, room); /* the next may be as large */
    assert_int_equal(ndjson_paths_member(&paths, 0, STR("few"), &first), 0);
    assert_int_equal(ndjson_paths_trim(&paths), 0);
    assert_true(paths.room < room);
    assert_int_equal(ndjson_paths_member(&paths, 0, STR("few"), &again), 0);
    assert_int_equal(again, first);
    ndjson_paths_done(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
