/* What single tags tell: where they lead, who made the page, forms and password fields. On the
 * data's way: page.c → here → page.links and the page's own facts. One function a tag, in a table.
 */
#include "detect/deface/page_part.h"

#include "base/banned.h"

typedef void page_tag_fn(struct page_reader *reader, const struct html_token *token,
                         uint32_t hiding);

/* The value of an attribute; empty when it is missing or has none. */
static struct str tag_value(const struct html_token *token, uint64_t key)
{
    const struct html_attribute *attribute = html_attribute(token, key);

    return attribute != NULL ? attribute->value : str_of("", 0);
}

static bool tag_says(const struct html_token *token, uint64_t key, const char *value)
{
    return str_is_nocase(str_trim(tag_value(token, key)), str_from(value));
}

#define KEY_SRC     HTML_KEY('s', 'r', 'c')
#define KEY_HREF    HTML_KEY('h', 'r', 'e', 'f')
#define KEY_TYPE    HTML_KEY('t', 'y', 'p', 'e')
#define KEY_NAME    HTML_KEY('n', 'a', 'm', 'e')
#define KEY_CONTENT HTML_KEY('c', 'o', 'n', 't', 'e', 'n', 't')

/* A link when the attribute is there at all. */
static size_t tag_link(struct page_reader *reader, const struct html_token *token, uint64_t key,
                       enum page_link_kind kind, uint32_t hiding)
{
    const struct html_attribute *attribute = html_attribute(token, key);

    if (attribute == NULL) {
        return PAGE_NO_LINK;
    }
    return page_link_add(reader, kind, attribute->value, token->offset, hiding);
}

static void tag_anchor(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    reader->anchor = tag_link(reader, token, KEY_HREF, PAGE_LINK_ANCHOR, hiding);
    reader->anchor_from = reader->line_len;
}

static void tag_area(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)tag_link(reader, token, KEY_HREF, PAGE_LINK_ANCHOR, hiding);
}

static void tag_base(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    if (tag_link(reader, token, KEY_HREF, PAGE_LINK_BASE, hiding) != PAGE_NO_LINK) {
        page_link_set_base(reader, tag_value(token, KEY_HREF));
    }
}

static void tag_media(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)tag_link(reader, token, KEY_SRC, PAGE_LINK_MEDIA, hiding);
}

static void tag_source(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    if (reader->open_count[HTML_TAG_AUDIO] + reader->open_count[HTML_TAG_VIDEO] != 0) {
        tag_media(reader, token, hiding);
    }
}

static void tag_frame(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)tag_link(reader, token, KEY_SRC, PAGE_LINK_FRAME, hiding);
}

static void tag_object(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)tag_link(reader, token, HTML_KEY('d', 'a', 't', 'a'), PAGE_LINK_FRAME, hiding);
}

static void tag_form(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    reader->page.form_count++;
    reader->form = page_link_add(reader, PAGE_LINK_FORM,
                                 tag_value(token, HTML_KEY('a', 'c', 't', 'i', 'o', 'n')),
                                 token->offset, hiding);
}

static void tag_button(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)tag_link(reader, token, HTML_KEY('f', 'o', 'r', 'm', 'a', 'c', 't', 'i', 'o', 'n'),
                   PAGE_LINK_FORM, hiding);
}

static void tag_input(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    tag_button(reader, token, hiding);
    if (!tag_says(token, KEY_TYPE, "password")) {
        return;
    }
    reader->page.password_count++;
    if (reader->form != PAGE_NO_LINK) {
        reader->links[reader->form].has_password = true;
    }
}

static void tag_image(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    size_t link = tag_link(reader, token, KEY_SRC, PAGE_LINK_IMAGE, hiding);
    struct str alt = tag_value(token, HTML_KEY('a', 'l', 't'));

    reader->page.image_count++;
    if (link != PAGE_NO_LINK && alt.len != 0) {
        reader->links[link].text = page_text_plain(reader, alt, PAGE_LINK_TEXT_MAX);
    }
}

static void tag_html(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    (void)hiding;
    if (reader->page.language.len == 0) {
        reader->page.language =
            page_text_plain(reader, tag_value(token, HTML_KEY('l', 'a', 'n', 'g')), 64);
    }
}

static bool rel_has(struct str rel, const char *word)
{
    struct str part;

    while (str_cut(&rel, ' ', &part)) {
        if (str_is_nocase(str_trim(part), str_from(word))) {
            return true;
        }
    }
    return false;
}

/* Its rules count from here on, as in a browser. Sheets for other media, and those that a person
 * would have to choose, hide nothing. */
static void tag_sheet(struct page_reader *reader, const struct html_token *token, size_t link)
{
    const struct page_sheets *sheets = reader->options->sheets;
    struct str medium = tag_value(token, HTML_KEY('m', 'e', 'd', 'i', 'a'));
    struct str sheet;

    if (sheets == NULL || link == PAGE_NO_LINK || reader->open_count[HTML_TAG_NOSCRIPT] != 0 ||
        (medium.len != 0 && !css_is_for_all(medium)) ||
        html_attribute(token, HTML_KEY('d', 'i', 's', 'a', 'b', 'l', 'e', 'd')) != NULL ||
        !sheets->find(sheets->context, reader->links[link].url, reader->base_url, &sheet)) {
        return;
    }
    reader->error = page_rules_add(reader, sheet);
}

