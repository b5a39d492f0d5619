/* Neighbours: the files, centre/detector.c, detect/sigma/load.h. */
#include "centre/rules.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/scan_walk.h"
#include "sys/fd.h"

#include <string.h>

struct rules_text {
    char *path;
    struct buf text;
};

struct rules_texts {
    size_t limit;
    size_t bytes;
    size_t count;
    struct rules_text all[RULES_FILES_MAX];
    struct diag *diag; /* of the add in hand */
};

int rules_texts_new(size_t limit, struct rules_texts **ret_texts)
{
    struct rules_texts *texts = mem_alloc(1, sizeof(*texts));

    if (texts == NULL) {
        return -ERR_NOMEM;
    }
    texts->limit = limit;
    *ret_texts = texts;
    return 0;
}

void rules_texts_free(struct rules_texts *texts)
{
    if (texts != NULL) {
        for (size_t i = 0; i < texts->count; i++) {
            mem_free(texts->all[i].path);
            buf_done(&texts->all[i].text);
        }
        mem_free(texts);
    }
}

void rules_texts_freep(struct rules_texts **texts)
{
    rules_texts_free(*texts);
    *texts = NULL;
}

static void rules_failed(void *context, const char *path, int code)
{
    (void)context;
    log_warn(_("the rules in '%s' cannot be read: %s"), path, err_text(code));
}

static int rules_file(void *context, int fd, const char *path)
{
    struct rules_texts *texts = context;
    struct rules_text *text = &texts->all[texts->count];
    struct str name = str_from(path);
    int r;

    if (!str_has_suffix(name, STR(".yml")) && !str_has_suffix(name, STR(".yaml"))) {
        return 0;
    }
    if (texts->count == RULES_FILES_MAX || texts->bytes >= texts->limit) {
        return diag_set(texts->diag, -ERR_LIMIT,
                        _("there are too many rules: '%s' and those behind it find no room (%d "
                          "files, %zu bytes at most)"),
                        path, RULES_FILES_MAX, texts->limit);
    }
    buf_init(&text->text, SIGMA_FILE_MAX);
    r = fd_read_all(fd, &text->text);
    if (r < 0) {
        buf_done(&text->text);
        rules_failed(texts, path, r);
        return 0;
    }
    text->path = mem_dup(path, strlen(path));
    if (text->path == NULL) {
        buf_done(&text->text);
        return -ERR_NOMEM;
    }
    texts->bytes += text->text.len;
    texts->count++;
    return 0;
}

int rules_texts_add(struct rules_texts *texts, const char *path, struct diag *diag)
{
    const struct scan_walk walk = {.context = texts, .file = rules_file, .failed = rules_failed};

    texts->diag = diag;
    return scan_walk(&walk, path);
}

int rules_texts_read(const struct setting_list *paths, size_t limit, struct rules_texts **ret_texts)
{
    struct diag diag = {0};
    int r = rules_texts_new(limit, ret_texts);

    for (size_t i = 0; r == 0 && paths != NULL && i < paths->count; i++) {
        if (rules_texts_add(*ret_texts, paths->items[i], &diag) < 0) {
            log_warn("%s", diag.text);
        }
    }
    return r;
}

int rules_texts_put(struct rules_texts *texts, struct str name, struct str text)
{
    struct rules_text *kept = &texts->all[texts->count];

    if (texts->count == RULES_FILES_MAX || texts->bytes + text.len > texts->limit) {
        return -ERR_LIMIT;
    }
    buf_init(&kept->text, SIGMA_FILE_MAX);
    kept->path = mem_dup(name.len != 0 ? name.ptr : "", name.len);
    if (kept->path == NULL || buf_put_str(&kept->text, text) < 0) {
        mem_free(kept->path);
        buf_done(&kept->text);
        return -ERR_NOMEM;
    }
    texts->bytes += text.len;
    texts->count++;
    return 0;
}

int rules_texts_put_all(struct rules_texts *texts, const struct rules_texts *from, struct str but)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->count; i++) {
        struct str name = str_from(from->all[i].path);

        r = str_is(name, but) ? 0 : rules_texts_put(texts, name, buf_str(&from->all[i].text));
    }
    return r;
}

int rules_texts_load(const struct rules_texts *texts, struct sigma_loader *loader)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < texts->count; i++) {
        r = sigma_loader_add(loader, str_from(texts->all[i].path), buf_str(&texts->all[i].text));
    }
    return r;
}

int rules_texts_load_pipelines(const struct rules_texts *texts, struct sigma_loader *loader)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < texts->count; i++) {
        const struct rules_text *text = &texts->all[i];
        struct diag diag = {0};

        r = sigma_loader_add_pipeline(loader, str_from(text->path), buf_str(&text->text), &diag);
        if (r < 0 && r != -ERR_NOMEM) {
            log_warn(_("a pipeline is passed over: %s"), diag_text(&diag, r)); /* it names it */
            r = 0;
        }
    }
    return r;
}
