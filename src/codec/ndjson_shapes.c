/* The kinds of JSON logs as tables: see codec/ndjson_shapes.def. */
#include "codec/ndjson_shapes.h"

#include "base/banned.h"

#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Each table below takes its rows out of the one list: the others' are empty then. */
#define FAMILY(family, traits, product, category, service)
#define SHAPE(family, tells, kind)
#define FALLS(family, front)
#define ALSO(family, front)
#define NAME(family, from, to, role)
#define SOURCE(family, kind, product, category, service)

enum tell_number {
#define TELL(tell, name) TELL_##tell,
#include "codec/ndjson_shapes.def"
#undef TELL
    TELL_COUNT,
};

_Static_assert(TELL_COUNT <= 128, "tells are bits of two words");

static const struct str tell_names[] = {
#define TELL(tell, name) STR(name),
#include "codec/ndjson_shapes.def"
#undef TELL
};
#define TELL(tell, name)

#undef SHAPE
#define SHAPE(shape, needed, said) {(needed), STR(said), NDJSON_FAMILY_##shape},
#define T(tell)                    ((unsigned __int128)1 << TELL_##tell)
static const struct shape_row {
    unsigned __int128 tells;
    struct str kind;
    uint8_t family;
} shape_rows[] = {
#include "codec/ndjson_shapes.def"
};
#undef SHAPE
#define SHAPE(family, tells, kind)

enum name_kind {
    NAME_KIND_WHOLE,
    NAME_KIND_FALLS,
    NAME_KIND_ALSO,
};

