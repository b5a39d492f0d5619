/* Matches as lines: see sheet.h. The raw bytes of an entry come from whoever was logged: nothing of
 * them reaches a terminal but plain text, nor a JSON line (sheet_json.c) but as JSON. */
#include "cli/hunt/sheet.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "cli/hunt/sheet_part.h"

#define HEAD_LIMIT      (16u << 20)
#define PAGE_LIMIT      (64u << 20) /* bytes of what an entry comes to as JSON */
#define TOLD_FIELDS     (64u << 10) /* bytes of an entry's matches; those behind show no fields */
#define SHOWN_VALUE_MAX 400         /* bytes of a value in the table */
#define SHOWN_RAW_MAX   2496        /* of what may be escaped: no escape means less than a sixth */

static int sheet_add_head(struct sheet *sheet, uint32_t rule, struct arena *arena)
{
    CLEANUP(buf_done) struct buf head;

    buf_init(&head, HEAD_LIMIT);
    sheet_json_head(&sheet->set->rules[rule], &head);
    sheet->heads[rule] = arena_copy(arena, buf_str(&head));
    return buf_error(&head) < 0             ? buf_error(&head)
           : sheet->heads[rule].ptr != NULL ? 0
                                            : -ERR_NOMEM;
}

int sheet_init(struct sheet *sheet, const struct sigma_set *set, struct arena *arena)
{
    int r = sigma_shown_new(set, false, &sheet->shown);

    sheet->set = set;
    sheet->heads = arena_alloc(arena, set->rule_count + 1, sizeof(*sheet->heads));
    r = r == 0 && sheet->heads == NULL ? -ERR_NOMEM : r;
    for (uint32_t i = 0; r == 0 && sheet->kind == SHEET_KIND_JSON && i < set->rule_count; i++) {
        r = sheet_add_head(sheet, i, arena);
    }
    return r;
}

void sheet_done(struct sheet *sheet)
{
    sigma_shown_free(sheet->shown);
    sheet->shown = NULL;
}

/* ---- the page */

int sheet_page_init(struct sheet_page *page, const struct sheet *sheet, struct arena *arena)
{
    *page = (struct sheet_page){.sheet = sheet, .arena = arena};
    buf_init(&page->told, PAGE_LIMIT);
    buf_init(&page->texts, PAGE_LIMIT);
    page->of_name = mem_alloc(sigma_shown_count(sheet->shown) + 1, sizeof(*page->of_name));
    return page->of_name != NULL ? sigma_view_init(&page->view, sheet->shown) : -ERR_NOMEM;
}

void sheet_page_done(struct sheet_page *page)
{
    buf_done(&page->told);
    buf_done(&page->texts);
    sigma_view_done(&page->view);
    mem_free(page->of_name);
    *page = (struct sheet_page){0};
}

void sheet_page_turn(struct sheet_page *page, const struct entry *entry,
                     const struct hunt_file *file)
{
    page->entry = entry;
    page->file = file;
    page->is_viewed = false;
    page->turn++;
    buf_reset(&page->told);
    buf_reset(&page->texts);
}

