/* Settings as rows: defaults, files and command lines out of one table. */
#include "model/setting.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "model/setting_unit.h"

static const struct setting_unit size_units[] = {{"", 1},
                                                 {"K", 1LL << 10},
                                                 {"M", 1LL << 20},
                                                 {"G", 1LL << 30},
                                                 {"T", 1LL << 40},
                                                 {"P", 1LL << 50},
                                                 {}};
static const struct setting_unit duration_units[] = {
    {"ms", NS_PER_MS},      {"s", NS_PER_S},         {"m", 60 * NS_PER_S},
    {"h", 3600 * NS_PER_S}, {"d", 86400 * NS_PER_S}, {}};
static const struct setting_unit number_units[] = {{"", 1}, {}};

const struct setting_unit *setting_units(enum setting_type type)
{
    if (type == SETTING_SIZE) {
        return size_units;
    }
    return type == SETTING_DURATION ? duration_units : number_units;
}

static int setting_parse_number(enum setting_type type, struct str text, int64_t *ret_value)
{
    size_t digits = text.len != 0 && text.ptr[0] == '-' ? 1 : 0;
    int64_t value;
    int r;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        digits++;
    }
    r = str_to_i64(str_slice(text, 0, digits), &value);
    if (r < 0) {
        return r;
    }
    for (const struct setting_unit *unit = setting_units(type); unit->suffix != NULL; unit++) {
        if (str_is_text(str_slice(text, digits, text.len), unit->suffix)) {
            return __builtin_mul_overflow(value, unit->factor, ret_value) ? -ERR_RANGE : 0;
        }
    }
    return -ERR_SYNTAX;
}

static void *setting_slot(const struct setting *row, void *target)
{
    return (char *)target + row->offset;
}

static int setting_set_number(const struct setting *row, void *slot, struct str value,
                              struct diag *diag)
{
    static const char *const examples[] = {
        [SETTING_NUMBER] = "42", [SETTING_SIZE] = "512M", [SETTING_DURATION] = "24h"};
    int64_t number = 0;
    int64_t bound;
    int r = setting_parse_number(row->type, value, &number);

    if (r < 0) {
        return diag_set(diag, r, _("'%s' wants a value such as %s, not '%.*s'"), row->name,
                        examples[row->type], STR_ARG(value));
    }
    if (row->minimum != NULL &&
        setting_parse_number(row->type, str_from(row->minimum), &bound) == 0 && number < bound) {
        return diag_set(diag, -ERR_RANGE, _("'%s' must be at least %s, not %.*s"), row->name,
                        row->minimum, STR_ARG(value));
    }
    if (row->maximum != NULL &&
        setting_parse_number(row->type, str_from(row->maximum), &bound) == 0 && number > bound) {
        return diag_set(diag, -ERR_RANGE, _("'%s' must be at most %s, not %.*s"), row->name,
                        row->maximum, STR_ARG(value));
    }
    *(int64_t *)slot = number;
    return 0;
}

static int setting_set_flag(const struct setting *row, void *slot, struct str value,
                            struct diag *diag)
{
    static const char *const yes[] = {"yes", "true", "on", "1", "có"};
    static const char *const no[] = {"no", "false", "off", "0", "không"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (str_is_text(value, yes[i]) || str_is_text(value, no[i])) {
            *(bool *)slot = str_is_text(value, yes[i]);
            return 0;
        }
    }
    return diag_set(diag, -ERR_SYNTAX, _("'%s' wants yes or no, not '%.*s'"), row->name,
                    STR_ARG(value));
}

/* Absolute, without empty, . and .. parts; a closing slash is dropped. */
static int setting_check_path(const struct setting *row, struct str *path, struct diag *diag)
{
    struct str rest;
    struct str part;

    while (path->len > 1 && path->ptr[path->len - 1] == '/') {
        path->len--;
    }
    if (path->len == 0 || path->ptr[0] != '/') {
        return diag_set(diag, -ERR_SYNTAX, _("'%s' wants a path that begins with /, not '%.*s'"),
                        row->name, STR_ARG(*path));
    }
    rest = str_slice(*path, 1, path->len);
    while (rest.len != 0 && str_cut(&rest, '/', &part)) {
        if (part.len == 0 || str_is(part, STR(".")) || str_is(part, STR(".."))) {
            return diag_set(diag, -ERR_SYNTAX, _("'%s' wants a path without . and .., not '%.*s'"),
                            row->name, STR_ARG(*path));
        }
    }
    return 0;
}

