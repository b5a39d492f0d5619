/* Messages against the forms of their program: see codec/forms.h. Neighbours: syslog_format.c and
 * stamped.c hand lines in. Invariant: a row that does not fit leaves no field behind. */
#include "codec/forms.h"

#include "base/banned.h"
#include "base/err.h"
#include "codec/forms_part.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

#define TRIES_MAX   16          /* places where one field may end */
#define MESSAGE_MAX (16u << 10) /* bytes that are looked at: time for a hostile one is bounded */

static void drop(struct str *rest, size_t len)
{
    rest->ptr += len;
    rest->len -= len;
}

/* The last place of the literal in the text; text.len + 1 when there is none. */
static size_t last_length(struct str text, struct str literal)
{
    size_t at = text.len;

    if (literal.len == 0) {
        return at;
    }
    while (at > 0 && text.ptr != NULL) {
        const char *hit = memrchr(text.ptr, literal.ptr[0], at);

        if (hit == NULL) {
            break;
        }
        at = (size_t)(hit - text.ptr);
        if (log_starts(str_slice(text, at, text.len), literal)) {
            return at;
        }
    }
    return text.len + 1;
}

/* Length of the word that ends where the literal begins, at its last place in the word (an IPv6
 * address has colons before the one of its port); text.len + 1 when it does not fit. */
static size_t word_length(struct str text, struct str literal)
{
    size_t end = str_find_byte(text, ' ');
    struct str reach = str_slice(text, 0, end + literal.len);
    size_t at;

    if (literal.len == 0) {
        return end;
    }
    if (literal.ptr[0] == ' ') {
        return log_starts(str_slice(text, end, text.len), literal) ? end : text.len + 1;
    }
    at = last_length(reach, literal);
    return at <= reach.len ? at : text.len + 1;
}

static size_t text_length(struct str text, struct str literal)
{
    size_t at = literal.len == 0 ? text.len : str_find(text, literal);

    return at == text.len && literal.len != 0 ? text.len + 1 : at;
}

/* Length of the step's field at the front of the text; text.len + 1 when it does not fit. */
static size_t step_length(const struct form_step *step, struct log_reading *reading,
                          struct str text)
{
    size_t len;

    switch (step->kind) {
    case FORM_KIND_WORD:
        len = word_length(text, step->literal);
        return len == 0 ? text.len + 1 : len;
    case FORM_KIND_TEXT:
        return text_length(text, step->literal);
    case FORM_KIND_LAST:
        break; /* take_last's */
    case FORM_KIND_TIME:
        len = log_time_take(text, reading, &reading->entry.time);
        return len != 0 && log_starts(str_slice(text, len, text.len), step->literal) ? len
                                                                                     : text.len + 1;
    case FORM_KIND_PAIRS:
        return text.len;
    }
    return text.len + 1;
}

static int add_value(struct log_reading *reading, enum log_name name, struct str value)
{
    while (value.len > 0 && value.ptr[value.len - 1] == ' ') {
        value.len--;
    }
    if (value.len == 0) {
        return 0;
    }
    return name == LOG_NAME_SRC_IP || name == LOG_NAME_DST_IP
               ? log_add_address(reading, name, value)
               : log_add(reading, name, value);
}

/* The value behind a key's '=': in quotes, in angles, or up to a space. */
static struct str take_pair_value(struct str *rest)
{
    char open = rest->len == 0 ? 0 : rest->ptr[0];
    char close = open == '"' ? '"' : 0;
    struct str value;
    size_t len;

    close = open == '<' ? '>' : close;
    if (close != 0) {
        len = str_find_byte(str_slice(*rest, 1, rest->len), close);
        value = str_slice(*rest, 1, 1 + len);
        drop(rest, len + 2 <= rest->len ? len + 2 : rest->len);
        return value;
    }
    len = str_find_byte(*rest, ' ');
    value = str_slice(*rest, 0, len);
    drop(rest, len);
    while (value.len > 0 && (value.ptr[value.len - 1] == ',' || value.ptr[value.len - 1] == ';')) {
        value.len--;
    }
    return value;
}

struct form_value {
    struct str key;
    struct str value;
};

