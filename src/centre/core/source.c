/* Sources of logs: counts of what came from each and of what became of it. Neighbours:
 * core/ingest.c (agents) and core/receive.c (senders) count, core/detect.c tells what became of an
 * entry, core/silence.c asks who is silent. Invariants: what is counted is written in the
 * transaction that the entry is acknowledged with, and taken for true only when that came to
 * something; entries = judged + unjudged, judged = matched + unmatched. */
#include "centre/core/source.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "centre/core/source_private.h"

#define SOURCE_PAGE     500
#define SOURCE_ARENA    (4U << 20) /* of a page of rows */
#define SOURCE_NAME_MAX LOGSOURCE_NAME_MAX
#define SOURCE_AWAY     (600 * NS_PER_S) /* we were: what was silent meanwhile is no news */
#define SOURCE_DATE_LEN 6                /* digits in a row, separators apart, that make a date */
#define SOURCE_NAMELESS "?"

int core_sources_new(struct core *core, uint64_t seed, struct core_sources **ret_sources)
{
    struct core_sources *sources = mem_alloc(1, sizeof(*sources));

    if (sources == NULL) {
        return -ERR_NOMEM;
    }
    sources->core = core;
    map_init(&sources->map, SOURCES_MAX, seed);
    list_init(&sources->dirty);
    list_init(&sources->alarms);
    *ret_sources = sources;
    return 0;
}

void core_sources_free(struct core_sources *sources)
{
    size_t cursor = 0;
    struct core_source *source;

    if (sources == NULL) {
        return;
    }
    while ((source = map_next(&sources->map, &cursor)) != NULL) {
        mem_free(source);
    }
    core_silence_done(sources);
    map_done(&sources->map);
    mem_free(sources);
}

static bool name_is_digit(struct str name, size_t at)
{
    return at < name.len && name.ptr[at] >= '0' && name.ptr[at] <= '9';
}

static bool name_is_separator(char byte)
{
    return byte == '-' || byte == '_' || byte == '.';
}

/* Bytes from `at` on that are a date, or a number as long as one: 0 when there is none. */
static size_t name_date(struct str name, size_t at)
{
    size_t end = at;
    size_t digits = 0;

    while (name_is_digit(name, end) ||
           (digits != 0 && end < name.len && name_is_separator(name.ptr[end]) &&
            name_is_digit(name, end + 1))) {
        digits += name_is_digit(name, end) ? 1 : 0;
        end++;
    }
    return digits >= SOURCE_DATE_LEN ? end - at : 0;
}

/* A file that has a new name each day is one source: dates in the last part of a path become "*".
 * Controls and what is not UTF-8 become "?". */
static size_t name_write(struct str from, char out[SOURCE_NAME_MAX])
{
    size_t base = from.len;
    size_t len = 0;

    while (base > 0 && from.ptr[base - 1] != '/') {
        base--;
    }
    for (size_t at = 0; at < from.len && len < SOURCE_NAME_MAX;) {
        size_t date = at >= base ? name_date(from, at) : 0;
        uint32_t rune = 0;
        size_t width = utf8_decode(str_slice(from, at, from.len), &rune);

        if (date == 0 && width > SOURCE_NAME_MAX - len) {
            break;
        }
        if (date != 0 || width == 0 || rune < ' ' || rune == 0x7f) {
            out[len++] = date != 0 ? '*' : '?';
        } else {
            memcpy(out + len, from.ptr + at, width);
            len += width;
        }
        at += date != 0 ? date : width == 0 ? 1 : width;
    }
    return len;
}

static struct str event_text(const struct event *event, enum event_field_id id)
{
    const struct event_field *field = event_find(event, id);

    return field != NULL ? field->text : STR("");
}

static size_t source_key(const struct core_host *host, struct str name, char key[SOURCE_KEY_MAX])
{
    memcpy(key, host->id.bytes, sizeof(host->id.bytes));
    memcpy(key + sizeof(host->id.bytes), name.ptr, name.len);
    return sizeof(host->id.bytes) + name.len;
}

static struct core_source *source_find(const struct core_sources *sources,
                                       const struct core_host *host, struct str name)
{
    char key[SOURCE_KEY_MAX];
    size_t len = source_key(host, name, key);

    return map_get(&sources->map, str_of(key, len));
}

