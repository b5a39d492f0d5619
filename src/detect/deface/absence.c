/* Signs of absence, from the surest on. A torn render keeps what frames the page (title, scripts,
 * sheets) and lacks its words; a page that keeps nothing was replaced, however short it is. */
#include "detect/deface/absence.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/deface/fold.h"

#define STATUS_FAILED 400
#define SHORT_WORDS   160
#define FOLD_ROOM     192
#define PARTIAL       0.3
#define PARTIAL_LOOKS 3
#define PARTIAL_WORDS 20 /* usual words, below which a page is too short to be torn */
#define FRAME_KEPT    0.25

static const struct {
    enum site_failure failure;
    const char *words;
} absences[] = {
#define ABSENCE(failure, words) {SITE_FAILURE_##failure, " " words " "},
#include "detect/deface/absence.def"
#undef ABSENCE
};

static bool page_is_blank(const struct page *page)
{
    bool has_frame = false;

    for (size_t i = 0; i < page->link_count; i++) {
        has_frame = has_frame || page->links[i].kind == PAGE_LINK_FRAME ||
                    page->links[i].kind == PAGE_LINK_REFRESH;
    }
    return page->word_count + page->hidden_word_count < 2 && page->image_count == 0 &&
           page->form_count == 0 && !has_frame;
}

/* All words in a row, a blank before and behind each. */
static int page_join_words(const struct page *page, struct arena *arena, struct str *ret_words)
{
    size_t room = (size_t)FOLD_ROOM * (FOLD_WORD_SIZE + 1) + 2;
    char *words = arena_alloc(arena, room, 1);
    struct fold fold;
    size_t len = 0;
    int r = fold_init(&fold, arena, FOLD_ROOM);

    if (words == NULL || r < 0) {
        return -ERR_NOMEM;
    }
    fold_add(&fold, page->title, 0);
    for (size_t i = 0; i < page->block_count; i++) {
        fold_add(&fold, page->blocks[i].text, 0);
    }
    words[len++] = ' ';
    for (size_t i = 0; i < fold.count; i++) {
        memcpy(words + len, fold.words[i].text, fold.words[i].len);
        len += fold.words[i].len;
        words[len++] = ' ';
    }
    *ret_words = str_of(words, len);
    return 0;
}

static int absence_read_words(const struct page *page, struct arena *arena,
                              enum site_failure *ret_failure)
{
    struct str words;
    int r;

    if (page->word_count > SHORT_WORDS) {
        return 0;
    }
    r = page_join_words(page, arena, &words);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < ARRAY_LEN(absences); i++) {
        if (str_find(words, str_from(absences[i].words)) != words.len) {
            *ret_failure = absences[i].failure;
            return 0;
        }
    }
    return 0;
}

static bool diff_is_partial(const struct diff *diff)
{
    const struct profile_view *view = diff->view;
    bool keeps_frame = !diff->is_title_new || diff->kept_links > FRAME_KEPT ||
                       diff->site_links > FRAME_KEPT || diff->new_words == 0;

    return view != NULL && view->looks >= PARTIAL_LOOKS && diff->usual_words >= PARTIAL_WORDS &&
           diff->page->word_count < PARTIAL * diff->usual_words && keeps_frame;
}

bool absence_is_of_extra(const struct deface_look *look, const struct profile_view *view)
{
    return (look->kind == SITE_PAGE_ROBOTS || look->kind == SITE_PAGE_SITEMAP) &&
           (look->status == 404 || look->status == 410) && (view == NULL || view->looks == 0);
}

int absence_read(const struct deface_look *look, const struct diff *diff, struct arena *arena,
                 enum site_failure *ret_failure)
{
    enum site_failure failure = look->failure;
    int r = 0;

    if (failure == SITE_FAILURE_NONE && diff == NULL) {
        failure = SITE_FAILURE_BLANK;
    }
    if (failure == SITE_FAILURE_NONE && look->status >= STATUS_FAILED) {
        failure = SITE_FAILURE_STATUS;
    }
    if (failure == SITE_FAILURE_NONE && page_is_blank(diff->page)) {
        failure = SITE_FAILURE_BLANK;
    }
    if (failure == SITE_FAILURE_NONE && (diff->is_title_new || diff->new_texts != 0)) {
        r = absence_read_words(diff->page, arena, &failure);
    }
    if (r == 0 && failure == SITE_FAILURE_NONE && diff_is_partial(diff)) {
        failure = SITE_FAILURE_PARTIAL;
    }
    *ret_failure = failure;
    return r;
}
