/* Any body is a page: its lists keep their limits, its texts are UTF-8 without white space at their
 * ends, offsets lie in its source, and reading it twice says the same. */
#include "fuzz.h"

#include "base/utf8.h"
#include "detect/deface/page.h"

static void check_texts(const struct page *page)
{
    fuzz_check(page->block_count <= PAGE_BLOCKS_MAX && page->link_count <= PAGE_LINKS_MAX);
    fuzz_check(page->script_count <= PAGE_SCRIPTS_MAX);
    for (size_t i = 0; i < page->block_count; i++) {
        const struct page_block *block = &page->blocks[i];

        fuzz_check(block->text.len != 0 && utf8_is_valid(block->text));
        fuzz_check(block->text.ptr[0] != ' ' && block->text.ptr[block->text.len - 1] != ' ');
        fuzz_check(block->offset < page->source.len);
    }
    for (size_t i = 0; i < page->link_count; i++) {
        const struct page_link *link = &page->links[i];

        fuzz_check(link->kind < PAGE_LINK_COUNT && link->url.len <= PAGE_URL_MAX);
        fuzz_check(link->host.len <= PAGE_HOST_MAX && link->text.len <= PAGE_LINK_TEXT_MAX);
        fuzz_check(utf8_is_valid(link->text) && link->offset < page->source.len);
    }
    fuzz_check(page->title.len <= PAGE_TITLE_MAX && utf8_is_valid(page->title));
}

static bool find_sheet(void *context, struct str url, struct str base, struct str *ret_sheet)
{
    (void)url;
    (void)base;
    *ret_sheet = *(struct str *)context;
    return true;
}

/* Up to the first NUL the style sheet that it links, behind it the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct str body = fuzz_input(data, size);
    struct page_options options = {.url = STR("https://www.tinh.gov.vn/")};
    struct str sheet;
    const struct page_sheets sheets = {&sheet, find_sheet};
    struct page first;
    struct page second;
    size_t cut = str_find_byte(body, '\0');

    if (arena == NULL) {
        fuzz_check(arena_new(PAGE_ARENA_MAX, &arena) == 0);
    }
    arena_reset(arena);
    if (cut != body.len) {
        sheet = str_slice(body, 0, cut);
        options.sheets = &sheets;
        body = str_slice(body, cut + 1, body.len);
    }
    fuzz_check(page_read(&options, body, arena, &first) == 0);
    check_texts(&first);
    fuzz_check(page_read(&options, body, arena, &second) == 0);
    fuzz_check(first.text_hash == second.text_hash && first.text_simhash == second.text_simhash);
    fuzz_check(first.structure_simhash == second.structure_simhash);
    fuzz_check(first.link_count == second.link_count && first.block_count == second.block_count);
    return 0;
}
