/* Features and their sum. Each feature is a kind and a text, hashed together into a bucket; a
 * bucket counts once. The sum is divided by the root of how many there are, so that a long piece
 * does not say more than a short one merely by its length. */
#include "detect/deface/content.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "detect/deface/content_part.h"

#include <math.h>

#define XXH_INLINE_ALL /* texts of a few bytes: a call costs more than the hash */
#include <xxhash.h>

#define PHRASE_SIZE   64
#define PHRASE_WORDS  10
#define PART_SIZE     4 /* letters of a part of a word */
#define PART_WORD_MIN 6
#define COUNT_FLOOR   24   /* pieces of fewer features are weighed as if they had as many */
#define WEIGHT_UNIT   64.0 /* in weights.def */
#define CAPITALS_MIN  8    /* letters below which capitals say nothing */

struct phrase {
    enum content_class class;
    const char *text;
};

static const struct phrase phrases[] = {
#define PHRASE(class, text) {CONTENT_CLASS_##class, text},
#include "detect/deface/lexicon.def"
#undef PHRASE
};

struct weights {
    int16_t of[CONTENT_MODEL_COUNT];
};

static const struct weights weights[CONTENT_BUCKETS] = {
#define WEIGHT(bucket, ...) [bucket] = {{__VA_ARGS__}},
#define BIAS(...)
#include "detect/deface/weights.def"
#undef BIAS
#undef WEIGHT
};

static const double biases[CONTENT_MODEL_COUNT] = {
#define WEIGHT(bucket, ...)
#define BIAS(...) __VA_ARGS__
#include "detect/deface/weights.def"
#undef BIAS
#undef WEIGHT
};

static const char *const class_names[CONTENT_CLASS_COUNT] = {
    "gambling", "pharma", "adult", "loan",  "crypto", "boast",
    "call",     "news",   "gang",  "owner", "mend",   "self",
};

struct entry {
    struct phrase phrase;
    char joined[PHRASE_SIZE];
    size_t len;
};

#define STARTS_BITS 12

/* lengths: by the first four letters, a bit for each length that phrases beginning so have. Nearly
 * all words of a page begin none, and the map need not be asked. */
struct content_lexicon {
    struct map map;
    uint64_t lengths[1U << STARTS_BITS];
    struct entry entries[ARRAY_LEN(phrases)];
};

const char *content_class_name(enum content_class topic)
{
    return class_names[topic];
}

static size_t start_of(const char *joined, size_t len)
{
    uint32_t start = 0;

    if (len >= sizeof(start)) {
        memcpy(&start, joined, sizeof(start));
    } else {
        memcpy(&start, joined, len);
    }
    return (start * 0x9e3779b1U) >> (32 - STARTS_BITS);
}

/* The phrase as one word, folded as texts are: "赌场" and "sex" alike. */
static void entry_join(struct entry *entry, struct fold *fold)
{
    fold->count = 0;
    fold_add(fold, str_from(entry->phrase.text), 0);
    for (size_t i = 0; i < fold->count; i++) {
        size_t len = fold->words[i].len;

        if (entry->len + len <= sizeof(entry->joined)) {
            memcpy(entry->joined + entry->len, fold->words[i].text, len);
            entry->len += len;
        }
    }
}

int content_lexicon_new(struct content_lexicon **ret_lexicon)
{
    struct fold_word words[PHRASE_WORDS];
    struct fold fold = {.words = words, .room = PHRASE_WORDS};
    struct content_lexicon *lexicon = mem_alloc(1, sizeof(*lexicon));
    int r = lexicon != NULL ? 0 : -ERR_NOMEM;

    if (r < 0) {
        return r;
    }
    map_init(&lexicon->map, ARRAY_LEN(phrases), 0);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(phrases); i++) {
        struct entry *entry = &lexicon->entries[i];

        entry->phrase = phrases[i];
        entry_join(entry, &fold);
        if (entry->len != 0) {
            lexicon->lengths[start_of(entry->joined, entry->len)] |= 1ULL << (entry->len - 1);
        }
        r = map_put(&lexicon->map, str_of(entry->joined, entry->len), entry);
    }
    if (r < 0) {
        content_lexicon_free(lexicon);
        return r;
    }
    *ret_lexicon = lexicon;
    return 0;
}

void content_lexicon_free(struct content_lexicon *lexicon)
{
    if (lexicon != NULL) {
        map_done(&lexicon->map);
        mem_free(lexicon);
    }
}

void content_begin(struct content_features *features)
{
    memset(features, 0, sizeof(*features));
}

static void features_put_id(struct content_features *features, uint64_t hash, bool is_meant)
{
    uint16_t id = (uint16_t)(is_meant ? hash % CONTENT_MEANT
                                      : CONTENT_MEANT + hash % (CONTENT_BUCKETS - CONTENT_MEANT));
    uint8_t bit = (uint8_t)(1U << id % 8);

    if ((features->seen[id / 8] & bit) == 0 && features->count < CONTENT_FEATURES_MAX) {
        features->seen[id / 8] |= bit;
        features->ids[features->count++] = id;
    }
}

