/* The rules that the detector judges by: files as they were when it began, and what core sends it.
 * A new set is made whole beside the old one and takes its place with all windows, or not at all.
 * Neighbours: core/detect_content.c sends, catalogue.h tells what came of it. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/catalogue.h"
#include "centre/detector/private.h"
#include "detect/sigma/pack.h"
#include "sys/process.h"

#include <string.h>

#define OFF_MAX        10000
#define DETECTOR_LOADS 20 /* seconds of work: rules are read anew */

/* ---- what comes ---- */

void detector_content_done(struct detector_content *content)
{
    rules_texts_free(content->texts);
    for (size_t i = 0; i < content->off_count; i++) {
        mem_free(content->off[i]);
    }
    mem_free(content->off);
    *content = (struct detector_content){0};
}

static int content_add_off(struct detector_content *content, struct str id)
{
    if (content->off == NULL) {
        content->off = mem_alloc(OFF_MAX, sizeof(*content->off));
    }
    if (content->off == NULL || content->off_count == OFF_MAX) {
        return content->off == NULL ? -ERR_NOMEM : -ERR_LIMIT;
    }
    content->off[content->off_count] = mem_dup(id.len != 0 ? id.ptr : "", id.len);
    return content->off[content->off_count++] != NULL ? 0 : -ERR_NOMEM;
}

/* One piece. 1: it was the last. */
static int content_take(struct detector_content *content, struct msg_reader *msg)
{
    uint64_t version = msg_get_u64(msg);
    uint32_t off;
    bool is_last;
    int r = 0;

    if (content->texts == NULL || version != content->version) {
        detector_content_done(content);
        content->version = version;
        r = rules_texts_new(DETECTOR_RULES_SIZE, &content->texts);
    }
    while (r == 0 && msg_get_u32(msg) == 1) {
        struct str name = msg_get_str(msg);

        r = rules_texts_put(content->texts, name, msg_get_str(msg));
    }
    off = r == 0 ? msg_get_u32(msg) : 0;
    for (uint32_t i = 0; r == 0 && i < off; i++) {
        r = content_add_off(content, msg_get_str(msg));
        r = r == 0 ? msg->error : r;
    }
    is_last = msg_get_u32(msg) == 1;
    r = r == 0 ? msg_close(msg) : r;
    return r < 0 ? r : (int)is_last;
}

/* ---- sets ---- */

void detector_set_done(struct detector_set *set)
{
    log_reading_done(&set->reading);
    sigma_correlator_free(set->correlator);
    sigma_matcher_free(set->matcher);
    sigma_view_done(&set->view);
    sigma_shown_free(set->shown);
    sigma_engine_free(set->engine);
    sigma_loader_free(set->loader);
    mem_free(set->is_off);
    mem_free(set->is_off_correlated);
    mem_free(set->sifted);
    mem_free(set->kept);
    *set = (struct detector_set){0};
}

static bool is_off(const struct detector_content *content, struct str id, struct str title)
{
    for (size_t i = 0; i < content->off_count; i++) {
        if (str_is_text(id.len != 0 ? id : title, content->off[i])) {
            return true;
        }
    }
    return false;
}

static int set_mark(struct detector_set *set, const struct detector_content *content)
{
    const struct sigma_set *rules = set->set;

    set->is_off = mem_alloc(rules->rule_count + 1, sizeof(*set->is_off));
    set->is_off_correlated =
        mem_alloc(rules->correlation_count + 1, sizeof(*set->is_off_correlated));
    set->sifted = mem_alloc(rules->rule_count + 1, sizeof(*set->sifted));
    set->kept = mem_alloc(rules->rule_count + 1, sizeof(*set->kept));
    if (set->is_off == NULL || set->is_off_correlated == NULL || set->sifted == NULL ||
        set->kept == NULL) {
        return -ERR_NOMEM;
    }
    for (size_t i = 0; i < rules->rule_count; i++) {
        set->is_off[i] = is_off(content, rules->rules[i].id, rules->rules[i].title);
        set->is_sifting |= set->is_off[i] || rules->rules[i].filter.len != 0;
    }
    for (size_t i = 0; i < rules->correlation_count; i++) {
        set->is_off_correlated[i] =
            is_off(content, rules->correlations[i].id, rules->correlations[i].title);
    }
    set->host_field = entry_names_find(sigma_engine_names(set->engine), STR(DETECTOR_HOST_FIELD));
    return 0;
}

