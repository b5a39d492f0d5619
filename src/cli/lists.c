/* canhgac lists import|list|show|drop|check: lists of known bad hosts, addresses, hashes …, by
 * hand. A list is a file of its folder (detect/intel/indicators.h); the centre and canhgac watch
 * read the same folder. What somebody brings is parsed by a child without rights, which hands back
 * the file form; what lies in the folder is parsed only after this process has given up its own.
 * Neighbours: codec/feed.h below, cli/lists_folder.c for the folder. */
#include "centre/lists.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/network.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/lists_folder.h"
#include "cli/lists_refresh.h"
#include "codec/json.h"

struct lists_settings {
    const char *folder;
    const char *format;
    const char *label;
    const char *source;
    int64_t expires;
    int64_t limit;
    bool is_json;
    bool is_forced;
};

#define ROW_FOLDER                                                                                 \
    {"lists",                                                                                      \
     0,                                                                                            \
     SETTING_PATH,                                                                                 \
     LISTS_FOLDER,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct lists_settings, folder),                                                      \
     N_("DIR"),                                                                                    \
     N_("folder of the lists")}
#define ROW_JSON                                                                                   \
    {"json",                                                                                       \
     0,                                                                                            \
     SETTING_FLAG,                                                                                 \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     offsetof(struct lists_settings, is_json),                                                     \
     NULL,                                                                                         \
     N_("print one JSON object a line")}

static const struct setting import_rows[] = {
    ROW_FOLDER,
    {"format", 0, SETTING_CHOICE, "auto", NULL, "auto|hosts|plain|csv|misp|stix",
     offsetof(struct lists_settings, format), N_("FORMAT"), N_("what the file is")},
    {"label", 0, SETTING_TEXT, "unknown", NULL, NULL, offsetof(struct lists_settings, label),
     N_("WORD"),
     N_("what being on the list means: phishing, c2, gambling…; logs that name what is on lists of "
        "gambling, adult, advertising or tracking are told as low, of all others as medium or "
        "more")},
    {"source", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct lists_settings, source),
     N_("TEXT"), N_("where the list comes from; the file's name when not given")},
    {"expires", 0, SETTING_DURATION, "0s", "0s", NULL, offsetof(struct lists_settings, expires),
     N_("TIME"), N_("how long the list counts from now; 0: until it is dropped")},
    {"force", 'f', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct lists_settings, is_forced), NULL,
     N_("take what can be read even when more than half of the file cannot")},
    ROW_JSON,
    {},
};

static const struct setting plain_rows[] = {ROW_FOLDER, ROW_JSON, {}};
static const struct setting show_rows[] = {
    ROW_FOLDER,
    {"limit", 'n', SETTING_NUMBER, "20", "0", NULL, offsetof(struct lists_settings, limit),
     N_("COUNT"), N_("show this many entries at most; 0 shows all")},
    ROW_JSON,
    {},
};

static int call_name(const struct command_call *call, struct str *ret_name)
{
    struct str name = call->operands.count != 0 ? str_from(call->operands.items[0]) : str_of("", 0);

    if (!indicators_is_name(name)) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("name a list: up to %u lower-case letters, digits, '-' and '_'"),
                            INDICATORS_NAME_MAX);
    }
    *ret_name = name;
    return 0;
}

static int import_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;
    struct lists_import import = {.source = settings->source,
                                  .label = settings->label,
                                  .lasts = settings->expires,
                                  .is_forced = settings->is_forced,
                                  .is_json = settings->is_json};
    int r;

    if (call->operands.count != 2) {
        return command_fail(
            EXIT_STATUS_USAGE,
            _("name the list and a file or address: canhgac lists import NAME FILE|URL"));
    }
    r = call_name(call, &import.name);
    if (r != 0) {
        return r;
    }
    import.file = call->operands.items[1];
    import.source = import.source != NULL ? import.source : import.file;
    import.is_guessed = !feed_format_parse(str_from(settings->format), &import.format);
    return lists_import(settings->folder, &import);
}

static int refresh_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;

    return lists_refresh(settings->folder, &call->operands, settings->is_json);
}

static void print_time(int64_t time)
{
    char text[TIME_TEXT_SIZE];

    if (time == 0) {
        printf("%s", _("never"));
        return;
    }
    time_format_offset(time, 25200, text);
    printf("%.10s", text);
}

