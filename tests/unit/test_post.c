/* What shippers post, cut into entries: four forms, packed or not, however the bytes come. */
#include "prop.h"

#include "base/buf.h"
#include "base/err.h"
#include "centre/receiver/private.h"

#include <zlib.h>

#define SHOWN_MAX (4U << 20)

struct posted {
    struct buf shown; /* host/source/format/raw of each, '!' where it was cut, and a newline */
    int answer;
};

static int collect(void *context, const struct receiver_entry *entry)
{
    struct posted *posted = context;

    if (posted->answer < 0) {
        return posted->answer;
    }
    (void)buf_putf(&posted->shown, "%.*s|%.*s|%.*s|", STR_ARG(entry->host), STR_ARG(entry->source),
                   STR_ARG(entry->format));
    (void)buf_put_str(&posted->shown, entry->raw);
    (void)buf_put_text(&posted->shown, entry->is_cut ? "!\n" : "\n");
    return 0;
}

static int post(const struct post_cutter_options *like, struct str text, size_t piece,
                struct buf *ret_shown, struct post_counts *ret_counts)
{
    struct posted posted = {0};
    struct post_cutter_options options = *like;
    struct post_cutter *cutter;
    int r = 0;

    buf_init(&posted.shown, SHOWN_MAX);
    options.token = STR("token");
    options.fn = collect;
    options.context = &posted;
    assert_int_equal(post_cutter_new(&options, &cutter), 0);
    for (size_t at = 0; r == 0 && at < text.len; at += piece) {
        struct str rest = str_slice(text, at, at + piece);

        do {
            r = post_cutter_feed(cutter, &rest, at + piece >= text.len);
        } while (r == POST_CUTTER_MORE);
    }
    *ret_counts = *post_cutter_counts(cutter);
    post_cutter_free(cutter);
    *ret_shown = posted.shown;
    return r;
}

struct post_case {
    enum receiver_form form;
    const char *text;
    const char *shown;
    int result;
    uint32_t taken;
    uint32_t refused;
    uint32_t first_refused;
};

static void check_case(const struct post_case *one, size_t piece)
{
    struct post_counts counts;
    struct buf shown;
    int r = post(&(struct post_cutter_options){.form = one->form}, str_from(one->text), piece,
                 &shown, &counts);

    assert_int_equal(r, one->result);
    assert_str(buf_str(&shown), one->shown);
    assert_int_equal(counts.taken, one->taken);
    assert_int_equal(counts.refused, one->refused);
    if (one->refused != 0) {
        assert_int_equal(counts.refusals[0].number, one->first_refused);
    }
    buf_done(&shown);
}

static void check_cases(const struct post_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_case(&cases[i], strlen(cases[i].text) + 1);
        for (size_t piece = 1; piece < 20; piece++) {
            check_case(&cases[i], piece);
        }
    }
}

