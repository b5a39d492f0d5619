/* What is said of a document that cannot be taken, and the word that was meant instead. */
#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "detect/sigma/load_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REASON_MAX 512
#define LISTED_MAX 40      /* words that a sentence lists */
#define WORD_MAX   48      /* longer ones are not compared */
#define WORDS_MAX  1000000 /* compared in all: broken files must not cost more than good ones */

static int refusal_add(struct sigma_loader *loader, const struct sigma_refusal *refusal)
{
    struct sigma_refusal *kept = load_list_add(&loader->refusals, sizeof(*kept));

    if (kept == NULL) {
        return -ERR_NOMEM;
    }
    *kept = *refusal;
    kept->file = loader->file;
    kept->title = arena_copy(loader->arena, loader->title);
    kept->reason = arena_copy(loader->arena, refusal->reason);
    kept->remedy = arena_copy(loader->arena, refusal->remedy);
    if (kept->title.ptr == NULL || kept->reason.ptr == NULL || kept->remedy.ptr == NULL) {
        loader->refusals.count--;
        return -ERR_NOMEM;
    }
    return 0;
}

int load_refuse(struct sigma_loader *loader, uint32_t line, uint32_t column, struct str reason,
                struct str remedy)
{
    struct sigma_refusal refusal = {
        .line = line, .column = column, .reason = reason, .remedy = remedy};
    int r = reason.ptr == NULL ? -ERR_NOMEM : refusal_add(loader, &refusal);

    return r < 0 ? r : -ERR_SYNTAX;
}

int load_warn(struct sigma_loader *loader, uint32_t line, uint32_t column, struct str reason,
              struct str remedy)
{
    struct sigma_refusal refusal = {
        .line = line, .column = column, .reason = reason, .remedy = remedy, .is_warning = true};

    return refusal_add(loader, &refusal);
}

int load_refuse_at(struct sigma_loader *loader, const struct yaml_value *at, const char *remedy,
                   const char *format, ...)
{
    char reason[REASON_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    return load_refuse(loader, at->line, at->column, str_from(reason), str_from(remedy));
}

int load_refuse_size(struct sigma_loader *loader, const struct yaml_value *at)
{
    return load_refuse_at(loader, at, _("split the rule"), _("the rule becomes too large"));
}

/* Insertions, deletions, replacements and swaps of neighbours that make a into b. */
static unsigned distance(struct str a, struct str b)
{
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0];
    unsigned *above = rows[1];
    unsigned *row = rows[2];

    for (size_t j = 0; j <= b.len; j++) {
        above[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *oldest = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            bool is_same = a.ptr[i - 1] == b.ptr[j - 1];
            unsigned best = above[j - 1] + (is_same ? 0 : 1);

            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.len];
}

struct str load_nearest(struct str word, const struct str *candidates, size_t count)
{
    unsigned best = (unsigned)(word.len < 6 ? 2 : word.len / 3 + 1);
    struct str nearest = STR("");

    for (size_t i = 0; i < count && word.len != 0 && word.len <= WORD_MAX; i++) {
        unsigned far;

        if (candidates[i].len > WORD_MAX || candidates[i].len == 0) {
            continue;
        }
        far = distance(word, candidates[i]);
        if (far < best) {
            best = far;
            nearest = candidates[i];
        }
    }
    return nearest;
}

static struct str candidates_list(struct sigma_loader *loader, const struct str *candidates,
                                  size_t count)
{
    struct buf list;
    struct str sentence;

    buf_init(&list, REASON_MAX);
    for (size_t i = 0; i < count; i++) {
        (void)buf_put_str(&list, i == 0 ? STR("") : STR(", "));
        (void)buf_put_str(&list, str_slice(candidates[i], 0, WORD_MAX));
    }
    sentence = buf_error(&list) < 0
                   ? STR("")
                   : arena_printf(loader->scratch, _("known here: %.*s"), STR_ARG(buf_str(&list)));
    buf_done(&list);
    return sentence;
}

struct str load_suggest(struct sigma_loader *loader, struct str word, const struct str *candidates,
                        size_t count)
{
    struct str nearest = STR("");
    struct str sentence = STR("");

    if (loader->compared < WORDS_MAX) {
        nearest = load_nearest(word, candidates, count);
        loader->compared += count;
    }

    if (nearest.len != 0) {
        sentence = arena_printf(loader->scratch, _("did you mean “%.*s”?"), STR_ARG(nearest));
    } else if (count != 0 && count <= LISTED_MAX) {
        sentence = candidates_list(loader, candidates, count);
    }
    return sentence.ptr != NULL ? sentence : STR("");
}
