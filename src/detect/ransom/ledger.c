/* Rows come from chunks of 128 and go back to a spare list, so that the ledger's size is what its
 * limit says. On its way: judge.c and judge_match.c change rows only through here. */
#include "detect/ransom/ledger.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define LEDGER_SEED 0x6c6564
#define CHUNK_ROWS  128

struct chunk {
    struct list node;
    struct row rows[CHUNK_ROWS];
};

void ledger_init(struct ledger *ledger, size_t limit, struct kin *kin)
{
    *ledger = (struct ledger){.limit = limit, .kin = kin};
    map_init(&ledger->index, limit, LEDGER_SEED);
    for (unsigned i = 0; i < ROW_STATE_COUNT; i++) {
        list_init(&ledger->states[i]);
    }
    list_init(&ledger->chunks);
    list_init(&ledger->spare);
}

void ledger_done(struct ledger *ledger)
{
    map_done(&ledger->index);
    LIST_EACH (node, &ledger->chunks) {
        struct chunk *chunk = LIST_ENTRY(node, struct chunk, node);

        for (unsigned i = 0; i < CHUNK_ROWS; i++) {
            mem_free(chunk->rows[i].path);
            mem_free(chunk->rows[i].path_now);
        }
        mem_free(chunk);
    }
    list_init(&ledger->chunks);
}

struct row *ledger_find(const struct ledger *ledger, struct file_key key)
{
    return map_get(&ledger->index, MAP_KEY(key));
}

/* The oldest row that settles nothing; of the rest, what was created, then what was deleted or
 * wiped. */
static bool ledger_evict(struct ledger *ledger)
{
    static const enum row_state order[] = {ROW_STATE_SEEN,  ROW_STATE_MADE,    ROW_STATE_GONE,
                                           ROW_STATE_WIPED, ROW_STATE_PRODUCT, ROW_STATE_WATCHED};

    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        struct list *head = &ledger->states[order[i]];

        if (!list_is_empty(head)) {
            ledger_forget(ledger, LIST_ENTRY(head->next, struct row, node));
            return true;
        }
    }
    return false;
}

static int ledger_alloc(struct ledger *ledger, struct row **ret_row)
{
    struct chunk *chunk;

    if (ledger->rows >= ledger->limit && !ledger_evict(ledger)) {
        return -ERR_LIMIT;
    }
    if (list_is_empty(&ledger->spare)) {
        chunk = mem_alloc(1, sizeof(*chunk));
        if (chunk == NULL) {
            return -ERR_NOMEM;
        }
        list_append(&ledger->chunks, &chunk->node);
        for (unsigned i = 0; i < CHUNK_ROWS; i++) {
            list_append(&ledger->spare, &chunk->rows[i].node);
        }
    }
    *ret_row = LIST_ENTRY(ledger->spare.next, struct row, node);
    list_remove(&(*ret_row)->node);
    ledger->rows++;
    return 0;
}

int ledger_get(struct ledger *ledger, struct file_key key, struct row **ret_row)
{
    struct row *row = ledger_find(ledger, key);
    int r;

    if (row == NULL) {
        r = ledger_alloc(ledger, &row);
        if (r < 0) {
            return r;
        }
        *row = (struct row){.key = key, .state = ROW_STATE_SEEN, .is_indexed = true};
        list_append(&ledger->states[ROW_STATE_SEEN], &row->node);
        r = map_put(&ledger->index, MAP_KEY(row->key), row);
        if (r < 0) {
            row->is_indexed = false;
            ledger_forget(ledger, row);
            return r;
        }
    }
    *ret_row = row;
    return 0;
}

void ledger_unindex(struct ledger *ledger, struct row *row)
{
    if (row->is_indexed) {
        (void)map_remove(&ledger->index, MAP_KEY(row->key));
        row->is_indexed = false;
    }
}

static void ledger_uncount(struct row *row)
{
    struct scope *scopes[] = {row->session, row->exe};

    for (unsigned i = 0; i < 2; i++) {
        if (scopes[i] != NULL) {
            scopes[i]->asked -= row->state == ROW_STATE_ASKED;
            scopes[i]->charged -= row->state == ROW_STATE_CHARGED;
            scopes[i]->products -= row->state == ROW_STATE_PRODUCT;
        }
    }
}