static void test_objects(void **state)
{
    static const struct post_case cases[] = {
        {RECEIVER_FORM_NDJSON, "{\"a\":1}\n{\"host\":\"h\"}\n",
         "||ndjson|{\"a\":1}\nh||ndjson|{\"host\":\"h\"}\n", 0, 2, 0, 0},
        {RECEIVER_FORM_NDJSON, "[{\"a\":\"]}\\\"{\"},\n {\"b\":\n[{}]}]",
         "||ndjson|{\"a\":\"]}\\\"{\"}\n||ndjson|{\"b\":\n[{}]}\n", 0, 2, 0, 0},
        {RECEIVER_FORM_NDJSON, "{\"host\":{\"name\":\"fb1\"},\"log\":{\"file\":{\"path\":\"/x\"}}}",
         "fb1|/x|ndjson|{\"host\":{\"name\":\"fb1\"},\"log\":{\"file\":{\"path\":\"/x\"}}}\n", 0, 1,
         0, 0},
        {RECEIVER_FORM_NDJSON, "{\"EventID\":1,\"Channel\":\"Security\",\"Computer\":\"PC1\"}",
         "PC1|Security|ndjson|{\"EventID\":1,\"Channel\":\"Security\",\"Computer\":\"PC1\"}\n", 0,
         1, 0, 0},
        {RECEIVER_FORM_NDJSON, "{\"a\":1}\nnot json\n{\"b\":2}",
         "||ndjson|{\"a\":1}\n||ndjson|{\"b\":2}\n", 0, 2, 1, 2},
        {RECEIVER_FORM_NDJSON, "{\"a\":\"no end\n{\"b\":2}\n{\"c\":",
         "||ndjson|{\"a\":\"no end!\n||ndjson|{\"b\":2}\n||ndjson|{\"c\":!\n", 0, 3, 0, 0},
        {RECEIVER_FORM_NDJSON, "\xef\xbb\xbf{\"a\":1}", "||ndjson|{\"a\":1}\n", 0, 1, 0, 0},
        {RECEIVER_FORM_NDJSON, " \n\n ", "", 0, 0, 0, 0},
    };

    (void)state;
    check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_bulk(void **state)
{
    static const struct post_case cases[] = {
        {RECEIVER_FORM_BULK,
         "{\"index\":{\"_index\":\"x\"}}\n{\"host\":\"h\"}\n{\"create\":{}}\r\n{\"b\":2}\r\n",
         "h||ndjson|{\"host\":\"h\"}\n||ndjson|{\"b\":2}\n", 0, 2, 0, 0},
        {RECEIVER_FORM_BULK,
         "{\"delete\":{}}\n{\"update\":{}}\n{\"doc\":{}}\n{\"create\":{}}\n{\"b\":2}",
         "||ndjson|{\"b\":2}\n", 0, 1, 2, 1},
        {RECEIVER_FORM_BULK, "{\"create\":{}}\nnot json\n{\"create\":{}}\n{\"b\":2}\n",
         "||ndjson|{\"b\":2}\n", 0, 1, 1, 1},
        {RECEIVER_FORM_BULK, "{\"create\":{}}\n{\"a\":1}\n{\"create\":{}}\n",
         "||ndjson|{\"a\":1}\n", 0, 1, 1, 2},
        {RECEIVER_FORM_BULK, "{\"create\":{}}\n{\"a\":1}\nwhat\n{\"b\":2}\n",
         "||ndjson|{\"a\":1}\n", -ERR_SYNTAX, 1, 1, 2},
    };

    (void)state;
    check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_hec(void **state)
{
    static const struct post_case cases[] = {
        {RECEIVER_FORM_HEC, "{\"event\":\"x \\u00e9\",\"host\":\"h\",\"source\":\"s\"}",
         "h|s|lines|x \xc3\xa9\n", 0, 1, 0, 0},
        {RECEIVER_FORM_HEC,
         "{\"time\":1700000000.5,\"host\":\"h\",\"sourcetype\":\"linux_secure\",\"source\":\"s\","
         "\"event\":\"Nov 14 22:13:20 web sshd[1]: hi\"}",
         "h|s|syslog|Nov 14 22:13:20 web sshd[1]: hi\n", 0, 1, 0, 0},
        {RECEIVER_FORM_HEC,
         "{\"time\":17.5,\"host\":\"h\",\"source\":\"s\",\"event\":{\"a\":[1]},\"fields\":{\"f\":1}"
         "}"
         "{\"time\":17,\"host\":\"h\",\"source\":\"s\",\"event\":{\"time\":1,\"host\":\"own\"}}\n"
         "{\"host\":\"h\",\"source\":\"s\",\"event\":{ }}",
         "h|s|ndjson|{\"time\":17.5,\"host\":\"h\",\"fields\":{\"f\":1},\"a\":[1]}\n"
         "h|s|ndjson|{\"time\":1,\"host\":\"own\"}\n"
         "h|s|ndjson|{\"host\":\"h\" }\n",
         0, 3, 0, 0},
        {RECEIVER_FORM_HEC,
         "{\"event\":\"a\",\"host\":\"h\",\"source\":\"s\"}\n{\"host\":\"h\"}\n{\"event\":\"\"}\n"
         "{\"event\":\"\\q\"}\nword\n{\"event\":\"no end",
         "h|s|lines|a\n", 0, 1, 5, 2},
        {RECEIVER_FORM_HEC, "{\"event\":42,\"host\":\"h\",\"source\":\"s\"}", "h|s|lines|42\n", 0,
         1, 0, 0},
    };

    (void)state;
    check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

/* Each that is refused with its own reason. */
static void test_faults(void **state)
{
    static const struct {
        enum receiver_form form;
        const char *text;
        enum post_fault faults[5];
    } rows[] = {
        {RECEIVER_FORM_BULK,
         "{\"delete\":{}}\n{\"create\":{}}\nwords\n{\"create\":{}}\n",
         {POST_FAULT_OTHER_ACTION, POST_FAULT_NO_OBJECT, POST_FAULT_NO_ENTRY}},
        {RECEIVER_FORM_HEC,
         "{\"host\":\"h\"}\n{\"event\":\" \"}\n{\"event\":\"\\q\"}\nword\n{\"event\":\"no end",
         {POST_FAULT_NO_EVENT, POST_FAULT_EMPTY_EVENT, POST_FAULT_BAD_TEXT, POST_FAULT_NO_OBJECT,
          POST_FAULT_NO_END}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct post_counts counts;
        struct buf shown;

        assert_int_equal(post(&(struct post_cutter_options){.form = rows[i].form},
                              str_from(rows[i].text), 7, &shown, &counts),
                         0);
        assert_int_equal(counts.refused, i == 0 ? 3 : 5);
        for (uint32_t k = 0; k < counts.refused; k++) {
            assert_int_equal(counts.refusals[k].number, k + 1);
            assert_int_equal(counts.refusals[k].fault, rows[i].faults[k]);
        }
        buf_done(&shown);
    }
}

static void test_raw(void **state)
{
    static const struct post_case cases[] = {
        {RECEIVER_FORM_RAW,
         "<34>Oct 11 22:14:15 gate su[2]: failed\r\n\n{\"host\":\"h\"}\nplain words",
         "gate|su|syslog|<34>Oct 11 22:14:15 gate su[2]: failed\nh||ndjson|{\"host\":\"h\"}\n"
         "||lines|plain words\n",
         0, 3, 0, 0},
    };

    (void)state;
    check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_host_of_the_request(void **state)
{
    struct post_counts counts;
    struct buf shown;

    (void)state;
    assert_int_equal(
        post(&(struct post_cutter_options){.form = RECEIVER_FORM_RAW, .host = STR("asked")},
             STR("words"), 5, &shown, &counts),
        0);
    assert_str(buf_str(&shown), "asked||lines|words\n");
    buf_done(&shown);
}

/* An entry over the maximum keeps its first bytes; the one behind it is whole. */
static void test_long(void **state)
{
    static char text[3 * RECEIVER_ENTRY_MAX];
    struct post_counts counts;
    struct buf shown;
    size_t len = (size_t)snprintf(text, sizeof(text), "{\"a\":\"");

    (void)state;
    memset(text + len, 'x', 2 * (size_t)RECEIVER_ENTRY_MAX);
    len += 2 * (size_t)RECEIVER_ENTRY_MAX;
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\"}\n{\"b\":2}\n");
    assert_int_equal(post(&(struct post_cutter_options){.form = RECEIVER_FORM_NDJSON},
                          str_of(text, len), 1000, &shown, &counts),
                     0);
    assert_int_equal(counts.taken, 2);
    assert_true(shown.len < RECEIVER_ENTRY_MAX + 100);
    assert_true(str_has_suffix(buf_str(&shown), STR("x!\n||ndjson|{\"b\":2}\n")));
    buf_done(&shown);
}

/* No room: what was taken is told, nothing more is asked. */
static void test_full(void **state)
{
    struct posted posted = {.answer = -ERR_FULL};
    struct post_cutter_options options = {
        .form = RECEIVER_FORM_NDJSON, .fn = collect, .context = &posted};
    struct str text = STR("{\"a\":1}");
    struct post_cutter *cutter;

    (void)state;
    assert_int_equal(post_cutter_new(&options, &cutter), 0);
    assert_int_equal(post_cutter_feed(cutter, &text, true), -ERR_FULL);
    assert_int_equal(post_cutter_counts(cutter)->taken, 0);
    assert_int_equal(post_cutter_counts(cutter)->refused, 0);
    post_cutter_free(cutter);
}

/* A post that holds next to nothing but faults is no post of ours. */
static void test_faults_are_bounded(void **state)
{
    static char text[4 * (POST_REFUSED_MAX + 1)];
    struct post_counts counts;
    struct buf shown;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "x\n", 2);
    }
    assert_int_equal(post(&(struct post_cutter_options){.form = RECEIVER_FORM_NDJSON},
                          str_of(text, sizeof(text)), 777, &shown, &counts),
                     -ERR_SYNTAX);
    assert_int_equal(counts.refused, POST_REFUSED_MAX);
    assert_int_equal(counts.refusals[POST_REFUSED_MAX - 1].number, POST_REFUSED_MAX);
    buf_done(&shown);
}

static size_t pack(const char *bytes, size_t len, char *out, size_t room)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)bytes,
                       .avail_in = (uInt)len,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)room};
    size_t size;

    assert_int_equal(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                                  Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size = room - stream.avail_out;
    (void)deflateEnd(&stream);
    return size;
}

