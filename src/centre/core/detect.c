/* Entries of logs are judged before they are acknowledged. While a batch is open each entry goes to
 * the detector, and the batch is committed only when all its answers are in; what they say is
 * written in the same transaction. So an entry that is acknowledged was judged, once, whatever dies
 * in between. One message is under way while the next is filled. A detector that died is sent again
 * what it had taken; a message that ends it twice, or is not answered, is put aside, counted and
 * told. Neighbours: core/ingest.c hands in, centre/detector.h. */
#include "centre/core/detect.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "centre/core/private.h"
#include "centre/core/source.h"
#include "centre/detector.h"
#include "detect/sigma/rule.h"

#include <assert.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <xxhash.h>

#define ENTRY_OVERHEAD 256 /* of lengths and numbers beside an entry's texts */
#define MESSAGE_ROOM   (MSG_SIZE_MAX - ENTRY_OVERHEAD)
#define TRIES_MAX      2
#define ANSWER_WAIT_MS 5000            /* also for a detector that reads its rules again */
#define TOLD_MAX       65536           /* pairs of rule and host that are remembered */
#define TOLD_PAUSE     (10 * NS_PER_S) /* between two findings of one pair */
#define REASONS_MAX    (DETECTOR_FIELDS_MAX + 6)
#define RAW_TOLD       2048 /* bytes of the entry in a finding */

/* A message of entries. */
struct sheet {
    uint64_t number;
    unsigned tries;
    uint32_t count;   /* entries; 0: there is none */
    uint32_t matched; /* one behind the last of them that something held for */
    struct core_source *sources[DETECTOR_ENTRIES_MAX]; /* of the entries; NULL: not counted */
    struct msg_writer msg;
};

/* One rule on one host, told not long ago. */
struct told {
    struct id key;
    int64_t at;     /* monotonic */
    uint64_t count; /* of hits since, not told yet */
};

struct core_detect {
    struct core *core;
    struct sheet sheets[2]; /* one is filled, the other is under way */
    unsigned filling;
    uint64_t number;
    struct map told;
    struct detector_counts counts;
    bool is_silent; /* the detector did not answer: nothing is sent until it speaks */
    struct channel_packet packet;
};

/* What the detector says of one entry. */
struct hit {
    uint32_t index;
    struct str id;
    struct str title;
    uint32_t level;
    struct str tags;
    struct str group;
    int64_t time;
    struct finding_reason reasons[REASONS_MAX];
    size_t reason_count;
};

/* The entry that a hit speaks of, as it was put. */
struct sheet_entry {
    struct id host;
    struct str path;
    struct str raw;
};

int core_detect_new(struct core *core, uint64_t seed, struct core_detect **ret_detect)
{
    struct core_detect *detect = mem_alloc(1, sizeof(*detect));

    if (detect == NULL) {
        return -ERR_NOMEM;
    }
    detect->core = core;
    /* above all numbers of a core before this one: late answers to it are known as such */
    detect->number = (uint64_t)clock_mono(core->options.clock);
    map_init(&detect->told, TOLD_MAX, seed);
    *ret_detect = detect;
    return 0;
}

static void detect_forget_told(struct core_detect *detect, int64_t before)
{
    size_t cursor = 0;
    struct told *told;

    while ((told = map_next(&detect->told, &cursor)) != NULL) {
        if (told->at < before) {
            map_remove(&detect->told, MAP_KEY(told->key));
            mem_free(told);
        }
    }
}

void core_detect_free(struct core_detect *detect)
{
    if (detect != NULL) {
        detect_forget_told(detect, INT64_MAX);
        map_done(&detect->told);
        mem_free(detect);
    }
}

void core_detect_count(const struct core_detect *detect, struct detector_counts *ret_counts)
{
    *ret_counts = detect->counts;
}

static struct sheet *detect_filling(struct core_detect *detect)
{
    return &detect->sheets[detect->filling];
}

static struct sheet *detect_sent(struct core_detect *detect)
{
    return &detect->sheets[1 - detect->filling];
}

static int detect_raise(struct core_detect *detect, const char *title)
{
    uint64_t number;

    return core_raise(detect->core, &(struct id){0}, SEVERITY_HIGH, title, &number);
}

/* Nobody will judge these; they are in the archive. */
static int detect_put_aside(struct core_detect *detect, struct sheet *sheet)
{
    log_error("entries of logs were not judged entries=%u", sheet->count);
    detect->counts.unjudged += sheet->count;
    for (uint32_t i = 0; i < sheet->count; i++) {
        core_source_unjudged(sheet->sources[i]);
    }
    sheet->count = 0;
    return detect_raise(detect, N_("Entries of logs were not judged by the rules: the process that "
                                   "judges them did not answer"));
}

