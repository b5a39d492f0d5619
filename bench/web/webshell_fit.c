/* Fits the webshell model and tells how good it is on what it has not seen. Reads lines of
 * `label group path` (label 1: a shell; parted by tabs) and uses the judge's own features, so that
 * fitting and judging cannot part. Shells are grouped into families by their features, benign files
 * by their package; no group is ever in both halves of a split. Deterministic.
 *   webshell_fit LIST [--weights OUT] [--scores OUT] [--note TEXT] */
#include "base/arena.h"
#include "base/prng.h"
#include "detect/malware/webshell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX      (16U << 20)
#define SAMPLE_MAX    60000
#define FEATURES_MAX  400000 /* of one file, with repeats folded */
#define HASHES        64
#define ALIKE         0.5 /* shells of one family share this much of their features */
#define FOLDS         5
#define EPOCHS        12
#define RATE          0.2
#define SHRINK        5e-4
#define GROUPS_MIN    3
#define FEATURES_KEPT 20000
#define FPR_AIM       0.0006 /* of the training folds; the bar is 0.001 */
#define FEW           2000   /* benign samples below which a language's rate means little */
#define FEW_AIM       0.02
#define FPR_CERTAIN   0.0001
#define TABLE_BITS    24

struct sample {
    char *path;
    char *package;
    uint32_t *features; /* sorted, each once */
    size_t count;
    int label;
    int group;
    int fold;
    enum webshell_language language;
    double rules;
    bool is_ruled; /* found whatever the model says */
    double scale;  /* of its features' sum: long files hold more of everything */
    double weight; /* how much it counts in fitting */
    double score;  /* by a model that has not seen its group */
    bool is_found; /* at a threshold that was fixed without it */
};

static struct sample samples[SAMPLE_MAX];
static size_t sample_count;
static uint32_t gathered[FEATURES_MAX];
static size_t gathered_count;
static int group_count;
static size_t dealt[2]; /* packages, families: group numbers have gaps where families merged */

/* A slot a feature: its upper bits first; after prune() the shared features, numbered. */
static size_t slots = (size_t)1 << TABLE_BITS;
static uint32_t *hash_of; /* of a numbered feature */
static float *weights;
static float *squares;
static uint8_t *is_used;
static int *group_seen;
static uint8_t *groups_of;
static float *odds;
static double bias[WEBSHELL_LANGUAGE_COUNT];

static _Noreturn void die(const char *what, const char *name)
{
    fprintf(stderr, "webshell_fit: %s: %s\n", what, name);
    exit(3);
}

static int compare_features(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void gather_unique(void)
{
    size_t kept = 0;

    qsort(gathered, gathered_count, sizeof(gathered[0]), compare_features);
    for (size_t i = 0; i < gathered_count; i++) {
        if (i == 0 || gathered[i] != gathered[i - 1]) {
            gathered[kept++] = gathered[i];
        }
    }
    gathered_count = kept;
}

static void gather(void *context, uint32_t feature)
{
    (void)context;
    if (gathered_count == FEATURES_MAX) {
        gather_unique();
    }
    if (gathered_count < FEATURES_MAX) {
        gathered[gathered_count++] = feature >> (32 - TABLE_BITS);
    }
}

static size_t read_file(const char *path, char *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL) {
        die("cannot open", path);
    }
    len = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return len;
}

