/* One look, from the site being due to its word to core: request, quick retries, the short ways
 * out (nothing came; nothing changed), the reader, the confirmation. Invariants: every look that
 * was begun is told exactly once; nothing is learned from a look that waits for its confirmation.
 */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "sys/fd.h"

#define TRIES_MOST    3U /* two that fail are an outage */
#define FAILURES_MOST 2U
#define ASK_AGAIN     (5 * NS_PER_S)
#define BEHIND_PAUSE  NS_PER_S
#define SLOW          (5 * NS_PER_S) /* whoever takes so long is asked less often */
#define PAUSE_MOST    (600 * NS_PER_S)
#define WHOLE_EVERY   4 /* of so many requests one asks for the whole page whatever its tag says */
#define LINKS_EVERY   8U
#define PLAIN_LEAST   6U /* looks over HTTP/1.1 alone, … */
#define PLAIN_MORE    6U /* … and as many more at most: drawn, to come by each view */

static void fetch_look_on_answer(void *context, struct fetcher_answer *answer);
static void fetch_look_on_read(void *context, struct reader_answer *answer);

void fetch_look_free(struct fetch_look *look)
{
    list_remove(&look->node);
    fetcher_cancel(look->get);
    survey_cancel(look->survey);
    fetch_sheets_job_free(look->sheets_job);
    closep(&look->sheets_fd);
    closep(&look->scripts_fd);
    closep(&look->body);
    closep(&look->page_fd);
    closep(&look->site_fd);
    closep(&look->text_fd);
    arena_free(look->arena);
    look->watch->look = NULL;
    mem_free(look);
}

/* The site's turn is over: when is its next? */
static void fetch_look_end(struct fetch_look *look)
{
    struct fetch_watch *watch = look->watch;
    bool is_slow = look->check.timing.done - look->check.timing.resolved > SLOW ||
                   look->check.status == 429 || look->check.status == 503 ||
                   look->failures >= FAILURES_MOST;

    bool is_last = watch->fetch->options.is_once && fetch_check_is_last(&look->check);

    watch->backoff = is_slow ? watch->backoff + 1 : 0;
    fetch_look_free(look);
    if (watch->is_gone) {
        fetch_watch_free(watch);
        return;
    }
    watch->pause = is_slow ? watch->pause : 0;
    if (!is_last) {
        fetch_rota_put(watch, fetch_rota_interval(watch));
    }
}

void fetch_look_tell(struct fetch_look *look)
{
    if (look->survey != NULL) {
        look->is_waiting = true; /* fetch/names.c comes back here */
        return;
    }
    if (!look->watch->is_gone) {
        fetch_names_weigh(look);
        fetch_tell_look(look);
        fetch_paint_consider(look);
    }
    fetch_look_end(look);
}

static void fetch_look_tell_unknown(struct fetch_look *look, enum site_failure failure)
{
    look->check.verdict = SITE_VERDICT_UNKNOWN;
    look->check.failure = failure;
    fetch_look_tell(look);
}

static void fetch_look_name(struct fetch_look *look)
{
    struct fetch_watch *watch = look->watch;
    static const char *const words[] = {"tin", "news", "bai-viet", "p", "xem", "chi-tiet"};

    if (look->page->kind == SITE_PAGE_MISSING) {
        (void)snprintf(look->url, sizeof(look->url), "%.*s/%s-%08llx.html",
                       STR_ARG(url_origin(str_from(watch->url))),
                       words[prng_below(&watch->prng, ARRAY_LEN(words))],
                       (unsigned long long)(prng_next(&watch->prng) & 0xffffffffU));
    } else {
        (void)snprintf(look->url, sizeof(look->url), "%s", look->page->url);
    }
}

/* It has its whole time again, and goes behind those that end sooner. */
static void fetch_look_prolong(struct fetch_look *look)
{
    struct fetch *fetch = look->watch->fetch;

    look->deadline = clock_mono(fetch->clock) + fetch->look_time;
    list_remove(&look->node);
    list_append(&fetch->looks, &look->node);
}