static void test_packed(void **state)
{
    const struct post_cutter_options options = {.form = RECEIVER_FORM_NDJSON, .is_packed = true};
    char packed[256];
    size_t len = pack("{\"a\":1}\n{\"b\"", 12, packed, sizeof(packed));
    size_t whole = len + pack(":2}\n", 4, packed + len, sizeof(packed) - len);

    (void)state;
    for (size_t piece = 1; piece <= whole; piece++) {
        struct post_counts counts;
        struct buf shown;

        assert_int_equal(post(&options, str_of(packed, whole), piece, &shown, &counts), 0);
        assert_str(buf_str(&shown), "||ndjson|{\"a\":1}\n||ndjson|{\"b\":2}\n");
        buf_done(&shown);
        assert_int_equal(post(&options, str_of(packed, whole - 1), piece, &shown, &counts),
                         -ERR_SYNTAX);
        buf_done(&shown);
    }
}

/* A few bytes that unpack to gigabytes end the post, not the process. */
static void test_bomb(void **state)
{
    static char zeros[8 << 20];
    static char packed[1 << 20];
    size_t len = 0;
    struct post_counts counts;
    struct buf shown;

    (void)state;
    memset(zeros, ' ', sizeof(zeros));
    for (int i = 0; i < 20; i++) {
        len += pack(zeros, sizeof(zeros), packed + len, sizeof(packed) - len);
    }
    assert_true(len < 256 << 10);
    assert_int_equal(post(&(struct post_cutter_options){.is_packed = true}, str_of(packed, len),
                          4096, &shown, &counts),
                     -ERR_FBIG);
    buf_done(&shown);
}

