/* What each request may carry. centre/routes.def and centre/requests.def name these tables. */
#include "centre/argument.h"

#include "base/banned.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/password.h"
#include "centre/searcher.h"
#include "centre/sender_token.h"
#include "model/site.h"
#include "model/terms.h"

#define NAME_MAX_BYTES   64
#define REASON_MAX_BYTES 2000
#define VALUE_MAX_BYTES  1000
#define RULE_MAX_BYTES   (48 << 10)
#define ID_MAX_BYTES     200
#define CSV_MAX_BYTES    (48 << 10)
#define SERVICES         "portal|one-stop|mail|document|other"

/* Text in a body: the shape that most rows have. */
#define BODY_TEXT(name_, required, least, most, says)                                              \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_BODY,                                                                 \
     .type = ARGUMENT_TYPE_TEXT,                                                                   \
     .is_required = (required),                                                                    \
     .minimum = (least),                                                                           \
     .maximum = (most),                                                                            \
     .summary = (says)}
#define BODY_SECRET(name_, required, least, most, says)                                            \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_BODY,                                                                 \
     .type = ARGUMENT_TYPE_SECRET,                                                                 \
     .is_required = (required),                                                                    \
     .minimum = (least),                                                                           \
     .maximum = (most),                                                                            \
     .summary = (says)}
#define BODY_CHOICE(name_, required, words, says)                                                  \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_BODY,                                                                 \
     .type = ARGUMENT_TYPE_CHOICE,                                                                 \
     .is_required = (required),                                                                    \
     .choices = (words),                                                                           \
     .summary = (says)}
#define BODY_BOOL(name_, says)                                                                     \
    {.name = (name_), .place = ARGUMENT_PLACE_BODY, .type = ARGUMENT_TYPE_BOOL, .summary = (says)}
#define PATH_NUMBER(says)                                                                          \
    {.name = "number",                                                                             \
     .place = ARGUMENT_PLACE_PATH,                                                                 \
     .type = ARGUMENT_TYPE_NUMBER,                                                                 \
     .is_required = true,                                                                          \
     .minimum = 1,                                                                                 \
     .maximum = INT64_MAX,                                                                         \
     .summary = (says)}
#define PATH_NAMED(name_, says)                                                                    \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_PATH,                                                                 \
     .type = ARGUMENT_TYPE_NUMBER,                                                                 \
     .is_required = true,                                                                          \
     .minimum = 1,                                                                                 \
     .maximum = INT64_MAX,                                                                         \
     .summary = (says)}
#define BODY_NUMBER(name_, least, most, says)                                                      \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_BODY,                                                                 \
     .type = ARGUMENT_TYPE_NUMBER,                                                                 \
     .minimum = (least),                                                                           \
     .maximum = (most),                                                                            \
     .summary = (says)}
#define PATH_HOST                                                                                  \
    {.name = "id",                                                                                 \
     .place = ARGUMENT_PLACE_PATH,                                                                 \
     .type = ARGUMENT_TYPE_ID,                                                                     \
     .is_required = true,                                                                          \
     .summary = N_("the host's id")}
#define QUERY_CHOICE(name_, words, says)                                                           \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_QUERY,                                                                \
     .type = ARGUMENT_TYPE_CHOICE,                                                                 \
     .choices = (words),                                                                           \
     .summary = (says)}
#define QUERY_LIMIT                                                                                \
    {.name = "limit",                                                                              \
     .place = ARGUMENT_PLACE_QUERY,                                                                \
     .type = ARGUMENT_TYPE_NUMBER,                                                                 \
     .minimum = 1,                                                                                 \
     .maximum = 200,                                                                               \
     .summary = N_("most rows of one answer; 50 when left out")}
#define QUERY_NUMBER(name_, says)                                                                  \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_QUERY,                                                                \
     .type = ARGUMENT_TYPE_NUMBER,                                                                 \
     .minimum = 0,                                                                                 \
     .maximum = INT64_MAX,                                                                         \
     .summary = (says)}
#define QUERY_TEXT(name_, most, says)                                                              \
    {.name = (name_),                                                                              \
     .place = ARGUMENT_PLACE_QUERY,                                                                \
     .type = ARGUMENT_TYPE_TEXT,                                                                   \
     .maximum = (most),                                                                            \
     .summary = (says)}

const struct argument arguments_login[] = {
    BODY_TEXT("user", true, 1, NAME_MAX_BYTES, N_("user name")),
    BODY_SECRET("password", true, 1, PASSWORD_MAX_BYTES, N_("password")),
    BODY_SECRET("code", false, 6, 6, N_("six digits of the authenticator, when the user has one")),
    {},
};

const struct argument arguments_password[] = {
    BODY_SECRET("old", true, 1, PASSWORD_MAX_BYTES, N_("the password until now")),
    BODY_SECRET("new", true, PASSWORD_MIN_BYTES, PASSWORD_MAX_BYTES,
                N_("the password from now on")),
    {},
};