static int setting_check_choice(const struct setting *row, struct str value, struct diag *diag)
{
    struct str rest = str_from(row->maximum);
    struct str word;

    while (str_cut(&rest, '|', &word)) {
        if (str_is(word, value)) {
            return 0;
        }
    }
    return diag_set(diag, -ERR_SYNTAX, _("'%s' wants one of %s, not '%.*s'"), row->name,
                    row->maximum, STR_ARG(value));
}

static int setting_check_text(const struct setting *row, struct str *value, struct diag *diag)
{
    if (str_find_byte(*value, '\0') != value->len) { /* what follows it would be lost */
        return diag_set(diag, -ERR_SYNTAX, _("'%s' holds a zero byte"), row->name);
    }
    if (row->type == SETTING_PATH || row->type == SETTING_PATH_LIST) {
        return setting_check_path(row, value, diag);
    }
    if (row->check != NULL) {
        return row->check(*value, diag);
    }
    return row->type == SETTING_CHOICE ? setting_check_choice(row, *value, diag) : 0;
}

static int setting_copy_text(const struct setting *row, struct str value, struct arena *arena,
                             const char **ret_text, struct diag *diag)
{
    struct str copy;
    int r = setting_check_text(row, &value, diag);

    if (r < 0) {
        return r;
    }
    copy = arena_copy(arena, value);
    if (copy.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *ret_text = copy.ptr;
    return 0;
}

static int setting_add_items(const struct setting *row, struct setting_list *list, struct str value,
                             struct arena *arena, struct diag *diag)
{
    struct str item;
    int r;

    while (str_cut(&value, ',', &item)) {
        item = str_trim(item);
        if (item.len == 0) {
            continue;
        }
        if (list->count == SETTING_LIST_MAX) {
            return diag_set(diag, -ERR_LIMIT, _("'%s' takes at most %d values"), row->name,
                            SETTING_LIST_MAX);
        }
        r = setting_copy_text(row, item, arena, &list->items[list->count], diag);
        if (r < 0) {
            return r;
        }
        list->count++;
    }
    return 0;
}

static int setting_set_row(const struct setting *row, void *target, struct str value,
                           struct arena *arena, struct diag *diag)
{
    void *slot = setting_slot(row, target);

    switch (row->type) {
    case SETTING_FLAG:
        return setting_set_flag(row, slot, value, diag);
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        return setting_set_number(row, slot, value, diag);
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        return setting_copy_text(row, value, arena, slot, diag);
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        return setting_add_items(row, slot, value, arena, diag);
    }
    return -ERR_INVAL;
}

static bool setting_is_list(const struct setting *row)
{
    return row->type == SETTING_LIST || row->type == SETTING_PATH_LIST;
}

static void setting_clear(const struct setting *row, void *target)
{
    void *slot = setting_slot(row, target);

    switch (row->type) {
    case SETTING_FLAG:
        *(bool *)slot = false;
        break;
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        *(int64_t *)slot = 0;
        break;
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        *(const char **)slot = NULL;
        break;
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        ((struct setting_list *)slot)->count = 0;
        break;
    }
}

int settings_default(const struct setting *rows, void *target, struct arena *arena)
{
    for (const struct setting *row = rows; row->name != NULL; row++) {
        int r;

        setting_clear(row, target);
        if (row->fallback == NULL) {
            continue;
        }
        r = setting_set_row(row, target, str_from(row->fallback), arena, NULL);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Edit distance, cut short: names are at most 63 bytes. */
static size_t setting_distance(struct str a, struct str b)
{
    size_t row[64];

    if (a.len > 63 || b.len > 63) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1] ? 1 : 0);
            size_t insert = row[j - 1] + 1;
            size_t remove = row[j] + 1;

            diagonal = row[j];
            row[j] = change < insert ? change : insert;
            row[j] = row[j] < remove ? row[j] : remove;
        }
    }
    return row[b.len];
}