static void read_sample(struct webshell *shell, struct arena *arena, char *line, char *bytes)
{
    struct sample *sample = &samples[sample_count];
    char *package = strchr(line, '\t');
    char *path = package != NULL ? strchr(package + 1, '\t') : NULL;
    struct webshell_verdict verdict;
    size_t len;

    if (path == NULL || sample_count == SAMPLE_MAX) {
        die("a line is not `label group path`, or there are too many", line);
    }
    *package++ = *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    len = read_file(path, bytes);
    gathered_count = 0;
    arena_reset(arena);
    if (webshell_judge(shell, str_from(path), str_of(bytes, len), arena, &verdict) < 0) {
        die("cannot judge", path);
    }
    gather_unique();
    *sample = (struct sample){.path = strdup(path),
                              .package = strdup(package),
                              .label = line[0] == '1',
                              .language = verdict.language,
                              .rules = verdict.rules,
                              .is_ruled = verdict.is_ruled,
                              .scale = verdict.scale,
                              .count = gathered_count,
                              .features = malloc((gathered_count + 1) * sizeof(uint32_t))};
    memcpy(sample->features, gathered, gathered_count * sizeof(uint32_t));
    sample_count++;
}

static void read_list(const char *list)
{
    static char line[8192];
    static char bytes[FILE_MAX];
    const struct webshell_observer observer = {NULL, gather};
    FILE *file = fopen(list, "r");
    struct webshell *shell;
    struct arena *arena;

    if (file == NULL || webshell_new(&shell) < 0 || arena_new(1 << 20, &arena) < 0) {
        die("cannot begin", list);
    }
    webshell_observe(shell, &observer);
    while (fgets(line, sizeof(line), file) != NULL) {
        read_sample(shell, arena, line, bytes);
    }
    fclose(file);
    arena_free(arena);
    webshell_free(shell);
}

/* Files whose features are the same are one file: only the first is kept. */
static uint64_t sample_print(const struct sample *sample)
{
    uint64_t print = 1469598103934665603ULL;

    for (size_t i = 0; i < sample->count; i++) {
        print = (print ^ sample->features[i]) * 1099511628211ULL;
    }
    return print ^ (uint64_t)sample->label;
}

static void drop_twins(void)
{
    static uint64_t prints[1U << 18];
    size_t kept = 0;

    for (size_t i = 0; i < sample_count; i++) {
        uint64_t print = sample_print(&samples[i]);
        size_t at = print % (sizeof(prints) / sizeof(prints[0]));

        while (prints[at] != 0 && prints[at] != print) {
            at = (at + 1) % (sizeof(prints) / sizeof(prints[0]));
        }
        if (prints[at] == 0) {
            prints[at] = print;
            samples[kept++] = samples[i];
        }
    }
    sample_count = kept;
}

static void min_hashes(const struct sample *sample, uint32_t *ret_hashes)
{
    for (unsigned h = 0; h < HASHES; h++) {
        uint32_t least = UINT32_MAX;

        for (size_t i = 0; i < sample->count; i++) {
            uint32_t hash = (sample->features[i] ^ (h * 0x9e3779b9U)) * 0x85ebca6bU;

            hash ^= hash >> 15;
            hash *= 0xc2b2ae35U;
            least = hash < least ? hash : least;
        }
        ret_hashes[h] = least;
    }
}

/* Shells that are alike, directly or through others, are one family. */
static void group_shells(void)
{
    uint32_t(*hashes)[HASHES] = calloc(sample_count, sizeof(*hashes));

    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].label == 0) {
            continue;
        }
        min_hashes(&samples[i], hashes[i]);
        samples[i].group = group_count++;
        for (size_t j = 0; j < i; j++) {
            unsigned same = 0;
            int from = samples[j].group;

            for (unsigned h = 0; h < HASHES && samples[j].label != 0; h++) {
                same += hashes[i][h] == hashes[j][h];
            }
            if (same < ALIKE * HASHES || from == samples[i].group) {
                continue;
            }
            for (size_t k = 0; k <= i; k++) {
                if (samples[k].label != 0 && samples[k].group == from) {
                    samples[k].group = samples[i].group;
                }
            }
        }
    }
    free(hashes);
}

static void group_benign(void)
{
    for (size_t i = 0; i < sample_count; i++) {
        size_t j = 0;

        if (samples[i].label != 0) {
            continue;
        }
        while (j < i && (samples[j].label != 0 || strcmp(samples[j].package, samples[i].package))) {
            j++;
        }
        samples[i].group = j < i ? samples[j].group : group_count++;
    }
}