static const char *pieces_do_not_matter(struct prop *prop)
{
    static const char *const words[] = {
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\n",
        "\\",
        "a",
        "\r",
        " ",
        "1",
        "\"event\"",
        "\"host\"",
        "\"h\"",
        "{\"create\":{}}\n",
        "\"event\":\"x\"",
        "{\"event\":{\"a\":1},\"host\":\"h\"}",
        "{\"index\":{}}\n{\"a\":1}\n",
        "\n{\"a\":1}",
        "<3>x\n",
    };
    const struct post_cutter_options options = {
        .form = (enum receiver_form)prop_below(prop, RECEIVER_FORM_COUNT)};
    struct post_counts counts[2];
    struct buf shown[2];
    struct buf text;
    const char *broke = NULL;
    int r[2];

    buf_init(&text, 1 << 16);
    for (uint64_t left = prop_below(prop, 60); left > 0; left--) {
        (void)buf_put_text(&text, words[prop_below(prop, sizeof(words) / sizeof(words[0]))]);
    }
    r[0] = post(&options, buf_str(&text), text.len + 1, &shown[0], &counts[0]);
    r[1] = post(&options, buf_str(&text), 1 + prop_below(prop, 12), &shown[1], &counts[1]);
    if (r[0] != r[1] || !str_is(buf_str(&shown[0]), buf_str(&shown[1])) ||
        memcmp(&counts[0], &counts[1], sizeof(counts[0])) != 0) {
        broke = "other pieces gave other entries";
    }
    buf_done(&shown[0]);
    buf_done(&shown[1]);
    buf_done(&text);
    return broke;
}

static void test_pieces(void **state)
{
    (void)state;
    prop_check("pieces do not matter", pieces_do_not_matter, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_hec),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_host_of_the_request),
        cmocka_unit_test(test_faults_are_bounded),
    };

    return cmocka_run_group_tests_name("post", tests, NULL, NULL);
}
