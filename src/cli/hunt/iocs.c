/* See iocs.h. */
#include "cli/hunt/iocs.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/rulebook.h"

#define ARENA_SHARE 12 /* arena for a byte of text: see feed_read */

static int iocs_write(void *context, const struct feed_entry *entry)
{
    indicator_write_entry(context, entry);
    return 0;
}

/* The last part of the path, as a list's label; the number makes its name its own. */
static int iocs_convert(struct str path, struct str text, size_t number, struct buf *out,
                        struct diag *diag)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct indicator_list list = {.label = STR("ioc"), .source = path};
    struct indicator_writer writer;
    struct feed_report report = {0};
    char name[INDICATORS_NAME_MAX];
    int r = arena_new((text.len + 65536) * ARENA_SHARE, &arena);

    snprintf(name, sizeof(name), "ioc-%zu", number);
    list.name = str_from(name);
    list.source.len = list.source.len < INDICATORS_TEXT_MAX ? list.source.len : INDICATORS_TEXT_MAX;
    list.imported = clock_wall(&clock_real);
    indicator_write_head(&writer, &list, out);
    r = r == 0 ? feed_read(feed_guess(text), text, arena, &(struct feed_sink){iocs_write, &writer},
                           &report, diag)
               : r;
    indicator_write_end(&writer);
    if (r == 0 && report.taken == 0) {
        return diag_set(diag, -ERR_SYNTAX, "%s", _("nothing in it is an indicator"));
    }
    return r == 0 ? buf_error(out) : r;
}

int iocs_take(struct indicators **indicators, struct parcel *parcel, size_t number)
{
    CLEANUP(buf_done) struct buf text;
    CLEANUP(buf_done) struct buf form;
    CLEANUP(buf_done) struct buf line;
    struct diag diag = {0};
    int r;

    buf_init(&text, FEED_SIZE_MAX);
    buf_init(&form, INDICATORS_FILE_MAX);
    buf_init(&line, 64 << 10);
    r = rulebook_read(parcel, &text);
    r = r == 0 && *indicators == NULL ? indicators_new(indicators_popular(), indicators, &diag) : r;
    r = r == 0 ? iocs_convert(parcel->path, buf_str(&text), number, &form, &diag) : r;
    r = r == 0 ? indicators_add_file(*indicators, buf_str(&form), &diag) : r;
    if (r < 0 && r != -ERR_NOMEM) {
        (void)buf_put_plain(&line, parcel->path);
        (void)command_fail(EXIT_STATUS_FAILED, _("not read: %.*s: %s"), STR_ARG(buf_str(&line)),
                           diag_text(&diag, r));
        return -ERR_SYNTAX;
    }
    return r;
}
