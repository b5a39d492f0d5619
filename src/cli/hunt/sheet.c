/* Matches as lines: see sheet.h. The raw bytes of an entry come from whoever was logged: nothing of
 * them reaches a terminal but plain text, nor a JSON line but as JSON. */
#include "cli/hunt/sheet.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"

#define SHOWN_FIELDS_MAX 64
#define EVENT_LIMIT      (16u * ENTRY_SIZE_MAX)
#define TOLD_WHOLE       (2u << 20) /* bytes of an entry's matches; those behind do not repeat it */
#define SHOWN_VALUE_MAX  400        /* bytes of a value in the table */

/* ---- which fields */

struct gathering {
    struct str names[SHOWN_FIELDS_MAX];
    size_t count;
};

static void gather_name(struct gathering *gathering, struct str name)
{
    if (name.len == 0 || gathering->count == SHOWN_FIELDS_MAX) {
        return;
    }
    for (size_t i = 0; i < gathering->count; i++) {
        if (str_is(gathering->names[i], name)) {
            return;
        }
    }
    gathering->names[gathering->count++] = name;
}

/* NOLINTNEXTLINE(misc-no-recursion): the loader limits the depth to SIGMA_DEPTH_MAX */
static void gather_node(struct gathering *gathering, const struct sigma_node *node)
{
    if (node->kind == SIGMA_NODE_ATOM) {
        gather_name(gathering, node->atom->field);
        return;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        gather_node(gathering, node->children[i]);
    }
}

static void gather_rule(struct gathering *gathering, const struct sigma_rule *rule)
{
    gathering->count = 0;
    for (size_t i = 0; i < rule->field_count; i++) {
        gather_name(gathering, rule->fields[i]);
    }
    for (size_t i = 0; rule->field_count == 0 && i < rule->way_count; i++) {
        gather_node(gathering, rule->ways[i].root);
    }
}

int sheet_init(struct sheet *sheet, const struct sigma_set *set, struct arena *arena)
{
    struct gathering gathering;

    sheet->set = set;
    sheet->fields = arena_alloc(arena, set->rule_count + 1, sizeof(*sheet->fields));
    if (sheet->fields == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < set->rule_count; i++) {
        struct str *names;

        gather_rule(&gathering, &set->rules[i]);
        names = arena_alloc(arena, gathering.count + 1, sizeof(*names));
        if (names == NULL) {
            return -ERR_NOMEM;
        }
        memcpy(names, gathering.names, gathering.count * sizeof(*names));
        sheet->fields[i] = (struct sheet_fields){names, gathering.count};
    }
    return 0;
}

/* ---- JSON */

void sheet_put_json_time(struct json_writer *json, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    json_put_key(json, key);
    json_put_text(json, time != 0 ? text : NULL);
}

static int put_value(const struct entry_field *field, struct arena *arena, struct json_writer *json)
{
    struct str text;
    int r = entry_field_text(field, arena, &text);

    if (r == 0 && field->type == ENTRY_TYPE_NULL) {
        json_put_null(json);
    } else if (r == 0) {
        json_put_str(json, text);
    }
    return r;
}

/* A name that is no C string yet becomes one. */
static int put_name(struct str name, struct arena *arena, struct json_writer *json)
{
    struct str copy = arena_copy(arena, name);

    if (copy.ptr == NULL) {
        return -ERR_NOMEM;
    }
    json_put_key(json, copy.ptr);
    return 0;
}

/* One value, or a list when the entry has several of that name. */
static int put_field(const struct entry *entry, struct str name, struct arena *arena,
                     struct json_writer *json)
{
    const struct entry_field *first = NULL;
    size_t count = 0;
    int r;

    for (size_t i = 0; i < entry->count; i++) {
        if (str_is(entry->fields[i].name, name)) {
            first = first != NULL ? first : &entry->fields[i];
            count++;
        }
    }
    if (first == NULL) {
        return 0;
    }
    r = put_name(name, arena, json);
    if (count > 1) {
        json_open_array(json);
    }
    for (const struct entry_field *field = first; r == 0 && field < entry->fields + entry->count;
         field++) {
        if (str_is(field->name, name)) {
            r = put_value(field, arena, json);
        }
    }
    if (count > 1) {
        json_close_array(json);
    }
    return r;
}

