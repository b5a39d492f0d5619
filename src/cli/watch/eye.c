/* See cli/watch/eye.h. What is kept is read as if somebody else had written it. */
#include "cli/watch/eye.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"
#include "centre/render.h"
#include "codec/cbor.h"
#include "detect/deface/visual.h"
#include "sys/fd.h"

#include <sys/mman.h>

#define EYE_LEARNED 8                      /* pictures of a page; the oldest gives way */
#define EYE_TWICE   2                      /* a banner's turn comes once */
#define EYE_SETTLED (7 * 86400 * NS_PER_S) /* nobody minded for so long: it is learned */
#define LOOK_MAX    (48U << 10)
#define KEPT_MAX    2048
#define KEPT_NAME   "picture" /* no page's address */

struct eye_picture {
    char bytes[RENDER_VISUAL_SIZE];
};

struct eye_page {
    struct buf look; /* the last that a picture belongs to, encoded */
    enum site_verdict verdict;
    bool is_loaded;
    bool is_told;
    struct eye_picture learned[EYE_LEARNED];
    size_t learned_count;
    struct eye_picture odd;
    uint64_t odd_count; /* 0: the last one was not odd */
    int64_t odd_first;
};

struct watch_eye {
    const struct watch_keep *keep;
    const char *const *urls;
    size_t count;
    bool is_hasty;
    struct eye_page *pages;
};

int watch_eye_new(const struct watch_keep *keep, const char *const *urls, size_t count,
                  bool is_hasty, struct watch_eye **ret_eye)
{
    struct watch_eye *eye = mem_alloc(1, sizeof(*eye));

    if (eye == NULL) {
        return -ERR_NOMEM;
    }
    *eye = (struct watch_eye){.keep = keep,
                              .urls = urls,
                              .count = count,
                              .is_hasty = is_hasty,
                              .pages = mem_alloc(count, sizeof(*eye->pages))};
    if (eye->pages == NULL) {
        mem_free(eye);
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        buf_init(&eye->pages[i].look, LOOK_MAX);
    }
    *ret_eye = eye;
    return 0;
}

void watch_eye_free(struct watch_eye *eye)
{
    if (eye == NULL) {
        return;
    }
    for (size_t i = 0; i < eye->count; i++) {
        buf_done(&eye->pages[i].look);
    }
    mem_free(eye->pages);
    mem_free(eye);
}

static bool picture_take(struct str bytes, struct eye_picture *ret_picture)
{
    struct visual visual;

    if (bytes.len != sizeof(ret_picture->bytes) || visual_decode(bytes, &visual) < 0) {
        return false;
    }
    memcpy(ret_picture->bytes, bytes.ptr, bytes.len);
    return true;
}

static struct visual_distance picture_distance(const struct eye_picture *a,
                                               const struct eye_picture *b)
{
    struct visual one = {0};
    struct visual other = {0};

    (void)!visual_decode(str_of(a->bytes, sizeof(a->bytes)), &one);
    (void)!visual_decode(str_of(b->bytes, sizeof(b->bytes)), &other);
    return visual_compare(&one, &other);
}

/* To the nearest that was learned; 0 when none was. */
static double page_score(const struct eye_page *page, const struct eye_picture *picture)
{
    double least = 0;

    for (size_t i = 0; i < page->learned_count; i++) {
        struct visual_distance distance = picture_distance(&page->learned[i], picture);
        double score = visual_score(&distance);

        least = i == 0 || score < least ? score : least;
    }
    return least;
}

static bool pictures_are_same(const struct eye_picture *a, const struct eye_picture *b)
{
    struct visual_distance distance = picture_distance(a, b);

    return visual_is_same(&distance);
}

static void page_learn(struct eye_page *page, const struct eye_picture *picture)
{
    page->odd_count = 0;
    for (size_t i = 0; i < page->learned_count; i++) {
        if (pictures_are_same(&page->learned[i], picture)) {
            return;
        }
    }
    if (page->learned_count == EYE_LEARNED) {
        memmove(page->learned, page->learned + 1, (EYE_LEARNED - 1) * sizeof(page->learned[0]));
        page->learned_count--;
    }
    page->learned[page->learned_count++] = *picture;
}

static void page_decode(struct eye_page *page, struct str bytes)
{
    struct cbor_reader cbor;
    struct eye_page kept = {0};
    size_t count;
    bool is_whole = true;

    cbor_open(&cbor, bytes);
    is_whole &= cbor_get_array(&cbor) == 4;
    count = cbor_get_array(&cbor);
    for (size_t i = 0; i < count && i < EYE_LEARNED; i++) {
        is_whole &= picture_take(cbor_get_bytes(&cbor), &kept.learned[kept.learned_count++]);
    }
    is_whole &= picture_take(cbor_get_bytes(&cbor), &kept.odd);
    kept.odd_count = cbor_get_u64(&cbor);
    kept.odd_first = cbor_get_i64(&cbor);
    if (is_whole && cbor_close(&cbor) == 0) {
        memcpy(page->learned, kept.learned, sizeof(page->learned));
        page->learned_count = kept.learned_count;
        page->odd = kept.odd;
        page->odd_count = kept.odd_count;
        page->odd_first = kept.odd_first;
    }
}

