/* Rows of forms.def and stamped.def compiled, once in the life of the process, into steps in tables
 * of fixed size: see codec/forms.h. */
#include "codec/forms_part.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "codec/log_text.h"

#include <threads.h>

#define STEPS_PER_ROW 6 /* on average */
#define SLOTS         2048
#define PAIRS_MAX     2048
#define PROGRAMS_MAX  256
#define COMMON        "*"

struct form_row {
    const char *programs; /* set where a program begins; constants is its service then */
    const char *pattern;
    const char *constants;
};

static const struct form_row form_rows[] = {
#define PROGRAM(programs, service) {programs, NULL, service},
#define FORM(pattern, constants)   {NULL, pattern, constants},
#include "codec/forms.def"
#undef PROGRAM
#undef FORM
};

static const struct form_row head_rows[] = {
#define STAMPED(pattern, constants) {NULL, pattern, constants},
#include "codec/stamped.def"
#undef STAMPED
};

#define ROWS (ARRAY_LEN(form_rows) + ARRAY_LEN(head_rows))

static struct {
    struct form forms[ROWS];
    struct form_key keys[ROWS];
    struct form_step steps[ROWS * STEPS_PER_ROW];
    struct form_constant constants[ROWS * 4];
    struct form_pair pairs[PAIRS_MAX];
    struct form_program programs[PROGRAMS_MAX];
    struct {
        struct str name;
        const struct form_program *program;
    } slots[SLOTS];
    struct form_program heads;
    size_t form_count;
    size_t step_count;
    size_t constant_count;
    size_t pair_count;
    size_t program_count;
    const char *bad;
} table;

static once_flag table_once = ONCE_FLAG_INIT;

static size_t program_slot(struct str name)
{
    uint64_t hash = form_word(name) * 0xff51afd7ed558ccdULL + name.len;
    size_t at;

    if (name.len > 8) {
        hash ^= form_word(str_slice(name, name.len - 8, name.len)) * 0xc4ceb9fe1a85ec53ULL;
    }
    at = (size_t)(hash >> 40) % SLOTS;
    while (table.slots[at].program != NULL && !log_is(table.slots[at].name, name)) {
        at = (at + 1) % SLOTS;
    }
    return at;
}

static bool compile_pairs(struct form_step *step, struct str text)
{
    struct str pair;

    step->kind = FORM_KIND_PAIRS;
    step->pairs = &table.pairs[table.pair_count];
    while (str_cut(&text, ',', &pair)) {
        struct form_pair *to = &table.pairs[table.pair_count];

        if (table.pair_count == PAIRS_MAX || step->pair_count == 64 ||
            !str_cut(&pair, ':', &to->key) || !log_name_find(pair, &to->name)) {
            return false;
        }
        table.pair_count++;
        step->pair_count++;
    }
    return true;
}

/* What stands between the braces. */
static bool compile_field(struct form_step *step, struct str text)
{
    step->name = LOG_NAME_COUNT;
    step->kind = FORM_KIND_WORD;
    if (str_is(text, STR("@"))) {
        step->kind = FORM_KIND_TIME;
        return true;
    }
    if (str_has_prefix(text, STR("="))) {
        return compile_pairs(step, str_slice(text, 1, text.len));
    }
    if (str_has_suffix(text, STR("**"))) {
        step->kind = FORM_KIND_LAST;
        text.len -= 2;
    } else if (str_has_suffix(text, STR("*"))) {
        step->kind = FORM_KIND_TEXT;
        text.len--;
    }
    if (text.len == 0) {
        return true;
    }
    if (!log_name_find(text, &step->name)) {
        return false;
    }
    step->is_address = step->name == LOG_NAME_SRC_IP || step->name == LOG_NAME_DST_IP;
    return true;
}

static bool compile_pattern(struct form *form, struct str rest)
{
    size_t at = str_find_byte(rest, '{');

    form->lead = str_slice(rest, 0, at);
    form->steps = &table.steps[table.step_count];
    rest = str_slice(rest, at, rest.len);
    while (rest.len > 0) {
        struct form_step *step = &table.steps[table.step_count];
        size_t close = str_find_byte(rest, '}');

        if (close == rest.len || table.step_count == ARRAY_LEN(table.steps) ||
            !compile_field(step, str_slice(rest, 1, close))) {
            return false;
        }
        rest = str_slice(rest, close + 1, rest.len);
        at = str_find_byte(rest, '{');
        step->literal = str_slice(rest, 0, at);
        if (at == 0 && rest.len > 0 && step->kind != FORM_KIND_TIME) {
            return false; /* two fields with nothing between them */
        }
        rest = str_slice(rest, at, rest.len);
        table.step_count++;
        form->step_count++;
    }
    return true;
}

