/* Watched sites: their words, and a look at a page on the wire and as JSON. */
#include "draw.h"

#include "base/text.h"
#include "codec/json.h"
#include "model/site.h"

static void test_words(void **state)
{
    enum site_service service;
    enum site_view view;

    (void)state;
    for (unsigned i = 0; i < SITE_SERVICE_COUNT; i++) {
        assert_true(
            site_service_parse(str_from(site_service_name((enum site_service)i)), &service));
        assert_int_equal(service, i);
    }
    for (unsigned i = 0; i < SITE_VIEW_COUNT; i++) {
        assert_true(site_view_parse(str_from(site_view_name((enum site_view)i)), &view));
        assert_int_equal(view, i);
    }
    for (unsigned i = 0; i < SITE_LAYER_COUNT; i++) {
        assert_true(strlen(site_layer_sentence((enum site_layer)i)) > 0);
    }
    for (unsigned i = 0; i < SITE_FAILURE_COUNT; i++) {
        assert_true(strlen(site_failure_sentence((enum site_failure)i)) > 0);
    }
    assert_false(site_service_parse(STR("Portal"), &service));
    assert_false(site_view_parse(STR(""), &view));
}

static struct site_check draw_check(struct prop *prop)
{
    struct site_check check = {
        .site = prop_u64(prop),
        .url = draw_text(prop, 30),
        .url_final = draw_text(prop, 30),
        .page = (enum site_page)prop_below(prop, SITE_PAGE_COUNT),
        .view = (enum site_view)prop_below(prop, SITE_VIEW_COUNT),
        .time = prop_i64(prop),
        .verdict = (enum site_verdict)prop_below(prop, SITE_VERDICT_COUNT),
        .failure = (enum site_failure)prop_below(prop, SITE_FAILURE_COUNT),
        .is_confirmed = prop_bool(prop),
        .is_learning = prop_bool(prop),
        .score = (double)prop_below(prop, 2000) / 8 - 100,
        .layers = (uint32_t)prop_below(prop, 1u << SITE_LAYER_COUNT),
        .status = (uint32_t)prop_below(prop, 1000),
        .timing = {.resolved = prop_i64(prop),
                   .connected = 2,
                   .secured = 3,
                   .done = prop_i64(prop)},
        .size = prop_u64(prop),
        .certificate_end = prop_i64(prop),
        .title = draw_text(prop, 20),
    };
    size_t count = prop_below(prop, SITE_REASONS_MAX + 1);
    struct site_reason *reasons = arena_alloc(prop->arena, count, sizeof(*reasons));

    assert_non_null(reasons);
    for (size_t i = 0; i < count; i++) {
        reasons[i] =
            (struct site_reason){.layer = (enum site_layer)prop_below(prop, SITE_LAYER_COUNT),
                                 .view = (enum site_view)prop_below(prop, SITE_VIEW_COUNT),
                                 .what = draw_text(prop, 8),
                                 .value = draw_text(prop, 8),
                                 .score = (double)prop_below(prop, 100),
                                 .snippet = draw_text(prop, 20),
                                 .offset = prop_u64(prop)};
    }
    check.body_sha256[31] = (uint8_t)prop_below(prop, 256);
    check.reasons = reasons;
    check.reason_count = count;
    return check;
}

static bool is_same_reasons(const struct site_check *a, const struct site_check *b)
{
    bool is_same = a->reason_count == b->reason_count;

    for (size_t i = 0; is_same && i < a->reason_count; i++) {
        const struct site_reason *x = &a->reasons[i];
        const struct site_reason *y = &b->reasons[i];

        is_same = x->layer == y->layer && x->view == y->view && str_is(x->what, y->what) &&
                  str_is(x->value, y->value) && is_same_double(x->score, y->score) &&
                  str_is(x->snippet, y->snippet) && x->offset == y->offset;
    }
    return is_same;
}

static bool is_same_check(const struct site_check *a, const struct site_check *b)
{
    return a->site == b->site && str_is(a->url, b->url) && str_is(a->url_final, b->url_final) &&
           a->page == b->page && a->view == b->view && a->time == b->time &&
           a->verdict == b->verdict && a->failure == b->failure &&
           a->is_confirmed == b->is_confirmed && a->is_learning == b->is_learning &&
           is_same_double(a->score, b->score) && a->layers == b->layers && a->status == b->status &&
           memcmp(&a->timing, &b->timing, sizeof(a->timing)) == 0 && a->size == b->size &&
           a->certificate_end == b->certificate_end &&
           memcmp(a->body_sha256, b->body_sha256, sizeof(a->body_sha256)) == 0 &&
           str_is(a->title, b->title) && is_same_reasons(a, b);
}