static int fetch_look_new(struct fetch_watch *watch, struct fetch_page *page, enum site_view view)
{
    struct fetch_look *look = mem_alloc(1, sizeof(*look));

    if (look == NULL) {
        return -ERR_NOMEM;
    }
    *look = (struct fetch_look){.watch = watch,
                                .page = page,
                                .view = view,
                                .is_plain = watch->plain_left != 0,
                                .body = -1,
                                .sheets_fd = -1,
                                .scripts_fd = -1,
                                .page_fd = -1,
                                .site_fd = -1,
                                .text_fd = -1,
                                .is_own_change =
                                    watch->is_window_open || (page->own_views & 1U << view) != 0};
    if (arena_new(FETCH_ARENA, &look->arena) < 0) {
        mem_free(look);
        return -ERR_NOMEM;
    }
    watch->plain_left -= look->is_plain ? 1 : 0;
    page->own_views &= ~(1U << view);
    list_init(&look->node);
    fetch_look_prolong(look);
    watch->look = look;
    fetch_look_name(look);
    fetch_names_ask(look, false);
    return 0;
}

static int fetch_look_request(struct fetch_look *look)
{
    struct fetch_watch *watch = look->watch;
    const struct fetch_seen *seen = &look->page->seen[look->view];
    bool is_whole = !seen->is_usable || look->is_second || look->is_own_change ||
                    look->page->kind == SITE_PAGE_MISSING ||
                    fetch_paint_is_due(watch, look->page, look->view) ||
                    fetch_scripts_are_due(watch) || prng_below(&watch->prng, WHOLE_EVERY) == 0;
    const struct fetcher_request request = {
        .url = str_from(look->url),
        .view = look->view,
        .etag = is_whole ? STR("") : str_from(seen->etag),
        .modified = is_whole ? 0 : seen->modified,
        .is_fresh = look->is_second || look->tries != 0,
        .is_plain = look->is_plain,
        .is_private_own = watch->facts.place == FACTS_PLACE_PRIVATE,
        .is_private_barred = watch->facts.place == FACTS_PLACE_PUBLIC};

    look->tries++;
    return fetcher_get(watch->fetch->fetcher, &request, fetch_look_on_answer, look, &look->get);
}

static void fetch_ask_profile(struct fetch_watch *watch, struct str url)
{
    fetch_profile_ask(&watch->fetch->msg, watch->number, url);
    (void)!fetch_send(watch->fetch, NULL, 0);
}

/* Core's answer puts the site's turn at once; this one is for an answer that was lost with core. */
static void fetch_look_wait(struct fetch_watch *watch, const struct fetch_page *page)
{
    if (!watch->is_kept_known) {
        fetch_ask_profile(watch, STR(""));
    }
    if (!watch->is_scripts_known) {
        fetch_ask_profile(watch, STR(FETCH_SCRIPTS));
    }
    if (!page->is_kept_known) {
        fetch_ask_profile(watch, str_from(page->url));
    }
    fetch_rota_put(watch, ASK_AGAIN);
}

static bool fetch_look_choose(struct fetch_watch *watch)
{
    if (watch->next_page == NULL &&
        !fetch_rota_choose(watch, &watch->next_page, &watch->next_view)) {
        watch->next_page = NULL;
    }
    return watch->next_page != NULL;
}

void fetch_look_go(struct fetch_watch *watch)
{
    if (watch->look == NULL) {
        if (!fetch_look_choose(watch)) {
            return; /* once, and that was it */
        }
        if (fetch_is_behind(watch->fetch)) {
            fetch_rota_put(watch, BEHIND_PAUSE);
            return;
        }
        if (!watch->is_kept_known || !watch->is_scripts_known || !watch->next_page->is_kept_known) {
            fetch_look_wait(watch, watch->next_page);
            return;
        }
        if (fetch_look_new(watch, watch->next_page, watch->next_view) < 0) {
            fetch_rota_put(watch, BEHIND_PAUSE);
            return;
        }
        watch->next_page = NULL;
    }
    if (fetch_look_request(watch->look) < 0) {
        fetch_look_tell_unknown(watch->look, SITE_FAILURE_OWN_NETWORK);
    }
}

