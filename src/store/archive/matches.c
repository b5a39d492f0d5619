/* Neighbours: archive/scan.c keeps what it meets, archive/search.c hands it out. */
#include "store/archive/matches.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

int matches_init(struct matches *matches, size_t limit)
{
    *matches = (struct matches){.list = mem_alloc(limit, sizeof(*matches->list)), .limit = limit};
    return matches->list != NULL ? 0 : -ERR_NOMEM;
}

void matches_done(struct matches *matches)
{
    for (size_t i = 0; i < matches->count; i++) {
        mem_free(matches->list[i].bytes);
    }
    mem_free(matches->list);
    *matches = (struct matches){0};
}

int archive_key_compare(const struct archive_key *a, const struct archive_key *b)
{
    int hosts = memcmp(a->host.bytes, b->host.bytes, sizeof(a->host.bytes));

    return hosts != 0 ? hosts : (a->sequence < b->sequence) - (a->sequence > b->sequence);
}

/* Order of the answer: newer first, then by key; total, so that it is always the same one. */
static int match_compare(const struct match *a, const struct match *b)
{
    if (a->time != b->time) {
        return a->time > b->time ? -1 : 1;
    }
    return archive_key_compare(&a->key, &b->key);
}

static int match_sort(const void *a, const void *b)
{
    return match_compare(a, b);
}

static void match_swap(struct match *a, struct match *b)
{
    struct match kept = *a;

    *a = *b;
    *b = kept;
}

static void matches_sift_down(struct matches *matches)
{
    size_t at = 0;

    for (;;) {
        size_t worst = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < matches->count; child++) {
            if (match_compare(&matches->list[child], &matches->list[worst]) > 0) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        match_swap(&matches->list[at], &matches->list[worst]);
        at = worst;
    }
}

static void matches_sift_up(struct matches *matches)
{
    for (size_t at = matches->count - 1; at != 0;) {
        size_t parent = (at - 1) / 2;

        if (match_compare(&matches->list[at], &matches->list[parent]) <= 0) {
            return;
        }
        match_swap(&matches->list[at], &matches->list[parent]);
        at = parent;
    }
}

bool matches_are_full(const struct matches *matches)
{
    return matches->count == matches->limit;
}

int64_t matches_last(const struct matches *matches)
{
    return matches_are_full(matches) ? matches->list[0].time : INT64_MIN;
}

int matches_keep(struct matches *matches, const struct archive_key *key, int64_t time,
                 struct str encoded)
{
    struct match match = {.time = time, .key = *key, .len = encoded.len};

    if (matches_are_full(matches) && match_compare(&match, &matches->list[0]) >= 0) {
        return 0;
    }
    match.bytes = mem_dup(encoded.ptr, encoded.len);
    if (match.bytes == NULL) {
        return -ERR_NOMEM;
    }
    if (matches_are_full(matches)) {
        mem_free(matches->list[0].bytes);
        matches->list[0] = match;
        matches_sift_down(matches);
    } else {
        matches->list[matches->count++] = match;
        matches_sift_up(matches);
    }
    return 0;
}

void matches_sort(struct matches *matches)
{
    if (matches->count != 0) {
        qsort(matches->list, matches->count, sizeof(*matches->list), match_sort);
    }
}
