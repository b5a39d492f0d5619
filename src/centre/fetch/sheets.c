/* Style sheets of watched sites, so that the reader knows what a page's classes hide. Only those of
 * the site itself, when a page that is to be read links one that is not known or not known lately;
 * a few a look and an hour, one after another. Neighbours: look.c hands its question in, the reader
 * says what it lacks and keeps what hides. Invariant: a sheet is worth less than a look: whatever
 * fails here costs what the sheet would have told, and nothing else. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "codec/cbor.h"
#include "sys/fd.h"

#include <sys/mman.h>

#define SHEETS_OLD    (3600 * NS_PER_S) /* since it was fetched: it is asked for again … */
#define SHEETS_FRESH  (60 * NS_PER_S)   /* … or so long, where something was suspicious */
#define SHEETS_HOURLY 64                /* of one site; what is over is left for later */
#define SHEETS_PAUSE  (200 * NS_PER_MS) /* between two of them */
#define BUNDLE_MAX    (READER_SHEETS_GIVEN * (READER_SHEET_SIZE + READER_LINK_SIZE + 64))

struct fetch_sheet {
    char *url;
    char *etag; /* NULL: none was said */
    int64_t modified;
    int64_t asked; /* monotonic ns */
};

struct fetch_sheets {
    struct buf kept; /* of the reader's making */
    struct fetch_sheet items[READER_SHEETS_MAX];
    unsigned count;
    int64_t hour;     /* monotonic ns, when the count of those fetched began */
    unsigned fetched; /* in it */
};

struct fetch_sheets_job {
    struct fetch_look *look;
    struct fetch_sheet *queue[READER_SHEETS_GIVEN];
    unsigned count;
    unsigned next;
    bool is_whole; /* the reader has none of them */
    struct fetcher_get *get;
    struct loop_source *pause;
    struct buf given; /* CBOR: address, text, address … */
    unsigned given_count;
};

static void sheet_done(struct fetch_sheet *sheet)
{
    mem_free(sheet->url);
    mem_free(sheet->etag);
    *sheet = (struct fetch_sheet){0};
}

void fetch_sheets_free(struct fetch_sheets *sheets)
{
    if (sheets == NULL) {
        return;
    }
    for (unsigned i = 0; i < sheets->count; i++) {
        sheet_done(&sheets->items[i]);
    }
    buf_done(&sheets->kept);
    mem_free(sheets);
}

void fetch_sheets_job_free(struct fetch_sheets_job *job)
{
    if (job == NULL) {
        return;
    }
    fetcher_cancel(job->get);
    loop_source_free(job->pause);
    buf_done(&job->given);
    mem_free(job);
}

static struct fetch_sheets *sheets_of(struct fetch_watch *watch)
{
    if (watch->sheets == NULL) {
        watch->sheets = mem_alloc(1, sizeof(*watch->sheets));
        if (watch->sheets != NULL) {
            buf_init(&watch->sheets->kept, READER_SHEETS_KEPT);
        }
    }
    return watch->sheets;
}

/* The sheet of that address; when there is no room, in place of the one asked for longest ago. */
static struct fetch_sheet *sheets_take(struct fetch_sheets *sheets, struct str url, int64_t now)
{
    struct fetch_sheet *sheet = &sheets->items[0];
    char *copy;

    for (unsigned i = 0; i < sheets->count; i++) {
        if (str_is(str_from(sheets->items[i].url), url)) {
            return &sheets->items[i];
        }
        sheet = sheets->items[i].asked < sheet->asked ? &sheets->items[i] : sheet;
    }
    copy = mem_dup(url.ptr, url.len);
    if (copy == NULL) {
        return NULL;
    }
    if (sheets->count < READER_SHEETS_MAX) {
        sheet = &sheets->items[sheets->count++];
    }
    sheet_done(sheet);
    sheet->url = copy;
    sheet->asked = now;
    return sheet;
}

/* What is kept and what came just now; -1 when there is neither. */
static int sheets_bundle(const struct fetch_sheets *sheets, const struct fetch_sheets_job *job)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(closep) int fd = -1;
    unsigned given = job != NULL ? job->given_count : 0;

    if (sheets == NULL || (sheets->kept.len == 0 && given == 0)) {
        return -1;
    }
    buf_init(&buf, READER_SHEETS_KEPT + BUNDLE_MAX);
    cbor_put_array(&buf, 2);
    cbor_put_bytes(&buf, buf_str(&sheets->kept));
    cbor_put_array(&buf, (size_t)given * 2);
    if (given != 0) {
        (void)buf_put_str(&buf, buf_str(&job->given));
    }
    fd = buf_error(&buf) == 0 ? memfd_create("sheets", MFD_CLOEXEC) : -1;
    return fd < 0 || fd_write_full(fd, buf.ptr, buf.len) < 0 ? -1 : TAKE_FD(fd);
}

void fetch_sheets_end(struct fetch_look *look)
{
    closep(&look->sheets_fd);
    look->sheets_fd = sheets_bundle(look->watch->sheets, look->sheets_job);
    look->ask.sheets = look->sheets_fd;
    fetch_sheets_job_free(TAKE_PTR(look->sheets_job));
    look->is_read = true;
    readers_ask(look->watch->fetch->readers, &look->ask);
}

/* One that is not there hides nothing, and is not asked for again at each look. One that could not
 * be had is as it was. */
