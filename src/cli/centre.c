/* canhgac centre: runs a centre, or asks the one that runs on this machine. Verbs go through the
 * supervisor's socket to core (CENTRE_MESSAGE_OPERATOR), the only writer of the store. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/listeners.h"
#include "centre/openapi.h"
#include "centre/settings.h"
#include "centre/supervisor.h"
#include "cli/centre_ask.h"
#include "cli/command.h"
#include "codec/cbor.h"
#include "codec/json.h"
#include "store/store.h"

#include <stddef.h>

#define CENTRE_LINE_LIMIT 4096
#define OPENAPI_MAX       (1U << 20)

/* Settings of every verb. */
struct centre_verb_settings {
    const char *folder;
    const char *note;
    int64_t life;
    bool is_bare;
    bool is_first;
    bool is_json;
};

#define VERB(member) offsetof(struct centre_verb_settings, member)
#define VERB_FOLDER                                                                                \
    {"folder",                                                                                     \
     0,                                                                                            \
     SETTING_PATH,                                                                                 \
     "/var/lib/canhgac/centre",                                                                    \
     NULL,                                                                                         \
     NULL,                                                                                         \
     VERB(folder),                                                                                 \
     N_("FOLDER"),                                                                                 \
     N_("folder of the centre that is asked")}

static const struct setting token_rows[] = {
    VERB_FOLDER,
    {"note", 0, SETTING_TEXT, NULL, NULL, NULL, VERB(note), N_("TEXT"),
     N_("what the token is for, shown in lists")},
    {"life", 0, SETTING_DURATION, NULL, NULL, "7d", VERB(life), N_("TIME"),
     N_("how long it is good; by default as the centre's token-life says")},
    {"bare", 0, SETTING_FLAG, NULL, NULL, NULL, VERB(is_bare), NULL,
     N_("print the token only, for scripts")},
    {},
};

static const struct setting hosts_rows[] = {
    VERB_FOLDER,
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, VERB(is_json), NULL,
     N_("print one JSON object a line")},
    {},
};

static const struct setting sender_rows[] = {
    VERB_FOLDER,
    {"bare", 0, SETTING_FLAG, NULL, NULL, NULL, VERB(is_bare), NULL,
     N_("print the token only, for scripts")},
    {},
};

static const struct setting revoke_rows[] = {VERB_FOLDER, {}};

static const struct setting password_rows[] = {
    VERB_FOLDER,
    {"first", 0, SETTING_FLAG, NULL, NULL, NULL, VERB(is_first), NULL,
     N_("only when there is no such user yet")},
    {"bare", 0, SETTING_FLAG, NULL, NULL, NULL, VERB(is_bare), NULL,
     N_("print the password only, for scripts")},
    {},
};

/* A question in the call's arena: 0, or the exit status of a failure that was told. */
static int centre_question(const struct command_call *call, const char *verb,
                           struct centre_question **ret_question)
{
    const struct centre_verb_settings *settings = call->settings;
    struct centre_question *question = arena_alloc(call->arena, 1, sizeof(*question));

    if (question == NULL) {
        return command_fail(EXIT_STATUS_FAILED, _("out of memory"));
    }
    question->folder = settings->folder;
    question->verb = verb;
    buf_init(&question->body, CENTRE_BODY_LIMIT);
    *ret_question = question;
    return 0;
}

static void centre_put_argument(struct centre_question *question, const char *text)
{
    cbor_put_map(&question->body, 1);
    cbor_put_u64(&question->body, 0);
    cbor_put_text(&question->body, str_from(text));
}

