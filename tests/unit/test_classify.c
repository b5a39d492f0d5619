/* What may change in a document root, and what a stranger in it is for. */
#include "harness.h"

#include "base/time.h"
#include "detect/integrity/classify.h"

#include <string.h>

static void test_globs(void **state)
{
    (void)state;
    assert_true(class_glob_matches(STR("cache"), STR("a/cache/b.html")));
    assert_true(class_glob_matches(STR("cache/"), STR("cache")));
    assert_false(class_glob_matches(STR("cache"), STR("a/cached/b.html")));
    assert_true(class_glob_matches(STR("data/*/files"), STR("data/so-y-te/files/x")));
    assert_false(class_glob_matches(STR("data/*/files"), STR("data/files/x")));
    assert_false(class_glob_matches(STR("data/*/files"), STR("old/data/a/files")));
    assert_true(class_glob_matches(STR("/tep"), STR("tep/a")));
    assert_false(class_glob_matches(STR("/tep"), STR("a/tep")));
    assert_true(class_glob_matches(STR("t?p-*"), STR("x/tap-1/y")));
    assert_false(class_glob_matches(STR("*"), STR("")));
    assert_false(class_glob_matches(STR(""), STR("a")));
    /* many stars must not take exponential time */
    assert_false(class_glob_matches(STR("*a*a*a*a*a*a*a*a*a*a*b"),
                                    STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

static void test_classes(void **state)
{
    const struct str uploads[] = {STR("ho-so")};
    const struct str contents[] = {STR("app/var"), STR("ho-so")};
    const struct class_rules rules = {uploads, 1, contents, 2};
    const struct class_rules none = {0};

    (void)state;
    assert_int_equal(class_of(&none, STR("index.php")), MANIFEST_CLASS_FIXED);
    assert_int_equal(class_of(&none, STR("wp-content/uploads/2026/a.jpg")), MANIFEST_CLASS_UPLOAD);
    assert_int_equal(class_of(&none, STR("wp-content/themes/a.php")), MANIFEST_CLASS_FIXED);
    assert_int_equal(class_of(&none, STR("sites/default/files/x")), MANIFEST_CLASS_UPLOAD);
    assert_int_equal(class_of(&none, STR("cache/x.php")), MANIFEST_CLASS_CONTENT);
    assert_int_equal(class_of(&rules, STR("app/var/log")), MANIFEST_CLASS_CONTENT);
    assert_int_equal(class_of(&rules, STR("ho-so/a")), MANIFEST_CLASS_UPLOAD);
}

struct name_case {
    const char *path;
    unsigned plants;
};

static void test_names(void **state)
{
    static const struct name_case cases[] = {
        {"a/x.php", PLANT_SCRIPT},
        {"x.PhP5", PLANT_SCRIPT},
        {"x.php.jpg", PLANT_SCRIPT | PLANT_DOUBLE},
        {"x.phtml", PLANT_SCRIPT},
        {"x.php.", PLANT_SCRIPT | PLANT_DOUBLE},
        {"x.asp;.jpg", PLANT_SCRIPT | PLANT_DOUBLE},
        {"c.jsp", PLANT_SCRIPT},
        {"b.aspx", PLANT_SCRIPT},
        {"a.cgi", PLANT_SCRIPT},
        {".htaccess", PLANT_HANDLER},
        {"u/Web.Config", PLANT_HANDLER},
        {".user.ini", PLANT_HANDLER},
        {"anh.jpg", 0},
        {"php", 0},
        {"huong-dan-php.pdf", 0},
        {"QD.so.12.PL.02.pdf", 0}, /* số, phụ lục: words, not languages */
        {"cong.van.do.UBND.docx", 0},
        {"a.php/anh.jpg", 0}, /* a folder's name is no file's */
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned plants = plant_of_name(str_from(cases[i].path));

        if (plants != cases[i].plants) {
            fail_msg("'%s' is %u, not %u", cases[i].path, plants, cases[i].plants);
        }
    }
}

static void test_contents(void **state)
{
    (void)state;
    assert_int_equal(plant_of_head(STR("a.gif"), STR("GIF89a<?php system(1);")), PLANT_CODE);
    assert_int_equal(plant_of_head(STR("a.txt"), STR("<%@ page import=\"x\"%>")), PLANT_CODE);
    assert_int_equal(plant_of_head(STR("a.xml"), STR("<?xml version=\"1.0\"?>")), 0);
    assert_int_equal(plant_of_head(STR("a.php"), STR("<?php")), 0); /* its name says so */
    assert_int_equal(plant_of_mode(0100755, STR("\x7f"
                                                "ELF")),
                     PLANT_PROGRAM);
    assert_int_equal(plant_of_mode(0100755, STR("#!/bin/sh")), PLANT_PROGRAM);
    assert_int_equal(plant_of_mode(0100777, STR("\xff\xd8\xff")), 0); /* a picture, carelessly */
    assert_int_equal(plant_of_mode(0104644, STR("")), PLANT_PROGRAM);
    assert_int_equal(plant_of_times(0, 40 * 24 * 3600 * NS_PER_S), PLANT_BACKDATED);
    assert_int_equal(plant_of_times(0, 24 * 3600 * NS_PER_S), 0);
}

static void test_where_it_runs(void **state)
{
    (void)state;
    assert_int_equal(plant_that_runs(PLANT_SCRIPT | PLANT_BACKDATED, MANIFEST_CLASS_UPLOAD),
                     PLANT_SCRIPT);
    assert_int_equal(plant_that_runs(PLANT_SCRIPT, MANIFEST_CLASS_CONTENT), 0);
    assert_int_equal(plant_that_runs(PLANT_HANDLER, MANIFEST_CLASS_CONTENT), PLANT_HANDLER);
    assert_int_equal(plant_that_runs(PLANT_BACKDATED, MANIFEST_CLASS_UPLOAD), 0);
    assert_string_equal(plant_word(PLANT_SCRIPT | PLANT_DOUBLE), "web_double");
    assert_string_equal(plant_word(0), "web_added");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globs),         cmocka_unit_test(test_classes),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_contents),
        cmocka_unit_test(test_where_it_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