static bool sheet_find(const struct sheet *sheet, uint32_t index, struct sheet_entry *ret_entry)
{
    struct msg_reader msg;

    msg_open(&msg, str_of((const char *)sheet->msg.bytes, sheet->msg.len));
    (void)msg_get_u64(&msg);
    for (uint32_t i = 0; msg_get_u32(&msg) == 1; i++) {
        struct str host = msg_get_str(&msg);

        (void)msg_get_str(&msg);
        ret_entry->path = msg_get_str(&msg);
        (void)msg_get_str(&msg);
        (void)msg_get_i64(&msg);
        ret_entry->raw = msg_get_str(&msg);
        if (i == index && host.len == sizeof(ret_entry->host.bytes)) {
            memcpy(ret_entry->host.bytes, host.ptr, host.len);
            return true;
        }
    }
    return false;
}

static struct id hit_key(const struct hit *hit, const struct sheet_entry *entry)
{
    struct str rule = hit->id.len != 0 ? hit->id : hit->title;
    XXH128_canonical_t canonical;
    XXH128_hash_t hash = XXH3_128bits(rule.ptr, rule.len);
    struct id key;

    static_assert(sizeof(key.bytes) == sizeof(canonical.digest));
    XXH128_canonicalFromHash(&canonical,
                             XXH3_128bits_withSeed(entry->host.bytes, sizeof(entry->host.bytes),
                                                   hash.low64 ^ hash.high64));
    memcpy(key.bytes, canonical.digest, sizeof(key.bytes));
    return key;
}

/* How many hits of this rule on this host are to be told now, this one among them; 0: none yet. */
static uint64_t detect_tell_now(struct core_detect *detect, const struct id *key)
{
    int64_t now = clock_mono(detect->core->options.clock);
    struct told *told = map_get(&detect->told, MAP_KEY(*key));
    uint64_t count = 1;

    if (told == NULL) {
        if (map_count(&detect->told) == TOLD_MAX) {
            detect_forget_told(detect, now - TOLD_PAUSE);
        }
        told = mem_alloc(1, sizeof(*told));
        if (told == NULL) {
            return 1;
        }
        *told = (struct told){.key = *key, .at = now};
        if (map_put(&detect->told, MAP_KEY(told->key), told) < 0) {
            mem_free(told); /* told each time then, and folded by the store */
        }
        return 1;
    }
    told->count++;
    if (now - told->at < TOLD_PAUSE) {
        return 0;
    }
    count = told->count;
    told->at = now;
    told->count = 0;
    return count;
}

static void hit_add_reason(struct hit *hit, struct str what, struct str value)
{
    if (value.len != 0 && hit->reason_count < REASONS_MAX) {
        hit->reasons[hit->reason_count++] = (struct finding_reason){.what = what, .value = value};
    }
}

static enum severity hit_severity(const struct hit *hit)
{
    static const enum severity by_level[SIGMA_LEVEL_COUNT] = {
        [SIGMA_LEVEL_INFORMATIONAL] = SEVERITY_INFO,
        [SIGMA_LEVEL_LOW] = SEVERITY_LOW,
        [SIGMA_LEVEL_MEDIUM] = SEVERITY_MEDIUM,
        [SIGMA_LEVEL_HIGH] = SEVERITY_HIGH,
        [SIGMA_LEVEL_CRITICAL] = SEVERITY_CRITICAL};

    return hit->level < SIGMA_LEVEL_COUNT ? by_level[hit->level] : SEVERITY_MEDIUM;
}

static int detect_tell(struct core_detect *detect, struct hit *hit, const struct sheet_entry *entry,
                       uint64_t count)
{
    struct core *core = detect->core;
    const struct core_host *host = core_host_by_id(core, &entry->host);
    struct finding finding = {.time = hit->time,
                              .detector = STR("logs"),
                              .severity = hit_severity(hit),
                              .title = hit->title,
                              .host = host != NULL ? str_from(host->name) : STR(""),
                              .score = 1,
                              .reasons = hit->reasons};
    uint64_t number;
    int r = id_new(&finding.id);

    hit_add_reason(hit, STR("log_group"), hit->group);
    hit_add_reason(hit, STR("log_entry"), str_slice(entry->raw, 0, RAW_TOLD));
    hit_add_reason(hit, STR("log_file"), entry->path);
    if (count > 1) {
        hit_add_reason(hit, STR("log_count"),
                       arena_printf(core->arena, "%llu", (unsigned long long)count));
    }
    hit_add_reason(hit, STR("log_tags"), hit->tags);
    hit_add_reason(hit, STR("log_rule"), hit->id);
    finding.reason_count = hit->reason_count;
    core->changed |= CENTRE_CHANGED_ALERTS;
    core->counted.findings++;
    return r < 0 ? r : store_alert_fold(core->options.store, &entry->host, &finding, &number);
}

