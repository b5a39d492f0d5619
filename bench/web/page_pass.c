/* The pass over a page as it comes from a server: inflate, page_read, and every link's host and all
 * text looked up in lists; beside gumbo and libxml2, which only build their trees of the same
 * pages. Usage: page-pass SERIES.tar.zst DOMAINS.txt [--json] Processor time of one thread, medians
 * of rounds in which all take their turn. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "detect/deface/page.h"
#include "detect/intel/indicators.h"

#include <archive.h>
#include <archive_entry.h>
#include <gumbo.h>
#include <libdeflate.h>
#include <libxml/HTMLparser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define PAGES_MAX 128
#define STEP      20 /* of the versions in the archive, one in so many */
#define ROUNDS    9
#define BODY_MAX  (4U << 20)

struct sample {
    char *body;
    size_t len;
    unsigned char *packed;
    size_t packed_len;
};

struct bench {
    struct sample samples[PAGES_MAX];
    size_t count;
    size_t bytes;
    char *room;
    struct arena *arena;
    struct indicators *indicators;
    struct libdeflate_decompressor *inflater;
    uint64_t sum; /* of whatever comes out, so that nothing is left out */
};

static void must(bool is_done, const char *what)
{
    if (!is_done) {
        (void)fprintf(stderr, "page-pass: %s failed\n", what);
        exit(3);
    }
}

static void pack(struct sample *sample)
{
    z_stream stream = {0};

    sample->packed = malloc(sample->len + 1024);
    must(sample->packed != NULL && deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, 0) == Z_OK, "gzip");
    stream.next_in = (unsigned char *)sample->body;
    stream.avail_in = (unsigned)sample->len;
    stream.next_out = sample->packed;
    stream.avail_out = (unsigned)sample->len + 1024;
    must(deflate(&stream, Z_FINISH) == Z_STREAM_END, "gzip");
    sample->packed_len = stream.total_out;
    (void)deflateEnd(&stream);
}

static void load_pages(struct bench *bench, const char *path)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    unsigned seen = 0;

    (void)archive_read_support_filter_all(archive);
    (void)archive_read_support_format_tar(archive);
    must(archive_read_open_filename(archive, path, 1 << 16) == ARCHIVE_OK, path);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK && bench->count < PAGES_MAX) {
        struct sample *sample = &bench->samples[bench->count];
        la_ssize_t len;

        if (archive_entry_filetype(entry) != AE_IFREG || seen++ % STEP != 0) {
            continue;
        }
        len = archive_read_data(archive, bench->room, BODY_MAX);
        must(len > 0, "reading a page");
        sample->len = (size_t)len;
        sample->body = malloc(sample->len);
        must(sample->body != NULL, "memory");
        memcpy(sample->body, bench->room, sample->len);
        pack(sample);
        bench->bytes += sample->len;
        bench->count++;
    }
    (void)archive_read_free(archive);
    must(bench->count != 0, "finding pages");
}

static int write_entry(void *context, const struct feed_entry *entry)
{
    struct feed_entry phrase = {.kind = FEED_KIND_PHRASE, .value = entry->value};

    indicator_write_entry(context, entry);
    phrase.value.len = str_find_byte(entry->value, '.');
    if (phrase.value.len >= 6 &&
        phrase.value.len <= FEED_PHRASE_MAX) { /* a brand is a phrase too */
        indicator_write_entry(context, &phrase);
    }
    return 0;
}

static void load_lists(struct bench *bench, const char *path)
{
    const struct indicator_list list = {.name = STR("bench"), .label = STR("gambling")};
    struct indicator_writer writer;
    struct feed_report report;
    struct diag diag = {{0}};
    struct buf out;
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(bench->room, 1, BODY_MAX, file) : 0;

    must(len != 0, path);
    (void)fclose(file);
    buf_init(&out, INDICATORS_FILE_MAX);
    indicator_write_head(&writer, &list, &out);
    must(feed_read(FEED_FORMAT_PLAIN, str_of(bench->room, len), bench->arena, write_entry, &writer,
                   &report, &diag) == 0,
         "reading the list");
    indicator_write_end(&writer);
    must(indicators_new(indicators_popular(), &bench->indicators, &diag) == 0 &&
             indicators_add_file(bench->indicators, buf_str(&out), &diag) == 0,
         "loading the list");
    buf_done(&out);
}

static struct str inflate_zlib(struct bench *bench, const struct sample *sample)
{
    z_stream stream = {.next_in = sample->packed, .avail_in = (unsigned)sample->packed_len};

    must(inflateInit2(&stream, 31) == Z_OK, "inflate");
    stream.next_out = (unsigned char *)bench->room;
    stream.avail_out = BODY_MAX;
    must(inflate(&stream, Z_FINISH) == Z_STREAM_END, "inflate");
    (void)inflateEnd(&stream);
    return str_of(bench->room, stream.total_out);
}

static struct str inflate_libdeflate(struct bench *bench, const struct sample *sample)
{
    size_t len = 0;

    must(libdeflate_gzip_decompress(bench->inflater, sample->packed, sample->packed_len,
                                    bench->room, BODY_MAX, &len) == LIBDEFLATE_SUCCESS,
         "inflate");
    return str_of(bench->room, len);
}