static void tag_head_link(struct page_reader *reader, const struct html_token *token,
                          uint32_t hiding)
{
    struct str rel = tag_value(token, HTML_KEY('r', 'e', 'l'));

    if (rel_has(rel, "stylesheet")) {
        size_t link = tag_link(reader, token, KEY_HREF, PAGE_LINK_STYLE, hiding);

        if (!rel_has(rel, "alternate")) {
            tag_sheet(reader, token, link);
        }
    } else if (rel_has(rel, "canonical") || rel_has(rel, "alternate") || rel_has(rel, "amphtml")) {
        (void)tag_link(reader, token, KEY_HREF, PAGE_LINK_CANONICAL, hiding);
    } else if (rel_has(rel, "icon")) {
        (void)tag_link(reader, token, KEY_HREF, PAGE_LINK_IMAGE, hiding);
    }
}

/* "5; url='https://…'": what stands behind "url=", else behind the first separator. */
static struct str refresh_target(struct str content)
{
    struct str delay;
    struct str rest = content;
    size_t end;

    if (!str_cut(&rest, ';', &delay) || rest.len == 0) {
        rest = content;
        if (!str_cut(&rest, ',', &delay) || rest.len == 0) {
            return str_of(NULL, 0);
        }
    }
    rest = str_trim(rest);
    if (rest.len > 3 && str_is_nocase(str_slice(rest, 0, 3), STR("url"))) {
        struct str behind = str_trim(str_slice(rest, 3, rest.len));

        if (behind.len != 0 && behind.ptr[0] == '=') {
            rest = str_trim(str_slice(behind, 1, behind.len));
        }
    }
    if (rest.len != 0 && (rest.ptr[0] == '"' || rest.ptr[0] == '\'')) {
        end = str_find_byte(str_slice(rest, 1, rest.len), rest.ptr[0]);
        rest = str_slice(rest, 1, 1 + end);
    }
    return rest;
}

static void tag_meta(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    struct str content = tag_value(token, KEY_CONTENT);

    if (tag_says(token, KEY_NAME, "description") && reader->page.description.len == 0) {
        reader->page.description = page_text_plain(reader, content, PAGE_TITLE_MAX);
    } else if (tag_says(token, KEY_NAME, "generator") && reader->page.generator.len == 0) {
        reader->page.generator = page_text_plain(reader, content, PAGE_TITLE_MAX);
    } else if (tag_says(token, HTML_KEY('p', 'r', 'o', 'p', 'e', 'r', 't', 'y'), "og:url")) {
        (void)page_link_add(reader, PAGE_LINK_CANONICAL, content, token->offset, hiding);
    } else if (tag_says(token, HTML_KEY('h', 't', 't', 'p', '-', 'e', 'q', 'u', 'i', 'v'),
                        "refresh")) {
        content = refresh_target(content);
        if (content.len != 0) {
            (void)page_link_add(reader, PAGE_LINK_REFRESH, content, token->offset, hiding);
        }
    }
}

/* Types that browsers run (WHATWG, JavaScript MIME types): no type, "module", and these. */
static bool is_script_type(struct str type)
{
    type = str_trim(type);
    return type.len == 0 || str_is_nocase(type, STR("module")) ||
           str_is_nocase(str_slice(type, 0, 15), STR("text/javascript")) ||
           str_is_nocase(type, STR("application/javascript")) ||
           str_is_nocase(type, STR("application/x-javascript")) ||
           str_is_nocase(type, STR("text/ecmascript")) ||
           str_is_nocase(type, STR("application/ecmascript")) ||
           str_is_nocase(type, STR("text/jscript"));
}

static void tag_script(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    reader->is_data_script = !is_script_type(tag_value(token, KEY_TYPE));
    if (tag_link(reader, token, KEY_SRC, PAGE_LINK_SCRIPT, hiding) == PAGE_NO_LINK &&
        reader->html.foreign != 0 &&
        tag_link(reader, token, KEY_HREF, PAGE_LINK_SCRIPT, hiding) == PAGE_NO_LINK) {
        (void)tag_link(reader, token, HTML_KEY('x', 'l', 'i', 'n', 'k', ':', 'h', 'r', 'e', 'f'),
                       PAGE_LINK_SCRIPT, hiding);
    }
}

static page_tag_fn *const tag_table[HTML_TAG_COUNT] = {
    [HTML_TAG_A] = tag_anchor,       [HTML_TAG_AREA] = tag_area,     [HTML_TAG_AUDIO] = tag_media,
    [HTML_TAG_BASE] = tag_base,      [HTML_TAG_BUTTON] = tag_button, [HTML_TAG_EMBED] = tag_frame,
    [HTML_TAG_FORM] = tag_form,      [HTML_TAG_FRAME] = tag_frame,   [HTML_TAG_HTML] = tag_html,
    [HTML_TAG_IFRAME] = tag_frame,   [HTML_TAG_IMG] = tag_image,     [HTML_TAG_INPUT] = tag_input,
    [HTML_TAG_LINK] = tag_head_link, [HTML_TAG_META] = tag_meta,     [HTML_TAG_OBJECT] = tag_object,
    [HTML_TAG_SCRIPT] = tag_script,  [HTML_TAG_SOURCE] = tag_source, [HTML_TAG_VIDEO] = tag_media,
};

/* Handlers that run without anybody touching anything. */
static bool is_own_event(uint64_t key)
{
    return key == HTML_KEY('o', 'n', 'l', 'o', 'a', 'd') ||
           key == HTML_KEY('o', 'n', 'e', 'r', 'r', 'o', 'r') ||
           key == HTML_KEY('o', 'n', 'p', 'a', 'g', 'e', 's', 'h', 'o', 'w');
}

void page_tag_facts(struct page_reader *reader, const struct html_token *token, uint32_t hiding)
{
    for (size_t i = 0; i < token->attribute_count; i++) {
        if (is_own_event(token->attributes[i].key)) {
            page_script_find_targets(reader, token->attributes[i].value, token->offset);
        }
    }
    if (tag_table[token->tag] != NULL) {
        tag_table[token->tag](reader, token, hiding);
    }
}