static void blank_out(char *at, const char *end, char byte)
{
    while (at < end && (at = memchr(at, byte, (size_t)(end - at))) != NULL) {
        *at++ = ' ';
    }
}

/* JSON may be spread over lines; a line break can only stand between its tokens. */
static void put_on_one_line(struct str text, struct json_writer *json)
{
    size_t start = json->buf->len;

    json_put_raw(json, text);
    if (json->buf->len > start) {
        blank_out(json->buf->ptr + start, json->buf->ptr + json->buf->len, '\n');
        blank_out(json->buf->ptr + start, json->buf->ptr + json->buf->len, '\r');
    }
}

static int put_event(const struct entry *entry, struct arena *arena, struct json_writer *json)
{
    const unsigned broken = ENTRY_FAULT_SYNTAX | ENTRY_FAULT_CUT | ENTRY_FAULT_DEPTH;
    struct str raw = str_trim(entry->raw);

    json_put_key(json, "event");
    if (entry->is_binary) {
        return entry_write_json(entry, arena, json);
    }
    if (entry->is_structured && raw.len > 0 && raw.ptr[0] == '{' && (entry->faults & broken) == 0 &&
        utf8_is_valid(raw)) {
        put_on_one_line(raw, json);
    } else {
        json_put_str(json, raw);
    }
    return 0;
}

static void put_rule_json(const struct sigma_rule *rule, struct json_writer *json)
{
    json_put_key(json, "rule_id");
    json_put_str(json, rule->id.len != 0 ? rule->id : rule->name);
    json_put_key(json, "title");
    json_put_str(json, rule->title);
    json_put_key(json, "level");
    json_put_text(json, sigma_level_name(rule->level));
}

static void put_tags(const struct str *tags, size_t count, struct json_writer *json)
{
    json_put_key(json, "tags");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_put_str(json, tags[i]);
    }
    json_close_array(json);
}

static void put_source(const struct logsource *source, struct json_writer *json)
{
    json_put_key(json, "source");
    json_open_object(json);
    if (source->product.len != 0) {
        json_put_key(json, "product");
        json_put_str(json, source->product);
    }
    if (source->category.len != 0) {
        json_put_key(json, "category");
        json_put_str(json, source->category);
    }
    if (source->service.len != 0) {
        json_put_key(json, "service");
        json_put_str(json, source->service);
    }
    json_close_object(json);
}

/* What of an entry its matches tell: all its own members, or where it stands only. */
struct sheet_event {
    struct buf whole;
    struct buf place;
    size_t start; /* of the entry's matches in what is put out */
};

/* One match. The arena is emptied: matches are as many as rules. */
static int put_match_json(const struct sheet *sheet, const struct entry *entry, uint32_t place,
                          const struct sheet_event *event, struct arena *arena, struct buf *out)
{
    const struct sigma_rule *rule = &sheet->set->rules[place];
    bool is_whole = out->len - event->start <= TOLD_WHOLE;
    struct str told = buf_str(is_whole ? &event->whole : &event->place);
    struct json_writer json;
    int r = 0;

    json_begin(&json, out);
    json_open_object(&json);
    put_rule_json(rule, &json);
    put_tags(rule->tags, rule->tag_count, &json);
    json_put_key(&json, "fields");
    json_open_object(&json);
    arena_reset(arena);
    for (size_t i = 0; r == 0 && is_whole && i < sheet->fields[place].count; i++) {
        r = put_field(entry, sheet->fields[place].names[i], arena, &json);
    }
    json_close_object(&json);
    (void)buf_put_byte(out, ',');
    (void)buf_put_str(out, str_slice(told, 1, told.len)); /* it closes the object too */
    (void)buf_put_byte(out, '\n');
    return r;
}

/* What all matches of an entry say of it: an object. */
static int put_entry_json(const struct entry *entry, const struct hunt_file *file, bool is_whole,
                          struct arena *arena, struct buf *event)
{
    struct json_writer json;
    int r;

    buf_init(event, EVENT_LIMIT);
    json_begin(&json, event);
    json_open_object(&json);
    sheet_put_json_time(&json, "time", entry->time);
    json_put_key(&json, "file");
    json_put_text(&json, file->path);
    json_put_key(&json, "line");
    json_put_u64(&json, entry->number);
    json_put_key(&json, "host");
    json_put_str(&json, entry->host);
    put_source(&entry->source, &json);
    r = is_whole ? put_event(entry, arena, &json) : 0;
    json_close_object(&json);
    return r == 0 ? buf_error(event) : r;
}

