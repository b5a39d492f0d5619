/* From names to meanings: see codec/ndjson_tell.h; the tables are codec/ndjson_shapes. */
#include "codec/ndjson_tell.h"

#include "base/banned.h"
#include "codec/channels.h"
#include "codec/forms.h"
#include "codec/log_text.h"
#include "codec/ndjson_target.h"
#include "codec/ndjson_time.h"
#include "codec/syslog.h"

#include <string.h>

#define LAST_ROW UINT32_MAX

struct told {
    struct log_reading *reading;
    struct ndjson_teller *teller;
    struct ndjson_shape shape;
    struct str channel;
    struct str provider;
    struct str program;
    struct str message;
    struct str time;
    struct str host;
    struct str pair; /* the name for the next value */
    bool is_line;    /* the message is one of a log of its own */
    int32_t zone;
    unsigned time_row; /* of the table: the smallest so far decides which of several counts */
    unsigned host_row;
    unsigned kind_row;
    unsigned program_row;
};

static int told_text(struct told *told, const struct entry_field *field, struct str *ret_text)
{
    return entry_field_text(field, told->reading->arena, ret_text);
}

/* The text, unless a name of an upper row gave one. */
static int told_best(struct told *told, const struct entry_field *field, unsigned row,
                     unsigned *best, struct str *ret_text)
{
    if (row >= *best || field->value.len == 0) {
        return 0;
    }
    *best = row;
    return told_text(told, field, ret_text);
}

static int told_time(struct told *told, const struct entry_field *field, unsigned row, int32_t zone)
{
    if (row < told->time_row) {
        told->zone = zone;
    }
    return told_best(told, field, row, &told->time_row, &told->time);
}

static int told_kind(struct told *told, const struct entry_field *field, unsigned row)
{
    struct str product = told->shape.source.product;
    struct logsource source;

    if (row < told->kind_row && ndjson_shapes_kind(told->shape.family, field->value, &source)) {
        told->kind_row = row;
        told->shape.source = source;
        if (product.len > 0) { /* an operating system was named before */
            told->shape.source.product = product;
        }
    }
    return 0;
}

static int told_os(struct told *told, const struct entry_field *field)
{
    static const struct str products[] = {STR("linux"), STR("windows"), STR("macos")};

    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++) {
        if (str_is_nocase(products[i], field->value)) {
            told->shape.source.product = products[i];
        }
    }
    return 0;
}

static int told_pair(struct told *told, const struct entry_field *field)
{
    struct str name = told->pair;
    struct str value;
    int r = 0;

    told->pair = STR("");
    if (name.len > 0) {
        r = told_text(told, field, &value);
        r = r == 0 ? ndjson_target_add(told->reading, name, value) : r;
    }
    return r;
}

static int told_target(struct told *told, const struct entry_field *field, enum ndjson_role role)
{
    struct str text;
    int r = told_text(told, field, &text);

    if (r < 0) {
        return r;
    }
    return role == NDJSON_ROLE_URI ? ndjson_target_uri(told->reading, text)
                                   : ndjson_target_request(told->reading, text);
}

/* Syslog's numbers become its words. */
static void told_level(struct entry_field *field, enum ndjson_role role)
{
    struct str word = STR("");
    uint64_t number;

    if (str_to_u64(field->value, &number) == 0 && number <= SYSLOG_PRIORITY_MAX / 8) {
        word = role == NDJSON_ROLE_FACILITY ? syslog_facility((int)number * 8)
                                            : syslog_severity((int)number);
    }
    if (word.len > 0) {
        field->value = word;
        field->type = ENTRY_TYPE_TEXT;
    }
}