/* The largest group first, each to the fold that has least of its label. */
static void deal_folds(void)
{
    size_t *sizes = calloc((size_t)group_count, sizeof(*sizes));
    int *labels = calloc((size_t)group_count, sizeof(*labels));
    size_t load[2][FOLDS] = {0};

    for (size_t i = 0; i < sample_count; i++) {
        sizes[samples[i].group]++;
        labels[samples[i].group] = samples[i].label;
    }
    for (;;) {
        int best = -1;
        int fold = 0;

        for (int g = 0; g < group_count; g++) {
            if (sizes[g] != 0 && (best < 0 || sizes[g] > sizes[best])) {
                best = g;
            }
        }
        if (best < 0) {
            break;
        }
        for (int f = 1; f < FOLDS; f++) {
            fold = load[labels[best]][f] < load[labels[best]][fold] ? f : fold;
        }
        load[labels[best]][fold] += sizes[best];
        dealt[labels[best]]++;
        sizes[best] = 0;
        for (size_t i = 0; i < sample_count; i++) {
            if (samples[i].group == best) {
                samples[i].fold = fold;
            }
        }
    }
    free(sizes);
    free(labels);
}

static bool is_trained(const struct sample *sample, int without, int also_without)
{
    return sample->fold != without && sample->fold != also_without;
}

/* Only what several groups have in common is learned. */
static void choose_features(int without, int also_without)
{
    size_t room = slots;

    memset(is_used, 0, room);
    memset(groups_of, 0, room);
    memset(group_seen, -1, room * sizeof(*group_seen));
    for (int g = 0; g < group_count; g++) {
        for (size_t i = 0; i < sample_count; i++) {
            if (samples[i].group != g || !is_trained(&samples[i], without, also_without)) {
                continue;
            }
            for (size_t k = 0; k < samples[i].count; k++) {
                size_t slot = samples[i].features[k];

                if (group_seen[slot] != g && groups_of[slot] < 255) {
                    group_seen[slot] = g;
                    groups_of[slot]++;
                }
            }
        }
    }
    for (size_t slot = 0; slot < room; slot++) {
        is_used[slot] = groups_of[slot] >= GROUPS_MIN;
    }
}

static int compare_odds(const void *a, const void *b)
{
    float left = odds[*(const uint32_t *)a];
    float right = odds[*(const uint32_t *)b];

    if (left != right) {
        return left > right ? -1 : 1;
    }
    return compare_features(a, b);
}

/* Of those, the ones by which shells and the rest differ most (chi-square of the shares). */
static void choose_best(int without, int also_without)
{
    float *counts[2] = {calloc(slots, sizeof(float)), calloc(slots, sizeof(float))};
    uint32_t *order = malloc(slots * sizeof(*order));
    double all[2] = {1, 1};
    uint32_t count = 0;

    for (size_t i = 0; i < sample_count; i++) {
        if (!is_trained(&samples[i], without, also_without)) {
            continue;
        }
        all[samples[i].label] += samples[i].weight;
        for (size_t k = 0; k < samples[i].count; k++) {
            counts[samples[i].label][samples[i].features[k]] += (float)samples[i].weight;
        }
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        double shells = (double)counts[1][slot] / all[1];
        double benign = (double)counts[0][slot] / all[0];
        double mean = (shells + benign) / 2;

        odds[slot] = (float)((shells - benign) * (shells - benign) / (mean * (1 - mean) + 1e-4));
        if (is_used[slot]) {
            order[count++] = slot;
        }
    }
    qsort(order, count, sizeof(*order), compare_odds);
    for (uint32_t i = FEATURES_KEPT; i < count; i++) {
        is_used[order[i]] = 0;
    }
    free(counts[0]);
    free(counts[1]);
    free(order);
}