/* What cannot be read is begun anew. */
static struct eye_page *eye_page(struct watch_eye *eye, size_t site)
{
    struct eye_page *page = &eye->pages[site];
    CLEANUP(buf_done) struct buf bytes;
    CLEANUP(closep) int fd = -1;

    buf_init(&bytes, KEPT_MAX);
    if (!page->is_loaded) {
        page->is_loaded = true;
        fd = watch_keep_get(eye->keep, str_from(eye->urls[site]), STR(KEPT_NAME));
        if (fd >= 0 && fd_read_all(fd, &bytes) == 0) {
            page_decode(page, buf_str(&bytes));
        }
    }
    return page;
}

static int eye_keep(const struct watch_eye *eye, size_t site)
{
    const struct eye_page *page = &eye->pages[site];
    CLEANUP(buf_done) struct buf bytes;
    CLEANUP(closep) int fd = memfd_create(KEPT_NAME, MFD_CLOEXEC);

    buf_init(&bytes, KEPT_MAX);
    cbor_put_array(&bytes, 4);
    cbor_put_array(&bytes, page->learned_count);
    for (size_t i = 0; i < page->learned_count; i++) {
        cbor_put_bytes(&bytes, str_of(page->learned[i].bytes, sizeof(page->learned[i].bytes)));
    }
    cbor_put_bytes(&bytes, str_of(page->odd.bytes, sizeof(page->odd.bytes)));
    cbor_put_u64(&bytes, page->odd_count);
    cbor_put_i64(&bytes, page->odd_first);
    if (fd < 0 || buf_error(&bytes) < 0 || fd_write_full(fd, bytes.ptr, bytes.len) < 0) {
        return -ERR_NOMEM;
    }
    return watch_keep_put(eye->keep, str_from(eye->urls[site]), STR(KEPT_NAME), fd);
}

static bool verdict_is_quiet(enum site_verdict verdict)
{
    return verdict == SITE_VERDICT_OK || verdict == SITE_VERDICT_CHANGED;
}

static bool page_counts(const struct watch_eye *eye, const struct eye_page *page)
{
    return page->odd_count != 0 &&
           (eye->is_hasty || page->odd_count >= EYE_TWICE || page->verdict >= SITE_VERDICT_YELLOW);
}

int watch_eye_weigh(struct watch_eye *eye, size_t site, struct arena *arena,
                    struct site_check *check)
{
    struct eye_page *page;

    if (check->page != SITE_PAGE_LISTED || check->view != SITE_VIEW_DESKTOP) {
        return 0;
    }
    page = eye_page(eye, site);
    page->verdict = check->verdict;
    buf_reset(&page->look);
    site_check_encode(check, &page->look);
    return page_counts(eye, page) ? visual_weigh(page_score(page, &page->odd), arena, check) : 0;
}

static int page_tell(struct eye_page *page, const struct fetch_picture *picture,
                     struct arena *arena, struct site_check *ret_check)
{
    struct cbor_reader cbor;
    int r;

    cbor_open(&cbor, buf_str(&page->look));
    r = site_check_decode(&cbor, arena, ret_check);
    if (r < 0) {
        return r;
    }
    ret_check->time = picture->time;
    page->is_told = true;
    return visual_weigh(page_score(page, &page->odd), arena, ret_check);
}

static void page_take_odd(struct eye_page *page, const struct eye_picture *seen, int64_t time)
{
    if (page->odd_count != 0 && pictures_are_same(&page->odd, seen)) {
        page->odd_count++;
        return;
    }
    page->odd = *seen;
    page->odd_count = 1;
    page->odd_first = time;
    page->is_told = false;
}

int watch_eye_take(struct watch_eye *eye, size_t site, const struct fetch_picture *picture,
                   struct arena *arena, enum watch_eye_word *ret_word, struct site_check *ret_check)
{
    struct eye_page *page = eye_page(eye, site);
    struct eye_picture seen;
    enum watch_eye_word word = WATCH_EYE_SAME;
    int r = 0;

    if (!picture_take(picture->visual, &seen)) {
        return -ERR_PROTO;
    }
    if (page_score(page, &seen) < VISUAL_ODD) {
        page->odd_count = 0;
        if (verdict_is_quiet(page->verdict)) {
            page_learn(page, &seen);
        }
    } else {
        page_take_odd(page, &seen, picture->time);
        word = page->is_told ? WATCH_EYE_KNOWN : WATCH_EYE_DOUBT;
        if (picture->time - page->odd_first >= EYE_SETTLED) {
            page_learn(page, &seen);
            word = WATCH_EYE_SAME;
        } else if (!page->is_told && page_counts(eye, page)) {
            r = page_tell(page, picture, arena, ret_check);
            word = WATCH_EYE_ODD;
        }
    }
    r = r < 0 ? r : eye_keep(eye, site);
    if (r == 0) {
        *ret_word = word;
    }
    return r;
}
