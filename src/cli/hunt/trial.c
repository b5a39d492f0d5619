/* See trial.h. */
#include "cli/hunt/trial.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/hunt/judge.h"
#include "cli/hunt/rulebook.h"
#include "codec/json.h"
#include "codec/logs.h"
#include "detect/sigma/correlate.h"

#define SAMPLE_MAX (16u << 20)

struct trial {
    const struct trial_order *order;
    struct rulebook book;
    struct hunt_judge *judge;
    struct hunt_bench *bench;
    struct log_reading reading;
    struct sigma_correlator *correlator; /* of the sample in hand */
    bool *seen;                          /* by rule, then by correlation */
    bool *tried;                         /* has a sample that must hit */
    struct buf line;
    size_t samples;
    size_t wrong;
    size_t untried;
    struct diag diag;
};

static size_t trial_count(const struct trial *trial)
{
    return trial->book.set->rule_count + trial->book.set->correlation_count;
}

/* ---- one sample */

static int trial_correlated(void *context, const struct sigma_correlated *correlated)
{
    struct trial *trial = context;

    trial->seen[trial->book.set->rule_count + correlated->correlation] = true;
    return 0;
}

static int trial_entry(void *context, const struct entry *entry)
{
    struct trial *trial = context;
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = hunt_judge_entry(trial->bench, entry, &rules, &count);

    for (size_t i = 0; r == 0 && i < count; i++) {
        trial->seen[rules[i]] = true;
    }
    return r == 0 && trial->correlator != NULL && count != 0
               ? sigma_correlate(trial->correlator, entry, entry->number, rules, count,
                                 trial_correlated, trial)
               : r;
}

static int trial_read(struct trial *trial, struct str text)
{
    const struct log_format *format = log_format_guess(str_slice(text, 0, LOG_HEAD_SIZE));
    const struct sigma_correlator_options options = {0};
    int r = 0;

    memset(trial->seen, 0, trial_count(trial) * sizeof(bool));
    trial->reading.number = 1;
    trial->reading.head = str_slice(text, 0, LOG_HEAD_SIZE);
    trial->reading.around = clock_wall(&clock_real);
    if (trial->book.set->correlation_count != 0) {
        r = sigma_correlator_new(trial->book.set, hunt_judge_names(trial->judge), &options,
                                 &trial->correlator);
    }
    while (r == 0 && text.len != 0) {
        size_t len = format->cut(text, true);

        len = len != 0 && len < text.len ? len : text.len;
        r = format->read(&trial->reading, str_slice(text, 0, len), trial_entry, trial);
        text = str_slice(text, len, text.len);
    }
    sigma_correlator_freep(&trial->correlator);
    return r;
}

/* ---- what it should have raised */

/* "ssh/guessing" of "ssh/guessing.hit.log"; empty when it is no sample. */
static struct str sample_stem(struct str path, bool *ret_is_hit)
{
    size_t hit = str_find(path, STR(".hit."));
    size_t miss = str_find(path, STR(".miss."));

    *ret_is_hit = hit < miss;
    return hit < path.len || miss < path.len ? str_slice(path, 0, hit < miss ? hit : miss)
                                             : STR("");
}

struct trial_subject {
    struct str title;
    struct str file;
    bool is_silent;
    bool is_written; /* no stand-in of the loader's */
};

static struct trial_subject trial_subject(const struct trial *trial, size_t place)
{
    const struct sigma_set *set = trial->book.set;

    if (place < set->rule_count) {
        const struct sigma_rule *rule = &set->rules[place];

        return (struct trial_subject){rule->title, rule->file, rule->is_silent,
                                      sigma_rule_is_written(rule)};
    }
    return (struct trial_subject){set->correlations[place - set->rule_count].title,
                                  set->correlations[place - set->rule_count].file,
                                  set->correlations[place - set->rule_count].is_silent, true};
}

static bool is_of_stem(struct str file, struct str stem)
{
    struct str rest = str_slice(file, stem.len, file.len);

    return str_has_prefix(file, stem) && (str_is(rest, STR(".yml")) || str_is(rest, STR(".yaml")));
}

static void trial_print(struct trial *trial, struct str path, struct str title, const char *why)
{
    struct json_writer json;

    buf_reset(&trial->line);
    if (trial->order->is_json) {
        json_begin(&json, &trial->line);
        json_open_object(&json);
        json_put_key(&json, "sample");
        json_put_str(&json, path);
        json_put_key(&json, "title");
        json_put_str(&json, title);
        json_put_key(&json, "wrong");
        json_put_text(&json, why);
        json_close_object(&json);
    } else {
        (void)buf_put_plain(&trial->line, path);
        (void)buf_put_text(&trial->line, ": ");
        (void)buf_put_plain(&trial->line, title);
        (void)buf_putf(&trial->line, ": %s", text_get(why));
    }
    (void)buf_put_byte(&trial->line, '\n');
    (void)fwrite(trial->line.ptr, 1, trial->line.len, stdout);
}

