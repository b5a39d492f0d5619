/* Style sheets of watched sites, so that the reader knows what a page's classes hide, and their
 * scripts, so that it sees what somebody put into one. Only those of the site itself, when a page
 * that is to be read links one that is not known or not known lately; a few a look and an hour, one
 * after another. Neighbours: look.c hands its question in, the reader says what it lacks and keeps
 * what it made of them. Invariant: either is worth less than a look: whatever fails here costs what
 * it would have told, and nothing else. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "codec/cbor.h"
#include "detect/deface/scripts.h"
#include "sys/fd.h"

#include <sys/mman.h>

#define SHEETS_OLD    (3600 * NS_PER_S) /* since it was fetched: it is asked for again … */
#define SHEETS_FRESH  (60 * NS_PER_S)   /* … or so long, where something was suspicious */
#define SHEETS_HOURLY 64                /* of one site; what is over is left for later */
#define SHEETS_PAUSE  (200 * NS_PER_MS) /* between two of them */
#define SHEETS_MOST   (READER_SHEETS_MAX + READER_SCRIPTS_MAX)
#define BUNDLE_MAX    (READER_SHEETS_GIVEN * (READER_SHEET_SIZE + READER_LINK_SIZE + 64))

struct fetch_sheet {
    bool is_script;
    char *url;
    char *etag; /* NULL: none was said */
    int64_t modified;
    int64_t asked; /* monotonic ns */
};

struct fetch_sheets {
    struct buf kept; /* of sheets, of the reader's making */
    struct fetch_sheet items[SHEETS_MOST];
    unsigned count;
    int64_t hour;     /* monotonic ns, when the count of those fetched began */
    unsigned fetched; /* in it */
};

/* Of those that came. */
struct fetch_given {
    struct buf items; /* CBOR: address, text, address … */
    unsigned count;
};

struct fetch_sheets_job {
    struct fetch_look *look;
    struct fetch_sheet *queue[READER_SHEETS_GIVEN];
    unsigned count;
    unsigned next;
    bool is_whole; /* the reader has none of them */
    struct fetcher_get *get;
    struct loop_source *pause;
    struct fetch_given sheets;
    struct fetch_given scripts;
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
    buf_done(&job->sheets.items);
    buf_done(&job->scripts.items);
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

/* The next version of a script takes the place of the last. */
static bool sheet_is(const struct fetch_sheet *sheet, bool is_script, struct str url)
{
    struct str have = str_from(sheet->url);

    if (is_script) {
        have = deface_script_name(have);
        url = deface_script_name(url);
    }
    return sheet->is_script == is_script && str_is(have, url);
}

static struct fetch_sheet *sheets_find(struct fetch_sheets *sheets, bool is_script, struct str url)
{
    for (unsigned i = 0; i < sheets->count; i++) {
        if (sheet_is(&sheets->items[i], is_script, url)) {
            return &sheets->items[i];
        }
    }
    return NULL;
}

/* When there is no room, in place of the one asked for longest ago. */
static struct fetch_sheet *sheets_place(struct fetch_sheets *sheets)
{
    struct fetch_sheet *sheet = &sheets->items[0];

    if (sheets->count < SHEETS_MOST) {
        return &sheets->items[sheets->count++];
    }
    for (unsigned i = 1; i < sheets->count; i++) {
        sheet = sheets->items[i].asked < sheet->asked ? &sheets->items[i] : sheet;
    }
    return sheet;
}

/* The sheet or script of that address. */
static struct fetch_sheet *sheets_take(struct fetch_sheets *sheets, bool is_script, struct str url,
                                       int64_t now)
{
    struct fetch_sheet *sheet = sheets_find(sheets, is_script, url);
    char *copy;

    if (sheet != NULL && str_is(str_from(sheet->url), url)) {
        return sheet;
    }
    copy = mem_dup(url.ptr, url.len);
    if (copy == NULL) {
        return NULL;
    }
    sheet = sheet != NULL ? sheet : sheets_place(sheets);
    sheet_done(sheet);
    *sheet = (struct fetch_sheet){.is_script = is_script, .url = copy, .asked = now};
    return sheet;
}

/* What is kept and what came just now; -1 when there is neither. */
static int bundle_make(struct str kept, const struct fetch_given *given)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(closep) int fd = -1;
    unsigned count = given != NULL ? given->count : 0;