static void write_list_json(const struct indicator_list *list, struct json_writer *json)
{
    char text[TIME_TEXT_SIZE];

    json_add_str(json, "name", list->name);
    json_add_str(json, "label", list->label);
    json_add_str(json, "source", list->source);
    time_format_utc(list->imported, text);
    json_add_text(json, "imported", text);
    time_format_utc(list->expires, text);
    json_add_text(json, "expires", list->expires != 0 ? text : NULL);
    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        json_add_u64(json, feed_kind_name((enum feed_kind)kind), list->counts[kind]);
    }
}

static void print_json(struct buf *buf)
{
    buf_put_byte(buf, '\n');
    (void)fwrite(buf->ptr, 1, buf->len, stdout);
    buf_reset(buf);
}

static void print_list(const struct indicator_list *list)
{
    uint64_t all = 0;

    for (unsigned kind = 0; kind < FEED_KIND_COUNT; kind++) {
        all += list->counts[kind];
    }
    printf("%-20.*s %-12.*s %9llu  ", STR_ARG(list->name), STR_ARG(list->label),
           (unsigned long long)all);
    print_time(list->imported);
    printf("  ");
    print_time(list->expires);
    printf("  %.*s\n", STR_ARG(list->source));
}

static int list_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    struct json_writer json;
    struct buf buf;
    int r = lists_load(settings->folder, str_of(NULL, 0), &indicators);

    if (r != 0) {
        return r;
    }
    buf_init(&buf, 1 << 16);
    if (!settings->is_json) {
        printf("%-20s %-12s %9s  %-10s  %-10s  %s\n", _("list"), _("label"), _("entries"),
               _("imported"), _("expires"), _("source"));
    }
    for (size_t i = 0; i < indicators_list_count(indicators); i++) {
        if (!settings->is_json) {
            print_list(indicators_list(indicators, i));
            continue;
        }
        json_begin(&json, &buf);
        json_open_object(&json);
        write_list_json(indicators_list(indicators, i), &json);
        json_close_object(&json);
        print_json(&buf);
    }
    buf_done(&buf);
    return EXIT_STATUS_CLEAN;
}

struct show {
    const struct lists_settings *settings;
    uint64_t shown;
};

static void show_entry(void *context, const struct feed_entry *entry)
{
    struct show *show = context;
    struct json_writer json;
    struct buf buf;

    if (show->settings->limit != 0 && show->shown == (uint64_t)show->settings->limit) {
        return;
    }
    show->shown++;
    if (!show->settings->is_json) {
        printf("%-7s %.*s", feed_kind_name(entry->kind), STR_ARG(entry->value));
        if (entry->expires != 0) {
            printf("  ");
            print_time(entry->expires);
        }
        putchar('\n');
        return;
    }
    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    json_open_object(&json);
    json_add_text(&json, "kind", feed_kind_name(entry->kind));
    json_add_str(&json, "value", entry->value);
    json_close_object(&json);
    print_json(&buf);
    buf_done(&buf);
}

static int show_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    struct show show = {.settings = settings};
    struct str name = {0};
    int r = call_name(call, &name);

    r = r != 0 ? r : lists_load(settings->folder, name, &indicators);
    if (r != 0) {
        return r;
    }
    indicators_each(indicators, 0, show_entry, &show);
    return EXIT_STATUS_CLEAN;
}

static int drop_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;
    struct str name = {0};
    int r = call_name(call, &name);

    return r != 0 ? r : lists_drop(settings->folder, name);
}

/* A value of any kind, or any text with phrases in it. */
static bool check_one(const struct indicators *indicators, struct str text,
                      struct indicator_hit *ret_hit)
{
    static const enum feed_kind kinds[] = {FEED_KIND_HASH, FEED_KIND_URL, FEED_KIND_EMAIL,
                                           FEED_KIND_AGENT};
    static char room[FEED_LINE_MAX]; /* what the hit borrows */
    uint8_t address[16];
    unsigned bits;
    struct str value;

    if (text.len >= FEED_LINE_MAX) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (feed_read_value(kinds[i], text, room, &value) &&
            indicators_find(indicators, kinds[i], value, ret_hit)) {
            return true;
        }
    }
    if (feed_parse_address(text, address, &bits) && bits == 128 &&
        indicators_find_address(indicators, address, ret_hit)) {
        network_mask(address, ret_hit->bits);
        ret_hit->value = feed_format_address(address, ret_hit->bits, room);
        return true;
    }
    if (feed_read_host(text, room, &value) && indicators_find_host(indicators, value, ret_hit)) {
        return true;
    }
    (void)lists_fold(text, room, sizeof(room), &value);
    return indicators_find_phrase(indicators, value, 0, ret_hit);
}

