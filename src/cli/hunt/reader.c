/* See reader.h. Threads touch their own job and the block in hand; all else is the first thread's.
 */
#include "cli/hunt/reader.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/reader_part.h"
#include "cli/vault_print.h"

#include <assert.h>

#define SHEET_ARENA   (64u << 20)
#define JOB_ARENA     (64u << 20)
#define LINE_LIMIT    (64u << 20)
#define SPILL_SIZE    (16u << 20) /* bytes of one block's matches that are kept before it is told */
#define SHOW_AFTER_NS (2 * NS_PER_S)
#define SHOW_EVERY_NS (200 * NS_PER_MS)

/* ---- in any thread */

static bool job_is_outside(const struct hunt_order *order, const struct entry *entry)
{
    return entry->time != 0 && (entry->time < order->from || entry->time > order->to);
}

/* Rules that only correlations ask for, and those below the level asked for, are not shown. */
static size_t job_choose(struct reader_job *job, const uint32_t *rules, size_t count)
{
    const struct sigma_set *set = job->reader->book.set;
    size_t shown = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sigma_rule *rule = &set->rules[rules[i]];

        if (!rule->is_silent && rule->level >= job->reader->order->level) {
            job->shown[shown++] = rules[i];
        }
    }
    return shown;
}

static int job_show(struct reader_job *job, const struct entry *entry, size_t shown)
{
    const struct hunt_reader *reader = job->reader;
    struct hunt_block *block = job->block;
    int r = 0;

    block->found += shown;
    for (size_t i = 0; r == 0 && reader->tally != NULL && i < shown; i++) {
        r = hunt_tally_pack(job->shown[i], entry, &block->hits);
    }
    return r == 0 ? sheet_put_matches(&job->page, job->shown, shown, &block->out) : r;
}

/* *ret_is_hit: an indicator was in it. */
static int job_screen(struct reader_job *job, const struct entry *entry, bool *ret_is_hit)
{
    const struct screen_hit *hits = NULL;
    size_t count = 0;
    int r = job->screen != NULL ? screen_entry(job->screen, entry, &hits, &count) : 0;

    if (r < 0 || count == 0) {
        return r;
    }
    *ret_is_hit = true;
    job->block->found += count;
    for (size_t i = 0; r == 0 && job->reader->tally != NULL && i < count; i++) {
        r = hunt_tally_pack_indicator(hits[i].hit.value, entry, &job->block->hits);
    }
    return r < 0 ? r : sheet_put_hits(&job->page, hits, count, &job->block->out);
}

static int job_judge_entry(struct reader_job *job, const struct entry *entry)
{
    struct hunt_block *block = job->block;
    const uint32_t *rules = NULL;
    bool is_hit = false;
    size_t count = 0;
    size_t shown;
    int r;

    if (job_is_outside(job->reader->order, entry)) {
        block->outside++;
        return 0;
    }
    r = hunt_judge_entry(job->bench, entry, &rules, &count);
    if (r < 0 || (count == 0 && job->screen == NULL)) {
        return r;
    }
    arena_reset(job->arena);
    sheet_page_turn(&job->page, entry, block->file);
    r = job_screen(job, entry, &is_hit);
    if (r < 0) {
        return r;
    }
    shown = job_choose(job, rules, count);
    block->matched += shown != 0 || is_hit;
    r = hunt_chain_pack(job->reader->chain, entry, job->arena, rules, count, &block->links);
    r = r == 0 && shown != 0 ? job_show(job, entry, shown) : r;
    return r;
}

static int job_entry(void *context, const struct entry *entry)
{
    struct reader_job *job = context;
    struct hunt_block *block = job->block;
    int r;

    if (order_skips(job->reader->order, HUNT_SKIP_ENTRY, block->file->place, entry->number)) {
        block->left++;
        return 0;
    }
    hand_turn(job->hand, HAND_PHASE_JUDGE, entry->number);
    r = job_judge_entry(job, entry);
    hand_turn(job->hand, HAND_PHASE_NONE, entry->number); /* to be told may take any time */
    if (r == 0 && block->out.len + block->hits.len + block->links.len > SPILL_SIZE) {
        crew_spill(job->reader->crew, block);
    }
    hand_turn(job->hand, HAND_PHASE_PARSE, entry->number);
    return r;
}