static const char *checks_round_trip(struct prop *prop)
{
    struct site_check check = draw_check(prop);
    struct site_check back = {0};
    const char *broke = NULL;
    struct cbor_reader reader;
    struct buf buf;

    buf_init(&buf, 1 << 20);
    site_check_encode(&check, &buf);
    cbor_open(&reader, buf_str(&buf));
    if (site_check_decode(&reader, prop->arena, &back) < 0 || cbor_close(&reader) < 0) {
        broke = "a check was refused";
    } else if (!is_same_check(&check, &back)) {
        broke = "a check came back changed";
    }
    for (size_t cut = 0; broke == NULL && cut < buf.len; cut++) {
        cbor_open(&reader, str_slice(buf_str(&buf), 0, cut));
        if (site_check_decode(&reader, prop->arena, &back) == 0) {
            broke = "a truncation was taken";
        }
    }
    buf_done(&buf);
    return broke;
}

static void test_round_trip(void **state)
{
    (void)state;
    prop_check("checks round trip", checks_round_trip, 300);
}

static int carry(const struct site_check *check)
{
    struct arena *arena = NULL;
    struct cbor_reader reader;
    struct site_check back;
    struct buf buf;
    int r;

    assert_int_equal(arena_new(1 << 16, &arena), 0);
    buf_init(&buf, 1 << 16);
    site_check_encode(check, &buf);
    assert_int_equal(buf_error(&buf), 0);
    cbor_open(&reader, buf_str(&buf));
    r = site_check_decode(&reader, arena, &back);
    buf_done(&buf);
    arena_free(arena);
    return r;
}

/* The process that judges pages may have been taken over by one of them. */
static void test_refuses(void **state)
{
    static const char long_text[SITE_URL_MAX + 1] = {[0 ... SITE_URL_MAX] = 'a'};
    struct site_reason reasons[SITE_REASONS_MAX + 1] = {{.what = STR("title")}};
    struct site_check good = {.url = STR("https://sotttt.example.vn/"),
                              .reasons = reasons,
                              .reason_count = SITE_REASONS_MAX};
    struct site_check bad = good;

    (void)state;
    assert_int_equal(carry(&good), 0);
    bad.reason_count = SITE_REASONS_MAX + 1;
    assert_int_equal(carry(&bad), -ERR_LIMIT);
    bad = good;
    bad.url = str_of(long_text, sizeof(long_text));
    assert_int_equal(carry(&bad), -ERR_LIMIT);
    bad = good;
    bad.verdict = SITE_VERDICT_COUNT;
    assert_int_equal(carry(&bad), -ERR_VERSION);
    bad = good;
    bad.score = __builtin_nan("");
    assert_int_equal(carry(&bad), -ERR_SYNTAX);
    reasons[3].snippet = str_of(long_text, SITE_SNIPPET_MAX + 1);
    assert_int_equal(carry(&good), -ERR_LIMIT);
}

static bool is_in(struct str text, struct str part)
{
    return str_find(text, part) < text.len;
}

static void test_json(void **state)
{
    struct site_reason reason = {.layer = SITE_LAYER_CONTENT,
                                 .view = SITE_VIEW_CRAWLER,
                                 .what = STR("a word of a newer program"),
                                 .score = 3.5,
                                 .value = STR("nhà cái"),
                                 .snippet = STR("đăng ký nhận 88k")};
    struct site_check check = {.url = STR("https://ubnd.example.vn/"),
                               .status = 200,
                               .verdict = SITE_VERDICT_RED,
                               .layers = 1u << SITE_LAYER_CONTENT,
                               .score = 3.5,
                               .timing = {.done = 12345678},
                               .reasons = &reason,
                               .reason_count = 1};
    struct json_writer json;
    struct buf buf;

    (void)state;
    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    site_check_write_json(&check, &json);
    assert_int_equal(buf_error(&buf), 0);
    assert_true(is_in(buf_str(&buf), STR("\"verdict\":\"red\"")));
    assert_true(is_in(buf_str(&buf), STR("\"layers\":[\"content\"]")));
    assert_true(is_in(buf_str(&buf), STR("\"text\":\"a word of a newer program\"")));
    assert_true(is_in(buf_str(&buf), STR("\"done\":12.345")));
    assert_true(is_in(buf_str(&buf), STR("\"certificate_end\":null")));
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