/* Asks, for good: 0, or the exit status of a failure that was told. */
static int centre_answer(struct centre_question *question)
{
    struct diag diag = {0};
    int r = centre_ask(question, &diag);

    buf_done(&question->body);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

/* The same with the one operand as argument. */
static int centre_answer_operand(const struct command_call *call, const char *verb,
                                 struct centre_question **ret_question)
{
    int r = centre_question(call, verb, ret_question);

    if (r != 0) {
        return r;
    }
    centre_put_argument(*ret_question, call->operands.items[0]);
    return centre_answer(*ret_question);
}

static int centre_fail_answer(void)
{
    return command_fail(EXIT_STATUS_FAILED, _("the centre's answer was not understood"));
}

static int centre_token_run(const struct command_call *call)
{
    const struct centre_verb_settings *settings = call->settings;
    struct centre_question *question;
    struct cbor_reader reader;
    char when[TIME_TEXT_SIZE];
    struct str token;
    int r = centre_question(call, "token.create", &question);

    if (r != 0) {
        return r;
    }
    cbor_put_map(&question->body, 2);
    cbor_put_u64(&question->body, 0);
    cbor_put_text(&question->body, str_from(settings->note));
    cbor_put_u64(&question->body, 1);
    cbor_put_i64(&question->body, settings->life);
    r = centre_answer(question);
    if (r != 0) {
        return r;
    }
    cbor_open(&reader, question->answer);
    (void)cbor_get_map(&reader);
    (void)cbor_get_u64(&reader);
    token = cbor_get_text(&reader);
    (void)cbor_get_u64(&reader);
    time_format_offset(cbor_get_i64(&reader), 7 * 3600, when);
    if (cbor_close(&reader) < 0) {
        return centre_fail_answer();
    }
    printf("%.*s\n", STR_ARG(token));
    if (!settings->is_bare) {
        printf(_("Good once, until %s. On the new host: canhgac agent enrol HOST[:PORT] %.*s\n"),
               when, STR_ARG(token));
    }
    return EXIT_STATUS_CLEAN;
}

static int centre_sender_run(const struct command_call *call)
{
    const struct centre_verb_settings *settings = call->settings;
    struct centre_question *question;
    struct cbor_reader reader;
    struct str token;
    int r;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'centre sender-token' wants one NAME"));
    }
    r = centre_answer_operand(call, "sender.create", &question);
    if (r != 0) {
        return r;
    }
    cbor_open(&reader, question->answer);
    (void)cbor_get_map(&reader);
    (void)cbor_get_u64(&reader);
    token = cbor_get_text(&reader);
    if (cbor_close(&reader) < 0) {
        return centre_fail_answer();
    }
    printf("%.*s\n", STR_ARG(token));
    if (!settings->is_bare) {
        printf(_("It is shown only now. Test it: curl -k -H 'Authorization: Bearer %.*s' -d "
                 "'{\"message\":\"hello\"}' https://CENTRE:PORT/api/v1/events\n"),
               STR_ARG(token));
    }
    return EXIT_STATUS_CLEAN;
}

/* One host of host.list. */
struct centre_host {
    struct id id;
    struct str name;
    bool is_connected;
    bool is_revoked;
    int64_t seen;
    uint64_t acknowledged;
    uint64_t dropped;
};

static int centre_read_host(struct cbor_reader *reader, struct centre_host *ret_host)
{
    struct centre_host host = {0};

    for (size_t pairs = cbor_get_map(reader); pairs != 0; pairs--) {
        uint64_t key = cbor_get_u64(reader);
        struct str id;

        switch (key) {
        case 0:
            id = cbor_get_text(reader);
            if (id.len == sizeof(host.id.bytes)) {
                memcpy(host.id.bytes, id.ptr, id.len);
            }
            break;
        case 1:
            host.name = cbor_get_text(reader);
            break;
        case 2:
            host.is_connected = cbor_get_bool(reader);
            break;
        case 3:
            host.is_revoked = cbor_get_bool(reader);
            break;
        case 4:
            host.seen = cbor_get_i64(reader);
            break;
        case 5:
            host.acknowledged = cbor_get_u64(reader);
            break;
        case 6:
            host.dropped = cbor_get_u64(reader);
            break;
        default:
            cbor_skip(reader);
        }
    }
    *ret_host = host;
    return reader->error;
}

static void centre_print_host(const struct centre_host *host, bool is_json)
{
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;
    char id[ID_TEXT_SIZE];
    char seen[TIME_TEXT_SIZE] = "-";

    id_format(&host->id, id);
    if (host->seen != 0) {
        time_format_offset(host->seen, 7 * 3600, seen);
    }
    if (!is_json) {
        printf("%-24.*s  %-12s  %-29s  %s\n", STR_ARG(host->name),
               host->is_revoked     ? _("revoked")
               : host->is_connected ? _("connected")
                                    : _("silent"),
               seen, id);
        return;
    }
    buf_init(&line, CENTRE_LINE_LIMIT);
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_str(&json, "id", str_from(id));
    json_add_str(&json, "name", host->name);
    json_add_bool(&json, "connected", host->is_connected);
    json_add_bool(&json, "revoked", host->is_revoked);
    json_add_str(&json, "seen", str_from(seen));
    json_add_u64(&json, "acknowledged", host->acknowledged);
    json_add_u64(&json, "dropped", host->dropped);
    json_close_object(&json);
    printf("%.*s\n", STR_ARG(buf_str(&line)));
}

