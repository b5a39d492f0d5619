/* One message of entries, judged. Each hit says what a person needs to know of it: which rule, and
 * the fields that it looked at. Neighbours: detector.c before, core/detect.c takes the answer. */
#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/detector/private.h"
#include "sys/process.h"

#define ANSWER_ROOM   (48U << 10) /* no hit is begun beyond it: the longest one fits behind */
#define AHEAD_MAX     (60 * NS_PER_S)
#define VALUE_RAW_MAX (6 * (DETECTOR_VALUE_MAX + 16)) /* no escape means less than a sixth */
#define TEXT_MAX      1024                            /* bytes of a title, of tags, of a group */

/* The message in hand. */
struct answer {
    struct detector *detector;
    struct msg_writer *msg;
    uint64_t number;
    uint32_t index; /* of the entry */
    uint32_t read;
    uint32_t faulty;
    uint8_t faults[DETECTOR_ENTRIES_MAX / 8 + 1]; /* a bit for each entry handed in */
    bool has_faults;                              /* the one in hand */
    const struct entry *entry;
    bool is_viewed;  /* by the set's view */
    struct str host; /* its name */
    int64_t arrival;
    int64_t time; /* that core has settled; 0: its own */
};

static void answer_begin(struct answer *answer)
{
    msg_begin(answer->msg, DETECTOR_MESSAGE_HITS);
    msg_put_u64(answer->msg, answer->number);
}

static int answer_send(struct answer *answer, bool is_last)
{
    int r;

    msg_put_u32(answer->msg, 0);
    msg_put_u32(answer->msg, is_last ? 1 : 0);
    msg_put_u32(answer->msg, answer->read);
    msg_put_u32(answer->msg, answer->faulty);
    msg_put_str(answer->msg,
                str_of((const char *)answer->faults, is_last ? (answer->index + 7) / 8 : 0));
    r = msg_end(answer->msg);
    return r < 0 ? r : channel_send(answer->detector->channel, answer->msg, NULL, 0);
}

static void answer_put_kept(struct answer *answer)
{
    struct detector_set *now = &answer->detector->now;
    const struct sigma_set *set = now->set;

    for (size_t i = 0; now->has_kept && i < set->rule_count; i++) {
        const struct sigma_rule *rule = &set->rules[i];

        if (now->kept[i] == 0) {
            continue;
        }
        msg_put_u32(answer->msg, 2);
        msg_put_str(answer->msg, str_slice(rule->id, 0, DETECTOR_VALUE_MAX));
        msg_put_str(answer->msg, str_slice(rule->title, 0, DETECTOR_VALUE_MAX));
        msg_put_u32(answer->msg, rule->level);
        msg_put_str(answer->msg, str_slice(rule->filter, 0, DETECTOR_VALUE_MAX));
        msg_put_u32(answer->msg, now->kept[i]);
        now->kept[i] = 0;
        if (answer->msg->len > ANSWER_ROOM) {
            return; /* the rest goes with the next message's */
        }
    }
    now->has_kept = false;
}

static int answer_make_room(struct answer *answer)
{
    int r = 0;

    if (answer->msg->len > ANSWER_ROOM) {
        r = answer_send(answer, false);
        answer_begin(answer);
    }
    return r;
}

/* The fields that are told. */
struct told {
    const struct entry_field *fields[DETECTOR_FIELDS_MAX];
    uint32_t count;
};

static int told_gather(struct answer *answer, uint32_t rule, struct told *ret_told)
{
    struct detector_set *now = &answer->detector->now;
    const uint32_t *names;
    size_t count = sigma_shown_names(now->shown, rule, &names);
    int r = answer->is_viewed ? 0 : sigma_view_turn(&now->view, answer->entry, true);

    answer->is_viewed = r == 0;
    ret_told->count = 0;
    for (size_t i = 0; r == 0 && i < count && ret_told->count < DETECTOR_FIELDS_MAX; i++) {
        uint32_t first = sigma_view_first(&now->view, names[i]);

        if (first != SIGMA_VIEW_END) {
            ret_told->fields[ret_told->count++] = &answer->entry->fields[first];
        }
    }
    return r;
}

