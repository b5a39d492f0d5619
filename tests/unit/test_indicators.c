/* Lists of indicators: what is read of each format, what is a hit, what garbage leads to, and that
 * a million hosts keep within their memory. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "base/utf8.h"
#include "detect/intel/indicators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY (86400 * NS_PER_S)

static int collect(void *context, const struct feed_entry *entry)
{
    buf_putf(context, "%s:%.*s%s ", feed_kind_name(entry->kind), STR_ARG(entry->value),
             entry->expires != 0 ? "!" : "");
    return 0;
}

/* What a feed says, as "kind:value " each; the report goes to ret_report. */
static const char *entries_of(const char *text, struct feed_report *ret_report)
{
    static char said[4096];
    struct arena *arena = NULL;
    struct diag diag = {{0}};
    struct buf out;
    int r;

    buf_init(&out, sizeof(said) - 1);
    assert_int_equal(arena_new(16 << 20, &arena), 0);
    r = feed_read(feed_guess(str_from(text)), str_from(text), arena,
                  &(struct feed_sink){collect, &out}, ret_report, &diag);
    (void)snprintf(said, sizeof(said), "%.*s", STR_ARG(buf_str(&out)));
    if (r < 0) {
        (void)snprintf(said, sizeof(said), "%s", diag.text);
    }
    buf_done(&out);
    arena_free(arena);
    return said;
}

static void test_formats(void **state)
{
    struct feed_report report;

    (void)state;
    assert_string_equal(entries_of("# hosts\n127.0.0.1 localhost\n0.0.0.0 KuBet.net kubet.com # x\n"
                                   "::1 ip6-localhost\r\n0.0.0.0 0.0.0.0\n",
                                   &report),
                        "domain:kubet.net domain:kubet.com ");
    assert_int_equal(report.passed, 4);
    assert_string_equal(
        entries_of("kubet.net\n! note\nhttps://u@W88.com:443/x?y\n||ad.vn^\n*.z.vn\n"
                   "\"Nhà cái uy tín\"\nD41D8CD98F00B204E9800998ECF8427E\n",
                   &report),
        "domain:kubet.net url:w88.com/x?y domain:ad.vn domain:z.vn "
        "phrase:nha cai uy tin hash:d41d8cd98f00b204e9800998ecf8427e ");
    assert_string_equal(
        entries_of("Value,Type,Expires\r\nkubet.net,domain,2026-12-31\r\n\"Nạp, rút\",phrase,\r\n",
                   &report),
        "domain:kubet.net! phrase:nap, rut ");
    assert_string_equal(
        entries_of(
            "{\"response\":[{\"Event\":{\"Attribute\":[{\"type\":\"domain|ip\",\"value\":"
            "\"kubet.net|1.2.3.4\"},{\"type\":\"domain\",\"value\":\"a.vn\",\"to_ids\":false}],"
            "\"Object\":[{\"Attribute\":[{\"type\":\"filename|md5\",\"value\":"
            "\"x|d41d8cd98f00b204e9800998ecf8427e\"}]}]}}]}",
            &report),
        "domain:kubet.net hash:d41d8cd98f00b204e9800998ecf8427e ");
    assert_int_equal(report.passed, 1);
    assert_string_equal(
        entries_of(
            "{\"type\":\"bundle\",\"objects\":[{\"type\":\"identity\"},{\"type\":\"indicator\","
            "\"pattern\":\"[domain-name:value = 'kubet.net' OR url:value = "
            "'http://w88.com/x']\",\"valid_until\":\"2027-01-01T00:00:00Z\"},"
            "{\"type\":\"indicator\",\"pattern\":\"[a:b = 'x' AND c:d = 'y']\"},"
            "{\"type\":\"indicator\",\"revoked\":true,\"pattern\":\"[url:value = 'z.vn']\"},"
            "{\"type\":\"indicator\",\"pattern\":\"[domain-name:value = 'x\"}]}",
            &report),
        "domain:kubet.net! url:w88.com/x! ");
    assert_int_equal(report.faulty, 1);
    assert_int_equal(report.passed, 3);
}