/* Hits come in the order of the entries: an entry counts with its first. */
static void detect_count_match(struct core_detect *detect, uint32_t index)
{
    struct sheet *sheet = detect_sent(detect);

    if (index >= sheet->matched && index < sheet->count) {
        sheet->matched = index + 1;
        detect->counts.matched++;
        core_source_matched(sheet->sources[index]);
    }
}

static int detect_take_hit(struct core_detect *detect, struct hit *hit)
{
    struct sheet_entry entry;
    struct id key;
    uint64_t count;

    detect->counts.hits++;
    detect_count_match(detect, hit->index);
    if (hit->level == SIGMA_LEVEL_INFORMATIONAL ||
        !sheet_find(detect_sent(detect), hit->index, &entry)) {
        return 0; /* for searches and counts, not for people on duty */
    }
    key = hit_key(hit, &entry);
    count = detect_tell_now(detect, &key);
    return count == 0 ? 0 : detect_tell(detect, hit, &entry, count);
}

static void hit_read(struct hit *hit, struct msg_reader *msg, struct arena *arena)
{
    uint32_t fields;

    *hit = (struct hit){.index = msg_get_u32(msg)};
    hit->id = msg_get_str(msg);
    hit->title = msg_get_str(msg);
    hit->level = msg_get_u32(msg);
    hit->tags = msg_get_str(msg);
    hit->group = msg_get_str(msg);
    hit->time = msg_get_i64(msg);
    fields = msg_get_u32(msg);
    for (uint32_t i = 0; i < fields && i < DETECTOR_FIELDS_MAX; i++) {
        struct str name = msg_get_str(msg);
        struct str value = msg_get_str(msg);

        hit_add_reason(hit, STR("log_field"),
                       arena_printf(arena, "%.*s: %.*s", STR_ARG(name), STR_ARG(value)));
    }
}

static void detect_count_faults(const struct sheet *sheet, struct str faults)
{
    for (uint32_t i = 0; i < sheet->count && i / 8 < faults.len; i++) {
        if (((uint8_t)faults.ptr[i / 8] & 1U << i % 8) != 0) {
            core_source_faulty(sheet->sources[i]);
        }
    }
}

static int detect_take_hits(struct core_detect *detect, struct msg_reader *msg)
{
    struct sheet *sheet = detect_sent(detect);
    uint64_t number = msg_get_u64(msg);
    bool is_late = sheet->count == 0 || number != sheet->number;
    bool is_last;
    int r = 0;

    while (r == 0 && msg_get_u32(msg) == 1) {
        struct hit hit;

        hit_read(&hit, msg, detect->core->arena);
        r = is_late || msg->error < 0 ? 0 : detect_take_hit(detect, &hit);
    }
    is_last = msg_get_u32(msg) == 1;
    (void)msg_get_u32(msg);
    if (r == 0 && !is_late && is_last) {
        detect->counts.judged += sheet->count;
        detect->counts.faulty += msg_get_u32(msg);
        detect_count_faults(sheet, msg_get_str(msg));
        sheet->count = 0;
    }
    return r;
}

static int detect_send(struct core_detect *detect, struct sheet *sheet)
{
    int r = ++sheet->tries > TRIES_MAX
                ? -ERR_CANCELED
                : channel_send(detect->core->options.channels.detector, &sheet->msg, NULL, 0);

    return r < 0 ? detect_put_aside(detect, sheet) : 0;
}

/* It has just started. What the one before it had taken is lost; what still waits is not. */
static int detect_greeted(struct core_detect *detect)
{
    struct sheet *sheet = detect_sent(detect);
    int waiting = 0;

    detect->is_silent = false;
    if (sheet->count == 0 ||
        (ioctl(detect->core->options.channels.detector, SIOCOUTQ, &waiting) == 0 && waiting != 0)) {
        return 0;
    }
    return detect_send(detect, sheet);
}