static int source_add(struct core_sources *sources, struct core_host *host, struct str name,
                      struct core_source **ret_source)
{
    struct core_source *source = mem_alloc(1, sizeof(*source));
    int r;

    if (source == NULL) {
        return -ERR_NOMEM;
    }
    source->host = host;
    source->key_len = source_key(host, name, source->key);
    source->row.host = host->id;
    source->row.name = str_of(source->key + sizeof(host->id.bytes), name.len);
    list_init(&source->dirty_node);
    r = map_put(&sources->map, str_of(source->key, source->key_len), source);
    if (r < 0) {
        mem_free(source);
        return r;
    }
    host->sources++;
    *ret_source = source;
    return 0;
}

/* Nothing proves a sender's names, of hosts or of programs. */
static bool source_has_room(const struct core_sources *sources, const struct core_host *host)
{
    return host->via == NULL || map_count(&sources->map) < SOURCES_SENDERS;
}

/* The source of that name, or the others of its host when it has too many. *ret_source is NULL when
 * there is room for neither. */
static int source_get(struct core_sources *sources, struct core_host *host, struct str name,
                      struct core_source **ret_source)
{
    struct core_source *source = source_find(sources, host, name);
    int r = 0;

    if (source == NULL && host->sources >= SOURCES_EACH) {
        name = STR(LOGSOURCE_OTHERS);
        source = source_find(sources, host, name);
    }
    if (source == NULL) {
        r = source_has_room(sources, host) ? source_add(sources, host, name, &source) : -ERR_LIMIT;
    }
    if (r == -ERR_LIMIT) {
        if (!sources->is_full) {
            log_error("there are too many sources of logs: new ones are not counted");
        }
        sources->is_full = true;
        r = 0;
    }
    *ret_source = source;
    return r;
}

/* Of an entry: what it was read from, else its format. */
static struct str source_name(const struct event *event, char out[SOURCE_NAME_MAX])
{
    struct str path = event_text(event, EVENT_FIELD_LOG_FILE_PATH);
    size_t len =
        name_write(path.len != 0 ? path : event_text(event, EVENT_FIELD_EVENT_MODULE), out);
    struct str name = str_of(out, len);

    return len == 0 || str_is_text(name, LOGSOURCE_OTHERS) ? STR(SOURCE_NAMELESS) : name;
}

static bool source_is_last(const struct core_sources *sources, const struct core_host *host,
                           struct str path)
{
    return sources->last != NULL && sources->last_host == host && path.len != 0 &&
           str_is(path, str_of(sources->last_path, sources->last_len));
}

static void source_set_last(struct core_sources *sources, const struct core_host *host,
                            struct str path, struct core_source *source)
{
    sources->last = path.len <= sizeof(sources->last_path) ? source : NULL;
    if (sources->last != NULL) {
        memcpy(sources->last_path, path.ptr, path.len);
        sources->last_len = path.len;
        sources->last_host = host;
    }
}

struct core_source *core_source_of(struct core *core, const struct core_host *host,
                                   const struct event *event)
{
    struct core_sources *sources = core->sources;
    char name[SOURCE_NAME_MAX];
    struct core_source *source;

    if (source_is_last(sources, host, event_text(event, EVENT_FIELD_LOG_FILE_PATH))) {
        return sources->last;
    }
    source = source_find(sources, host, source_name(event, name));
    return source != NULL ? source : source_find(sources, host, STR(LOGSOURCE_OTHERS));
}

void core_source_touch(struct core_sources *sources, struct core_source *source)
{
    if (!source->is_dirty) {
        source->is_dirty = true;
        list_append(&sources->dirty, &source->dirty_node);
    }
}

static void source_count(struct core_sources *sources, struct core_source *source,
                         const struct event *event)
{
    struct source_news *news = &source->news;
    int64_t now = clock_wall(sources->core->options.clock);

    news->first = news->first == 0 ? now : news->first;
    news->last = now;
    news->entries++;
    news->bytes += event_text(event, EVENT_FIELD_EVENT_ORIGINAL).len;
    core_source_touch(sources, source);
}

