/* Every version of the real pages in ../shared/data/web (or CANHGAC_DATA): none is cut, nearly
 * all say something, and none of their hosts is on a published list of gambling domains. */
#include "harness.h"

#include "base/arena.h"
#include "base/buf.h"
#include "detect/deface/page.h"
#include "detect/intel/indicators.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (4U << 20)

static char body[BODY_MAX];

static const char *data_path(const char *name)
{
    static char path[1024];
    const char *folder = getenv("CANHGAC_DATA");

    (void)snprintf(path, sizeof(path), "%s/web/%s",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data", name);
    return path;
}

static int write_entry(void *context, const struct feed_entry *entry)
{
    indicator_write_entry(context, entry);
    return 0;
}

static void load_list(struct arena *arena, FILE *file, struct indicators **ret_indicators)
{
    const struct indicator_list list = {.name = STR("co-bac"), .label = STR("gambling")};
    size_t len = fread(body, 1, sizeof(body), file);
    struct indicator_writer writer;
    struct feed_report report;
    struct diag diag = {{0}};
    struct buf out;

    buf_init(&out, INDICATORS_FILE_MAX);
    indicator_write_head(&writer, &list, &out);
    assert_int_equal(feed_read(FEED_FORMAT_PLAIN, str_of(body, len), arena, write_entry, &writer,
                               &report, &diag),
                     0);
    indicator_write_end(&writer);
    assert_int_equal(indicators_new(indicators_popular(), ret_indicators, &diag), 0);
    assert_int_equal(indicators_add_file(*ret_indicators, buf_str(&out), &diag), 0);
    buf_done(&out);
}

static size_t check_page(const struct page *page, const struct indicators *indicators)
{
    assert_false(page->is_cut);
    for (size_t i = 0; i < page->link_count; i++) {
        struct indicator_hit hit;

        if (indicators_find_host(indicators, page->links[i].host, &hit)) {
            fail_msg("%.*s is on the list", STR_ARG(page->links[i].host));
        }
    }
    return page->link_count;
}

static void test_no_host_is_listed(void **state)
{
    struct archive *archive = archive_read_new();
    FILE *file = fopen(data_path("gambling-domains.txt"), "rb");
    struct page_options options = {.url = STR("https://example.vn/")};
    struct indicators *indicators = NULL;
    struct archive_entry *entry;
    struct arena *arena = NULL;
    size_t pages = 0;
    size_t links = 0;
    size_t titled = 0;

    (void)state;
    if (file == NULL) {
        (void)printf("# there is no %s\n", data_path("gambling-domains.txt"));
        (void)archive_read_free(archive);
        skip();
    }
    assert_int_equal(arena_new(PAGE_ARENA_MAX, &arena), 0);
    load_list(arena, file, &indicators);
    (void)fclose(file);
    (void)archive_read_support_filter_all(archive);
    (void)archive_read_support_format_tar(archive);
    assert_int_equal(archive_read_open_filename(archive, data_path("page-series.tar.zst"), 1 << 16),
                     ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        struct page page;
        la_ssize_t len;

        if (archive_entry_filetype(entry) != AE_IFREG) {
            continue;
        }
        len = archive_read_data(archive, body, sizeof(body));
        assert_true(len > 0);
        arena_reset(arena);
        assert_int_equal(page_read(&options, str_of(body, (size_t)len), arena, &page), 0);
        links += check_page(&page, indicators);
        titled += page.is_html && page.block_count != 0 && page.title.len != 0;
        pages++;
    }
    (void)printf("# %zu pages, %zu with title and text, %zu links, none listed\n", pages, titled,
                 links);
    assert_true(pages > 1000 && links > pages && titled * 100 >= pages * 99);
    (void)archive_read_free(archive);
    indicators_free(indicators);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_host_is_listed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
