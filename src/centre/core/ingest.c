/* Records become rows. Neighbours: core/stream.c hands in what agents send, store/ keeps it, the
 * api process is told that something changed. Invariants: a host's acknowledgement rises only after
 * the transaction that holds its records is durable; the archive is committed before the state, so
 * that a crash between the two repeats events that the archive then refuses as known, and never
 * loses one; counters change in the same transaction as what they count. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "centre/core/detect.h"
#include "centre/core/receive.h"
#include "centre/core/source.h"
#include "model/record.h"
#include "store/seal.h"

#include <sys/statvfs.h>

#define BATCH_RECORDS 16384
#define BATCH_BYTES   (16U << 20)
#define DISK_ROOM     (8ULL << 20) /* free before a disk that was full is written again */
#define BATCH_DELAY   (50 * NS_PER_MS)

int core_batch_begin(struct core *core)
{
    int r;

    if (core->is_batch) {
        return 0;
    }
    r = store_begin(core->options.store);
    if (r < 0) {
        return r;
    }
    core->is_batch = true;
    core->batch_records = 0;
    core->batch_bytes = 0;
    r = loop_source_set_timer(core->commit_timer, BATCH_DELAY, 0);
    if (r < 0) {
        core->is_batch = false;
        store_rollback(core->options.store);
    }
    return r;
}

static void core_batch_forget(struct core *core)
{
    LIST_EACH (node, &core->dirty) {
        struct core_host *host = LIST_ENTRY(node, struct core_host, dirty_node);

        host->pending = host->acknowledged;
        host->is_dirty = false;
        list_remove(node);
    }
    core->counted = (struct store_counts){0};
    core->is_batch = false;
    core->batch_records = 0;
}

static void core_set_full(struct core *core, bool is_full)
{
    if (core->is_full != is_full) {
        core->is_full = is_full;
        core_tell(core, CENTRE_CHANGED_DISK);
    }
}

void core_fail(struct core *core, int error)
{
    if (core->is_batch) {
        store_rollback(core->options.store);
        archive_rollback(core->options.archive); /* or its failure would stand for ever */
        if (core->detect != NULL) {
            core_detect_forget(core->detect);
        }
        core_sources_forget(core);
        core_batch_forget(core);
        if (core->receive != NULL) {
            core_receive_forget(core->receive);
        }
    }
    if (error == -ERR_NOSPC) {
        if (!core->is_full) {
            log_error("the disk is full: nothing is acknowledged until there is room");
        }
        core_set_full(core, true);
        core_streams_end(core, LINK_BYE_FULL);
        return;
    }
    log_error("the store could not be written: agents will send again error=%s", err_name(error));
    core_streams_end(core, LINK_BYE_END);
}

static int core_batch_write(struct core *core)
{
    int r = core->detect != NULL ? core_detect_settle(core->detect) : 0;

    r = r < 0 || core->receive == NULL ? r : core_receive_write(core->receive);
    r = r < 0 ? r : core_sources_settle(core);
    r = r < 0 ? r : store_counts_add(core->options.store, &core->counted);

    LIST_EACH (node, &core->dirty) {
        struct core_host *host = LIST_ENTRY(node, struct core_host, dirty_node);

        if (r == 0) {
            r = store_host_acknowledge(core->options.store, &host->id, host->pending);
            r = r == -ERR_EXIST ? 0 : r;
        }
    }
    if (r == 0) {
        r = archive_commit(core->options.archive);
    }
    return r < 0 ? r : store_commit(core->options.store);
}

static void core_batch_acknowledge(struct core *core)
{
    int64_t now = clock_wall(core->options.clock);

    LIST_EACH (node, &core->dirty) {
        struct core_host *host = LIST_ENTRY(node, struct core_host, dirty_node);

        host->acknowledged = host->pending;
        host->is_dirty = false;
        list_remove(node);
        if (host->stream == NULL || host->stream->is_ending) {
            continue;
        }
        if (link_server_acknowledge(host->stream->server, host->acknowledged, now) < 0) {
            core_stream_end(host->stream, LINK_BYE_END);
        } else {
            core_stream_flush(host->stream);
        }
    }
}

int core_batch_commit(struct core *core)
{
    uint32_t changed = core->changed;
    int r;

    if (!core->is_batch) {
        return 0;
    }
    r = core_batch_write(core);
    if (r < 0) {
        core_fail(core, r);
        return r;
    }
    core->is_batch = false;
    core->counted = (struct store_counts){0};
    if (core->detect != NULL) {
        core_detect_committed(core->detect);
    }
    core_sources_keep(core);
    core_batch_acknowledge(core);
    if (core->receive != NULL) {
        core_receive_commit(core->receive);
    }
    if (changed != 0) {
        core_tell(core, changed);
    }
    return 0;
}

/* A message that does not fit into the channel is kept as bits and goes with the next tick or
 * commit. */
void core_tell(struct core *core, uint32_t changed)
{
    static struct msg_writer msg;

    core->changed |= changed;
    msg_begin(&msg, CENTRE_MESSAGE_CHANGED);
    msg_put_u32(&msg, core->changed);
    msg_put_u32(&msg, core->is_full ? 1 : 0);
    if (msg_end(&msg) == 0 && channel_send(core->options.channels.api, &msg, NULL, 0) == 0) {
        core->changed = 0;
    }
}

