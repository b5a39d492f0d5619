/* Removed originals and the ciphertexts that cover them: the attack that never opens a victim for
 * writing. On its way: judge_on_delete, judge_answer_product → here → judge_charge. Invariants:
 * only a file that the group had read, and that is older than the ciphertext's end, can be covered;
 * each byte of ciphertext covers once; lists are searched from their young end and not far. */
#include "detect/ransom/judge_part.h"

#include "base/banned.h"

#define SEARCH_MAX 1024
#define SEARCH_GONE_MAX                                                                            \
    16384 /* once a ciphertext; an archive may cover all that was removed before */
#define SEARCH_MADE_MAX 256 /* at each close of a new file */
/* This part of a ciphertext at least must be explained by what was removed. */
#define CLAIM_PART 8
#define ASK_MAX    8

/* A program's own record that stands above its ciphertexts, as in a backup repository: the program
 * made it, and the ciphertext lies in a folder below the record's. */
static bool row_is_record(const struct row *gone, const struct row *product)
{
    struct str folder = str_from(gone->path);
    struct str path = str_from(product->path);

    if (!gone->is_made || gone->made_exe == 0 || gone->made_exe != reader_of(product->who).exe) {
        return false;
    }
    while (folder.len != 0 && folder.ptr[folder.len - 1] != '/') {
        folder.len--;
    }
    return folder.len != 0 && str_has_prefix(path, folder) &&
           str_find_byte(str_slice(path, folder.len, path.len), '/') != path.len - folder.len;
}

static bool row_is_linked(const struct row *gone, const struct row *product)
{
    return product->who != NULL && gone->who != NULL && relative_is_akin(product->who, gone->who) &&
           !row_is_record(gone, product) &&
           (row_was_read_by(gone, gone->who) || row_was_read_by(gone, product->who));
}

static int judge_cover(struct judge *judge, struct row *gone, struct row *product,
                       bool *ret_is_ruling)
{
    static const struct verdict removed = {FILE_OUTCOME_DELETED, VERDICT_REASON_REMOVED,
                                           VERDICT_SCORE_REMOVED};
    uint64_t need = gone->size;

    product->cover -= need < product->cover ? need : product->cover;
    ledger_set_maker(&judge->ledger, gone, product->who);
    if (gone->version == 0) { /* nothing was kept to look at */
        return judge_charge(judge, gone, &removed, ret_is_ruling);
    }
    judge_ask(judge, gone, JUDGE_LOOK_ORIGINAL, gone->who);
    return 0;
}

/* The newest ciphertext that has room for it. */
static struct row *judge_find_cover(struct judge *judge, const struct row *gone)
{
    struct list *head = &judge->ledger.states[ROW_STATE_PRODUCT];
    unsigned seen = 0;

    for (struct list *node = head->prev; node != head && seen < SEARCH_MAX;
         node = node->prev, seen++) {
        struct row *product = LIST_ENTRY(node, struct row, node);

        if (product->cover >= gone->size && product->cover != 0 && row_is_linked(gone, product)) {
            return product;
        }
    }
    return NULL;
}

/* Asks about new files of the group that nobody has looked at, the newest first. */
static void judge_ask_made(struct judge *judge, const struct row *gone)
{
    struct list *head = &judge->ledger.states[ROW_STATE_MADE];
    unsigned seen = 0;
    unsigned asked = 0;
    struct list *node = head->prev;

    while (node != head && seen < SEARCH_MAX && asked < ASK_MAX) {
        struct row *made = LIST_ENTRY(node, struct row, node);

        node = node->prev;
        seen++;
        if (row_is_linked(gone, made)) {
            judge_ask(judge, made, JUDGE_LOOK_PRODUCT, made->who);
            asked++;
        }
    }
}

/* A backup removes its own small records, beside newer ones that it has written, and a large
 * archive of files that stay: little of the archive is explained by what went. */
static bool row_may_be_record(const struct row *gone, const struct row *product)
{
    return product->claimed < product->size / CLAIM_PART && gone->path != NULL &&
           relative_works_beside(gone->who, str_from(gone->path));
}

static int judge_cover_all(struct judge *judge, struct row *product, bool *ret_is_ruling)
{
    struct list *head = &judge->ledger.states[ROW_STATE_GONE];
    struct list *node = head->prev;

    for (unsigned seen = 0; node != head && seen < SEARCH_GONE_MAX && product->cover != 0; seen++) {
        struct row *gone = LIST_ENTRY(node, struct row, node);
        int r;

        node = node->prev;
        if (product->cover < gone->size || !row_is_linked(gone, product) ||
            row_may_be_record(gone, product)) {
            continue;
        }
        r = judge_cover(judge, gone, product, ret_is_ruling);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int judge_match_gone(struct judge *judge, struct row *row, bool *ret_is_ruling)
{
    struct row *product = judge_find_cover(judge, row);

    judge_ask_made(judge, row);
    if (product == NULL) {
        return 0;
    }
    product->claimed += row->size;
    return judge_cover_all(judge, product, ret_is_ruling);
}

bool judge_match_wiped(struct judge *judge, struct row *row)
{
    struct row *product;

    if (row->who == NULL || row->path == NULL ||
        !judge_is_armed(judge, (struct actor_key){(int32_t)row->who->key.pid, row->who->key.start},
                        judge->now)) {
        return false;
    }
    product = judge_find_cover(judge, row);
    judge_ask_made(judge, row);
    if (product == NULL) {
        return false;
    }
    product->claimed += row->size;
    product->cover -= row->size;
    ledger_set_maker(&judge->ledger, row, product->who);
    return true;
}

int judge_match_product(struct judge *judge, struct row *product, bool *ret_is_ruling)
{
    struct list *head = &judge->ledger.states[ROW_STATE_GONE];
    unsigned seen = 0;

    for (struct list *node = head->prev; node != head && seen < SEARCH_GONE_MAX;
         node = node->prev) {
        const struct row *gone = LIST_ENTRY(node, struct row, node);

        seen++;
        product->claimed += row_is_linked(gone, product) ? gone->size : 0;
    }
    return judge_cover_all(judge, product, ret_is_ruling);
}

void judge_match_made(struct judge *judge, struct row *made)
{
    struct list *head = &judge->ledger.states[ROW_STATE_GONE];
    unsigned seen = 0;

    for (struct list *node = head->prev; node != head && seen < SEARCH_MADE_MAX;
         node = node->prev, seen++) {
        if (row_is_linked(LIST_ENTRY(node, struct row, node), made)) {
            judge_ask(judge, made, JUDGE_LOOK_PRODUCT, made->who);
            return;
        }
    }
}
