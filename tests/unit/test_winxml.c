/* Windows events as XML: the same fields as out of EVTX, and nothing that a document type could do.
 */
#include "harness.h"

#include "base/buf.h"
#include "codec/winxml.h"

#include <stdio.h>
#include <string.h>

#define HEAD_OF(id)                                                                                \
    "<System><Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385F-C22A-43E0-BF4C-"            \
    "06F5698FFBD9}'/><EventID Qualifiers=''>" id "</EventID><Level>4</Level>"                      \
    "<TimeCreated SystemTime='2026-04-20T10:00:35.6466242Z'/><Correlation/>"                       \
    "<Execution ProcessID='7' ThreadID='8'/>"                                                      \
    "<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>pc1</Computer>"              \
    "<Security UserID='S-1-5-18'/></System>"
#define EVENT_OF(id, data)                                                                         \
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>" HEAD_OF(id) data       \
        "</Event>"

struct heard {
    struct buf text;
    struct arena *arena;
};

static int hear(void *context, const struct entry *entry)
{
    struct heard *heard = context;
    struct json_writer json;

    buf_putf(&heard->text, "%llu %u %.*s %.*s %lld ", (unsigned long long)entry->number,
             entry->faults, STR_ARG(entry->source.service), STR_ARG(entry->host),
             (long long)entry->time);
    json_begin(&json, &heard->text);
    if (entry_write_json(entry, heard->arena, &json) < 0) {
        return -ERR_NOMEM;
    }
    buf_put_byte(&heard->text, '\n');
    return 0;
}

static int listen_to(struct heard *heard, struct str bytes)
{
    struct log_reading reading;
    int r = log_reading_init(&reading, NULL);

    if (r == 0) {
        r = winxml_log_format.read(&reading, bytes, hear, heard);
        if (r == 0) {
            assert_int_equal(winxml_log_format.count(bytes), reading.counts.entries);
        }
    }
    log_reading_done(&reading);
    return r;
}

static void assert_heard(struct str bytes, const char *wanted)
{
    struct heard heard;

    buf_init(&heard.text, 1U << 24);
    assert_int_equal(arena_new(1U << 24, &heard.arena), 0);
    assert_int_equal(listen_to(&heard, bytes), 0);
    assert_str(buf_str(&heard.text), wanted);
    buf_done(&heard.text);
    arena_freep(&heard.arena);
}

#define HEAD_JSON(id)                                                                              \
    "{\"Provider_Name\":\"Microsoft-Windows-Sysmon\",\"Provider_Guid\":\"{5770385F-C22A-43E0-"     \
    "BF4C-06F5698FFBD9}\",\"EventID_Qualifiers\":\"\",\"EventID\":" id                             \
    ",\"Level\":4,\"Execution_ProcessID\":7,"                                                      \
    "\"Execution_ThreadID\":8,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\","               \
    "\"Computer\":\"pc1\",\"Security_UserID\":\"S-1-5-18\""
#define TIME "1776679235646624200"

#define FIRST_DATA                                                                                 \
    "<EventData><Data Name='Image'>C:\\a &amp; b.exe</Data><Data>x</Data><Data>y</Data>"           \
    "<Data Name='Empty'/></EventData>"                                                             \
    "<RenderingInfo Culture='en'><Message>made</Message><Level>Information</Level>"                \
    "<Keywords><Keyword>K</Keyword></Keywords></RenderingInfo>"
#define SECOND_DATA "<UserData><n:Deep xmlns:n='u'><n:User>ủy</n:User></n:Deep></UserData>"

static const char two[] =
    "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n"
    "<Events>" EVENT_OF("1", FIRST_DATA) "\r\n" EVENT_OF("13", SECOND_DATA) "</Events>\r\n";

static const char two_heard[] =
    "1 0 sysmon pc1 " TIME
    " " HEAD_JSON("1") ",\"Image\":\"C:\\\\a & b.exe\",\"Data\":[\"x\",\"y\"],"
                       "\"Empty\":\"\",\"RenderingInfo_Culture\":\"en\","
                       "\"Message\":\"made\",\"RenderingInfo_Level\":"
                       "\"Information\",\"RenderingInfo_Keyword\":\"K\"}\n"
                       "2 0 sysmon pc1 " TIME " " HEAD_JSON("13") ",\"User\":\"ủy\"}\n";

static void test_events(void **state)
{
    (void)state;
    assert_int_equal(winxml_log_format.weigh(str_from(two)), 98);
    assert_heard(str_from(two), two_heard);
}