/* Leaves only features that can be learned at all, numbered in the order of their hashes. */
static void prune(void)
{
    uint32_t *numbers = malloc(slots * sizeof(*numbers));
    uint32_t count = 0;

    choose_features(-1, -1);
    hash_of = malloc(slots * sizeof(*hash_of));
    for (size_t slot = 0; slot < slots; slot++) {
        numbers[slot] = count;
        hash_of[count] = (uint32_t)slot;
        count += is_used[slot];
    }
    for (size_t i = 0; i < sample_count; i++) {
        size_t kept = 0;

        for (size_t k = 0; k < samples[i].count; k++) {
            if (is_used[samples[i].features[k]]) {
                samples[i].features[kept++] = numbers[samples[i].features[k]];
            }
        }
        samples[i].count = kept;
    }
    free(numbers);
    slots = count;
    fprintf(stderr, "%u features are shared\n", count);
}

static double score_of(const struct sample *sample)
{
    double sum = 0;

    for (size_t k = 0; k < sample->count; k++) {
        sum += (double)weights[sample->features[k]];
    }
    return bias[sample->language] + sum * sample->scale;
}

static void step(const struct sample *sample)
{
    double score = score_of(sample);
    double error = (double)sample->label - 1 / (1 + exp(-score));
    float push = (float)(error * sample->weight);

    bias[sample->language] += 0.02 * (double)push;
    for (size_t k = 0; k < sample->count; k++) {
        size_t slot = sample->features[k];

        if (is_used[slot]) {
            float slope = push * (float)sample->scale - (float)SHRINK * weights[slot];

            squares[slot] += slope * slope;
            weights[slot] += (float)RATE * slope / sqrtf(squares[slot] + 1);
        }
    }
}

/* Each label weighs the same in each language, within bounds. */
static void weigh(int without, int also_without)
{
    double counts[WEBSHELL_LANGUAGE_COUNT][2] = {0};

    for (size_t i = 0; i < sample_count; i++) {
        if (is_trained(&samples[i], without, also_without)) {
            counts[samples[i].language][samples[i].label] += 1;
        }
    }
    for (size_t i = 0; i < sample_count; i++) {
        double *count = counts[samples[i].language];
        double other = count[1 - samples[i].label];
        double own = count[samples[i].label];

        samples[i].weight = samples[i].label != 0 ? fmin(8, fmax(1, other / own / 4))
                                                  : fmin(8, fmax(1, other / own));
    }
}

static void fit(int without, int also_without)
{
    size_t *order = malloc(sample_count * sizeof(*order));
    size_t count = 0;
    struct prng prng;

    weigh(without, also_without);
    choose_features(without, also_without);
    choose_best(without, also_without);
    memset(weights, 0, sizeof(*weights) * slots);
    memset(squares, 0, sizeof(*squares) * slots);
    for (size_t l = 0; l < WEBSHELL_LANGUAGE_COUNT; l++) {
        bias[l] = 0;
    }
    prng_init(&prng, 2026);
    for (size_t i = 0; i < sample_count; i++) {
        if (is_trained(&samples[i], without, also_without) &&
            samples[i].language != WEBSHELL_LANGUAGE_NONE) {
            order[count++] = i;
        }
    }
    for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
        for (size_t i = count; i > 1; i--) {
            size_t j = (size_t)prng_below(&prng, i);
            size_t swap = order[i - 1];

            order[i - 1] = order[j];
            order[j] = swap;
        }
        for (size_t i = 0; i < count; i++) {
            step(&samples[order[i]]);
        }
    }
    free(order);
}

static int compare_down(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return left > right ? -1 : left < right;
}

static double combined(const struct sample *sample)
{
    return sample->score + sample->rules;
}

/* The score that at most this share of a language's benign samples passes, and where they are too
 * few to tell, FEW_AIM of them. without: a fold that must not have a say. */
