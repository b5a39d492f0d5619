/* What answers look like. Neighbours: the handlers in api/ write them, openapi.c prints them. Pure.
 */
#include "centre/schema.h"

#include "base/banned.h"

#define SEVERITIES   "info|low|medium|high|critical"
#define ALERT_STATES "new|taken|closed"
#define ROLES        "viewer|duty|admin"
#define LANGUAGES    "vi|en"
#define SERVICES     "portal|one-stop|mail|document|other"
#define VERDICTS     "unknown|ok|changed|yellow|red"

#define ALERT_MEMBERS                                                                              \
    {"number", SCHEMA_TYPE_NUMBER}, {"title", SCHEMA_TYPE_TEXT}, {"topic", SCHEMA_TYPE_TEXT},      \
        {"severity", SCHEMA_TYPE_TEXT, NULL, SEVERITIES},                                          \
        {"state", SCHEMA_TYPE_TEXT, NULL, ALERT_STATES}, {"drill", SCHEMA_TYPE_BOOL},              \
        {"finding", SCHEMA_TYPE_ID}, {"host", SCHEMA_TYPE_ID}, {"host_name", SCHEMA_TYPE_TEXT},    \
        {"detector", SCHEMA_TYPE_TEXT}, {"first", SCHEMA_TYPE_TIME}, {"last", SCHEMA_TYPE_TIME},   \
        {"count", SCHEMA_TYPE_NUMBER}, {"taken_by", SCHEMA_TYPE_TEXT},                             \
        {"close_reason", SCHEMA_TYPE_TEXT}, {"action", SCHEMA_TYPE_TEXT},                          \
        {"files_total", SCHEMA_TYPE_NUMBER}, {"files_restored", SCHEMA_TYPE_NUMBER},               \
        {"site", SCHEMA_TYPE_NUMBER}, {"subject", SCHEMA_TYPE_TEXT},                               \
        {"change", SCHEMA_TYPE_NUMBER},                                                            \
    {                                                                                              \
        "changed", SCHEMA_TYPE_NUMBER                                                              \
    }

#define RULE_CHANGE_MEMBERS                                                                        \
    {"changed", SCHEMA_TYPE_TIME}, {"changed_by", SCHEMA_TYPE_TEXT},                               \
    {                                                                                              \
        "reason", SCHEMA_TYPE_TEXT                                                                 \
    }

static const struct schema_member members_rule[] = {
    {"id", SCHEMA_TYPE_TEXT},
    {"title", SCHEMA_TYPE_TEXT},
    {"level", SCHEMA_TYPE_TEXT, NULL, "informational|low|medium|high|critical"},
    {"source", SCHEMA_TYPE_TEXT, NULL, "built-in|file|own"},
    {"file", SCHEMA_TYPE_TEXT},
    {"line", SCHEMA_TYPE_NUMBER},
    {"correlation", SCHEMA_TYPE_BOOL},
    {"silent", SCHEMA_TYPE_BOOL},
    {"off", SCHEMA_TYPE_BOOL},
    {"hits_today", SCHEMA_TYPE_NUMBER},
    {"hits", SCHEMA_TYPE_NUMBER},
    {"told", SCHEMA_TYPE_NUMBER},
    {"kept_back", SCHEMA_TYPE_NUMBER},
    RULE_CHANGE_MEMBERS,
    {}};
static const struct schema_member members_rule_refusal[] = {{"file", SCHEMA_TYPE_TEXT},
                                                            {"line", SCHEMA_TYPE_NUMBER},
                                                            {"title", SCHEMA_TYPE_TEXT},
                                                            {"reason", SCHEMA_TYPE_TEXT},
                                                            {"remedy", SCHEMA_TYPE_TEXT},
                                                            {"warning", SCHEMA_TYPE_BOOL},
                                                            {}};
static const struct schema_member members_rule_list[] = {
    {"version", SCHEMA_TYPE_TEXT},
    {"rules", SCHEMA_TYPE_NUMBER},
    {"correlations", SCHEMA_TYPE_NUMBER},
    {"refused", SCHEMA_TYPE_NUMBER},
    {"refusals", SCHEMA_TYPE_LIST, "RuleRefusal"},
    {"found", SCHEMA_TYPE_NUMBER},
    {"items", SCHEMA_TYPE_LIST, "Rule"},
    {"next", SCHEMA_TYPE_CURSOR},
    {}};
