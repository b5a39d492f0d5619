/* The judge's own features, for fitting its weights and for measuring the fit: examples in on
 * stdin, weights or scores out on stdout.
 *
 *   deface-features fit EPOCHS    prints weights.def's rows
 *   deface-features score         prints a line an example: label, best score of a topic but
 *                                 boasts, best of boasts, score of the page as one that boasts, how
 * many pieces, what the best piece is about
 *
 * An example is a line "LABEL HOST LENGTH" and so many bytes. Labels: a topic of content.h (the
 * body is a page of which every piece is of that topic), "benign" (a page none of whose pieces is
 * of any), "boast_page" (a page as a whole), "host" and "host_benign" (host names, one a line). */
#include "base/mem.h"
#include "base/prng.h"
#include "detect/deface/content.h"
#include "detect/deface/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLES_MAX  (1U << 21)
#define RATE          0.3
#define DECAY         2e-6
#define UNIT          64.0
#define FLOOR         24
#define DROPPED       55     /* of a hundred features of an example at a step */
#define AGAINST       (-0.6) /* the most that a word may say against a topic */
#define AGAINST_BOAST (-2.5) /* and against a boast, whose words the press has too */

enum kind { KIND_PIECE, KIND_PAGE, KIND_HOST };

struct example {
    uint16_t *ids;
    uint32_t count;
    int8_t label; /* column, or -1 */
    uint8_t kind;
};

struct corpus {
    struct example *rows;
    size_t count;
    int8_t label;
    bool is_scoring;
    double best;  /* topic score of the current page */
    double boast; /* the same, of boasts alone */
    unsigned pieces;
    unsigned topic;
};

static void corpus_add(struct corpus *corpus, const struct content_features *features,
                       enum kind kind)
{
    struct example *row = &corpus->rows[corpus->count];

    if (corpus->count == EXAMPLES_MAX || features->count == 0) {
        return;
    }
    row->ids = (uint16_t *)(void *)mem_dup((const char *)features->ids,
                                           features->count * sizeof(uint16_t));
    if (row->ids == NULL) {
        fprintf(stderr, "deface-features: out of memory\n");
        exit(3);
    }
    row->count = (uint32_t)features->count;
    row->label = corpus->label;
    row->kind = (uint8_t)kind;
    corpus->count++;
}

static void corpus_hear(void *context, const struct content_features *features)
{
    struct corpus *corpus = context;

    if (corpus->is_scoring) {
        double score;
        unsigned topic = content_topic(features, &score);
        double boast = content_score(features, CONTENT_CLASS_BOAST);

        corpus->boast = boast > corpus->boast ? boast : corpus->boast;
        corpus->pieces++;
        if (score > corpus->best) {
            corpus->best = score;
            corpus->topic = topic;
        }
    } else {
        corpus_add(corpus, features, KIND_PIECE);
    }
}

static void must(int r, const char *what)
{
    if (r < 0) {
        fprintf(stderr, "deface-features: %s\n", what);
        exit(3);
    }
}

struct scored {
    double page;
    double host;
};

static void read_page(struct corpus *corpus, const struct content_lexicon *lexicon,
                      struct arena *arena, struct str host, struct str body, bool is_whole,
                      struct scored *scored)
{
    static struct content_features features;
    struct news_listener listener = {corpus, corpus_hear};
    struct page page;
    struct deface_look look = {.page = &page};
    struct page_options options = {.url = arena_printf(arena, "https://%.*s/", STR_ARG(host))};
    struct fold fold;
    struct diff diff;
    struct news news;

    must(page_read(&options, body, arena, &page), "page_read failed");
    must(diff_make(NULL, NULL, &look, arena, &diff), "diff_make failed");
    must(fold_init(&fold, arena, 512), "fold_init failed");
    content_of_page(&features, lexicon, &page, &fold);
    if (corpus->is_scoring) {
        scored->page = content_score(&features, CONTENT_MODEL_PAGE);
    }
    if (!is_whole || corpus->is_scoring) {
        must(news_read(lexicon, &diff, &listener, arena, &news), "news_read failed");
    }
    if (!corpus->is_scoring && (is_whole || corpus->label == -1)) {
        corpus_add(corpus, &features, KIND_PAGE);
    }
}

