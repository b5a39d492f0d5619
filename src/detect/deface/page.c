/* The walk over a page's tags: a stack of what is open instead of a tree. On the data's way:
 * charset.c, html.c → here → judge. Invariants: one pass; the stack holds PAGE_DEPTH_MAX elements
 * whatever comes; every list has its limit; an error ends the walk. */
#include "detect/deface/page.h"

#include "base/banned.h"
#include "base/err.h"
#include "codec/charset.h"
#include "detect/deface/page_part.h"

#include <string.h>
#include <xxhash.h>

void *page_grow(struct page_reader *reader, void *list, size_t count, size_t *room, size_t size,
                size_t limit)
{
    size_t more = *room != 0 ? *room * 2 : 64;
    void *grown;

    if (count < *room) {
        return list;
    }
    if (count == limit) {
        reader->page.is_cut = true;
        return list;
    }
    more = more < limit ? more : limit;
    grown = arena_alloc(reader->arena, more, size);
    if (grown == NULL) {
        reader->error = -ERR_NOMEM;
        return list;
    }
    if (count != 0) {
        memcpy(grown, list, count * size);
    }
    *room = more;
    return grown;
}

static struct page_element *page_top(struct page_reader *reader)
{
    return &reader->stack[reader->depth];
}

static uint32_t *page_open_count(struct page_reader *reader, enum html_tag tag, uint64_t key)
{
    size_t slot = tag != HTML_TAG_OTHER ? tag : HTML_TAG_COUNT + (key * 0x9e3779b97f4a7c15U >> 58);

    return &reader->open_count[slot];
}

static void page_pop_to(struct page_reader *reader, size_t index)
{
    while (reader->depth >= index) {
        struct page_element *top = page_top(reader);

        if (top->tag == HTML_TAG_A) {
            page_link_take_text(reader);
            reader->anchor = PAGE_NO_LINK;
        }
        (*page_open_count(reader, top->tag, top->key))--;
        reader->depth--;
    }
}

static bool is_table_part(enum html_tag tag)
{
    return tag == HTML_TAG_TD || tag == HTML_TAG_TH || tag == HTML_TAG_TR ||
           tag == HTML_TAG_TBODY || tag == HTML_TAG_THEAD || tag == HTML_TAG_TFOOT ||
           tag == HTML_TAG_CAPTION;
}

/* Whether an end tag may end what stands outside of this open element. */
static bool page_reaches_through(enum html_tag open, enum html_tag closing)
{
    if ((html_traits(open) & HTML_BARRIER) == 0 || closing == HTML_TAG_BODY ||
        closing == HTML_TAG_HTML || closing == HTML_TAG_TABLE) {
        return true;
    }
    return is_table_part(open) && is_table_part(closing);
}

static void page_close(struct page_reader *reader, enum html_tag tag, uint64_t key)
{
    if (reader->excess != 0) {
        reader->excess--;
        return;
    }
    if (*page_open_count(reader, tag, key) == 0) {
        return;
    }
    for (size_t i = reader->depth; i != 0; i--) {
        if (reader->stack[i].key == key) {
            page_pop_to(reader, i);
            return;
        }
        if (!page_reaches_through(reader->stack[i].tag, tag)) {
            return;
        }
    }
}

/* 0: no sibling of it needs an end tag. */
static unsigned item_family(enum html_tag tag)
{
    static const uint8_t families[HTML_TAG_COUNT] = {
        [HTML_TAG_LI] = 1,       [HTML_TAG_DT] = 2,    [HTML_TAG_DD] = 2,    [HTML_TAG_OPTION] = 3,
        [HTML_TAG_OPTGROUP] = 3, [HTML_TAG_TD] = 4,    [HTML_TAG_TH] = 4,    [HTML_TAG_TR] = 5,
        [HTML_TAG_TBODY] = 6,    [HTML_TAG_THEAD] = 6, [HTML_TAG_TFOOT] = 6,
    };

    return families[tag];
}

#define FAMILY_CELL 4

/* Whether an item ends this open one: a sibling, or for parts of tables what is smaller. */
static bool item_ends(unsigned family, enum html_tag open)
{
    unsigned other = item_family(open);

    return other == family || (family > FAMILY_CELL && other >= FAMILY_CELL && other < family);
}

/* Whether an open element keeps a new item from ending what stands outside of it. */
static bool item_is_kept_by(unsigned family, enum html_tag open)
{
    if (family >= FAMILY_CELL) {
        return open == HTML_TAG_TABLE || open == HTML_TAG_TEMPLATE || open == HTML_TAG_HTML;
    }
    return (html_traits(open) & HTML_BLOCK) != 0 && open != HTML_TAG_DIV && open != HTML_TAG_P &&
           open != HTML_TAG_ADDRESS;
}

/* Ends that are not written: <li> ends the <li> before it, any block a paragraph. */
static void page_close_implied(struct page_reader *reader, enum html_tag tag)
{
    unsigned family = item_family(tag);
    size_t found = 0;

    for (size_t i = reader->depth; i != 0 && family != 0; i--) {
        enum html_tag open = reader->stack[i].tag;

        if (item_ends(family, open)) {
            found = i;
            if (family <= FAMILY_CELL) {
                break;
            }
        } else if (item_is_kept_by(family, open)) {
            break;
        }
    }
    if (found != 0) {
        page_pop_to(reader, found);
    }
    if ((html_traits(tag) & HTML_BLOCK) == 0 || reader->open_count[HTML_TAG_P] == 0 ||
        tag == HTML_TAG_BR || tag == HTML_TAG_BUTTON) {
        return;
    }
    for (size_t i = reader->depth; i != 0; i--) {
        enum html_tag open = reader->stack[i].tag;

        if (open == HTML_TAG_P) {
            page_pop_to(reader, i);
            return;
        }
        if ((html_traits(open) & (HTML_BLOCK | HTML_BARRIER)) != 0) {
            return;
        }
    }
}

