/* The sites that `canhgac watch` is asked for: addresses on its command line, and lists as CSV.
 * What cannot be read is named with its line; what can is kept. */
#ifndef CLI_WATCH_LIST_H
#define CLI_WATCH_LIST_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/str.h"

#include <stddef.h>

#define WATCH_LIST_SIZE_MAX (256U << 20) /* bytes of a file */
#define WATCH_LIST_TOLD_MAX 10           /* bad lines that are named; the others are counted */

struct watch_list {
    struct arena *arena;
    const char **urls; /* canonical, each once */
    size_t count;
    size_t refused; /* lines that held no address */
    struct map known;
};

void watch_list_init(struct watch_list *list, struct arena *arena);
void watch_list_done(struct watch_list *list);
/* -ERR_SYNTAX with a sentence; -ERR_LIMIT past FETCH_SITES_MAX. One that is there already is passed
 * over. */
[[nodiscard]] int watch_list_add(struct watch_list *list, struct str url, struct diag *diag);
/* A column named url, address or "địa chỉ" in the first row, else the first column. Bad lines go to
 * stderr. -errno with a sentence when the file cannot be read. */
[[nodiscard]] int watch_list_read(struct watch_list *list, const char *path, struct diag *diag);

#endif