static int answer_put_fields(struct answer *answer, const struct told *told)
{
    msg_put_u32(answer->msg, told->count);
    for (uint32_t i = 0; i < told->count; i++) {
        struct entry_field field = *told->fields[i];
        struct str value;
        int r;

        field.value = str_slice(field.value, 0, VALUE_RAW_MAX);
        r = entry_field_text(&field, answer->detector->now.reading.arena, &value);
        if (r < 0) {
            return r;
        }
        msg_put_str(answer->msg, str_slice(field.name, 0, DETECTOR_VALUE_MAX));
        msg_put_str(answer->msg, str_slice(value, 0, DETECTOR_VALUE_MAX));
    }
    return 0;
}

/* What rules and correlations have in common. */
struct hit {
    struct str id;
    struct str title;
    enum sigma_level level;
    const struct str *tags;
    size_t tag_count;
    struct str group;
    int64_t time;
};

static int answer_put_hit(struct answer *answer, const struct hit *hit)
{
    CLEANUP(buf_done) struct buf tags;
    int r = answer_make_room(answer);

    buf_init(&tags, TEXT_MAX);
    for (size_t i = 0; i < hit->tag_count && tags.error == 0; i++) {
        buf_putf(&tags, "%s%.*s", i != 0 ? " " : "", STR_ARG(hit->tags[i]));
    }
    msg_put_u32(answer->msg, 1);
    msg_put_u32(answer->msg, answer->index);
    msg_put_str(answer->msg, hit->id);
    msg_put_str(answer->msg, str_slice(hit->title, 0, TEXT_MAX));
    msg_put_u32(answer->msg, hit->level);
    msg_put_str(answer->msg, buf_str(&tags));
    msg_put_str(answer->msg, str_slice(hit->group, 0, TEXT_MAX));
    msg_put_i64(answer->msg, hit->time != 0 ? hit->time : answer->arrival);
    return r;
}

static int answer_put_rule(struct answer *answer, uint32_t place)
{
    const struct sigma_rule *rule = &answer->detector->now.set->rules[place];
    const struct hit hit = {.id = rule->id,
                            .title = rule->title,
                            .level = rule->level,
                            .tags = rule->tags,
                            .tag_count = rule->tag_count,
                            .time = answer->entry->time};
    struct told told;
    int r = answer_put_hit(answer, &hit);

    r = r < 0 ? r : told_gather(answer, place, &told);
    return r < 0 ? r : answer_put_fields(answer, &told);
}

static int answer_put_correlated(void *context, const struct sigma_correlated *correlated)
{
    struct answer *answer = context;
    const struct sigma_correlation *rule =
        &answer->detector->now.set->correlations[correlated->correlation];
    CLEANUP(buf_done) struct buf group;
    struct hit hit = {.id = rule->id,
                      .title = rule->title,
                      .level = rule->level,
                      .tags = rule->tags,
                      .tag_count = rule->tag_count,
                      .time = correlated->time};
    int r;

    if (rule->is_silent || answer->detector->now.is_off_correlated[correlated->correlation]) {
        return 0;
    }
    buf_init(&group, TEXT_MAX);
    for (size_t i = 0; i < rule->group_count && group.error == 0; i++) {
        buf_putf(&group, "%s%.*s=%.*s", i != 0 ? ", " : "", STR_ARG(rule->group_by[i]),
                 STR_ARG(correlated->group[i]));
    }
    hit.group = buf_str(&group);
    r = answer_put_hit(answer, &hit);
    return r < 0 ? r : answer_put_fields(answer, &(struct told){0});
}

static int answer_put_listed(void *context, const struct detector_listed *listed)
{
    struct answer *answer = context;
    const struct hit hit = {.id = listed->id,
                            .title = listed->title,
                            .level = listed->level,
                            .time = answer->entry->time};
    int r = answer_put_hit(answer, &hit);

    msg_put_u32(answer->msg, listed->told_count);
    for (uint32_t i = 0; i < listed->told_count; i++) {
        msg_put_str(answer->msg, str_slice(listed->told[i].name, 0, DETECTOR_VALUE_MAX));
        msg_put_str(answer->msg, str_slice(listed->told[i].value, 0, DETECTOR_VALUE_MAX));
    }
    return r;
}

/* Somebody made an entry that costs more than one may, by chance or so that it is not judged. */
static int answer_put_costly(struct answer *answer)
{
    const struct hit hit = {.id = STR("too-costly"),
                            .title = STR(N_("A log entry was too costly to be judged in full")),
                            .level = SIGMA_LEVEL_MEDIUM,
                            .time = answer->entry->time};
    int r = answer_put_hit(answer, &hit);

    return r < 0 ? r : answer_put_fields(answer, &(struct told){0});
}