/* An end that nobody can read ends nothing, and is counted and told. */
static void test_ends_of_rows(void **state)
{
    struct feed_report report;

    (void)state;
    assert_string_equal(entries_of("ip,valid_until\n192.0.2.1,31/12/2026\n192.0.2.2,2026-12-31 "
                                   "08:30:00\n192.0.2.3,\n192.0.2.4,2026-12-31T08:30:00+07:00\n"
                                   "192.0.2.5,2026-10-40\n192.0.2.6,cuối năm\n192.0.2.7,5\n",
                                   &report),
                        "address:192.0.2.1! address:192.0.2.2! address:192.0.2.3 "
                        "address:192.0.2.4! address:192.0.2.5 address:192.0.2.6 "
                        "address:192.0.2.7 ");
    assert_int_equal(report.faulty, 0);
    assert_int_equal(report.endless, 3);
    assert_int_equal(report.faults[0].line, 6);
    assert_non_null(strstr(report.faults[0].what, "'2026-10-40'"));
    assert_string_equal(entries_of("ip,expires\n192.0.2.1,12/01/2026\n192.0.2.2,12/31/2026\n"
                                   "192.0.2.3,2026-12-31\n",
                                   &report),
                        "address:192.0.2.1 address:192.0.2.2 address:192.0.2.3! ");
    assert_int_equal(report.endless, 2);
    assert_int_equal(report.faults[0].line, 2);
    assert_non_null(strstr(report.faults[0].what, "MM/DD"));
    assert_string_equal(entries_of("ip,expires\n192.0.2.1,-\n192.0.2.2,N/A\n192.0.2.3,None\n"
                                   "192.0.2.4,null\n192.0.2.5,never\n192.0.2.6,Không\n"
                                   "192.0.2.7,không có\n192.0.2.8,12/01/2026\n",
                                   &report),
                        "address:192.0.2.1 address:192.0.2.2 address:192.0.2.3 "
                        "address:192.0.2.4 address:192.0.2.5 address:192.0.2.6 "
                        "address:192.0.2.7 address:192.0.2.8! ");
    assert_int_equal(report.endless, 0);
    assert_string_equal(entries_of("{\"objects\":[{\"type\":\"indicator\",\"valid_until\":\"soon\","
                                   "\"pattern\":\"[domain-name:value = 'a.vn']\"}]}",
                                   &report),
                        "domain:a.vn ");
    assert_int_equal(report.endless, 1);
}

static const char *entries_of_pattern(const char *pattern, struct feed_report *ret_report)
{
    static char text[1024];

    (void)snprintf(text, sizeof(text),
                   "{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"%s\"}]}", pattern);
    return entries_of(text, ret_report);
}

/* Of several observations any is enough where OR stands between them; what takes more is passed
 * over, whatever the values hold. */
static void test_patterns(void **state)
{
    static const char *const passed[] = {
        "[domain-name:value = 'a.vn'] AND [url:value = 'http://b.vn/x']",
        "[domain-name:value = 'a.vn'] FOLLOWEDBY [domain-name:value = 'b.vn']",
        "[domain-name:value = 'a.vn'] REPEATS 5 TIMES WITHIN 60 SECONDS",
        "[domain-name:value='a.vn']AND[url:value='http://b.vn/x']",
        "[domain-name:value = 'a.vn'\\nAND\\nurl:value = 'http://b.vn/x']",
        "[file:hashes.MD5 NOT = 'd41d8cd98f00b204e9800998ecf8427e']",
        "[domain-name:value LIKE '%.a.vn']",
        "[domain-name:value != 'a.vn']"};
    static const char *const faulty[] = {
        "[domain-name:value = 'a.vn'] [domain-name:value = 'b.vn']", "domain-name:value = 'a.vn'",
        "[domain-name:value = 'a.vn' OR", ""};
    struct feed_report report;

    (void)state;
    assert_string_equal(
        entries_of_pattern("[domain-name:value = 'a.vn'] OR [url:value = 'http://b.vn/x' OR "
                           "file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e'] ",
                           &report),
        "domain:a.vn url:b.vn/x hash:d41d8cd98f00b204e9800998ecf8427e ");
    assert_string_equal(entries_of_pattern("[a:b = 'x] AND y' OR url:value = 'http://b.vn/x?]'] OR "
                                           "[domain-name:value='c.vn']",
                                           &report),
                        "url:b.vn/x?] domain:c.vn ");
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        assert_string_equal(entries_of_pattern(passed[i], &report), "");
        assert_int_equal(report.passed, 1);
        assert_int_equal(report.faulty, 0);
    }
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
        assert_string_equal(entries_of_pattern(faulty[i], &report), "");
        assert_int_equal(report.faulty, 1);
    }
}