static void read_hosts(struct corpus *corpus, struct str body, struct scored *scored)
{
    static struct content_features features;
    struct str name;

    while (str_cut(&body, '\n', &name)) {
        content_of_host(&features, name);
        if (corpus->is_scoring) {
            scored->host = content_score(&features, CONTENT_MODEL_HOST);
            printf("host\t0\t0\t0\t%.4f\t%.*s\n", scored->host, STR_ARG(name));
        } else {
            corpus_add(corpus, &features, KIND_HOST);
        }
    }
}

static int8_t label_column(struct str label)
{
    for (unsigned i = 0; i < CONTENT_TOPICS; i++) {
        if (str_is_text(label, content_class_name(i))) {
            return (int8_t)i;
        }
    }
    if (str_is_text(label, "boast_page")) {
        return CONTENT_MODEL_PAGE;
    }
    return str_is_text(label, "host") ? CONTENT_MODEL_HOST : -1;
}

static void corpus_read(struct corpus *corpus)
{
    struct content_lexicon *lexicon;
    struct arena *arena;
    char label[64];
    char host[256];
    size_t len;

    must(content_lexicon_new(&lexicon), "out of memory");
    must(arena_new(PAGE_ARENA_MAX + (64U << 20), &arena), "out of memory");
    while (scanf("%63s %255s %zu", label, host, &len) == 3 && getchar() == '\n') {
        char *body = mem_alloc(len + 1, 1);
        struct scored scored = {0};

        if (body == NULL || fread(body, 1, len, stdin) != len) {
            must(-1, "an example ends too early");
        }
        arena_reset(arena);
        corpus->label = label_column(str_from(label));
        corpus->best = -99;
        corpus->boast = -99;
        corpus->pieces = 0;
        if (strncmp(label, "host", 4) == 0) {
            read_hosts(corpus, str_of(body, len), &scored);
        } else {
            read_page(corpus, lexicon, arena, str_from(host), str_of(body, len),
                      corpus->label == CONTENT_MODEL_PAGE, &scored);
        }
        if (corpus->is_scoring && strncmp(label, "host", 4) != 0) {
            printf("%s\t%.4f\t%.4f\t%.4f\t%u\t%s\n", label, corpus->best, corpus->boast,
                   scored.page + CONTENT_BOAST_SHARE * corpus->boast, corpus->pieces,
                   content_class_name(corpus->topic));
        }
        mem_free(body);
    }
    arena_free(arena);
    content_lexicon_free(lexicon);
}

struct model {
    double weights[CONTENT_BUCKETS];
    double squares[CONTENT_BUCKETS];
    double bias;
    double bias_square;
    double against; /* words have no weight below it */
};

static double model_score(const struct model *model, const struct example *row)
{
    double sum = 0;

    for (uint32_t i = 0; i < row->count; i++) {
        sum += model->weights[row->ids[i]] * (row->ids[i] < CONTENT_MEANT ? 2 : 1);
    }
    return model->bias + sum / sqrt(row->count > FLOOR ? row->count : FLOOR);
}

/* Which kind of example a column learns from. */
static enum kind column_kind(unsigned column)
{
    return column == CONTENT_MODEL_PAGE   ? KIND_PAGE
           : column == CONTENT_MODEL_HOST ? KIND_HOST
                                          : KIND_PIECE;
}

/* One example less some of its features, drawn anew each time (dropout, Srivastava 2014): no word
 * is leaned on where another says the same, so that unknown wording still weighs. */
static void model_step(struct model *model, struct prng *prng, const struct example *row,
                       bool is_positive, double importance)
{
    static uint16_t kept[CONTENT_FEATURES_MAX];
    struct example part = {.ids = kept};
    double norm;
    double error;

    for (uint32_t i = 0; i < row->count; i++) {
        if (prng_below(prng, 100) >= DROPPED) {
            kept[part.count++] = row->ids[i];
        }
    }
    norm = sqrt(part.count > FLOOR ? part.count : FLOOR);
    error = importance * ((is_positive ? 1.0 : 0.0) - 1 / (1 + exp(-model_score(model, &part))));
    for (uint32_t i = 0; i < part.count; i++) {
        bool is_meant = kept[i] < CONTENT_MEANT;
        double *weight = &model->weights[kept[i]];
        double slope = error * (is_meant ? 2 : 1) / norm - DECAY * *weight;

        model->squares[kept[i]] += slope * slope;
        *weight += RATE * slope / sqrt(model->squares[kept[i]] + 1e-8);
        *weight = !is_meant && *weight < model->against ? model->against : *weight;
    }
    model->bias_square += error * error;
    model->bias += RATE * error / sqrt(model->bias_square + 1e-8);
}