/* Windows that had to go since memory is bounded: who floods it may hide behind that. */
static int answer_put_forgotten(struct answer *answer)
{
    struct detector_set *now = &answer->detector->now;
    struct hit hit = {.id = STR("windows-forgotten"),
                      .title = STR(N_("Correlations forgot windows since their memory was full")),
                      .level = SIGMA_LEVEL_MEDIUM,
                      .time = answer->entry->time};
    struct sigma_correlator_stats stats;
    struct entry_field field = {.name = STR("windows")};
    int r;

    sigma_correlator_stats(now->correlator, &stats);
    if (stats.evicted == now->forgotten) {
        return 0;
    }
    field.value = arena_printf(now->reading.arena, "%llu",
                               (unsigned long long)(stats.evicted - now->forgotten));
    now->forgotten = stats.evicted;
    if (field.value.ptr == NULL) {
        return -ERR_NOMEM;
    }
    r = answer_put_hit(answer, &hit);
    return r < 0 ? r : answer_put_fields(answer, &(struct told){.fields = {&field}, .count = 1});
}

/* An entry that a reader makes of what was handed in: one, mostly. Its time is believed unless it
 * lies ahead: one entry from next year would make all others late. */
static int answer_entry(void *context, const struct entry *read)
{
    struct answer *answer = context;
    struct detector *detector = answer->detector;
    struct entry here;
    const struct entry *entry = &here;
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = detector_place(detector, answer->host, read, &here);

    r = r < 0 ? r : sigma_match(detector->now.matcher, &here, &rules, &count);
    here.time = answer->time != 0 ? answer->time : read->time;
    if (here.time == 0 || here.time > answer->arrival + AHEAD_MAX) {
        here.time = answer->arrival;
    }
    answer->entry = entry;
    answer->is_viewed = false;
    answer->read++;
    answer->has_faults |= entry_is_faulty(entry);
    if (r < 0 && r != -ERR_LIMIT) {
        return r;
    }
    rules = detector_sift(&detector->now, rules, &count);
    r = r == -ERR_LIMIT ? answer_put_costly(answer) : 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct sigma_rule *rule = &detector->now.set->rules[rules[i]];

        r = rule->is_silent ? 0 : answer_put_rule(answer, rules[i]);
    }
    r = r < 0 ? r : detector_screen(detector, entry, answer_put_listed, answer);
    r = r < 0 ? r
              : sigma_correlate(detector->now.correlator, entry, ++detector->tag, rules, count,
                                answer_put_correlated, answer);
    return r < 0 ? r : answer_put_forgotten(answer);
}

/* One entry as it was handed in, with what core knows of it. */
static int answer_take(struct answer *answer, struct msg_reader *msg)
{
    struct log_reading *reading = &answer->detector->now.reading;
    struct str id = msg_get_str(msg);
    struct str host = msg_get_str(msg);
    struct str name = msg_get_str(msg);
    struct str path = msg_get_str(msg);
    struct str head = msg_get_str(msg);
    const struct log_format *format = log_format_find(name);
    struct str raw;
    int r;

    if (answer->index >= DETECTOR_ENTRIES_MAX) {
        return -ERR_PROTO;
    }
    (void)id; /* core's, which keeps the message */
    (void)path;
    answer->host = host;
    answer->arrival = msg_get_i64(msg);
    answer->time = msg_get_i64(msg);
    indicators_set_time(answer->detector->indicators, answer->arrival);
    raw = msg_get_str(msg);
    format = format != NULL ? format : log_format_guess(raw);
    reading->around = answer->arrival;
    reading->head = head;
    answer->has_faults = false;
    r = raw.len != 0 ? format->read(reading, raw, answer_entry, answer) : 0;
    if (answer->has_faults) {
        answer->faults[answer->index / 8] |= (uint8_t)(1U << answer->index % 8);
        answer->faulty++;
    }
    return r;
}

int detector_answer(struct detector *detector)
{
    struct msg_reader *msg = &detector->packet.msg;
    struct answer answer = {.detector = detector, .msg = &detector->answer};
    int r = 0;

    process_limit_work(DETECTOR_CPU_SECONDS);
    answer.number = msg_get_u64(msg);
    answer_begin(&answer);
    while (r == 0 && msg_get_u32(msg) == 1) {
        r = answer_take(&answer, msg);
        answer.index++;
    }
    r = r < 0 ? r : msg_close(msg);
    r = r < 0 ? r : answer_make_room(&answer);
    if (r == 0) {
        answer_put_kept(&answer);
    }
    return r < 0 ? r : answer_send(&answer, true);
}
