/* The centre's settings: rows, and how file and command line meet. See centre/settings.h. */
#include "centre/settings.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/lists.h"
#include "sys/fd.h"
#include "sys/net.h"

#include <fcntl.h>
#include <stddef.h>

#define CENTRE_CONF_LIMIT (256U << 10)
#define ROW(member)       offsetof(struct centre_settings, member)

const struct setting centre_rows[] = {
    {"folder", 0, SETTING_PATH, "/var/lib/canhgac/centre", NULL, NULL, ROW(folder), N_("FOLDER"),
     N_("where the centre keeps everything; centre.conf in it holds more settings")},
    {"listen", 'l', SETTING_LIST, "8443", NULL, NULL, ROW(listen), N_("[ADDRESS:]PORT"),
     N_("where agents and browsers connect; repeat it for more")},
    {"syslog-udp", 0, SETTING_LIST, NULL, NULL, NULL, ROW(syslog_udp), N_("[ADDRESS:]PORT"),
     N_("where hosts without an agent send their logs by syslog over UDP; repeat it for more")},
    {"syslog-tcp", 0, SETTING_LIST, NULL, NULL, NULL, ROW(syslog_tcp), N_("[ADDRESS:]PORT"),
     N_("the same over TCP")},
    {"syslog-tls", 0, SETTING_LIST, NULL, NULL, NULL, ROW(syslog_tls), N_("[ADDRESS:]PORT"),
     N_("the same over TLS, with the centre's own certificate")},
    {"name", 0, SETTING_TEXT, "Canh Gác", NULL, NULL, ROW(name), N_("NAME"),
     N_("what this centre is called, as in 'Tỉnh Đồng Nai'")},
    {"names", 0, SETTING_LIST, NULL, NULL, NULL, ROW(names), N_("HOST"),
     N_("host name or address for the certificate, beside this machine's own")},
    {"language", 0, SETTING_CHOICE, "vi", NULL, "vi|en", ROW(language), N_("LANGUAGE"),
     N_("language of pages before somebody has logged in")},
    {"token-life", 0, SETTING_DURATION, "1h", "1m", "7d", ROW(token_life), N_("TIME"),
     N_("how long a token for enrolling a host is good")},
    {"events-kept", 0, SETTING_DURATION, "90d", "1d", "3650d", ROW(event_days), N_("TIME"),
     N_("how long events are kept; alerts and the audit log stay")},
    {"silent-after", 0, SETTING_DURATION, "3m", "1m", "7d", ROW(silent_after), N_("TIME"),
     N_("a host that says nothing for so long is reported")},
    {"source-silent-after", 0, SETTING_DURATION, "1h", "10m", "7d", ROW(source_silent), N_("TIME"),
     N_("a source of logs that says nothing for so long, and for longer than it is wont to, is "
        "reported")},
    {"log-ahead", 0, SETTING_DURATION, "1m", "1s", "1d", ROW(log_ahead), N_("TIME"),
     N_("how far the time that an entry of syslog gives may lie ahead of its arrival; what lies "
        "further is taken to be of its arrival")},
    {"log-behind", 0, SETTING_DURATION, "1d", "1m", "6d", ROW(log_behind), N_("TIME"),
     N_("the same, behind its arrival: as long as senders may hold entries back")},
    {"senders-kept", 0, SETTING_DURATION, "30d", "1d", "3650d", ROW(sender_keep), N_("TIME"),
     N_("a sender of logs that says nothing for so long gives its place up when another needs it; "
        "one that was heard only for a short time does sooner")},
    {"connections", 0, SETTING_NUMBER, "4096", "16", "65536", ROW(connections), N_("NUMBER"),
     N_("most connections at one time")},
    {"connections-each", 0, SETTING_NUMBER, "512", "4", "65536", ROW(connections_each),
     N_("NUMBER"), N_("most of them from one address")},
    {"new-each", 0, SETTING_NUMBER, "1200", "10", "1000000", ROW(new_each), N_("NUMBER"),
     N_("most new connections from one address within a minute")},
    {"front-user", 0, SETTING_TEXT, "canhgac-front", NULL, NULL, ROW(front_user), N_("USER"),
     N_("system account of the process that holds the TLS key")},
    {"core-user", 0, SETTING_TEXT, "canhgac-core", NULL, NULL, ROW(core_user), N_("USER"),
     N_("system account of the process that writes the data")},
    {"api-user", 0, SETTING_TEXT, "canhgac-api", NULL, NULL, ROW(api_user), N_("USER"),
     N_("system account of the process that serves the console")},
    {"fetch-user", 0, SETTING_TEXT, "canhgac-fetch", NULL, NULL, ROW(fetch_user), N_("USER"),
     N_("system account of the process that fetches web pages")},
    {"reader-user", 0, SETTING_TEXT, "canhgac-reader", NULL, NULL, ROW(reader_user), N_("USER"),
     N_("system account of the processes that read web pages")},
    {"render-user", 0, SETTING_TEXT, "canhgac-render", NULL, NULL, ROW(render_user), N_("USER"),
     N_("system account of the process that pictures web pages, and of its browser")},
    {"detector-user", 0, SETTING_TEXT, "canhgac-detector", NULL, NULL, ROW(detector_user),
     N_("USER"), N_("system account of the process that judges entries of logs by the rules")},
    {"receiver-user", 0, SETTING_TEXT, "canhgac-receiver", NULL, NULL, ROW(receiver_user),
     N_("USER"), N_("system account of the process that takes logs from hosts without an agent")},
    {"name-servers", 0, SETTING_TEXT, NULL, NULL, NULL, ROW(name_servers), N_("ADDRESS"),
     N_("name servers that the website watch asks instead of the system's, parted by commas: "
        "what they say of a site is compared, so name two or three of different providers"),
     net_check_servers},
    {"web-authorities", 0, SETTING_PATH, NULL, NULL, NULL, ROW(web_authorities), N_("FILE"),
     N_("certificate authorities (PEM) that the website watch trusts beside the system's")},
    {"sites", 0, SETTING_PATH, NULL, NULL, NULL, ROW(sites), N_("FILE"),
     N_("list of websites to watch, CSV with the columns name, url, unit, service, permission; "
        "read at each start, which adds those that are new and changes none")},
    {"lists", 0, SETTING_PATH, LISTS_FOLDER, NULL, NULL, ROW(lists), N_("DIR"),
     N_("folder of the lists of bad hosts, as 'canhgac lists' keeps them; read again whenever "
        "a process that reads web pages or judges logs starts")},
    {"rules", 0, SETTING_PATH_LIST, NULL, NULL, NULL, ROW(rules), N_("DIR"),
     N_("folder of Sigma rules beside those built in, with all below it; repeat it for more")},
    {"pipelines", 0, SETTING_PATH_LIST, NULL, NULL, NULL, ROW(pipelines), N_("DIR"),
     N_("Sigma pipeline, or folder of them, that is applied to all rules behind those built in; "
        "repeat it for more")},
    {"keep-user", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_user_kept), NULL,
     N_("do not change to those accounts: to try a centre out")},
    {},
};