/* What only logs are asked for: addresses, networks, URLs, user agents, e-mail addresses; also with
 * the brackets that bulletins put in. */
static void test_kinds_of_logs(void **state)
{
    struct feed_report report;

    (void)state;
    assert_string_equal(entries_of("203.0.113.7\n198.51.100.77/24\n2001:DB8:0::1\n2001:db8::/32\n"
                                   "203.0.113[.]9\n0.0.0.0/0\n",
                                   &report),
                        "address:203.0.113.7 address:198.51.100.0/24 address:2001:db8::1 "
                        "address:2001:db8::/32 address:203.0.113.9 ");
    assert_int_equal(report.faulty, 1);
    assert_string_equal(entries_of("hxxp://Evil[.]example/a.exe#x\nhttps://evil.example:443/?q=1\n"
                                   "http://203.0.113.7:8080/mozi.m\nhttp://[2001:db8::1]/x\n"
                                   "http://evil.example/\nhttp://203.0.113.8\n",
                                   &report),
                        "url:evil.example/a.exe url:evil.example/?q=1 url:203.0.113.7:8080/mozi.m "
                        "url:[2001:db8::1]/x domain:evil.example address:203.0.113.8 ");
    /* What is written must be read again: a URL in a path is no scheme. */
    assert_string_equal(entries_of("http://t.vn/http://b.vn/x\nt.vn/http://b.vn/x\n", &report),
                        "url:t.vn/http://b.vn/x url:t.vn/http://b.vn/x ");
    assert_string_equal(entries_of("Ke.Xau@Evil[.]example\n", &report),
                        "email:ke.xau@evil.example ");
    assert_string_equal(entries_of("type,value\nip,203.0.113.7\nuser_agent, Mozilla/5.0 (xấu) \n"
                                   "url,http://a.example/x y\nemail,nobody\n",
                                   &report),
                        "address:203.0.113.7 agent:Mozilla/5.0 (xấu) ");
    assert_int_equal(report.faulty, 2);
    assert_string_equal(
        entries_of(
            "{\"Event\":{\"Attribute\":[{\"type\":\"ip-dst|port\",\"value\":\"203.0.113.7|"
            "443\"},{\"type\":\"user-agent\",\"value\":\"EvilBot/1\"},{\"type\":\"email-src\","
            "\"value\":\"a@b.example\"},{\"type\":\"url\",\"value\":\"http://a.example/b\"}]}}",
            &report),
        "address:203.0.113.7 agent:EvilBot/1 email:a@b.example url:a.example/b ");
    assert_string_equal(
        entries_of("{\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = "
                   "'203.0.113.0/24' OR ipv6-addr:value = '2001:db8::1' OR email-addr:value = "
                   "'a@b.example' OR network-traffic:extensions.'http-request-ext'."
                   "request_header.'User-Agent' = 'EvilBot/1']\"}]}",
                   &report),
        "address:203.0.113.0/24 address:2001:db8::1 email:a@b.example agent:EvilBot/1 ");
}

static void test_faults_are_named(void **state)
{
    struct feed_report report;

    (void)state;
    assert_string_equal(
        entries_of("kubet.net\nnot a host\n\x01\x02\nlocalhost\n-x.vn\na..b\n\xff.vn\n", &report),
        "domain:kubet.net ");
    assert_int_equal(report.faulty, 6);
    assert_int_equal(report.faults[0].line, 2);
    assert_non_null(strstr(report.faults[0].what, "'not a host'"));
    assert_non_null(strstr(report.faults[1].what, "'?\?'"));
    assert_string_equal(
        entries_of("domain,type\nkubet.net,x\n\"a.vn\nb.vn,\"y\"z\nkubet.com\n", &report),
        "domain:kubet.net ");
    assert_int_equal(report.faults[0].line, 3);
    assert_non_null(strstr(entries_of("{\"a\":", &report), "1"));
    assert_int_equal(report.taken, 0);
}

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

