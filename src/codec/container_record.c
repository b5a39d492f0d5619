/* Documents, databases and programs: PDF by its cross references, OLE by its directory, SQLite by
 * its pages, ELF by its tables, git's packs by their heads. On its way: container.c → here. */
#include "codec/container_part.h"

#include "base/banned.h"

#define PDF_TAIL          2048U
#define PDF_SAMPLES       32U
#define OLE_DIRECTORY_MAX 8U
#define SQLITE_SAMPLES    64U

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the front of s, at most 12; how many. */
static size_t pdf_number(struct str s, uint64_t *ret_value)
{
    size_t n = 0;

    *ret_value = 0;
    while (n < s.len && n < 12 && is_digit(s.ptr[n])) {
        *ret_value = *ret_value * 10 + (uint64_t)(s.ptr[n] - '0');
        n++;
    }
    return n;
}

/* "12 0 obj" at the front. */
static bool pdf_is_object(struct str s)
{
    uint64_t value;
    size_t n = pdf_number(s, &value);

    if (n == 0 || n >= s.len || s.ptr[n] != ' ') {
        return false;
    }
    s = str_slice(s, n + 1, s.len);
    n = pdf_number(s, &value);
    return n != 0 && str_has_prefix(str_slice(s, n, s.len), STR(" obj"));
}

/* "xref 0 42" and where its entries of 20 bytes begin; false when it is not laid out in the plain
 * way. */
static bool pdf_read_section(struct str text, uint64_t *ret_count, size_t *ret_entries)
{
    uint64_t first;
    size_t at = str_find(text, STR("0000000000"));
    struct str line = str_trim(str_slice(text, 4, at));
    size_t digits = pdf_number(line, &first);

    if (at == text.len || digits == 0 || digits >= line.len || line.ptr[digits] != ' ') {
        return false;
    }
    *ret_entries = at;
    return pdf_number(str_slice(line, digits + 1, line.len), ret_count) != 0;
}

/* Samples the entries of a cross-reference table: each names where an object begins. */
static enum container_state pdf_inspect_table(struct container_view *view, uint64_t at)
{
    char text[64];
    struct str head = str_of(text, container_get_some(view, at, text, sizeof(text)));
    uint64_t count;
    size_t entries;

    if (!pdf_read_section(head, &count, &entries)) {
        return CONTAINER_STATE_SHALLOW;
    }
    for (uint64_t i = 0; i < count; i += 1 + count / PDF_SAMPLES) {
        char entry[20];
        char object[32];
        uint64_t offset;

        if (!container_get(view, at + entries + i * 20, entry, sizeof(entry)) ||
            pdf_number(str_of(entry, 10), &offset) != 10 ||
            (entry[17] != 'n' && entry[17] != 'f')) {
            return CONTAINER_STATE_DAMAGED;
        }
        if (entry[17] == 'n' &&
            !pdf_is_object(
                str_of(object, container_get_some(view, offset, object, sizeof(object))))) {
            return CONTAINER_STATE_DAMAGED;
        }
    }
    return CONTAINER_STATE_SHALLOW;
}

/* Objects may be whole while the streams in them are not, hence SHALLOW at best. */
enum container_state container_inspect_pdf(struct container_view *view)
{
    char tail[PDF_TAIL];
    uint64_t size = view->source->size;
    uint64_t from = size > sizeof(tail) ? size - sizeof(tail) : 0;
    struct str end = str_of(tail, container_get_some(view, from, tail, sizeof(tail)));
    size_t at = str_find(end, STR("startxref"));
    char target[32];
    struct str found;
    uint64_t offset;

    if (at == end.len) {
        return CONTAINER_STATE_DAMAGED;
    }
    end = str_trim(str_slice(end, at + 9, end.len));
    if (pdf_number(end, &offset) == 0) {
        return CONTAINER_STATE_DAMAGED;
    }
    if (offset == 0) { /* linearised: the table at the front is meant */
        return CONTAINER_STATE_SHALLOW;
    }
    found = str_of(target, container_get_some(view, offset, target, sizeof(target)));
    if (str_has_prefix(found, STR("xref"))) {
        return pdf_inspect_table(view, offset);
    }
    return pdf_is_object(str_trim(found)) ? CONTAINER_STATE_SHALLOW : CONTAINER_STATE_DAMAGED;
}