/* As PowerShell's > writes it. */
static void test_wide(void **state)
{
    static const char narrow[] = "<Event><System><EventID>5</EventID></System></Event>\r\n"
                                 "<Event><System><EventID>6</EventID></System></Event>";
    char wide[2 * sizeof(narrow) + 2] = "\xff\xfe";
    struct str text = str_of(wide, 2 * sizeof(narrow));
    size_t first = 2 + 2 * str_find(str_from(narrow), STR("\r\n"));

    (void)state;
    for (size_t i = 0; i < sizeof(narrow) - 1; i++) {
        wide[2 + 2 * i] = narrow[i];
    }
    assert_int_equal(winxml_log_format.weigh(text), 80);
    assert_int_equal(winxml_log_format.cut(str_slice(text, 0, text.len - 6), false), first);
    assert_heard(text, "1 8   0 {\"EventID\":5}\n2 8   0 {\"EventID\":6}\n");
    assert_heard(str_slice(text, first, text.len), "1 8   0 {\"EventID\":6}\n");
}

static void test_cut(void **state)
{
    struct str text = str_from(two);
    size_t second = str_find(text, STR("\r\n<Event x"));

    (void)state;
    assert_int_equal(winxml_log_format.cut(str_slice(text, 0, second - 1), false), 0);
    assert_int_equal(winxml_log_format.cut(str_slice(text, 0, second), false), second);
    assert_int_equal(winxml_log_format.cut(str_slice(text, 0, second + 100), false), second);
    assert_int_equal(winxml_log_format.cut(str_slice(text, 0, second + 100), true), second + 100);
    assert_int_equal(winxml_log_format.weigh(STR("<html><Events></html>")), 0);
    assert_int_equal(winxml_log_format.weigh(STR("<Events>")), 0);
}

static void test_broken(void **state)
{
    (void)state;
    assert_heard(STR("junk<Event><System><Level>1</System></Event>"
                     "<Event><System><Level>2</Level></System></Event>more"
                     "<Event><EventData><Data Name='a'>no end"),
                 "1 9   0 {}\n2 9   0 {}\n3 8   0 {\"Level\":2}\n4 9   0 {}\n5 9   0 {}\n");
    /* Characters that XML does not have, as Windows writes them. */
    assert_heard(STR("<Event><EventData><Data Name='a'>x&#x1b;[0m&#0;\x01\xff"
                     "y&#65;</Data></EventData></Event>"),
                 "1 9   0 {\"a\":\"x?[0m???yA\"}\n");
    assert_heard(STR("<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
                     "<Event><EventData><Data>&b;</Data></EventData></Event>"),
                 "1 9   0 {}\n2 9   0 {}\n");
    assert_heard(STR("<Event ><!DOCTYPE x [<!ENTITY a 'aaaa'>]><EventData/></Event>"),
                 "1 9   0 {}\n");
}

/* Sysmon for Linux hands its events to syslog. */
static void test_syslog(void **state)
{
    struct str line =
        STR("Nov 26 04:05:06 vm sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/>"
            "<EventID>1</EventID><TimeCreated SystemTime=\"2026-11-26T04:05:06.000000000Z\"/>"
            "<Channel>Linux-Sysmon/Operational</Channel><Computer>vm1</Computer></System>"
            "<EventData><Data Name=\"Image\">/usr/bin/id</Data></EventData></Event>\n");
    struct log_reading reading;
    struct heard heard;

    (void)state;
    buf_init(&heard.text, 1U << 20);
    assert_int_equal(arena_new(1U << 20, &heard.arena), 0);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    assert_int_equal(log_format_find(STR("syslog"))->read(&reading, line, hear, &heard), 0);
    log_reading_done(&reading);
    assert_true(str_has_prefix(buf_str(&heard.text), STR("1 0 sysmon vm1 1795665906000000000 ")));
    assert_true(str_find(buf_str(&heard.text), STR("\"EventID\":1,")) < heard.text.len);
    assert_true(str_find(buf_str(&heard.text), STR("\"Image\":\"/usr/bin/id\"")) < heard.text.len);
    buf_done(&heard.text);
    arena_freep(&heard.arena);
}

static void test_deep(void **state)
{
    static char deep[8192];
    size_t len = 0;

    (void)state;
    len += (size_t)snprintf(deep, sizeof(deep), "<Event><UserData>");
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(deep + len, "<a>", 3);
        len += 3;
    }
    len += (size_t)snprintf(deep + len, sizeof(deep) - len, "</Event>");
    assert_heard(str_of(deep, len), "1 14   0 {}\n");
}

static int read_once(void *context)
{
    struct heard heard = {.arena = NULL};
    int r = arena_new(1U << 24, &heard.arena);

    buf_init(&heard.text, 1U << 24);
    if (r == 0) {
        r = listen_to(&heard, *(struct str *)context);
    }
    buf_done(&heard.text);
    arena_freep(&heard.arena);
    return r;
}

static void test_no_memory(void **state)
{
    struct str text = str_from(two);

    (void)state;
    assert_survives_no_memory(read_once, &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),    cmocka_unit_test(test_wide),
        cmocka_unit_test(test_cut),       cmocka_unit_test(test_broken),
        cmocka_unit_test(test_deep),      cmocka_unit_test(test_syslog),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("winxml", tests, NULL, NULL);
}
