/* The format of logs that keep a file of their own, each line with a time: heads are rows of
 * stamped.def, messages rows of forms.def. A line without a head goes on with the one before it and
 * is an entry of its own, marked. */
#include "base/banned.h"
#include "base/text.h"
#include "codec/forms.h"
#include "codec/log_text.h"
#include "codec/log_time.h"

/* MariaDB's general log writes the time only where the second has changed. */
static int read_general(struct log_reading *reading, struct str line)
{
    int r;

    if (!str_has_prefix(line, STR("\t\t"))) {
        return 0;
    }
    r = forms_read(reading, STR("mysqld"), str_trim(line));
    if (r == 0) { /* others indent their lines too */
        reading->entry.source = (struct logsource){0};
    }
    reading->entry.faults |= r > 0 ? ENTRY_FAULT_TIME : 0U;
    return r;
}

static int stamped_read_line(struct log_reading *reading, struct str line)
{
    int r = forms_read_stamped(reading, line);

    r = r == 0 ? read_general(reading, line) : r;
    if (r == 0) {
        reading->entry.faults |= ENTRY_FAULT_SYNTAX | ENTRY_FAULT_TIME;
        r = log_add(reading, LOG_NAME_MESSAGE, line);
    }
    return r < 0 ? r : 1;
}

static int stamped_read(struct log_reading *reading, struct str block, entry_fn *fn, void *context)
{
    return log_read_lines(reading, block, stamped_read_line, fn, context);
}

static bool is_stamped(struct str line)
{
    static const struct log_reading nowhere;
    static const struct str alternatives = {"update-alternatives ", 20};
    int64_t time;
    size_t from = line.ptr[0] == '[' ? 1 : 0;

    if (str_has_prefix(line, alternatives)) {
        from = alternatives.len;
    }
    return log_time_take(str_slice(line, from, line.len), &nowhere, &time) != 0;
}

static unsigned stamped_weigh(struct str head)
{
    unsigned hits = log_weigh_lines(head, is_stamped);

    return hits < 30 ? 0 : hits / 2;
}

const struct log_format stamped_log_format = {
    .name = "stamped",
    .title = N_("logs of servers with a time before each line"),
    .weigh = stamped_weigh,
    .cut = log_cut_lines,
    .read = stamped_read,
};