static const struct schema_member members_rule_words[] = {
    {"id", SCHEMA_TYPE_TEXT},          {"title", SCHEMA_TYPE_TEXT},
    {"description", SCHEMA_TYPE_TEXT}, {"false_positives", SCHEMA_TYPE_LIST},
    {"tags", SCHEMA_TYPE_LIST},        {}};
static const struct schema_member members_rule_made[] = {
    {"id", SCHEMA_TYPE_TEXT}, {"title", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_rule_noise[] = {
    {"id", SCHEMA_TYPE_TEXT}, {"title", SCHEMA_TYPE_TEXT}, {"count", SCHEMA_TYPE_NUMBER}, {}};
static const struct schema_member members_rule_report[] = {
    {"told", SCHEMA_TYPE_LIST, "RuleNoise"},
    {"kept_back", SCHEMA_TYPE_LIST, "RuleNoise"},
    {"false_alarms", SCHEMA_TYPE_LIST, "RuleNoise"},
    {}};
static const struct schema_member members_rule_document[] = {
    {"id", SCHEMA_TYPE_TEXT}, {"title", SCHEMA_TYPE_TEXT}, {"text", SCHEMA_TYPE_TEXT},
    {"on", SCHEMA_TYPE_BOOL}, RULE_CHANGE_MEMBERS,         {}};
static const struct schema_member members_filter[] = {
    {"id", SCHEMA_TYPE_TEXT},          {"title", SCHEMA_TYPE_TEXT},   {"rule", SCHEMA_TYPE_TEXT},
    {"on", SCHEMA_TYPE_BOOL},          {"dropped", SCHEMA_TYPE_BOOL}, {"until", SCHEMA_TYPE_TIME},
    {"kept_back", SCHEMA_TYPE_NUMBER}, RULE_CHANGE_MEMBERS,           {}};
static const struct schema_member members_filter_list[] = {{"items", SCHEMA_TYPE_LIST, "Filter"},
                                                           {}};
static const struct schema_member members_filter_made[] = {{"id", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_me[] = {{"name", SCHEMA_TYPE_TEXT},
                                                  {"full_name", SCHEMA_TYPE_TEXT},
                                                  {"role", SCHEMA_TYPE_TEXT, NULL, ROLES},
                                                  {"language", SCHEMA_TYPE_TEXT, NULL, LANGUAGES},
                                                  {"must_change_password", SCHEMA_TYPE_BOOL},
                                                  {"totp", SCHEMA_TYPE_BOOL},
                                                  {"centre", SCHEMA_TYPE_TEXT},
                                                  {}};
static const struct schema_member members_totp_secret[] = {
    {"secret", SCHEMA_TYPE_TEXT}, {"uri", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_alert[] = {ALERT_MEMBERS, {}};
static const struct schema_member members_alert_list[] = {
    {"items", SCHEMA_TYPE_LIST, "Alert"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_alert_sheet[] = {
    ALERT_MEMBERS, {"findings", SCHEMA_TYPE_LIST}, {}};
static const struct schema_member members_action[] = {
    {"id", SCHEMA_TYPE_ID},
    {"action", SCHEMA_TYPE_TEXT},
    {"state", SCHEMA_TYPE_TEXT, NULL, "waiting|sent|done|failed|expired|canceled"},
    {"finding", SCHEMA_TYPE_ID},
    {"asked", SCHEMA_TYPE_TIME},
    {"held_until", SCHEMA_TYPE_TIME},
    {"expires", SCHEMA_TYPE_TIME},
    {"actor", SCHEMA_TYPE_TEXT},
    {"reason", SCHEMA_TYPE_TEXT},
    {"answered", SCHEMA_TYPE_TIME},
    {"result", SCHEMA_TYPE_TEXT},
    {"detail", SCHEMA_TYPE_TEXT},
    {}};
static const struct schema_member members_action_list[] = {{"items", SCHEMA_TYPE_LIST, "Action"},
                                                           {}};
static const struct schema_member members_action_asked[] = {{"id", SCHEMA_TYPE_ID}, {}};
static const struct schema_member members_host[] = {
    {"id", SCHEMA_TYPE_ID},
    {"name", SCHEMA_TYPE_TEXT},
    {"state", SCHEMA_TYPE_TEXT, NULL, "connected|away|silent|revoked|sender"},
    {"enrolled", SCHEMA_TYPE_TIME},
    {"seen", SCHEMA_TYPE_TIME},
    {"clock_offset_ms", SCHEMA_TYPE_NUMBER},
    {"acknowledged", SCHEMA_TYPE_NUMBER},
    {"open_alerts", SCHEMA_TYPE_NUMBER},
    {"status", SCHEMA_TYPE_OBJECT},
    {}};
static const struct schema_member members_host_list[] = {
    {"items", SCHEMA_TYPE_LIST, "Host"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_event[] = {
    {"host", SCHEMA_TYPE_ID}, {"host_name", SCHEMA_TYPE_TEXT}, {"event", SCHEMA_TYPE_OBJECT}, {}};
static const struct schema_member members_event_count[] = {
    {"time", SCHEMA_TYPE_TIME}, {"count", SCHEMA_TYPE_NUMBER}, {}};
static const struct schema_member members_archive_damage[] = {
    {"file", SCHEMA_TYPE_TEXT}, {"block", SCHEMA_TYPE_NUMBER},   {"from", SCHEMA_TYPE_TIME},
    {"to", SCHEMA_TYPE_TIME},   {"entries", SCHEMA_TYPE_NUMBER}, {}};
static const struct schema_member members_rule_draft[] = {{"rule", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_event_list[] = {
    {"items", SCHEMA_TYPE_LIST, "Event"}, {"counts", SCHEMA_TYPE_LIST, "EventCount"},
    {"found", SCHEMA_TYPE_NUMBER},        {"unread", SCHEMA_TYPE_NUMBER},
    {"title", SCHEMA_TYPE_TEXT},          {"reached", SCHEMA_TYPE_TIME},
    {"next", SCHEMA_TYPE_CURSOR},         {"damages", SCHEMA_TYPE_LIST, "ArchiveDamage"},
    {"more_damages", SCHEMA_TYPE_BOOL},   {}};
static const struct schema_member members_log_source[] = {
    {"number", SCHEMA_TYPE_NUMBER},
    {"host", SCHEMA_TYPE_ID},
    {"host_name", SCHEMA_TYPE_TEXT},
    {"name", SCHEMA_TYPE_TEXT},
    {"format", SCHEMA_TYPE_TEXT},
    {"state", SCHEMA_TYPE_TEXT, NULL, "silent|speaking|muted"},
    {"alert", SCHEMA_TYPE_NUMBER},
    {"first", SCHEMA_TYPE_TIME},
    {"last", SCHEMA_TYPE_TIME},
    {"gap", SCHEMA_TYPE_NUMBER},
    {"entries", SCHEMA_TYPE_NUMBER},
    {"bytes", SCHEMA_TYPE_NUMBER},
    {"judged", SCHEMA_TYPE_NUMBER},
    {"unjudged", SCHEMA_TYPE_NUMBER},
    {"matched", SCHEMA_TYPE_NUMBER},
    {"unmatched", SCHEMA_TYPE_NUMBER},
    {"faulty", SCHEMA_TYPE_NUMBER},
    {"dropped", SCHEMA_TYPE_NUMBER},
    {"series", SCHEMA_TYPE_LIST},
    {"muted", SCHEMA_TYPE_TIME},
    {"muted_by", SCHEMA_TYPE_TEXT},
    {"muted_why", SCHEMA_TYPE_TEXT},
    {}};
static const struct schema_member members_log_account[] = {
    {"received", SCHEMA_TYPE_NUMBER},          {"committed", SCHEMA_TYPE_NUMBER},
    {"refused", SCHEMA_TYPE_NUMBER},           {"again", SCHEMA_TYPE_NUMBER},
    {"datagrams_dropped", SCHEMA_TYPE_NUMBER}, {"dropped", SCHEMA_TYPE_NUMBER},
    {"entries", SCHEMA_TYPE_NUMBER},           {"matched", SCHEMA_TYPE_NUMBER},
    {"unmatched", SCHEMA_TYPE_NUMBER},         {"unjudged", SCHEMA_TYPE_NUMBER},
    {"waiting", SCHEMA_TYPE_NUMBER},           {}};
static const struct schema_member members_log_source_list[] = {
    {"items", SCHEMA_TYPE_LIST, "LogSource"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_counts[] = {{"hosts", SCHEMA_TYPE_NUMBER},
                                                      {"hosts_silent", SCHEMA_TYPE_NUMBER},
                                                      {"hosts_revoked", SCHEMA_TYPE_NUMBER},
                                                      {"senders", SCHEMA_TYPE_NUMBER},
                                                      {"alerts_new", SCHEMA_TYPE_NUMBER},
                                                      {"alerts_taken", SCHEMA_TYPE_NUMBER},
                                                      {"sites", SCHEMA_TYPE_NUMBER},
                                                      {"sites_grave", SCHEMA_TYPE_NUMBER},
                                                      {"events", SCHEMA_TYPE_NUMBER},
                                                      {"findings", SCHEMA_TYPE_NUMBER},
                                                      {"duplicates", SCHEMA_TYPE_NUMBER},
                                                      {"dropped", SCHEMA_TYPE_NUMBER},
                                                      {"sources", SCHEMA_TYPE_NUMBER},
                                                      {"sources_silent", SCHEMA_TYPE_NUMBER},
                                                      {}};
static const struct schema_member members_overview[] = {{"now", SCHEMA_TYPE_TIME},
                                                        {"is_disk_full", SCHEMA_TYPE_BOOL},
                                                        {"counts", SCHEMA_TYPE_OBJECT, "Counts"},
                                                        {"quiet_since", SCHEMA_TYPE_TIME},
                                                        {"alerts", SCHEMA_TYPE_LIST, "Alert"},
                                                        {"silent", SCHEMA_TYPE_LIST, "Host"},
                                                        {}};
#define SITE_MEMBERS                                                                               \
    {"number", SCHEMA_TYPE_NUMBER}, {"name", SCHEMA_TYPE_TEXT}, {"url", SCHEMA_TYPE_TEXT},         \
        {"unit", SCHEMA_TYPE_TEXT}, {"service", SCHEMA_TYPE_TEXT, NULL, SERVICES},                 \
        {"permission", SCHEMA_TYPE_TEXT}, {"permitted_by", SCHEMA_TYPE_TEXT},                      \
        {"permitted", SCHEMA_TYPE_TIME}, {"interval", SCHEMA_TYPE_NUMBER},                         \
        {"views", SCHEMA_TYPE_LIST}, {"state", SCHEMA_TYPE_TEXT, NULL, "watched|paused|dropped"},  \
        {"created", SCHEMA_TYPE_TIME}, {"verdict", SCHEMA_TYPE_TEXT, NULL, VERDICTS},              \
        {"failure", SCHEMA_TYPE_TEXT}, {"failure_text", SCHEMA_TYPE_TEXT},                         \
        {"since", SCHEMA_TYPE_TIME}, {"checked", SCHEMA_TYPE_TIME}, {"changed", SCHEMA_TYPE_TIME}, \
        {"certificate_end", SCHEMA_TYPE_TIME}, {"open_alerts", SCHEMA_TYPE_NUMBER},                \
        {"series_end", SCHEMA_TYPE_TIME},                                                          \
    {                                                                                              \
        "series", SCHEMA_TYPE_LIST                                                                 \
    }
#define CHANGE_MEMBERS                                                                             \
    {"number", SCHEMA_TYPE_NUMBER}, {"site", SCHEMA_TYPE_NUMBER}, {"url", SCHEMA_TYPE_TEXT},       \
        {"time", SCHEMA_TYPE_TIME}, {"verdict", SCHEMA_TYPE_TEXT, NULL, VERDICTS},                 \
        {"check", SCHEMA_TYPE_OBJECT}, {"alert", SCHEMA_TYPE_NUMBER},                              \
        {"decision", SCHEMA_TYPE_TEXT, NULL, "none|held|ours|incident"},                           \
        {"decided", SCHEMA_TYPE_TIME}, {"decided_by", SCHEMA_TYPE_TEXT},                           \
        {"decided_why", SCHEMA_TYPE_TEXT}, {"has_before", SCHEMA_TYPE_BOOL},                       \
    {                                                                                              \
        "has_after", SCHEMA_TYPE_BOOL                                                              \
    }
static const struct schema_member members_site[] = {SITE_MEMBERS, {}};
static const struct schema_member members_site_list[] = {
    {"items", SCHEMA_TYPE_LIST, "Site"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_site_sheet[] = {
    SITE_MEMBERS,
    {"windows", SCHEMA_TYPE_LIST, "SiteWindow"},
    {"looks", SCHEMA_TYPE_LIST, "SiteLook"},
    {}};
static const struct schema_member members_site_window[] = {{"number", SCHEMA_TYPE_NUMBER},
                                                           {"begins", SCHEMA_TYPE_TIME},
                                                           {"ends", SCHEMA_TYPE_TIME},
                                                           {"actor", SCHEMA_TYPE_TEXT},
                                                           {"reason", SCHEMA_TYPE_TEXT},
                                                           {"open", SCHEMA_TYPE_BOOL},
                                                           {}};
static const struct schema_member members_site_look[] = {{"url", SCHEMA_TYPE_TEXT},
                                                         {"page", SCHEMA_TYPE_TEXT},
                                                         {"since", SCHEMA_TYPE_TIME},
                                                         {"failures", SCHEMA_TYPE_NUMBER},
                                                         {"change", SCHEMA_TYPE_NUMBER},
                                                         {"check", SCHEMA_TYPE_OBJECT},
                                                         {}};
static const struct schema_member members_site_unit[] = {
    {"name", SCHEMA_TYPE_TEXT},      {"sites", SCHEMA_TYPE_NUMBER},
    {"unknown", SCHEMA_TYPE_NUMBER}, {"ok", SCHEMA_TYPE_NUMBER},
    {"changed", SCHEMA_TYPE_NUMBER}, {"yellow", SCHEMA_TYPE_NUMBER},
    {"red", SCHEMA_TYPE_NUMBER},     {"unreachable", SCHEMA_TYPE_NUMBER},
    {"unseen", SCHEMA_TYPE_NUMBER},  {}};
static const struct schema_member members_site_unit_list[] = {
    {"items", SCHEMA_TYPE_LIST, "SiteUnit"}, {}};
static const struct schema_member members_site_made[] = {{"number", SCHEMA_TYPE_NUMBER}, {}};
static const struct schema_member members_site_import[] = {{"added", SCHEMA_TYPE_NUMBER},
                                                           {"changed", SCHEMA_TYPE_NUMBER},
                                                           {"refused", SCHEMA_TYPE_NUMBER},
                                                           {"why", SCHEMA_TYPE_TEXT},
                                                           {}};
static const struct schema_member members_site_change[] = {CHANGE_MEMBERS, {}};
static const struct schema_member members_site_change_list[] = {
    {"items", SCHEMA_TYPE_LIST, "SiteChange"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_site_picture[] = {
    {"number", SCHEMA_TYPE_NUMBER},
    {"url", SCHEMA_TYPE_TEXT},
    {"view", SCHEMA_TYPE_TEXT},
    {"first", SCHEMA_TYPE_TIME},
    {"last", SCHEMA_TYPE_TIME},
    {"count", SCHEMA_TYPE_NUMBER},
    {"state", SCHEMA_TYPE_TEXT, NULL, "seen|learned|odd"},
    {"score", SCHEMA_TYPE_NUMBER},
    {}};
static const struct schema_member members_site_picture_list[] = {
    {"browser", SCHEMA_TYPE_BOOL}, {"items", SCHEMA_TYPE_LIST, "SitePicture"}, {}};
static const struct schema_member members_alert_picture[] = {{"alert", SCHEMA_TYPE_NUMBER},
                                                             {"site", SCHEMA_TYPE_NUMBER},
                                                             {"picture", SCHEMA_TYPE_NUMBER},
                                                             {}};
static const struct schema_member members_alert_picture_list[] = {
    {"items", SCHEMA_TYPE_LIST, "AlertPicture"}, {}};
static const struct schema_member members_passage[] = {{"text", SCHEMA_TYPE_TEXT},
                                                       {"offset", SCHEMA_TYPE_NUMBER},
                                                       {"hidden", SCHEMA_TYPE_BOOL},
                                                       {"link", SCHEMA_TYPE_BOOL},
                                                       {}};
static const struct schema_member members_site_change_sheet[] = {
    CHANGE_MEMBERS,
    {"before", SCHEMA_TYPE_LIST, "Passage"},
    {"after", SCHEMA_TYPE_LIST, "Passage"},
    {}};
static const struct schema_member members_token[] = {
    {"number", SCHEMA_TYPE_NUMBER},
    {"state", SCHEMA_TYPE_TEXT, NULL, "open|used|expired"},
    {"note", SCHEMA_TYPE_TEXT},
    {"created_by", SCHEMA_TYPE_TEXT},
    {"created", SCHEMA_TYPE_TIME},
    {"expires", SCHEMA_TYPE_TIME},
    {"used", SCHEMA_TYPE_TIME},
    {"used_by", SCHEMA_TYPE_ID},
    {}};
static const struct schema_member members_token_list[] = {{"items", SCHEMA_TYPE_LIST, "Token"}, {}};
static const struct schema_member members_token_made[] = {
    {"token", SCHEMA_TYPE_TEXT}, {"expires", SCHEMA_TYPE_TIME}, {}};
static const struct schema_member members_events_taken[] = {{"taken", SCHEMA_TYPE_NUMBER},
                                                            {"refused", SCHEMA_TYPE_NUMBER},
                                                            {"first_refused", SCHEMA_TYPE_NUMBER},
                                                            {"why", SCHEMA_TYPE_TEXT},
                                                            {}};
static const struct schema_member members_bulk_item[] = {{"create", SCHEMA_TYPE_OBJECT}, {}};
static const struct schema_member members_bulk_taken[] = {{"took", SCHEMA_TYPE_NUMBER},
                                                          {"errors", SCHEMA_TYPE_BOOL},
                                                          {"items", SCHEMA_TYPE_LIST, "BulkItem"},
                                                          {}};
static const struct schema_member members_bulk_error[] = {
    {"type", SCHEMA_TYPE_TEXT}, {"reason", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_bulk_refused[] = {
    {"error", SCHEMA_TYPE_OBJECT, "BulkError"}, {"status", SCHEMA_TYPE_NUMBER}, {}};
static const struct schema_member members_collector_taken[] = {
    {"text", SCHEMA_TYPE_TEXT},
    {"code", SCHEMA_TYPE_NUMBER},
    {"invalid-event-number", SCHEMA_TYPE_NUMBER},
    {"why", SCHEMA_TYPE_TEXT},
    {}};
static const struct schema_member members_sender_token[] = {{"number", SCHEMA_TYPE_NUMBER},
                                                            {"name", SCHEMA_TYPE_TEXT},
                                                            {"created_by", SCHEMA_TYPE_TEXT},
                                                            {"created", SCHEMA_TYPE_TIME},
                                                            {"used", SCHEMA_TYPE_TIME},
                                                            {"revoked", SCHEMA_TYPE_TIME},
                                                            {}};
static const struct schema_member members_sender_token_list[] = {
    {"items", SCHEMA_TYPE_LIST, "SenderToken"}, {}};
static const struct schema_member members_sender_token_made[] = {
    {"number", SCHEMA_TYPE_NUMBER}, {"token", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_user[] = {{"name", SCHEMA_TYPE_TEXT},
                                                    {"full_name", SCHEMA_TYPE_TEXT},
                                                    {"role", SCHEMA_TYPE_TEXT, NULL, ROLES},
                                                    {"language", SCHEMA_TYPE_TEXT, NULL, LANGUAGES},
                                                    {"disabled", SCHEMA_TYPE_BOOL},
                                                    {"must_change_password", SCHEMA_TYPE_BOOL},
                                                    {"totp", SCHEMA_TYPE_BOOL},
                                                    {"created", SCHEMA_TYPE_TIME},
                                                    {"last_login", SCHEMA_TYPE_TIME},
                                                    {}};
static const struct schema_member members_user_list[] = {{"items", SCHEMA_TYPE_LIST, "User"}, {}};
static const struct schema_member members_one_password[] = {
    {"name", SCHEMA_TYPE_TEXT}, {"password", SCHEMA_TYPE_TEXT}, {}};
static const struct schema_member members_audit[] = {
    {"number", SCHEMA_TYPE_NUMBER}, {"time", SCHEMA_TYPE_TIME},
    {"actor", SCHEMA_TYPE_TEXT},    {"act", SCHEMA_TYPE_TEXT},
    {"object", SCHEMA_TYPE_TEXT},   {"detail", SCHEMA_TYPE_TEXT},
    {"chain", SCHEMA_TYPE_TEXT},    {}};
static const struct schema_member members_audit_list[] = {
    {"items", SCHEMA_TYPE_LIST, "Audit"}, {"next", SCHEMA_TYPE_CURSOR}, {}};
static const struct schema_member members_setting[] = {
    {"name", SCHEMA_TYPE_TEXT},
    {"type", SCHEMA_TYPE_TEXT, NULL, "flag|number|size|duration|text|path|choice|list|path-list"},
    {"default", SCHEMA_TYPE_WORDS},
    {"minimum", SCHEMA_TYPE_WORDS},
    {"maximum", SCHEMA_TYPE_WORDS},
    {"help", SCHEMA_TYPE_TEXT},
    {"value", SCHEMA_TYPE_ANY}, /* of what JSON has, by its type */
    {"text", SCHEMA_TYPE_TEXT},
    {"below", SCHEMA_TYPE_TEXT},
    {"source", SCHEMA_TYPE_TEXT, NULL, "default|file|console|command-line"},
    {"effect", SCHEMA_TYPE_TEXT, NULL, "fixed|now|start"},
    {"why", SCHEMA_TYPE_WORDS},
    {"seen", SCHEMA_TYPE_NUMBER},
    {"changed", SCHEMA_TYPE_TIME},
    {"changed_by", SCHEMA_TYPE_TEXT},
    {"reason", SCHEMA_TYPE_TEXT},
    {"before", SCHEMA_TYPE_WORDS},
    {}};
static const struct schema_member members_settings[] = {
    {"version", SCHEMA_TYPE_TEXT}, {"settings", SCHEMA_TYPE_LIST, "Setting"}, {}};
static const struct schema_member members_health[] = {{"store", SCHEMA_TYPE_TEXT},
                                                      {"core", SCHEMA_TYPE_TEXT},
                                                      {"disk", SCHEMA_TYPE_TEXT},
                                                      {"pictures", SCHEMA_TYPE_TEXT},
                                                      {}};
static const struct schema_member members_problem[] = {
    {"type", SCHEMA_TYPE_TEXT},     {"title", SCHEMA_TYPE_TEXT},
    {"status", SCHEMA_TYPE_NUMBER}, {"code", SCHEMA_TYPE_TEXT},
    {"detail", SCHEMA_TYPE_TEXT},   {"field", SCHEMA_TYPE_TEXT},
    {"instance", SCHEMA_TYPE_TEXT}, {}};

const struct schema schemas[] = {{"Me", members_me},
                                 {"TotpSecret", members_totp_secret},
                                 {"Alert", members_alert},
                                 {"AlertList", members_alert_list},
                                 {"AlertSheet", members_alert_sheet},
                                 {"Action", members_action},
                                 {"ActionList", members_action_list},
                                 {"ActionAsked", members_action_asked},
                                 {"Host", members_host},
                                 {"HostList", members_host_list},
                                 {"LogSource", members_log_source},
                                 {"LogSourceList", members_log_source_list},
                                 {"LogAccount", members_log_account},
                                 {"Counts", members_counts},
                                 {"Overview", members_overview},
                                 {"Site", members_site},
                                 {"SiteList", members_site_list},
                                 {"SiteSheet", members_site_sheet},
                                 {"SiteWindow", members_site_window},
                                 {"SiteLook", members_site_look},
                                 {"SiteUnit", members_site_unit},
                                 {"SiteUnitList", members_site_unit_list},
                                 {"SiteMade", members_site_made},
                                 {"SiteImport", members_site_import},
                                 {"SiteChange", members_site_change},
                                 {"SiteChangeList", members_site_change_list},
                                 {"SiteChangeSheet", members_site_change_sheet},
                                 {"SitePicture", members_site_picture},
                                 {"SitePictureList", members_site_picture_list},
                                 {"AlertPicture", members_alert_picture},
                                 {"AlertPictureList", members_alert_picture_list},
                                 {"Passage", members_passage},
                                 {"Rule", members_rule},
                                 {"RuleRefusal", members_rule_refusal},
                                 {"RuleList", members_rule_list},
                                 {"RuleWords", members_rule_words},
                                 {"RuleMade", members_rule_made},
                                 {"RuleNoise", members_rule_noise},
                                 {"RuleReport", members_rule_report},
                                 {"RuleDocument", members_rule_document},
                                 {"Filter", members_filter},
                                 {"FilterList", members_filter_list},
                                 {"FilterMade", members_filter_made},
                                 {"Token", members_token},
                                 {"TokenList", members_token_list},
                                 {"TokenMade", members_token_made},
                                 {"EventsTaken", members_events_taken},
                                 {"BulkItem", members_bulk_item},
                                 {"BulkTaken", members_bulk_taken},
                                 {"BulkError", members_bulk_error},
                                 {"BulkRefused", members_bulk_refused},
                                 {"CollectorTaken", members_collector_taken},
                                 {"SenderToken", members_sender_token},
                                 {"SenderTokenList", members_sender_token_list},
                                 {"SenderTokenMade", members_sender_token_made},
                                 {"User", members_user},
                                 {"UserList", members_user_list},
                                 {"OnePassword", members_one_password},
                                 {"Audit", members_audit},
                                 {"AuditList", members_audit_list},
                                 {"Event", members_event},
                                 {"EventCount", members_event_count},
                                 {"EventList", members_event_list},
                                 {"ArchiveDamage", members_archive_damage},
                                 {"RuleDraft", members_rule_draft},
                                 {"Setting", members_setting},
                                 {"Settings", members_settings},
                                 {"Health", members_health},
                                 {"Problem", members_problem},
                                 {}};

const struct schema *schema_find(const char *name)
{
    for (const struct schema *schema = schemas; schema->name != NULL; schema++) {
        if (strcmp(schema->name, name) == 0) {
            return schema;
        }
    }
    return NULL;
}

static void schema_put_reference(struct json_writer *json, const char *of)
{
    char reference[80];

    json_open_object(json);
    if (of != NULL) {
        (void)snprintf(reference, sizeof(reference), "#/components/schemas/%s", of);
        json_add_text(json, "$ref", reference);
    }
    json_close_object(json);
}

static void schema_put_types(struct json_writer *json, const char *first)
{
    json_add_array(json, "type");
    json_put_text(json, first);
    json_put_text(json, "null");
    json_close_array(json);
}

static void schema_put_choices(struct json_writer *json, struct str choices)
{
    struct str word;

    json_add_array(json, "enum");
    while (str_cut(&choices, '|', &word)) {
        json_put_str(json, word);
    }
    json_close_array(json);
}

static void schema_put_member(struct json_writer *json, const struct schema_member *member)
{
    if (member->type == SCHEMA_TYPE_OBJECT && member->of != NULL) {
        schema_put_reference(json, member->of);
        return;
    }
    json_open_object(json);
    if (member->type == SCHEMA_TYPE_TEXT) {
        json_add_text(json, "type", "string");
    } else if (member->type == SCHEMA_TYPE_WORDS) {
        schema_put_types(json, "string");
    } else if (member->type == SCHEMA_TYPE_TIME || member->type == SCHEMA_TYPE_ID) {
        schema_put_types(json, "string");
        json_add_text(json, "format", member->type == SCHEMA_TYPE_TIME ? "date-time" : "uuid");
    } else if (member->type == SCHEMA_TYPE_NUMBER) {
        json_add_text(json, "type", "integer");
    } else if (member->type == SCHEMA_TYPE_BOOL) {
        json_add_text(json, "type", "boolean");
    } else if (member->type == SCHEMA_TYPE_OBJECT) {
        schema_put_types(json, "object");
    } else if (member->type == SCHEMA_TYPE_LIST) {
        json_add_text(json, "type", "array");
        json_put_key(json, "items");
        schema_put_reference(json, member->of);
    } else if (member->type == SCHEMA_TYPE_CURSOR) {
        json_add_text(json, "description", "hand it back as `cursor`; null at the end");
    }
    if (member->choices != NULL) {
        schema_put_choices(json, str_from(member->choices));
    }
    json_close_object(json);
}

void schema_write(const struct schema *schema, struct json_writer *json)
{
    json_open_object(json);
    json_add_text(json, "type", "object");
    json_add_object(json, "properties");
    for (const struct schema_member *member = schema->members; member->name != NULL; member++) {
        json_put_key(json, member->name);
        schema_put_member(json, member);
    }
    json_close_object(json);
    json_close_object(json);
}
