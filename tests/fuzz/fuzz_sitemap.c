/* Whatever a site sends as its sitemap, plain or gzip: the addresses that count are of the same
 * site and within their limits, and the page that is made of it can be read again, with no tag in
 * it that is not ours. */
#include "fuzz.h"

#include "centre/fetch/fetcher.h"
#include "centre/reader/page.h"

#define ARENA_SIZE (PAGE_ARENA_MAX + (16U << 20)) /* the page, and what was pressed */

static void check_links(const struct reader_look *look)
{
    fuzz_check(look->links.count <= READER_LINKS_MAX);
    for (size_t i = 0; i < look->links.count; i++) {
        char again[SITE_URL_MAX + 1];
        struct str url = look->links.items[i].url;

        fuzz_check(look->links.items[i].kind == READER_LINK_SITEMAP ||
                   look->links.items[i].kind == READER_LINK_PAGE);
        fuzz_check(url.len <= READER_LINK_SIZE && url_canonical(url, again, NULL) == 0);
        fuzz_check(url_is_same_site(url_host(str_from(again)), url_host(look->check.url)));
    }
}

static void check_page(struct arena *arena, struct str html)
{
    const struct page_options options = {.url = STR("https://tinh.gov.vn/sitemap.xml")};
    struct page page;

    fuzz_check(page_read(&options, html, arena, &page) == 0);
    fuzz_check(page.script_count == 0);
    for (size_t i = 0; i < page.link_count; i++) {
        fuzz_check(page.links[i].kind == PAGE_LINK_ANCHOR);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct reader_look look;
    struct str html;

    if (arena == NULL) {
        fuzz_check(arena_new(ARENA_SIZE, &arena) == 0);
    }
    arena_reset(arena);
    reader_look_init(&look, NULL, arena);
    look.check = (struct site_check){.url = STR("https://tinh.gov.vn/"),
                                     .url_final = STR("https://www.tinh.gov.vn/sitemap.xml")};
    fuzz_check(reader_read_sitemap(&look, fuzz_input(data, size), &html) == 0);
    check_links(&look);
    check_page(arena, html);
    reader_look_done(&look);
    return 0;
}
