/* Journal records as bytes. The way: vault.c and vault/case.c fill a struct vault_record, this file
 * packs it, vault/journal.c frames and writes it; every process reads it back into its
 * vault/state.c. Invariant: decode(encode(x)) = x for every field that the record's kind names. */
#include "store/vault/record.h"

#include "base/banned.h"
#include "base/err.h"

enum version_flag {
    VERSION_PARTIAL = 1,
    VERSION_CLONE = 2,
    VERSION_SETTLED = 4,
    VERSION_CUT = 8,
    VERSION_INODE = 16,
    VERSION_HEAD = 32,
    VERSION_TORN = 64,
};

enum step_flag {
    STEP_MOVED = 1,
    STEP_MOVED_OCCUPANT = 2,
    STEP_STRAY = 4,
};

static void put_number(struct buf *buf, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        buf_put_byte(buf, (unsigned char)(value >> (8 * i)));
    }
}

static void put_text(struct buf *buf, struct str text)
{
    put_number(buf, text.len, 4);
    buf_put(buf, text.ptr, text.len);
}

/* The first failure empties the rest, so that every later get gives zeroes. */
struct reader {
    struct str rest;
    int error;
};

static struct str get_bytes(struct reader *reader, size_t len)
{
    struct str bytes = str_slice(reader->rest, 0, len);

    if (bytes.len != len) {
        reader->error = -ERR_CORRUPT;
        reader->rest = (struct str){};
        return (struct str){};
    }
    reader->rest = str_slice(reader->rest, len, reader->rest.len);
    return bytes;
}

static uint64_t get_number(struct reader *reader, size_t width)
{
    struct str bytes = get_bytes(reader, width);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        value |= (uint64_t)(unsigned char)bytes.ptr[i] << (8 * i);
    }
    return value;
}

static unsigned get_choice(struct reader *reader, unsigned count)
{
    uint64_t value = get_number(reader, 1);

    if (value >= count) {
        reader->error = -ERR_CORRUPT;
        return 0;
    }
    return (unsigned)value;
}

static struct str get_text(struct reader *reader)
{
    return get_bytes(reader, get_number(reader, 4));
}

static void get_array(struct reader *reader, void *out, size_t len)
{
    struct str bytes = get_bytes(reader, len);

    if (bytes.len != 0) {
        memcpy(out, bytes.ptr, bytes.len);
    }
}

static void put_process(struct buf *buf, const struct finding_process *process)
{
    put_number(buf, (uint64_t)process->pid, 8);
    put_number(buf, process->start, 8);
    put_number(buf, (uint64_t)process->uid, 8);
    put_text(buf, process->user);
    put_text(buf, process->exe);
    put_text(buf, process->cmdline);
}

static void get_process(struct reader *reader, struct finding_process *process)
{
    process->pid = (int64_t)get_number(reader, 8);
    process->start = get_number(reader, 8);
    process->uid = (int64_t)get_number(reader, 8);
    process->user = get_text(reader);
    process->exe = get_text(reader);
    process->cmdline = get_text(reader);
}

static void put_version(struct buf *buf, const struct vault_version *version,
                        const struct vault_meta *meta)
{
    unsigned flags =
        (version->is_partial ? VERSION_PARTIAL : 0U) | (version->is_clone ? VERSION_CLONE : 0U) |
        (meta->is_settled ? VERSION_SETTLED : 0U) | (meta->is_cut ? VERSION_CUT : 0U) |
        (meta->is_inode ? VERSION_INODE : 0U) | (version->is_head ? VERSION_HEAD : 0U) |
        (version->is_torn ? VERSION_TORN : 0U);

    put_number(buf, version->kind, 1);
    put_number(buf, flags, 1);
    put_number(buf, (uint64_t)version->time, 8);
    put_number(buf, version->dev, 8);
    put_number(buf, version->ino, 8);
    put_number(buf, version->mode, 4);
    put_number(buf, version->uid, 4);
    put_number(buf, version->gid, 4);
    put_number(buf, version->links, 4);
    put_number(buf, version->size, 8);
    put_number(buf, version->stored, 8);
    put_number(buf, (uint64_t)version->mtime, 8);
    put_number(buf, (uint64_t)version->atime, 8);
    put_number(buf, (uint64_t)meta->changed, 8);
    put_number(buf, meta->pool, 8);
    put_text(buf, version->path);
    put_process(buf, &version->process);
    put_text(buf, meta->handle);
    put_text(buf, meta->xattrs);
}

static void get_version(struct reader *reader, struct vault_version *version,
                        struct vault_meta *meta)
{
    uint64_t flags;

