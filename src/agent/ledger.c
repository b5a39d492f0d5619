/* Rows in three maps (handle, inode, serial) and a fourth by the hash of the path, which only hints: whoever
 * uses it checks. The handle lies behind the row. */
#include "agent/ledger.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#define LEDGER_SEED 0x6c6564676572U
#define TOKEN_BIT   (1ULL << 63) /* the vault counts from 1 and never gets here */

struct file_entry {
    struct file_row row;
    struct str handle; /* lies in bytes */
    char bytes[];
};

struct ledger {
    struct map by_handle;
    struct map by_key;
    struct map by_serial;
    struct map by_path;
    struct list order;
    struct list holds;
    struct list deleted; /* held rows whose file is deleted, oldest first, instead of in holds */
    size_t rows_max;
    size_t holds_max;
    size_t held;
    uint64_t serials;
};

int ledger_new(size_t rows_max, size_t holds_max, struct ledger **ret_ledger)
{
    struct ledger *ledger = mem_alloc(1, sizeof(*ledger));

    if (ledger == NULL) {
        return -ERR_NOMEM;
    }
    ledger->rows_max = rows_max;
    ledger->holds_max = holds_max;
    map_init(&ledger->by_handle, rows_max + 1, LEDGER_SEED);
    map_init(&ledger->by_key, rows_max + 1, LEDGER_SEED);
    map_init(&ledger->by_serial, rows_max + 1, LEDGER_SEED);
    map_init(&ledger->by_path, rows_max + 1, LEDGER_SEED);
    list_init(&ledger->order);
    list_init(&ledger->holds);
    list_init(&ledger->deleted);
    *ret_ledger = ledger;
    return 0;
}

/* Takes the row out of a map, unless another row has taken its place there. */
static void ledger_unmap(struct map *map, struct str key, const struct file_row *row)
{
    if (map_get(map, key) == row) {
        (void)map_remove(map, key);
    }
}

static struct file_entry *ledger_entry(struct file_row *row)
{
    return (struct file_entry *)(void *)row;
}

static void ledger_remove(struct ledger *ledger, struct file_row *row)
{
    struct file_entry *entry = ledger_entry(row);

    ledger_let_go(ledger, row);
    ledger_unmap(&ledger->by_handle, entry->handle, row);
    ledger_unmap(&ledger->by_key, MAP_KEY(row->key), row);
    ledger_unmap(&ledger->by_serial, MAP_KEY(row->serial), row);
    ledger_unmap(&ledger->by_path, MAP_KEY(row->path_hash), row);
    list_remove(&row->order);
    mem_free(entry);
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    LIST_EACH (node, &ledger->order) {
        ledger_remove(ledger, LIST_ENTRY(node, struct file_row, order));
    }
    map_done(&ledger->by_handle);
    map_done(&ledger->by_key);
    map_done(&ledger->by_serial);
    map_done(&ledger->by_path);
    mem_free(ledger);
}

struct file_row *ledger_by_handle(struct ledger *ledger, const struct file_handle_id *handle)
{
    return map_get(&ledger->by_handle, handle_str(handle));
}

struct file_row *ledger_by_key(struct ledger *ledger, struct file_key key)
{
    return map_get(&ledger->by_key, MAP_KEY(key));
}

struct file_row *ledger_by_path(struct ledger *ledger, struct str path)
{
    uint64_t hash = map_hash(path, LEDGER_SEED);

    return map_get(&ledger->by_path, MAP_KEY(hash));
}

struct file_row *ledger_by_token(struct ledger *ledger, uint64_t token)
{
    uint64_t serial = token & ~TOKEN_BIT;

    return map_get(&ledger->by_serial, MAP_KEY(serial));
}

static int ledger_map(struct ledger *ledger, struct file_entry *entry)
{
    struct file_row *row = &entry->row;
    int r = map_put(&ledger->by_handle, entry->handle, row);

    /* an inode number used again: the old file stays known by its handle and token */
    (void)map_remove(&ledger->by_key, MAP_KEY(row->key));
    if (r == 0) {
        r = map_put(&ledger->by_key, MAP_KEY(row->key), row);
    }
    if (r == 0) {
        r = map_put(&ledger->by_serial, MAP_KEY(row->serial), row);
    }
    return r;
}

