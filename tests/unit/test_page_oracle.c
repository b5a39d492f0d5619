/* page_read beside gumbo, which builds the tree of the standard: the same words, links and scripts.
 * On generated well-formed pages exactly; on real ones (../shared/data/web, or CANHGAC_DATA) all
 * but one word, link or script in a thousand. */
#include "prop.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/html.h"
#include "detect/deface/page.h"

#include <archive.h>
#include <archive_entry.h>
#include <gumbo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX    (4U << 20)
#define SERIES_STEP 41 /* of the 2,094 versions, so many are passed over */

struct said {
    struct buf text;    /* words, each with a line end */
    struct buf links;   /* kind and address, each with a line end */
    struct buf scripts; /* inline ones, each with a NUL */
};

static void said_init(struct said *said)
{
    buf_init(&said->text, PAGE_MAX * 2);
    buf_init(&said->links, PAGE_MAX * 2);
    buf_init(&said->scripts, PAGE_MAX * 2);
}

static void said_done(struct said *said)
{
    buf_done(&said->text);
    buf_done(&said->links);
    buf_done(&said->scripts);
}

static bool is_space(struct str s, size_t *ret_len)
{
    uint32_t rune = 0;
    size_t width = s.len != 0 ? utf8_decode(s, &rune) : 0;

    *ret_len = width != 0 ? width : 1;
    return width != 0 && (rune <= ' ' || rune == 0x7f || rune == 0xa0 || rune == 0x1680 ||
                          (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 ||
                          rune == 0x202f || rune == 0x205f || rune == 0x3000);
}

/* One word a line, whatever white space parted them. */
static void put_words(struct buf *out, struct str text)
{
    bool has_word = false;

    for (size_t at = 0; at < text.len;) {
        size_t len;

        if (is_space(str_slice(text, at, text.len), &len)) {
            if (has_word) {
                buf_put_byte(out, '\n');
            }
            has_word = false;
        } else {
            buf_put(out, text.ptr + at, len);
            has_word = true;
        }
        at += len;
    }
    if (has_word) {
        buf_put_byte(out, '\n');
    }
}

static void put_link(struct buf *out, enum page_link_kind kind, struct str url)
{
    url = str_trim(url);
    url.len = url.len < PAGE_URL_MAX ? url.len : PAGE_URL_MAX;
    buf_putf(out, "%u ", (unsigned)kind);
    for (size_t i = 0; i < url.len; i++) {
        buf_put_byte(out, (unsigned char)(url.ptr[i] == '\n' ? ' ' : url.ptr[i]));
    }
    buf_put_byte(out, '\n');
}

static void say_page(struct str body, struct arena *arena, struct said *said)
{
    struct page_options options = {.url = STR("https://example.vn/")};
    struct page page;

    assert_int_equal(page_read(&options, body, arena, &page), 0);
    for (size_t i = 0; i < page.block_count; i++) {
        put_words(&said->text, page.blocks[i].text);
    }
    for (size_t i = 0; i < page.link_count; i++) {
        if (page.links[i].kind <= PAGE_LINK_FRAME || page.links[i].kind == PAGE_LINK_IMAGE) {
            put_link(&said->links, page.links[i].kind, page.links[i].url);
        }
    }
    for (size_t i = 0; i < page.script_count; i++) {
        buf_put_str(&said->scripts, page.scripts[i].text);
        buf_put_byte(&said->scripts, '\0');
    }
}

static enum html_tag tag_of(const GumboElement *element)
{
    GumboStringPiece piece = element->original_tag;

    gumbo_tag_from_original_text(&piece);
    if (element->tag != GUMBO_TAG_UNKNOWN) {
        return html_tag(html_key(str_from(gumbo_normalized_tagname(element->tag))));
    }
    return html_tag(html_key(str_of(piece.data, piece.length)));
}

static void say_attribute(const GumboElement *element, const char *name, enum page_link_kind kind,
                          struct said *said)
{
    const GumboAttribute *attribute = gumbo_get_attribute(&element->attributes, name);

    if (attribute != NULL) {
        put_link(&said->links, kind, str_from(attribute->value));
    }
}

static void say_element(const GumboElement *element, enum html_tag tag, struct said *said)
{
    if (tag == HTML_TAG_A || tag == HTML_TAG_AREA) {
        say_attribute(element, "href", PAGE_LINK_ANCHOR, said);
    } else if (tag == HTML_TAG_SCRIPT) {
        say_attribute(element, "src", PAGE_LINK_SCRIPT, said);
    } else if (tag == HTML_TAG_IFRAME || tag == HTML_TAG_FRAME || tag == HTML_TAG_EMBED) {
        say_attribute(element, "src", PAGE_LINK_FRAME, said);
    } else if (tag == HTML_TAG_OBJECT) {
        say_attribute(element, "data", PAGE_LINK_FRAME, said);
    } else if (tag == HTML_TAG_IMG) {
        say_attribute(element, "src", PAGE_LINK_IMAGE, said);
    } else if (tag == HTML_TAG_LINK) {
        const GumboAttribute *rel = gumbo_get_attribute(&element->attributes, "rel");

        if (rel != NULL &&
            (strcmp(rel->value, "icon") == 0 || strcmp(rel->value, "shortcut icon") == 0)) {
            say_attribute(element, "href", PAGE_LINK_IMAGE, said);
        }
    }
}

static void say_raw(const GumboElement *element, struct buf *out)
{
    for (unsigned i = 0; i < element->children.length; i++) {
        const GumboNode *child = element->children.data[i];
        struct str text = str_trim(str_from(child->v.text.text));

        if (text.len != 0) {
            buf_put_str(out, text);
            buf_put_byte(out, '\0');
        }
    }
}

/* The text of a tree, with a line end at each border of a block. */
static void say_node(const GumboNode *node, struct said *said, struct buf *text)
{
    const GumboElement *element = &node->v.element;
    enum html_tag tag;
    bool is_block;

    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
        node->type == GUMBO_NODE_CDATA) {
        buf_put_text(text, node->v.text.text);
        return;
    }
    if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE) {
        return;
    }
    tag = tag_of(element);
    is_block = (html_traits(tag) & HTML_BLOCK) != 0;
    say_element(element, tag, said);
    if (tag == HTML_TAG_SCRIPT) {
        say_raw(element, &said->scripts);
        return;
    }
    if (tag == HTML_TAG_TITLE || ((html_traits(tag) & HTML_RAW_TEXT) != 0 && !is_block)) {
        return;
    }
    buf_put_text(text, is_block ? "\n" : "");
    for (unsigned i = 0; i < element->children.length; i++) {
        say_node(element->children.data[i], said, text);
    }
    buf_put_text(text, is_block ? "\n" : "");
}

