/* Matches as NDJSON: see sheet.h. An entry may be large and its matches many, so what they share is
 * written once and copied: the rule's part at the start, the entry's and each field's with the
 * first match that tells it. */
#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/hunt/sheet_part.h"

#define TOLD_WHOLE (512u << 10) /* bytes of an entry's matches; those behind do not repeat it */

void sheet_put_json_time(struct json_writer *json, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    json_put_key(json, key);
    json_put_text(json, time != 0 ? text : NULL);
}

/* ---- the rule */

static void put_tags(const struct str *tags, size_t count, struct json_writer *json)
{
    json_put_key(json, "tags");
    json_open_array(json);
    for (size_t i = 0; i < count; i++) {
        json_put_str(json, tags[i]);
    }
    json_close_array(json);
}

void sheet_json_head(const struct sigma_rule *rule, struct buf *out)
{
    struct json_writer json;

    json_begin(&json, out);
    json_open_object(&json);
    json_add_str(&json, "rule_id", rule->id.len != 0 ? rule->id : rule->name);
    json_add_str(&json, "title", rule->title);
    json_add_text(&json, "level", sigma_level_name(rule->level));
    put_tags(rule->tags, rule->tag_count, &json);
    json_add_object(&json, "fields");
}

/* ---- the entry */

static void put_source(const struct logsource *source, struct json_writer *json)
{
    json_add_object(json, "source");
    if (source->product.len != 0) {
        json_add_str(json, "product", source->product);
    }
    if (source->category.len != 0) {
        json_add_str(json, "category", source->category);
    }
    if (source->service.len != 0) {
        json_add_str(json, "service", source->service);
    }
    json_close_object(json);
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

/* What all matches of the entry say of it: an object, of which the event is the last member. */
static int page_tell(struct sheet_page *page)
{
    const struct entry *entry = page->entry;
    struct json_writer json;
    int r;

    if (page->told.len != 0) {
        return 0;
    }
    json_begin(&json, &page->told);
    json_open_object(&json);
    sheet_put_json_time(&json, "time", entry->time);
    json_add_text(&json, "file", page->file->path);
    json_add_u64(&json, "line", entry->number);
    json_add_str(&json, "host", entry->host);
    put_source(&entry->source, &json);
    page->place_len = page->told.len;
    r = put_event(entry, page->arena, &json);
    json_close_object(&json);
    return r == 0 ? buf_error(&page->told) : r;
}

/* Behind a match's own members: the entry's, or where it stands only. It closes the object too. */
static void put_told(const struct sheet_page *page, bool is_whole, struct buf *out)
{
    struct str told = buf_str(&page->told);

    (void)buf_put_byte(out, ',');
    (void)buf_put_str(out, str_slice(told, 1, is_whole ? told.len : page->place_len));
    (void)buf_put_text(out, is_whole ? "\n" : "}\n");
}

/* ---- its fields */

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

/* One value, or a list when the entry has several of that name. */
static int page_write(struct sheet_page *page, uint32_t name, uint32_t first)
{
    bool is_list = sigma_view_next(&page->view, first) != SIGMA_VIEW_END;
    size_t start = page->texts.len;
    struct json_writer json;
    int r = 0;

    json_begin(&json, &page->texts);
    json_put_key_str(&json, sigma_shown_name(page->sheet->shown, name));
    if (is_list) {
        json_open_array(&json);
    }
    for (uint32_t i = first; r == 0 && i != SIGMA_VIEW_END; i = sigma_view_next(&page->view, i)) {
        r = put_value(&page->entry->fields[i], page->arena, &json);
    }
    if (is_list) {
        json_close_array(&json);
    }
    page->of_name[name] = (struct sheet_text){page->turn, start, page->texts.len - start};
    return r == 0 ? buf_error(&page->texts) : r;
}

static int put_fields(struct sheet_page *page, uint32_t rule, struct buf *out)
{
    const uint32_t *names;
    size_t count = sigma_shown_names(page->sheet->shown, rule, &names);
    size_t start = out->len;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct sheet_text *text = &page->of_name[names[i]];
        uint32_t first = sigma_view_first(&page->view, names[i]);

        if (first == SIGMA_VIEW_END) {
            continue;
        }
        r = text->turn != page->turn ? page_write(page, names[i], first) : 0;
        if (out->len != start) {
            (void)buf_put_byte(out, ',');
        }
        (void)buf_put_str(out,
                          str_slice(buf_str(&page->texts), text->start, text->start + text->len));
    }
    return r;
}

