/* Folders of cases. The way: the agent adds a folder's facts to a case → before the files, what is
 * missing is made, from the top down → behind them, owner, mode, attributes and times are put back,
 * from the bottom up, since each act in a folder changes its times. Neighbours: vault/case.c calls,
 * vault/place.c walks. Invariant: what is done to a folder is written down before it is done. */
#include "store/vault/folder.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/vault/meta.h"
#include "store/vault/place.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define FOLDER_XATTRS_MAX (64U << 10)

void vault_folders_done(struct map *folders)
{
    size_t cursor = 0;
    struct vault_folder_row *row;

    while ((row = map_next(folders, &cursor)) != NULL) {
        mem_free(row);
    }
    map_done(folders);
}

const struct vault_folder *vault_folder_known(const struct map *folders, struct str path)
{
    const struct vault_folder_row *row = map_get(folders, path);

    return row != NULL ? &row->folder : NULL;
}

static char *folder_put_text(char *at, struct str *text)
{
    if (text->len != 0) {
        memcpy(at, text->ptr, text->len);
    }
    *text = str_of(at, text->len);
    return at + text->len;
}

int vault_folders_put(struct map *folders, const struct vault_record *record)
{
    size_t room =
        record->folder.path.len + record->folder.xattrs.len + record->folder_now.xattrs.len;
    struct vault_folder_row *row;
    char *at;
    int r;

    if (map_get(folders, record->folder.path) == NULL && map_count(folders) >= VAULT_FOLDERS_MAX) {
        return 0;
    }
    row = mem_alloc(1, sizeof(*row) + room + 1);
    if (row == NULL) {
        return -ERR_NOMEM;
    }
    row->folder = record->folder;
    row->now = record->folder_now;
    row->now.path = STR("");
    row->stage = record->folder_stage;
    at = folder_put_text(row->text, &row->folder.path);
    at = folder_put_text(at, &row->folder.xattrs);
    (void)folder_put_text(at, &row->now.xattrs);
    mem_free(map_remove(folders, row->folder.path));
    r = map_put(folders, row->folder.path, row);
    if (r < 0) {
        mem_free(row);
    }
    return r;
}

void vault_folder_of(const struct stat *stat, struct str path, struct vault_folder *ret_folder)
{
    *ret_folder = (struct vault_folder){.path = path,
                                        .mode = stat->st_mode & 07777,
                                        .uid = stat->st_uid,
                                        .gid = stat->st_gid,
                                        .mtime = vault_time_of(stat->st_mtim),
                                        .atime = vault_time_of(stat->st_atim),
                                        .xattrs = STR("")};
}

int vault_folder_read(int fd, struct str path, struct buf *room, struct vault_folder *ret_folder)
{
    struct stat st;
    int r;

    if (fstat(fd, &st) != 0) {
        return -errno;
    }
    if (!S_ISDIR(st.st_mode)) {
        return -ERR_NOTDIR;
    }
    buf_reset(room);
    r = vault_meta_read_xattrs(fd, room);
    if (r < 0) {
        return r;
    }
    vault_folder_of(&st, path, ret_folder);
    ret_folder->xattrs = buf_str(room);
    return 0;
}

static bool folder_is_same(const struct vault_folder *a, const struct vault_folder *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
           str_is(a->xattrs, b->xattrs);
}

int vault_folder_keep(struct vault *vault, const struct vault_folder *folder)
{
    const struct vault_record record = {.kind = VAULT_RECORD_FOLDER, .folder = *folder};
    const struct vault_folder *known;
    bool is_needed;

    pthread_mutex_lock(&vault->mutex);
    known = vault_folder_known(&vault->folders, folder->path);
    is_needed = known != NULL ? !folder_is_same(known, folder)
                              : map_count(&vault->folders) < VAULT_FOLDERS_MAX;
    pthread_mutex_unlock(&vault->mutex);
    return is_needed ? vault_write(vault, &record) : 0;
}