static int setting_unknown(const struct setting *rows, struct str name, struct diag *diag)
{
    const char *nearest = NULL;
    size_t best =
        name.len / 3 + 1 < 4 ? name.len / 3 + 1 : 4; /* a third may be wrong, 3 letters at most */

    for (const struct setting *row = rows; row->name != NULL; row++) {
        size_t distance = setting_distance(name, str_from(row->name));

        if (distance < best) {
            best = distance;
            nearest = row->name;
        }
    }
    if (nearest != NULL) {
        return diag_set(diag, -ERR_NOENT, _("there is no '%.*s'; did you mean '%s'?"),
                        STR_ARG(name), nearest);
    }
    return diag_set(diag, -ERR_NOENT, _("there is no '%.*s'; --help lists what there is"),
                    STR_ARG(name));
}

const struct setting *setting_find(const struct setting *rows, struct str name)
{
    for (const struct setting *row = rows; row->name != NULL; row++) {
        if (str_is_text(name, row->name)) {
            return row;
        }
    }
    return NULL;
}

int settings_set(const struct setting *rows, void *target, struct str name, struct str value,
                 struct arena *arena, struct diag *diag)
{
    const struct setting *row = setting_find(rows, name);

    return row != NULL ? setting_set_row(row, target, value, arena, diag)
                       : setting_unknown(rows, name, diag);
}

/* A list named in a file replaces its default: emptied at its first line there. */
struct setting_seen {
    const struct setting *rows;
    uint64_t emptied;
};

static void setting_empty_once(struct setting_seen *seen, const struct setting *row, void *target)
{
    size_t index = (size_t)(row - seen->rows);

    if (setting_is_list(row) && index < 64 && (seen->emptied >> index & 1) == 0) {
        seen->emptied |= 1ULL << index;
        ((struct setting_list *)setting_slot(row, target))->count = 0;
    }
}

static int setting_take(struct setting_seen *seen, void *target, struct str name, struct str value,
                        struct arena *arena, struct diag *diag)
{
    const struct setting *row = setting_find(seen->rows, name);

    if (row == NULL) {
        return setting_unknown(seen->rows, name, diag);
    }
    setting_empty_once(seen, row, target);
    return setting_set_row(row, target, value, arena, diag);
}

static int setting_parse_line(struct setting_seen *seen, void *target, struct str line,
                              struct arena *arena, struct diag *diag)
{
    size_t equals;

    line = str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#') {
        return 0;
    }
    equals = str_find_byte(line, '=');
    if (equals == line.len) {
        return diag_set(diag, -ERR_SYNTAX, _("a line is 'name = value', not '%.*s'"),
                        STR_ARG(line));
    }
    return setting_take(seen, target, str_trim(str_slice(line, 0, equals)),
                        str_trim(str_slice(line, equals + 1, line.len)), arena, diag);
}

int settings_parse(const struct setting *rows, void *target, const char *where, struct str text,
                   struct arena *arena, struct diag *diag)
{
    struct setting_seen seen = {.rows = rows};
    unsigned number = 0;
    struct str line;

    while (str_cut(&text, '\n', &line)) {
        struct diag cause = {0};
        int r;

        number++;
        r = setting_parse_line(&seen, target, line, arena, &cause);
        if (r < 0) {
            return diag_set(diag, r, _("%s, line %u: %s"), where, number, diag_text(&cause, r));
        }
    }
    return 0;
}

struct setting_args {
    struct setting_seen seen;
    void *target;
    const char *here;
    char **next; /* the word being taken */
    struct arena *arena;
    struct diag *diag;
};

/* The first part of a path is taken off it, and so is what parts it from the rest. */
static bool setting_cut_part(struct str *path, struct str part)
{
    if (!str_has_prefix(*path, part) || (path->len > part.len && path->ptr[part.len] != '/')) {
        return false;
    }
    *path = str_slice(*path, part.len + 1, path->len);
    return true;
}

static struct str setting_above(struct str folder)
{
    size_t end = folder.len;