enum container_state container_inspect_ole(struct container_view *view)
{
    static const char root[] = "R\0o\0o\0t\0 \0E\0n\0t\0r\0y";
    static const struct str package = {"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", 31};
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    char sector[4096];
    uint64_t at;
    size_t len;

    if (view->head.len < 512 || head[28] != 0xfe || head[29] != 0xff ||
        (head[30] != 9 && head[30] != 12) || head[32] != 6) {
        return CONTAINER_STATE_DAMAGED;
    }
    at = ((uint64_t)container_le32(head + 48) + 1) << head[30];
    len = container_get_some(view, at, sector, sizeof(sector));
    if (len < 128 || memcmp(sector, root, sizeof(root) - 1) != 0) {
        return CONTAINER_STATE_DAMAGED;
    }
    return str_find(str_of(sector, len), package) != len ? CONTAINER_STATE_ENCRYPTED
                                                         : CONTAINER_STATE_SHALLOW;
}

/* A b-tree page says so in its first byte; an overflow or free page begins with a page number. */
static bool sqlite_is_page(const uint8_t *page, uint64_t pages)
{
    if (page[0] == 2 || page[0] == 5 || page[0] == 10 || page[0] == 13) {
        return page[7] <= 60 || container_be16(page + 3) < 8192;
    }
    return container_be32(page) <= pages;
}

enum container_state container_inspect_sqlite(struct container_view *view)
{
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    uint64_t page_size;
    uint64_t pages;
    unsigned bad = 0;

    if (view->head.len < 512) {
        return CONTAINER_STATE_DAMAGED;
    }
    page_size = container_be16(head + 16) == 1 ? 65536 : container_be16(head + 16);
    if (page_size < 512 || (page_size & (page_size - 1)) != 0 || head[21] != 64 || head[22] != 32 ||
        head[23] != 32) {
        return CONTAINER_STATE_DAMAGED;
    }
    pages = view->source->size / page_size;
    for (uint64_t i = 1; i < pages; i += 1 + pages / SQLITE_SAMPLES) {
        uint8_t page[8];

        if (!container_get(view, i * page_size, page, sizeof(page))) {
            return CONTAINER_STATE_DAMAGED;
        }
        bad += !sqlite_is_page(page, pages);
    }
    if (bad > 2) {
        return CONTAINER_STATE_DAMAGED;
    }
    return pages > 1 ? CONTAINER_STATE_SOUND : CONTAINER_STATE_SHALLOW;
}

enum container_state container_inspect_elf(struct container_view *view)
{
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    bool is_64 = view->head.len >= 64 && head[4] == 2;
    uint64_t sections;
    bool is_big;

    if (view->head.len < 52 || (head[4] != 1 && head[4] != 2) || (head[5] != 1 && head[5] != 2) ||
        head[6] != 1) {
        return CONTAINER_STATE_DAMAGED;
    }
    is_big = head[5] == 2;
    if (is_big) {
        return CONTAINER_STATE_SHALLOW;
    }
    sections = is_64 ? container_le64(head + 40) : container_le32(head + 32);
    return sections <= view->source->size ? CONTAINER_STATE_SHALLOW : CONTAINER_STATE_DAMAGED;
}

/* The trailing check sum is the scanner's to verify. */
enum container_state container_inspect_git_pack(struct container_view *view)
{
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    uint32_t version = view->head.len >= 32 ? container_be32(head + 4) : 0;

    return version == 2 || version == 3 ? CONTAINER_STATE_PACKED : CONTAINER_STATE_DAMAGED;
}

enum container_state container_inspect_git_index(struct container_view *view)
{
    const uint8_t *head = (const uint8_t *)view->head.ptr;
    uint32_t last = 0;

    if (view->head.len < 8 + 1024 || container_be32(head + 4) != 2) {
        return CONTAINER_STATE_DAMAGED;
    }
    for (unsigned i = 0; i < 256; i++) {
        uint32_t count = container_be32(head + 8 + (size_t)i * 4);

        if (count < last) {
            return CONTAINER_STATE_DAMAGED;
        }
        last = count;
    }
    /* Name, check and offset for each object, and two check sums. */
    return view->source->size >= 8 + 1024 + (uint64_t)last * 28 + 40 ? CONTAINER_STATE_SOUND
                                                                     : CONTAINER_STATE_DAMAGED;
}