static void event_done(struct sheet_event *event)
{
    buf_done(&event->whole);
    buf_done(&event->place);
}

static int event_init(struct sheet_event *event, const struct entry *entry,
                      const struct hunt_file *file, struct arena *arena, const struct buf *out)
{
    int r = put_entry_json(entry, file, true, arena, &event->whole);
    int also = put_entry_json(entry, file, false, arena, &event->place);

    event->start = out->len;
    return r == 0 ? also : r;
}

static int put_matches_json(const struct sheet *sheet, const struct entry *entry,
                            const struct hunt_file *file, const uint32_t *rules, size_t count,
                            struct arena *arena, struct buf *out)
{
    CLEANUP(event_done) struct sheet_event event;
    int r = event_init(&event, entry, file, arena, out);

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = put_match_json(sheet, entry, rules[i], &event, arena, out);
    }
    return r;
}

/* ---- the table */

void sheet_put_level(const struct sheet *sheet, enum sigma_level level, struct buf *out)
{
    static const char *const colours[SIGMA_LEVEL_COUNT] = {"", "", "\033[33m", "\033[31m",
                                                           "\033[1;31m"};
    static const char *const words[SIGMA_LEVEL_COUNT] = {N_("info"), N_("low"), N_("medium"),
                                                         N_("high"), N_("critical")};
    const char *word = text_get(words[level]);

    (void)buf_putf(out, "%s%s%s%*s", sheet->is_coloured ? colours[level] : "", word,
                   sheet->is_coloured && colours[level][0] != '\0' ? "\033[0m" : "",
                   utf8_pad(word, SHEET_LEVEL_WIDTH), "");
}

void sheet_put_time(const struct sheet *sheet, int64_t time, struct buf *out)
{
    char text[TIME_TEXT_SIZE];

    if (time == 0) {
        const char *word = _("time unknown");

        (void)buf_putf(out, "%s%*s", word, utf8_pad(word, 19), "");
        return;
    }
    time_format_offset(time, sheet->zone, text);
    text[10] = ' ';
    (void)buf_putf(out, "%.19s", text);
}

static void put_shown(struct str value, struct buf *out)
{
    bool is_cut = value.len > SHOWN_VALUE_MAX;
    struct str shown = str_slice(value, 0, SHOWN_VALUE_MAX);

    if (is_cut) {
        shown.len = utf8_valid_prefix(shown) + 4 < shown.len ? shown.len : utf8_valid_prefix(shown);
    }
    (void)buf_put_plain(out, shown);
    (void)buf_put_text(out, is_cut ? "…" : "");
}

static int put_fields_table(const struct sheet *sheet, const struct entry *entry, uint32_t place,
                            struct arena *arena, struct buf *out)
{
    const struct sheet_fields *shown = &sheet->fields[place];
    bool is_any = false;
    int r = 0;

    for (size_t k = 0; r == 0 && k < entry->count; k++) {
        const struct entry_field *field = &entry->fields[k];
        struct str text;

        for (size_t i = 0; i < shown->count; i++) {
            if (!str_is(field->name, shown->names[i])) {
                continue;
            }
            r = entry_field_text(field, arena, &text);
            if (r == 0 && text.len != 0) {
                is_any = true;
                (void)buf_put_text(out, "    ");
                (void)buf_put_plain(out, field->name);
                (void)buf_put_text(out, ": ");
                put_shown(text, out);
                (void)buf_put_byte(out, '\n');
            }
            break;
        }
    }
    if (!is_any && !entry->is_binary) {
        (void)buf_put_text(out, "    ");
        put_shown(str_trim(entry->raw), out);
        (void)buf_put_byte(out, '\n');
    }
    return r;
}

static int put_match_table(const struct sheet *sheet, const struct entry *entry,
                           const struct hunt_file *file, uint32_t place, struct arena *arena,
                           struct buf *out)
{
    const struct sigma_rule *rule = &sheet->set->rules[place];