#define HEAD "canhgac-list 1\nname thu\nlabel gambling\nsource x\n"

static void test_hosts_are_found(void **state)
{
    static const struct {
        const char *host;
        const char *value; /* NULL: no hit */
    } rows[] = {
        {"kubet.example", "kubet.example"},
        {"a.b.kubet.example", "kubet.example"},
        {"xkubet.example", NULL},
        {"example", NULL},
        {"www.facebook.com", NULL},
        {"facebook.com", NULL},
        {"sub.tinh.gov.vn", NULL},
        {"bad.blogspot.com", "bad.blogspot.com"},
        {"other.blogspot.com", NULL},
        {"blogspot.com", NULL},
        {"shop.com.vn", NULL},
        {"nhàcái.example", "nhàcái.example"},
        {"", NULL},
        {"...", NULL},
    };
    struct indicators *indicators =
        load(HEAD "\ndomain kubet.example\ndomain www.facebook.com\ndomain blogspot.com\n"
                  "domain bad.blogspot.com\ndomain com.vn\ndomain tinh.gov.vn\n"
                  "domain nhàcái.example\nend 7\n");
    struct deface_lists lists = indicators_for_deface(indicators);
    struct str label;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct indicator_hit hit;
        bool is_hit = indicators_find_host(indicators, str_from(rows[i].host), &hit);

        if (is_hit != (rows[i].value != NULL)) {
            fail_msg("%s", rows[i].host);
        }
        if (is_hit) {
            assert_str(hit.value, rows[i].value);
            assert_str(hit.list->label, "gambling");
        }
    }
    assert_true(lists.has_host(lists.context, STR("x.kubet.example"), &label));
    assert_str(label, "gambling");
    indicators_free(indicators);
}

static void test_phrases_and_hashes(void **state)
{
    struct indicators *indicators =
        load(HEAD "\nphrase nha cai\nphrase nha cai uy tin\nphrase kubet\n"
                  "hash d41d8cd98f00b204e9800998ecf8427e\nend 4\n");
    struct str text = STR("link vao nha cai uy tin kubet88, nha cai");
    struct indicator_hit hit;
    char found[256] = "";
    size_t from = 0;

    (void)state;
    while (indicators_find_phrase(indicators, text, from, &hit)) {
        (void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%.*s@%zu ",
                       STR_ARG(hit.value), hit.at);
        from = hit.at + 1;
    }
    assert_string_equal(found, "nha cai uy tin@9 kubet@24 nha cai@33 ");
    assert_true(indicators_find_hash(indicators, STR("d41d8cd98f00b204e9800998ecf8427e"), &hit));
    assert_false(indicators_find_hash(indicators, STR("e41d8cd98f00b204e9800998ecf8427e"), &hit));
    assert_false(indicators_find_host(indicators, STR("kubet"), &hit));
    indicators_free(indicators);
}

static bool find_address(const struct indicators *indicators, const char *text, unsigned *ret_bits)
{
    struct indicator_hit hit = {0};
    uint8_t address[16];
    unsigned bits;

    assert_true(feed_parse_address(str_from(text), address, &bits));
    if (!indicators_find_address(indicators, address, &hit)) {
        return false;
    }
    *ret_bits = hit.bits;
    return true;
}

static void test_addresses(void **state)
{
    struct indicators *indicators =
        load(HEAD "\naddress 203.0.113.7\naddress 203.0.113.0/24\naddress 10.0.0.0/8\n"
                  "address 2001:db8::/32\nend 4\n");
    struct indicator_hit hit;
    unsigned bits = 0;

    (void)state;
    assert_true(find_address(indicators, "203.0.113.7", &bits));
    assert_int_equal(bits, 128);
    assert_true(find_address(indicators, "203.0.113.8", &bits));
    assert_int_equal(bits, 96 + 24);
    assert_true(find_address(indicators, "10.255.1.2", &bits));
    assert_false(find_address(indicators, "11.0.0.1", &bits));
    assert_true(find_address(indicators, "2001:db8:ffff::1", &bits));
    assert_false(find_address(indicators, "2001:db9::1", &bits));
    assert_true(indicators_find_host(indicators, STR("203.0.113.7"), &hit));
    assert_false(indicators_find_host(indicators, STR("203.0.114.7"), &hit));
    indicators_free(indicators);
}