/* What is not named here cannot be changed in the console. */
static const struct {
    const char *name;
    enum centre_effect effect;
    const char *why;
} centre_effects[] = {
    {"folder", CENTRE_EFFECT_FIXED, N_("everything would have to be moved there first")},
    {"listen", CENTRE_EFFECT_FIXED,
     N_("a wrong address would lock out everybody, this console included")},
    {"syslog-udp", CENTRE_EFFECT_FIXED,
     N_("whoever may reach it can send logs under any name: only root may open it")},
    {"syslog-tcp", CENTRE_EFFECT_FIXED,
     N_("whoever may reach it can send logs under any name: only root may open it")},
    {"syslog-tls", CENTRE_EFFECT_FIXED,
     N_("whoever may reach it can send logs under any name: only root may open it")},
    {"name", CENTRE_EFFECT_NOW, NULL},
    {"names", CENTRE_EFFECT_FIXED,
     N_("the server's certificate is made from it, and its key is out of the console's reach")},
    {"language", CENTRE_EFFECT_NOW, NULL},
    {"token-life", CENTRE_EFFECT_NOW, NULL},
    {"events-kept", CENTRE_EFFECT_NOW,
     N_("events older than that are deleted within the hour and do not come back")},
    {"silent-after", CENTRE_EFFECT_NOW, NULL},
    {"source-silent-after", CENTRE_EFFECT_NOW,
     N_("each source's own habits count beside it: a shorter time finds only busy ones sooner")},
    {"log-ahead", CENTRE_EFFECT_NOW, NULL},
    {"log-behind", CENTRE_EFFECT_NOW, NULL},
    {"senders-kept", CENTRE_EFFECT_NOW, NULL},
    {"connections", CENTRE_EFFECT_START, NULL},
    {"connections-each", CENTRE_EFFECT_START,
     N_("many hosts behind one router count as one address")},
    {"new-each", CENTRE_EFFECT_START, N_("many hosts behind one router count as one address")},
    {"front-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"core-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"api-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"fetch-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"reader-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"render-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"detector-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"receiver-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
    {"name-servers", CENTRE_EFFECT_FIXED,
     N_("whoever answers for names decides what is watched: only root may say that")},
    {"web-authorities", CENTRE_EFFECT_FIXED,
     N_("whoever is trusted there can stand in for any website: only root may say that")},
    {"sites", CENTRE_EFFECT_FIXED,
     N_("the file is read with root's rights: only root may name it; sites can be added here by "
        "hand and out of a spreadsheet")},
    {"lists", CENTRE_EFFECT_FIXED,
     N_("whoever names the lists decides which links are an attack: only root may say that")},
    {"rules", CENTRE_EFFECT_FIXED,
     N_("whoever names the rules decides what an alert is: only root may say that")},
    {"pipelines", CENTRE_EFFECT_FIXED,
     N_("whoever names the rules decides what an alert is: only root may say that")},
    {"keep-user", CENTRE_EFFECT_FIXED,
     N_("it decides what the centre's own processes may do: only root may say that")},
};

static const char *const centre_source_names[] = {[CENTRE_SOURCE_DEFAULT] = "default",
                                                  [CENTRE_SOURCE_FILE] = "file",
                                                  [CENTRE_SOURCE_CONSOLE] = "console",
                                                  [CENTRE_SOURCE_COMMAND] = "command-line"};
static const char *const centre_effect_names[] = {
    [CENTRE_EFFECT_FIXED] = "fixed", [CENTRE_EFFECT_NOW] = "now", [CENTRE_EFFECT_START] = "start"};

const char *centre_source_name(enum centre_source source)
{
    return centre_source_names[source];
}

const char *centre_effect_name(enum centre_effect effect)
{
    return centre_effect_names[effect];
}

enum centre_effect centre_effect_of(const struct setting *row)
{
    for (size_t i = 0; i < ARRAY_LEN(centre_effects); i++) {
        if (str_is_text(str_from(row->name), centre_effects[i].name)) {
            return centre_effects[i].effect;
        }
    }
    return CENTRE_EFFECT_FIXED;
}

const char *centre_effect_why(const struct setting *row)
{
    for (size_t i = 0; i < ARRAY_LEN(centre_effects); i++) {
        if (str_is_text(str_from(row->name), centre_effects[i].name)) {
            return centre_effects[i].why;
        }
    }
    return NULL;
}

enum centre_source centre_source_of(const struct centre_settings *settings,
                                    const struct setting *row)
{
    size_t at = (size_t)(row - centre_rows);

    return at < CENTRE_SETTINGS_MAX ? (enum centre_source)settings->sources[at]
                                    : CENTRE_SOURCE_COMMAND;
}

static const void *centre_field(const struct centre_settings *settings, const struct setting *row)
{
    return (const char *)settings + row->offset;
}

static bool centre_is_same_text(const char *a, const char *b)
{
    return str_is(str_from(a), str_from(b));
}

static bool centre_is_same_list(const struct setting_list *a, const struct setting_list *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!centre_is_same_text(a->items[i], b->items[i])) {
            return false;
        }
    }
    return true;
}

