/* Rows in two maps (handle, inode) and a third by the hash of the path, which only hints: whoever
 * uses it checks; and in numbered places, which serials name: each serial of a place is the one
 * before and the number of places. The handle lies behind the row. */
#include "agent/shelf.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"

#define SHELF_SEED 0x7368656c66U
#define TOKEN_BIT  (1ULL << 63) /* the vault counts from 1 and never gets here */
#define DROPS_PART 8            /* of holds_max, this part may wait to be closed */

struct file_entry {
    struct file_row row;
    struct str handle; /* lies in bytes */
    char bytes[];
};

struct shelf_place {
    struct file_row *row; /* NULL: free */
    uint64_t serial;      /* the last one given here; 0: none was */
};

struct shelf {
    struct map by_handle;
    struct map by_key;
    struct map by_path;
    struct list order;
    struct list holds;
    struct list deleted; /* held rows whose file is deleted, oldest first, instead of in holds */
    size_t rows_max;
    size_t holds_max;
    size_t held;
    struct shelf_place *places; /* rows_max */
    size_t next_place;          /* where to look first for a free one */
    int *drops;                 /* descriptors let go and not closed yet; room for drops_max */
    size_t drops_max;
    size_t drop_count;
};

int shelf_new(size_t rows_max, size_t holds_max, struct shelf **ret_shelf)
{
    struct shelf *shelf = mem_alloc(1, sizeof(*shelf));

    if (shelf == NULL) {
        return -ERR_NOMEM;
    }
    shelf->rows_max = rows_max;
    shelf->holds_max = holds_max;
    shelf->drops_max = holds_max / DROPS_PART;
    shelf->drops = mem_alloc(shelf->drops_max + 1, sizeof(shelf->drops[0]));
    shelf->places = mem_alloc(rows_max, sizeof(shelf->places[0]));
    if (shelf->drops == NULL || shelf->places == NULL) {
        mem_free(shelf->drops);
        mem_free(shelf->places);
        mem_free(shelf);
        return -ERR_NOMEM;
    }
    map_init(&shelf->by_handle, rows_max + 1, SHELF_SEED);
    map_init(&shelf->by_key, rows_max + 1, SHELF_SEED);
    map_init(&shelf->by_path, rows_max + 1, SHELF_SEED);
    list_init(&shelf->order);
    list_init(&shelf->holds);
    list_init(&shelf->deleted);
    *ret_shelf = shelf;
    return 0;
}

/* Takes the row out of a map, unless another row has taken its place there. */
static void shelf_unmap(struct map *map, struct str key, const struct file_row *row)
{
    if (map_get(map, key) == row) {
        (void)map_remove(map, key);
    }
}

static struct shelf_place *shelf_place_of(struct shelf *shelf, uint64_t serial)
{
    return &shelf->places[(serial - 1) % shelf->rows_max];
}

/* There is a free place: rows are fewer than those. */
static void shelf_take_place(struct shelf *shelf, struct file_row *row)
{
    size_t at = shelf->next_place;

    while (shelf->places[at].row != NULL) {
        at = at + 1 < shelf->rows_max ? at + 1 : 0;
    }
    shelf->places[at].row = row;
    shelf->places[at].serial += shelf->places[at].serial == 0 ? at + 1 : shelf->rows_max;
    row->serial = shelf->places[at].serial;
    shelf->next_place = at + 1 < shelf->rows_max ? at + 1 : 0;
}

static void shelf_leave_place(struct shelf *shelf, const struct file_row *row)
{
    struct shelf_place *place = shelf_place_of(shelf, row->serial);

    place->row = NULL;
    shelf->next_place = (size_t)(place - shelf->places);
}

static struct file_entry *shelf_entry(struct file_row *row)
{
    return (struct file_entry *)(void *)row;
}