/* Both sides weigh alike; logistic loss, AdaGrad (Duchi 2011). */
static void model_fit(struct model *model, const struct corpus *corpus, unsigned column,
                      unsigned epochs)
{
    uint32_t *order = mem_alloc(corpus->count + 1, sizeof(*order));
    size_t count = 0;
    size_t positive = 0;
    struct prng prng;

    must(order != NULL ? 0 : -1, "out of memory");
    prng_init(&prng, column);
    model->against = column == CONTENT_MODEL_HOST    ? -HUGE_VAL
                     : column == CONTENT_CLASS_BOAST ? AGAINST_BOAST
                                                     : AGAINST;
    for (size_t i = 0; i < corpus->count; i++) {
        if (corpus->rows[i].kind == (uint8_t)column_kind(column)) {
            order[count++] = (uint32_t)i;
            positive += corpus->rows[i].label == (int8_t)column;
        }
    }
    for (unsigned epoch = 0; epoch < epochs; epoch++) {
        for (size_t i = count; i > 1; i--) {
            size_t j = prng_below(&prng, i);
            uint32_t swap = order[i - 1];

            order[i - 1] = order[j];
            order[j] = swap;
        }
        for (size_t i = 0; i < count; i++) {
            const struct example *row = &corpus->rows[order[i]];
            bool is_positive = row->label == (int8_t)column;
            double share = (double)(is_positive ? positive : count - positive);

            model_step(model, &prng, row, is_positive, 0.5 * (double)count / share);
        }
    }
    fprintf(stderr, "column %u: %zu examples, %zu positive\n", column, count, positive);
    mem_free(order);
}

static long weight_round(double weight)
{
    double scaled = weight * UNIT;

    return lround(scaled > INT16_MAX ? INT16_MAX : scaled < INT16_MIN ? INT16_MIN : scaled);
}

static void models_print(const struct model *models)
{
    printf("BIAS(");
    for (unsigned column = 0; column < CONTENT_MODEL_COUNT; column++) {
        printf("%s%.4f", column != 0 ? ", " : "", models[column].bias);
    }
    printf(")\n");
    for (unsigned bucket = 0; bucket < CONTENT_BUCKETS; bucket++) {
        printf("WEIGHT(%u", bucket);
        for (unsigned column = 0; column < CONTENT_MODEL_COUNT; column++) {
            printf(",%ld", weight_round(models[column].weights[bucket]));
        }
        printf(")\n");
    }
}

int main(int argc, char **argv)
{
    struct corpus corpus = {.is_scoring = argc == 2 && strcmp(argv[1], "score") == 0};
    struct model *models = mem_alloc(CONTENT_MODEL_COUNT, sizeof(*models));

    if (!corpus.is_scoring && (argc != 3 || strcmp(argv[1], "fit") != 0)) {
        fprintf(stderr, "usage: deface-features score | fit EPOCHS\n");
        return 2;
    }
    corpus.rows = mem_alloc(EXAMPLES_MAX, sizeof(*corpus.rows));
    must(models != NULL && corpus.rows != NULL ? 0 : -1, "out of memory");
    corpus_read(&corpus);
    if (!corpus.is_scoring) {
        for (unsigned column = 0; column < CONTENT_MODEL_COUNT; column++) {
            model_fit(&models[column], &corpus, column, (unsigned)strtoul(argv[2], NULL, 10));
        }
        models_print(models);
    }
    for (size_t i = 0; i < corpus.count; i++) {
        mem_free(corpus.rows[i].ids);
    }
    mem_free(corpus.rows);
    mem_free(models);
    return 0;
}
