/* Which addresses a page, robots.txt or a sitemap names: see centre/reader/page.h. Fetch asks for
 * those that only some views name. */
#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "centre/fetch/fetcher.h"
#include "centre/reader/page.h"

#include <expat.h>
#include <zlib.h>

#define SITEMAP_HTML_MAX (2U << 20)
#define SITEMAP_SIZE_MAX (8U << 20) /* bytes of one that came pressed */
#define SITEMAP_NAMES    2048
#define LOCATION_MAX     2048
#define ROBOTS_LINES     4096

static bool reader_links_has(const struct reader_links *links, struct str url)
{
    for (size_t i = 0; i < links->count; i++) {
        if (str_is(links->items[i].url, url)) {
            return true;
        }
    }
    return false;
}

void reader_links_add(struct reader_look *look, enum reader_link kind, struct str url)
{
    struct reader_links *links = &look->links;
    char whole[SITE_URL_MAX + 1];
    struct str kept;

    if (links->count == READER_LINKS_MAX || url.len > READER_LINK_SIZE ||
        url_canonical(url, whole, NULL) < 0 || str_from(whole).len > READER_LINK_SIZE ||
        !url_is_same_site(url_host(str_from(whole)), url_host(look->check.url)) ||
        reader_links_has(links, str_from(whole))) {
        return;
    }
    kept = arena_copy(look->arena, str_from(whole));
    if (kept.ptr != NULL) {
        links->items[links->count].kind = kind;
        links->items[links->count++].url = kept;
    }
}

void reader_links_put(const struct reader_links *links, struct msg_writer *msg)
{
    size_t count = 0;
    size_t room = MSG_SIZE_MAX - msg->len;

    while (count < links->count && room > links->items[count].url.len + 64) {
        room -= links->items[count++].url.len + 16;
    }
    msg_put_u32(msg, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        msg_put_u32(msg, links->items[i].kind);
        msg_put_str(msg, links->items[i].url);
    }
}

/* A reference without a scheme, seen from base; its .ptr is NULL without memory. */
static struct str reader_links_whole(struct arena *arena, struct str base, struct str url)
{
    struct str origin = url_origin(base);
    size_t end = base.len;

    if (str_has_prefix(url, STR("//"))) {
        return arena_printf(arena, "%s%.*s",
                            str_has_prefix(base, STR("https:")) ? "https:" : "http:", STR_ARG(url));
    }
    if (url.ptr[0] == '/') {
        return arena_printf(arena, "%.*s%.*s", STR_ARG(origin), STR_ARG(url));
    }
    while (end > origin.len && base.ptr[end - 1] != '/') {
        end--;
    }
    return arena_printf(arena, "%.*s%s%.*s", STR_ARG(str_slice(base, 0, end)),
                        end == origin.len ? "/" : "", STR_ARG(url));
}

/* As a browser joins it, without the parts that do not lead elsewhere; empty when nothing is left.
 */
static struct str reader_links_joined(const struct reader_look *look, struct str base,
                                      struct str url)
{
    struct str whole = url;

    if (url.len == 0 || url.ptr[0] == '#' || url.len > READER_LINK_SIZE) {
        return STR("");
    }
    if (memchr(url.ptr, ':', url.len) == NULL) {
        whole = reader_links_whole(look->arena, base, url);
    } else if (!str_has_prefix(url, STR("http://")) && !str_has_prefix(url, STR("https://"))) {
        return STR("");
    }
    return whole.ptr != NULL ? whole : STR("");
}

static void reader_links_join(struct reader_look *look, enum reader_link kind, struct str url)
{
    struct str whole = reader_links_joined(look, look->check.url_final, url);

    if (whole.len != 0) {
        reader_links_add(look, kind, whole);
    }
}

struct str reader_links_own(const struct reader_look *look, struct str base, struct str url)
{
    struct str from = reader_links_joined(look, look->check.url_final, base);
    struct str whole;
    char out[SITE_URL_MAX + 1];

    whole = reader_links_joined(look, from.len != 0 ? from : look->check.url_final, url);
    if (whole.len == 0 || url_canonical(whole, out, NULL) < 0 ||
        str_from(out).len > READER_LINK_SIZE ||
        !url_is_same_site(url_host(str_from(out)), url_host(look->check.url))) {
        return STR("");
    }
    whole = arena_copy(look->arena, str_from(out));
    return whole.ptr != NULL ? whole : STR("");
}

/* Up to and with the folder of that name; empty when the path has none such. */
static struct str reader_upload_folder(struct str url)
{
    static const struct str names[] = {{"/upload/", 8}, {"/uploads/", 9},      {"/userfiles/", 11},
                                       {"/files/", 7},  {"/attachments/", 13}, {"/media/", 7},
                                       {"/Portals/", 9}};

    for (size_t i = 0; url.len != 0 && i < ARRAY_LEN(names); i++) {
        const char *at = memmem(url.ptr, url.len, names[i].ptr, names[i].len);

        if (at != NULL) {
            return str_slice(url, 0, (size_t)(at - url.ptr) + names[i].len);
        }
    }
    return STR("");
}

void reader_links_of_page(struct reader_look *look, const struct page *page)
{
    for (size_t i = 0; i < page->link_count && look->links.count < READER_LINKS_MAX; i++) {
        const struct page_link *link = &page->links[i];
        struct str folder;

        if (link->host.len != 0 && !url_is_same_site(link->host, url_host(look->check.url))) {
            continue;
        }
        folder = reader_upload_folder(link->url);
        if (folder.len != 0) {
            reader_links_join(look, READER_LINK_UPLOADS, folder);
        }
        if (link->kind == PAGE_LINK_ANCHOR && folder.len == 0) {
            reader_links_join(look, READER_LINK_PAGE, link->url);
        }
    }
}

