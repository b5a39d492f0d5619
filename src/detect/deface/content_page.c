/* The features of a page as a whole: its title, its first words, how much there is of what, and how
 * it was made. Beside content.c, which has those of a piece of text. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "detect/deface/content_part.h"

#define PAGE_WORDS     256
#define BOAST_WORD_MAX 600
#define SOURCE_MAX     65536 /* of a page whose tags are looked for */

static unsigned page_outward(const struct page *page)
{
    unsigned count = 0;

    for (size_t i = 0; i < page->link_count; i++) {
        count += page->links[i].kind == PAGE_LINK_ANCHOR && page->links[i].host.len != 0;
    }
    return count;
}

static void features_put_page_shape(struct content_features *features, const struct page *page)
{
    unsigned kinds[PAGE_LINK_COUNT] = {0};

    for (size_t i = 0; i < page->link_count; i++) {
        kinds[page->links[i].kind]++;
    }
    content_put_figure(features, "page words", page->word_count);
    content_put_figure(features, "page blocks", page->block_count);
    content_put_figure(features, "page anchors", kinds[PAGE_LINK_ANCHOR]);
    content_put_figure(features, "page sheets", kinds[PAGE_LINK_STYLE]);
    content_put_figure(features, "page images", page->image_count);
    content_put_figure(features, "page scripts", page->script_count);
    content_put_figure(features, "page outward", page_outward(page));
    content_put_figure(features, "page language", page->language.len != 0);
    content_put_figure(features, "page description", page->description.len != 0);
    content_put_figure(features, "page is short", page->word_count < BOAST_WORD_MAX);
    content_put_figure(features, "page own", kinds[PAGE_LINK_ANCHOR] - page_outward(page));
    content_put_figure(features, "page media", kinds[PAGE_LINK_MEDIA] + kinds[PAGE_LINK_FRAME]);
    content_put_figure(features, "page forms", page->form_count);
    content_put_figure(features, "page generator", page->generator.len != 0);
    content_put_figure(features, "page title", page->title.len);
}

static bool source_has(struct str source, struct str mark)
{
    for (size_t at = str_find_byte(source, mark.ptr[0]); at < source.len;
         at += 1 + str_find_byte(str_slice(source, at + 1, source.len), mark.ptr[0])) {
        if (str_is_nocase(str_slice(source, at, at + mark.len), mark)) {
            return true;
        }
    }
    return false;
}

/* What pages that somebody writes in a hurry are made with, and what no tool for portals makes. */
static void features_put_page_make(struct content_features *features, const struct page *page)
{
    static const struct str marks[] = {
        STR("<marquee"), STR("<center"), STR("<font"),         STR("<blink"),   STR("<pre"),
        STR("<audio"),   STR("<embed"),  STR("bgcolor"),       STR("black"),    STR("#000"),
        STR("#0f0"),     STR("lime"),    STR("red"),           STR("courier"),  STR("autoplay"),
        STR("alert("),   STR("loop"),    STR("oncontextmenu"), STR("viewport"), STR("charset"),
        STR("<header"),  STR("<nav"),    STR("class="),        STR("href=\"/"),
    };

    for (size_t i = 0; i < ARRAY_LEN(marks) && page->source.len <= SOURCE_MAX; i++) {
        if (source_has(page->source, marks[i])) {
            content_put(features, 'm', marks[i]);
        }
    }
}

void content_of_page(struct content_features *features, const struct content_lexicon *lexicon,
                     const struct page *page, struct fold *fold)
{
    size_t room = fold->room < PAGE_WORDS ? fold->room : PAGE_WORDS;
    struct fold part = {.words = fold->words, .room = room};

    content_begin(features);
    fold_add(&part, page->title, 0);
    for (size_t i = 0; i < part.count; i++) {
        content_put(features, 'T', fold_word_str(&part.words[i]));
    }
    content_add_words(features, lexicon, part.words, part.count, false);
    content_add_manner(features, page->title);
    part.count = 0;
    for (size_t i = 0; i < page->block_count && part.count < room; i++) {
        fold_add(&part, page->blocks[i].text, page->blocks[i].offset);
        content_add_manner(features, page->blocks[i].text);
    }
    content_add_words(features, lexicon, part.words, part.count, false);
    features_put_page_shape(features, page);
    features_put_page_make(features, page);
    content_end(features);
}