static struct str fetch_look_copy(struct fetch_look *look, struct str text, size_t most)
{
    struct str kept = arena_copy(look->arena, str_slice(text, 0, most));

    return kept.ptr != NULL ? kept : STR("");
}

/* Browsers speak HTTP/2: what is shown over it is looked at again before long. */
static void fetch_look_take_plain(struct fetch_look *look, const struct fetcher_answer *answer)
{
    struct fetch_watch *watch = look->watch;

    if ((answer->facts & FETCHER_FACT_PLAIN) == 0) {
        watch->plain_left = 0;
        look->is_plain = false;
    } else if (!look->is_plain) {
        watch->plain_left = PLAIN_LEAST + (unsigned)prng_below(&watch->prng, PLAIN_MORE + 1);
    }
}

static void fetch_look_take(struct fetch_look *look, struct fetcher_answer *answer)
{
    look->get = NULL;
    fetch_look_take_plain(look, answer);
    closep(&look->body);
    look->body = TAKE_FD(answer->body_fd);
    look->check =
        (struct site_check){.site = look->watch->number,
                            .url = str_from(look->page->url),
                            .url_final = fetch_look_copy(look, answer->url_final, SITE_URL_MAX),
                            .page = look->page->kind,
                            .view = look->view,
                            .time = clock_wall(look->watch->fetch->clock),
                            .verdict = look->check.verdict,
                            .failure = answer->failure,
                            .status = answer->status,
                            .timing = answer->timing,
                            .size = answer->size,
                            .certificate_end = answer->certificate.end,
                            .reasons = look->check.reasons,
                            .reason_count = look->check.reason_count};
    memcpy(look->check.body_sha256, answer->sha256, sizeof(look->check.body_sha256));
    if (answer->retry_after > 0) {
        int64_t pause = answer->retry_after > PAUSE_MOST / NS_PER_S
                            ? PAUSE_MOST
                            : answer->retry_after * NS_PER_S;
        look->watch->pause = pause;
    }
}

static bool fetch_look_has_failed(const struct fetch_look *look,
                                  const struct fetcher_answer *answer)
{
    return answer->failure != SITE_FAILURE_NONE ||
           (answer->status >= 500 && look->page->kind != SITE_PAGE_MISSING);
}

/* Whoever answers is reached: an error of a server, a page that is too large or redirects in a
 * circle say nothing of our own network; an answer that stops half-way may. */
static bool fetch_look_was_reached(const struct fetcher_answer *answer)
{
    return answer->failure == SITE_FAILURE_NONE || answer->failure == SITE_FAILURE_REDIRECTS ||
           answer->failure == SITE_FAILURE_SIZE;
}

void fetch_look_reason(struct fetch_look *look, const struct site_reason *reason)
{
    struct site_reason *reasons =
        arena_alloc(look->arena, look->check.reason_count + 1, sizeof(*reasons));

    if (reasons == NULL || look->check.reason_count == SITE_REASONS_MAX) {
        return;
    }
    if (look->check.reason_count != 0) {
        memcpy(reasons, look->check.reasons, look->check.reason_count * sizeof(*reasons));
    }
    reasons[look->check.reason_count] = *reason;
    reasons[look->check.reason_count].view = look->view;
    reasons[look->check.reason_count++].value = fetch_look_copy(look, reason->value, SITE_NAME_MAX);
    look->check.reasons = reasons;
    look->check.layers |= 1U << reason->layer;
}

