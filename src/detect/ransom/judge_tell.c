/* What a ruling says to the sensor: the group to stop, every file to bring back or to put aside,
 * and the reasons. It only reads: what belongs to a ruling was settled in judge_ruling.c. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/ransom/judge_part.h"

static bool ruling_has(const struct ruling *ruling, const struct relative *relative)
{
    return relative->is_known && !relative->is_dead && relative->actor.key.pid > 1 &&
           !relative_is_trusted(relative) && relative_ruling(relative) == ruling;
}

static int ruling_list_group(struct judge *judge, const struct ruling *ruling, struct arena *arena,
                             struct judge_ruling *out)
{
    struct actor_key *group;
    size_t count = 0;

    LIST_EACH (node, &judge->kin.ages) {
        count += ruling_has(ruling, LIST_ENTRY(node, struct relative, age));
    }
    group = arena_alloc(arena, count + 1, sizeof(*group));
    if (group == NULL) {
        return -ERR_NOMEM;
    }
    LIST_EACH (node, &judge->kin.ages) {
        const struct relative *relative = LIST_ENTRY(node, struct relative, age);

        if (ruling_has(ruling, relative)) {
            group[out->group_count++] = relative->actor.key;
        }
    }
    out->group = group;
    return 0;
}

/* Ciphertexts and notes that members made. */
static bool row_is_product_of(const struct row *row, const struct ruling *ruling)
{
    return row->who != NULL && relative_ruling(row->who) == ruling &&
           (row->state == ROW_STATE_PRODUCT || (row->state == ROW_STATE_MADE && row->is_note));
}

/* What members had read and removed. No ciphertext that covers it may be known yet, but who took
 * the rest has taken this too. */
static bool row_is_removed_by(const struct row *row, const struct ruling *ruling)
{
    bool is_gone = row->state == ROW_STATE_GONE ||
                   (row->state == ROW_STATE_ASKED && row->look == JUDGE_LOOK_ORIGINAL);

    return is_gone && row->version != 0 && row->who != NULL && relative_ruling(row->who) == ruling;
}

static enum file_outcome row_outcome(const struct row *row)
{
    if (row->state == ROW_STATE_RULED) {
        return row->outcome;
    }
    return row->state == ROW_STATE_GONE || row->state == ROW_STATE_ASKED ? FILE_OUTCOME_DELETED
                                                                         : FILE_OUTCOME_PRODUCT;
}

static int row_damage(const struct row *row, struct arena *arena, struct judge_damage *ret_damage)
{
    const char *now = row->path_now != NULL ? row->path_now : row->path;
    struct str path = arena_copy(arena, str_from(row->path));
    struct str path_now = arena_copy(arena, row->is_indexed ? str_from(now) : STR(""));

    if (path.ptr == NULL || path_now.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *ret_damage = (struct judge_damage){
        .file_now = row->is_indexed ? row->key : (struct file_key){0},
        .version = row->version,
        .outcome = row_outcome(row),
        .path = path,
        .path_now = path_now,
    };
    return 0;
}

/* Adds the rows of one list that belong to the ruling; with damage NULL it only counts them. */
static int ruling_add_damage(struct ruling *ruling, struct list *rows, struct arena *arena,
                             struct judge_damage *damage, size_t *count)
{
    LIST_EACH (node, rows) {
        const struct row *row = LIST_ENTRY(node, struct row, node);

        if (rows != &ruling->rows && !row_is_product_of(row, ruling) &&
            !row_is_removed_by(row, ruling)) {
            continue;
        }
        if (damage != NULL && row_damage(row, arena, &damage[*count]) < 0) {
            return -ERR_NOMEM;
        }
        (*count)++;
    }
    return 0;
}

static int ruling_list_damage(struct judge *judge, struct ruling *ruling, struct arena *arena,
                              struct judge_ruling *out)
{
    struct list *lists[] = {&ruling->rows, &judge->ledger.states[ROW_STATE_PRODUCT],
                            &judge->ledger.states[ROW_STATE_MADE],
                            &judge->ledger.states[ROW_STATE_GONE],
                            &judge->ledger.states[ROW_STATE_ASKED]};
    struct judge_damage *damage;
    size_t count = 0;
    int r = 0;

    for (unsigned i = 0; i < ARRAY_LEN(lists) && r == 0; i++) {
        r = ruling_add_damage(ruling, lists[i], arena, NULL, &count);
    }
    damage = arena_alloc(arena, count + 1, sizeof(*damage));
    if (damage == NULL) {
        return -ERR_NOMEM;
    }
    for (unsigned i = 0; i < ARRAY_LEN(lists) && r == 0; i++) {
        r = ruling_add_damage(ruling, lists[i], arena, damage, &out->damage_count);
    }
    out->damage = damage;
    return r;
}

static int ruling_list_reasons(struct ruling *ruling, struct arena *arena, struct judge_ruling *out)
{
    struct finding_reason *reasons = arena_alloc(arena, VERDICT_REASON_COUNT + 2, sizeof(*reasons));
    unsigned counts[VERDICT_REASON_COUNT] = {0};
    double scores[VERDICT_REASON_COUNT] = {0};

    if (reasons == NULL) {
        return -ERR_NOMEM;
    }
    LIST_EACH (node, &ruling->rows) {
        const struct row *row = LIST_ENTRY(node, struct row, node);

        counts[row->reason]++;
        scores[row->reason] += row->score;
        out->score += row->score;
        if (out->first_time == 0 || row->time_first < out->first_time) {
            out->first_time = row->time_first;
        }
    }
    for (unsigned i = 0; i < VERDICT_REASON_COUNT; i++) {
        struct str value = counts[i] != 0 ? arena_printf(arena, "%u", counts[i]) : STR("");

        if (value.ptr == NULL) {
            return -ERR_NOMEM;
        }
        if (counts[i] != 0) {
            reasons[out->reason_count++] =
                (struct finding_reason){str_from(verdict_reason_name(i)), value, scores[i]};
        }
    }
    reasons[out->reason_count++] =
        (struct finding_reason){STR("breadth"), str_from(breadth_name(ruling->breadth)), 0};
    for (size_t i = 0; i < out->damage_count; i++) {
        const struct judge_damage *damage = &out->damage[i];

        if (damage->outcome == FILE_OUTCOME_PRODUCT && content_is_note_name(damage->path)) {
            reasons[out->reason_count++] = (struct finding_reason){STR("note"), damage->path, 0};
            break;
        }
    }
    out->reasons = reasons;
    return 0;
}

int judge_ruling(struct judge *judge, struct arena *arena, struct judge_ruling *ret_ruling)
{
    struct ruling *ruling = judge->announced;
    struct judge_ruling out = {0};
    int r;

    if (ruling == NULL) {
        return -ERR_NOENT;
    }
    out.culprit = ruling->culprit->actor.key;
    out.root = ruling->root->actor.key;
    r = ruling_list_group(judge, ruling, arena, &out);
    if (r == 0) {
        r = ruling_list_damage(judge, ruling, arena, &out);
    }
    if (r == 0) {
        r = ruling_list_reasons(ruling, arena, &out);
    }
    if (r == 0) {
        ruling->has_news = false;
        *ret_ruling = out;
    }
    return r;
}