/* A full disk often has a corner left that takes one row, and then not the next batch. */
static bool core_has_room(const struct core *core)
{
    struct statvfs disk;

    return statvfs(core->options.folder, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >= DISK_ROOM;
}

void core_disk_watch(struct core *core)
{
    if (core->is_full && core_has_room(core) && core_batch_begin(core) == 0) {
        /* An empty transaction writes nothing: this one leaves a row that says when there was room
         * again. */
        int r = store_audit_add(core->options.store, STR("canhgac"), STR("disk.room"), STR(""),
                                STR("{}"));

        if (r < 0) {
            core_fail(core, r);
        } else if (core_batch_commit(core) == 0) {
            log_info("there is room on the disk again");
            core_set_full(core, false);
        }
    }
}

/* The rest of the finding is the centre's. */
static int core_raise_finding(struct core *core, const struct id *host, struct finding *finding,
                              uint64_t *ret_number)
{
    int r = core_batch_begin(core);

    finding->time = clock_wall(core->options.clock);
    finding->detector = STR("centre");
    finding->score = 1;
    r = r < 0 ? r : store_alert_fold(core->options.store, host, finding, ret_number);
    core->changed |= CENTRE_CHANGED_ALERTS;
    return r;
}

int core_raise(struct core *core, const struct id *host, enum severity severity, const char *title,
               uint64_t *ret_number)
{
    struct finding finding = {.severity = severity, .title = str_from(title)};
    int r = id_new(&finding.id);

    return r < 0 ? r : core_raise_finding(core, host, &finding, ret_number);
}

/* The archive tells of it again after every death: known by this, it is one finding for ever.
 * is_last: of those that were told there, and it has more. */
static struct id core_damage_id(const struct archive_damage *damage, bool is_last)
{
    char file[ARCHIVE_FILE_SIZE];
    char text[ARCHIVE_FILE_SIZE + 64];
    uint8_t digest[32];
    struct id id;

    archive_file(damage, file);
    (void)snprintf(text, sizeof(text), "%s block %lld met %lld%s", file, (long long)damage->block,
                   (long long)damage->met, is_last ? " and more" : "");
    seal_digest(str_from(text), digest);
    memcpy(id.bytes, digest, sizeof(id.bytes));
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80); /* UUID version 8, RFC 9562 */
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

static int core_tell_damage(struct core *core, const struct archive_damage *damage)
{
    struct finding finding = {
        .id = core_damage_id(damage, false),
        .severity = SEVERITY_HIGH,
        .title = STR(N_("Stored events are damaged: new ones are kept as ever, but of the old ones "
                        "some are not found. Find names the file: put it back from a backup")),
    };
    char file[ARCHIVE_FILE_SIZE];
    bool is_known = false;
    uint64_t number;
    int r = store_alert_knows(core->options.store, &finding.id, &is_known);

    if (r < 0 || is_known) {
        return r;
    }
    archive_file(damage, file);
    log_error("events are damaged: file=%s block=%lld events=%llu; new ones are kept as ever", file,
              (long long)damage->block, (unsigned long long)damage->entries);
    return core_raise_finding(core, &(struct id){0}, &finding, &number);
}

static int core_tell_more_damage(struct core *core, const struct archive_damage *last)
{
    struct finding finding = {
        .id = core_damage_id(last, true),
        .severity = SEVERITY_HIGH,
        .title =
            STR(N_("More stored events are damaged than are told one by one: check the centre's "
                   "disk. Find names the files: put them back from a backup")),
    };
    bool is_known = false;
    uint64_t number;
    int r = store_alert_knows(core->options.store, &finding.id, &is_known);

    if (r < 0 || is_known) {
        return r;
    }
    log_error("more events are damaged than are told one by one");
    return core_raise_finding(core, &(struct id){0}, &finding, &number);
}

void core_archive_watch(struct core *core)
{
    struct archive_damage damage;
    bool is_told = false;
    int r = 0;

    while (r == 0 && archive_take_damage(core->options.archive, &damage)) {
        is_told = true;
        r = core_tell_damage(core, &damage);
    }
    if (r == 0 && is_told && archive_has_more_damage(core->options.archive)) {
        r = core_tell_more_damage(core, &damage);
    }
    if (r < 0) {
        core_fail(core, r); /* and all of them are told again */
    }
}

/* What cannot be understood is counted and let go, or the agent would send it for ever. */
static int core_refuse(struct core *core, struct core_host *host, int error)
{
    uint64_t number;

    host->refused++;
    log_warn("a record could not be understood host=%s error=%s refused=%llu", host->name,
             err_name(error), (unsigned long long)host->refused);
    if (host->refused > 1) {
        return 0;
    }
    return core_raise(core, &host->id, SEVERITY_MEDIUM,
                      N_("This host sends records that the centre cannot understand: bring both to "
                         "the same version"),
                      &number);
}

static int core_ingest_finding(struct core *core, struct core_host *host, struct finding *finding)
{
    uint64_t number;
    int r;

    finding->host = str_from(host->name);
    finding->site = 0; /* for those the centre speaks alone */
    finding->change = 0;
    core->counted.findings++;
    core->changed |= CENTRE_CHANGED_ALERTS;
    r = store_alert_fold(core->options.store, &host->id, finding, &number);
    return r == -ERR_CONFLICT ? core_refuse(core, host, r) : r; /* it speaks for another */
}

static int core_ingest_answer(struct core *core, struct core_host *host,
                              const struct action_answer *answer)
{
    int r = store_action_answer(core->options.store, &host->id, answer);

    core->changed |= CENTRE_CHANGED_ACTIONS;
    if (r == -ERR_NOENT) {
        log_warn("an answer to no known action host=%s", host->name);
        return 0;
    }
    return r == -ERR_EXIST ? 0 : r;
}

/* An agent's counters grow; what it lost since its last word is told. */
static int core_ingest_status(struct core *core, struct core_host *host,
                              const struct status *status)
{
    struct store_host row;
    uint64_t number;
    int r = store_host_get(core->options.store, &host->id, core->arena, &row);

    core->changed |= CENTRE_CHANGED_HOSTS;
    if (r == 0 && status->dropped > row.status.dropped) {
        log_warn("a host lost records host=%s lost=%llu", host->name,
                 (unsigned long long)(status->dropped - row.status.dropped));
        r = core_raise(core, &host->id, SEVERITY_HIGH,
                       N_("This host lost records before they reached us: its spool was full"),
                       &number);
    }
    return r < 0 ? r
                 : store_host_status(core->options.store, &host->id, status,
                                     clock_wall(core->options.clock));
}

static int core_ingest_event(struct core *core, struct core_host *host, uint64_t sequence,
                             const struct event *event, struct str encoded)
{
    int r = archive_add_encoded(core->options.archive, &host->id, sequence, event, encoded);

    core->counted.events++;
    r = r == -ERR_EXIST ? 0 : r;
    if (r == 0 && event->kind == EVENT_KIND_LOG) {
        r = core_source_count(core, host, event);
        r = r < 0 || core->detect == NULL ? r : core_detect_put(core->detect, host, event, 0);
    }
    return r;
}

static int core_ingest_record(struct core *core, struct core_host *host, uint64_t sequence,
                              struct record *record, struct str bytes)
{
    switch (record->kind) {
    case RECORD_KIND_EVENT:
        return core_ingest_event(core, host, sequence, &record->event, record_body(bytes));
    case RECORD_KIND_FINDING:
        return core_ingest_finding(core, host, &record->finding);
    case RECORD_KIND_ANSWER:
        return core_ingest_answer(core, host, &record->answer);
    case RECORD_KIND_STATUS:
        return core_ingest_status(core, host, &record->status);
    case RECORD_KIND_COUNT:
    default:
        return -ERR_PROTO;
    }
}

bool core_is_store_failure(int error)
{
    return error == -ERR_NOSPC || error == -ERR_IO || error == -ERR_NOMEM || error == -ERR_BUSY ||
           error == -ERR_CORRUPT || error == -ERR_FOREIGN || error == -ERR_ROFS ||
           error == -ERR_FULL;
}

static int core_ingest_bytes(struct core *core, struct core_host *host, uint64_t sequence,
                             struct str bytes)
{
    struct record record;
    struct cbor_reader reader;
    int r;

    arena_reset(core->arena);
    cbor_open(&reader, bytes);
    r = record_decode(&reader, core->arena, &record);
    if (r == 0) {
        r = cbor_close(&reader);
    }
    if (r == 0 && sequence == host->poison) {
        r = record.kind == RECORD_KIND_EVENT && record.event.kind == EVENT_KIND_LOG
                ? core_source_dropped(core, host, &record.event)
                : 0;
        r = r < 0 ? r : -ERR_INVAL;
    } else if (r == 0) {
        r = core_ingest_record(core, host, sequence, &record, bytes);
        if (r < 0 && !core_is_store_failure(r)) {
            /* The transaction is spoilt. All is sent again, and this record is passed over then. */
            host->poison = sequence;
            host->poisons++;
            return r;
        }
    }
    return r < 0 && !core_is_store_failure(r) ? core_refuse(core, host, r) : r;
}

int core_ingest(struct core *core, struct core_host *host, uint64_t sequence, struct str record)
{
    int r = core_batch_begin(core);

    if (r == 0 && sequence <= host->pending) {
        core->counted.duplicates++;
    } else if (r == 0) {
        r = core_ingest_bytes(core, host, sequence, record);
        host->pending = sequence;
    }
    if (r < 0) {
        core_fail(core, r);
        return r;
    }
    if (!host->is_dirty) { /* a duplicate is acknowledged again: its first acknowledgement was lost
                            */
        host->is_dirty = true;
        list_append(&core->dirty, &host->dirty_node);
    }
    core->batch_records++;
    core->batch_bytes += record.len;
    return core->batch_records >= BATCH_RECORDS || core->batch_bytes >= BATCH_BYTES
               ? core_batch_commit(core)
               : 0;
}