    if (kept.len == 0 && count == 0) {
        return -1;
    }
    buf_init(&buf, READER_SHEETS_KEPT + BUNDLE_MAX);
    cbor_put_array(&buf, 2);
    cbor_put_bytes(&buf, kept);
    cbor_put_array(&buf, (size_t)count * 2);
    if (count != 0) {
        (void)buf_put_str(&buf, buf_str(&given->items));
    }
    fd = buf_error(&buf) == 0 ? memfd_create("sheets", MFD_CLOEXEC) : -1;
    return fd < 0 || fd_write_full(fd, buf.ptr, buf.len) < 0 ? -1 : TAKE_FD(fd);
}

void fetch_sheets_end(struct fetch_look *look)
{
    const struct fetch_watch *watch = look->watch;
    const struct fetch_sheets_job *job = look->sheets_job;

    closep(&look->sheets_fd);
    closep(&look->scripts_fd);
    look->sheets_fd = bundle_make(watch->sheets != NULL ? buf_str(&watch->sheets->kept) : STR(""),
                                  job != NULL ? &job->sheets : NULL);
    look->scripts_fd = bundle_make(buf_str(&watch->scripts), job != NULL ? &job->scripts : NULL);
    look->ask.sheets = look->sheets_fd;
    look->ask.scripts = look->scripts_fd;
    fetch_sheets_job_free(TAKE_PTR(look->sheets_job));
    look->is_read = true;
    readers_ask(look->watch->fetch->readers, &look->ask);
}

/* One that is not there hides nothing, and is not asked for again at each look. One that could not
 * be had is as it was. */