static int set_compile(struct detector_set *set, uint64_t seed, struct diag *diag)
{
    int r = sigma_engine_new(set->set, &set->engine, diag);

    r = r < 0 ? r : sigma_matcher_new(set->engine, &set->matcher);
    r = r < 0 ? r
              : sigma_correlator_new(set->set, sigma_engine_names(set->engine),
                                     &(struct sigma_correlator_options){.seed = seed},
                                     &set->correlator);
    r = r < 0 ? r : sigma_shown_new(set->set, true, &set->shown);
    r = r < 0 ? r : sigma_view_init(&set->view, set->shown);
    return r < 0 ? r : log_reading_init(&set->reading, sigma_engine_names(set->engine));
}

int detector_set_make(const struct detector *detector, const struct detector_content *content,
                      struct detector_set *ret_set, struct diag *diag)
{
    struct detector_set set = {0};
    int r = sigma_loader_new(false, &set.loader);

    if (r == 0) {
        sigma_loader_count_filters(set.loader);
        r = rules_texts_load_pipelines(detector->pipelines, set.loader);
    }
    r = r < 0 ? r : sigma_pack_load(set.loader);
    r = r < 0 ? r : rules_texts_load(detector->files, set.loader);
    r = r < 0 ? r : rules_texts_load(content->texts, set.loader);
    r = r < 0 ? r : sigma_loader_finish(set.loader, &set.set);
    r = r < 0 ? r : set_compile(&set, detector->seed, diag);
    r = r < 0 ? r : set_mark(&set, content);
    if (r < 0) {
        detector_set_done(&set);
        return r;
    }
    *ret_set = set;
    return 0;
}

/* Windows that the old set has open, or that a detector before this one had. */
static void set_hand_on(struct detector *detector, struct detector_set *fresh)
{
    CLEANUP(buf_done) struct buf bytes;
    struct diag diag = {0};
    int r = 0;

    buf_init(&bytes, DETECTOR_STATE_MAX);
    if (detector->now.correlator != NULL) {
        r = sigma_correlator_save(detector->now.correlator, &bytes);
    } else if (detector->is_state_whole) {
        r = buf_put_str(&bytes, buf_str(&detector->state));
    }
    if (r == 0 && bytes.len != 0) {
        r = sigma_correlator_load(fresh->correlator, buf_str(&bytes), &diag);
        r = r == -ERR_VERSION ? 0 : r;
    }
    if (r < 0) {
        log_warn("windows of correlations begin anew: %s", diag_text(&diag, r));
    }
    buf_done(&detector->state);
    detector->is_state_whole = false;
}

/* ---- answers ---- */

static int send_pieces(struct detector *detector, enum detector_message type, struct str bytes)
{
    int r = 0;

    do {
        struct str piece = str_slice(bytes, 0, DETECTOR_PIECE);

        bytes = str_slice(bytes, piece.len, bytes.len);
        msg_begin(&detector->answer, (uint16_t)type);
        msg_put_u32(&detector->answer, bytes.len == 0 ? 1 : 0);
        msg_put_str(&detector->answer, piece);
        r = channel_send(detector->channel, &detector->answer, NULL, 0);
    } while (r == 0 && bytes.len != 0);
    return r;
}