int sheet_page_view(struct sheet_page *page)
{
    bool is_table = page->sheet->kind == SHEET_KIND_TABLE; /* which shows no empty fields */
    int r = page->is_viewed ? 0 : sigma_view_turn(&page->view, page->entry, !is_table);

    page->is_viewed = r == 0;
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

static int put_field_table(const struct sheet_page *page, const struct entry_field *field,
                           struct buf *out)
{
    struct entry_field shown = *field;
    struct str text;
    int r;

    shown.value = str_slice(shown.value, 0, SHOWN_RAW_MAX);
    r = entry_field_text(&shown, page->arena, &text);
    if (r == 0) {
        (void)buf_put_text(out, "    ");
        (void)buf_put_plain(out, field->name);
        (void)buf_put_text(out, ": ");
        put_shown(text, out);
        (void)buf_put_byte(out, '\n');
    }
    return r;
}

/* In the entry's order, whichever names they have. */
static int put_fields_table(struct sheet_page *page, uint32_t rule, size_t limit, struct buf *out)
{
    const uint32_t *names;
    size_t asked = sigma_shown_names(page->sheet->shown, rule, &names);
    uint32_t at[SIGMA_SHOWN_MAX];
    size_t count = 0;
    int r = 0;

    for (size_t i = 0; i < asked; i++) {
        at[count] = sigma_view_first(&page->view, names[i]);
        count += at[count] != SIGMA_VIEW_END;
    }
    if (count == 0 && !page->entry->is_binary) {
        (void)buf_put_text(out, "    ");
        put_shown(str_trim(page->entry->raw), out);
        (void)buf_put_byte(out, '\n');
    }
    while (r == 0 && count != 0 && out->len < limit) {
        size_t least = 0;

        for (size_t i = 1; i < count; i++) {
            least = at[i] < at[least] ? i : least;
        }
        r = put_field_table(page, &page->entry->fields[at[least]], out);
        at[least] = sigma_view_next(&page->view, at[least]);
        if (at[least] == SIGMA_VIEW_END) {
            at[least] = at[--count];
        }
    }
    if (count != 0) {
        (void)buf_put_text(out, "    …\n");
    }
    return r;
}

static int put_match_table(struct sheet_page *page, uint32_t place, size_t limit, struct buf *out)
{
    const struct sheet *sheet = page->sheet;
    const struct sigma_rule *rule = &sheet->set->rules[place];
    const struct entry *entry = page->entry;

    arena_reset(page->arena); /* matches are as many as rules */
    sheet_put_time(sheet, entry->time, out);
    (void)buf_put_text(out, "  ");
    sheet_put_level(sheet, rule->level, out);
    (void)buf_put_plain(out, text_str(rule->title));
    (void)buf_put_text(out, entry->host.len != 0 ? "  · " : "");
    (void)buf_put_plain(out, entry->host);
    (void)buf_put_text(out, "  · ");
    (void)buf_put_plain(out, str_from(page->file->path));
    (void)buf_putf(out, ":%llu\n", (unsigned long long)entry->number);
    return put_fields_table(page, place, limit, out);
}

static int put_matches_table(struct sheet_page *page, const uint32_t *rules, size_t count,
                             struct buf *out)
{
    size_t limit = out->len + TOLD_FIELDS;
    int r = sheet_page_view(page);

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = put_match_table(page, rules[i], limit, out);
    }
    return r;
}

int sheet_put_matches(struct sheet_page *page, const uint32_t *rules, size_t count, struct buf *out)
{
    int r = 0;

    if (page->sheet->kind == SHEET_KIND_JSON) {
        r = sheet_json_matches(page, rules, count, out);
    } else if (page->sheet->kind == SHEET_KIND_TABLE) {
        r = put_matches_table(page, rules, count, out);
    }
    return r == 0 ? buf_error(out) : r;
}

/* ---- indicators */

static void put_hit_table(const struct sheet_page *page, const struct screen_hit *hit,
                          struct buf *out)
{
    const struct sheet *sheet = page->sheet;
    const struct entry *entry = page->entry;

    sheet_put_time(sheet, entry->time, out);
    (void)buf_put_text(out, "  ");
    sheet_put_level(sheet, SHEET_INDICATOR_LEVEL, out);
    (void)buf_putf(out, "%s: ", _("indicator"));
    (void)buf_put_plain(out, hit->hit.value);
    (void)buf_put_text(out, entry->host.len != 0 ? "  · " : "");
    (void)buf_put_plain(out, entry->host);
    (void)buf_put_text(out, "  · ");
    (void)buf_put_plain(out, str_from(page->file->path));
    (void)buf_putf(out, ":%llu\n    ", (unsigned long long)entry->number);
    (void)buf_put_plain(out, entry->fields[hit->field].name);
    (void)buf_put_text(out, ": ");
    put_shown(hit->found, out);
    (void)buf_put_byte(out, '\n');
}

int sheet_put_hits(struct sheet_page *page, const struct screen_hit *hits, size_t count,
                   struct buf *out)
{
    int r = 0;

    if (page->sheet->kind == SHEET_KIND_JSON) {
        r = sheet_json_hits(page, hits, count, out);
    }
    for (size_t i = 0; page->sheet->kind == SHEET_KIND_TABLE && i < count; i++) {
        put_hit_table(page, &hits[i], out);
    }
    return r == 0 ? buf_error(out) : r;
}

/* ---- correlations */

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
        sheet_json_correlated(sheet, correlated, places, out);
    } else if (sheet->kind == SHEET_KIND_TABLE) {
        put_correlated_table(sheet, correlated, places, out);
    }
    return buf_error(out);
}
