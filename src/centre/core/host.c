/* The hosts that core keeps at hand, by id and by key, and the watch over their silence. The store
 * holds the same rows; core is the only writer, so what is here is never behind. Neighbours:
 * core/stream.c asks by key, core/enrol.c adds, core/act.c revokes. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/core/source.h"

#define HOST_PAGE     500
#define HOST_AWAY     (600 * NS_PER_S) /* what its logs did not say meanwhile is no news */

#define SILENCE_TITLE N_("No word from this host")

struct core_host *core_host_by_id(const struct core *core, const struct id *id)
{
    return map_get(&core->hosts_by_id, MAP_KEY(*id));
}

static void core_host_free(struct core_host *host)
{
    mem_free(host->name);
    mem_free(host->via);
    mem_free(host);
}

int core_host_add(struct core *core, const struct store_host *row, struct core_host **ret_host)
{
    struct core_host *host = mem_alloc(1, sizeof(*host));
    int r;

    if (host == NULL) {
        return -ERR_NOMEM;
    }
    host->name = mem_dup(row->name.ptr, row->name.len);
    if (row->kind == STORE_HOST_SENDER) {
        host->via = mem_dup(row->via.ptr, row->via.len);
    }
    if (host->name == NULL || (row->kind == STORE_HOST_SENDER && host->via == NULL)) {
        core_host_free(host);
        return -ERR_NOMEM;
    }
    host->id = row->id;
    memcpy(host->key_sha256, row->key_sha256, sizeof(host->key_sha256));
    host->is_revoked = row->is_revoked;
    host->acknowledged = row->acknowledged;
    host->pending = row->acknowledged;
    host->enrolled = row->enrolled;
    host->seen = row->seen > row->enrolled ? row->seen : row->enrolled;
    host->clock_offset = row->clock_offset;
    list_init(&host->dirty_node);
    r = map_put(&core->hosts_by_id, MAP_KEY(host->id), host);
    if (r == 0) {
        r = map_put(&core->hosts_by_key, MAP_KEY(host->key_sha256), host);
    }
    if (r < 0) {
        (void)map_remove(&core->hosts_by_id, MAP_KEY(host->id));
        core_host_free(host);
        return r;
    }
    if (ret_host != NULL) {
        *ret_host = host;
    }
    return 0;
}