    sheet_put_time(sheet, entry->time, out);
    (void)buf_put_text(out, "  ");
    sheet_put_level(sheet, rule->level, out);
    (void)buf_put_plain(out, text_str(rule->title));
    (void)buf_put_text(out, entry->host.len != 0 ? "  · " : "");
    (void)buf_put_plain(out, entry->host);
    (void)buf_put_text(out, "  · ");
    (void)buf_put_plain(out, str_from(file->path));
    (void)buf_putf(out, ":%llu\n", (unsigned long long)entry->number);
    return put_fields_table(sheet, entry, place, arena, out);
}

int sheet_put_matches(const struct sheet *sheet, const struct entry *entry,
                      const struct hunt_file *file, const uint32_t *rules, size_t count,
                      struct arena *arena, struct buf *out)
{
    int r = 0;

    if (sheet->kind == SHEET_KIND_JSON && count != 0) {
        r = put_matches_json(sheet, entry, file, rules, count, arena, out);
    }
    for (size_t i = 0; r == 0 && sheet->kind == SHEET_KIND_TABLE && i < count; i++) {
        arena_reset(arena);
        r = put_match_table(sheet, entry, file, rules[i], arena, out);
    }
    return r == 0 ? buf_error(out) : r;
}

/* ---- indicators */

static int put_hit_json(const struct entry *entry, const struct screen_hit *hit,
                        const struct sheet_event *event, struct arena *arena, struct buf *out)
{
    bool is_whole = out->len - event->start <= TOLD_WHOLE;
    struct str told = buf_str(is_whole ? &event->whole : &event->place);
    struct json_writer json;
    int r;

    json_begin(&json, out);
    json_open_object(&json);
    json_put_key(&json, "indicator");
    json_put_str(&json, hit->hit.value);
    json_put_key(&json, "kind");
    json_put_text(&json, feed_kind_name(hit->hit.kind));
    json_put_key(&json, "list");
    json_put_str(&json, hit->hit.list->source);
    json_put_key(&json, "fields");
    json_open_object(&json);
    r = put_name(entry->fields[hit->field].name, arena, &json);
    json_put_str(&json, hit->found);
    json_close_object(&json);
    (void)buf_put_byte(out, ',');
    (void)buf_put_str(out, str_slice(told, 1, told.len));
    (void)buf_put_byte(out, '\n');
    return r;
}

static void put_hit_table(const struct sheet *sheet, const struct entry *entry,
                          const struct hunt_file *file, const struct screen_hit *hit,
                          struct buf *out)
{
    sheet_put_time(sheet, entry->time, out);
    (void)buf_put_text(out, "  ");
    sheet_put_level(sheet, SHEET_INDICATOR_LEVEL, out);
    (void)buf_putf(out, "%s: ", _("indicator"));
    (void)buf_put_plain(out, hit->hit.value);
    (void)buf_put_text(out, entry->host.len != 0 ? "  · " : "");
    (void)buf_put_plain(out, entry->host);
    (void)buf_put_text(out, "  · ");
    (void)buf_put_plain(out, str_from(file->path));
    (void)buf_putf(out, ":%llu\n    ", (unsigned long long)entry->number);
    (void)buf_put_plain(out, entry->fields[hit->field].name);
    (void)buf_put_text(out, ": ");
    put_shown(hit->found, out);
    (void)buf_put_byte(out, '\n');
}

static int put_hits_json(const struct entry *entry, const struct hunt_file *file,
                         const struct screen_hit *hits, size_t count, struct arena *arena,
                         struct buf *out)
{
    CLEANUP(event_done) struct sheet_event event;
    int r = event_init(&event, entry, file, arena, out);

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = put_hit_json(entry, &hits[i], &event, arena, out);
    }
    return r;
}

int sheet_put_hits(const struct sheet *sheet, const struct entry *entry,
                   const struct hunt_file *file, const struct screen_hit *hits, size_t count,
                   struct arena *arena, struct buf *out)
{
    int r = 0;

    if (sheet->kind == SHEET_KIND_JSON && count != 0) {
        r = put_hits_json(entry, file, hits, count, arena, out);
    }
    for (size_t i = 0; sheet->kind == SHEET_KIND_TABLE && i < count; i++) {
        put_hit_table(sheet, entry, file, &hits[i], out);
    }
    return r == 0 ? buf_error(out) : r;
}

/* ---- correlations */