void content_put(struct content_features *features, char kind, struct str text)
{
    features_put_id(features, XXH3_64bits_withSeed(text.ptr, text.len, (unsigned char)kind),
                    kind == 'p' || kind == 'q' || kind == 'm');
}

static void features_put_pair(struct content_features *features, struct str a, struct str b)
{
    uint64_t hash = XXH3_64bits_withSeed(a.ptr, a.len, 'b');

    features_put_id(features, XXH3_64bits_withSeed(b.ptr, b.len, hash), false);
}

/* A figure as a feature: 1, 2, 3–4, 5–8 … */
void content_put_figure(struct content_features *features, const char *name, uint64_t figure)
{
    unsigned step = 0;

    while (step < 12 && figure > (1ULL << step)) {
        step++;
    }
    step = figure == 0 ? 99 : step;
    features_put_id(features, XXH3_64bits_withSeed(name, strlen(name), 'f' + 256U * step), true);
}

static void features_put_parts(struct content_features *features, char kind, struct str word)
{
    for (size_t at = 0; at + PART_SIZE <= word.len; at++) {
        content_put(features, kind, str_slice(word, at, at + PART_SIZE));
    }
}

static bool word_has_digit(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9') {
            return true;
        }
    }
    return false;
}

static bool word_is_number(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

static void features_put_phrase(struct content_features *features, const struct entry *entry,
                                uint32_t at, bool is_outward)
{
    enum content_class class = entry->phrase.class;
    size_t before = features->count;

    content_put(features, 'p', str_of(entry->joined, entry->len));
    if (features->count != before) {
        features->phrases[class]++;
    }
    if (is_outward) {
        content_put(features, 'q', str_from(class_names[class]));
    }
    if (entry->len > features->phrase[class].len) {
        features->phrase[class] = str_from(entry->phrase.text);
        features->phrase_at[class] = at;
    }
}

/* Phrases that begin with the first word, over whatever borders they were cut into. */
static void features_put_phrases(struct content_features *features,
                                 const struct content_lexicon *lexicon,
                                 const struct fold_word *words, size_t count, bool is_outward)
{
    char joined[PHRASE_SIZE + FOLD_WORD_SIZE];
    size_t len = 0;

    for (size_t i = 0; i < count && i < PHRASE_WORDS; i++) {
        const struct entry *entry;
        uint64_t lengths;

        if (len + words[i].len > PHRASE_SIZE) {
            return;
        }
        memcpy(joined + len, words[i].text, FOLD_WORD_SIZE); /* of one size: no call */
        len += words[i].len;
        lengths = len != 0 ? lexicon->lengths[start_of(joined, len)] >> (len - 1) : 0;
        if ((lengths & 1) == 0) {
            if (lengths == 0 && len >= sizeof(uint32_t)) {
                return; /* none is longer */
            }
            continue;
        }
        entry = map_get(&lexicon->map, str_of(joined, len));
        if (entry != NULL) {
            features_put_phrase(features, entry, words[0].from, is_outward);
        }
    }
}

void content_add_words(struct content_features *features, const struct content_lexicon *lexicon,
                       const struct fold_word *words, size_t count, bool is_outward)
{
    for (size_t i = 0; i < count; i++) {
        struct str word = fold_word_str(&words[i]);

        features_put_phrases(features, lexicon, words + i, count - i, is_outward);
        features->masked += (words[i].tricks & ~(unsigned)FOLD_TRICK_SIGNS) != 0;
        features->leet += (words[i].tricks & FOLD_TRICK_SIGNS) != 0;
        if (word_is_number(word)) {
            continue; /* dates, counters and amounts are of no topic */
        }
        content_put(features, 'w', word);
        if (is_outward) {
            content_put(features, 'a', word);
        }
        if (i + 1 < count) {
            features_put_pair(features, word, fold_word_str(&words[i + 1]));
        }
        if (word.len >= PART_WORD_MIN || word_has_digit(word)) {
            features_put_parts(features, 'g', word);
        }
    }
}

static struct str host_bare(struct str host)
{
    return str_has_prefix(host, STR("www.")) ? str_slice(host, 4, host.len) : host;
}

static void features_put_host(struct content_features *features, struct str host)
{
    char text[FOLD_WORD_SIZE + 2] = "^";
    size_t last = 0;
    size_t len;

    host = host_bare(host);
    for (size_t i = 0; i < host.len; i++) {
        last = host.ptr[i] == '.' ? i : last;
    }
    content_put(features, 't', str_slice(host, last, host.len));
    host = str_slice(host, 0, last);
    len = host.len < FOLD_WORD_SIZE ? host.len : FOLD_WORD_SIZE;
    if (len != 0) {
        memcpy(text + 1, host.ptr, len);
    }
    text[len + 1] = '$';
    features_put_parts(features, 'h', str_of(text, len + 2));
    for (size_t at = 0; at + 3 <= len + 2; at++) {
        content_put(features, 'i', str_of(text + at, 3));
    }
    content_put_figure(features, "host digits", word_has_digit(host));
}

void content_add_host(struct content_features *features, struct str host)
{
    features->outward++;
    features_put_host(features, host);
}

void content_add_hiding(struct content_features *features)
{
    content_put_figure(features, "hidden", 1);
}

static void features_put_cross(struct content_features *features, enum content_class topic,
                               const char *with, bool is_there)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%s %s", class_names[topic], with);
    content_put_figure(features, name, is_there ? 1 : 0);
}

