/* The open cases in memory, grown from the journal's records. Neighbours: vault/state.c hands over
 * records of cases and owns the index of versions; vault/case.c and vault/work.c read what stands
 * here. Invariants: a case's files keep their order, which is the same in every process; a version
 * that an open case names has `pin` set. */
#include "store/vault/ledger.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/vault/folder.h"

void vault_ledger_free(struct vault_case *item)
{
    for (size_t i = 0; i < item->count; i++) {
        mem_free(item->files[i].text);
    }
    map_done(&item->by_path);
    vault_folders_done(&item->folders);
    mem_free(item->files);
    mem_free(item);
}

static int case_open(struct vault *vault, const struct id *finding)
{
    struct vault_case *item;
    int r;

    if (vault_case_locked(vault, finding) != NULL) {
        return 0;
    }
    item = mem_alloc(1, sizeof(*item));
    if (item == NULL) {
        return -ERR_NOMEM;
    }
    item->finding = *finding;
    map_init(&item->by_path, VAULT_CASE_FILES_MAX, vault->journal.seed);
    map_init(&item->folders, VAULT_FOLDERS_MAX, vault->journal.seed);
    r = map_put(&vault->cases, MAP_KEY(item->finding), item);
    if (r < 0) {
        vault_ledger_free(item);
    }
    return r;
}

static void case_pin(const struct vault *vault, struct vault_case *item,
                     const struct vault_case_file *file)
{
    const uint64_t ids[] = {file->damage.version, file->step.evidence, file->step.occupant};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct vault_entry *entry = ids[i] != 0 ? vault_entry_locked(vault, ids[i]) : NULL;

        if (entry != NULL && entry->pin == NULL) {
            entry->pin = item;
        }
    }
}

static void case_pin_files(const struct vault *vault, struct vault_case *item)
{
    for (size_t i = 0; i < item->count; i++) {
        case_pin(vault, item, &item->files[i]);
    }
}

static void case_close(struct vault *vault, const struct id *finding)
{
    struct vault_case *item = map_remove(&vault->cases, MAP_KEY(*finding));
    size_t cursor = 0;
    struct vault_case *other;

    if (item == NULL) {
        return;
    }
    for (size_t i = 0; i < vault->count; i++) {
        if (vault->entries[i]->pin == item) {
            vault->entries[i]->pin = NULL;
        }
    }
    vault_ledger_free(item);
    while ((other = map_next(&vault->cases, &cursor)) != NULL) {
        case_pin_files(vault, other);
    }
}

/* One file, one row: a product is known by where it lies, everything else by where it belongs. */
static struct str case_key(const struct vault_damage *damage, char *text)
{
    bool is_product = damage->outcome == FILE_OUTCOME_PRODUCT;
    struct str path = is_product ? damage->path_now : damage->path;

    text[0] = is_product ? 'p' : 'f';
    memcpy(text + 1, path.ptr != NULL ? path.ptr : "", path.len);
    return str_of(text, path.len + 1);
}

/* The text holds the key, whose tail is one path, and the other path behind it. */
static int case_file_init(struct vault_case_file *file, const struct vault_damage *damage)
{
    struct str key;
    char *text = mem_alloc(damage->path.len + damage->path_now.len + 2, 1);
    char *other;

    if (text == NULL) {
        return -ERR_NOMEM;
    }
    *file = (struct vault_case_file){.text = text, .damage = *damage};
    key = case_key(damage, text);
    other = text + key.len;
    if (damage->outcome == FILE_OUTCOME_PRODUCT) {
        file->damage.path_now = str_slice(key, 1, key.len);
        memcpy(other, damage->path.ptr != NULL ? damage->path.ptr : "", damage->path.len);
        file->damage.path = str_of(other, damage->path.len);
    } else {
        file->damage.path = str_slice(key, 1, key.len);
        memcpy(other, damage->path_now.ptr != NULL ? damage->path_now.ptr : "",
               damage->path_now.len);
        file->damage.path_now = str_of(other, damage->path_now.len);
    }
    return 0;
}

static struct str case_file_key(const struct vault_case_file *file)
{
    bool is_product = file->damage.outcome == FILE_OUTCOME_PRODUCT;

