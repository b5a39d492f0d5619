/* Judging one look: see centre/reader/page.h. Neighbours: detect/deface/page.h reads, deface.h
 * judges and learns. */
#include "centre/reader/page.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "centre/fetch/fetcher.h"
#include "detect/deface/passages.h"
#include "model/passage.h"
#include "sys/fd.h"

#include <sys/mman.h>
#include <sys/stat.h>

/* Profiles travel as memory files. */
#define KEPT_MAX (SITE_VIEW_COUNT * DEFACE_PROFILE_MAX + DEFACE_SITE_MAX)
#define SHEETS_MAX                                                                                 \
    (READER_SHEETS_KEPT + READER_SHEETS_GIVEN * (READER_SHEET_SIZE + READER_LINK_SIZE + 64))

struct reader_kept {
    struct deface_profile *profile;
    struct deface_site *site;
};

struct mapping {
    void *bytes;
    size_t size;
};

static void mapping_done(struct mapping *mapping)
{
    if (mapping->size != 0) {
        (void)munmap(mapping->bytes, mapping->size);
    }
}

/* The whole of a memory file, up to most; an empty one maps nothing. */
static int mapping_open(int fd, size_t most, struct mapping *ret_mapping)
{
    struct stat stat;
    void *bytes;

    if (fd < 0) {
        return 0;
    }
    if (fstat(fd, &stat) != 0 || stat.st_size < 0 || (uint64_t)stat.st_size > most) {
        return -ERR_LIMIT;
    }
    if (stat.st_size == 0) {
        return 0;
    }
    bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return -ERR_NOMEM;
    }
    *ret_mapping = (struct mapping){bytes, (size_t)stat.st_size};
    return 0;
}

static struct str mapping_str(const struct mapping *mapping)
{
    return str_of(mapping->bytes, mapping->size);
}

void reader_look_init(struct reader_look *look, const struct deface_model *model,
                      struct arena *arena)
{
    *look = (struct reader_look){.model = model,
                                 .arena = arena,
                                 .body = -1,
                                 .page_in = -1,
                                 .site_in = -1,
                                 .sheets_in = -1,
                                 .page_out = -1,
                                 .site_out = -1,
                                 .sheets_out = -1,
                                 .scripts_in = -1,
                                 .scripts_out = -1,
                                 .text_out = -1};
}

void reader_look_done(struct reader_look *look)
{
    closep(&look->body);
    closep(&look->page_in);
    closep(&look->site_in);
    closep(&look->sheets_in);
    closep(&look->page_out);
    closep(&look->site_out);
    closep(&look->sheets_out);
    closep(&look->scripts_in);
    closep(&look->scripts_out);
    closep(&look->text_out);
}

/* What cannot be read any more is begun anew: a damaged profile must not blind the watch. */
static int reader_kept_open(const struct reader_look *look, struct reader_kept *kept)
{
    CLEANUP(mapping_done) struct mapping page = {0};
    CLEANUP(mapping_done) struct mapping site = {0};
    int r = mapping_open(look->page_in, KEPT_MAX, &page);

    if (r == 0) {
        r = mapping_open(look->site_in, KEPT_MAX, &site);
    }
    if (r == 0 &&
        (page.size == 0 || deface_profile_decode(mapping_str(&page), &kept->profile) < 0)) {
        r = deface_profile_new(&kept->profile);
    }
    if (r == 0 && (site.size == 0 || deface_site_decode(mapping_str(&site), &kept->site) < 0)) {
        r = deface_site_new(&kept->site);
    }
    return r;
}

static void reader_kept_done(struct reader_kept *kept)
{
    deface_profile_free(kept->profile);
    deface_site_free(kept->site);
}

static int reader_memfd(const struct buf *buf)
{
    CLEANUP(closep) int fd = memfd_create("profile", MFD_CLOEXEC);

    if (fd < 0 || buf_error(buf) != 0 || fd_write_full(fd, buf->ptr, buf->len) < 0) {
        return -1;
    }
    return TAKE_FD(fd);
}