static double threshold(enum webshell_language language, int without, double rate)
{
    double *scores = malloc((sample_count + 1) * sizeof(*scores));
    size_t count = 0;
    size_t allowed;
    double found;

    for (size_t i = 0; i < sample_count; i++) {
        if (samples[i].label == 0 && samples[i].fold != without &&
            samples[i].language == language) {
            scores[count++] = combined(&samples[i]);
        }
    }
    qsort(scores, count, sizeof(*scores), compare_down);
    allowed = (size_t)((double)count * (count < FEW ? FEW_AIM : rate));
    found = count != 0 ? scores[allowed < count ? allowed : count - 1] + 0.01 : 0;
    free(scores);
    return count < FEW ? fmax(found, 0) : found;
}

static void cross_validate(void)
{
    for (int outer = 0; outer < FOLDS; outer++) {
        double limits[WEBSHELL_LANGUAGE_COUNT];

        for (int inner = 0; inner < FOLDS; inner++) {
            if (inner == outer) {
                continue;
            }
            fit(outer, inner);
            for (size_t i = 0; i < sample_count; i++) {
                if (samples[i].fold == inner) {
                    samples[i].score = score_of(&samples[i]);
                }
            }
        }
        for (int l = 0; l < WEBSHELL_LANGUAGE_COUNT; l++) {
            limits[l] = threshold((enum webshell_language)l, outer, FPR_AIM);
        }
        fit(outer, -1);
        for (size_t i = 0; i < sample_count; i++) {
            if (samples[i].fold == outer) {
                samples[i].is_found =
                    samples[i].language != WEBSHELL_LANGUAGE_NONE &&
                    (samples[i].is_ruled ||
                     score_of(&samples[i]) + samples[i].rules >= limits[samples[i].language]);
            }
        }
        fprintf(stderr, "fold %d: thresholds php %.2f jsp %.2f asp %.2f aspx %.2f\n", outer,
                limits[1], limits[2], limits[3], limits[4]);
    }
}

/* Scores of all samples by models that have not seen their groups. */
static void score_all(void)
{
    for (int fold = 0; fold < FOLDS; fold++) {
        fit(fold, -1);
        for (size_t i = 0; i < sample_count; i++) {
            if (samples[i].fold == fold) {
                samples[i].score = score_of(&samples[i]);
            }
        }
    }
}

static void report(void)
{
    size_t seen[WEBSHELL_LANGUAGE_COUNT + 1][2] = {0};
    size_t found[WEBSHELL_LANGUAGE_COUNT + 1][2] = {0};

    for (size_t i = 0; i < sample_count; i++) {
        seen[samples[i].language][samples[i].label]++;
        seen[WEBSHELL_LANGUAGE_COUNT][samples[i].label]++;
        found[samples[i].language][samples[i].label] += samples[i].is_found;
        found[WEBSHELL_LANGUAGE_COUNT][samples[i].label] += samples[i].is_found;
    }
    printf(
        "fitted on %zu webshells in %zu families and %zu benign files of %zu packages, no twins\n",
        seen[WEBSHELL_LANGUAGE_COUNT][1], dealt[1], seen[WEBSHELL_LANGUAGE_COUNT][0], dealt[0]);
    printf(
        "split: %d folds, families and packages disjoint, never at random; thresholds from folds "
        "inside the other %d\n",
        FOLDS, FOLDS - 1);
    for (size_t l = 0; l <= WEBSHELL_LANGUAGE_COUNT; l++) {
        printf("%-5s shells found %zu of %zu (%.2f %%), benign alarmed %zu of %zu (%.4f %%)\n",
               l < WEBSHELL_LANGUAGE_COUNT ? webshell_language_name((enum webshell_language)l)
                                           : "all",
               found[l][1], seen[l][1],
               100.0 * (double)found[l][1] / (double)(seen[l][1] + !seen[l][1]), found[l][0],
               seen[l][0], 100.0 * (double)found[l][0] / (double)(seen[l][0] + !seen[l][0]));
    }
}