static int add_pair(const struct form_step *step, struct log_reading *reading, uint64_t *seen,
                    struct form_value pair)
{
    for (size_t i = 0; i < step->pair_count; i++) {
        if (log_is(pair.key, step->pairs[i].key)) {
            bool is_first = (*seen >> i & 1) == 0;

            *seen |= 1ULL << i;
            return is_first ? add_value(reading, step->pairs[i].name, pair.value) : 0;
        }
    }
    return 0;
}

/* The first value of a key stands: what a stranger puts into a later one does not replace it. */
static int add_pairs(const struct form_step *step, struct log_reading *reading, struct str rest)
{
    uint64_t seen = 0;

    while (rest.len > 0) {
        size_t at = 0;
        struct str key;
        struct str value;

        while (at < rest.len && rest.ptr[at] != '=' && rest.ptr[at] != ' ') {
            at++;
        }
        key = str_slice(rest, 0, at);
        if (at == rest.len || rest.ptr[at] == ' ') {
            drop(&rest, at < rest.len ? at + 1 : at);
            continue;
        }
        drop(&rest, at + 1);
        value = take_pair_value(&rest);
        if (add_pair(step, reading, &seen, (struct form_value){key, value}) < 0) {
            return -ERR_NOMEM;
        }
    }
    return 0;
}

static int take_steps(const struct form *form, struct log_reading *reading, size_t from,
                      struct str rest);

/* A field that ends at the last place from which the rest fits.
 * NOLINTNEXTLINE(misc-no-recursion): no deeper than the row has steps */
static int take_last(const struct form *form, struct log_reading *reading, size_t at,
                     struct str rest)
{
    const struct form_step *step = &form->steps[at];
    size_t count = reading->entry.count;
    size_t len = last_length(rest, step->literal);
    int r = 0;

    for (unsigned tries = 0; len <= rest.len && tries < TRIES_MAX; tries++) {
        struct str behind = str_slice(rest, len + step->literal.len, rest.len);

        reading->entry.count = count;
        r = step->name == LOG_NAME_COUNT ? 0
                                         : add_value(reading, step->name, str_slice(rest, 0, len));
        r = r < 0 ? r : take_steps(form, reading, at + 1, behind);
        if (r != 0 || len == 0 || step->literal.len == 0) {
            return r;
        }
        behind = str_slice(rest, 0, len + step->literal.len - 1);
        len = last_length(behind, step->literal);
        if (len > behind.len) {
            return 0;
        }
    }
    return 0;
}

/* 1: the steps from that one on fit, 0: they do not, or a negative error; fields may be left
 * behind. NOLINTNEXTLINE(misc-no-recursion): no deeper than the row has steps */
static int take_steps(const struct form *form, struct log_reading *reading, size_t from,
                      struct str rest)
{
    for (size_t i = from; i < form->step_count; i++) {
        const struct form_step *step = &form->steps[i];
        size_t len;
        int r = 0;

        if (step->kind == FORM_KIND_LAST) {
            return take_last(form, reading, i, rest);
        }
        len = step_length(step, reading, rest);
        if (len > rest.len) {
            return 0;
        }
        if (step->kind == FORM_KIND_PAIRS) {
            r = add_pairs(step, reading, rest);
        } else if (step->name != LOG_NAME_COUNT) {
            r = add_value(reading, step->name, str_slice(rest, 0, len));
        }
        if (r < 0) {
            return r;
        }
        drop(&rest, len + step->literal.len);
    }
    return 1;
}

static void lay_over(struct logsource *under, const struct logsource *over)
{
    under->product = over->product.len != 0 ? over->product : under->product;
    under->category = over->category.len != 0 ? over->category : under->category;
    under->service = over->service.len != 0 ? over->service : under->service;
}

/* The steps from that one on, then the row's constants and source. */
static int form_take(const struct form *form, struct log_reading *reading, size_t from,
                     struct str rest)
{
    int r = take_steps(form, reading, from, rest);

    for (size_t i = 0; r == 1 && i < form->constant_count; i++) {
        if (log_add(reading, form->constants[i].name, form->constants[i].value) < 0) {
            r = -ERR_NOMEM;
        }
    }
    if (r == 1) {
        lay_over(&reading->entry.source, &form->source);
    }
    return r;
}