    while (end > 1 && folder.ptr[end - 1] != '/') {
        end--;
    }
    return str_slice(folder, 0, end > 1 ? end - 1 : 1);
}

/* The path from the root of one that is typed. `here` has no links in it, so that one part of it
 * less is the folder above; within what is typed .. may stand behind a link, and is refused. */
static int setting_resolve(const struct setting_args *args, struct str *path)
{
    struct str here = str_from(args->here);
    struct str rest = *path;
    bool is_above;

    if (rest.len == 0 || rest.ptr[0] == '/') {
        return 0;
    }
    do {
        is_above = setting_cut_part(&rest, STR(".."));
        here = is_above ? setting_above(here) : here;
    } while (is_above || setting_cut_part(&rest, STR(".")));
    *path = arena_printf(args->arena, "%.*s%s%.*s", STR_ARG(here),
                         str_has_suffix(here, STR("/")) ? "" : "/", STR_ARG(rest));
    return path->ptr == NULL ? -ERR_NOMEM : 0;
}

/* Each of a list's, parted by commas. */
static int setting_resolve_all(const struct setting_args *args, const struct setting *row,
                               struct str *value)
{
    struct str all = STR("");
    struct str rest = *value;
    struct str item;
    int r = 0;

    if (args->here == NULL || row->type != SETTING_PATH_LIST) {
        return args->here != NULL && row->type == SETTING_PATH ? setting_resolve(args, value) : 0;
    }
    while (r == 0 && str_cut(&rest, ',', &item)) {
        item = str_trim(item);
        r = setting_resolve(args, &item);
        all = r < 0 ? all
                    : arena_printf(args->arena, "%.*s%s%.*s", STR_ARG(all), all.len != 0 ? "," : "",
                                   STR_ARG(item));
        r = all.ptr == NULL ? -ERR_NOMEM : r;
    }
    *value = all;
    return r;
}

static int setting_take_option(struct setting_args *args, const struct setting *row,
                               struct str name, struct str value, bool has_value)
{
    int r;

    if (row == NULL) {
        return setting_unknown(args->seen.rows, name, args->diag);
    }
    if (row->type == SETTING_FLAG && !has_value) {
        value = STR("yes");
    } else if (!has_value) {
        if (args->next[1] == NULL) {
            return diag_set(args->diag, -ERR_SYNTAX, _("--%s wants %s"), row->name,
                            row->value_name != NULL ? text_get(row->value_name) : _("a value"));
        }
        value = str_from(*++args->next);
    }
    r = setting_resolve_all(args, row, &value);
    if (r < 0) {
        return r;
    }
    setting_empty_once(&args->seen, row, args->target);
    return setting_set_row(row, args->target, value, args->arena, args->diag);
}

static int setting_take_word(struct setting_args *args, struct str word)
{
    const struct setting *row = args->seen.rows;
    size_t equals;
    struct str name;

    if (str_has_prefix(word, STR("--"))) {
        equals = str_find_byte(word, '=');
        name = str_slice(word, 2, equals);
        return setting_take_option(args, setting_find(args->seen.rows, name), name,
                                   str_slice(word, equals + 1, word.len), equals != word.len);
    }
    while (row->name != NULL && row->letter != word.ptr[1]) {
        row++;
    }
    return setting_take_option(args, row->name != NULL ? row : NULL, word,
                               str_slice(word, 2, word.len), word.len > 2);
}

int settings_parse_args(const struct setting *rows, void *target, char **argv,
                        struct setting_operands *ret_operands, struct arena *arena,
                        struct diag *diag)
{
    struct setting_args args = {.seen = {.rows = rows},
                                .target = target,
                                .here = ret_operands->here,
                                .next = argv,
                                .arena = arena,
                                .diag = diag};
    bool is_ended = false;

    ret_operands->count = 0;
    for (; *args.next != NULL; args.next++) {
        struct str word = str_from(*args.next);
        int r;

        if (is_ended || word.len < 2 || word.ptr[0] != '-') {
            ret_operands->items[ret_operands->count++] = *args.next;
            continue;
        }
        if (str_is(word, STR("--"))) {
            is_ended = true;
            continue;
        }
        r = setting_take_word(&args, word);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}
