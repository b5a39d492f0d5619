/* Rows by path; each is one block with its texts. */
#include "agent/folders.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

#define FOLDERS_SEED 0x666f6c64U

struct folders {
    struct map rows;
    size_t limit;
};

int folders_new(size_t limit, struct folders **ret_folders)
{
    struct folders *folders = mem_alloc(1, sizeof(*folders));

    if (folders == NULL) {
        return -ERR_NOMEM;
    }
    folders->limit = limit;
    map_init(&folders->rows, limit, FOLDERS_SEED);
    *ret_folders = folders;
    return 0;
}

void folders_free(struct folders *folders)
{
    size_t cursor = 0;
    struct folder_row *row;

    if (folders == NULL) {
        return;
    }
    while ((row = map_next(&folders->rows, &cursor)) != NULL) {
        mem_free(row);
    }
    map_done(&folders->rows);
    mem_free(folders);
}

struct folder_row *folders_find(const struct folders *folders, struct str path)
{
    return map_get(&folders->rows, path);
}

struct folder_row *folders_next(const struct folders *folders, size_t *cursor)
{
    return map_next(&folders->rows, cursor);
}

void folders_put(struct folders *folders, const struct vault_folder *folder, int32_t session)
{
    struct folder_row *old = folders_find(folders, folder->path);
    struct folder_row *row;
    char *text;

    if (old == NULL && map_count(&folders->rows) >= folders->limit) {
        return;
    }
    row = mem_alloc(1, sizeof(*row) + folder->path.len + folder->xattrs.len + 1);
    if (row == NULL) {
        return;
    }
    text = (char *)(row + 1);
    row->folder = *folder;
    row->session = session;
    memcpy(text, folder->path.ptr, folder->path.len);
    if (folder->xattrs.len != 0) {
        memcpy(text + folder->path.len, folder->xattrs.ptr, folder->xattrs.len);
    }
    row->folder.path = str_of(text, folder->path.len);
    row->folder.xattrs = str_of(text + folder->path.len, folder->xattrs.len);
    mem_free(map_remove(&folders->rows, folder->path));
    if (map_put(&folders->rows, row->folder.path, row) < 0) {
        mem_free(row);
    }
}