static void read_body(struct bench *bench, struct str body, struct page *ret_page)
{
    const struct page_options options = {.url = STR("https://www.tinh.gov.vn/")};

    arena_reset(bench->arena);
    must(page_read(&options, body, bench->arena, ret_page) == 0, "page_read");
    bench->sum += ret_page->text_simhash;
}

static void look_up(struct bench *bench, const struct page *page)
{
    static char folded[BODY_MAX];
    struct indicator_hit hit;

    for (size_t i = 0; i < page->link_count; i++) {
        bench->sum += indicators_find_host(bench->indicators, page->links[i].host, &hit);
    }
    for (size_t i = 0; i < page->block_count; i++) {
        size_t len = utf8_fold(page->blocks[i].text, folded, sizeof(folded));

        bench->sum += indicators_find_phrase(bench->indicators, str_of(folded, len), 0, &hit);
    }
}

static void do_zlib(struct bench *bench, const struct sample *sample)
{
    bench->sum += inflate_zlib(bench, sample).len;
}

static void do_libdeflate(struct bench *bench, const struct sample *sample)
{
    bench->sum += inflate_libdeflate(bench, sample).len;
}

static void do_read(struct bench *bench, const struct sample *sample)
{
    struct page page;

    read_body(bench, str_of(sample->body, sample->len), &page);
}

static void do_read_and_look_up(struct bench *bench, const struct sample *sample)
{
    struct page page;

    read_body(bench, str_of(sample->body, sample->len), &page);
    look_up(bench, &page);
}

static void do_all(struct bench *bench, const struct sample *sample)
{
    struct page page;

    read_body(bench, inflate_libdeflate(bench, sample), &page);
    look_up(bench, &page);
}

static void do_all_zlib(struct bench *bench, const struct sample *sample)
{
    struct page page;

    read_body(bench, inflate_zlib(bench, sample), &page);
    look_up(bench, &page);
}

static void do_gumbo(struct bench *bench, const struct sample *sample)
{
    GumboOutput *output =
        gumbo_parse_with_options(&kGumboDefaultOptions, sample->body, sample->len);

    bench->sum += output->root->v.element.children.length;
    gumbo_destroy_output(&kGumboDefaultOptions, output);
}

static void do_libxml2(struct bench *bench, const struct sample *sample)
{
    htmlDocPtr doc = htmlReadMemory(sample->body, (int)sample->len, NULL, "utf-8",
                                    HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER |
                                        HTML_PARSE_NONET);

    bench->sum += doc != NULL;
    xmlFreeDoc(doc);
}

static const struct stage {
    const char *name;
    void (*run)(struct bench *bench, const struct sample *sample);
    const char *goal;
} stages[] = {
    {"inflate, features, literals", do_all, ">= 250 MB/s, >= 1,000 pages/s"},
    {"the same with zlib's inflate", do_all_zlib, ""},
    {"inflate alone (libdeflate)", do_libdeflate, ""},
    {"inflate alone (zlib)", do_zlib, ""},
    {"features alone", do_read, ""},
    {"features and literals", do_read_and_look_up, ""},
    {"peer: libxml2, tree only", do_libxml2, ""},
    {"peer: gumbo, tree only", do_gumbo, ""},
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print(const struct bench *bench, const double medians[STAGES], bool is_json)
{
    if (!is_json) {
        printf("| page pass, one core (%zu pages of %zu KB) | MB/s | pages/s | times gumbo | goal "
               "|\n|---|---|---|---|---|\n",
               bench->count, bench->bytes / bench->count / 1000);
    }
    for (size_t i = 0; i < STAGES; i++) {
        printf(is_json ? "{\"bench\":\"web\",\"part\":\"page\",\"what\":\"%s\",\"mb_s\":%.0f,"
                         "\"pages_s\":%.0f,\"times_gumbo\":%.1f,\"goal\":\"%s\"}\n"
                       : "| %s | %.0f | %.0f | %.1f | %s |\n",
               stages[i].name, (double)bench->bytes / medians[i] / 1e6,
               (double)bench->count / medians[i], medians[STAGES - 1] / medians[i], stages[i].goal);
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static double times[STAGES][ROUNDS];
    double medians[STAGES];
    bool is_json = argc > 3 && strcmp(argv[3], "--json") == 0;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: page-pass SERIES.tar.zst DOMAINS.txt [--json]\n");
        return 2;
    }
    bench.room = malloc(BODY_MAX);
    bench.inflater = libdeflate_alloc_decompressor();
    must(bench.room != NULL && bench.inflater != NULL, "memory");
    must(arena_new(PAGE_ARENA_MAX, &bench.arena) == 0, "memory");
    load_pages(&bench, argv[1]);
    load_lists(&bench, argv[2]);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < STAGES; i++) {
            double start = seconds();

            for (size_t p = 0; p < bench.count; p++) {
                stages[i].run(&bench, &bench.samples[p]);
            }
            times[i][round] = seconds() - start;
        }
    }
    for (size_t i = 0; i < STAGES; i++) {
        qsort(times[i], ROUNDS, sizeof(double), compare_doubles);
        medians[i] = times[i][ROUNDS / 2];
    }
    print(&bench, medians, is_json);
    return bench.sum != 0 ? 0 : 3;
}
