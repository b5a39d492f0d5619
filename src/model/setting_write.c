/* Settings as rows, outward: --help, a line of a file, the console's form. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"
#include "model/setting_unit.h"

#define SETTING_HELP_COLUMN 33
#define SETTING_HELP_MAX    4096

static const char *const setting_type_names[] = {
    [SETTING_FLAG] = "flag",         [SETTING_NUMBER] = "number", [SETTING_SIZE] = "size",
    [SETTING_DURATION] = "duration", [SETTING_TEXT] = "text",     [SETTING_PATH] = "path",
    [SETTING_CHOICE] = "choice",     [SETTING_LIST] = "list",     [SETTING_PATH_LIST] = "path-list",
};

/* What an option is for, with its choices and what it is without being named. */
static void setting_write_help(const struct setting *row, size_t columns, struct buf *buf)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, SETTING_HELP_MAX);
    buf_put_text(&text, text_get(row->help));
    if (row->type == SETTING_CHOICE) {
        buf_putf(&text, " (%s)", row->maximum);
    }
    if (row->fallback != NULL && row->type != SETTING_FLAG) {
        buf_putf(&text, " [%s]", row->fallback);
    }
    utf8_put_wrapped(buf, buf_str(&text), SETTING_HELP_COLUMN + 2, columns);
    buf_put_byte(buf, '\n');
}

void settings_write_help(const struct setting *rows, size_t columns, struct buf *buf)
{
    for (const struct setting *row = rows; row->name != NULL; row++) {
        char head[96];
        const char *value = row->value_name != NULL ? text_get(row->value_name) : _("VALUE");
        char letter[5] = "    ";

        if (row->letter != 0) {
            (void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        }
        (void)snprintf(head, sizeof(head), "%s--%s%s%s", letter, row->name,
                       row->type == SETTING_FLAG ? "" : " ",
                       row->type == SETTING_FLAG ? "" : value);
        if (utf8_pad(head, SETTING_HELP_COLUMN) == 0) {
            buf_putf(buf, "  %s\n  %*s", head, SETTING_HELP_COLUMN, "");
        } else {
            buf_putf(buf, "  %s%*s", head, utf8_pad(head, SETTING_HELP_COLUMN), "");
        }
        setting_write_help(row, columns, buf);
    }
}

static void setting_write_value(const struct setting *row, const void *slot,
                                struct json_writer *json)
{
    const struct setting_list *list = slot;

    switch (row->type) {
    case SETTING_FLAG:
        json_put_bool(json, *(const bool *)slot);
        break;
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        json_put_i64(json, *(const int64_t *)slot);
        break;
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        json_put_text(json, *(const char *const *)slot);
        break;
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        json_open_array(json);
        for (size_t i = 0; i < list->count; i++) {
            json_put_text(json, list->items[i]);
        }
        json_close_array(json);
        break;
    }
}

/* The largest unit that leaves nothing over. */
static void setting_write_units(const struct setting *row, int64_t value, struct buf *buf)
{
    const struct setting_unit *best = NULL;

    for (const struct setting_unit *unit = setting_units(row->type); unit->suffix != NULL; unit++) {
        if (value % unit->factor == 0 && (value != 0 || best == NULL)) {
            best = unit;
        }
    }
    if (best != NULL) {
        buf_putf(buf, "%lld%s", (long long)(value / best->factor), best->suffix);
    }
}

static void setting_write_items(const struct setting_list *list, struct buf *buf)
{
    for (size_t i = 0; i < list->count; i++) {
        buf_putf(buf, "%s%s", i == 0 ? "" : ", ", list->items[i]);
    }
}

void setting_write_text(const struct setting *row, const void *target, struct buf *buf)
{
    const void *slot = (const char *)target + row->offset;
    const char *text;

    switch (row->type) {
    case SETTING_FLAG:
        buf_put_text(buf, *(const bool *)slot ? "yes" : "no");
        break;
    case SETTING_NUMBER:
    case SETTING_SIZE:
    case SETTING_DURATION:
        setting_write_units(row, *(const int64_t *)slot, buf);
        break;
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_CHOICE:
        text = *(const char *const *)slot;
        buf_put_text(buf, text != NULL ? text : "");
        break;
    case SETTING_LIST:
    case SETTING_PATH_LIST:
        setting_write_items(slot, buf);
        break;
    }
}

void setting_write_members(const struct setting *row, const void *target, struct json_writer *json)
{
    json_add_text(json, "name", row->name);
    json_add_text(json, "type", setting_type_names[row->type]);
    json_add_text(json, "default", row->fallback);
    json_add_text(json, "minimum", row->minimum);
    json_add_text(json, "maximum", row->maximum);
    json_add_text(json, "help", text_get(row->help));
    json_put_key(json, "value");
    setting_write_value(row, (const char *)target + row->offset, json);
}

void settings_write_json(const struct setting *rows, const void *target, struct json_writer *json)
{
    json_open_array(json);
    for (const struct setting *row = rows; row->name != NULL; row++) {
        json_open_object(json);
        setting_write_members(row, target, json);
        json_close_object(json);
    }
    json_close_array(json);
}