static void ledger_count(struct row *row)
{
    struct scope *scopes[] = {row->session, row->exe};

    for (unsigned i = 0; i < 2; i++) {
        if (scopes[i] != NULL) {
            scopes[i]->asked += row->state == ROW_STATE_ASKED;
            scopes[i]->charged += row->state == ROW_STATE_CHARGED;
            scopes[i]->products += row->state == ROW_STATE_PRODUCT;
        }
    }
}

void ledger_own(struct ledger *ledger, struct row *row, struct relative *who)
{
    if (row->who == who) {
        return;
    }
    ledger_uncount(row);
    if (who != NULL) {
        relative_ref(who);
        scope_ref(who->session);
        scope_ref(who->exe);
    }
    scope_unref(ledger->kin, row->session);
    scope_unref(ledger->kin, row->exe);
    relative_unref(ledger->kin, row->who);
    row->who = who;
    row->session = who != NULL ? who->session : NULL;
    row->exe = who != NULL ? who->exe : NULL;
    ledger_count(row);
}

void ledger_set_maker(struct ledger *ledger, struct row *row, struct relative *maker)
{
    if (maker != NULL) {
        relative_ref(maker);
    }
    relative_unref(ledger->kin, row->maker);
    row->maker = maker;
}

/* What only an unsettled row needs. */
static void row_release(struct ledger *ledger, struct row *row)
{
    ledger_own(ledger, row, NULL);
    ledger_set_maker(ledger, row, NULL);
    mem_free(row->path);
    mem_free(row->path_now);
    row->path = NULL;
    row->path_now = NULL;
    row->version = 0;
    row->score = 0;
    row->cover = 0;
    row->claimed = 0;
    row->looks = 0;
    row->writers = 0;
    row->outcome = FILE_OUTCOME_INTACT;
    row->reason = VERDICT_REASON_NONE;
    row->is_replacing = false;
    row->is_victim_read = false;
    row->is_unsure = false;
}

void ledger_move(struct ledger *ledger, struct row *row, enum row_state state)
{
    ledger_uncount(row);
    row->state = state;
    ledger_count(row);
    list_remove(&row->node);
    list_append(&ledger->states[state], &row->node);
    if (state == ROW_STATE_SEEN) {
        row_release(ledger, row);
        if (!row->is_indexed) {
            ledger_forget(ledger, row);
        }
    }
}

void ledger_move_to(struct ledger *ledger, struct row *row, struct list *list,
                    struct ruling *ruling)
{
    ledger_move(ledger, row, ROW_STATE_RULED);
    list_remove(&row->node);
    list_append(list, &row->node);
    row->ruling = ruling;
}

void ledger_forget(struct ledger *ledger, struct row *row)
{
    ledger_unindex(ledger, row);
    ledger_uncount(row);
    row->state = ROW_STATE_SEEN;
    row_release(ledger, row);
    list_remove(&row->node);
    list_append(&ledger->spare, &row->node);
    ledger->rows--;
}

int row_set_path(char **path, struct str value)
{
    char *copy;

    if (value.len == 0 || (*path != NULL && str_is_text(value, *path))) {
        return 0;
    }
    copy = mem_dup(value.ptr, value.len);
    if (copy == NULL) {
        return -ERR_NOMEM;
    }
    mem_free(*path);
    *path = copy;
    return 0;
}

struct reader reader_of(const struct relative *who)
{
    return (struct reader){
        .session = who->session != NULL ? who->session->key.first : 0,
        .exe = who->exe != NULL ? map_hash(MAP_KEY(who->exe->key), LEDGER_SEED) | 1 : 0,
    };
}

void row_add_reader(struct row *row, const struct relative *who, int64_t time)
{
    struct reader reader = reader_of(who);

    row->time_read = time;
    if (reader.session != row->readers[0].session || reader.exe != row->readers[0].exe) {
        row->readers[1] = row->readers[0];
        row->readers[0] = reader;
    }
}

bool row_was_read_by(const struct row *row, const struct relative *who)
{
    struct reader reader = reader_of(who);

    for (unsigned i = 0; i < ROW_READERS; i++) {
        if ((reader.session != 0 && reader.session == row->readers[i].session) ||
            (reader.exe != 0 && reader.exe == row->readers[i].exe)) {
            return true;
        }
    }
    return false;
}