static void write_scores(const char *path)
{
    FILE *file = fopen(path, "w");

    for (size_t i = 0; file != NULL && i < sample_count; i++) {
        fprintf(file, "%d\t%d\t%s\t%.3f\t%.0f\t%d\t%d\t%s\n", samples[i].label, samples[i].is_found,
                webshell_language_name(samples[i].language), samples[i].score, samples[i].rules,
                samples[i].group, samples[i].fold, samples[i].path);
    }
    if (file == NULL || fclose(file) != 0) {
        die("cannot write", path);
    }
}

static void write_weights(const char *path, const char *note)
{
    static const char *const names[WEBSHELL_LANGUAGE_COUNT] = {"NONE", "PHP", "JSP", "ASP", "ASPX"};
    FILE *file = fopen(path, "w");
    double certain = threshold(WEBSHELL_LANGUAGE_PHP, -1, FPR_CERTAIN) + 1;
    size_t shells = 0;
    size_t written = 0;

    if (file == NULL) {
        die("cannot write", path);
    }
    for (size_t i = 0; i < sample_count; i++) {
        shells += samples[i].label != 0;
    }
    fprintf(file,
            "/* Written by tools/fit-webshell; not by hand. Fitted on %zu webshells and %zu benign "
            "files in %zu families and\n * %zu packages: %s */\n",
            shells, sample_count - shells, dealt[1], dealt[0], note);
    fit(-1, -1);
    for (size_t l = 0; l < WEBSHELL_LANGUAGE_COUNT; l++) {
        fprintf(file, "MODEL_BIAS(%s, %.4f)\n", names[l],
                bias[l] - threshold((enum webshell_language)l, -1, FPR_AIM));
    }
    fprintf(file, "MODEL_CERTAIN(%.4f)\n", certain - threshold(WEBSHELL_LANGUAGE_PHP, -1, FPR_AIM));
    for (size_t slot = 0; slot < slots; slot++) {
        double weight = fmax(-32, fmin(32, (double)weights[slot]));

        if (is_used[slot] && fabs(weight) >= 0.004) {
            fprintf(file, "W(0x%06x, %d)\n", hash_of[slot], (int)lround(weight * 1000));
            written++;
        }
    }
    if (fclose(file) != 0) {
        die("cannot write", path);
    }
    printf("%zu weights written to %s\n", written, path);
}

int main(int argc, char **argv)
{
    size_t room = (size_t)1 << TABLE_BITS;
    const char *out = NULL;
    const char *scores = NULL;
    const char *note = "";

    for (int i = 2; i + 1 < argc; i += 2) {
        out = strcmp(argv[i], "--weights") == 0 ? argv[i + 1] : out;
        scores = strcmp(argv[i], "--scores") == 0 ? argv[i + 1] : scores;
        note = strcmp(argv[i], "--note") == 0 ? argv[i + 1] : note;
    }
    weights = calloc(room, sizeof(*weights));
    squares = calloc(room, sizeof(*squares));
    is_used = calloc(room, 1);
    group_seen = calloc(room, sizeof(*group_seen));
    groups_of = calloc(room, 1);
    odds = calloc(room, sizeof(*odds));
    if (argc < 2 || weights == NULL || squares == NULL || is_used == NULL || group_seen == NULL ||
        groups_of == NULL || odds == NULL) {
        die("usage", "webshell_fit LIST [--weights OUT] [--scores OUT] [--note TEXT]");
    }
    read_list(argv[1]);
    drop_twins();
    group_shells();
    group_benign();
    deal_folds();
    prune();
    cross_validate();
    report();
    score_all();
    if (scores != NULL) {
        write_scores(scores);
    }
    if (out != NULL) {
        write_weights(out, note);
    }
}