void reader_links_of_robots(struct reader_look *look, struct str body)
{
    struct str line;

    for (int i = 0; i < ROBOTS_LINES && str_cut(&body, '\n', &line); i++) {
        line = str_trim(line);
        if (str_is_nocase(str_slice(line, 0, 8), STR("sitemap:"))) {
            reader_links_join(look, READER_LINK_SITEMAP, str_trim(str_slice(line, 8, line.len)));
        }
    }
}

struct sitemap {
    struct reader_look *look;
    struct buf html;
    struct buf location;
    bool is_index;
    bool is_in_location;
    unsigned count;
    XML_Parser parser;
};

static const char *sitemap_name(const XML_Char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

static void XMLCALL sitemap_on_start(void *context, const XML_Char *name, const XML_Char **values)
{
    struct sitemap *sitemap = context;

    (void)values;
    sitemap->is_index |= str_is_text(str_from(sitemap_name(name)), "sitemapindex");
    sitemap->is_in_location = str_is_text(str_from(sitemap_name(name)), "loc");
    buf_reset(&sitemap->location);
}

static void XMLCALL sitemap_on_text(void *context, const XML_Char *text, int len)
{
    struct sitemap *sitemap = context;

    if (sitemap->is_in_location && len > 0) {
        (void)buf_put(&sitemap->location, text, (size_t)len);
    }
}

/* Quotes and tags cannot stand in it: expat gave characters, and these are left out. */
static void sitemap_put_escaped(struct buf *html, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];

        if (byte != '"' && byte != '<' && byte != '>' && byte != '&') {
            (void)buf_put_byte(html, (unsigned char)byte);
        }
    }
}

static void XMLCALL sitemap_on_end(void *context, const XML_Char *name)
{
    struct sitemap *sitemap = context;
    struct str url = str_trim(buf_str(&sitemap->location));

    (void)name;
    if (!sitemap->is_in_location || url.len == 0 || buf_error(&sitemap->location) != 0) {
        sitemap->is_in_location = false;
        return;
    }
    sitemap->is_in_location = false;
    reader_links_add(sitemap->look, sitemap->is_index ? READER_LINK_SITEMAP : READER_LINK_PAGE,
                     url);
    (void)buf_put_text(&sitemap->html, "<p><a href=\"");
    sitemap_put_escaped(&sitemap->html, url);
    (void)buf_put_text(&sitemap->html, "\">");
    sitemap_put_escaped(&sitemap->html, url);
    (void)buf_put_text(&sitemap->html, "</a></p>\n");
    if (++sitemap->count == SITEMAP_NAMES) {
        (void)XML_StopParser(sitemap->parser, XML_FALSE);
    }
}

/* Entities are how small XML grows large; a sitemap has no use for a document type. */
static void XMLCALL sitemap_on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                                       const XML_Char *public, int has_internal)
{
    const struct sitemap *sitemap = context;

    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    (void)XML_StopParser(sitemap->parser, XML_FALSE);
}

/* Many are kept as .xml.gz, which is no coding of the answer. What is past the limit, or behind a
 * fault, is as if it were not there. */
static int sitemap_unpack(struct reader_look *look, struct str *body)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)body->ptr,
                       .avail_in = (uInt)body->len,
                       .avail_out = SITEMAP_SIZE_MAX};

    if (!str_has_prefix(*body, STR("\x1f\x8b"))) {
        return 0;
    }
    stream.next_out = arena_alloc(look->arena, SITEMAP_SIZE_MAX, 1);
    if (stream.next_out == NULL || inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) {
        return -ERR_NOMEM;
    }
    (void)inflate(&stream, Z_FINISH);
    *body = str_of((const char *)stream.next_out - stream.total_out, stream.total_out);
    (void)inflateEnd(&stream);
    return 0;
}

int reader_read_sitemap(struct reader_look *look, struct str body, struct str *ret_html)
{
    struct sitemap sitemap = {.look = look, .parser = XML_ParserCreate(NULL)};
    struct str html;

    if (sitemap.parser == NULL || sitemap_unpack(look, &body) < 0) {
        XML_ParserFree(sitemap.parser);
        return -ERR_NOMEM;
    }
    buf_init(&sitemap.html, SITEMAP_HTML_MAX);
    buf_init(&sitemap.location, LOCATION_MAX);
    (void)buf_put_text(&sitemap.html, "<html><body>\n");
    XML_SetUserData(sitemap.parser, &sitemap);
    XML_SetElementHandler(sitemap.parser, sitemap_on_start, sitemap_on_end);
    XML_SetCharacterDataHandler(sitemap.parser, sitemap_on_text);
    XML_SetStartDoctypeDeclHandler(sitemap.parser, sitemap_on_doctype);
    /* what is behind an error is not read; what stood before it counts */
    (void)XML_Parse(sitemap.parser, body.ptr != NULL ? body.ptr : "", (int)body.len, 1);
    XML_ParserFree(sitemap.parser);
    html = arena_copy(look->arena, buf_str(&sitemap.html));
    buf_done(&sitemap.html);
    buf_done(&sitemap.location);
    if (html.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *ret_html = html;
    return 0;
}