static size_t centre_field_size(const struct setting *row)
{
    switch (row->type) {
    case SETTING_FLAG:
        return sizeof(bool);
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        return sizeof(int64_t);
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        return sizeof(const char *);
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        break;
    }
    return sizeof(struct setting_list);
}

static bool centre_is_same(const struct centre_settings *a, const struct centre_settings *b,
                           const struct setting *row)
{
    switch (row->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        return centre_is_same_text(*(const char *const *)centre_field(a, row),
                                   *(const char *const *)centre_field(b, row));
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        return centre_is_same_list(centre_field(a, row), centre_field(b, row));
    case SETTING_FLAG:
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        break;
    }
    return memcmp(centre_field(a, row), centre_field(b, row), centre_field_size(row)) == 0;
}

const char *centre_path(const struct centre_settings *settings, struct arena *arena,
                        const char *name)
{
    return arena_printf(arena, "%s/%s", settings->folder, name).ptr;
}

int centre_settings_load(const struct centre_settings *given, struct arena *arena,
                         struct centre_settings *ret_settings, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    struct centre_settings *fallback = arena_alloc(arena, 1, sizeof(*fallback));
    struct centre_settings *loaded = arena_alloc(arena, 1, sizeof(*loaded));
    const char *path = centre_path(given, arena, CENTRE_CONF);
    int r;

    buf_init(&text, CENTRE_CONF_LIMIT);
    if (fallback == NULL || loaded == NULL || path == NULL) {
        return -ERR_NOMEM;
    }
    r = settings_default(centre_rows, fallback, arena);
    if (r == 0) {
        r = settings_default(centre_rows, loaded, arena);
    }
    if (r < 0) {
        return r;
    }
    r = file_read_all(AT_FDCWD, path, &text);
    if (r < 0 && r != -ERR_NOENT) {
        return diag_set(diag, r, _("cannot read %s: %s"), path, err_text(r));
    }
    if (r == 0) {
        r = settings_parse(centre_rows, loaded, path, buf_str(&text), arena, diag);
        if (r < 0) {
            return r;
        }
    }
    for (size_t i = 0; centre_rows[i].name != NULL; i++) {
        const struct setting *row = &centre_rows[i];
        bool is_in_file = !centre_is_same(loaded, fallback, row);

        loaded->sources[i] = is_in_file ? CENTRE_SOURCE_FILE : CENTRE_SOURCE_DEFAULT;
        if (!centre_is_same(given, fallback, row)) {
            memcpy((char *)loaded + row->offset, centre_field(given, row), centre_field_size(row));
            loaded->sources[i] = CENTRE_SOURCE_COMMAND;
        }
    }
    loaded->folder = given->folder; /* a file cannot move the folder it lies in */
    *ret_settings = *loaded;
    return 0;
}