static int send_catalogue(struct detector *detector)
{
    CLEANUP(buf_done) struct buf bytes;
    int r;

    buf_init(&bytes, CATALOGUE_SIZE_MAX);
    r = catalogue_write(detector->now.set, detector->content.version, &bytes);
    return r < 0 ? r : send_pieces(detector, DETECTOR_MESSAGE_CATALOGUE, buf_str(&bytes));
}

static int send_ready(struct detector *detector, const char *why)
{
    const struct sigma_set *set = detector->now.set;
    size_t rules = sigma_set_written(set);
    size_t refused = 0;

    for (size_t i = 0; i < set->refusal_count; i++) {
        refused += set->refusals[i].is_warning ? 0U : 1U;
    }
    log_info("rules=%zu correlations=%zu refused=%zu content=%llu", rules, set->correlation_count,
             refused, (unsigned long long)detector->content.version);
    msg_begin(&detector->answer, DETECTOR_MESSAGE_READY);
    msg_put_u32(&detector->answer, (uint32_t)rules);
    msg_put_u32(&detector->answer, (uint32_t)set->correlation_count);
    msg_put_u32(&detector->answer, (uint32_t)refused);
    msg_put_u64(&detector->answer, detector->content.version);
    msg_put_u64(&detector->answer, set->version);
    msg_put_str(&detector->answer, str_from(why));
    return channel_send(detector->channel, &detector->answer, NULL, 0);
}

static void tell_refusals(const struct sigma_set *set)
{
    size_t refused = 0;

    for (size_t i = 0; i < set->refusal_count; i++) {
        const struct sigma_refusal *refusal = &set->refusals[i];

        if (!refusal->is_warning && refused++ == 0) {
            log_warn("a rule was refused file=%.*s line=%u reason=%.*s", STR_ARG(refusal->file),
                     refusal->line, STR_ARG(refusal->reason));
        }
    }
    if (refused > 1) {
        log_warn("%zu rules were refused in all: canhgac rules check names them", refused);
    }
}

static int content_apply(struct detector *detector)
{
    struct detector_set fresh = {0};
    struct diag diag = {0};
    int r;

    process_limit_work(DETECTOR_LOADS);
    r = detector_set_make(detector, &detector->coming, &fresh, &diag);
    if (r < 0) {
        detector_content_done(&detector->coming);
        log_error("the rules could not be loaded: %s", diag_text(&diag, r));
        return detector->now.set != NULL ? send_ready(detector, diag_text(&diag, r)) : r;
    }
    set_hand_on(detector, &fresh);
    detector_set_done(&detector->now);
    detector_content_done(&detector->content);
    detector->now = fresh;
    detector->content = detector->coming;
    detector->coming = (struct detector_content){0};
    tell_refusals(detector->now.set);
    r = send_catalogue(detector);
    return r < 0 ? r : send_ready(detector, "");
}

int detector_take_content(struct detector *detector)
{
    int r = content_take(&detector->coming, &detector->packet.msg);

    return r <= 0 ? r : content_apply(detector);
}

/* Before the first content only: windows of another time must not come into those that are open. */
int detector_take_state(struct detector *detector)
{
    bool is_last = msg_get_u32(&detector->packet.msg) == 1;
    struct str piece = msg_get_str(&detector->packet.msg);
    int r = msg_close(&detector->packet.msg);

    if (r < 0 || detector->now.set != NULL) {
        return r < 0 ? r : -ERR_PROTO;
    }
    r = buf_put_str(&detector->state, piece);
    detector->is_state_whole = r == 0 && is_last;
    return r == -ERR_LIMIT ? 0 : r;
}

int detector_save(struct detector *detector)
{
    CLEANUP(buf_done) struct buf bytes;
    int r;

    process_limit_work(DETECTOR_LOADS);
    buf_init(&bytes, DETECTOR_STATE_MAX);
    r = sigma_correlator_save(detector->now.correlator, &bytes);
    if (r == -ERR_LIMIT) {
        buf_reset(&bytes); /* too much to be kept: what was kept before stays */
        r = 0;
    }
    return r < 0 ? r : send_pieces(detector, DETECTOR_MESSAGE_STATE, buf_str(&bytes));
}