static int told_take(struct told *told, const struct entry_field *field, enum ndjson_role role,
                     unsigned row)
{
    switch (role) {
    case NDJSON_ROLE_TIME:
        return told_time(told, field, row, told->reading->zone);
    case NDJSON_ROLE_TIME_UTC:
        return told_time(told, field, row, 0);
    case NDJSON_ROLE_HOST:
        return told_best(told, field, row, &told->host_row, &told->host);
    case NDJSON_ROLE_PROGRAM:
        return told_best(told, field, row, &told->program_row, &told->program);
    case NDJSON_ROLE_KIND:
        return told_kind(told, field, row);
    case NDJSON_ROLE_OS:
        return told_os(told, field);
    case NDJSON_ROLE_CHANNEL:
        return told_text(told, field, &told->channel);
    case NDJSON_ROLE_PROVIDER:
        return told_text(told, field, &told->provider);
    case NDJSON_ROLE_LINE:
        told->is_line = true;
        return told_text(told, field, &told->message);
    case NDJSON_ROLE_MESSAGE:
        return told_text(told, field, &told->message);
    case NDJSON_ROLE_URI:
    case NDJSON_ROLE_REQUEST:
        return told_target(told, field, role);
    case NDJSON_ROLE_PAIR_NAME:
        return told_text(told, field, &told->pair);
    case NDJSON_ROLE_PAIR_VALUE:
        return told_pair(told, field);
    case NDJSON_ROLE_SEVERITY: /* see told_fields */
    case NDJSON_ROLE_FACILITY:
    case NDJSON_ROLE_NONE:
    case NDJSON_ROLE_COUNT:
        break;
    }
    return 0;
}

static bool field_is_whole(const struct entry_field *field)
{
    return field->type == NDJSON_TYPE_WHOLE;
}

static uint8_t further_kind(const struct ndjson_call *call, unsigned number)
{
    return number < NDJSON_KINDS_MAX ? call->further_kinds[number] : (uint8_t)FIELD_KIND_UNTOLD;
}

/* The same value under the names that further rows and spellings give it. */
static int told_more(struct told *told, struct entry_field field, const struct ndjson_call *call)
{
    struct log_reading *reading = told->reading;
    int r = 0;

    for (unsigned row = call->row + 1U; r == 0 && row <= call->row + (unsigned)call->more; row++) {
        field.name = ndjson_shapes_name(row);
        field.kind = further_kind(call, row - call->row - 1U);
        field.id = entry_names_find(reading->names, field.name);
        if (field.id != 0 || !field_is_whole(&field)) {
            r = entry_add(&reading->entry, &field);
        }
    }
    for (unsigned i = 0; r == 0 && i < call->also_count; i++) {
        field.id = call->also[i];
        field.kind = further_kind(call, call->more + i);
        field.name = entry_names_get(reading->names, field.id);
        r = entry_add(&reading->entry, &field);
    }
    return r;
}

/* An object as a whole stays only under names that somebody asks for. */
static void told_settle(struct entry *entry)
{
    size_t kept = 0;

    for (size_t i = 0; i < entry->count; i++) {
        struct entry_field *field = &entry->fields[i];

        if (!field_is_whole(field)) {
            entry->fields[kept++] = *field;
        } else if (field->id != 0) {
            entry->fields[kept] = *field;
            entry->fields[kept++].type = ENTRY_TYPE_TEXT;
        }
    }
    entry->count = kept;
}

static void path_call(const struct ndjson_paths *paths, enum ndjson_family family,
                      struct ndjson_path *path)
{
    if (path->is_known) {
        ndjson_shapes_call(family, path->name, paths->names, &path->call);
    } else {
        ndjson_shapes_call_unknown(family, path->name, &path->call);
    }
}

/* The entry's fields from `first` on. */
static int told_fields(struct told *told, size_t first)
{
    struct ndjson_paths *paths = &told->teller->paths;
    struct entry *entry = &told->reading->entry;
    size_t count = entry->count;
    bool has_whole = false;
    int r = 0;

    for (size_t i = first; r == 0 && i < count; i++) {
        struct ndjson_path *path = &paths->list[entry->fields[i].id];
        const struct ndjson_call *call = &path->call;
        struct entry_field field;

        if (call->family != told->shape.family) {
            path_call(paths, told->shape.family, path);
        }
        entry->fields[i].name = call->name;
        entry->fields[i].id = call->id;
        entry->fields[i].kind = call->field_kind;
        has_whole |= field_is_whole(&entry->fields[i]);
        if (call->role == NDJSON_ROLE_MESSAGE) { /* rsyslog's begins with a blank */
            entry->fields[i].value = str_trim(entry->fields[i].value);
        }
        if (call->role == NDJSON_ROLE_SEVERITY || call->role == NDJSON_ROLE_FACILITY) {
            told_level(&entry->fields[i], (enum ndjson_role)call->role);
        } else if (call->role != NDJSON_ROLE_NONE) {
            field = entry->fields[i]; /* fields that are added may move them */
            r = told_take(told, &field, (enum ndjson_role)call->role, call->row);
        }
        if (r == 0 && (call->more > 0 || call->also_count > 0)) {
            r = told_more(told, entry->fields[i], call);
        }
    }
    if (has_whole) {
        told_settle(entry);
    }
    return r;
}