static void put_cause_json(const struct sheet *sheet, const struct sigma_cause *cause,
                           const struct sheet_place *place, struct json_writer *json)
{
    const struct sigma_set *set = sheet->set;

    json_open_object(json);
    json_put_key(json, "rule_id");
    json_put_str(json, cause->part.is_correlation ? set->correlations[cause->part.index].id
                                                  : set->rules[cause->part.index].id);
    sheet_put_json_time(json, "time", cause->time);
    json_put_key(json, "file");
    json_put_text(json, place->path);
    json_put_key(json, "line");
    json_put_u64(json, place->line);
    json_close_object(json);
}

static void put_group_json(const struct sigma_correlation *correlation,
                           const struct sigma_correlated *correlated, struct json_writer *json)
{
    json_put_key(json, "group");
    json_open_object(json);
    for (size_t i = 0; i < correlation->group_count; i++) {
        char name[ENTRY_NAME_MAX + 1];

        snprintf(name, sizeof(name), "%.*s", STR_ARG(correlation->group_by[i]));
        json_put_key(json, name);
        json_put_str(json, correlated->group[i]);
    }
    json_close_object(json);
}

static void put_correlated_json(const struct sheet *sheet,
                                const struct sigma_correlated *correlated,
                                const struct sheet_place *places, struct buf *out)
{
    const struct sigma_correlation *correlation =
        &sheet->set->correlations[correlated->correlation];
    struct json_writer json;

    json_begin(&json, out);
    json_open_object(&json);
    json_put_key(&json, "rule_id");
    json_put_str(&json, correlation->id.len != 0 ? correlation->id : correlation->name);
    json_put_key(&json, "title");
    json_put_str(&json, correlation->title);
    json_put_key(&json, "level");
    json_put_text(&json, sigma_level_name(correlation->level));
    put_tags(correlation->tags, correlation->tag_count, &json);
    json_put_key(&json, "correlation");
    json_put_text(&json, sigma_correlation_name(correlation->kind));
    sheet_put_json_time(&json, "time", correlated->time);
    sheet_put_json_time(&json, "first", correlated->first);
    json_put_key(&json, "value");
    json_put_double(&json, correlated->value);
    put_group_json(correlation, correlated, &json);
    json_put_key(&json, "causes");
    json_open_array(&json);
    for (size_t i = 0; i < correlated->cause_count; i++) {
        put_cause_json(sheet, &correlated->causes[i], &places[i], &json);
    }
    json_close_array(&json);
    json_close_object(&json);
    (void)buf_put_byte(out, '\n');
}

static void put_correlated_table(const struct sheet *sheet,
                                 const struct sigma_correlated *correlated,
                                 const struct sheet_place *places, struct buf *out)
{
    const struct sigma_correlation *correlation =
        &sheet->set->correlations[correlated->correlation];
    size_t last = correlated->cause_count;

    sheet_put_time(sheet, correlated->time, out);
    (void)buf_put_text(out, "  ");
    sheet_put_level(sheet, correlation->level, out);
    (void)buf_put_plain(out, text_str(correlation->title));
    (void)buf_put_byte(out, '\n');
    for (size_t i = 0; i < correlation->group_count; i++) {
        (void)buf_put_text(out, "    ");
        (void)buf_put_plain(out, correlation->group_by[i]);
        (void)buf_put_text(out, ": ");
        put_shown(correlated->group[i], out);
        (void)buf_put_byte(out, '\n');
    }
    (void)buf_put_text(out, "    ");
    (void)buf_putf(out, _("value %g since "), correlated->value);
    sheet_put_time(sheet, correlated->first, out);
    if (last != 0) {
        (void)buf_put_text(out, "  · ");
        (void)buf_put_plain(out, str_from(places[last - 1].path));
        (void)buf_putf(out, ":%llu", (unsigned long long)places[last - 1].line);
    }
    (void)buf_put_byte(out, '\n');
}

int sheet_put_correlated(const struct sheet *sheet, const struct sigma_correlated *correlated,
                         const struct sheet_place *places, struct buf *out)
{
    if (sheet->kind == SHEET_KIND_JSON) {
        put_correlated_json(sheet, correlated, places, out);
    } else if (sheet->kind == SHEET_KIND_TABLE) {
        put_correlated_table(sheet, correlated, places, out);
    }
    return buf_error(out);
}
