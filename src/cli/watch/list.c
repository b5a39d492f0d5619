/* See cli/watch/list.h. */
#include "cli/watch/list.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/wire.h"
#include "codec/csv.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <stdio.h>

#define ROW_ARENA (1U << 20)

void watch_list_init(struct watch_list *list, struct arena *arena)
{
    *list = (struct watch_list){.arena = arena};
    map_init(&list->known, FETCH_SITES_MAX, 0x77617463);
}

void watch_list_done(struct watch_list *list)
{
    map_done(&list->known);
}

int watch_list_add(struct watch_list *list, struct str url, struct diag *diag)
{
    char canonical[SITE_URL_MAX + 1];
    struct str kept;
    int r = url_canonical(url, canonical, diag);

    if (r < 0 || map_get(&list->known, str_from(canonical)) != NULL) {
        return r;
    }
    if (list->urls == NULL) {
        list->urls = arena_alloc(list->arena, FETCH_SITES_MAX, sizeof(*list->urls));
    }
    kept = arena_copy(list->arena, str_from(canonical));
    if (list->urls == NULL || kept.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (list->count == FETCH_SITES_MAX) {
        return diag_set(diag, -ERR_LIMIT, _("more than %d sites are too many for one watch"),
                        FETCH_SITES_MAX);
    }
    list->urls[list->count++] = kept.ptr;
    /* the value only says that it is there */
    return map_put(&list->known, kept, list);
}

static bool watch_list_is_heading(struct str field)
{
    static const char *const names[] = {"url", "address", "website", "site", "địa chỉ", "Địa chỉ"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_is_nocase(field, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static void watch_list_refuse(struct watch_list *list, const char *path, unsigned line,
                              const char *why)
{
    if (++list->refused <= WATCH_LIST_TOLD_MAX) {
        fprintf(stderr, "%s:%u: %s\n", path, line, why);
    }
}

struct watch_list_file {
    const char *path;
    struct csv_reader reader;
    size_t column;
    bool is_first;
};

static int watch_list_take_row(struct watch_list *list, struct watch_list_file *file,
                               const struct str *fields, int count)
{
    struct diag diag = {0};
    int r;

    if (file->is_first) {
        file->is_first = false;
        for (int i = 0; i < count; i++) {
            if (watch_list_is_heading(fields[i])) {
                file->column = (size_t)i;
                return 0;
            }
        }
    }
    if (count <= (int)file->column || fields[file->column].len == 0) {
        watch_list_refuse(list, file->path, file->reader.line, _("no address stands there"));
        return 0;
    }
    r = watch_list_add(list, fields[file->column], &diag);
    if (r == -ERR_SYNTAX) {
        watch_list_refuse(list, file->path, file->reader.line, diag_text(&diag, r));
        return 0;
    }
    if (r < 0) {
        watch_list_refuse(list, file->path, file->reader.line, diag_text(&diag, r));
    }
    return r == -ERR_LIMIT ? 0 : r;
}

int watch_list_read(struct watch_list *list, const char *path, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct watch_list_file file = {.path = path, .is_first = true};
    struct str fields[CSV_FIELDS_MAX];
    int r;

    buf_init(&text, WATCH_LIST_SIZE_MAX);
    r = arena_new(ROW_ARENA, &arena);
    if (r == 0) {
        r = file_read_all(AT_FDCWD, path, &text);
    }
    if (r < 0) {
        return diag_set(diag, r, _("cannot read the list %s: %s"), path, err_text(r));
    }
    csv_open(&file.reader, buf_str(&text));
    for (;;) {
        arena_reset(arena);
        r = csv_next(&file.reader, arena, fields);
        if (r == 0) {
            break;
        }
        if (r == -ERR_LIMIT || r == -ERR_SYNTAX) {
            watch_list_refuse(list, path, file.reader.line, err_text(r));
            continue;
        }
        r = r < 0 ? r : watch_list_take_row(list, &file, fields, r);
        if (r < 0) {
            return r;
        }
    }
    if (list->refused > WATCH_LIST_TOLD_MAX) {
        fprintf(stderr, _("… and %zu more lines that hold no address\n"),
                list->refused - WATCH_LIST_TOLD_MAX);
    }
    return 0;
}