#undef NAME
#undef FALLS
#undef ALSO
#define NAME(whose, name, called, means)                                                           \
    {STR(name), STR(called), NDJSON_FAMILY_##whose, NDJSON_ROLE_##means, NAME_KIND_WHOLE},
#define FALLS(whose, front)                                                                        \
    {STR(front), STR(""), NDJSON_FAMILY_##whose, NDJSON_ROLE_NONE, NAME_KIND_FALLS},
#define ALSO(whose, front)                                                                         \
    {STR(front), STR(""), NDJSON_FAMILY_##whose, NDJSON_ROLE_NONE, NAME_KIND_ALSO},
/* In one list, because their order counts. */
static const struct name_row {
    struct str from;
    struct str to;
    uint8_t family;
    uint8_t role;
    uint8_t kind;
} name_rows[] = {
#include "codec/ndjson_shapes.def"
};
#undef NAME
#define NAME(family, from, to, role)
/* Those of them that take fronts off. */
static const struct name_row front_rows[] = {
#include "codec/ndjson_shapes.def"
};
#undef FALLS
#undef ALSO
#define FALLS(family, front)
#define ALSO(family, front)

#undef SOURCE
#define SOURCE(whose, value, product, category, service)                                           \
    {STR(value), {STR(product), STR(category), STR(service)}, NDJSON_FAMILY_##whose},
static const struct source_row {
    struct str kind;
    struct logsource source;
    uint8_t family;
} source_rows[] = {
#include "codec/ndjson_shapes.def"
};
#undef SOURCE
#define SOURCE(family, kind, product, category, service)

#undef FAMILY
#define FAMILY(family, traits, product, category, service)                                         \
    [NDJSON_FAMILY_##family] = {{STR(product), STR(category), STR(service)}, (traits)},
static const struct family_row {
    struct logsource source;
    unsigned traits;
} family_rows[] = {
#include "codec/ndjson_shapes.def"
};

struct ndjson_tells ndjson_shapes_tells(struct str name)
{
    struct ndjson_tells tells = {0};

    for (size_t tell = 0; tell < COUNT(tell_names); tell++) {
        if (tell_names[tell].len == name.len && str_is(tell_names[tell], name)) {
            tells.bits[tell / 64] = 1ULL << (tell % 64);
        }
    }
    return tells;
}

static const struct str wrappers[] = {STR("_source"), STR("result")};

bool ndjson_shapes_is_wrapper(struct str name)
{
    for (size_t i = 0; i < COUNT(wrappers); i++) {
        if (str_is(wrappers[i], name)) {
            return true;
        }
    }
    return false;
}

void ndjson_shapes_each(ndjson_shapes_fn *fn, void *context)
{
    for (size_t i = 0; i < COUNT(tell_names); i++) {
        fn(context, tell_names[i]);
    }
    for (size_t i = 0; i < COUNT(wrappers); i++) {
        fn(context, wrappers[i]);
    }
    for (size_t i = 0; i < COUNT(name_rows); i++) {
        if (name_rows[i].kind == NAME_KIND_WHOLE) {
            fn(context, name_rows[i].from);
        }
    }
}

unsigned ndjson_shapes_parts_max(void)
{
    unsigned parts[NDJSON_FAMILY_COUNT] = {0};
    unsigned most = 0;

    for (size_t i = 0; i < COUNT(front_rows); i++) {
        unsigned *count = &parts[front_rows[i].family];

        for (size_t at = 0; at < front_rows[i].from.len; at++) {
            *count += front_rows[i].from.ptr[at] == '.';
        }
        most = *count > most ? *count : most;
    }
    return most + parts[NDJSON_FAMILY_ANY];
}

struct ndjson_shape ndjson_shapes_find(const struct ndjson_tells *tells)
{
    unsigned __int128 met = (unsigned __int128)tells->bits[1] << 64 | tells->bits[0];
    struct ndjson_shape shape = {.family = NDJSON_FAMILY_ANY};
    struct str kind = STR("");

    for (size_t i = 0; i < COUNT(shape_rows); i++) {
        if ((shape_rows[i].tells & ~met) == 0) {
            shape.family = (enum ndjson_family)shape_rows[i].family;
            kind = shape_rows[i].kind;
            break;
        }
    }
    shape.source = family_rows[shape.family].source;
    if (kind.len > 0) {
        (void)ndjson_shapes_kind(shape.family, kind, &shape.source);
    }
    return shape;
}

/* How much of the name the front takes, 0: it does not stand there. A "*" takes one part. */
static size_t front_len(struct str front, struct str name)
{
    size_t at = 0;

    for (size_t i = 0; i < front.len; i++) {
        if (front.ptr[i] == '*') {
            at += str_find_byte(str_slice(name, at, name.len), '.');
        } else if (at < name.len && name.ptr[at] == front.ptr[i]) {
            at++;
        } else {
            return 0;
        }
    }
    return at < name.len ? at : 0;
}

static void call_add(struct ndjson_call *call, const struct entry_names *names, struct str name)
{
    uint32_t id = entry_names_find(names, name);

    if (id != 0 && id != call->id && call->also_count < NDJSON_ALSO_MAX) {
        call->also[call->also_count++] = id;
    }
}

/* Other spellings by which rules may know a name. */
static void call_spell(struct ndjson_call *call, unsigned traits, const struct entry_names *names,
                       struct str name)
{
    char text[ENTRY_NAME_MAX];
    size_t squeezed = 0;

    if (name.len == 0 || name.len > sizeof(text)) {
        return;
    }
    memcpy(text, name.ptr, name.len);
    if ((traits & NDJSON_CAPITALS) != 0 && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = (char)(text[0] - 'a' + 'A');
        call_add(call, names, str_of(text, name.len));
    }
    if ((traits & NDJSON_SPACES) != 0 && memchr(text, ' ', name.len) != NULL) {
        for (size_t i = 0; i < name.len; i++) {
            text[i] = text[i] == ' ' ? '_' : text[i];
        }
        call_add(call, names, str_of(text, name.len));
        for (size_t i = 0; i < name.len; i++) {
            if (name.ptr[i] != ' ') {
                text[squeezed++] = name.ptr[i];
            }
        }
        call_add(call, names, str_of(text, squeezed));
    }
}

/* The family's first row: rows stand in the order of their families. */
static size_t row_first(enum ndjson_family family)
{
    size_t low = 0;
    size_t high = COUNT(name_rows);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (name_rows[middle].family < family) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A name under its family's rows; the row's number, or COUNT(name_rows). *name loses its fronts,
 * and *ret_also is what it is besides. */
static size_t row_find(enum ndjson_family family, struct str *name, struct str *ret_also)
{
    for (size_t row = row_first(family); row < COUNT(name_rows) && name_rows[row].family == family;
         row++) {
        const struct name_row *at = &name_rows[row];
        size_t front;

        if (at->kind == NAME_KIND_WHOLE) {
            if (at->from.len == name->len && str_is(at->from, *name)) {
                return row;
            }
            continue;
        }
        front = front_len(at->from, *name);
        if (at->kind == NAME_KIND_FALLS) {
            *name = str_slice(*name, front, name->len);
        } else if (front > 0) {
            *ret_also = str_slice(*name, front, name->len);
        }
    }
    return COUNT(name_rows);
}

/* How many rows behind this one are for the same name. */
static uint16_t row_more(size_t row)
{
    uint16_t more = 0;

    for (size_t next = row + 1; next < COUNT(name_rows); next++, more++) {
        if (name_rows[next].kind != NAME_KIND_WHOLE ||
            name_rows[next].family != name_rows[row].family ||
            !str_is(name_rows[next].from, name_rows[row].from)) {
            break;
        }
    }
    return more;
}

static void call_tell_kinds(struct ndjson_call *call, const struct entry_names *names)
{
    unsigned count = call->more + (unsigned)call->also_count;

    call->field_kind = (uint8_t)field_kind_of(call->name);
    for (unsigned i = 0; i < count && i < NDJSON_KINDS_MAX; i++) {
        struct str name = i < call->more ? ndjson_shapes_name(call->row + 1U + i)
                                         : entry_names_get(names, call->also[i - call->more]);

        call->further_kinds[i] = (uint8_t)field_kind_of(name);
    }
}

void ndjson_shapes_call(enum ndjson_family family, struct str name, const struct entry_names *names,
                        struct ndjson_call *ret_call)
{
    struct ndjson_call call = {.family = (uint8_t)family};
    struct str also = STR("");
    size_t row = row_find(family, &name, &also);

    if (row == COUNT(name_rows) && family != NDJSON_FAMILY_ANY) {
        row = row_find(NDJSON_FAMILY_ANY, &name, &also);
    }
    call.name = name;
    call.row = (uint16_t)row;
    if (row < COUNT(name_rows)) {
        call.more = row_more(row);
        call.role = name_rows[row].role;
        call.name = name_rows[row].to.len > 0 ? name_rows[row].to : name;
    }
    call.id = entry_names_find(names, call.name);
    if (also.len > 0) {
        call_add(&call, names, also);
        call_spell(&call, family_rows[family].traits, names, also);
    }
    call_spell(&call, family_rows[family].traits, names, name);
    call_tell_kinds(&call, names);
    *ret_call = call;
}

void ndjson_shapes_call_unknown(enum ndjson_family family, struct str name,
                                struct ndjson_call *ret_call)
{
    for (size_t i = 0; i < COUNT(front_rows); i++) {
        const struct name_row *row = &front_rows[i];

        if ((row->family == family || row->family == NDJSON_FAMILY_ANY) &&
            row->kind == NAME_KIND_FALLS) {
            name = str_slice(name, front_len(row->from, name), name.len);
        }
    }
    *ret_call = (struct ndjson_call){
        .name = name,
        .family = (uint8_t)family,
        .row = COUNT(name_rows),
        .field_kind = (uint8_t)field_kind_of(name),
    };
}

struct str ndjson_shapes_name(unsigned row)
{
    return name_rows[row].to.len > 0 ? name_rows[row].to : name_rows[row].from;
}

static struct str said_or(struct str said, struct str other)
{
    return said.len > 0 ? said : other;
}

bool ndjson_shapes_kind(enum ndjson_family family, struct str kind, struct logsource *ret_source)
{
    const struct family_row *base = &family_rows[family];

    for (size_t i = 0; i < COUNT(source_rows); i++) {
        const struct source_row *row = &source_rows[i];

        if (row->family == family && str_is_nocase(row->kind, kind)) {
            *ret_source = (struct logsource){
                .product = said_or(row->source.product, base->source.product),
                .category = said_or(row->source.category, base->source.category),
                .service = said_or(row->source.service, base->source.service),
            };
            return true;
        }
    }
    if ((base->traits & NDJSON_KIND_IS_SERVICE) != 0 && kind.len > 0) {
        *ret_source = base->source;
        ret_source->service = kind;
        return true;
    }
    return false;
}
