/* EVTX: events come out under the names that rules use and as Windows writes them, whatever
 * somebody did to the file. */
#include "evtx_fixture.h"
#include "prop.h"

#include "codec/evtx.h"

#include <stdio.h>
#include <string.h>

#define TIME_FILETIME 133800000000000000ULL /* 2024-12-30T10:40:00Z */
#define TIME_NS       1735526400000000000LL

/* What a reading handed on, as lines of "number faults service host {json}". */
struct heard {
    struct buf text;
    struct arena *arena;
    size_t entries;
    size_t whole; /* of them without faults */
    size_t fields;
    bool is_silent;
};

static int hear(void *context, const struct entry *entry)
{
    struct heard *heard = context;
    struct json_writer json;
    int r;

    heard->entries++;
    heard->whole += entry->faults == 0;
    heard->fields += entry->count;
    if (heard->is_silent) {
        return 0;
    }
    buf_putf(&heard->text, "%llu %u %.*s %.*s ", (unsigned long long)entry->number, entry->faults,
             STR_ARG(entry->source.service), STR_ARG(entry->host));
    json_begin(&json, &heard->text);
    r = entry_write_json(entry, heard->arena, &json);
    buf_put_byte(&heard->text, '\n');
    return r;
}

static int listen_to(struct heard *heard, struct str bytes)
{
    struct log_reading reading;
    int r;

    buf_reset(&heard->text);
    heard->entries = heard->whole = heard->fields = 0;
    r = log_reading_init(&reading, NULL);
    while (r == 0 && bytes.len > 0) {
        size_t len = evtx_log_format.cut(bytes, true);

        assert_true(len > 0 && len <= bytes.len);
        r = evtx_log_format.read(&reading, str_of(bytes.ptr, len), hear, heard);
        bytes = str_slice(bytes, len, bytes.len);
    }
    log_reading_done(&reading);
    return r;
}

static void heard_init(struct heard *heard)
{
    *heard = (struct heard){.arena = NULL};
    buf_init(&heard->text, 1U << 24);
    assert_int_equal(arena_new(1U << 24, &heard->arena), 0);
}

static void heard_done(struct heard *heard)
{
    buf_done(&heard->text);
    arena_freep(&heard->arena);
}

static void assert_line(const struct heard *heard, const char *line)
{
    if (str_find(buf_str(&heard->text), str_from(line)) == heard->text.len) {
        fail_msg("'%s' is not in:\n%.*s", line, STR_ARG(buf_str(&heard->text)));
    }
}

static const struct evtx_event plain = {
    .id = 1, .event_id = 4688, .filetime = TIME_FILETIME, .channel = "Security", .computer = "pc1"};

/* Records with a process each; the n-th has the number n. */
static void make_processes(struct evtx_maker *maker, unsigned count)
{
    char name[32];

    evtx_make_begin(maker);
    for (unsigned i = 1; i <= count; i++) {
        struct evtx_datum data[] = {{"NewProcessName", 1, {NULL, 0}},
                                    {"ProcessId", 8, STR("\x01\x02\0\0")}};
        struct evtx_event event = plain;

        (void)snprintf(name, sizeof(name), "C:\\p%u.exe", i);
        data[0].bytes = evtx_wide(name);
        event.id = i;
        event.data = data;
        event.count = 2;
        evtx_make_record(maker, &event);
        if (i % 40 == 0 || i == count) {
            evtx_make_chunk(maker, 1);
        }
    }
}

static void test_event(void **state)
{
    struct evtx_maker maker;
    struct heard heard;

    (void)state;
    heard_init(&heard);
    make_processes(&maker, 2);
    assert_int_equal(evtx_log_format.weigh(buf_str(&maker.file)), 100);
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_str(buf_str(&heard.text),
               "1 0 security pc1 {\"Provider_Name\":\"Test-Provider\",\"EventID\":4688,\"Level\":4,"
               "\"Keywords\":\"0x8000000000000000\",\"EventRecordID\":1,\"Channel\":\"Security\","
               "\"Computer\":\"pc1\",\"NewProcessName\":\"C:\\\\p1.exe\",\"ProcessId\":513}\n"
               "2 0 security pc1 {\"Provider_Name\":\"Test-Provider\",\"EventID\":4688,\"Level\":4,"
               "\"Keywords\":\"0x8000000000000000\",\"EventRecordID\":2,\"Channel\":\"Security\","
               "\"Computer\":\"pc1\",\"NewProcessName\":\"C:\\\\p2.exe\",\"ProcessId\":513}\n");
    evtx_make_end(&maker);
    heard_done(&heard);
}