static void shelf_remove(struct shelf *shelf, struct file_row *row)
{
    struct file_entry *entry = shelf_entry(row);

    shelf_let_go(shelf, row);
    shelf_unmap(&shelf->by_handle, entry->handle, row);
    shelf_unmap(&shelf->by_key, MAP_KEY(row->key), row);
    shelf_leave_place(shelf, row);
    shelf_leave_path(shelf, row);
    list_remove(&row->order);
    mem_free(entry);
}

int shelf_take_drop(struct shelf *shelf)
{
    return shelf->drop_count != 0 ? shelf->drops[--shelf->drop_count] : -1;
}

void shelf_free(struct shelf *shelf)
{
    if (shelf == NULL) {
        return;
    }
    LIST_EACH (node, &shelf->order) {
        shelf_remove(shelf, LIST_ENTRY(node, struct file_row, order));
    }
    map_done(&shelf->by_handle);
    map_done(&shelf->by_key);
    map_done(&shelf->by_path);
    while (shelf_take_drop(shelf) >= 0) {
    }
    mem_free(shelf->drops);
    mem_free(shelf->places);
    mem_free(shelf);
}

struct file_row *shelf_by_handle(struct shelf *shelf, const struct file_handle_id *handle)
{
    return map_get(&shelf->by_handle, handle_str(handle));
}

struct file_row *shelf_by_key(struct shelf *shelf, struct file_key key)
{
    return map_get(&shelf->by_key, MAP_KEY(key));
}

struct file_row *shelf_by_path(struct shelf *shelf, struct str path)
{
    uint64_t hash = map_hash(path, SHELF_SEED);

    return map_get(&shelf->by_path, MAP_KEY(hash));
}

bool shelf_is_at(const struct file_row *row, struct str path)
{
    return row->path_hash == map_hash(path, SHELF_SEED);
}

static struct file_row *place_next(const struct file_row *row)
{
    return LIST_ENTRY(row->place.next, struct file_row, place);
}

struct file_row *shelf_next_at(struct shelf *shelf, struct str path, const struct file_row *row,
                               const struct file_row *last)
{
    struct file_row *newest = shelf_by_path(shelf, path);
    bool is_there = row != NULL && shelf_is_at(row, path);
    struct file_row *next;

    if (last == NULL && !is_there) {
        return newest;
    }
    next = place_next(last != NULL ? last : row);
    return next != (is_there ? row : newest) ? next : NULL;
}

struct file_row *shelf_after_at(struct shelf *shelf, struct str path, const struct file_row *last)
{
    struct file_row *newest = shelf_by_path(shelf, path);
    const struct file_row *from = last != NULL ? last : newest;

    return last == newest ? NULL : LIST_ENTRY(from->place.prev, struct file_row, place);
}

struct file_row *shelf_by_token(struct shelf *shelf, uint64_t token)
{
    return shelf_by_serial(shelf, token & ~TOKEN_BIT);
}

struct file_row *shelf_by_serial(struct shelf *shelf, uint64_t serial)
{
    const struct shelf_place *place = serial != 0 ? shelf_place_of(shelf, serial) : NULL;

    return place != NULL && place->serial == serial ? place->row : NULL;
}

static int shelf_map(struct shelf *shelf, struct file_entry *entry)
{
    struct file_row *row = &entry->row;
    int r = map_put(&shelf->by_handle, entry->handle, row);

    /* an inode number used again: the old file stays known by its handle and token */
    (void)map_remove(&shelf->by_key, MAP_KEY(row->key));
    return r == 0 ? map_put(&shelf->by_key, MAP_KEY(row->key), row) : r;
}

int shelf_take(struct shelf *shelf, const struct file_handle_id *handle, struct file_key key,
               struct file_row **ret_row)
{
    struct file_row *row = shelf_by_handle(shelf, handle);
    struct str bytes = handle_str(handle);
    struct file_entry *entry;