static_assert(1 + CREW_JOBS_MAX <= HANDS_MAX, "a hand each");

static int job_read(struct reader_job *job, struct hunt_block *block)
{
    int r;

    if (reader_skip_block(job->reader, block)) {
        return 0;
    }
    r = reader_tear(job->reader, job->hand, block);
    hand_turn(job->hand, HAND_PHASE_PARSE, block->number);
    return r < 0 ? r
                 : block->file->format->read(&job->reading, buf_str(&block->bytes), job_entry, job);
}

static void job_judge(void *context, size_t number, struct hunt_block *block)
{
    struct hunt_reader *reader = context;
    struct reader_job *job = &reader->jobs[number];

    job->block = block;
    job->reading.number = block->number;
    job->reading.head = buf_str(&block->file->head);
    job->reading.around = block->file->around;
    job->reading.year = 0;
    job->reading.counts = (struct log_counts){0};
    job->hand = 1 + number;
    hand_hold(job->hand, str_from(block->file->path), block->file->place, block->number);
    block->error = job_read(job, block);
    hand_turn(job->hand, HAND_PHASE_NONE, 0);
    hand_drop(job->hand);
    block->counts = job->reading.counts;
}

static int job_init(struct hunt_reader *reader, struct reader_job *job)
{
    int r;

    job->reader = reader;
    job->shown = mem_alloc(reader->book.set->rule_count + 1, sizeof(*job->shown));
    r = job->shown == NULL ? -ERR_NOMEM : hunt_bench_new(reader->judge, &job->bench);
    r = r == 0 && reader->indicators != NULL ? screen_new(reader->indicators, &job->screen) : r;
    r = r == 0 ? arena_new(JOB_ARENA, &job->arena) : r;
    r = r == 0 ? sheet_page_init(&job->page, &reader->sheet, job->arena) : r;
    r = r == 0 ? log_reading_init(&job->reading, hunt_judge_names(reader->judge)) : r;
    if (r == 0) {
        job->reading.source = reader->order->source;
        job->reading.zone = reader->order->zone;
    }
    return r;
}

static void job_done(struct reader_job *job)
{
    if (job->reading.arena != NULL) {
        log_reading_done(&job->reading);
    }
    hunt_bench_free(job->bench);
    screen_free(job->screen);
    sheet_page_done(&job->page);
    arena_free(job->arena);
    mem_free(job->shown);
}

/* ---- in the first thread */

void reader_say(struct hunt_reader *reader, enum relay_kind kind, struct str text)
{
    if (relay_say(kind, text) < 0) {
        reader->is_broken = true;
    }
}

static void reader_clear(struct hunt_reader *reader)
{
    if (reader->told != 0) {
        reader_say(reader, RELAY_KIND_NOTE, STR("\r\033[K"));
    }
}

static void reader_progress(struct hunt_reader *reader)
{
    int64_t now = clock_mono(&clock_real);
    char size[VAULT_SIZE_TEXT];

    if (!reader->order->is_terminal || now - reader->started < SHOW_AFTER_NS ||
        now - reader->told < SHOW_EVERY_NS) {
        return;
    }
    reader->told = now;
    vault_print_size(reader->account.all.counts.bytes, size);
    buf_reset(&reader->line);
    (void)buf_put_text(&reader->line, "\r\033[K");
    (void)buf_putf(&reader->line, _("%llu files, %s, %llu entries, %llu matches"),
                   (unsigned long long)reader->account.all.files, size,
                   (unsigned long long)reader->account.all.counts.entries,
                   (unsigned long long)reader->account.found);
    reader_say(reader, RELAY_KIND_NOTE, buf_str(&reader->line));
}