/* 1 with the row's fields and source, 0, or a negative error. */
static int program_take(const struct form_program *program, struct log_reading *reading,
                        struct str message)
{
    uint64_t first = form_word(message);
    uint64_t second = form_word(str_slice(message, 8, message.len));
    size_t count = reading->entry.count;

    for (size_t i = 0; i < program->count; i++) {
        const struct form_key *key = &program->keys[i];
        const struct form *form = &program->forms[i];
        int r;

        if ((((first ^ key->words[0]) & key->masks[0]) |
             ((second ^ key->words[1]) & key->masks[1])) != 0 ||
            message.len < form->lead.len ||
            (form->lead.len > sizeof(key->words) && !log_starts(message, form->lead))) {
            continue;
        }
        r = form_take(form, reading, 0, str_slice(message, form->lead.len, message.len));
        if (r != 0) {
            return r;
        }
        reading->entry.count = count;
    }
    return 0;
}

/* The kernel's own time, "[12345.678901] ", is no part of what it says. */
static struct str skip_kernel_time(struct str message)
{
    size_t at = 1;

    if (message.len == 0 || message.ptr[0] != '[') {
        return message;
    }
    while (at < message.len &&
           (log_is_digit(message.ptr[at]) || message.ptr[at] == '.' || message.ptr[at] == ' ')) {
        at++;
    }
    return at > 2 && at + 1 < message.len && message.ptr[at] == ']'
               ? str_slice(message, at + 2, message.len)
               : message;
}

static struct str base_name(struct str path)
{
    const char *slash =
        path.ptr != NULL && log_starts(path, STR("/")) ? memrchr(path.ptr, '/', path.len) : NULL;

    return slash == NULL ? path : str_of(slash + 1, (size_t)(path.ptr + path.len - slash - 1));
}

int forms_read(struct log_reading *reading, struct str program, struct str message)
{
    const struct form_program *known;
    int r = 0;

    program = base_name(program);
    if (log_starts(program, STR("%"))) { /* %ASA-6-302013: its device is what rows are for */
        program = str_slice(program, 0, str_find_byte(program, '-'));
    }
    known = forms_program(program);
    message = skip_kernel_time(str_slice(message, 0, MESSAGE_MAX));
    reading->entry.source = (struct logsource){STR("linux"), STR(""), program};
    if (known != NULL) {
        reading->entry.source = known->source;
        r = program_take(known, reading, message);
    }
    return r != 0 ? r : program_take(forms_common(), reading, message);
}

/* The head's program and message are its fields: the rows of the program say more. */
static int read_stamped_message(struct log_reading *reading)
{
    struct entry *entry = &reading->entry;
    const struct entry_field *message = entry_find(entry, log_names[LOG_NAME_MESSAGE]);
    const struct form_program *known = forms_program(entry->source.service);
    int r = 0;

    if (message == NULL || known == NULL) {
        return 1;
    }
    r = program_take(known, reading, message->value);
    return r < 0 ? r : 1;
}

/* As program_take; the time, with which all heads begin but for what stands before it, is read
 * once. */
static int heads_take(struct log_reading *reading, struct str line)
{
    const struct form_program *heads = forms_heads();
    size_t lead_len = SIZE_MAX;
    size_t len = 0;

    for (size_t i = 0; i < heads->count; i++) {
        const struct form *form = &heads->forms[i];
        struct str rest;
        int r;

        if (!log_starts(line, form->lead)) {
            continue;
        }
        rest = str_slice(line, form->lead.len, line.len);
        if (form->lead.len != lead_len) {
            lead_len = form->lead.len;
            len = log_time_take(rest, reading, &reading->entry.time);
        }
        drop(&rest, len);
        if (len == 0 || !log_starts(rest, form->steps[0].literal)) {
            continue;
        }
        drop(&rest, form->steps[0].literal.len);
        r = form_take(form, reading, 1, rest);
        if (r != 0) {
            return r;
        }
        reading->entry.count = 0;
    }
    return 0;
}

int forms_read_stamped(struct log_reading *reading, struct str line)
{
    int r = heads_take(reading, str_slice(line, 0, MESSAGE_MAX));

    return r <= 0 ? r : read_stamped_message(reading);
}