int vault_case_add_folder(struct vault *vault, const struct id *finding,
                          const struct vault_folder *folder)
{
    const struct vault_record record = {
        .kind = VAULT_RECORD_CASE_FOLDER, .finding = *finding, .folder = *folder};
    const struct vault_case *item;
    bool is_known;
    int r = vault_refresh(vault);

    if (r < 0) {
        return r;
    }
    if (folder->path.len == 0 || folder->path.ptr[0] != '/') {
        return -ERR_INVAL;
    }
    pthread_mutex_lock(&vault->mutex);
    item = vault_case_locked(vault, finding);
    r = item == NULL ? -ERR_NOENT : 0;
    is_known = item != NULL && vault_folder_known(&item->folders, folder->path) != NULL;
    pthread_mutex_unlock(&vault->mutex);
    return r < 0 || is_known ? r : vault_write(vault, &record);
}

int vault_folder_apply(int fd, const struct vault_folder *folder, bool has_times)
{
    const struct vault_version version = {.mode = folder->mode,
                                          .uid = folder->uid,
                                          .gid = folder->gid,
                                          .mtime = folder->mtime,
                                          .atime = folder->atime};
    const struct vault_meta meta = {.xattrs = folder->xattrs};

    return vault_meta_apply(fd, &version, &meta, has_times);
}

/* The case's folders standing apart from the vault's memory: by path, so that a folder comes before
 * what is in it. */
struct folder_list {
    struct arena *arena;
    struct vault_folder_row **rows;
    size_t count;
};

static int folder_compare(const void *a, const void *b)
{
    const struct vault_folder_row *const *left = a;
    const struct vault_folder_row *const *right = b;

    return str_compare((*left)->folder.path, (*right)->folder.path);
}

static struct vault_folder_row *folder_copy(struct arena *arena, const struct vault_folder_row *row)
{
    struct vault_folder_row *copy = arena_alloc(arena, 1, sizeof(*copy));

    if (copy == NULL) {
        return NULL;
    }
    copy->folder = row->folder;
    copy->now = row->now;
    copy->stage = row->stage;
    copy->folder.path = arena_copy(arena, row->folder.path);
    copy->folder.xattrs = arena_copy(arena, row->folder.xattrs);
    copy->now.xattrs = arena_copy(arena, row->now.xattrs);
    return copy->folder.path.ptr != NULL && copy->folder.xattrs.ptr != NULL &&
                   copy->now.xattrs.ptr != NULL
               ? copy
               : NULL;
}

static int folder_list_locked(const struct vault_case *item, struct folder_list *list)
{
    const struct vault_folder_row *row;
    size_t cursor = 0;

    list->rows = arena_alloc(list->arena, map_count(&item->folders) + 1, sizeof(*list->rows));
    if (list->rows == NULL) {
        return -ERR_NOMEM;
    }
    while ((row = map_next(&item->folders, &cursor)) != NULL) {
        list->rows[list->count] = folder_copy(list->arena, row);
        if (list->rows[list->count] == NULL) {
            return -ERR_NOMEM;
        }
        list->count++;
    }
    return 0;
}

static int folder_list_init(struct vault *vault, const struct id *finding, struct folder_list *list)
{
    const struct vault_case *item;
    int r;

    *list = (struct folder_list){0};
    r = arena_new((size_t)VAULT_FOLDERS_MAX * FOLDER_XATTRS_MAX, &list->arena);
    if (r < 0) {
        return r;
    }
    pthread_mutex_lock(&vault->mutex);
    item = vault_case_locked(vault, finding);
    r = item != NULL ? folder_list_locked(item, list) : -ERR_NOENT;
    pthread_mutex_unlock(&vault->mutex);
    if (r == 0) {
        qsort(list->rows, list->count, sizeof(struct vault_folder_row *), folder_compare);
    }
    return r;
}

static int folder_write(struct vault *vault, const struct id *finding,
                        const struct vault_folder_row *row)
{
    const struct vault_record record = {.kind = VAULT_RECORD_CASE_FOLDER,
                                        .finding = *finding,
                                        .folder = row->folder,
                                        .folder_now = row->now,
                                        .folder_stage = row->stage};

    return vault_write(vault, &record);
}

