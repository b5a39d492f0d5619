/* Lays the console's changes over the settings file. Neighbours: core/setting.c writes the rows,
 * core and api read them here. Invariant: a row cannot set what centre_effect_of calls fixed,
 * whoever wrote it into the store. */
#include "centre/overlay.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

#define OVERLAY_ARENA_LIMIT (1U << 20)

int overlay_init(struct overlay *overlay, const struct centre_settings *base)
{
    overlay->base = base;
    overlay->now = *base;
    return arena_new(OVERLAY_ARENA_LIMIT, &overlay->arena);
}

void overlay_done(struct overlay *overlay)
{
    arena_free(overlay->arena);
    overlay->arena = NULL;
}

static void overlay_lay(struct overlay *overlay, const struct store_setting *setting)
{
    const struct setting *row = setting_find(centre_rows, setting->name);
    int r;

    if (row == NULL || !setting->is_set || centre_effect_of(row) == CENTRE_EFFECT_FIXED ||
        centre_source_of(overlay->base, row) == CENTRE_SOURCE_COMMAND) {
        return;
    }
    r = settings_set(centre_rows, &overlay->now, setting->name, setting->value, overlay->arena,
                     NULL);
    if (r < 0) {
        log_warn("a setting of the console is passed over name=%s error=%s", row->name,
                 err_name(r));
        return;
    }
    overlay->now.sources[row - centre_rows] = CENTRE_SOURCE_CONSOLE;
}

int overlay_read(struct overlay *overlay, struct store *store)
{
    struct store_setting *settings;
    size_t count;
    int r;

    arena_reset(overlay->arena);
    overlay->now = *overlay->base;
    r = store_setting_list(store, overlay->arena, &settings, &count);
    for (size_t i = 0; r == 0 && i < count; i++) {
        overlay_lay(overlay, &settings[i]);
    }
    return r;
}
