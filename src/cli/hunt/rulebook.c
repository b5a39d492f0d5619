/* See rulebook.h. */
#include "cli/hunt/rulebook.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "detect/sigma/pack.h"
#include "sys/fd.h"

int rulebook_init(struct rulebook *book, bool is_bare)
{
    int r;

    *book = (struct rulebook){0};
    r = sigma_loader_new(false, &book->loader);
    if (r == 0 && !is_bare) {
        r = sigma_pack_load(book->loader);
    }
    return r;
}

void rulebook_done(struct rulebook *book)
{
    sigma_loader_free(book->loader);
    *book = (struct rulebook){0};
}

int rulebook_read(struct parcel *parcel, struct buf *ret_text)
{
    int r = fd_read_all(parcel->fd, ret_text);

    closep(&parcel->fd);
    parcel->fd = -1;
    return r;
}

static void book_unread(struct rulebook *book, struct str path, const char *why)
{
    CLEANUP(buf_done) struct buf line;

    book->unread++;
    if (book->is_quiet) {
        return;
    }
    buf_init(&line, 64 << 10);
    (void)buf_put_plain(&line, path);
    (void)command_fail(EXIT_STATUS_FAILED, _("not read: %.*s: %s"), STR_ARG(buf_str(&line)), why);
}

int rulebook_take(struct rulebook *book, struct parcel *parcel, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    struct diag why = {0};
    int r;

    buf_init(&text, SIGMA_FILE_MAX);
    r = rulebook_read(parcel, &text);
    if (r < 0) {
        book_unread(book, parcel->path, err_text(r));
        return 0;
    }
    if (parcel->kind == PORTER_KIND_PIPELINE) {
        r = sigma_loader_add_pipeline(book->loader, parcel->path, buf_str(&text), &why);
        if (r < 0 && r != -ERR_NOMEM) {
            book_unread(book, parcel->path, diag_text(&why, r));
            return 0;
        }
    } else {
        r = sigma_loader_add(book->loader, parcel->path, buf_str(&text));
    }
    if (r == -ERR_LIMIT) {
        return diag_set(diag, r, _("there are more than %d rules"), SIGMA_RULES_MAX);
    }
    return r < 0 ? diag_set(diag, r, "%s", err_text(r)) : 0;
}

int rulebook_finish(struct rulebook *book, struct diag *diag)
{
    int r = sigma_loader_finish(book->loader, &book->set);

    if (r < 0) {
        return diag_set(diag, r, "%s", err_text(r));
    }
    for (size_t i = 0; i < book->set->refusal_count; i++) {
        book->refused += !book->set->refusals[i].is_warning;
    }
    return 0;
}