static bool compile_constants(struct form *form, struct str text)
{
    struct str name;
    struct str value;

    form->constants = &table.constants[table.constant_count];
    while (text.len > 0 && str_cut(&text, ' ', &value)) {
        struct form_constant *to = &table.constants[table.constant_count];

        if (!str_cut(&value, '=', &name) || value.len == 0) {
            return false;
        }
        if (str_is(name, STR("category"))) {
            form->source.category = value;
        } else if (str_is(name, STR("product"))) {
            form->source.product = value;
        } else if (str_is(name, STR("service"))) {
            form->source.service = value;
        } else if (table.constant_count == ARRAY_LEN(table.constants) ||
                   !log_name_find(name, &to->name)) {
            return false;
        } else {
            to->value = value;
            table.constant_count++;
            form->constant_count++;
        }
    }
    return true;
}

static struct form_key key_of(struct str lead)
{
    struct form_key key = {{0}, {0}};

    for (size_t i = 0; i < 2; i++) {
        struct str part = str_slice(lead, 8 * i, lead.len);

        key.words[i] = form_word(part);
        key.masks[i] = part.len >= 8 ? UINT64_MAX : (1ULL << (8 * part.len)) - 1;
    }
    return key;
}

static void compile_row(const struct form_row *row, struct form_program *program)
{
    struct form *form = &table.forms[table.form_count];

    if (!compile_pattern(form, str_from(row->pattern)) ||
        !compile_constants(form, str_from(row->constants))) {
        table.bad = row->pattern;
        *form = (struct form){.lead = STR("\n")}; /* fits no line */
    }
    table.keys[table.form_count] = key_of(form->lead);
    if (program->count++ == 0) {
        program->forms = form;
        program->keys = &table.keys[table.form_count];
    }
    table.form_count++;
}

static struct form_program *compile_program(const struct form_row *row)
{
    struct form_program *program = &table.programs[table.program_count];
    struct str names = str_from(row->programs);
    struct str name;

    if (table.program_count == PROGRAMS_MAX - 1) {
        table.bad = row->programs; /* the last place is shared by all that find no other */
        return program;
    }
    table.program_count++;
    program->source = (struct logsource){STR("linux"), STR(""), str_from(row->constants)};
    while (str_cut(&names, ' ', &name)) {
        size_t at = program_slot(name);

        if (table.slots[at].program != NULL) {
            table.bad = row->programs;
        }
        table.slots[at].name = name;
        table.slots[at].program = program;
    }
    return program;
}

static void compile_table(void)
{
    struct form_program *program = &table.programs[PROGRAMS_MAX - 1];

    for (size_t i = 0; i < ARRAY_LEN(form_rows); i++) {
        if (form_rows[i].programs != NULL) {
            program = compile_program(&form_rows[i]);
        } else {
            compile_row(&form_rows[i], program);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(head_rows); i++) {
        compile_row(&head_rows[i], &table.heads);
        if (table.heads.forms[i].step_count == 0 ||
            table.heads.forms[i].steps[0].kind != FORM_KIND_TIME) {
            table.bad = head_rows[i].pattern;
        }
    }
}

const struct form_program *forms_program(struct str name)
{
    call_once(&table_once, compile_table);
    return table.slots[program_slot(name)].program;
}

const struct form_program *forms_common(void)
{
    return forms_program(STR(COMMON));
}

const struct form_program *forms_heads(void)
{
    call_once(&table_once, compile_table);
    return &table.heads;
}

size_t forms_check(const char **ret_bad)
{
    call_once(&table_once, compile_table);
    *ret_bad = table.bad;
    return table.bad != NULL ? 0 : table.form_count;
}

bool forms_make(struct str name, forms_value_fn *is_wanted, const void *context)
{
    call_once(&table_once, compile_table);
    for (size_t i = 0; i < table.constant_count; i++) {
        const struct form_constant *constant = &table.constants[i];

        if (str_is_nocase(log_names[constant->name], name) && is_wanted(context, constant->value)) {
            return true;
        }
    }
    return false;
}