int ledger_take(struct ledger *ledger, const struct file_handle_id *handle, struct file_key key,
                struct file_row **ret_row)
{
    struct file_row *row = ledger_by_handle(ledger, handle);
    struct str bytes = handle_str(handle);
    struct file_entry *entry;

    if (row == NULL) {
        if (map_count(&ledger->by_handle) >= ledger->rows_max) {
            ledger_remove(ledger, LIST_ENTRY(ledger->order.next, struct file_row, order));
        }
        entry = mem_alloc(1, sizeof(*entry) + bytes.len);
        if (entry == NULL) {
            return -ERR_NOMEM;
        }
        memcpy(entry->bytes, bytes.ptr, bytes.len);
        entry->handle = str_of(entry->bytes, bytes.len);
        row = &entry->row;
        list_init(&row->order);
        list_init(&row->holds);
        row->key = key;
        row->serial = ++ledger->serials;
        row->fd = -1;
        if (ledger_map(ledger, entry) < 0) {
            ledger_remove(ledger, row);
            return -ERR_NOMEM;
        }
    }
    list_remove(&row->order);
    list_append(&ledger->order, &row->order);
    *ret_row = row;
    return 0;
}

void ledger_handle(const struct file_row *row, struct file_handle_id *ret_handle)
{
    const struct file_entry *entry = (const struct file_entry *)(const void *)row;

    memcpy(ret_handle, entry->bytes, entry->handle.len); /* handle_str is the front of the struct */
}

void ledger_set_path(struct ledger *ledger, struct file_row *row, struct str path)
{
    uint64_t hash = map_hash(path, LEDGER_SEED);

    if (row->path_hash == hash && map_get(&ledger->by_path, MAP_KEY(hash)) == row) {
        return;
    }
    ledger_unmap(&ledger->by_path, MAP_KEY(row->path_hash), row);
    (void)map_remove(&ledger->by_path, MAP_KEY(hash));
    row->path_hash = hash;
    (void)!map_put(&ledger->by_path, MAP_KEY(row->path_hash), row); /* without: one hint less */
}

void ledger_hold(struct ledger *ledger, struct file_row *row, int fd)
{
    if (row->fd >= 0) {
        (void)close(fd);
        return;
    }
    row->fd = fd;
    list_append(&ledger->holds, &row->holds);
    ledger->held++;
}

void ledger_let_go(struct ledger *ledger, struct file_row *row)
{
    if (row->fd < 0) {
        return;
    }
    closep(&row->fd);
    list_remove(&row->holds);
    ledger->held--;
}

void ledger_set_deleted(struct ledger *ledger, struct file_row *row, int64_t now)
{
    row->is_deleted = true;
    row->deleted = now;
    if (row->fd >= 0) {
        list_remove(&row->holds);
        list_append(&ledger->deleted, &row->holds);
    }
}

bool ledger_is_crowded(const struct ledger *ledger)
{
    return ledger->held > ledger->holds_max;
}

struct file_row *ledger_oldest_hold(struct ledger *ledger)
{
    LIST_EACH (node, &ledger->holds) {
        struct file_row *row = LIST_ENTRY(node, struct file_row, holds);

        if (!row->is_kept) {
            return row;
        }
    }
    return NULL;
}

struct file_row *ledger_oldest_deleted(struct ledger *ledger, int64_t before)
{
    LIST_EACH (node, &ledger->deleted) {
        struct file_row *row = LIST_ENTRY(node, struct file_row, holds);

        if (!row->is_kept && row->deleted < before) {
            return row;
        }
    }
    return NULL;
}

uint64_t ledger_token(const struct file_row *row)
{
    return TOKEN_BIT | row->serial;
}

bool ledger_is_token(uint64_t version)
{
    return (version & TOKEN_BIT) != 0;
}

void file_state_of(const struct stat *stat, struct file_state *ret_state)
{
    ret_state->size = (uint64_t)stat->st_size;
    ret_state->modified = stat->st_mtim.tv_sec * NS_PER_S + stat->st_mtim.tv_nsec;
    ret_state->changed = stat->st_ctim.tv_sec * NS_PER_S + stat->st_ctim.tv_nsec;
}

bool file_state_is(const struct file_state *a, const struct file_state *b)
{
    return a->size == b->size && a->modified == b->modified && a->changed == b->changed;
}
