/* What the judge of logs remembers of values: never another one's, and nothing that other fields
 * have shown. */
#include "sigma_world.h"

#include "base/cleanup.h"
#include "detect/sigma/engine_part.h"

#include <stdio.h>
#include <string.h>

/* Values that come again, in the same bytes and with another meaning, and in other company. */
static void test_values_that_come_again(void **state)
{
    struct arena *arena = arena_start();
    struct world world;

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, source_of("windows", ""), is(&world, "Image", "*\\cmd.exe"));
    rule_way(&world, 1, source_of("linux", ""), is(&world, "Image", "c:*"));
    rule_way(&world, 2, source_of("windows", ""), is(&world, "ParentImage", "*\\cmd.exe"));
    world_build(&world);
    for (unsigned round = 0; round < 4; round++) {
        entry_begin(&world, "windows", "");
        entry_put(&world, "Image", STR("c:\\u005ccmd.exe"), true);
        assert_rules(&world, "0");
        world.entry.fields[0].is_escaped = false;
        assert_rules(&world, "");
        entry_put(&world, "ParentImage", STR("c:\\CMD.exe"), false);
        assert_rules(&world, "2");
        entry_put(&world, "ParentImage", STR("c:\\CMD.exe"), false);
        assert_rules(&world, "2");
        world.entry.source = source_of("linux", "");
        assert_rules(&world, "1");
    }
    world_done(&world);
    arena_free(arena);
}

/* A field's hash of a text of 16 bytes, made to be the one wanted: the way back through clue_hash.
 */
static void text_of_hash(uint32_t field, uint64_t wanted, char text[17])
{
    const uint64_t factor = 0x9fb21c651e98df25ULL;
    uint64_t inverse = factor;
    uint64_t last = wanted;
    bool is_text = false;

    for (int i = 0; i < 6; i++) {
        inverse *= 2 - factor * inverse;
        last = wanted ^ last >> 29;
    }
    for (uint32_t draw = 0; !is_text; draw++) {
        uint64_t hash = ((uint64_t)field << 8 | CLUE_EQUAL) ^ 16;
        uint64_t word;

        hash *= factor;
        hash ^= hash >> 29;
        (void)snprintf(text, 17, "%08x", draw);
        memcpy(&word, text, 8);
        hash = (hash ^ word) * factor;
        hash ^= hash >> 29;
        word = last * inverse ^ hash;
        memcpy(text + 8, &word, 8);
        is_text = true;
        for (int i = 8; i < 16; i++) {
            is_text =
                is_text && text[i] > ' ' && text[i] < 0x7f && (text[i] < 'A' || text[i] > 'Z');
        }
    }
    text[16] = '\0';
    assert_true(clue_hash(CLUE_EQUAL, field, str_of(text, 16)) == wanted);
}

static const struct clue *clue_with(const struct world *world, const char *text)
{
    for (size_t i = 0; i < world->engine->clue_count; i++) {
        if (str_find(world->engine->clues[i].text, str_from(text)) == 0) {
            return &world->engine->clues[i];
        }
    }
    fail_msg("no clue begins with %s", text);
    return NULL;
}

/* Whoever writes a log can choose a value that looks like a clue of another field. */
static void test_values_that_look_like_others(void **state)
{
    struct arena *arena = arena_start();
    struct world world;
    char user[17];

    (void)state;
    world_init(&world, arena);
    rule_way(&world, 0, source_of("windows", ""), is(&world, "Image", "certutil.exe"));
    rule_way(&world, 1, source_of("windows", ""), is(&world, "User", "somebody"));
    world_build(&world);
    text_of_hash(clue_with(&world, "somebody")->field, clue_with(&world, "certutil.exe")->hash,
                 user);
    for (unsigned round = 0; round < 4; round++) {
        entry_begin(&world, "windows", "");
        entry_put(&world, "User", str_from(user), false);
        entry_put(&world, "Image", STR("certutil.exe"), false);
        assert_rules(&world, "0");
    }
    entry_begin(&world, "windows", "");
    entry_put(&world, "User", STR("lan"), false);
    entry_put(&world, "Image", STR("certutil.exe"), false);
    assert_rules(&world, "0");
    world_done(&world);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_that_come_again),
        cmocka_unit_test(test_values_that_look_like_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