/* Without them the verdict stands. */
static void reader_put_sheets(struct reader_look *look)
{
    CLEANUP(buf_done) struct buf buf;

    buf_init(&buf, READER_SHEETS_KEPT);
    if (look->sheets.is_new) {
        reader_sheets_put(&look->sheets, &buf);
        look->sheets_out = reader_memfd(&buf);
    }
}

static void reader_put_scripts(struct reader_look *look)
{
    CLEANUP(buf_done) struct buf buf;

    buf_init(&buf, SCRIPTS_SIZE_MAX);
    if (look->scripts != NULL && look->scripts->is_changed) {
        deface_scripts_encode(look->scripts, &buf);
        look->scripts_out = reader_memfd(&buf);
    }
}

static int reader_kept_put(struct reader_look *look, const struct reader_kept *kept)
{
    CLEANUP(buf_done) struct buf buf;
    int r;

    buf_init(&buf, KEPT_MAX);
    r = deface_profile_encode(kept->profile, &buf);
    if (r < 0) {
        return r;
    }
    look->page_out = reader_memfd(&buf);
    buf_reset(&buf);
    r = deface_site_encode(kept->site, &buf);
    if (r < 0) {
        return r;
    }
    look->site_out = reader_memfd(&buf);
    return 0;
}

/* An answer that sends people elsewhere says what a refresh in a page says: it is judged as one. */
static struct str reader_elsewhere(const struct reader_look *look)
{
    return arena_printf(look->arena,
                        "<html><head><meta http-equiv=\"refresh\" content=\"0;url=%.*s\"></head>"
                        "<body></body></html>",
                        STR_ARG(look->check.url_final));
}

static int reader_text(struct reader_look *look, struct str body, struct str *ret_text)
{
    struct str text = body;

    if ((look->flags & READER_FLAG_ELSEWHERE) != 0) {
        text = reader_elsewhere(look);
    } else if (look->check.page == SITE_PAGE_SITEMAP && look->check.status == 200) {
        return reader_read_sitemap(look, body, ret_text);
    } else if (look->check.page == SITE_PAGE_ROBOTS && look->check.status == 200) {
        reader_links_of_robots(look, body);
    }
    *ret_text = text;
    return text.ptr == NULL && text.len != 0 ? -ERR_NOMEM : 0;
}

static bool reader_is_quiet(enum site_verdict verdict)
{
    return verdict == SITE_VERDICT_OK || verdict == SITE_VERDICT_CHANGED;
}

/* A second look that finds less has the last word; one that finds as much confirms. */
static void reader_settle(struct reader_look *look, struct deface_verdict *verdict)
{
    struct site_check *check = &look->check;
    enum site_verdict first = check->verdict;
    bool is_second = (look->flags & READER_FLAG_SECOND) != 0;

    if (is_second && verdict->verdict > first) {
        verdict->verdict = first;
    }
    check->is_confirmed = is_second && verdict->verdict >= SITE_VERDICT_YELLOW;
    look->needs_second = !is_second && verdict->needs_confirmation;
    check->verdict = verdict->verdict;
    check->failure = verdict->failure;
    if (reader_is_quiet(check->verdict) && (look->flags & READER_FLAG_UNTRUSTED) != 0) {
        check->verdict = SITE_VERDICT_UNKNOWN; /* browsers do not show it */
        check->failure = SITE_FAILURE_TLS;
    }
    check->is_learning = verdict->is_learning;
    check->score = verdict->score;
    check->layers = verdict->layers;
    check->reasons = verdict->reasons;
    check->reason_count =
        verdict->reason_count < SITE_REASONS_MAX ? verdict->reason_count : SITE_REASONS_MAX;
}