static int core_hosts_load_page(struct core *core, const struct store_host *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int r = core_host_add(core, &rows[i], NULL);

        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Alerts about silence that are still open, so that none is raised twice. */
static int core_hosts_load_silence(struct core *core)
{
    struct store_alert_filter filter = {.state = -2,
                                        .severity_least = -1,
                                        .is_drill = -1,
                                        .words = STR("no word from this host"),
                                        .limit = HOST_PAGE};
    struct store_alert *alerts;
    size_t count = HOST_PAGE;

    while (count == HOST_PAGE) {
        int r;

        arena_reset(core->arena);
        r = store_alert_list(core->options.store, &filter, core->arena, &alerts, &count);
        if (r < 0) {
            return r;
        }
        for (size_t i = 0; i < count; i++) {
            struct core_host *host = core_host_by_id(core, &alerts[i].host);

            if (host != NULL && str_is_text(alerts[i].detector, "centre") &&
                str_is_text(alerts[i].title, SILENCE_TITLE)) {
                host->silent_alert = alerts[i].number;
            }
            filter.before = alerts[i].number;
        }
    }
    return 0;
}

int core_hosts_load(struct core *core)
{
    char after[256] = "";
    size_t after_len = 0;
    size_t count = HOST_PAGE;
    int r = core_batch_begin(core);

    if (r == 0) {
        r = store_host_disconnect_all(core->options.store);
    }
    if (r < 0) {
        return r;
    }
    while (count == HOST_PAGE) {
        struct store_host *rows;

        arena_reset(core->arena);
        r = store_host_list(core->options.store, str_of(after, after_len), HOST_PAGE, core->arena,
                            &rows, &count);
        if (r < 0) {
            return r;
        }
        if (count != 0) {
            after_len =
                rows[count - 1].name.len < sizeof(after) ? rows[count - 1].name.len : sizeof(after);
            memcpy(after, rows[count - 1].name.ptr, after_len);
        }
        r = core_hosts_load_page(core, rows, count);
        if (r < 0) {
            return r;
        }
    }
    return core_hosts_load_silence(core);
}

void core_hosts_sweep(struct core *core, bool is_durable)
{
    size_t cursor = 0;
    struct core_host *host;

    if (is_durable) {
        core_sources_sweep(core->sources);
    }
    while ((host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        if (host->is_gone && is_durable) {
            (void)map_remove(&core->hosts_by_id, MAP_KEY(host->id));
            (void)map_remove(&core->hosts_by_key, MAP_KEY(host->key_sha256));
            core_host_free(host);
        } else {
            host->is_gone = false;
        }
    }
}

void core_hosts_done(struct core *core)
{
    size_t cursor = 0;
    struct core_host *host;

    while ((host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        core_host_free(host);
    }
    map_done(&core->hosts_by_id);
    map_done(&core->hosts_by_key);
}

int core_host_store(struct core *core, struct core_host *host)
{
    struct store_host row;
    int r;

    arena_reset(core->arena);
    r = core_batch_begin(core);
    if (r == 0) {
        r = store_host_get(core->options.store, &host->id, core->arena, &row);
    }
    if (r < 0) {
        return r;
    }
    row.is_revoked = host->is_revoked;
    row.is_connected = host->stream != NULL && host->stream->is_open;
    row.clock_offset = host->clock_offset;
    row.seen = host->seen;
    core->changed |= CENTRE_CHANGED_HOSTS;
    return store_host_put(core->options.store, &row);
}

static void core_host_raise_silence(struct core *core, struct core_host *host)
{
    int r = core_raise(core, &host->id, SEVERITY_MEDIUM, SILENCE_TITLE, &host->silent_alert);

    if (r < 0) {
        core_fail(core, r);
        return;
    }
    log_warn("no word from a host host=%s", host->name);
}

/* The alert ends by itself: nobody need close it by hand in the morning. */
static void core_host_end_silence(struct core *core, struct core_host *host)
{
    int r = core_batch_begin(core);

    if (r == 0) {
        r = store_alert_move(core->options.store, host->silent_alert, ALERT_STATE_CLOSED,
                             STR("canhgac"), STR("true: the host is back"));
        r = r == -ERR_CONFLICT || r == -ERR_NOENT ? 0 : r; /* a person was faster */
    }
    if (r == 0) {
        r = store_audit_add(core->options.store, STR("canhgac"), STR("alert.close"),
                            str_from(host->name), STR("{\"reason\":\"the host is back\"}"));
    }
    if (r < 0) {
        core_fail(core, r);
        return;
    }
    host->silent_alert = 0;
    core->changed |= CENTRE_CHANGED_ALERTS;
}

void core_host_heard(struct core *core, struct core_host *host)
{
    int64_t now = clock_wall(core->options.clock);

    host->deaf = now - host->seen > HOST_AWAY ? now : host->deaf;
    host->seen = now;
    if (host->silent_alert != 0 && host->stream != NULL && host->stream->is_open) {
        core_host_end_silence(core, host);
    }
}

void core_hosts_watch(struct core *core)
{
    int64_t now = clock_wall(core->options.clock);
    size_t cursor = 0;
    struct core_host *host;

    if (core->is_full) {
        return;
    }
    while ((host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        int64_t since = host->seen > core->started ? host->seen : core->started;

        if (since > now) {
            host->seen = now; /* the centre's clock was set back */
            core->started = now;
        } else if (!host->is_revoked && host->silent_alert == 0 && host->via == NULL &&
                   now - since > core->options.silent_after) {
            core_host_raise_silence(core, host);
        }
    }
}