const struct argument arguments_totp_put[] = {
    BODY_SECRET("secret", true, 32, 32,
                N_("the authenticator's secret in base32, as the answer before gave it")),
    BODY_SECRET("code", true, 6, 6, N_("six digits that prove the authenticator works")),
    BODY_SECRET("password", true, 1, PASSWORD_MAX_BYTES, N_("password")),
    {},
};

const struct argument arguments_totp_drop[] = {
    BODY_SECRET("password", true, 1, PASSWORD_MAX_BYTES, N_("password")),
    {},
};

const struct argument arguments_profile[] = {
    BODY_CHOICE("language", true, "vi|en", N_("language of the answers")),
    {},
};

const struct argument arguments_alert_list[] = {
    QUERY_CHOICE("state", "open|new|taken|closed|all",
                 N_("state of the alerts; open when left out")),
    QUERY_CHOICE("severity", "info|low|medium|high|critical", N_("least severity")),
    QUERY_CHOICE("drill", "yes|no|all",
                 N_("drill data: only, without, both; without when left out")),
    {.name = "host",
     .place = ARGUMENT_PLACE_QUERY,
     .type = ARGUMENT_TYPE_ID,
     .summary = N_("only of this host")},
    QUERY_NUMBER("site", N_("only of this watched site")),
    QUERY_TEXT("q", 200, N_("words that title or host must hold, with or without diacritics")),
    QUERY_NUMBER("cursor", N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_alert[] = {
    PATH_NUMBER(N_("the alert's number")),
    {},
};

const struct argument arguments_alert_close[] = {
    PATH_NUMBER(N_("the alert's number")),
    BODY_CHOICE("verdict", true, "true|false-alarm|test", N_("what it was in truth")),
    BODY_TEXT("reason", false, 0, REASON_MAX_BYTES, N_("in the person's own words")),
    {},
};

const struct argument arguments_alert_action[] = {
    PATH_NUMBER(N_("the alert's number")),
    BODY_CHOICE("action", true, "resume|kill|restore|undo-restore", N_("what the agent shall do")),
    {.name = "finding",
     .place = ARGUMENT_PLACE_BODY,
     .type = ARGUMENT_TYPE_ID,
     .summary = N_("which finding of the alert; the last when left out")},
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_alert_call_off[] = {
    PATH_NUMBER(N_("the alert's number")),
    {.name = "id",
     .place = ARGUMENT_PLACE_PATH,
     .type = ARGUMENT_TYPE_ID,
     .is_required = true,
     .summary = N_("the action's id")},
    {},
};

const struct argument arguments_host_list[] = {
    QUERY_TEXT("cursor", 255, N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_host[] = {
    PATH_HOST,
    {},
};

const struct argument arguments_host_revoke[] = {
    PATH_HOST,
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_source_list[] = {
    QUERY_CHOICE("state", "silent|speaking|muted", N_("only in this state")),
    QUERY_TEXT("q", 200, N_("words that name or host must hold, with or without diacritics")),
    QUERY_TEXT("cursor", 60, N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_source[] = {
    PATH_NUMBER(N_("the source's number")),
    {},
};

const struct argument arguments_source_mute[] = {
    PATH_NUMBER(N_("the source's number")),
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_site_list[] = {
    QUERY_TEXT("unit", SITE_NAME_MAX, N_("only of this unit")),
    QUERY_CHOICE("service", SERVICES, N_("only of this service")),
    QUERY_CHOICE("verdict", "unknown|ok|changed|yellow|red|grave",
                 N_("only in this state; grave: red, yellow, and those that cannot be reached")),
    QUERY_TEXT("q", 200,
               N_("words that name, address or unit must hold, with or without "
                  "diacritics")),
    QUERY_NUMBER("cursor", N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_site[] = {
    PATH_NUMBER(N_("the site's number")),
    {},
};

/* What a site is made of, in a new one and in a change. */
#define SITE_ROWS(required)                                                                        \
    BODY_TEXT("name", required, 1, SITE_NAME_MAX, N_("the site's name")),                          \
        BODY_TEXT("url", required, 8, SITE_URL_MAX - 1, N_("address of its first page")),          \
        BODY_TEXT("unit", required, 1, SITE_NAME_MAX, N_("the unit that owns it")),                \
        BODY_CHOICE("service", required, SERVICES, N_("what the site is for")),                    \
        BODY_TEXT("permission", required, 1, REASON_MAX_BYTES,                                     \
                  N_("the paper that permits the watch: number, date, who signed")),               \
        BODY_TEXT(                                                                                 \
            "views", false, 0, 60,                                                                 \
            N_("as whom it is fetched, parted by spaces: desktop crawler search mobile; all "      \
               "when left out")),                                                                  \
        BODY_NUMBER("interval", 0, 86400,                                                          \
                    N_("seconds between two requests; 0 or left out: as usual"))

const struct argument arguments_site_make[] = {
    SITE_ROWS(true),
    {},
};

const struct argument arguments_site_change[] = {
    PATH_NUMBER(N_("the site's number")),
    SITE_ROWS(false),
    BODY_BOOL("paused", N_("whether the watch over it rests")),
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_site_drop[] = {
    PATH_NUMBER(N_("the site's number")),
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_site_import[] = {
    BODY_TEXT("csv", true, 1, CSV_MAX_BYTES,
              N_("a list with the columns name, url, unit, and if there are, service, permission")),
    BODY_TEXT("permission", false, 0, REASON_MAX_BYTES,
              N_("the paper that permits the watch over those that name none themselves")),
    BODY_NUMBER("line", 2, UINT32_MAX,
                N_("which line of a longer list the second one here is, for what is told by line")),
    {},
};

const struct argument arguments_window_open[] = {
    PATH_NUMBER(N_("the site's number")),
    BODY_TEXT("begins", false, 0, 40, N_("when it begins (RFC 3339); now when left out")),
    {.name = "minutes",
     .place = ARGUMENT_PLACE_BODY,
     .type = ARGUMENT_TYPE_NUMBER,
     .is_required = true,
     .minimum = 1,
     .maximum = 20160,
     .summary = N_("how long it lasts")},
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("what is done to the site")),
    {},
};

const struct argument arguments_window_close[] = {
    PATH_NUMBER(N_("the site's number")),
    PATH_NAMED("window", N_("the window's number")),
    {},
};

const struct argument arguments_change_list[] = {
    PATH_NUMBER(N_("the site's number")),
    QUERY_NUMBER("cursor", N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_change[] = {
    PATH_NUMBER(N_("the site's number")),
    PATH_NAMED("change", N_("the change's number")),
    {},
};

const struct argument arguments_change_decide[] = {
    PATH_NUMBER(N_("the site's number")),
    PATH_NAMED("change", N_("the change's number")),
    BODY_TEXT("reason", false, 0, REASON_MAX_BYTES, N_("in the person's own words")),
    {},
};

const struct argument arguments_picture[] = {
    PATH_NUMBER(N_("the site's number")),
    PATH_NAMED("picture", N_("the picture's number")),
    {},
};

const struct argument arguments_bulk[] = {
    {.name = "index",
     .place = ARGUMENT_PLACE_PATH,
     .type = ARGUMENT_TYPE_TEXT,
     .is_required = true,
     .minimum = 1,
     .maximum = 255,
     .summary = N_("any; it is only said again in the answer")},
    {},
};

const struct argument arguments_sender_make[] = {
    BODY_TEXT("name", true, 1, SENDER_NAME_MAX,
              N_("which machine or shipper it is for: letters without diacritics, digits, dots, "
                 "dashes, underscores")),
    {},
};

const struct argument arguments_sender_revoke[] = {
    PATH_NUMBER(N_("the token's number")),
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_sender[] = {
    PATH_NUMBER(N_("the token's number")),
    {},
};

const struct argument arguments_sender_touch[] = {
    BODY_SECRET("token", true, 1, SENDER_TOKEN_SIZE, N_("a sender's token")),
    {},
};

const struct argument arguments_rule_list[] = {
    QUERY_TEXT("q", 200, N_("words of its title, or its id")),
    QUERY_CHOICE("show", "all|hit|off|own|file|built-in",
                 N_("only rules that hit within seven days, are switched off, or are from there")),
    QUERY_CHOICE("level", "informational|low|medium|high|critical", N_("of this level")),
    QUERY_NUMBER("cursor", N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

const struct argument arguments_rule_put[] = {
    BODY_TEXT("text", true, 1, RULE_MAX_BYTES, N_("Sigma rule or correlation, YAML")),
    BODY_TEXT("id", false, 0, ID_MAX_BYTES, N_("id of the rule it replaces")),
    BODY_TEXT("reason", true, 3, REASON_MAX_BYTES, N_("why")),
    {},
};

#define PATH_RULE                                                                                  \
    {.name = "id",                                                                                 \
     .place = ARGUMENT_PLACE_PATH,                                                                 \
     .type = ARGUMENT_TYPE_TEXT,                                                                   \
     .is_required = true,                                                                          \
     .minimum = 1,                                                                                 \
     .maximum = ID_MAX_BYTES,                                                                      \
     .summary = N_("id of the rule or filter")}

const struct argument arguments_document[] = {PATH_RULE, {}};

const struct argument arguments_rule_switch[] = {
    PATH_RULE,
    BODY_TEXT("reason", true, 3, REASON_MAX_BYTES, N_("why")),
    {},
};

const struct argument arguments_filter_put[] = {
    PATH_NUMBER(N_("the alert's number")),
    BODY_TEXT("field", true, 1, 200,
              N_("a field that the alert tells of, or canhgac.host for its host")),
    BODY_TEXT("value", false, 0, VALUE_MAX_BYTES, N_("its value, as the alert tells it")),
    BODY_TEXT("reason", true, 3, REASON_MAX_BYTES, N_("why")),
    BODY_NUMBER("days", 0, 3650, N_("after so many days it ends; 0 or left out: it does not")),
    {},
};

const struct argument arguments_token_make[] = {
    BODY_TEXT("note", false, 0, 200, N_("what the token is for")),
    {.name = "hours",
     .place = ARGUMENT_PLACE_BODY,
     .type = ARGUMENT_TYPE_NUMBER,
     .minimum = 1,
     .maximum = 168,
     .summary = N_("how long it can be used; 1 when left out")},
    {},
};

const struct argument arguments_user_make[] = {
    BODY_TEXT("name", true, 1, NAME_MAX_BYTES, N_("user name: a-z, 0-9, dot, dash, underscore")),
    BODY_TEXT("full_name", false, 0, 200, N_("the person's name")),
    BODY_CHOICE("role", true, "viewer|duty|admin", N_("what the person may do")),
    BODY_CHOICE("language", false, "vi|en", N_("language of the answers")),
    {},
};

const struct argument arguments_user_change[] = {
    {.name = "name",
     .place = ARGUMENT_PLACE_PATH,
     .type = ARGUMENT_TYPE_TEXT,
     .is_required = true,
     .minimum = 1,
     .maximum = NAME_MAX_BYTES,
     .summary = N_("user name")},
    BODY_TEXT("full_name", false, 0, 200, N_("the person's name")),
    BODY_CHOICE("role", false, "viewer|duty|admin", N_("what the person may do")),
    BODY_CHOICE("language", false, "vi|en", N_("language of the answers")),
    BODY_BOOL("disabled", N_("whether the person is locked out")),
    BODY_BOOL("reset_password", N_("true: make a new one-time password and end all sessions")),
    BODY_BOOL("reset_totp", N_("true: forget the authenticator")),
    BODY_TEXT("reason", false, 0, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_setting_change[] = {
    {.name = "name",
     .place = ARGUMENT_PLACE_PATH,
     .type = ARGUMENT_TYPE_TEXT,
     .is_required = true,
     .minimum = 1,
     .maximum = NAME_MAX_BYTES,
     .summary = N_("the setting's name")},
    BODY_TEXT("value", false, 0, VALUE_MAX_BYTES,
              N_("as the settings file would say it; left out: what the file or the default says")),
    {.name = "seen",
     .place = ARGUMENT_PLACE_BODY,
     .type = ARGUMENT_TYPE_NUMBER,
     .is_required = true,
     .minimum = 0,
     .maximum = INT64_MAX,
     .summary = N_("the number of the change that was seen last; 0: none")},
    BODY_TEXT("reason", true, 1, REASON_MAX_BYTES, N_("why; kept in the audit log")),
    {},
};

const struct argument arguments_audit_list[] = {
    QUERY_NUMBER("cursor", N_("where to go on: next of the answer before")),
    QUERY_LIMIT,
    {},
};

#define BODY_SEARCH                                                                                \
    BODY_TEXT("from", false, 0, TIME_TEXT_SIZE, N_("earliest time, RFC 3339")),                    \
        BODY_TEXT("to", false, 0, TIME_TEXT_SIZE, N_("latest time, RFC 3339")),                    \
        BODY_TEXT("cursor", false, 0, FIND_CURSOR_SIZE - 1,                                        \
                  N_("where to go on: next of the answer before")),                                \
        BODY_NUMBER("limit", 0, SEARCHER_EVENTS_MAX,                                               \
                    N_("most events of one answer; 100 when left out")),                           \
        BODY_NUMBER("step", 0, 86400 * 31,                                                         \
                    N_("count all, by steps of so many seconds; 0: end with the limit"))

const struct argument arguments_event_search[] = {
    BODY_TEXT("q", false, 0, TERMS_TEXT_MAX,
              N_("words that an event must hold, \"phrases\", field:value, field:>number, "
                 "field:203.0.113.0/24, -word, a OR b, parentheses")),
    BODY_SEARCH,
    {},
};

const struct argument arguments_rule_try[] = {
    BODY_TEXT("rule", true, 1, SIFTER_RULE_MAX, N_("the rule, as Sigma's YAML")),
    BODY_SEARCH,
    {},
};

const struct argument arguments_stream[] = {
    QUERY_NUMBER("after", N_("the last cursor that was seen; Last-Event-ID says the same")),
    {},
};