    if (row == NULL) {
        if (map_count(&shelf->by_handle) >= shelf->rows_max) {
            shelf_remove(shelf, LIST_ENTRY(shelf->order.next, struct file_row, order));
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
        list_init(&row->place);
        row->key = key;
        shelf_take_place(shelf, row);
        row->fd = -1;
        if (shelf_map(shelf, entry) < 0) {
            shelf_remove(shelf, row);
            return -ERR_NOMEM;
        }
    }
    list_remove(&row->order);
    list_append(&shelf->order, &row->order);
    *ret_row = row;
    return 0;
}

void shelf_handle(const struct file_row *row, struct file_handle_id *ret_handle)
{
    const struct file_entry *entry = (const struct file_entry *)(const void *)row;

    memcpy(ret_handle, entry->bytes, entry->handle.len); /* handle_str is the front of the struct */
}

void shelf_leave_path(struct shelf *shelf, struct file_row *row)
{
    struct file_row *before = place_next(row);

    if (map_get(&shelf->by_path, MAP_KEY(row->path_hash)) == row) {
        (void)map_remove(&shelf->by_path, MAP_KEY(row->path_hash));
        if (before != row) {
            (void)!map_put(&shelf->by_path, MAP_KEY(before->path_hash), before);
        }
    }
    list_remove(&row->place);
    row->path_hash = 0;
}

void shelf_set_path(struct shelf *shelf, struct file_row *row, struct str path, uint64_t seen)
{
    uint64_t hash = map_hash(path, SHELF_SEED);
    struct file_row *there = map_get(&shelf->by_path, MAP_KEY(hash));

    if (there == row) {
        return;
    }
    shelf_leave_path(shelf, row);
    if (there != NULL) {
        list_insert_before(&there->place, &row->place);
        (void)map_remove(&shelf->by_path, MAP_KEY(hash));
    }
    row->path_hash = hash;
    row->seen = seen;
    (void)!map_put(&shelf->by_path, MAP_KEY(row->path_hash), row); /* without: one hint less */
}

void shelf_hold(struct shelf *shelf, struct file_row *row, int fd)
{
    if (row->fd >= 0) {
        (void)close(fd);
        return;
    }
    row->fd = fd;
    list_append(&shelf->holds, &row->holds);
    shelf->held++;
}

bool shelf_is_held(struct file_row *row, struct stat *ret_stat)
{
    if (row->fd < 0 || fstat(row->fd, ret_stat) != 0) {
        return false;
    }
    row->size = (uint64_t)ret_stat->st_size;
    return true;
}

void shelf_let_go(struct shelf *shelf, struct file_row *row)
{
    if (row->fd < 0) {
        return;
    }
    if (shelf->drop_count < shelf->drops_max) {
        shelf->drops[shelf->drop_count++] = TAKE_FD(row->fd);
    }
    closep(&row->fd);
    list_remove(&row->holds);
    shelf->held--;
}

void shelf_set_deleted(struct shelf *shelf, struct file_row *row, int64_t now)
{
    row->is_deleted = true;
    row->deleted = now;
    if (row->fd >= 0) {
        list_remove(&row->holds);
        list_append(&shelf->deleted, &row->holds);
    }
}

bool shelf_is_crowded(const struct shelf *shelf)
{
    return shelf->held > shelf->holds_max;
}

struct file_row *shelf_oldest_hold(struct shelf *shelf)
{
    LIST_EACH (node, &shelf->holds) {
        struct file_row *row = LIST_ENTRY(node, struct file_row, holds);

        if (!row->is_kept) {
            return row;
        }
    }
    return NULL;
}

struct file_row *shelf_oldest_deleted(struct shelf *shelf, int64_t before)
{
    LIST_EACH (node, &shelf->deleted) {
        struct file_row *row = LIST_ENTRY(node, struct file_row, holds);

        if (!row->is_kept) { /* those behind it were deleted later */
            return row->deleted < before ? row : NULL;
        }
    }
    return NULL;
}

uint64_t shelf_token(const struct file_row *row)
{
    return TOKEN_BIT | row->serial;
}

bool shelf_is_token(uint64_t version)
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