static void say_gumbo(struct str body, struct said *said)
{
    GumboOptions options = kGumboDefaultOptions;
    GumboOutput *output = gumbo_parse_with_options(&options, body.ptr, body.len);
    struct buf text;

    buf_init(&text, PAGE_MAX * 2);
    say_node(output->root, said, &text);
    assert_int_equal(buf_error(&text), 0);
    put_words(&said->text, buf_str(&text));
    buf_done(&text);
    gumbo_destroy_output(&options, output);
}

static int compare_items(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static size_t items_of(struct str list, char end, struct str **ret_items)
{
    size_t count = 0;
    struct str rest = list;
    struct str item;
    struct str *items;

    while (str_cut(&rest, end, &item)) {
        count++;
    }
    items = malloc((count + 1) * sizeof(*items));
    assert_non_null(items);
    count = 0;
    while (str_cut(&list, end, &item)) {
        items[count++] = item;
    }
    qsort(items, count, sizeof(*items), compare_items);
    *ret_items = items;
    return count;
}

struct agreement {
    size_t same;
    size_t all;
};

/* Adds how many items two lists share, out of the longer one. */
static void agree(struct agreement *agreement, const struct buf *a, const struct buf *b, char end)
{
    struct str *items_a;
    struct str *items_b;
    size_t count_a = items_of(buf_str(a), end, &items_a);
    size_t count_b = items_of(buf_str(b), end, &items_b);
    size_t i = 0;
    size_t j = 0;

    while (i < count_a && j < count_b) {
        int order = str_compare(items_a[i], items_b[j]);

        agreement->same += order == 0;
        if (order != 0 && getenv("CANHGAC_SHOW") != NULL) {
            struct str only = order < 0 ? items_a[i] : items_b[j];

            (void)printf("%s: %.*s\n", order < 0 ? "ours" : "gumbo",
                         STR_ARG(str_slice(only, 0, 120)));
        }
        i += order <= 0;
        j += order >= 0;
    }
    agreement->all += count_a > count_b ? count_a : count_b;
    free(items_a);
    free(items_b);
}

static const char *const leaf_texts[] = {"Thông báo",    "a &amp; b", "1 &lt; 2", "&eacute;té", "x",
                                         "tin&nbsp;tức", "số &#272;", " ",        "\n"};
static const char *const containers[] = {"div", "span", "b", "section", "em", "blockquote", "i"};

static void draw_html(struct prop *prop, struct buf *out, unsigned depth)
{
    size_t count = prop_below(prop, 5);

    for (size_t i = 0; i < count; i++) {
        const char *tag = containers[prop_below(prop, ARRAY_LEN(containers))];

        switch (depth < 6 ? prop_below(prop, 9) : 0) {
        case 1:
        case 2:
            buf_putf(out, "<%s class=\"a%u\">", tag, (unsigned)prop_below(prop, 9));
            draw_html(prop, out, depth + 1);
            buf_putf(out, "</%s>", tag);
            break;
        case 3:
            buf_putf(out, "<a href='/p?a=%u&amp;b=2'>x</a>", (unsigned)prop_below(prop, 99));
            break;
        case 4:
            buf_put_text(out, "<ul><li>một<li>hai</ul>");
            break;
        case 5:
            buf_put_text(out, "<img src=a.png alt=b><br/>");
            break;
        case 6:
            buf_putf(out, "<script>if (a < %u) { b('</p>'); }</script>",
                     (unsigned)prop_below(prop, 9));
            break;
        case 7:
            buf_put_text(out, "<table><tr><td>c<td>d</table><!-- x > y -->");
            break;
        default:
            buf_put_text(out, leaf_texts[prop_below(prop, ARRAY_LEN(leaf_texts))]);
            break;
        }
    }
}

static const char *reads_as_gumbo(struct prop *prop)
{
    struct said ours;
    struct said theirs;
    struct buf html;
    const char *fault = NULL;

    buf_init(&html, 1 << 20);
    said_init(&ours);
    said_init(&theirs);
    buf_put_text(&html, "<!DOCTYPE html><html><head><title>t</title></head><body>");
    draw_html(prop, &html, 0);
    buf_put_text(&html, "</body></html>");
    say_page(buf_str(&html), prop->arena, &ours);
    say_gumbo(buf_str(&html), &theirs);
    if (!str_is(buf_str(&ours.text), buf_str(&theirs.text))) {
        fault = "the words differ";
    } else if (!str_is(buf_str(&ours.links), buf_str(&theirs.links))) {
        fault = "the links differ";
    } else if (!str_is(buf_str(&ours.scripts), buf_str(&theirs.scripts))) {
        fault = "the scripts differ";
    }
    if (fault != NULL && prop->is_replaying) {
        (void)printf("%.*s\n", STR_ARG(buf_str(&html)));
    }
    said_done(&ours);
    said_done(&theirs);
    buf_done(&html);
    return fault;
}

static void test_generated(void **state)
{
    (void)state;
    prop_check("page reads as gumbo does", reads_as_gumbo, 300);
}

static struct archive *open_series(void)
{
    const char *folder = getenv("CANHGAC_DATA");
    char path[1024];
    struct archive *archive = archive_read_new();

    (void)snprintf(path, sizeof(path), "%s/web/page-series.tar.zst",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data");
    assert_non_null(archive);
    (void)archive_read_support_filter_all(archive);
    (void)archive_read_support_format_tar(archive);
    if (archive_read_open_filename(archive, path, 1 << 16) != ARCHIVE_OK) {
        (void)printf("# there is no %s: real pages are not compared\n", path);
        (void)archive_read_free(archive);
        return NULL;
    }
    return archive;
}

static void compare_page(struct str body, struct agreement agreements[3])
{
    struct arena *arena = NULL;
    struct said ours;
    struct said theirs;

    assert_int_equal(arena_new(PAGE_ARENA_MAX, &arena), 0);
    said_init(&ours);
    said_init(&theirs);
    say_page(body, arena, &ours);
    say_gumbo(body, &theirs);
    agree(&agreements[0], &ours.text, &theirs.text, '\n');
    agree(&agreements[1], &ours.links, &theirs.links, '\n');
    agree(&agreements[2], &ours.scripts, &theirs.scripts, '\0');
    said_done(&ours);
    said_done(&theirs);
    arena_free(arena);
}

static void test_real_pages(void **state)
{
    static char body[PAGE_MAX];
    struct archive *archive = open_series();
    struct agreement agreements[3] = {0};
    struct archive_entry *entry;
    unsigned seen = 0;

    (void)state;
    if (archive == NULL) {
        skip();
    }
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        la_ssize_t len;

        if (archive_entry_filetype(entry) != AE_IFREG || seen++ % SERIES_STEP != 0) {
            continue;
        }
        len = archive_read_data(archive, body, sizeof(body));
        assert_true(len > 0);
        compare_page(str_of(body, (size_t)len), agreements);
    }
    (void)archive_read_free(archive);
    assert_true(seen > SERIES_STEP);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"words", "links", "scripts"};

        (void)printf("# %s: %zu of %zu as gumbo has them\n", names[i], agreements[i].same,
                     agreements[i].all);
        assert_true(agreements[i].same * 1000 >= agreements[i].all * 999);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_real_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