static void fetch_look_say(struct fetch_look *look, const char *what, const char *value)
{
    const struct site_reason reason = {
        .layer = SITE_LAYER_REACH, .what = str_from(what), .value = str_from(value)};

    fetch_look_reason(look, &reason);
}

/* What was seen first still stands, unconfirmed, when the second fetch brings nothing. */
static void fetch_look_unconfirmed(struct fetch_look *look)
{
    look->check.verdict = SITE_VERDICT_YELLOW;
    look->check.failure = SITE_FAILURE_NONE;
    fetch_look_tell(look);
}

static void fetch_look_outage(struct fetch_look *look, const struct fetcher_answer *answer)
{
    struct fetch *fetch = look->watch->fetch;
    bool is_ours = !fetch_look_was_reached(answer) &&
                   fetch_network_is_down(&fetch->network, clock_mono(fetch->clock));

    if (look->is_second) {
        fetch_look_unconfirmed(look);
        return;
    }
    fetch_look_say(look, "unreachable", answer->why);
    look->watch->was_good &= is_ours; /* a site is not to blame for our own line */
    look->check.is_confirmed = !is_ours;
    if (!is_ours && answer->failure == SITE_FAILURE_NAME) {
        fetch_names_ask(look, true);
    }
    fetch_look_tell_unknown(look, is_ours ? SITE_FAILURE_OWN_NETWORK : answer->failure);
}

/* What is not here yet counts as not coming: a dead name server may be asked for minutes, a slow
 * site over redirects and retries for longer. */
static void fetch_look_expire(struct fetch_look *look)
{
    struct fetch *fetch = look->watch->fetch;
    struct fetcher_answer answer = {.failure = look->check.failure, .why = ""};

    if (look->sheets_job != NULL) {
        fetch_sheets_end(look);
        return;
    }
    if (look->get != NULL || answer.failure == SITE_FAILURE_NONE) {
        answer.failure = fetcher_is_resolving(look->get) ? SITE_FAILURE_NAME : SITE_FAILURE_TIMEOUT;
        answer.why = err_text(-ERR_TIMEDOUT);
    }
    fetch_rota_take(look->watch);
    fetcher_cancel(TAKE_PTR(look->get));
    survey_cancel(TAKE_PTR(look->survey));
    if (look->is_waiting) {
        fetch_look_tell(look);
        return;
    }
    if (look->watch->was_good) {
        fetch_network_note(&fetch->network, clock_mono(fetch->clock), true);
    }
    look->failures = FAILURES_MOST;
    fetch_look_outage(look, &answer);
}

/* One that a reader has is let be: the reader has its own time. */
void fetch_looks_expire(struct fetch *fetch)
{
    int64_t now = clock_mono(fetch->clock);

    LIST_EACH (node, &fetch->looks) {
        struct fetch_look *look = LIST_ENTRY(node, struct fetch_look, node);

        if (look->deadline > now) {
            return;
        }
        if (fetcher_is_ours(fetch->fetcher, look->get)) {
            fetch_look_prolong(look);
        } else if (!look->is_read) {
            fetch_look_expire(look);
        }
    }
}