/* Prints one page; the last host's name goes to last. 1 when there was any. */
static int centre_print_hosts(struct centre_question *question, bool is_json, char last[256])
{
    struct cbor_reader reader;
    size_t count;

    cbor_open(&reader, question->answer);
    count = cbor_get_array(&reader);
    for (size_t i = 0; i < count; i++) {
        struct centre_host host;

        if (centre_read_host(&reader, &host) < 0) {
            return -ERR_PROTO;
        }
        centre_print_host(&host, is_json);
        (void)snprintf(last, 256, "%.*s", STR_ARG(host.name));
    }
    return cbor_close(&reader) < 0 ? -ERR_PROTO : count != 0;
}

static int centre_hosts_run(const struct command_call *call)
{
    const struct centre_verb_settings *settings = call->settings;
    struct centre_question *question;
    char last[256] = "";
    struct diag diag = {0};
    int r = centre_question(call, "host.list", &question);

    if (r != 0) {
        return r;
    }
    do { /* page by page, each after the name that came last */
        buf_reset(&question->body);
        centre_put_argument(question, last);
        r = centre_ask(question, &diag);
        if (r == 0) {
            r = centre_print_hosts(question, settings->is_json, last);
        }
    } while (r == 1);
    buf_done(&question->body);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : EXIT_STATUS_CLEAN;
}

static int centre_revoke_run(const struct command_call *call)
{
    struct centre_question *question;
    int r;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'centre revoke' wants one HOST, by name or id"));
    }
    r = centre_answer_operand(call, "host.revoke", &question);
    if (r != 0) {
        return r;
    }
    printf(
        _("'%s' is revoked; its connection is cut, and it can come back only with a new token.\n"),
        call->operands.items[0]);
    return EXIT_STATUS_CLEAN;
}

/* 0, or the exit status when the store knows the user or could not be asked. */
static int centre_check_no_user(const struct command_call *call)
{
    const struct centre_verb_settings *settings = call->settings;
    const char *name = call->operands.items[0];
    const struct store_options options = {
        .folder = settings->folder, .is_read_only = true, .clock = &clock_real};
    CLEANUP(store_closep) struct store *store = NULL;
    struct store_user user;
    struct diag diag = {0};
    int r = store_open(&options, &store, &diag);

    if (r == 0) {
        r = store_user_get(store, str_from(name), call->arena, &user);
    }
    if (r == 0) {
        return command_fail(EXIT_STATUS_FAILED, _("there is a user '%s' already"), name);
    }
    return r == -ERR_NOENT ? 0 : command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
}

static int centre_password_run(const struct command_call *call)
{
    const struct centre_verb_settings *settings = call->settings;
    struct centre_question *question;
    struct cbor_reader reader;
    struct str password;
    int r;

    if (call->operands.count != 1) {
        return command_fail(EXIT_STATUS_USAGE, _("'centre password' wants one USER"));
    }
    r = settings->is_first ? centre_check_no_user(call) : 0;
    r = r != 0 ? r : centre_answer_operand(call, "user.password", &question);
    if (r != 0) {
        return r;
    }
    cbor_open(&reader, question->answer);
    (void)cbor_get_map(&reader);
    (void)cbor_get_text(&reader);
    (void)cbor_get_text(&reader);
    (void)cbor_get_text(&reader);
    password = cbor_get_text(&reader);
    if (cbor_close(&reader) < 0) {
        return centre_fail_answer();
    }
    if (settings->is_bare) {
        printf("%.*s\n", STR_ARG(password));
    } else {
        printf(_("%s / %.*s   good once: a new one is chosen at log-in\n"), call->operands.items[0],
               STR_ARG(password));
    }
    return EXIT_STATUS_CLEAN;
}

