/* An entry as an event for the outlet: its fields in journald's export form, within bounds. Who
 * writes an entry chooses its fields, and could make so many that others find no room: those that
 * journald vouches for, and what syslog has, come first then. Neighbours: read.c before,
 * codec/journal_export.h, agent/follower.h behind. */
#include "agent/journal/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/journal_export.h"

#include <errno.h>
#include <inttypes.h>

#define FIELDS_MAX     1024
#define VALUE_CUT      (32U << 10)
#define VALUE_CUT_MORE (4U << 10) /* when not all has room */

enum entry_part {
    ENTRY_PART_ALL,
    ENTRY_PART_FIRST,
    ENTRY_PART_REST,
};

struct entry_writing {
    struct buf *text;
    size_t value_max;
    bool is_cut;
    bool is_audit; /* it came from the kernel's audit */
};

static bool is_first(struct str name)
{
    static const struct str names[] = {{"MESSAGE", 7},
                                       {"PRIORITY", 8},
                                       {"SYSLOG_IDENTIFIER", 17},
                                       {"SYSLOG_FACILITY", 15},
                                       {"SYSLOG_PID", 10}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is(name, names[i])) {
            return true;
        }
    }
    return str_has_prefix(name, STR("_"));
}

static void put_number(struct buf *text, struct str name, uint64_t number)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, number);
    (void)journal_export_put(text, name, str_from(digits));
}

static int put_head(const struct journal_file *file, struct entry_writing *writing)
{
    char *cursor = NULL;
    int r = sd_journal_get_cursor(file->journal, &cursor);

    buf_reset(writing->text);
    if (r >= 0) {
        (void)journal_export_put(writing->text, STR("__CURSOR"), str_from(cursor));
        put_number(writing->text, STR("__REALTIME_TIMESTAMP"), file->place.time);
    }
    mem_free(cursor);
    return r;
}

static void put_field(struct entry_writing *writing, struct str field, enum entry_part part)
{
    struct str name;
    struct str value = field;

    if (!str_cut(&value, '=', &name) ||
        (part != ENTRY_PART_ALL && (part == ENTRY_PART_FIRST) != is_first(name))) {
        return;
    }
    writing->is_audit = writing->is_audit || str_is(field, STR("_TRANSPORT=audit"));
    writing->is_cut = writing->is_cut || value.len > writing->value_max;
    if (!journal_export_put(writing->text, name, str_slice(value, 0, writing->value_max))) {
        writing->is_cut = true;
    }
}

static int put_fields(struct journal_file *file, struct entry_writing *writing,
                      enum entry_part part)
{
    const void *data;
    size_t len;
    int r = 1;

    sd_journal_restart_data(file->journal);
    for (unsigned i = 0; i < FIELDS_MAX && r > 0; i++) {
        r = sd_journal_enumerate_available_data(file->journal, &data, &len);
        if (r > 0) {
            put_field(writing, str_of(data, len), part);
        }
    }
    writing->is_cut = writing->is_cut || r != 0; /* the rest is damaged, or too many */
    return buf_error(writing->text);
}

static int entry_write(struct journal_file *file, struct entry_writing *writing)
{
    int r = put_head(file, writing);

    r = r < 0 ? r : put_fields(file, writing, ENTRY_PART_ALL);
    if (r < 0 || !writing->is_cut) {
        return r;
    }
    r = put_head(file, writing);
    writing->value_max = VALUE_CUT_MORE;
    (void)journal_export_put(writing->text, STR("__CUT"), STR("1"));
    r = r < 0 ? r : put_fields(file, writing, ENTRY_PART_FIRST);
    return r < 0 ? r : put_fields(file, writing, ENTRY_PART_REST);
}

int journal_send(struct journal *journal, struct journal_file *file)
{
    struct entry_writing writing = {.text = &journal->text, .value_max = VALUE_CUT};
    struct position position = journal_position(journal, file->chain, &file->place);
    struct event event;
    int r = entry_write(file, &writing);

    if (r < 0) {
        return r;
    }
    if (writing.is_audit && journal->is_audit_read) {
        return 0; /* noted with the next one */
    }
    journal_export_end(&journal->text);
    event_init(&event, EVENT_KIND_LOG, (int64_t)file->place.time * NS_PER_US);
    (void)event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, buf_str(&journal->text));
    (void)event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR(JOURNAL_NAME));
    (void)event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, str_from(file->folder->named));
    (void)event_add_number(&event, EVENT_FIELD_LOG_OFFSET, (int64_t)file->place.number);
    return follower_send(&journal->follower, &event, &position);
}

int journal_send_missing(struct journal *journal, const struct journal_file *file, uint64_t count)
{
    const struct journal_place place = {.chain = file->chain->chain,
                                        .boot = file->chain->boot,
                                        .number = file->chain->number,
                                        .time = file->chain->time};
    struct position position = journal_position(journal, file->chain, &place);
    struct event event;

    event_init(&event, EVENT_KIND_AGENT, clock_wall(&clock_real));
    (void)event_add_text(&event, EVENT_FIELD_EVENT_SOURCE, STR(JOURNAL_NAME));
    (void)event_add_number(&event, EVENT_FIELD_EVENT_COUNT_LOST, (int64_t)count);
    (void)event_add_text(
        &event, EVENT_FIELD_MESSAGE,
        STR("entries of the journal were gone before they were read; at most so many"));
    return follower_send(&journal->follower, &event, &position);
}