/* Who claims the deed, to whom it is told, what is scorned and whose name stands under it: a report
 * has one or two of them, a boast more. */
static void features_put_boast(struct content_features *features)
{
    static const enum content_class parts[] = {CONTENT_CLASS_GANG, CONTENT_CLASS_OWNER,
                                               CONTENT_CLASS_MEND, CONTENT_CLASS_SELF};
    bool is_told = features->phrases[CONTENT_CLASS_NEWS] != 0;
    bool is_claimed = features->phrases[CONTENT_CLASS_BOAST] != 0;
    unsigned kinds = is_claimed;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        bool is_there = features->phrases[parts[i]] != 0;

        kinds += is_there;
        if (is_claimed) {
            features_put_cross(features, CONTENT_CLASS_BOAST, class_names[parts[i]], is_there);
        }
    }
    if (kinds != 0) {
        content_put_figure(features, is_told ? "boast told" : "boast parts", kinds);
    }
}

void content_add_manner(struct content_features *features, struct str text)
{
    manner_add(&features->manner, text);
}

static void features_put_manner(struct content_features *features)
{
    const struct manner *manner = &features->manner;

    if (manner->handles != 0) {
        content_put_figure(features, "handles", manner->handles);
        content_put_figure(features, "handles with boast",
                           features->phrases[CONTENT_CLASS_BOAST] != 0);
    }
    if (manner->ornaments != 0) {
        content_put_figure(features, "ornaments", manner->ornaments);
    }
    if (manner->cries != 0) {
        content_put_figure(features, "cries", manner->cries);
    }
    if (manner->letters >= CAPITALS_MIN && manner->capitals * 5 >= manner->letters * 4) {
        content_put_figure(features, "capitals", 1);
    }
}

void content_end(struct content_features *features)
{
    features_put_manner(features);
    content_put_figure(features, "outward", features->outward);
    if (features->masked != 0) {
        content_put_figure(features, "masked", features->masked);
    }
    if (features->leet != 0) {
        content_put_figure(features, "leet", features->leet);
    }
    for (unsigned class = 0; class < CONTENT_CLASS_COUNT; class ++) {
        if (features->phrases[class] != 0) {
            content_put_figure(features, class_names[class], features->phrases[class]);
        }
        if (class < CONTENT_TOPICS && features->phrases[class] != 0) {
            features_put_cross(features, class, "call", features->phrases[CONTENT_CLASS_CALL] != 0);
            features_put_cross(features, class, "news", features->phrases[CONTENT_CLASS_NEWS] != 0);
            features_put_cross(features, class, "out", features->outward != 0);
        }
    }
    features_put_boast(features);
}

void content_of_host(struct content_features *features, struct str host)
{
    content_begin(features);
    features_put_host(features, host);
    content_put_figure(features, "host length", host.len);
}

double content_score(const struct content_features *features, unsigned model)
{
    size_t count = features->count > COUNT_FLOOR ? features->count : COUNT_FLOOR;
    int64_t sum = 0;

    for (size_t i = 0; i < features->count; i++) {
        sum += weights[features->ids[i]].of[model] * (features->ids[i] < CONTENT_MEANT ? 2 : 1);
    }
    return biases[model] + (double)sum / WEIGHT_UNIT / sqrt((double)count);
}

unsigned content_boast_marks(const struct content_features *features)
{
    const bool marks[] = {
        features->phrases[CONTENT_CLASS_BOAST] != 0,
        features->phrases[CONTENT_CLASS_GANG] != 0 || features->manner.handles != 0,
        features->phrases[CONTENT_CLASS_OWNER] != 0,
        features->phrases[CONTENT_CLASS_SELF] != 0,
        features->phrases[CONTENT_CLASS_MEND] != 0,
        features->manner.ornaments != 0,
    };
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        count += marks[i];
    }
    return count;
}

enum content_class content_topic(const struct content_features *features, double *ret_score)
{
    enum content_class best = CONTENT_CLASS_GAMBLING;

    *ret_score = content_score(features, best);
    for (unsigned topic = 1; topic < CONTENT_CLASS_BOAST; topic++) {
        double score = content_score(features, topic);

        if (score > *ret_score) {
            *ret_score = score;
            best = topic;
        }
    }
    return best;
}