static int centre_reload_run(const struct command_call *call)
{
    struct centre_question *question;
    uint64_t values[5] = {0};
    struct cbor_reader reader;
    int r = centre_question(call, "rule.reload", &question);

    if (r != 0) {
        return r;
    }
    cbor_put_map(&question->body, 0);
    r = centre_answer(question);
    if (r != 0) {
        return r;
    }
    cbor_open(&reader, question->answer);
    for (size_t pairs = cbor_get_map(&reader); pairs != 0 && reader.error == 0; pairs--) {
        uint64_t key = cbor_get_u64(&reader);
        uint64_t value = cbor_get_u64(&reader);

        if (key < ARRAY_LEN(values)) {
            values[key] = value;
        }
    }
    if (cbor_close(&reader) < 0) {
        return centre_fail_answer();
    }
    printf(_("Rules are read anew: version %016llx, before %016llx%s; %llu rules, %llu "
             "correlations, %llu documents refused.\n"),
           (unsigned long long)values[1], (unsigned long long)values[0],
           values[0] == values[1] ? _(" (the same)") : "", (unsigned long long)values[2],
           (unsigned long long)values[3], (unsigned long long)values[4]);
    return values[4] == 0 ? EXIT_STATUS_CLEAN : EXIT_STATUS_FOUND;
}

static int centre_run(const struct command_call *call)
{
    struct centre_settings settings;
    struct diag diag = {0};
    int r = centre_settings_load(call->settings, call->arena, &settings, &diag);

    r = r < 0 ? r : listeners_check(&settings, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_USAGE, "%s", diag_text(&diag, r));
    }
    r = centre_supervise(&settings, &diag);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : EXIT_STATUS_CLEAN;
}

static int centre_openapi_run(const struct command_call *call)
{
    struct buf text;
    bool is_written;

    (void)call;
    buf_init(&text, OPENAPI_MAX);
    openapi_write(&text);
    is_written = buf_error(&text) == 0 && fwrite(text.ptr, 1, text.len, stdout) == text.len &&
                 fflush(stdout) == 0;
    buf_done(&text);
    return is_written ? EXIT_STATUS_CLEAN
                      : command_fail(EXIT_STATUS_FAILED, _("it could not be printed"));
}

static const struct command centre_verbs[] = {
    {.name = "token",
     .summary = N_("Make a one-time token for a new host"),
     .details = N_("The token is good once and for a short time. It carries a fingerprint of this "
                   "centre, so that "
                   "the new host knows that it has reached the right one."),
     .rows = token_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_token_run},
    {.name = "sender-token",
     .summary = N_("Make a token with which a log shipper may post logs"),
     .operands = N_("NAME"),
     .details = N_("For filebeat, fluent-bit, vector, NXLog, rsyslog and others that have no agent "
                   "of ours beside them: they post as to Elasticsearch or Splunk. The token is "
                   "good until it is revoked in the console's settings, and for nothing else."),
     .rows = sender_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_sender_run},
    {.name = "hosts",
     .summary = N_("List the hosts that are enrolled"),
     .rows = hosts_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_hosts_run},
    {.name = "revoke",
     .summary = N_("Shut a host out at once"),
     .operands = N_("HOST"),
     .rows = revoke_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_revoke_run},
    {.name = "password",
     .summary = N_("Give a user a new one-time password; the first call makes the first admin"),
     .operands = N_("USER"),
     .rows = password_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_password_run},
    {.name = "rules-reload",
     .summary = N_("Read the files of rules for logs anew"),
     .details = N_("And the lists of indicators that entries of logs are held against. No entry is "
                   "lost and no window of a correlation forgotten meanwhile. Exit "
                   "status: 0 all were taken, 1 some documents were refused; `canhgac rules check` "
                   "and the console name them."),
     .rows = revoke_rows,
     .settings_size = sizeof(struct centre_verb_settings),
     .run = centre_reload_run},
    {.name = "openapi",
     .summary = N_("Print the description of the API, OpenAPI 3.1"),
     .run = centre_openapi_run},
    {},
};

const struct command centre_command = {
    .name = "centre",
    .summary = N_("Run a centre, or ask the one on this machine"),
    .details = N_("Without a verb it runs the centre until SIGTERM. Agents and browsers connect to "
                  "the same port, "
                  "over TLS 1.3. Its certificate authority is made at the first start and lies in "
                  "keys/ of its "
                  "folder: keep a backup of that."),
    .rows = centre_rows,
    .settings_size = sizeof(struct centre_settings),
    .verbs = centre_verbs,
    .run = centre_run,
};
