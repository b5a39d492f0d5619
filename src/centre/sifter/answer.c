/* One message of events, judged: by the terms of a search, or by a rule on trial. Neighbours:
 * sifter.c before, the asker takes the answer. */
#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "centre/sifter/private.h"
#include "detect/sigma/draft.h"

#define EVENTS_MAX 4096 /* of a message: each has some bytes */

/* The message in hand. */
struct answer {
    struct sift *sift;
    struct terms terms;
    struct str draft_id; /* empty: none is wanted */
    bool is_rule;
    struct log_reading reading;
    const struct event *event;
    struct str host;
    enum terms_verdict verdict;
    char verdicts[EVENTS_MAX];
    size_t count;
};

static struct str event_text(const struct event *event, enum event_field_id id)
{
    const struct event_field *field = event_find(event, id);

    return field != NULL ? field->text : STR("");
}

/* entry: that was found, or NULL. */
static int answer_draft(struct answer *answer, const struct entry *entry)
{
    struct sift *sift = answer->sift;
    char now[TIME_TEXT_SIZE];
    struct sigma_draft draft = {
        .id = answer->draft_id, .title = answer->terms.typed, .sample = entry};
    int r;

    time_format_utc(clock_wall(&clock_real), now);
    draft.date = str_slice(str_from(now), 0, sizeof("YYYY-MM-DD") - 1);
    sift->refusal = (struct diag){0};
    r = sigma_draft(&answer->terms, &draft, &sift->draft, &sift->refusal);
    return r == -ERR_SYNTAX ? 0 : r;
}

static int answer_rule(struct answer *answer, const struct entry *entry)
{
    const uint32_t *rules = NULL;
    size_t count = 0;
    int r = sigma_match(answer->sift->matcher, entry, &rules, &count);

    if (count != 0) {
        answer->verdict = TERMS_YES;
    } else if (r == -ERR_LIMIT && answer->verdict == TERMS_NO) {
        answer->verdict = TERMS_UNREAD; /* too costly to be judged in full */
    }
    return r == -ERR_LIMIT ? 0 : r;
}

/* An entry that a reader makes of an event's: one, mostly. */
static int answer_entry(void *context, const struct entry *entry)
{
    struct answer *answer = context;

    if (answer->is_rule) {
        return answer_rule(answer, entry);
    }
    if (terms_judge(&answer->terms, answer->event, answer->host, entry, answer->reading.arena) !=
        TERMS_YES) {
        return 0;
    }
    answer->verdict = TERMS_YES;
    return answer->draft_id.len != 0 && answer->sift->draft.len == 0 ? answer_draft(answer, entry)
                                                                     : 0;
}

static int answer_read(struct answer *answer)
{
    const struct event *event = answer->event;
    struct str raw = event_text(event, EVENT_FIELD_EVENT_ORIGINAL);
    const struct log_format *format = log_format_find(event_text(event, EVENT_FIELD_EVENT_MODULE));

    answer->verdict = TERMS_NO;
    if (raw.len == 0) {
        return 0;
    }
    format = format != NULL ? format : log_format_guess(raw);
    answer->reading.around = event->time;
    answer->reading.head = event_text(event, EVENT_FIELD_LOG_HEAD);
    return format->read(&answer->reading, raw, answer_entry, answer);
}

static int answer_event(struct answer *answer, struct msg_reader *msg)
{
    struct cbor_reader reader;
    struct event event;
    int r;

    answer->host = msg_get_str(msg);
    cbor_open(&reader, msg_get_str(msg));
    if (answer->count == EVENTS_MAX || event_decode(&reader, &event) < 0) {
        return -ERR_PROTO;
    }
    answer->event = &event;
    r = answer_read(answer);
    answer->verdicts[answer->count++] = (char)answer->verdict;
    return r;
}

static int answer_send(struct answer *answer, uint64_t number)
{
    struct sift *sift = answer->sift;
    const struct sigma_set *set = answer->is_rule && sift->engine != NULL ? sift->set : NULL;
    int r;

    msg_begin(&sift->answer, SIFTER_MESSAGE_VERDICTS);
    msg_put_u64(&sift->answer, number);
    msg_put_str(&sift->answer, answer->is_rule || answer->draft_id.len != 0
                                   ? str_from(sift->refusal.text)
                                   : STR(""));
    msg_put_str(&sift->answer, set != NULL ? str_slice(set->rules[0].title, 0, 255) : STR(""));
    msg_put_u32(&sift->answer, set != NULL ? set->rules[0].level : 0);
    msg_put_str(&sift->answer, buf_str(&sift->draft));
    msg_put_str(&sift->answer, str_of(answer->verdicts, answer->count));
    r = msg_end(&sift->answer);
    return r < 0 ? r : channel_send(sift->channel, &sift->answer, NULL, 0);
}

/* What the events are judged by. */
static int answer_prepare(struct answer *answer, struct str typed, struct str rule)
{
    struct sift *sift = answer->sift;

    answer->is_rule = rule.len != 0;
    if (answer->is_rule) {
        int r = sift_take_rule(sift, rule);

        return r < 0 || sift->engine == NULL
                   ? r
                   : log_reading_init(&answer->reading, sigma_engine_names(sift->engine));
    }
    arena_reset(sift->arena);
    return terms_parse(typed, sift->arena, &answer->terms, NULL) < 0
               ? -ERR_PROTO
               : log_reading_init(&answer->reading, NULL);
}

int sift_answer(struct sift *sift)
{
    static struct answer answer;
    struct msg_reader *msg = &sift->packet.msg;
    uint64_t number = msg_get_u64(msg);
    struct str typed = msg_get_str(msg);
    struct str rule = msg_get_str(msg);
    int r;

    answer = (struct answer){.sift = sift, .draft_id = msg_get_str(msg)};
    buf_reset(&sift->draft);
    r = msg->type == SIFTER_MESSAGE_EVENTS ? answer_prepare(&answer, typed, rule) : -ERR_PROTO;
    if (r == 0 && answer.is_rule && sift->engine == NULL) {
        return answer_send(&answer, number);
    }
    while (r == 0 && msg_get_u32(msg) == 1) {
        r = answer_event(&answer, msg);
    }
    r = r < 0 ? r : msg_close(msg);
    if (r == 0 && answer.draft_id.len != 0 && answer.count == 0) {
        r = answer_draft(&answer, NULL);
    }
    r = r < 0 ? r : answer_send(&answer, number);
    log_reading_done(&answer.reading);
    return r;
}