static void reader_turn(const struct hunt_block *block)
{
    const struct relay_mark mark = {.file = block->file->place,
                                    .record = block->number,
                                    .name = map_hash(str_from(block->file->path), 0)};

    relay_turn(&mark);
}

static void reader_told(void *context, struct hunt_block *block, bool is_part)
{
    struct hunt_reader *reader = context;
    int r;

    reader_turn(block);
    if (block->out.len != 0) {
        reader_clear(reader);
        reader_say(reader, RELAY_KIND_OUT, buf_str(&block->out));
    }
    r = reader->tally != NULL ? hunt_tally_take(reader->tally, buf_str(&block->hits)) : 0;
    r = r == 0
            ? hunt_chain_take(reader->chain, buf_str(&block->links), block->file, reader->is_live)
            : r;
    if (!is_part) {
        account_add_block(&reader->account, block);
        r = block->error < 0 ? block->error : r;
        reader_file_unref(block->file);
    }
    reader->error = reader->error < 0 ? reader->error : r;
    reader_progress(reader);
}

static int reader_correlated(void *context, const struct sigma_correlated *correlated,
                             const char *const *paths, const uint64_t *lines)
{
    struct hunt_reader *reader = context;
    const struct sigma_correlation *correlation =
        &reader->book.set->correlations[correlated->correlation];
    struct sheet_place places[SIGMA_KEEP_MAX];
    int r;

    if (correlation->is_silent || correlation->level < reader->order->level) {
        return 0;
    }
    for (size_t i = 0; i < correlated->cause_count; i++) {
        places[i] = (struct sheet_place){paths[i], lines[i]};
    }
    reader->account.correlated++;
    if (reader->tally != NULL) {
        hunt_tally_add_correlated(reader->tally, correlated);
    }
    buf_reset(&reader->line);
    r = sheet_put_correlated(&reader->sheet, correlated, places, &reader->line);
    reader_say(reader, RELAY_KIND_OUT, buf_str(&reader->line));
    return r;
}

static int reader_prepare(struct hunt_reader *reader)
{
    const struct crew_port crew = {reader, job_judge, reader_told};
    const struct chain_port chain = {reader, reader_correlated};
    const struct hunt_order *order = reader->order;
    const struct sigma_set *set = reader->book.set;
    int r = hunt_judge_new(set, order->is_naive, &reader->judge, &reader->diag);

    reader->sheet.kind = order->kind;
    reader->sheet.is_coloured = order->is_coloured;
    reader->sheet.zone = order->zone;
    r = r == 0 ? arena_new(SHEET_ARENA, &reader->arena) : r;
    r = r == 0 ? sheet_init(&reader->sheet, set, reader->arena) : r;
    r = r == 0 ? hunt_chain_new(set, hunt_judge_names(reader->judge), &chain, &reader->chain) : r;
    r = r == 0 && order->kind == SHEET_KIND_SUMMARY ? hunt_tally_new(set, &reader->tally) : r;
    for (size_t i = 0; r == 0 && i < order->jobs; i++) {
        r = job_init(reader, &reader->jobs[i]);
    }
    r = r == 0 ? crew_new(order->jobs, &crew, &reader->crew) : r;
    reader->account.rules = sigma_set_written(set);
    reader->account.correlations = set->correlation_count;
    reader->account.refused = reader->book.refused;
    reader->account.unread += reader->book.unread;
    return r < 0 ? diag_set(&reader->diag, r, "%s", err_text(r)) : 0;
}