static void sheets_give(struct fetch_sheets_job *job, const struct fetch_sheet *sheet,
                        const struct fetcher_answer *answer)
{
    CLEANUP(buf_done) struct buf body;
    bool has_come = answer->failure == SITE_FAILURE_NONE && answer->status == 200 &&
                    answer->body_fd >= 0 && answer->size <= READER_SHEET_SIZE;
    bool is_gone =
        answer->failure == SITE_FAILURE_NONE && (answer->status == 404 || answer->status == 410);

    buf_init(&body, READER_SHEET_SIZE);
    if (has_come &&
        (lseek(answer->body_fd, 0, SEEK_SET) != 0 || fd_read_all(answer->body_fd, &body) < 0)) {
        buf_reset(&body);
    }
    if (has_come || is_gone || job->is_whole) {
        cbor_put_bytes(&job->given, str_from(sheet->url));
        cbor_put_bytes(&job->given, buf_str(&body));
        job->given_count++;
    }
}

static void sheets_on_answer(void *context, struct fetcher_answer *answer)
{
    struct fetch_sheets_job *job = context;
    struct fetch_sheet *sheet = job->queue[job->next++];

    job->get = NULL;
    sheets_give(job, sheet, answer);
    if (answer->failure == SITE_FAILURE_NONE && answer->status == 200) {
        mem_free(sheet->etag);
        sheet->etag = answer->etag.len != 0 ? mem_dup(answer->etag.ptr, answer->etag.len) : NULL;
        sheet->modified = answer->modified;
    }
    if (loop_source_set_timer(job->pause, job->next < job->count ? SHEETS_PAUSE : 1, 0) < 0) {
        fetch_sheets_end(job->look);
    }
}

static bool sheets_may_fetch(struct fetch_sheets *sheets, int64_t now)
{
    if (sheets->hour == 0 || now - sheets->hour >= SHEETS_OLD) {
        sheets->hour = now;
        sheets->fetched = 0;
    }
    return sheets->fetched < SHEETS_HOURLY;
}

static void sheets_next(void *context)
{
    struct fetch_sheets_job *job = context;
    struct fetch_watch *watch = job->look->watch;
    int64_t now = clock_mono(watch->fetch->clock);

    for (; job->next < job->count && sheets_may_fetch(watch->sheets, now); job->next++) {
        struct fetch_sheet *sheet = job->queue[job->next];
        const struct fetcher_request request = {
            .url = str_from(sheet->url),
            .view = job->look->view,
            .etag = !job->is_whole && sheet->etag != NULL ? str_from(sheet->etag) : STR(""),
            .modified = job->is_whole ? 0 : sheet->modified,
            .is_private_own = watch->facts.place == FACTS_PLACE_PRIVATE,
            .is_private_barred = watch->facts.place == FACTS_PLACE_PUBLIC};

        sheet->asked = now;
        watch->sheets->fetched++;
        if (fetcher_get(watch->fetch->fetcher, &request, sheets_on_answer, job, &job->get) == 0) {
            return;
        }
    }
    fetch_sheets_end(job->look);
}

static int sheets_job_new(struct fetch_look *look)
{
    struct fetch_sheets_job *job = mem_alloc(1, sizeof(*job));

    if (job == NULL) {
        return -ERR_NOMEM;
    }
    job->look = look;
    buf_init(&job->given, BUNDLE_MAX);
    if (loop_add_timer(look->watch->fetch->loop, sheets_next, job, &job->pause) < 0) {
        fetch_sheets_job_free(job);
        return -ERR_NOMEM;
    }
    look->sheets_job = job;
    return 0;
}

static void sheets_queue(struct fetch_sheets_job *job, struct fetch_sheet *sheet)
{
    if (sheet != NULL && job->count < READER_SHEETS_GIVEN) {
        job->queue[job->count++] = sheet;
    }
}

void fetch_sheets_ask(struct fetch_look *look)
{
    struct fetch_sheets *sheets = look->watch->sheets;
    int64_t now = clock_mono(look->watch->fetch->clock);
    int64_t old = look->is_second ? SHEETS_FRESH : SHEETS_OLD;

    if (sheets == NULL || sheets_job_new(look) < 0) {
        fetch_sheets_end(look);
        return;
    }
    for (unsigned i = 0; i < sheets->count; i++) {
        if (now - sheets->items[i].asked >= old) {
            sheets_queue(look->sheets_job, &sheets->items[i]);
        }
    }
    sheets_next(look->sheets_job);
}

/* Readers have hostile pages in hand: what they name is checked as what a person types. */
static void sheets_queue_named(struct fetch_look *look, struct str url, int64_t now)
{
    struct fetch_watch *watch = look->watch;
    char whole[SITE_URL_MAX + 1];

    if (url_canonical(url, whole, NULL) == 0 &&
        url_is_same_site(url_host(str_from(whole)), url_host(str_from(watch->url)))) {
        sheets_queue(look->sheets_job, sheets_take(watch->sheets, str_from(whole), now));
    }
}

void fetch_sheets_more(struct fetch_look *look, const struct reader_answer *answer)
{
    struct fetch_sheets *sheets = sheets_of(look->watch);
    int64_t now = clock_mono(look->watch->fetch->clock);

    look->ask.flags |= (uint32_t)READER_FLAG_SHEETS_LAST;
    if (sheets == NULL || sheets_job_new(look) < 0) {
        fetch_sheets_end(look);
        return;
    }
    look->sheets_job->is_whole = true;
    for (size_t i = 0; i < answer->link_count; i++) {
        if (answer->links[i].kind == READER_LINK_SHEET &&
            look->sheets_job->count < READER_SHEETS_GIVEN) {
            sheets_queue_named(look, answer->links[i].url, now);
        }
    }
    sheets_next(look->sheets_job);
}

void fetch_sheets_keep(struct fetch_look *look, struct reader_answer *answer)
{
    struct fetch_sheets *sheets = look->watch->sheets;

    if (sheets != NULL && answer->sheets_fd >= 0) {
        fetch_look_keep(&sheets->kept, answer->sheets_fd, READER_SHEETS_KEPT);
    }
}