static void fetch_look_read(struct fetch_look *look, const struct fetcher_answer *answer)
{
    struct fetch_watch *watch = look->watch;
    enum site_page kind = look->page->kind;

    look->has_links =
        kind == SITE_PAGE_ROBOTS || kind == SITE_PAGE_SITEMAP ||
        (kind == SITE_PAGE_LISTED && (watch->known_count == 0 || watch->step % LINKS_EVERY < 2));
    look->check.failure = SITE_FAILURE_NONE;
    (void)snprintf(look->charset, sizeof(look->charset), "%.*s", STR_ARG(answer->charset));
    look->ask = (struct reader_ask){
        .check = &look->check,
        .flags =
            (look->is_own_change ? (uint32_t)READER_FLAG_OWN_CHANGE : 0) |
            (look->is_second ? (uint32_t)READER_FLAG_SECOND : 0) |
            (look->has_links ? (uint32_t)READER_FLAG_LINKS : 0) |
            ((answer->facts & FETCHER_FACT_ELSEWHERE) != 0 ? (uint32_t)READER_FLAG_ELSEWHERE : 0) |
            ((answer->facts & FETCHER_FACT_UNTRUSTED) != 0 ? (uint32_t)READER_FLAG_UNTRUSTED : 0),
        .body = look->body,
        .page = buf_str(&look->page->kept),
        .site = buf_str(&watch->kept),
        .text_hash = look->page->seen[look->view].text_hash,
        .charset = str_from(look->charset),
        .arena = look->arena,
        .done = fetch_look_on_read,
        .context = look};
    look->facts = answer->facts;
    look->certificate = answer->certificate;
    (void)snprintf(look->alias, sizeof(look->alias), "%.*s", STR_ARG(answer->alias));
    (void)snprintf(look->etag, sizeof(look->etag), "%.*s", STR_ARG(answer->etag));
    look->modified = answer->modified;
    fetch_sheets_ask(look);
}

/* Nothing that could be judged anew came. */
static bool fetch_look_is_same(const struct fetch_look *look, const struct fetcher_answer *answer)
{
    const struct fetch_seen *seen = &look->page->seen[look->view];

    if (!seen->is_usable || look->is_second || look->is_own_change ||
        (answer->facts & (FETCHER_FACT_ELSEWHERE | FETCHER_FACT_UNTRUSTED)) != 0) {
        return false;
    }
    return (answer->facts & FETCHER_FACT_UNCHANGED) != 0 ||
           (!fetch_scripts_are_due(look->watch) && answer->status == seen->status &&
            answer->size == seen->size &&
            memcmp(answer->sha256, seen->sha256, sizeof(seen->sha256)) == 0);
}

static void fetch_look_same(struct fetch_look *look, const struct fetcher_answer *answer)
{
    const struct fetch_seen *seen = &look->page->seen[look->view];

    look->check.verdict = SITE_VERDICT_OK;
    look->check.size = seen->size;
    memcpy(look->check.body_sha256, seen->sha256, sizeof(seen->sha256));
    (void)!facts_take(&look->watch->facts, answer, look->arena, &look->check);
    fetch_look_tell(look);
}

static void fetch_look_on_answer(void *context, struct fetcher_answer *answer)
{
    struct fetch_look *look = context;
    struct fetch_watch *watch = look->watch;
    struct fetch *fetch = watch->fetch;
    bool has_failed = fetch_look_has_failed(look, answer);

    fetch_look_take(look, answer);
    if ((answer->facts & FETCHER_FACT_OURS) != 0 && look->tries < TRIES_MOST) {
        fetch_rota_put(watch, fetch_rota_confirmation(watch));
        return;
    }
    if (watch->was_good) {
        fetch_network_note(&fetch->network, clock_mono(fetch->clock),
                           !fetch_look_was_reached(answer));
    }
    look->failures += has_failed ? 1 : 0;
    if (has_failed && look->failures < FAILURES_MOST && !watch->is_gone) {
        fetch_rota_put(watch, fetch_rota_confirmation(watch));
    } else if (answer->failure != SITE_FAILURE_NONE) {
        fetch_look_outage(look, answer);
    } else if (fetch_look_is_same(look, answer)) {
        fetch_look_same(look, answer);
    } else {
        fetch_look_read(look, answer);
    }
}