static bool is_known(const struct logsource *source)
{
    return source->product.len > 0 || source->category.len > 0 || source->service.len > 0;
}

/* The record is a line of text in JSON's clothes: it is read as the line would be. */
static int told_message(struct told *told)
{
    struct entry *entry = &told->reading->entry;
    struct str message = str_trim(told->message);
    int r;

    log_resolve(told->reading);
    r = forms_read(told->reading, told->program, message);
    if (r < 0) {
        return r;
    }
    if (r == 0 && told->program.len == 0) { /* nobody's words */
        entry->source = (struct logsource){0};
    }
    return 0;
}

/* A line that is a record itself: its fields come behind the others, from *ret_first on. It stays 0
 * when it is none. */
static int told_walk(struct told *told, struct ndjson_tells *ret_tells, size_t *ret_first)
{
    struct entry *entry = &told->reading->entry;
    unsigned faults = entry->faults;
    size_t first = entry->count;
    struct ndjson_walk walk;
    int r;

    ndjson_walk_init(&walk, told->message, &told->teller->paths);
    r = ndjson_walk_record(&walk, entry);
    if (r < 0) {
        return r;
    }
    if (walk.is_broken) {
        entry->count = first;
        entry->faults = faults;
        return 0;
    }
    *ret_tells = walk.tells;
    *ret_first = first;
    return 0;
}

/* What a program, a shipper or a container runtime wrapped: a line that some format knows, or
 * words. */
static int told_words(struct told *told)
{
    int r = 0;

    if (told->message.len == 0) {
        return 0;
    }
    if (told->is_line) {
        r = ndjson_line_read(&told->teller->line, told->reading, told->message);
    }
    return r == 0 ? told_message(told) : r;
}

/* What the entry is, as far as the record in it did not say. */
static void told_entry(const struct told *told)
{
    struct entry *entry = &told->reading->entry;

    if (!is_known(&entry->source)) {
        entry->source = told->shape.source;
    }
    if (entry->time == 0) {
        (void)ndjson_time_read(told->time, told->zone, &entry->time);
    }
    if (entry->host.len == 0) {
        entry->host = told->host;
    }
}

static int told_start(struct told *told, struct log_reading *reading, struct ndjson_teller *teller,
                      const struct ndjson_tells *tells, size_t first)
{
    int r;

    *told = (struct told){
        .reading = reading,
        .teller = teller,
        .shape = ndjson_shapes_find(tells),
        .time_row = LAST_ROW,
        .host_row = LAST_ROW,
        .kind_row = LAST_ROW,
        .program_row = LAST_ROW,
    };
    r = told_fields(told, first);
    if (told->channel.len > 0 || told->provider.len > 0) {
        told->shape.source = channels_source(told->channel, told->provider);
    }
    return r;
}

/* The record from `first` on that stood in a line of another one. A line in it stays text. */
static int told_inner(struct log_reading *reading, struct ndjson_teller *teller,
                      const struct ndjson_tells *tells, size_t first)
{
    struct told told;
    int r = told_start(&told, reading, teller, tells, first);

    told.is_line = false;
    if (r == 0) {
        r = told_words(&told);
    }
    told_entry(&told);
    return r;
}

int ndjson_teller_init(struct ndjson_teller *teller, const struct entry_names *names)
{
    *teller = (struct ndjson_teller){0};
    return ndjson_paths_init(&teller->paths, names);
}

void ndjson_teller_done(struct ndjson_teller *teller)
{
    ndjson_paths_done(&teller->paths);
    ndjson_line_done(&teller->line);
}

int ndjson_tell(struct log_reading *reading, struct ndjson_teller *teller,
                const struct ndjson_tells *tells)
{
    struct entry *entry = &reading->entry;
    struct ndjson_tells inner;
    struct told told;
    size_t first = 0;
    int r = told_start(&told, reading, teller, tells, 0);

    if (r == 0 && told.is_line && str_has_prefix(told.message, STR("{"))) {
        r = told_walk(&told, &inner, &first);
    }
    if (r == 0) {
        r = first > 0 ? told_inner(reading, teller, &inner, first) : told_words(&told);
    }
    if (r < 0) {
        return r;
    }
    told_entry(&told);
    entry->faults |= entry->time == 0 ? ENTRY_FAULT_TIME : 0;
    return 0;
}