/* A person's own allow list has the last word, of every kind of entry, until it expires. */
static void test_what_a_person_allows(void **state)
{
    static const char own[] = "canhgac-list 1\nname own\nlabel allow\nsource me\n"
                              "imported 2026-01-01T00:00:00Z\nexpires 2026-06-01T00:00:00Z\n\n"
                              "domain a.vn\nhash d41d8cd98f00b204e9800998ecf8427e\n"
                              "phrase nha cai\naddress 10.0.0.0/8\nend 4\n";
    struct indicators *indicators =
        load(HEAD "\ndomain a.vn\ndomain x.a.vn\ndomain b.vn\nphrase nha cai\nphrase kubet\n"
                  "hash d41d8cd98f00b204e9800998ecf8427e\naddress 10.1.2.3\naddress 9.1.2.3\n"
                  "end 8\n");
    struct str text = STR("nha cai kubet");
    struct indicator_hit hit;
    struct diag diag = {{0}};
    unsigned bits = 0;

    (void)state;
    assert_true(find_address(indicators, "10.1.2.3", &bits));
    assert_int_equal(indicators_add_file(indicators, str_from(own), &diag), 0);
    for (int is_over = 0; is_over < 2; is_over++) {
        assert_int_equal(indicators_find_host(indicators, STR("a.vn"), &hit), is_over);
        assert_int_equal(indicators_find_host(indicators, STR("x.a.vn"), &hit), is_over);
        assert_true(indicators_find_host(indicators, STR("b.vn"), &hit));
        assert_int_equal(
            indicators_find_hash(indicators, STR("d41d8cd98f00b204e9800998ecf8427e"), &hit),
            is_over);
        assert_true(indicators_find_phrase(indicators, text, 0, &hit));
        assert_int_equal(hit.at, is_over ? 0 : 8);
        assert_int_equal(find_address(indicators, "10.1.2.3", &bits), is_over);
        assert_true(find_address(indicators, "9.1.2.3", &bits));
        assert_false(find_address(indicators, "10.9.9.9", &bits));
        indicators_set_time(indicators, 1790000000LL * 1000000000LL); /* September 2026 */
    }
    indicators_free(indicators);
}

/* "Allow" is the same word, and what it says of a domain holds for URLs below it. */
static void test_allowed_urls(void **state)
{
    struct indicators *indicators =
        load(HEAD "\nurl x.a.vn/m.exe\nurl a.vn:8080/m\nurl b.vn/m.exe\nurl 10.1.2.3/m\n"
                  "url [2001:db8::7]:81/m\nurl github.com/m.exe\nend 6\n");
    static const char own[] = "canhgac-list 1\nname own\nlabel Allow\nsource me\n\n"
                              "domain a.vn\naddress 10.0.0.0/8\naddress 2001:db8::/32\nend 3\n";
    static const char *const allowed[] = {"x.a.vn/m.exe", "a.vn:8080/m", "10.1.2.3/m",
                                          "[2001:db8::7]:81/m"};
    struct indicator_hit hit;
    struct diag diag = {{0}};

    (void)state;
    for (int is_ours = 0; is_ours < 2; is_ours++) {
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
            assert_int_equal(indicators_find(indicators, FEED_KIND_URL, str_from(allowed[i]), &hit),
                             !is_ours);
        }
        assert_true(indicators_find(indicators, FEED_KIND_URL, STR("b.vn/m.exe"), &hit));
        assert_true(indicators_find(indicators, FEED_KIND_URL, STR("github.com/m.exe"), &hit));
        assert_int_equal(is_ours ? 0 : indicators_add_file(indicators, str_from(own), &diag), 0);
    }
    indicators_free(indicators);
}

static void keep_entry(void *context, const struct feed_entry *entry)
{
    (void)collect(context, entry);
}