/* ---- matches and hits */

int sheet_json_matches(struct sheet_page *page, const uint32_t *rules, size_t count,
                       struct buf *out)
{
    size_t start = out->len;
    int r = page_tell(page);

    r = r == 0 ? sheet_page_view(page) : r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        bool is_whole = out->len - start <= TOLD_WHOLE;

        (void)buf_put_str(out, page->sheet->heads[rules[i]]);
        r = is_whole ? put_fields(page, rules[i], out) : 0;
        (void)buf_put_byte(out, '}');
        put_told(page, is_whole, out);
    }
    return r;
}

static void put_hit(const struct sheet_page *page, const struct screen_hit *hit, struct buf *out)
{
    struct json_writer json;

    json_begin(&json, out);
    json_open_object(&json);
    json_add_str(&json, "indicator", hit->hit.value);
    json_add_text(&json, "kind", feed_kind_name(hit->hit.kind));
    json_add_str(&json, "list", hit->hit.list->source);
    json_add_object(&json, "fields");
    json_put_key_str(&json, page->entry->fields[hit->field].name);
    json_put_str(&json, hit->found);
    json_close_object(&json);
}

int sheet_json_hits(struct sheet_page *page, const struct screen_hit *hits, size_t count,
                    struct buf *out)
{
    size_t start = out->len;
    int r = page_tell(page);

    for (size_t i = 0; r == 0 && i < count; i++) {
        bool is_whole = out->len - start <= TOLD_WHOLE;

        put_hit(page, &hits[i], out);
        put_told(page, is_whole, out);
    }
    return r;
}

/* ---- correlations */

static void put_cause(const struct sheet *sheet, const struct sigma_cause *cause,
                      const struct sheet_place *place, struct json_writer *json)
{
    const struct sigma_set *set = sheet->set;

    json_open_object(json);
    json_add_str(json, "rule_id",
                 cause->part.is_correlation ? set->correlations[cause->part.index].id
                                            : set->rules[cause->part.index].id);
    sheet_put_json_time(json, "time", cause->time);
    json_add_text(json, "file", place->path);
    json_add_u64(json, "line", place->line);
    json_close_object(json);
}

static void put_group(const struct sigma_correlation *correlation,
                      const struct sigma_correlated *correlated, struct json_writer *json)
{
    json_add_object(json, "group");
    for (size_t i = 0; i < correlation->group_count; i++) {
        json_put_key_str(json, str_slice(correlation->group_by[i], 0, ENTRY_NAME_MAX));
        json_put_str(json, correlated->group[i]);
    }
    json_close_object(json);
}

void sheet_json_correlated(const struct sheet *sheet, const struct sigma_correlated *correlated,
                           const struct sheet_place *places, struct buf *out)
{
    const struct sigma_correlation *correlation =
        &sheet->set->correlations[correlated->correlation];
    struct json_writer json;

    json_begin(&json, out);
    json_open_object(&json);
    json_add_str(&json, "rule_id", correlation->id.len != 0 ? correlation->id : correlation->name);
    json_add_str(&json, "title", correlation->title);
    json_add_text(&json, "level", sigma_level_name(correlation->level));
    put_tags(correlation->tags, correlation->tag_count, &json);
    json_add_text(&json, "correlation", sigma_correlation_name(correlation->kind));
    sheet_put_json_time(&json, "time", correlated->time);
    sheet_put_json_time(&json, "first", correlated->first);
    json_add_double(&json, "value", correlated->value);
    put_group(correlation, correlated, &json);
    json_add_array(&json, "causes");
    for (size_t i = 0; i < correlated->cause_count; i++) {
        put_cause(sheet, &correlated->causes[i], &places[i], &json);
    }
    json_close_array(&json);
    json_close_object(&json);
    (void)buf_put_byte(out, '\n');
}