/* ---- would this be taken? ---- */

struct check {
    struct str name;
    uint32_t count;
    struct str id;
    struct str title;
    struct str why;
};

static void check_add(struct check *check, struct str file, struct str id, struct str title)
{
    if (str_is(file, check->name)) {
        check->id = check->count == 0 ? id : check->id;
        check->title = check->count == 0 ? title : check->title;
        check->count++;
    }
}

static void check_look(struct check *check, const struct detector_set *set, struct arena *arena)
{
    const struct sigma_set *rules = set->set;

    for (size_t i = 0; i < rules->rule_count; i++) {
        const struct sigma_rule *rule = &rules->rules[i];

        if (sigma_rule_is_written(rule)) {
            check_add(check, rule->file, rule->id, rule->title);
        }
    }
    for (size_t i = 0; i < rules->correlation_count; i++) {
        check_add(check, rules->correlations[i].file, rules->correlations[i].id,
                  rules->correlations[i].title);
    }
    for (size_t i = 0; i < rules->refusal_count && check->why.len == 0; i++) {
        const struct sigma_refusal *refusal = &rules->refusals[i];

        if (!refusal->is_warning && str_is(refusal->file, check->name)) {
            check->why = arena_printf(
                arena, _("line %u: %.*s%s%.*s"), refusal->line, STR_ARG(refusal->reason),
                refusal->remedy.len != 0 ? "; " : "", STR_ARG(refusal->remedy));
        }
    }
}

/* The content in force with one text more, or in place of that of the same name. */
static int check_content(const struct detector_content *content, struct str name, struct str text,
                         struct detector_content *ret_content)
{
    int r = rules_texts_new(DETECTOR_RULES_SIZE, &ret_content->texts);

    r = r < 0 ? r : rules_texts_put_all(ret_content->texts, content->texts, name);
    return r < 0 ? r : rules_texts_put(ret_content->texts, name, text);
}

static int check_answer(struct detector *detector, uint64_t number, const struct check *check)
{
    msg_begin(&detector->answer, DETECTOR_MESSAGE_CHECKED);
    msg_put_u64(&detector->answer, number);
    msg_put_u32(&detector->answer, check->count);
    msg_put_str(&detector->answer, str_slice(check->id, 0, DETECTOR_VALUE_MAX));
    msg_put_str(&detector->answer, str_slice(check->title, 0, DETECTOR_VALUE_MAX));
    msg_put_str(&detector->answer, str_slice(check->why, 0, 4 * DETECTOR_VALUE_MAX));
    return channel_send(detector->channel, &detector->answer, NULL, 0);
}

int detector_take_check(struct detector *detector)
{
    struct msg_reader *msg = &detector->packet.msg;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct detector_content content = {0};
    struct detector_set set = {0};
    struct check check = {0};
    struct diag diag = {0};
    uint64_t number = msg_get_u64(msg);
    struct str text;
    int r;

    process_limit_work(DETECTOR_LOADS);
    check.name = msg_get_str(msg);
    text = msg_get_str(msg);
    r = msg_close(msg);
    r = r < 0 ? r : arena_new(1U << 20, &arena);
    r = r < 0 ? r : check_content(&detector->content, check.name, text, &content);
    if (r == 0) {
        r = detector_set_make(detector, &content, &set, &diag);
        if (r < 0) {
            check.why = str_from(diag_text(&diag, r));
        } else {
            check_look(&check, &set, arena);
        }
        if (check.why.len == 0 && check.count == 0) {
            check.why = str_from(_("there is no rule in it"));
        }
        r = check_answer(detector, number, &check);
    }
    detector_set_done(&set);
    detector_content_done(&content);
    return r;
}