/* The values of a list are there for whoever asked for them before. */
static void test_values(void **state)
{
    struct indicators *indicators = NULL;
    struct diag diag = {{0}};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(indicators_new(STR(""), &indicators, &diag), 0);
    indicators_keep_values(indicators);
    assert_int_equal(indicators_add_file(indicators,
                                         STR(HEAD "\nagent Evil Bot/1 (x)\nemail a@b.example\n"
                                                  "url a.example/b\t2026-01-10T00:00:00Z\n"
                                                  "address 10.0.0.0/8\nend 4\n"),
                                         &diag),
                     0);
    indicators_each(indicators, 0, keep_entry, &out);
    assert_str(buf_str(&out), "agent:Evil Bot/1 (x) email:a@b.example url:a.example/b! "
                              "address:10.0.0.0/8 ");
    indicators_free(indicators);
    buf_done(&out);
}

static void test_expiry(void **state)
{
    struct indicators *indicators = load(HEAD "expires 2026-06-01T00:00:00Z\n\ndomain a.example\n"
                                              "domain b.example\t2026-01-10T00:00:00Z\nend 2\n");
    struct diag diag = {{0}};
    struct indicator_hit hit;
    int64_t time = 0;

    (void)state;
    assert_int_equal(time_parse(STR("2026-01-09T00:00:00Z"), &time), 0);
    indicators_set_time(indicators, time);
    assert_true(indicators_find_host(indicators, STR("b.example"), &hit));
    indicators_set_time(indicators, time + 2 * DAY);
    assert_false(indicators_find_host(indicators, STR("b.example"), &hit));
    assert_true(indicators_find_host(indicators, STR("a.example"), &hit));
    indicators_set_time(indicators, time + 200 * DAY);
    assert_false(indicators_find_host(indicators, STR("a.example"), &hit));
    /* A second list that says so for ever. */
    assert_int_equal(indicators_add_file(indicators,
                                         STR("canhgac-list 1\nname hai\nlabel phishing\n\n"
                                             "domain a.example\nend 1\n"),
                                         &diag),
                     0);
    assert_true(indicators_find_host(indicators, STR("a.example"), &hit));
    assert_str(hit.list->name, "hai");
    indicators_free(indicators);
}

static void test_damaged_files_are_refused(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"", -ERR_SYNTAX},
        {"kubet.net\n", -ERR_SYNTAX},
        {"canhgac-list 2\nname a\nlabel b\n\nend 0\n", -ERR_VERSION},
        {HEAD "\ndomain kubet.net\n", -ERR_TRUNCATED},
        {HEAD "\ndomain kubet.net\nend 2\n", -ERR_CORRUPT},
        {HEAD "\ndomain kubet.net\nend 1\ndomain b.net\n", -ERR_CORRUPT},
        {HEAD "\ndomain KUBET.net\nend 1\n", -ERR_SYNTAX},
        {HEAD "\nfuture x\nend 1\n", -ERR_VERSION},
        {HEAD "imported soon\n\nend 0\n", -ERR_SYNTAX},
        {"canhgac-list 1\nname A/b\nlabel c\n\nend 0\n", -ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct indicators *indicators = NULL;
        struct diag diag = {{0}};

        assert_int_equal(indicators_new(STR(""), &indicators, &diag), 0);
        assert_int_equal(indicators_add_file(indicators, str_from(rows[i].text), &diag),
                         rows[i].code);
        assert_true(diag.text[0] != '\0');
        indicators_free(indicators);
    }
    {
        struct indicators *indicators = NULL;
        struct diag diag = {{0}};

        assert_int_equal(indicators_new(STR("allow x.vn\nperhaps y.vn\n"), &indicators, &diag),
                         -ERR_SYNTAX);
        assert_non_null(strstr(diag.text, "2"));
    }
}

static int write_entry(void *context, const struct feed_entry *entry)
{
    indicator_write_entry(context, entry);
    return buf_error(((struct indicator_writer *)context)->buf);
}