/* -ERR_NOENT when it, or one above it, is not there. */
static int folder_open(const struct vault *vault, struct str path)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    int r = vault_place_open(vault, path, &place);

    return r < 0 ? r : vault_place_open_folder(&place);
}

static int folder_put_back(struct vault *vault, const struct id *finding,
                           struct vault_folder_row *row)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    int r = vault_place_open(vault, row->folder.path, &place);

    if (r < 0) {
        return r == -ERR_NOENT ? 0 : r; /* what lies above was not known: made with the file */
    }
    fd = vault_place_open_folder(&place);
    if (fd != -ERR_NOENT) {
        return fd < 0 ? fd : 0;
    }
    row->stage = VAULT_FOLDER_MADE;
    r = folder_write(vault, finding, row);
    if (r < 0) {
        return r;
    }
    if (mkdirat(place.folder, place.name, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    fd = vault_place_open_folder(&place);
    return fd < 0 ? fd : vault_folder_apply(fd, &row->folder, false);
}

int vault_case_make_folders(struct vault *vault, const struct id *finding)
{
    struct folder_list list;
    int r = folder_list_init(vault, finding, &list);

    for (size_t i = 0; r == 0 && i < list.count; i++) {
        /* One that cannot be made fails with its files, which tell. */
        r = folder_put_back(vault, finding, list.rows[i]) == -ERR_NOMEM ? -ERR_NOMEM : 0;
    }
    arena_free(list.arena);
    return r;
}

static int folder_mend(struct vault *vault, const struct id *finding, struct vault_folder_row *row)
{
    CLEANUP(closep) int fd = folder_open(vault, row->folder.path);
    CLEANUP(buf_done) struct buf room;
    struct vault_folder now = {0};
    int r;

    buf_init(&room, FOLDER_XATTRS_MAX);
    r = fd < 0 ? fd : vault_folder_read(fd, row->folder.path, &room, &now);
    if (r == 0 && row->stage == VAULT_FOLDER_AS_FOUND && !folder_is_same(&now, &row->folder)) {
        row->stage = VAULT_FOLDER_CHANGED;
        row->now = now;
        r = folder_write(vault, finding, row);
    }
    return r < 0 ? r : vault_folder_apply(fd, &row->folder, true);
}

int vault_case_mend_folders(struct vault *vault, const struct id *finding, uint64_t *ret_count)
{
    struct folder_list list;
    int r = folder_list_init(vault, finding, &list);

    for (size_t i = list.count; r == 0 && i > 0; i--) {
        int result = folder_mend(vault, finding, list.rows[i - 1]);

        *ret_count += result == 0 ? 1 : 0;
        r = result == -ERR_NOMEM ? result : 0;
    }
    arena_free(list.arena);
    return r;
}

static int folder_undo(struct vault *vault, const struct id *finding, struct vault_folder_row *row)
{
    CLEANUP(vault_place_done) struct vault_place place = {.folder = -1};
    CLEANUP(closep) int fd = -1;
    int r = vault_place_open(vault, row->folder.path, &place);

    if (r == 0 && row->stage == VAULT_FOLDER_MADE) {
        r = unlinkat(place.folder, place.name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ? 0
                                                                                        : -errno;
    } else if (r == 0 && row->stage == VAULT_FOLDER_CHANGED) {
        fd = vault_place_open_folder(&place);
        r = fd < 0 ? fd : vault_folder_apply(fd, &row->now, false);
    }
    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    row->stage = VAULT_FOLDER_AS_FOUND;
    row->now = (struct vault_folder){0};
    return folder_write(vault, finding, row);
}

int vault_case_undo_folders(struct vault *vault, const struct id *finding)
{
    struct folder_list list;
    int r = folder_list_init(vault, finding, &list);

    for (size_t i = list.count; r == 0 && i > 0; i--) {
        if (list.rows[i - 1]->stage != VAULT_FOLDER_AS_FOUND) {
            r = folder_undo(vault, finding, list.rows[i - 1]);
        }
    }
    arena_free(list.arena);
    return r;
}