static void source_set_format(struct core_source *source, struct str format)
{
    size_t len = format.len < LOGSOURCE_FORMAT_MAX ? format.len : LOGSOURCE_FORMAT_MAX;

    memcpy(source->format, format.ptr, len);
    source->row.format = str_of(source->format, utf8_valid_prefix(str_of(source->format, len)));
}

/* The source of an entry, made if need be, with the row for the whole of its sender. NULL when
 * there is no room for it. */
static int source_take(struct core_sources *sources, struct core_host *host,
                       const struct event *event, struct core_source **ret_source)
{
    struct str path = event_text(event, EVENT_FIELD_LOG_FILE_PATH);
    char name[SOURCE_NAME_MAX];
    int r;

    if (source_is_last(sources, host, path)) {
        *ret_source = sources->last;
        return 0;
    }
    r = source_get(sources, host, source_name(event, name), ret_source);
    if (r == 0 && *ret_source != NULL && host->via != NULL && (*ret_source)->whole == NULL) {
        r = source_get(sources, host, STR(LOGSOURCE_WHOLE), &(*ret_source)->whole);
    }
    source_set_last(sources, host, path, r == 0 ? *ret_source : NULL);
    return r;
}

int core_source_count(struct core *core, struct core_host *host, const struct event *event)
{
    struct core_source *source = NULL;
    int r = source_take(core->sources, host, event, &source);

    if (r == 0 && source != NULL) {
        source_set_format(source, event_text(event, EVENT_FIELD_EVENT_MODULE));
        source_count(core->sources, source, event);
        if (source->whole != NULL) {
            source_count(core->sources, source->whole, event);
        }
    }
    return r;
}

int core_source_dropped(struct core *core, struct core_host *host, const struct event *event)
{
    struct core_source *source = NULL;
    int r = source_take(core->sources, host, event, &source);

    for (; r == 0 && source != NULL; source = source->whole) {
        source->news.dropped++;
        core_source_touch(core->sources, source);
    }
    return r;
}

void core_source_unjudged(struct core_source *source)
{
    for (; source != NULL; source = source->whole) {
        source->news.unjudged++;
    }
}

void core_source_matched(struct core_source *source)
{
    for (; source != NULL; source = source->whole) {
        source->news.matched++;
    }
}

void core_source_faulty(struct core_source *source)
{
    for (; source != NULL; source = source->whole) {
        source->news.faulty++;
    }
}

int64_t core_source_deaf(const struct core_sources *sources, const struct core_source *source)
{
    int64_t deaf = source->host->deaf;

    return deaf > sources->deaf ? deaf : sources->deaf;
}

/* Puts what the open batch brought into a row and what is remembered of its silences. */
static void source_apply(const struct core_sources *sources, const struct core_source *source,
                         struct store_logsource *row, struct silence *silence)
{
    const struct source_news *news = &source->news;

    row->entries += news->entries;
    row->bytes += news->bytes;
    row->faulty += news->faulty;
    row->unjudged += news->unjudged;
    row->matched += news->matched;
    row->dropped += news->dropped;
    row->muted = source->muted;
    row->alert = source->alarm != NULL ? source->alarm->alert : 0;
    if (news->first != 0) {
        bool was_told = source->kept != NULL || source->row.muted != 0;

        row->first = row->first == 0 ? news->first : row->first;
        row->last = news->last > row->last ? news->last : row->last;
        tally_add(&row->tally, news->last, news->entries);
        silence_hear(silence, news->first, core_source_deaf(sources, source), was_told);
        silence_hear(silence, news->last, 0, false);
        row->gap = silence_gap(silence);
    }
}

static int source_settle(struct core_sources *sources, struct core_source *source)
{
    struct store_logsource row = source->row;
    struct silence silence = source->silence;
    uint8_t bytes[SILENCE_SIZE];
    int r = 0;

    if (source->alarm != NULL && source->news.first != 0) {
        r = core_silence_end(sources, source, "true: the source speaks again");
    }
    source_apply(sources, source, &row, &silence);
    silence_write(&silence, bytes);
    row.silence = str_of((const char *)bytes, sizeof(bytes));
    return r < 0 ? r : store_logsource_put(sources->core->options.store, &row, &source->number);
}

