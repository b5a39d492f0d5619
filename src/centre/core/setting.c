/* Settings that admins change in the console: checked against their row, kept with who, why and
 * what stood before, and in force at once or at the next start. Neighbours: core/request.c calls;
 * overlay.c lays the rows over the file; supervisor.c is told what counts at a start. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

#define SETTING_TEXT_LIMIT 8192

/* Front is forked by the supervisor, which reads no database. */
static void core_settings_tell(struct core *core)
{
    static struct msg_writer msg;
    struct buf text;
    uint32_t count = 0;
    int r;

    for (const struct setting *row = centre_rows; row->name != NULL; row++) {
        count += centre_effect_of(row) == CENTRE_EFFECT_START ? 1 : 0;
    }
    if (core->options.channels.supervisor < 0) {
        return;
    }
    buf_init(&text, SETTING_TEXT_LIMIT);
    msg_begin(&msg, CENTRE_MESSAGE_SETTINGS);
    msg_put_u32(&msg, count);
    for (const struct setting *row = centre_rows; row->name != NULL; row++) {
        if (centre_effect_of(row) == CENTRE_EFFECT_START) {
            buf_reset(&text);
            setting_write_text(row, &core->overlay.now, &text);
            msg_put_str(&msg, str_from(row->name));
            msg_put_str(&msg, buf_str(&text));
        }
    }
    buf_done(&text);
    r = msg_end(&msg);
    if (r == 0) {
        r = channel_send(core->options.channels.supervisor, &msg, NULL, 0);
    }
    if (r < 0) {
        log_warn("the supervisor could not be told the settings error=%s", err_name(r));
    }
}

int core_settings_apply(struct core *core)
{
    int r;

    if (core->overlay.base == NULL) {
        return 0;
    }
    r = overlay_read(&core->overlay, core->options.store);
    if (r == 0) {
        core->options.token_life = core->overlay.now.token_life;
        core->options.event_life = core->overlay.now.event_days;
        core->options.silent_after = core->overlay.now.silent_after;
        core->options.source_silent = core->overlay.now.source_silent;
        core->options.log_ahead = core->overlay.now.log_ahead;
        core->options.log_behind = core->overlay.now.log_behind;
        core->options.sender_keep = core->overlay.now.sender_keep;
        core_settings_tell(core);
    }
    return r;
}

/* The newest row of that name; zeroed when it was never changed. */
static int core_setting_last(struct core_call *call, struct str name,
                             struct store_setting *ret_last)
{
    struct store_setting *rows;
    size_t count;
    int r = store_setting_list(call->core->options.store, call->arena, &rows, &count);

    memset(ret_last, 0, sizeof(*ret_last));
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (str_is(rows[i].name, name)) {
            *ret_last = rows[i];
        }
    }
    return r;
}

static int core_setting_check(struct core_call *call, const struct setting *row,
                              const struct store_setting *fresh)
{
    struct centre_settings *scratch = arena_alloc(call->arena, 1, sizeof(*scratch));

    if (scratch == NULL) {
        return -ERR_NOMEM;
    }
    if (centre_effect_of(row) == CENTRE_EFFECT_FIXED) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("'%s' is changed in centre.conf on the centre's machine: %s"), row->name,
                        text_get(centre_effect_why(row)));
    }
    if (centre_source_of(call->core->overlay.base, row) == CENTRE_SOURCE_COMMAND) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("'%s' was given on the command line, which counts more"), row->name);
    }
    if (fresh->is_set && str_trim(fresh->value).len == 0) {
        return diag_set(&call->diag, -ERR_INVAL, _("'%s' must not be empty"), row->name);
    }
    *scratch = call->core->overlay.now;
    return fresh->is_set ? settings_set(centre_rows, scratch, fresh->name, fresh->value,
                                        call->arena, &call->diag)
                         : 0;
}

static int core_setting_write(struct core_call *call, const struct store_setting *fresh)
{
    int r = store_setting_put(call->core->options.store, fresh);

    if (r == 0) {
        r = core_call_audit(call, "setting.change", fresh->name, "from",
                            fresh->was_set ? fresh->before : STR(""), "to",
                            fresh->is_set ? fresh->value : STR(""), "reason", fresh->reason, NULL);
    }
    call->changed = CENTRE_CHANGED_SETTINGS;
    call->is_setting = true;
    return r;
}

int core_setting_change(struct core_call *call)
{
    const struct arguments *arguments = &call->arguments;
    struct store_setting last;
    struct store_setting fresh = {
        .name = arguments_text(arguments, "name"),
        .is_set = arguments_get(arguments, "value")->is_given,
        .value = str_trim(arguments_text(arguments, "value")),
        .actor = call->actor,
        .reason = str_trim(arguments_text(arguments, "reason")),
    };
    const struct setting *row = setting_find(centre_rows, fresh.name);
    int r;

    if (row == NULL || call->core->overlay.base == NULL) {
        return diag_set(&call->diag, -ERR_NOENT, _("there is no setting '%.*s'"),
                        STR_ARG(fresh.name));
    }
    r = core_setting_last(call, fresh.name, &last);
    if (r < 0) {
        return r;
    }
    if ((int64_t)last.number != arguments_number(arguments, "seen", 0)) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("somebody else has changed '%s' meanwhile: look at its new value first"),
                        row->name);
    }
    fresh.was_set = last.is_set;
    fresh.before = last.value;
    r = core_setting_check(call, row, &fresh);
    return r < 0 ? r : core_setting_write(call, &fresh);
}