/* The rules end where the first log comes. */
static int reader_load(struct hunt_reader *reader, int channel, struct parcel *parcel)
{
    int r = rulebook_init(&reader->book, reader->order->is_bare);

    reader->book.is_quiet = reader->order->is_again;
    while (r == 0 && (r = porter_receive(channel, parcel)) == 0 &&
           parcel->kind != PORTER_KIND_LOG) {
        r = parcel->kind == PORTER_KIND_LIST
                ? iocs_take(&reader->indicators, parcel, ++reader->lists)
                : rulebook_take(&reader->book, parcel, &reader->diag);
    }
    if (r < 0 && r != -ERR_PIPE) {
        return r;
    }
    if (r == -ERR_PIPE) {
        parcel->fd = -1;
    }
    r = rulebook_finish(&reader->book, &reader->diag);
    if (r == 0 && reader->book.set->rule_count == 0 && reader->indicators == NULL) {
        return diag_set(&reader->diag, -ERR_NOENT, "%s",
                        _("there is no rule to hunt by; canhgac rules check PATH… shows what was "
                          "refused"));
    }
    return r;
}

static int reader_run(struct hunt_reader *reader, int channel)
{
    const struct relay_mark end = {.file = UINT64_MAX};
    static struct parcel parcel;
    int r = reader_load(reader, channel, &parcel);

    r = r == 0 ? reader_prepare(reader) : r;
    reader->started = clock_mono(&clock_real);
    while (r == 0 && parcel.fd >= 0 && !reader_is_over(reader)) {
        r = reader_read_parcel(reader, &parcel);
        if (r == 0 && !reader_is_over(reader)) {
            r = porter_receive(channel, &parcel);
        }
    }
    if (r < 0 && r != -ERR_PIPE) {
        return r;
    }
    crew_drain(reader->crew);
    relay_turn(&end);
    reader->account.is_stopped = porter_is_stopped();
    r = reader->error < 0 ? reader->error : hunt_chain_finish(reader->chain);
    reader->account.matching = (uint64_t)(clock_mono(&clock_real) - reader->started);
    return r;
}

static int reader_sum(struct hunt_reader *reader)
{
    const struct hunt_order *order = reader->order;
    bool is_json = order->is_json || order->kind == SHEET_KIND_JSON;
    int r = 0;

    reader_clear(reader);
    buf_reset(&reader->line);
    for (size_t i = 0; i < order->jobs; i++) {
        reader->account.limits += hunt_bench_limits(reader->jobs[i].bench);
    }
    hunt_chain_stats(reader->chain, &reader->account.links);
    if (reader->tally != NULL) {
        r = hunt_tally_put(reader->tally, &reader->sheet, is_json, &reader->line);
    }
    if (is_json) {
        account_put_json(&reader->account, &reader->line);
    }
    reader_say(reader, RELAY_KIND_OUT, buf_str(&reader->line));
    if (!is_json) {
        buf_reset(&reader->line);
        account_put_text(&reader->account, &reader->line);
        reader_say(reader, RELAY_KIND_ERR, buf_str(&reader->line));
    }
    return r;
}

static void reader_done(struct hunt_reader *reader)
{
    crew_free(reader->crew);
    for (size_t i = 0; i < CREW_JOBS_MAX; i++) {
        job_done(&reader->jobs[i]);
    }
    hunt_chain_free(reader->chain);
    hunt_tally_free(reader->tally);
    indicators_free(reader->indicators);
    hunt_judge_free(reader->judge);
    sheet_done(&reader->sheet);
    arena_free(reader->arena);
    rulebook_done(&reader->book);
    buf_done(&reader->rest);
    buf_done(&reader->line);
}

static int reader_status(const struct hunt_reader *reader)
{
    const struct hunt_account *account = &reader->account;

    if (account->found + account->correlated != 0) {
        return EXIT_STATUS_FOUND;
    }
    return account->unread != 0 || account->is_stopped || reader->is_broken ? EXIT_STATUS_FAILED
                                                                            : EXIT_STATUS_CLEAN;
}

int hunt_reader_run(void *context, int channel)
{
    static struct hunt_reader reader;
    int status;
    int r;

    reader = (struct hunt_reader){.order = context};
    buf_init(&reader.rest, LINE_LIMIT);
    buf_init(&reader.line, LINE_LIMIT);
    r = reader_run(&reader, channel);
    r = r == 0 ? reader_sum(&reader) : r;
    status = r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&reader.diag, r))
                   : reader_status(&reader);
    reader_done(&reader);
    return status;
}