/* What the reader may say; all that it cannot know better stays as it was fetched. */
static void fetch_look_take_verdict(struct fetch_look *look, const struct reader_answer *answer)
{
    struct site_check *check = &look->check;
    struct site_reason *reasons =
        arena_alloc(look->arena, answer->check.reason_count + 1, sizeof(*reasons));

    check->verdict = answer->check.verdict;
    check->failure = answer->check.failure;
    check->is_confirmed = look->is_second && answer->check.is_confirmed;
    check->is_learning = answer->check.is_learning;
    check->score = answer->check.score;
    check->layers = answer->check.layers;
    check->title = fetch_look_copy(look, answer->check.title, SITE_NAME_MAX);
    check->reason_count = 0;
    for (size_t i = 0; reasons != NULL && i < answer->check.reason_count; i++) {
        reasons[i] = answer->check.reasons[i];
        reasons[i].what = fetch_look_copy(look, reasons[i].what, SITE_NAME_MAX);
        reasons[i].value = fetch_look_copy(look, reasons[i].value, SITE_URL_MAX);
        reasons[i].snippet = fetch_look_copy(look, reasons[i].snippet, SITE_SNIPPET_MAX);
        check->reason_count++;
    }
    check->reasons = reasons;
}

void fetch_look_keep(struct buf *kept, int fd, size_t most)
{
    struct buf fresh;

    buf_init(&fresh, most);
    if (lseek(fd, 0, SEEK_SET) == 0 && fd_read_all(fd, &fresh) == 0) {
        buf_done(kept);
        *kept = fresh;
    } else {
        buf_done(&fresh);
    }
}

/* Ends later looks early, once what was seen is quiet and past learning. */
static void fetch_look_remember(struct fetch_look *look)
{
    struct fetch_seen *seen = &look->page->seen[look->view];
    const struct site_check *check = &look->check;

    mem_free(seen->etag);
    *seen = (struct fetch_seen){
        .is_usable = !check->is_learning &&
                     (check->verdict == SITE_VERDICT_OK || check->verdict == SITE_VERDICT_CHANGED),
        .modified = look->modified,
        .size = check->size,
        .status = check->status,
        .text_hash = seen->text_hash,
        .etag = look->etag[0] != '\0' ? mem_dup(look->etag, str_from(look->etag).len) : NULL};
    memcpy(seen->sha256, check->body_sha256, sizeof(seen->sha256));
}

static void fetch_look_judged(struct fetch_look *look, struct reader_answer *answer)
{
    struct fetch_watch *watch = look->watch;
    const struct fetcher_answer facts = {.status = look->check.status,
                                         .facts = look->facts,
                                         .certificate = look->certificate,
                                         .url_final = look->check.url_final};

    if (answer->page_fd >= 0 && answer->site_fd >= 0) {
        look->page_fd = TAKE_FD(answer->page_fd);
        look->site_fd = TAKE_FD(answer->site_fd);
        fetch_look_keep(&look->page->kept, look->page_fd, FETCH_PROFILE_MAX);
        fetch_look_keep(&watch->kept, look->site_fd, FETCH_PROFILE_MAX);
    }
    if (answer->text_fd >= 0) {
        look->text_fd = TAKE_FD(answer->text_fd);
        look->page->seen[look->view].text_hash = answer->text_hash;
    }
    if (look->has_links) {
        fetch_watch_links(watch, look->view, answer);
    }
    watch->was_good = true;
    (void)!facts_take(&watch->facts, &facts, look->arena, &look->check);
    fetch_look_remember(look);
    fetch_look_tell(look);
}

static void fetch_look_on_read(void *context, struct reader_answer *answer)
{
    struct fetch_look *look = context;

    look->is_read = false;
    if (answer->error < 0) {
        fetch_look_say(look, "reader", err_text(answer->error));
        fetch_look_tell_unknown(look, SITE_FAILURE_NONE);
        return;
    }
    fetch_sheets_keep(look, answer);
    if (fetch_sheets_are_lacking(look, answer)) {
        fetch_sheets_more(look, answer);
        return;
    }
    fetch_look_take_verdict(look, answer);
    if (answer->needs_second && !look->is_second && !look->watch->is_gone) {
        look->is_second = true;
        look->tries = look->failures = 0;
        fetch_look_prolong(look);
        fetch_rota_put(look->watch, fetch_rota_confirmation(look->watch));
        return;
    }
    fetch_look_judged(look, answer);
}