    return str_of(file->text, 1 + (is_product ? file->damage.path_now.len : file->damage.path.len));
}

static bool damage_is_same(const struct vault_damage *a, const struct vault_damage *b)
{
    return a->outcome == b->outcome && a->dev_now == b->dev_now && a->ino_now == b->ino_now &&
           str_is(a->path_now, b->path_now) && (b->version == 0 || a->version <= b->version) &&
           (a->facts.is_set || !b->facts.is_set);
}

/* Later news of a file that is known: the oldest original stays, the newest damage counts. */
static int case_merge(struct vault_case *item, struct vault_case_file *file,
                      const struct vault_damage *damage)
{
    struct vault_case_file merged;
    struct vault_damage news = *damage;
    int r;

    if (damage_is_same(&file->damage, damage)) {
        return 0;
    }
    if (file->damage.version != 0 && (news.version == 0 || file->damage.version < news.version)) {
        news.version = file->damage.version;
    }
    if (file->damage.facts.is_set) {
        news.facts = file->damage.facts;
    }
    r = case_file_init(&merged, &news);
    if (r < 0) {
        return r;
    }
    merged.step = file->step.stage == VAULT_STAGE_RESTORED ? (struct vault_step){} : file->step;
    (void)map_remove(&item->by_path, case_file_key(file));
    mem_free(file->text);
    *file = merged;
    return map_put(&item->by_path, case_file_key(file),
                   (void *)(uintptr_t)(file - item->files + 1));
}

static int case_add_file(struct vault *vault, const struct vault_record *record)
{
    struct vault_case *item = vault_case_locked(vault, &record->finding);
    CLEANUP(mem_freep) char *key = NULL;
    struct vault_case_file *files;
    uintptr_t known;
    int r;

    if (item == NULL) {
        return 0;
    }
    key = mem_alloc(record->damage.path.len + record->damage.path_now.len + 2, 1);
    if (key == NULL) {
        return -ERR_NOMEM;
    }
    item->is_synced = false;
    known = (uintptr_t)map_get(&item->by_path, case_key(&record->damage, key));
    if (known != 0) {
        r = case_merge(item, &item->files[known - 1], &record->damage);
        case_pin(vault, item, &item->files[known - 1]);
        return r;
    }
    if (item->count == item->room) {
        size_t room = item->room != 0 ? item->room * 2 : 64;

        files = item->count < VAULT_CASE_FILES_MAX ? mem_resize(item->files, room, sizeof(*files))
                                                   : NULL;
        if (files == NULL) {
            return -ERR_NOMEM;
        }
        item->files = files;
        item->room = room;
    }
    r = case_file_init(&item->files[item->count], &record->damage);
    if (r < 0) {
        return r;
    }
    item->count++;
    case_pin(vault, item, &item->files[item->count - 1]);
    return map_put(&item->by_path, case_file_key(&item->files[item->count - 1]),
                   (void *)(uintptr_t)item->count);
}

static void case_set_step(const struct vault *vault, const struct vault_record *record)
{
    struct vault_case *item = vault_case_locked(vault, &record->finding);

    if (item != NULL && record->index < item->count) {
        item->files[record->index].step = record->step;
        item->is_synced = false;
        case_pin(vault, item, &item->files[record->index]);
    }
}

int vault_ledger_apply(struct vault *vault, const struct vault_record *record)
{
    struct vault_case *item = vault_case_locked(vault, &record->finding);

    if (record->kind == VAULT_RECORD_CASE_OPEN) {
        return case_open(vault, &record->finding);
    }
    if (record->kind == VAULT_RECORD_CASE_FILE) {
        return case_add_file(vault, record);
    }
    if (record->kind == VAULT_RECORD_CASE_FOLDER) {
        return item != NULL ? vault_folders_put(&item->folders, record) : 0;
    }
    if (record->kind == VAULT_RECORD_CASE_STEP) {
        case_set_step(vault, record);
    } else if (record->kind == VAULT_RECORD_CASE_CLOSE) {
        case_close(vault, &record->finding);
    } else if (item != NULL && record->kind == VAULT_RECORD_CASE_BEGUN) {
        item->boot = record->boot;
    } else if (item != NULL) {
        item->is_synced = true;
    }
    return 0;
}
