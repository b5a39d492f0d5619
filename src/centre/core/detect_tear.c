/* A message of entries that ended the detector twice is torn: its entries go out again in ever
 * smaller parts, until the one that does it stands alone. Only that one stays without a judgement;
 * it is in the archive, and told with its words. Core waits meanwhile, so that such ends are
 * rationed: past that, all that is left goes aside together. Neighbour: detect.c. */
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/core/detect_private.h"
#include "centre/core/source.h"

#include <string.h>

#define TEAR_PARTS    16 /* of a part that ended it: each costs a restart at its worst, not more */
#define TEAR_SHARE    4  /* of the time, one part may pass in waiting for it … */
#define TEAR_FREE     (30 * NS_PER_S) /* … beside so much */
#define TEAR_LEAST    (NS_PER_S / 4)  /* that an end counts as */
#define TEAR_RAW_TOLD 2048            /* bytes of the entry in a finding */

bool detect_is_torn(const struct core_detect *detect)
{
    return detect->torn.count != 0;
}

void detect_tear_charge(struct core_detect *detect)
{
    int64_t now = clock_mono(detect->core->options.clock);
    int64_t due = detect->torn_due > now ? detect->torn_due : now;
    int64_t waited = now - detect->sent_at;

    detect->torn_due = due + TEAR_SHARE * (waited > TEAR_LEAST ? waited : TEAR_LEAST);
}

static bool tear_is_borne(const struct core_detect *detect)
{
    return detect->torn_due - clock_mono(detect->core->options.clock) <= TEAR_SHARE * TEAR_FREE;
}

/* Lays the next part, of at most `most` entries, where the message under way lies. */
static int tear_send(struct core_detect *detect, uint32_t most)
{
    const struct sheet *torn = &detect->torn;
    struct sheet *part = detect_sent(detect);
    uint32_t left = torn->count - detect->torn_from;
    struct sheet_entry entry;
    struct msg_reader msg;
    const char *begin;

    sheet_begin(part, ++detect->number);
    part->count = most < left ? most : left;
    memcpy(part->sources, torn->sources + detect->torn_from, part->count * sizeof(*part->sources));
    msg_open(&msg, str_of((const char *)torn->msg.bytes, torn->msg.len));
    (void)msg_get_u64(&msg);
    for (uint32_t i = 0; i < detect->torn_from; i++) {
        (void)sheet_read(&msg, &entry);
    }
    begin = msg.rest.ptr;
    for (uint32_t i = 0; i < part->count; i++) {
        (void)sheet_read(&msg, &entry);
    }
    memcpy(part->msg.bytes + part->msg.len, begin, (size_t)(msg.rest.ptr - begin));
    part->msg.len += (size_t)(msg.rest.ptr - begin);
    msg_put_u32(&part->msg, 0);
    return detect_send(detect, part);
}

int detect_tear_on(struct core_detect *detect, uint32_t done)
{
    if (!detect_is_torn(detect)) {
        return 0;
    }
    detect->torn_from += done;
    if (detect->torn_from >= detect->torn.count) {
        detect->torn.count = 0;
        return 0;
    }
    return tear_send(detect, detect->torn_from < detect->torn_until ? done : done * TEAR_PARTS);
}

static int tear_tell(struct core_detect *detect, const struct sheet_entry *entry)
{
    struct core *core = detect->core;
    const struct core_host *host = core_host_by_id(core, &entry->host);
    const struct finding_reason reasons[] = {
        {.what = STR("log_entry"), .value = str_slice(entry->raw, 0, TEAR_RAW_TOLD)},
        {.what = STR("log_file"), .value = entry->path},
    };
    struct finding finding = {
        .time = clock_wall(core->options.clock),
        .detector = STR("centre"),
        .severity = SEVERITY_HIGH,
        .title = STR(N_("An entry of a log was not judged by the rules: the process that judges "
                        "them ended over it twice")),
        .host = host != NULL ? str_from(host->name) : STR(""),
        .score = 1,
        .reasons = reasons,
        .reason_count = entry->path.len != 0 ? ARRAY_LEN(reasons) : 1};
    uint64_t number;
    int r = id_new(&finding.id);

    core->changed |= CENTRE_CHANGED_ALERTS;
    core->counted.findings++;
    return r < 0 ? r : store_alert_fold(core->options.store, &entry->host, &finding, &number);
}

/* The only one of its part. */
static int tear_put_aside(struct core_detect *detect)
{
    struct sheet *part = detect_sent(detect);
    struct sheet_entry entry = {0};
    int r = 0;

    log_error("an entry of a log was not judged: the detector ended over it");
    detect->counts.unjudged++;
    core_source_unjudged(part->sources[0]);
    part->count = 0;
    detect->torn_until = 0;
    if (sheet_find(part, 0, &entry)) {
        r = tear_tell(detect, &entry);
    }
    if (r < 0) {
        detect_tear_end(detect, 1);
        return r;
    }
    return detect_tear_on(detect, 1);
}

int detect_tear(struct core_detect *detect)
{
    struct sheet *sheet = detect_sent(detect);

    if (!tear_is_borne(detect)) {
        return detect_put_aside(detect, sheet);
    }
    if (sheet->count == 1) {
        return tear_put_aside(detect);
    }
    if (!detect_is_torn(detect)) {
        detect->torn = *sheet;
        detect->torn_from = 0;
    }
    detect->torn_until = detect->torn_from + sheet->count;
    return tear_send(detect, (sheet->count + TEAR_PARTS - 1) / TEAR_PARTS);
}

void detect_tear_end(struct core_detect *detect, uint32_t done)
{
    const struct sheet *torn = &detect->torn;

    for (uint32_t i = detect->torn_from + done; i < torn->count; i++) {
        detect->counts.unjudged++;
        core_source_unjudged(torn->sources[i]);
    }
    detect->torn.count = 0;
}