static void test_million(void **state)
{
    struct indicator_list list = {.name = STR("lon"), .label = STR("gambling"), .source = STR("x")};
    struct indicators *indicators = NULL;
    struct indicator_writer writer;
    struct indicator_hit hit;
    struct diag diag = {{0}};
    struct buf out;

    (void)state;
    buf_init(&out, INDICATORS_FILE_MAX);
    indicator_write_head(&writer, &list, &out);
    for (unsigned i = 0; i < 1000000; i++) {
        char host[40];
        struct feed_entry entry = {.kind = FEED_KIND_DOMAIN};

        (void)snprintf(host, sizeof(host), "nha-cai%u.example", i);
        entry.value = str_from(host);
        indicator_write_entry(&writer, &entry);
    }
    indicator_write_end(&writer);
    assert_int_equal(buf_error(&out), 0);
    assert_int_equal(indicators_new(indicators_popular(), &indicators, &diag), 0);
    assert_int_equal(indicators_add_file(indicators, buf_str(&out), &diag), 0);
    assert_int_equal(indicators_list(indicators, 0)->counts[FEED_KIND_DOMAIN], 1000000);
    assert_true(indicators_size(indicators) <= 24U << 20);
    assert_true(indicators_find_host(indicators, STR("www.nha-cai999999.example"), &hit));
    assert_false(indicators_find_host(indicators, STR("nha-cai1000000.example"), &hit));
    indicators_free(indicators);
    buf_done(&out);
}

static char *read_data(const char *name, size_t *ret_len)
{
    const char *folder = getenv("CANHGAC_DATA");
    char path[1024];
    char *text = malloc(1 << 20);
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/web/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    file = fopen(path, "rb");
    if (file == NULL) {
        (void)printf("# there is no %s\n", path);
        free(text);
        return NULL;
    }
    *ret_len = fread(text, 1, 1 << 20, file);
    (void)fclose(file);
    return text;
}

/* All of a published list is read, and each of its hosts is a hit. */
static void test_published_list(void **state)
{
    struct indicator_list list = {
        .name = STR("co-bac"), .label = STR("gambling"), .source = STR("x")};
    struct indicators *indicators = NULL;
    struct indicator_writer writer;
    struct feed_report report;
    struct arena *arena = NULL;
    struct diag diag = {{0}};
    struct buf out;
    struct str rest;
    struct str line;
    size_t len = 0;
    size_t hits = 0;
    char *text = read_data("gambling-domains.txt", &len);

    (void)state;
    if (text == NULL) {
        skip();
    }
    buf_init(&out, INDICATORS_FILE_MAX);
    assert_int_equal(arena_new(1 << 20, &arena), 0);
    indicator_write_head(&writer, &list, &out);
    assert_int_equal(feed_read(feed_guess(str_of(text, len)), str_of(text, len), arena,
                               &(struct feed_sink){write_entry, &writer}, &report, &diag),
                     0);
    indicator_write_end(&writer);
    assert_int_equal(report.faulty, 0);
    assert_int_equal(indicators_new(indicators_popular(), &indicators, &diag), 0);
    assert_int_equal(indicators_add_file(indicators, buf_str(&out), &diag), 0);
    rest = str_of(text, len);
    while (str_cut(&rest, '\n', &line)) {
        struct indicator_hit hit;

        hits += indicators_find_host(indicators, str_trim(line), &hit);
    }
    (void)printf("# %llu entries, %zu hits\n", (unsigned long long)report.taken, hits);
    assert_int_equal(hits, report.taken);
    indicators_free(indicators);
    arena_free(arena);
    buf_done(&out);
    free(text);
}

static int load_once(void *context)
{
    struct indicators *indicators = NULL;
    struct diag diag = {{0}};
    int r = indicators_new(STR("allow a.vn\n"), &indicators, &diag);

    (void)context;
    if (r == 0) {
        r = indicators_add_file(indicators, STR(HEAD "\ndomain a.vn\nphrase nha cai\nend 2\n"),
                                &diag);
    }
    indicators_free(indicators);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(load_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_ends_of_rows),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_kinds_of_logs),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_a_person_allows),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_allowed_urls),
        cmocka_unit_test(test_faults_are_named),
        cmocka_unit_test(test_hosts_are_found),
        cmocka_unit_test(test_phrases_and_hashes),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_damaged_files_are_refused),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_published_list),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