static void write_check_json(const char *text, const struct indicator_hit *hit, struct buf *buf)
{
    const struct str none = {0};
    struct json_writer json;

    json_begin(&json, buf);
    json_open_object(&json);
    json_add_text(&json, "asked", text);
    json_add_bool(&json, "listed", hit != NULL);
    json_add_str(&json, "list", hit != NULL ? hit->list->name : none);
    json_add_str(&json, "label", hit != NULL ? hit->list->label : none);
    json_add_str(&json, "entry", hit != NULL ? hit->value : none);
    json_close_object(&json);
}

static void print_check(const struct lists_settings *settings, const char *text,
                        const struct indicator_hit *hit)
{
    struct buf buf;

    buf_init(&buf, 1 << 16);
    if (settings->is_json) {
        write_check_json(text, hit, &buf);
        print_json(&buf);
        buf_done(&buf);
        return;
    }
    (void)buf_put_plain(&buf, str_from(text));
    if (hit == NULL) {
        printf(_("%.*s: on no list"), STR_ARG(buf_str(&buf)));
    } else {
        printf(_("%.*s: %.*s (list %.*s, entry %.*s)"), STR_ARG(buf_str(&buf)),
               STR_ARG(hit->list->label), STR_ARG(hit->list->name), STR_ARG(hit->value));
    }
    putchar('\n');
    buf_done(&buf);
}

static int check_run(const struct command_call *call)
{
    const struct lists_settings *settings = call->settings;
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    bool is_found = false;
    int r;

    if (call->operands.count == 0) {
        return command_fail(EXIT_STATUS_USAGE, _("name hosts, hashes or texts to look for"));
    }
    r = lists_load(settings->folder, str_of(NULL, 0), &indicators);
    if (r != 0) {
        return r;
    }
    for (size_t i = 0; i < call->operands.count; i++) {
        struct indicator_hit hit;
        bool is_hit = check_one(indicators, str_from(call->operands.items[i]), &hit);

        print_check(settings, call->operands.items[i], is_hit ? &hit : NULL);
        is_found = is_found || is_hit;
    }
    return is_found ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}

static const struct command lists_verbs[] = {
    {
        .name = "import",
        .summary = N_("Read a list from a file or an address and keep it under a name"),
        .operands = N_("NAME FILE|URL"),
        .details =
            N_("A hosts file, one host, address, network, URL, e-mail address, hash or "
               "\"phrase\" a line, CSV with a head row, MISP JSON or STIX 2.1 JSON. A list of "
               "that name is replaced as a whole or stays as it was. Lines that cannot be "
               "read are counted, the first few are named. Hosts that "
               "rules/web/popular-hosts.list allows are never a hit, and neither is what stands "
               "on a list of your own with --label allow, whatever other lists say."),
        .rows = import_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = import_run,
    },
    {
        .name = "refresh",
        .summary = N_("Bring lists from the web again"),
        .operands = N_("[NAME…]"),
        .details =
            N_("Those whose source is an address; all of them when none is named. Each counts "
               "from now for as long as it did. One that cannot be brought stays as it was; "
               "the exit status is 3 then. A timer may call it once a day."),
        .rows = plain_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = refresh_run,
    },
    {
        .name = "list",
        .summary = N_("Show which lists there are"),
        .rows = plain_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = list_run,
    },
    {
        .name = "show",
        .summary = N_("Show the entries of a list"),
        .operands = N_("NAME"),
        .rows = show_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = show_run,
    },
    {
        .name = "drop",
        .summary = N_("Remove a list"),
        .operands = N_("NAME"),
        .rows = plain_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = drop_run,
    },
    {
        .name = "check",
        .summary = N_("Look for hosts, hashes or texts in the lists"),
        .operands = N_("VALUE…"),
        .details = N_("Exit status 1 when one of them is on a list."),
        .rows = plain_rows,
        .settings_size = sizeof(struct lists_settings),
        .run = check_run,
    },
    {},
};

const struct command lists_command = {
    .name = "lists",
    .summary = N_("Import, show and ask lists of known bad hosts, phrases and hashes"),
    .details = N_("A centre asks them of the pages that it watches and of each log entry that it "
                  "receives. Its processes read them when they start: canhgac centre rules-reload "
                  "has a changed list count for logs, systemctl restart canhgac-centre for web "
                  "pages too."),
    .verbs = lists_verbs,
};