    version->kind = (enum vault_kind)get_choice(reader, VAULT_KIND_COUNT);
    flags = get_number(reader, 1);
    version->is_partial = (flags & VERSION_PARTIAL) != 0;
    version->is_clone = (flags & VERSION_CLONE) != 0;
    version->is_head = (flags & VERSION_HEAD) != 0;
    version->is_torn = (flags & VERSION_TORN) != 0;
    meta->is_settled = (flags & VERSION_SETTLED) != 0;
    meta->is_cut = (flags & VERSION_CUT) != 0;
    meta->is_inode = (flags & VERSION_INODE) != 0;
    version->time = (int64_t)get_number(reader, 8);
    version->dev = get_number(reader, 8);
    version->ino = get_number(reader, 8);
    version->mode = (uint32_t)get_number(reader, 4);
    version->uid = (uint32_t)get_number(reader, 4);
    version->gid = (uint32_t)get_number(reader, 4);
    version->links = (uint32_t)get_number(reader, 4);
    version->size = get_number(reader, 8);
    version->stored = get_number(reader, 8);
    version->mtime = (int64_t)get_number(reader, 8);
    version->atime = (int64_t)get_number(reader, 8);
    meta->changed = (int64_t)get_number(reader, 8);
    meta->pool = get_number(reader, 8);
    version->path = get_text(reader);
    get_process(reader, &version->process);
    meta->handle = get_text(reader);
    meta->xattrs = get_text(reader);
}

static void put_damage(struct buf *buf, const struct vault_damage *damage)
{
    put_number(buf, damage->outcome, 1);
    put_number(buf, damage->version, 8);
    put_number(buf, damage->dev_now, 8);
    put_number(buf, damage->ino_now, 8);
    put_text(buf, damage->path);
    put_text(buf, damage->path_now);
    put_number(buf, damage->facts.is_set ? 1 : 0, 1);
    if (damage->facts.is_set) {
        put_number(buf, damage->facts.mode, 4);
        put_number(buf, damage->facts.uid, 4);
        put_number(buf, damage->facts.gid, 4);
        put_number(buf, (uint64_t)damage->facts.mtime, 8);
    }
}

static void get_damage(struct reader *reader, struct vault_damage *damage)
{
    damage->outcome = (enum file_outcome)get_choice(reader, FILE_OUTCOME_COUNT);
    damage->version = get_number(reader, 8);
    damage->dev_now = get_number(reader, 8);
    damage->ino_now = get_number(reader, 8);
    damage->path = get_text(reader);
    damage->path_now = get_text(reader);
    if (reader->rest.len == 0) {
        return; /* written by format 1 */
    }
    damage->facts.is_set = get_choice(reader, 2) == 1;
    if (damage->facts.is_set) {
        damage->facts.mode = (uint32_t)get_number(reader, 4);
        damage->facts.uid = (uint32_t)get_number(reader, 4);
        damage->facts.gid = (uint32_t)get_number(reader, 4);
        damage->facts.mtime = (int64_t)get_number(reader, 8);
    }
}

static void put_folder(struct buf *buf, const struct vault_folder *folder)
{
    put_number(buf, folder->mode, 4);
    put_number(buf, folder->uid, 4);
    put_number(buf, folder->gid, 4);
    put_number(buf, (uint64_t)folder->mtime, 8);
    put_number(buf, (uint64_t)folder->atime, 8);
    put_text(buf, folder->path);
    put_text(buf, folder->xattrs);
}

static void get_folder(struct reader *reader, struct vault_folder *folder)
{
    folder->mode = (uint32_t)get_number(reader, 4);
    folder->uid = (uint32_t)get_number(reader, 4);
    folder->gid = (uint32_t)get_number(reader, 4);
    folder->mtime = (int64_t)get_number(reader, 8);
    folder->atime = (int64_t)get_number(reader, 8);
    folder->path = get_text(reader);
    folder->xattrs = get_text(reader);
}

static void put_step(struct buf *buf, const struct vault_step *step)
{
    unsigned flags = (step->has_moved ? STEP_MOVED : 0U) |
                     (step->has_moved_occupant ? STEP_MOVED_OCCUPANT : 0U) |
                     (step->is_stray ? STEP_STRAY : 0U);

    put_number(buf, step->stage, 1);
    put_number(buf, step->manner, 1);
    put_number(buf, flags, 1);
    put_number(buf, step->folders, 4);
    put_number(buf, step->evidence, 8);
    put_number(buf, step->occupant, 8);
    put_number(buf, step->dev, 8);
    put_number(buf, step->ino, 8);
    put_number(buf, (uint64_t)step->changed, 8);
}

static void get_step(struct reader *reader, struct vault_step *step)
{
    uint64_t flags;

    step->stage = (enum vault_stage)get_choice(reader, VAULT_STAGE_COUNT);
    step->manner = (enum vault_manner)get_choice(reader, VAULT_MANNER_COUNT);
    flags = get_number(reader, 1);
    step->has_moved = (flags & STEP_MOVED) != 0;
    step->has_moved_occupant = (flags & STEP_MOVED_OCCUPANT) != 0;
    step->is_stray = (flags & STEP_STRAY) != 0;
    step->folders = (uint32_t)get_number(reader, 4);
    step->evidence = get_number(reader, 8);
    step->occupant = get_number(reader, 8);
    step->dev = get_number(reader, 8);
    step->ino = get_number(reader, 8);
    step->changed = (int64_t)get_number(reader, 8);
}

