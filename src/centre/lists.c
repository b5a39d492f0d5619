/* See centre/lists.h. */
#include "centre/lists.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "sys/fd.h"
#include "sys/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int lists_texts_new(struct lists_texts **ret_texts)
{
    struct lists_texts *texts = mem_alloc(1, sizeof(*texts));

    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    *ret_texts = texts;
    return 0;
}

void lists_texts_free(struct lists_texts *texts)
{
    for (size_t i = 0; texts != NULL && i < texts->count; i++) {
        buf_done(&texts->all[i].text);
    }
    mem_free(texts);
}

void lists_texts_freep(struct lists_texts **texts)
{
    lists_texts_free(*texts);
}

int lists_texts_add(struct lists_texts *texts, int folder, const char *file)
{
    struct lists_text *text = &texts->all[texts->count];

    if (texts->count == INDICATORS_LISTS_MAX) {
        return -ERR_LIMIT;
    }
    texts->count++;
    buf_init(&text->text, INDICATORS_FILE_MAX);
    (void)snprintf(text->file, sizeof(text->file), "%.*s", (int)sizeof(text->file) - 1, file);
    text->error = file_read_all(folder, file, &text->text);
    return 0;
}

static bool is_list_file(const struct dirent *entry)
{
    struct str file = str_from(entry->d_name);

    return str_has_suffix(file, STR(LISTS_SUFFIX)) &&
           indicators_is_name(str_slice(file, 0, file.len - sizeof(LISTS_SUFFIX) + 1));
}

int lists_texts_add_all(struct lists_texts *texts, int folder)
{
    CLEANUP(folder_names_done) struct folder_names names = {0};
    int r = folder_names_read(folder, is_list_file, SIZE_MAX, &names);

    for (size_t i = 0; r == 0 && i < names.count; i++) {
        r = lists_texts_add(texts, folder, names.items[i]);
    }
    return r;
}

void lists_texts_open(struct lists_texts *texts, const char *path)
{
    CLEANUP(closep) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = folder < 0 ? -errno : lists_texts_add_all(texts, folder);

    if (r < 0 && r != -ERR_NOENT) {
        log_warn("lists of bad hosts cannot all be read and do not count folder=%s reason=%s", path,
                 err_text(r));
    }
}

static void lists_refuse(struct lists_text *text, const char *why)
{
    log_warn("a list of bad hosts does not count until it is imported again list=%s reason=%s",
             text->file, why);
    buf_done(&text->text);
}

/* -ERR_CANCELED: one was refused, and part of it may be in there. */
static int lists_try(struct lists_texts *texts, struct indicators **ret_indicators)
{
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    struct diag diag = {{0}};
    int r = indicators_new(indicators_popular(), &indicators, &diag);

    for (size_t i = 0; r == 0 && i < texts->count; i++) {
        struct lists_text *text = &texts->all[i];

        if (text->error != 0) {
            continue;
        }
        text->error = indicators_add_file(indicators, buf_str(&text->text), &diag);
        if (text->error < 0) {
            lists_refuse(text, diag_text(&diag, text->error));
            return -ERR_CANCELED;
        }
    }
    if (r == 0) {
        indicators_set_time(indicators, clock_wall(&clock_real));
        *ret_indicators = TAKE_PTR(indicators);
    }
    return r;
}

int lists_indicators(struct lists_texts *texts, struct indicators **ret_indicators)
{
    int r;

    for (size_t i = 0; i < texts->count; i++) {
        if (texts->all[i].error < 0) {
            lists_refuse(&texts->all[i], err_text(texts->all[i].error));
        }
    }
    do {
        r = lists_try(texts, ret_indicators);
    } while (r == -ERR_CANCELED);
    for (size_t i = 0; i < texts->count; i++) {
        buf_done(&texts->all[i].text);
    }
    return r;
}