static int reader_judge(struct reader_look *look, const struct page *page, struct reader_kept *kept)
{
    struct deface_verdict verdict = {0};
    const struct deface_look facts = {.page = page,
                                      .failure = look->check.failure,
                                      .kind = look->check.page,
                                      .view = look->check.view,
                                      .status = look->check.status,
                                      .time = look->check.time,
                                      .is_own_change = (look->flags & READER_FLAG_OWN_CHANGE) != 0,
                                      .scripts = look->scripts};
    int r = deface_judge(look->model, kept->site, kept->profile, &facts, look->arena, &verdict);

    if (r < 0) {
        return r;
    }
    reader_settle(look, &verdict);
    if (look->needs_second) {
        return 0;
    }
    r = deface_learn(kept->site, kept->profile, &facts, &verdict);
    return r < 0 ? r : reader_kept_put(look, kept);
}

/* The words for people to see, when they are the first or others than before. Without them the
 * verdict stands. */
static void reader_put_text(struct reader_look *look, const struct page *page)
{
    CLEANUP(buf_done) struct buf buf;
    bool is_news = look->text_hash == 0 || (look->text_hash != page->text_hash &&
                                            look->check.verdict >= SITE_VERDICT_CHANGED);

    if (!is_news || look->needs_second || look->check.verdict == SITE_VERDICT_UNKNOWN) {
        return;
    }
    buf_init(&buf, PASSAGES_SIZE_MAX);
    if (page_write_passages(page, look->arena, &buf) == 0) {
        look->text_out = reader_memfd(&buf);
        look->text_hash = page->text_hash;
    }
}

static int reader_read_scripts(struct reader_look *look, const struct page *page)
{
    CLEANUP(mapping_done) struct mapping given = {0};
    int r = mapping_open(look->scripts_in, SHEETS_MAX, &given);

    r = r < 0 ? r : reader_scripts_open(look, mapping_str(&given));
    if (r == 0) {
        reader_scripts_link(look, page);
    }
    return r;
}

/* The page that the body is; what stands in the body's place is of our making. */
static int reader_read_page(struct reader_look *look, struct str body, struct page *ret_page)
{
    CLEANUP(mapping_done) struct mapping given = {0};
    const struct page_sheets sheets = {look, reader_sheets_lookup};
    struct page_options options = {.url = look->check.url_final, .sheets = &sheets};
    struct str text;
    int r = reader_text(look, body, &text);

    if (r < 0 || look->check.failure != SITE_FAILURE_NONE) {
        return r;
    }
    if ((look->flags & READER_FLAG_ELSEWHERE) != 0) {
        options.url = look->check.url;
    }
    options.charset = text.ptr == body.ptr ? look->charset : STR("utf-8");
    r = mapping_open(look->sheets_in, SHEETS_MAX, &given);
    r = r < 0 ? r : reader_sheets_open(look, mapping_str(&given));
    r = r < 0 ? r : page_read(&options, text, look->arena, ret_page);
    r = r < 0 ? r : reader_read_scripts(look, ret_page);
    if (r == 0) {
        reader_put_sheets(look);
        look->needs_sheets = look->sheets.wanted + look->scripts_wanted != 0 &&
                             (look->flags & READER_FLAG_SHEETS_LAST) == 0;
    }
    return r;
}

int reader_look_judge(struct reader_look *look)
{
    CLEANUP(mapping_done) struct mapping body = {0};
    CLEANUP(reader_kept_done) struct reader_kept kept = {0};
    struct page page = {0};
    bool has_page = look->check.failure == SITE_FAILURE_NONE;
    int r = mapping_open(look->body, FETCHER_SIZE_MAX, &body);

    r = r < 0 ? r : reader_read_page(look, mapping_str(&body), &page);
    if (r < 0 || look->needs_sheets) {
        reader_put_scripts(look);
        return r;
    }
    r = reader_kept_open(look, &kept);
    r = r < 0 ? r : reader_judge(look, has_page ? &page : NULL, &kept);
    reader_put_scripts(look);
    if (r == 0 && has_page) {
        reader_put_text(look, &page);
        look->check.title = str_slice(page.title, 0, SITE_NAME_MAX);
        if ((look->flags & READER_FLAG_LINKS) != 0) {
            reader_links_of_page(look, &page);
        }
    }
    return r;
}