void vault_record_encode(const struct vault_record *record, struct buf *buf)
{
    put_number(buf, record->kind, 1);
    put_number(buf, record->id, 8);
    switch (record->kind) {
    case VAULT_RECORD_VERSION:
        put_version(buf, &record->version, &record->meta);
        break;
    case VAULT_RECORD_TOUCH:
        put_number(buf, (uint64_t)record->time, 8);
        break;
    case VAULT_RECORD_HASH:
        put_number(buf, record->other, 8);
        buf_put(buf, record->sha256, sizeof(record->sha256));
        break;
    case VAULT_RECORD_DROP:
        put_number(buf, record->other, 8);
        break;
    case VAULT_RECORD_POOL:
        put_text(buf, record->path);
        break;
    case VAULT_RECORD_FOLDER:
        put_folder(buf, &record->folder);
        break;
    case VAULT_RECORD_CASE_OPEN:
    case VAULT_RECORD_CASE_FILE:
    case VAULT_RECORD_CASE_STEP:
    case VAULT_RECORD_CASE_BEGUN:
    case VAULT_RECORD_CASE_SYNCED:
    case VAULT_RECORD_CASE_CLOSE:
    case VAULT_RECORD_CASE_FOLDER:
        buf_put(buf, record->finding.bytes, sizeof(record->finding.bytes));
        break;
    case VAULT_RECORD_COUNT:
        break;
    }
    if (record->kind == VAULT_RECORD_CASE_FILE) {
        put_damage(buf, &record->damage);
    } else if (record->kind == VAULT_RECORD_CASE_STEP) {
        put_number(buf, record->index, 4);
        put_step(buf, &record->step);
    } else if (record->kind == VAULT_RECORD_CASE_BEGUN) {
        put_number(buf, record->boot, 8);
    } else if (record->kind == VAULT_RECORD_CASE_FOLDER) {
        put_number(buf, record->folder_stage, 1);
        put_folder(buf, &record->folder);
        put_folder(buf, &record->folder_now);
    }
}

static void get_case_record(struct reader *reader, struct vault_record *record)
{
    get_array(reader, record->finding.bytes, sizeof(record->finding.bytes));
    if (record->kind == VAULT_RECORD_CASE_FILE) {
        get_damage(reader, &record->damage);
    } else if (record->kind == VAULT_RECORD_CASE_STEP) {
        record->index = (uint32_t)get_number(reader, 4);
        get_step(reader, &record->step);
    } else if (record->kind == VAULT_RECORD_CASE_BEGUN) {
        record->boot = get_number(reader, 8);
    } else if (record->kind == VAULT_RECORD_CASE_FOLDER) {
        record->folder_stage = (enum vault_folder_stage)get_choice(reader, VAULT_FOLDER_COUNT);
        get_folder(reader, &record->folder);
        get_folder(reader, &record->folder_now);
    }
}

int vault_record_decode(struct str bytes, struct vault_record *ret_record)
{
    struct reader reader = {.rest = bytes};
    struct vault_record record = {};
    uint64_t kind = get_number(&reader, 1);

    if (reader.error == 0 && (kind == 0 || kind >= VAULT_RECORD_COUNT)) {
        return -ERR_VERSION;
    }
    record.kind = (enum vault_record_kind)kind;
    record.id = get_number(&reader, 8);
    switch (record.kind) {
    case VAULT_RECORD_VERSION:
        get_version(&reader, &record.version, &record.meta);
        record.version.id = record.id;
        break;
    case VAULT_RECORD_TOUCH:
        record.time = (int64_t)get_number(&reader, 8);
        break;
    case VAULT_RECORD_HASH:
        record.other = get_number(&reader, 8);
        get_array(&reader, record.sha256, sizeof(record.sha256));
        break;
    case VAULT_RECORD_DROP:
        record.other = get_number(&reader, 8);
        break;
    case VAULT_RECORD_POOL:
        record.path = get_text(&reader);
        break;
    case VAULT_RECORD_FOLDER:
        get_folder(&reader, &record.folder);
        break;
    case VAULT_RECORD_CASE_OPEN:
    case VAULT_RECORD_CASE_FILE:
    case VAULT_RECORD_CASE_STEP:
    case VAULT_RECORD_CASE_BEGUN:
    case VAULT_RECORD_CASE_SYNCED:
    case VAULT_RECORD_CASE_CLOSE:
    case VAULT_RECORD_CASE_FOLDER:
        get_case_record(&reader, &record);
        break;
    case VAULT_RECORD_COUNT:
        break;
    }
    if (reader.error < 0 || reader.rest.len != 0) {
        return -ERR_CORRUPT;
    }
    *ret_record = record;
    return 0;
}