static void sheets_give(struct fetch_sheets_job *job, const struct fetch_sheet *sheet,
                        const struct fetcher_answer *answer)
{
    struct fetch_given *given = sheet->is_script ? &job->scripts : &job->sheets;
    CLEANUP(buf_done) struct buf body;
    bool has_answered = answer->failure == SITE_FAILURE_NONE;
    bool has_come = has_answered && answer->status == 200 && answer->body_fd >= 0 &&
                    answer->size <= READER_SHEET_SIZE;
    bool is_gone = has_answered && (answer->status == 404 || answer->status == 410);
    bool is_same = has_answered && (answer->facts & FETCHER_FACT_UNCHANGED) != 0;

    buf_init(&body, READER_SHEET_SIZE);
    if (has_come &&
        (lseek(answer->body_fd, 0, SEEK_SET) != 0 || fd_read_all(answer->body_fd, &body) < 0)) {
        buf_reset(&body);
    }
    if (!has_come && !is_gone && !job->is_whole && !(is_same && sheet->is_script)) {
        return;
    }
    cbor_put_bytes(&given->items, str_from(sheet->url));
    if (is_same && sheet->is_script) {
        cbor_put_null(&given->items);
    } else {
        cbor_put_bytes(&given->items, buf_str(&body));
    }
    given->count++;
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
            .view = sheet->is_script ? SITE_VIEW_DESKTOP : job->look->view,
            .etag = !job->is_whole && sheet->etag != NULL ? str_from(sheet->etag) : STR(""),
            .modified = job->is_whole ? 0 : sheet->modified,
            .is_plain = job->look->is_plain,
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
    buf_init(&job->sheets.items, BUNDLE_MAX);
    buf_init(&job->scripts.items, BUNDLE_MAX);
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
static bool sheets_is_own(const struct fetch_look *look, struct str url, char *ret_whole)
{
    return url_canonical(url, ret_whole, NULL) == 0 &&
           url_is_same_site(url_host(str_from(ret_whole)), url_host(str_from(look->watch->url)));
}

/* Known to the reader, which keeps them longer than this process lives, but not here. */
static bool sheets_lack(struct fetch_sheets *sheets, const struct reader_answer *answer, size_t at)
{
    return answer->links[at].kind == READER_LINK_SCRIPT_KNOWN &&
           sheets_find(sheets, true, answer->links[at].url) == NULL;
}

bool fetch_sheets_are_lacking(struct fetch_look *look, const struct reader_answer *answer)
{
    struct fetch_sheets *sheets = sheets_of(look->watch);
    bool is_lacking = answer->needs_sheets;

    for (size_t i = 0; sheets != NULL && !is_lacking && i < answer->link_count; i++) {
        is_lacking = sheets_lack(sheets, answer, i);
    }
    return is_lacking && (look->ask.flags & READER_FLAG_SHEETS_LAST) == 0;
}

bool fetch_scripts_are_due(const struct fetch_watch *watch)
{
    int64_t now = clock_mono(watch->fetch->clock);

    for (unsigned i = 0; watch->sheets != NULL && i < watch->sheets->count; i++) {
        const struct fetch_sheet *sheet = &watch->sheets->items[i];

        if (sheet->is_script && now - sheet->asked >= SHEETS_OLD) {
            return true;
        }
    }
    return false;
}

static void sheets_queue_named(struct fetch_look *look, const struct reader_answer *answer,
                               size_t at)
{
    struct fetch_sheets *sheets = look->watch->sheets;
    enum reader_link kind = answer->links[at].kind;
    bool is_wanted =
        kind == READER_LINK_SHEET || kind == READER_LINK_SCRIPT || sheets_lack(sheets, answer, at);
    char whole[SITE_URL_MAX + 1];

    if (is_wanted && look->sheets_job->count < READER_SHEETS_GIVEN &&
        sheets_is_own(look, answer->links[at].url, whole)) {
        sheets_queue(look->sheets_job,
                     sheets_take(sheets, kind != READER_LINK_SHEET, str_from(whole),
                                 clock_mono(look->watch->fetch->clock)));
    }
}

void fetch_sheets_more(struct fetch_look *look, const struct reader_answer *answer)
{
    struct fetch_sheets *sheets = sheets_of(look->watch);

    look->ask.flags |= (uint32_t)READER_FLAG_SHEETS_LAST;
    if (sheets == NULL || sheets_job_new(look) < 0) {
        fetch_sheets_end(look);
        return;
    }
    look->sheets_job->is_whole = true;
    for (size_t i = 0; i < answer->link_count; i++) {
        sheets_queue_named(look, answer, i);
    }
    sheets_next(look->sheets_job);
}

/* A page that is what it was is another look, now that its scripts are not. */
static void scripts_keep(struct fetch_watch *watch, int fd)
{
    fetch_look_keep(&watch->scripts, fd, READER_SCRIPTS_KEPT);
    watch->is_scripts_new = true;
    LIST_EACH (node, &watch->pages) {
        struct fetch_page *page = LIST_ENTRY(node, struct fetch_page, node);

        for (unsigned view = 0; view < SITE_VIEW_COUNT; view++) {
            page->seen[view].is_usable = false;
        }
    }
}

void fetch_sheets_keep(struct fetch_look *look, struct reader_answer *answer)
{
    struct fetch_sheets *sheets = look->watch->sheets;

    if (sheets != NULL && answer->sheets_fd >= 0) {
        fetch_look_keep(&sheets->kept, answer->sheets_fd, READER_SHEETS_KEPT);
    }
    if (answer->scripts_fd >= 0) {
        scripts_keep(look->watch, answer->scripts_fd);
    }
}
