/* One look at a page becomes rows: the page's last state, a change when it says something else than
 * the look before, evidence, the site's state, and what must be told. Neighbours: core/watch.c
 * hands looks in, core/alarm.c words what is told. Invariant: all of one look in one transaction.
 */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"

#define CHECK_MAX  (64U << 10)
#define CHECK_REST (600 * NS_PER_S) /* pages that change with each look leave a row so often */

struct check_step {
    struct core *core;
    const struct core_seen *seen;
    struct str bytes; /* the check, encoded */
    struct store_site site;
    struct store_look before; /* zeroed before the first look */
    struct store_look look;
    struct store_change change;
    struct arena *arena;
};

static bool check_is_grave(enum site_verdict verdict)
{
    return verdict == SITE_VERDICT_YELLOW || verdict == SITE_VERDICT_RED;
}

static bool check_is_fine(enum site_verdict verdict)
{
    return verdict == SITE_VERDICT_OK || verdict == SITE_VERDICT_CHANGED;
}

/* The hash of the body as the look before had it. */
static bool check_is_same_body(const struct check_step *step)
{
    struct cbor_reader reader;
    struct site_check before;

    cbor_open(&reader, step->before.body);
    return site_check_decode(&reader, step->arena, &before) == 0 &&
           memcmp(before.body_sha256, step->seen->check->body_sha256, sizeof(before.body_sha256)) ==
               0;
}

/* Whether the look says something that the one before did not. */
static bool check_is_news(const struct check_step *step)
{
    const struct site_check *check = step->seen->check;
    const struct store_look *before = &step->before;

    if (before->page == 0) {
        return true;
    }
    if (check->verdict == SITE_VERDICT_OK && check_is_fine(before->verdict)) {
        return false;
    }
    if (check->verdict == SITE_VERDICT_CHANGED && check_is_fine(before->verdict)) {
        return !check_is_same_body(step) && check->time - before->since >= CHECK_REST;
    }
    return check->verdict != before->verdict || check->failure != before->failure ||
           (check_is_grave(check->verdict) && !check_is_same_body(step));
}

static int check_read(struct check_step *step)
{
    const struct site_check *check = step->seen->check;
    struct store *store = step->core->options.store;
    uint64_t page = 0;
    int r = store_site_get(store, check->site, step->arena, &step->site);

    if (r == 0 && step->site.state != SITE_STATE_WATCHED) {
        return -ERR_NOENT;
    }
    if (r == 0) {
        r = store_page_put(store, check->site, check->url, check->page, &page);
    }
    if (r == 0) {
        r = store_look_get(store, page, check->view, step->arena, &step->before);
        r = r == -ERR_NOENT ? 0 : r;
    }
    step->look = step->before;
    step->look.site = check->site;
    step->look.page = page;
    step->look.url = check->url;
    step->look.kind = check->page;
    step->look.view = check->view;
    step->look.time = check->time;
    step->look.verdict = check->verdict;
    step->look.failure = check->failure;
    step->look.failures = check->verdict == SITE_VERDICT_UNKNOWN ? step->before.failures + 1 : 0;
    step->look.body = step->bytes;
    return r;
}

/* What the page read like before; a view that had no look in order yet shows what another had. */
static int check_find_before(struct check_step *step)
{
    struct store_look look = step->before;
    int r = 0;

    for (unsigned view = 0; r == 0 && !look.has_text && view < SITE_VIEW_COUNT; view++) {
        r = store_look_get(step->core->options.store, step->look.page, (enum site_view)view,
                           step->arena, &look);
        r = r == -ERR_NOENT ? 0 : r;
    }
    step->change.has_before = look.has_text;
    memcpy(step->change.before, look.text, sizeof(step->change.before));
    return r;
}

static int check_keep_evidence(struct check_step *step)
{
    struct store *store = step->core->options.store;
    int r = check_find_before(step);

    if (r < 0) {
        return r;
    }
    if (step->seen->passages.len != 0) {
        step->change.has_after = true;
        r = store_evidence_put(store, step->seen->passages, step->change.after);
    } else if (step->before.has_text && check_is_same_body(step)) {
        step->change.has_after = true; /* only what it looks like is another thing */
        memcpy(step->change.after, step->before.text, sizeof(step->change.after));
    }
    if (r == 0 && step->seen->body.len != 0) {
        step->change.has_source = true;
        r = store_evidence_put(store, step->seen->body, step->change.source);
    }
    if (check_is_fine(step->look.verdict) && step->change.has_after) {
        step->look.has_text = true;
        memcpy(step->look.text, step->change.after, sizeof(step->look.text));
    }
    return r;
}

static int check_keep_change(struct check_step *step)
{
    const struct site_check *check = step->seen->check;

    step->change.site = check->site;
    step->change.page = step->look.page;
    step->change.time = check->time;
    step->change.verdict = check->verdict;
    step->change.body = step->bytes;
    step->look.since = check->time;
    step->core->changed |= CENTRE_CHANGED_SITES;
    return store_change_put(step->core->options.store, &step->change, &step->change.number);
}

static int check_write(struct check_step *step)
{
    struct store *store = step->core->options.store;
    bool is_news = check_is_news(step);
    uint64_t alert = 0;
    int r = 0;

    if (is_news || !step->before.has_text) { /* pages that always change would fill the disk */
        r = check_keep_evidence(step);
    }
    if (r == 0 && is_news) {
        r = check_keep_change(step);
        step->look.change = step->change.number;
    }
    if (r == 0) {
        r = core_alarm_page(step->core, &step->site, step->seen->check, &step->look, &alert);
    }
    if (r == 0 && alert != 0 && step->change.number != 0) {
        step->change.alert = alert;
        r = store_change_put(store, &step->change, &step->change.number);
    }
    if (r == 0) {
        r = core_alarm_site(step->core, &step->site, step->seen->check, &step->look);
    }
    return r < 0 ? r : store_look_put(store, &step->look, step->seen->check);
}

int core_check_take(struct core *core, const struct core_seen *seen)
{
    struct core_seen weighed = *seen;
    struct site_check check = *seen->check;
    struct check_step step = {.core = core, .seen = &weighed};
    CLEANUP(buf_done) struct buf bytes;
    int r;

    arena_reset(core->arena);
    step.arena = core->arena;
    buf_init(&bytes, CHECK_MAX);
    r = core_picture_weigh(core, step.arena, &check);
    if (r == 0) {
        site_check_encode(&check, &bytes);
        weighed.check = &check;
        step.bytes = buf_str(&bytes);
        r = buf_error(&bytes);
    }
    r = r < 0 ? r : check_read(&step);
    return r < 0 ? r : check_write(&step);
}