static void page_push(struct page_reader *reader, const struct page_element *element)
{
    if (reader->depth + 1 == PAGE_DEPTH_MAX) {
        reader->excess++;
        return;
    }
    reader->stack[++reader->depth] = *element;
    (*page_open_count(reader, element->tag, element->key))++;
}

/* A tag, its parent's tag and its depth, as one number. */
static void page_count_tag(struct page_reader *reader, const struct html_token *token)
{
    uint64_t feature = token->key * 0x9e3779b97f4a7c15U;

    feature = (feature ^ page_top(reader)->key) * 0xbf58476d1ce4e5b9U;
    feature = (feature ^ feature >> 31 ^ reader->depth) * 0x94d049bb133111ebU;
    page_simhash_add(&reader->structure, feature ^ feature >> 29);
    reader->page.tag_count++;
    reader->page.is_html = reader->page.is_html || token->tag != HTML_TAG_OTHER;
}

static void page_open_tag(struct page_reader *reader, const struct html_token *token)
{
    unsigned traits = html_traits(token->tag);
    struct page_element element = {.key = token->key, .tag = token->tag};
    bool is_closed =
        (traits & HTML_VOID) != 0 || (token->is_self_closing && reader->html.foreign != 0);

    if ((traits & HTML_BLOCK) != 0) {
        page_text_break(reader);
    }
    if (token->tag == HTML_TAG_A && reader->open_count[HTML_TAG_A] != 0) {
        page_close(reader, HTML_TAG_A, token->key);
    }
    page_close_implied(reader, token->tag);
    page_count_tag(reader, token);
    page_style_of(reader, token, page_top(reader), &element);
    page_tag_facts(reader, token, element.hiding);
    if (!is_closed) {
        page_push(reader, &element);
    }
}

static void page_close_tag(struct page_reader *reader, const struct html_token *token)
{
    if ((html_traits(token->tag) & HTML_BLOCK) != 0) {
        page_text_break(reader);
    }
    if (token->tag == HTML_TAG_FORM) {
        reader->form = PAGE_NO_LINK;
    }
    page_close(reader, token->tag, token->key);
}

/* The contents of an element that has no tags inside: token->tag is the element's. */
static void page_raw(struct page_reader *reader, const struct html_token *token)
{
    int r = 0;

    if (token->tag == HTML_TAG_SCRIPT) {
        page_script_add(reader, token->text, token->offset, reader->is_data_script);
    } else if (token->tag == HTML_TAG_STYLE) {
        r = page_rules_add(reader, token->text);
    } else if (token->tag == HTML_TAG_TITLE) {
        if (!reader->has_title && reader->html.foreign == 0) {
            reader->page.title = page_text_plain(reader, token->text, PAGE_TITLE_MAX);
            reader->has_title = true;
        }
    } else if ((html_traits(token->tag) & HTML_BLOCK) != 0) { /* textarea, xmp, plaintext */
        page_text_add(reader, token->text, token->offset);
    }
    if (r < 0) {
        reader->error = r;
    }
}

static void page_walk(struct page_reader *reader)
{
    const struct html_token *token;

    while (reader->error == 0 && (token = html_next(&reader->html)) != NULL) {
        switch (token->kind) {
        case HTML_KIND_TEXT:
            page_text_add(reader, token->text, token->offset);
            break;
        case HTML_KIND_OPEN:
            page_open_tag(reader, token);
            break;
        case HTML_KIND_CLOSE:
            page_close_tag(reader, token);
            break;
        case HTML_KIND_RAW:
            page_raw(reader, token);
            break;
        case HTML_KIND_COMMENT:
        case HTML_KIND_COUNT:
            break;
        }
    }
    page_text_break(reader);
}

static void page_finish(struct page_reader *reader, struct page *ret_page)
{
    struct page *page = &reader->page;

    page->text_hash = reader->text_hash;
    page->text_simhash = page_simhash_result(&reader->text);
    page->structure_simhash = page_simhash_result(&reader->structure);
    page->blocks = reader->blocks;
    page->links = reader->links;
    page->scripts = reader->scripts;
    *ret_page = *page;
}

int page_read(const struct page_options *options, struct str body, struct arena *arena,
              struct page *ret_page)
{
    struct page_reader *reader = arena_alloc(arena, 1, sizeof(*reader));
    struct str source = str_slice(body, 0, PAGE_SIZE_MAX);

    if (reader == NULL) {
        return -ERR_NOMEM;
    }
    source = charset_decode(source, charset_find(source, options->charset), arena);
    if (source.ptr == NULL && body.len != 0) {
        return -ERR_NOMEM;
    }
    reader->arena = arena;
    reader->options = options;
    reader->page.size = body.len;
    reader->page.source = source;
    reader->page.is_cut = body.len > PAGE_SIZE_MAX;
    reader->page.body_hash = XXH3_64bits(body.ptr, body.len);
    reader->anchor = PAGE_NO_LINK;
    reader->form = PAGE_NO_LINK;
    reader->stack[0].colour = CSS_COLOUR_UNKNOWN;
    reader->stack[0].background = CSS_COLOUR_NONE;
    reader->own_host = page_url_host(options->url, arena);
    html_open(&reader->html, source);
    if (reader->own_host.ptr == NULL) {
        return -ERR_NOMEM;
    }
    page_walk(reader);
    if (reader->error != 0) {
        return reader->error;
    }
    page_finish(reader, ret_page);
    return 0;
}