/* Takes one message of the detector's. -ERR_TIMEDOUT. */
static int detect_receive(struct core_detect *detect, int wait_ms)
{
    int r =
        channel_receive_within(detect->core->options.channels.detector, wait_ms, &detect->packet);

    if (r < 0) {
        return r;
    }
    if (detect->packet.msg.type == DETECTOR_MESSAGE_READY) {
        r = detect_greeted(detect);
    } else if (detect->packet.msg.type == DETECTOR_MESSAGE_HITS) {
        detect->is_silent = false;
        r = detect_take_hits(detect, &detect->packet.msg);
    }
    channel_packet_done(&detect->packet);
    return r;
}

/* Until the message under way has been answered, or given up. */
static int detect_await(struct core_detect *detect)
{
    int r = 0;

    while (r == 0 && detect_sent(detect)->count != 0) {
        r = detect_receive(detect, ANSWER_WAIT_MS);
        if (r == -ERR_TIMEDOUT || r == -ERR_PIPE) {
            detect->is_silent = true;
            r = detect_put_aside(detect, detect_sent(detect));
        }
    }
    return r;
}

/* What it has said while nothing was under way: that it has started, or late answers. Before
 * something is sent, or its greeting would be taken for that of one which died over it. */
static int detect_listen(struct core_detect *detect)
{
    int r = 0;

    while (r == 0) {
        r = detect_receive(detect, 0);
    }
    return r == -ERR_TIMEDOUT || r == -ERR_PIPE || r == -ERR_AGAIN ? 0 : r;
}

/* Sends what was filled, and begins the next. */
static int detect_turn(struct core_detect *detect)
{
    struct sheet *sheet = detect_filling(detect);
    int r = detect_await(detect);

    r = r < 0 ? r : detect_listen(detect);
    if (r < 0) {
        return r;
    }
    msg_put_u32(&sheet->msg, 0);
    detect->filling = 1 - detect->filling;
    if (detect->is_silent) {
        return detect_put_aside(detect, sheet);
    }
    return msg_end(&sheet->msg) < 0 ? detect_put_aside(detect, sheet) : detect_send(detect, sheet);
}

static void detect_begin(struct core_detect *detect)
{
    struct sheet *sheet = detect_filling(detect);

    sheet->number = ++detect->number;
    sheet->tries = 0;
    sheet->matched = 0;
    msg_begin(&sheet->msg, DETECTOR_MESSAGE_ENTRIES);
    msg_put_u64(&sheet->msg, sheet->number);
}

static struct str event_text(const struct event *event, enum event_field_id id)
{
    const struct event_field *field = event_find(event, id);

    return field != NULL ? field->text : STR("");
}

int core_detect_put(struct core_detect *detect, const struct core_host *host,
                    const struct event *event)
{
    struct str format = event_text(event, EVENT_FIELD_EVENT_MODULE);
    struct str path = event_text(event, EVENT_FIELD_LOG_FILE_PATH);
    struct str head = event_text(event, EVENT_FIELD_LOG_HEAD);
    struct str raw = event_text(event, EVENT_FIELD_EVENT_ORIGINAL);
    struct sheet *sheet = detect_filling(detect);
    int r = 0;

    detect->counts.entries++;
    if (sheet->count == DETECTOR_ENTRIES_MAX ||
        (sheet->count != 0 &&
         sheet->msg.len + format.len + path.len + head.len + raw.len + ENTRY_OVERHEAD >
             MESSAGE_ROOM)) {
        r = detect_turn(detect);
        sheet = detect_filling(detect);
    }
    if (sheet->count == 0) {
        detect_begin(detect);
    }
    sheet->sources[sheet->count++] = core_source_of(detect->core, host, event);
    msg_put_u32(&sheet->msg, 1);
    msg_put_str(&sheet->msg, str_of((const char *)host->id.bytes, sizeof(host->id.bytes)));
    msg_put_str(&sheet->msg, format);
    msg_put_str(&sheet->msg, path);
    msg_put_str(&sheet->msg, head);
    msg_put_i64(&sheet->msg, clock_wall(detect->core->options.clock));
    msg_put_str(&sheet->msg, raw);
    return r;
}

int core_detect_settle(struct core_detect *detect)
{
    int r = detect_filling(detect)->count != 0 ? detect_turn(detect) : 0;

    return r < 0 ? r : detect_await(detect);
}

void core_detect_forget(struct core_detect *detect)
{
    detect->sheets[0].count = detect->sheets[1].count = 0;
}