static void test_values(void **state)
{
    static const struct evtx_datum data[] = {
        {"Text",
         1,
         {"\xe1\x1e\x42\0\x3d\xd8\x00\xde\x3d\xd8\0\0", 12}}, /* ends in half a pair, and a zero */
        {"Ansi", 2, STR("caf\xe9\0")},
        {"I8", 3, STR("\xff")},
        {"U8", 4, STR("\xff")},
        {"I16", 5, STR("\x00\x80")},
        {"U64", 10, STR("\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"I64", 9, STR("\x00\x00\x00\x00\x00\x00\x00\x80")},
        {"Double", 12, STR("\0\0\0\0\0\0\xf8\x3f")},
        {"Bool", 13, STR("\1\0\0\0")},
        {"Bytes", 14, STR("\x00\xab\x7f")},
        {"Guid", 15, STR("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10")},
        {"Size", 16, STR("\x10\0\0\0\0\0\0\0")},
        {"Time", 17, STR("\x01\x80\x3e\xd5\xde\xb1\x9d\x01")}, /* 1970, and one step */
        {"Never", 17, STR("\0\0\0\0\0\0\0\0")},
        {"Clock", 18, STR("\xea\x07\x0b\0\4\0\x1a\0\4\0\5\0\6\0\7\0")},
        {"Sid", 19, STR("\1\2\0\0\0\0\0\5\x20\0\0\0\x20\2\0\0")},
        {"BadSid", 19, STR("\1\x09\0\0\0\0\0\5")},
        {"Hex", 20, STR("\x0f\0\0\x80")},
        {"Hex0", 20, STR("\0\0\0\0")},
        {"Empty", 1, STR("")},
        {"Null", 0, STR("")},
        {"Words", 0x81, STR("a\0b\0\0\0\0\0c\0\0\0")},
        {"Numbers", 0x88, STR("\1\0\0\0\2\0\0\0")},
        {"Sids", 0x93, STR("\1\1\0\0\0\0\0\5\x12\0\0\0\1\1\0\0\0\0\0\5\x13\0\0\0")},
    };
    struct evtx_event event = plain;
    struct evtx_maker maker;
    struct heard heard;

    (void)state;
    heard_init(&heard);
    evtx_make_begin(&maker);
    event.data = data;
    event.count = sizeof(data) / sizeof(data[0]);
    evtx_make_record(&maker, &event);
    evtx_make_chunk(&maker, 0);
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_line(&heard, "\"Text\":\"ỡB😀\xef\xbf\xbd\",\"Ansi\":\"café\",\"I8\":-1,\"U8\":255,"
                        "\"I16\":-32768,\"U64\":18446744073709551615,"
                        "\"I64\":-9223372036854775808,\"Double\":1.5,\"Bool\":true,"
                        "\"Bytes\":\"00AB7F\",\"Guid\":\"{04030201-0605-0807-090a-0b0c0d0e0f10}\","
                        "\"Size\":\"0x10\",\"Time\":\"1970-01-01T00:00:00.0000001Z\","
                        "\"Never\":\"0x0\",\"Clock\":\"2026-11-26T04:05:06.007Z\","
                        "\"Sid\":\"S-1-5-32-544\",\"BadSid\":\"0109000000000005\","
                        "\"Hex\":\"0x8000000f\",\"Hex0\":\"0x0\",\"Empty\":\"\",\"Null\":null,"
                        "\"Words\":[\"ab\",\"\",\"c\"],\"Numbers\":[1,2],"
                        "\"Sids\":[\"S-1-5-18\",\"S-1-5-19\"]}");
    evtx_make_end(&maker);
    heard_done(&heard);
}

static void test_places(void **state)
{
    static const struct evtx_datum nested[] = {{"Operation", 1, {"a\0", 2}},
                                               {"Id", 8, STR("\7\0\0\0")}};
    static const struct evtx_datum classic[] = {{NULL, 0x81, {"x\0\0\0y\0\0\0", 8}},
                                                {NULL, 1, {"z\0", 2}}};
    struct evtx_event event = plain;
    struct evtx_maker maker;
    struct heard heard;

    (void)state;
    heard_init(&heard);
    evtx_make_begin(&maker);
    event.channel = "Microsoft-Windows-WMI-Activity/Operational";
    event.data = nested;
    event.count = 2;
    event.user_data = "Operation_ClientFailure";
    evtx_make_record(&maker, &event);
    event.id = 2;
    event.channel = "Windows PowerShell";
    event.data = classic;
    event.user_data = NULL;
    evtx_make_record(&maker, &event);
    evtx_make_chunk(&maker, 0);
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_line(&heard, "1 0 wmi pc1 ");
    assert_line(&heard, "\"Operation\":\"a\",\"Id\":7}");
    assert_line(&heard, "2 0 powershell-classic pc1 ");
    assert_line(&heard, "\"Data\":[\"x\",\"y\",\"z\"]}");
    evtx_make_end(&maker);
    heard_done(&heard);
}

static int check_time(void *context, const struct entry *entry)
{
    int64_t *wanted = context;

    assert_int_equal(entry->time, *wanted);
    assert_true(entry->is_binary && entry->is_structured);
    assert_int_equal(entry_find(entry, STR("EventID"))->type, ENTRY_TYPE_NUMBER);
    assert_int_equal(entry_find(entry, STR("EventID"))->id, 1);
    assert_int_equal(entry_find(entry, STR("ProcessId"))->id, 0);
    assert_str(entry_find(entry, STR("TimeCreated"))->value, "2024-12-30T02:40:00.0000000Z");
    assert_str(entry->source.product, "windows");
    return 1;
}

static void test_time_and_names(void **state)
{
    struct entry_names *names = NULL;
    struct log_reading reading;
    struct evtx_maker maker;
    int64_t wanted = TIME_NS;
    uint32_t id;

    (void)state;
    make_processes(&maker, 1);
    assert_int_equal(entry_names_new(10, &names), 0);
    assert_int_equal(entry_names_add(names, STR("EventID"), &id), 0);
    assert_int_equal(entry_names_add(names, STR("TimeCreated"), &id), 0);
    assert_int_equal(log_reading_init(&reading, names), 0);
    assert_int_equal(evtx_log_format.read(&reading, buf_str(&maker.file), check_time, &wanted), 1);
    log_reading_done(&reading);
    entry_names_freep(&names);
    evtx_make_end(&maker);
}

static size_t record_size(const struct evtx_maker *maker, size_t at)
{
    uint32_t size;

    memcpy(&size, maker->file.ptr + at + 4, sizeof(size));
    return size;
}

#define FIRST_RECORD (4096 + 512)

static void test_damage(void **state)
{
    struct evtx_maker maker;
    struct heard heard;
    size_t second;
    size_t third;

    (void)state;
    heard_init(&heard);
    make_processes(&maker, 5);
    second = FIRST_RECORD + record_size(&maker, FIRST_RECORD);
    third = second + record_size(&maker, second);

    memcpy(maker.file.ptr + 4096 + 48, "\0\2\0\0", 4); /* the head counts no record */
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_int_equal(heard.entries, 5); /* their numbers tell that they are of this round */
    memcpy(maker.file.ptr + 4096 + 48, "\0\0\0\0", 4);
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_int_equal(heard.entries, 5);
    assert_line(&heard, "5 16 security pc1 "); /* the checksum tells */

    memcpy(maker.file.ptr + 4096, "nothing", 7);
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_int_equal(heard.entries, 6); /* the head is no record either */
    assert_line(&heard, "6 16 security pc1 ");

    memcpy(maker.file.ptr + 4096, "ElfChnk", 7);
    maker.file.ptr[second] = 'x';
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_int_equal(heard.entries, 5);
    assert_line(&heard, "2 25   {}\n3 16 security pc1 ");

    maker.file.ptr[second] = 0x2a;
    maker.file.ptr[third + 24 + 4] = 0x55; /* not a token */
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_line(&heard, "3 17 ");
    assert_line(&heard, "4 16 security pc1 ");
    assert_int_equal(listen_to(&heard, str_slice(buf_str(&maker.file), 0, third - 10)), 0);
    assert_int_equal(heard.entries, 2); /* a file that was cut: the last is bytes */
    assert_line(&heard, "2 25 ");
    evtx_make_end(&maker);
    heard_done(&heard);
}

static void test_blocks(void **state)
{
    struct evtx_maker maker;
    struct log_reading reading;
    struct heard heard;
    struct str file;

    (void)state;
    heard_init(&heard);
    make_processes(&maker, 100);
    file = buf_str(&maker.file);
    assert_int_equal(file.len, 4096 + 3 * 65536);
    assert_int_equal(evtx_log_format.cut(str_slice(file, 0, 5000), false), 0);
    assert_int_equal(evtx_log_format.cut(str_slice(file, 0, 5000), true), 5000);
    assert_int_equal(evtx_log_format.cut(str_slice(file, 0, 140000), false), 4096 + 2 * 65536);
    assert_int_equal(evtx_log_format.cut(str_slice(file, 4096, file.len - 1), false), 2 * 65536);
    assert_int_equal(evtx_log_format.count(file), 100);
    assert_int_equal(evtx_log_format.count(str_slice(file, 4096 + 65536, file.len)), 60);
    assert_int_equal(log_reading_init(&reading, NULL), 0);
    reading.number = 41; /* out of turn: the second chunk alone */
    assert_int_equal(
        evtx_log_format.read(&reading, str_slice(file, 4096 + 65536, file.len), hear, &heard), 0);
    assert_int_equal(reading.counts.entries, 60);
    assert_int_equal(reading.counts.faulty, 0);
    assert_line(&heard, "41 0 security pc1 ");
    assert_line(&heard, "C:\\\\p100.exe");
    log_reading_done(&reading);
    evtx_make_end(&maker);
    heard_done(&heard);
}

/* Whoever changes bytes gets entries all the same, never more than the limits allow. */
static const char *any_bytes(struct prop *prop)
{
    static struct evtx_maker maker;
    static struct heard heard;
    uint64_t changes = 1 + prop_below(prop, 8);
    struct str bytes;
    char *copy;

    if (heard.arena == NULL) {
        make_processes(&maker, 3);
        heard_init(&heard);
        heard.is_silent = true;
    }
    copy = arena_alloc(prop->arena, 5000, 1);
    if (copy == NULL) {
        return "no memory";
    }
    memcpy(copy, maker.file.ptr + 4096, 5000);
    for (uint64_t i = 0; i < changes; i++) {
        copy[512 + prop_below(prop, 3000)] = (char)prop_below(prop, 256);
    }
    bytes = str_of(copy, 512 + prop_below(prop, 4489));
    if (listen_to(&heard, bytes) != 0) {
        return "the reading ended";
    }
    return heard.fields > 16384 * heard.entries ? "too many fields" : NULL;
}

static void test_any_bytes(void **state)
{
    (void)state;
    prop_check("any bytes are entries", any_bytes, 3000);
}

/* A template whose every hole brings the same template again. */
static void test_bomb(void **state)
{
    static struct evtx_datum data[200];
    struct evtx_event event = plain;
    struct evtx_maker maker;
    struct heard heard;
    char *chunk;
    size_t data_at;

    (void)state;
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        data[i] = (struct evtx_datum){NULL, 0x21, STR("")};
    }
    heard_init(&heard);
    heard.is_silent = true;
    evtx_make_begin(&maker);
    event.data = data;
    event.count = sizeof(data) / sizeof(data[0]);
    evtx_make_record(&maker, &event);
    evtx_make_chunk(&maker, 0);
    chunk = maker.file.ptr;
    /* The values of all holes become the whole of the fragment that holds them. */
    data_at = str_find(buf_str(&maker.file), str_of("\xc8\0\0\0\0\0\x21\0", 8));
    assert_true(data_at < maker.file.len);
    for (size_t i = 0; i < event.count; i++) {
        chunk[data_at + 4 + 4 * i] = i == 0 ? 14 : 0;
    }
    assert_int_equal(listen_to(&heard, buf_str(&maker.file)), 0);
    assert_true(heard.entries >= 1 && heard.fields <= 16384);
    evtx_make_end(&maker);
    heard_done(&heard);
}

static int read_once(void *context)
{
    const struct evtx_maker *maker = context;
    struct heard heard = {.is_silent = true};

    return listen_to(&heard, buf_str(&maker->file));
}

static void test_no_memory(void **state)
{
    struct evtx_maker maker;

    (void)state;
    make_processes(&maker, 3);
    assert_survives_no_memory(read_once, &maker);
    evtx_make_end(&maker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),     cmocka_unit_test(test_values),
        cmocka_unit_test(test_places),    cmocka_unit_test(test_time_and_names),
        cmocka_unit_test(test_damage),    cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests_name("evtx", tests, NULL, NULL);
}
