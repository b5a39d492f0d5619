/* Asking a vault: one version, all versions, their bytes, how full it is; and dropping one.
 * Neighbours: cli/vault.c, the agent's status and the judge's content checks. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/vault.h"
#include "store/vault/state.h"
#include "store/vault/tend.h"
#include "sys/fd.h"

int vault_content(struct vault *vault, uint64_t id)
{
    struct vault_entry entry;

    return vault_open_object(vault, id, &entry);
}

static bool query_copy_text(struct arena *arena, struct str *text)
{
    *text = arena_copy(arena, *text);
    return text->ptr != NULL;
}

int vault_version(struct vault *vault, uint64_t id, struct arena *arena,
                  struct vault_version *ret_version)
{
    CLEANUP(buf_done) struct buf buf;
    struct vault_record record;
    struct finding_process *process = &record.version.process;
    int r;

    buf_init(&buf, VAULT_RECORD_MAX);
    r = vault_describe(vault, id, &buf, &record);
    if (r < 0) {
        return r;
    }
    if (!query_copy_text(arena, &record.version.path) || !query_copy_text(arena, &process->user) ||
        !query_copy_text(arena, &process->exe) || !query_copy_text(arena, &process->cmdline) ||
        !query_copy_text(arena, &record.version.handle)) {
        return -ERR_NOMEM;
    }
    *ret_version = record.version;
    return 0;
}

/* The next id, or 0 at the end. */
static uint64_t query_next(struct vault *vault, uint64_t after, const struct id *finding)
{
    const struct vault_entry *entry;
    uint64_t id;

    pthread_mutex_lock(&vault->mutex);
    entry = vault_next_locked(vault, after);
    while (entry != NULL && finding != NULL &&
           (entry->pin == NULL || !id_is(&entry->pin->finding, finding))) {
        entry = vault_next_locked(vault, entry->id);
    }
    id = entry != NULL ? entry->id : 0;
    pthread_mutex_unlock(&vault->mutex);
    return id;
}

int vault_list(struct vault *vault, const struct vault_filter *filter, vault_version_fn *fn,
               void *context)
{
    CLEANUP(buf_done) struct buf buf;
    uint64_t id = filter->after;
    size_t given = 0;
    int r = vault_refresh(vault);

    buf_init(&buf, VAULT_RECORD_MAX);
    while (r >= 0 && given < filter->limit && (id = query_next(vault, id, filter->finding)) != 0) {
        struct vault_record record;

        r = vault_describe(vault, id, &buf, &record);
        if (r == -ERR_NOENT) {
            r = 0; /* dropped while we walked */
        } else if (r == 0 && str_has_prefix(record.version.path, filter->path_prefix)) {
            given++;
            r = fn(context, &record.version);
        }
    }
    return r < 0 ? r : 0;
}

int vault_drop(struct vault *vault, uint64_t id)
{
    CLEANUP(closep) int lock = vault_lock(vault, true);
    struct vault_entry entry;
    int r;

    if (lock < 0) {
        return lock;
    }
    r = vault_refresh(vault);
    r = r < 0 ? r : vault_entry_copy(vault, id, &entry);
    if (r < 0) {
        return r;
    }
    return entry.pin != NULL ? -ERR_BUSY : vault_remove(vault, &entry);
}

int vault_usage(struct vault *vault, struct vault_usage *ret_usage)
{
    struct vault_usage usage = {};
    int r;

    pthread_mutex_lock(&vault->mutex);
    r = vault_refresh_locked(vault);
    for (size_t i = 0; i < vault->count; i++) {
        usage.pinned += vault->entries[i]->pin != NULL ? 1 : 0;
        if (usage.oldest == 0 || vault->entries[i]->time < usage.oldest) {
            usage.oldest = vault->entries[i]->time;
        }
    }
    usage.versions = vault->count;
    usage.bytes = vault->bytes;
    usage.limit = vault->limits.bytes;
    usage.damaged = vault->journal.damaged;
    pthread_mutex_unlock(&vault->mutex);
    usage.refused = atomic_load(&vault->journal.shared->refused);
    if (r == 0) {
        *ret_usage = usage;
    }
    return r;
}

bool vault_is_half_full(struct vault *vault)
{
    bool is_half_full;

    pthread_mutex_lock(&vault->mutex);
    is_half_full = vault->bytes >= vault->limits.bytes / 2;
    pthread_mutex_unlock(&vault->mutex);
    return is_half_full;
}

int vault_verify(struct vault *vault, uint64_t id)
{
    CLEANUP(vault_hashing_drop) struct vault_hashing hashing = {.fd = -1};
    CLEANUP(closep) int fd = -1;
    struct vault_entry entry;
    uint8_t sha256[32];
    int r;

    fd = vault_open_object(vault, id, &entry);
    if (fd < 0) {
        /* An object that went while its record stands is damage of the worst kind. */
        return fd == -ERR_NOENT && vault_entry_copy(vault, id, &entry) == 0 ? -ERR_CORRUPT : fd;
    }
    if (!entry.is_hashed) {
        return -ERR_AGAIN;
    }
    r = vault_hashing_start(&hashing, id, &fd);
    if (r < 0) {
        return r;
    }
    r = vault_hashing_go(&hashing, UINT64_MAX);
    r = r < 0 ? r : vault_hashing_end(&hashing, sha256);
    return r < 0 || memcmp(sha256, entry.sha256, sizeof(sha256)) == 0 ? r : -ERR_CORRUPT;
}

int vault_case_list(struct vault *vault, vault_case_fn *fn, void *context)
{
    struct vault_case_state *states = NULL;
    const struct vault_case *item;
    size_t count = 0;
    size_t cursor = 0;
    int r;

    pthread_mutex_lock(&vault->mutex);
    r = vault_refresh_locked(vault);
    states = mem_alloc(map_count(&vault->cases), sizeof(*states));
    r = r == 0 && states == NULL ? -ERR_NOMEM : r;
    while (r == 0 && (item = map_next(&vault->cases, &cursor)) != NULL) {
        struct vault_case_state *state = &states[count++];

        *state = (struct vault_case_state){
            .finding = item->finding, .files = item->count, .is_synced = item->is_synced};
        for (size_t i = 0; i < item->count; i++) {
            state->restored += item->files[i].step.stage == VAULT_STAGE_RESTORED ? 1 : 0;
        }
    }
    pthread_mutex_unlock(&vault->mutex);
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = fn(context, &states[i]);
    }
    mem_free(states);
    return r;
}