/* Judges the documents of the sample's file that are silent, or those that are not: how many. */
static size_t trial_judge_some(struct trial *trial, struct str path, bool is_silent)
{
    bool is_hit;
    struct str stem = sample_stem(path, &is_hit);
    size_t own = 0;

    for (size_t i = 0; i < trial_count(trial); i++) {
        struct trial_subject subject = trial_subject(trial, i);

        if (subject.is_silent != is_silent || !subject.is_written ||
            !is_of_stem(subject.file, stem)) {
            continue;
        }
        own++;
        trial->tried[i] = trial->tried[i] || is_hit;
        if (trial->seen[i] != is_hit) {
            trial->wrong++;
            trial_print(trial, path, subject.title,
                        is_hit ? N_("does not match, and should") : N_("matches, and should not"));
        }
    }
    return own;
}

/* What only correlations ask for is tried where it stands alone: beside a correlation it may well
 * match in a sample of which nothing should come. */
static void trial_judge(struct trial *trial, struct str path)
{
    size_t own = trial_judge_some(trial, path, false);

    own = own != 0 ? own : trial_judge_some(trial, path, true);
    if (own == 0) {
        trial->wrong++;
        trial_print(trial, path, STR(""), N_("there is no rule beside this sample"));
    }
}

static int trial_sample(struct trial *trial, struct parcel *parcel)
{
    CLEANUP(buf_done) struct buf text;
    int r;

    buf_init(&text, SAMPLE_MAX);
    r = rulebook_read(parcel, &text);
    if (trial->order->only != NULL && !str_has_prefix(parcel->path, str_from(trial->order->only))) {
        return 0;
    }
    trial->samples++;
    if (r < 0) {
        trial->wrong++;
        trial_print(trial, parcel->path, STR(""), err_text(r));
        return 0;
    }
    r = trial_read(trial, buf_str(&text));
    if (r == 0) {
        trial_judge(trial, parcel->path);
    }
    return r;
}

/* ---- the run */

static int trial_prepare(struct trial *trial)
{
    int r = rulebook_finish(&trial->book, &trial->diag);

    r = r == 0 ? hunt_judge_new(trial->book.set, false, &trial->judge, &trial->diag) : r;
    r = r == 0 ? hunt_bench_new(trial->judge, &trial->bench) : r;
    r = r == 0 ? log_reading_init(&trial->reading, hunt_judge_names(trial->judge)) : r;
    if (r == 0) {
        trial->reading.zone = 25200;
        trial->seen = mem_alloc(trial_count(trial) + 1, sizeof(bool));
        trial->tried = mem_alloc(trial_count(trial) + 1, sizeof(bool));
    }
    return r == 0 && (trial->seen == NULL || trial->tried == NULL) ? -ERR_NOMEM : r;
}

static int trial_all(struct trial *trial, int channel)
{
    static struct parcel parcel;
    int r = rulebook_init(&trial->book, true);

    while (r == 0 && (r = porter_receive(channel, &parcel)) == 0 &&
           parcel.kind != PORTER_KIND_SAMPLE) {
        r = rulebook_take(&trial->book, &parcel, &trial->diag);
    }
    if (r < 0) {
        return r == -ERR_PIPE ? diag_set(&trial->diag, -ERR_NOENT, "%s",
                                         _("there are no samples: NAME.hit.log and NAME.miss.log "
                                           "beside NAME.yml"))
                              : r;
    }
    r = trial_prepare(trial);
    while (r == 0) {
        r = trial_sample(trial, &parcel);
        r = r == 0 ? porter_receive(channel, &parcel) : r;
    }
    return r == -ERR_PIPE ? 0 : r;
}

static void trial_untried(struct trial *trial)
{
    for (size_t i = 0; i < trial_count(trial); i++) {
        struct trial_subject subject = trial_subject(trial, i);

        if (!subject.is_silent && !trial->tried[i] &&
            (trial->order->only == NULL ||
             is_of_stem(subject.file, str_slice(str_from(trial->order->only), 0,
                                                strlen(trial->order->only) - 1)))) {
            trial->untried++;
            trial_print(trial, subject.file, subject.title,
                        N_("has no sample that it should match"));
        }
    }
}

static void trial_done(struct trial *trial)
{
    if (trial->reading.arena != NULL) {
        log_reading_done(&trial->reading);
    }
    hunt_bench_free(trial->bench);
    hunt_judge_free(trial->judge);
    mem_free(trial->seen);
    mem_free(trial->tried);
    rulebook_done(&trial->book);
    buf_done(&trial->line);
}

int trial_run(void *context, int channel)
{
    struct trial trial = {.order = context};
    int status = EXIT_STATUS_FAILED;
    int r;

    buf_init(&trial.line, 1 << 20);
    r = trial_all(&trial, channel);
    if (r < 0) {
        status = command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&trial.diag, r));
    } else {
        trial_untried(&trial);
        fflush(stdout);
        fprintf(stderr,
                _("%zu samples of %zu rules and correlations: %zu wrong, %zu without a "
                  "sample, %zu refused"),
                trial.samples, trial_count(&trial), trial.wrong, trial.untried, trial.book.refused);
        fputc('\n', stderr);
        status = trial.wrong + trial.untried + trial.book.refused != 0 ? EXIT_STATUS_FOUND
                                                                       : EXIT_STATUS_CLEAN;
    }
    trial_done(&trial);
    return status;
}