int core_sources_settle(struct core *core)
{
    struct core_sources *sources = core->sources;
    int r = 0;

    LIST_EACH (node, &sources->dirty) {
        r = r < 0 ? r : source_settle(sources, LIST_ENTRY(node, struct core_source, dirty_node));
    }
    return r;
}

/* The batch is over, one way or the other. */
static void source_clean(struct core_source *source)
{
    source->news = (struct source_news){0};
    source->number = 0;
    source->is_dirty = false;
    list_remove(&source->dirty_node);
}

void core_sources_keep(struct core *core)
{
    struct core_sources *sources = core->sources;

    LIST_EACH (node, &sources->dirty) {
        struct core_source *source = LIST_ENTRY(node, struct core_source, dirty_node);

        source_apply(sources, source, &source->row, &source->silence);
        source->row.number = source->number;
        source->kept = source->alarm;
        source_clean(source);
        sources->has_news = true;
    }
    core_silence_tidy(sources);
}

void core_sources_forget(struct core *core)
{
    struct core_sources *sources = core->sources;

    LIST_EACH (node, &sources->dirty) {
        struct core_source *source = LIST_ENTRY(node, struct core_source, dirty_node);

        if (source->alarm != source->kept) {
            source->alarm != NULL ? source->alarm->silent-- : 0;
            source->kept != NULL ? source->kept->silent++ : 0;
            source->alarm = source->kept;
        }
        source->muted = source->row.muted;
        source_clean(source);
    }
    core_silence_tidy(sources);
}

void core_sources_sweep(struct core_sources *sources)
{
    size_t cursor = 0;
    struct core_source *source;

    sources->last = NULL;
    while ((source = map_next(&sources->map, &cursor)) != NULL) {
        if (source->host->is_gone) {
            (void)map_remove(&sources->map, str_of(source->key, source->key_len));
            mem_free(source);
        }
    }
}

static int source_load(struct core_sources *sources, const struct store_logsource *row)
{
    struct core_host *host = core_host_by_id(sources->core, &row->host);
    struct core_source *source;
    struct str name = str_slice(row->name, 0, SOURCE_NAME_MAX);
    int r = host != NULL ? source_add(sources, host, name, &source) : -ERR_NOENT;

    if (r < 0) {
        return r == -ERR_NOENT || r == -ERR_LIMIT ? 0 : r;
    }
    name = source->row.name;
    silence_read(row->silence, &source->silence);
    source->row = *row;
    source->row.name = name;
    source->row.silence = STR("");
    source->row.muted_by = source->row.muted_why = STR("");
    source->muted = row->muted;
    source_set_format(source, row->format);
    return row->alert != 0 ? core_silence_resume(sources, source) : 0;
}

/* Since anybody was heard last we were away. heard: when the last entry came. */
static void sources_set_deaf(struct core_sources *sources, int64_t heard)
{
    int64_t now = clock_wall(sources->core->options.clock);
    size_t cursor = 0;
    const struct core_host *host;

    while ((host = map_next(&sources->core->hosts_by_id, &cursor)) != NULL) {
        heard = host->seen > heard && host->seen <= now ? host->seen : heard;
    }
    sources->deaf = now - heard > SOURCE_AWAY ? now : 0;
}

int core_sources_load(struct core *core)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct store_logsource *rows;
    size_t count = SOURCE_PAGE;
    uint64_t after = 0;
    int64_t heard = 0;
    int r = arena_new(SOURCE_ARENA, &arena);

    while (r == 0 && count == SOURCE_PAGE) {
        arena_reset(arena);
        r = store_logsource_load(core->options.store, after, SOURCE_PAGE, arena, &rows, &count);
        for (size_t i = 0; r == 0 && i < count; i++) {
            r = source_load(core->sources, &rows[i]);
            heard = rows[i].last > heard ? rows[i].last : heard;
            after = rows[i].number;
        }
    }
    sources_set_deaf(core->sources, heard);
    return r;
}

struct core_source *core_source_by_number(struct core_sources *sources, uint64_t number)
{
    size_t cursor = 0;
    struct core_source *source;

    while ((source = map_next(&sources->map, &cursor)) != NULL && source->row.number != number) {
    }
    return source;
}
