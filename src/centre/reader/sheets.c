/* The style sheets that a page links on its own site: see centre/reader/page.h. They come whole
 * from fetch once, are kept cut down (detect/deface/page_sheet.h), and travel with each question.
 * Invariant: what is kept was written here, and is read as if its site had written it. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/fetch/fetcher.h"
#include "centre/reader/page.h"
#include "codec/cbor.h"
#include "detect/deface/page_sheet.h"

#define CBOR_HEAD_MAX 9

static struct reader_sheet *sheets_find(struct reader_sheets *sheets, struct str url)
{
    for (size_t i = 0; i < sheets->count; i++) {
        if (str_is(sheets->items[i].url, url)) {
            return &sheets->items[i];
        }
    }
    return NULL;
}

/* The newest stands last; the oldest gives way. */
static void sheets_put(struct reader_sheets *sheets, struct reader_sheet sheet)
{
    struct reader_sheet *old = sheets_find(sheets, sheet.url);

    if (old == NULL && sheets->count == READER_SHEETS_MAX) {
        old = &sheets->items[0];
    }
    if (old != NULL) {
        size_t behind = (size_t)(&sheets->items[sheets->count] - (old + 1));

        memmove(old, old + 1, behind * sizeof(*old));
        sheets->count--;
    }
    sheets->items[sheets->count++] = sheet;
}

static void sheets_read_kept(struct reader_sheets *sheets, struct str bytes)
{
    struct cbor_reader cbor;
    size_t count;

    cbor_open(&cbor, bytes);
    count = cbor_get_array(&cbor);
    for (size_t i = 0; i + 1 < count && cbor.error == 0; i += 2) {
        struct reader_sheet sheet = {.url = cbor_get_bytes(&cbor)};

        sheet.text = cbor_get_bytes(&cbor);
        if (cbor.error == 0 && sheet.url.len <= READER_LINK_SIZE) {
            sheets_put(sheets, sheet);
        }
    }
}

static int sheets_read_given(struct reader_look *look, struct cbor_reader *cbor)
{
    size_t count = cbor_get_array(cbor);

    for (size_t i = 0; i + 1 < count; i += 2) {
        struct reader_sheet sheet = {.url = cbor_get_bytes(cbor)};
        struct str whole = cbor_get_bytes(cbor);
        struct buf buf;
        int r;

        if (cbor->error != 0 || sheet.url.len > READER_LINK_SIZE) {
            return -ERR_PROTO;
        }
        buf_init(&buf, READER_SHEETS_KEPT / 2);
        r = page_sheet_distil(whole, &buf);
        sheet.text = arena_copy(look->arena, buf_str(&buf));
        buf_done(&buf);
        if (r < 0 || sheet.text.ptr == NULL) {
            return -ERR_NOMEM;
        }
        sheets_put(&look->sheets, sheet);
        look->sheets.is_new = true;
    }
    return 0;
}

int reader_sheets_open(struct reader_look *look, struct str bytes)
{
    struct cbor_reader cbor;
    struct str kept;
    int r;

    if (bytes.len == 0) {
        return 0;
    }
    cbor_open(&cbor, bytes);
    if (cbor_get_array(&cbor) != 2) {
        return -ERR_PROTO;
    }
    kept = cbor_get_bytes(&cbor);
    if (kept.len != 0) {
        sheets_read_kept(&look->sheets, kept);
    }
    r = sheets_read_given(look, &cbor);
    return r < 0 ? r : cbor_close(&cbor);
}

/* What has no room is known as a sheet that hides nothing: else it would be asked for at each look.
 */
void reader_sheets_put(const struct reader_sheets *sheets, struct buf *buf)
{
    size_t room = buf->limit - CBOR_HEAD_MAX;

    for (size_t i = 0; i < sheets->count; i++) {
        room -= sheets->items[i].url.len + 2 * CBOR_HEAD_MAX;
    }
    cbor_put_array(buf, sheets->count * 2);
    for (size_t i = sheets->count; i != 0; i--) {
        const struct reader_sheet *sheet = &sheets->items[i - 1];
        bool is_kept = sheet->text.len <= room;

        cbor_put_bytes(buf, sheet->url);
        cbor_put_bytes(buf, is_kept ? sheet->text : STR(""));
        room -= is_kept ? sheet->text.len : 0;
    }
}

bool reader_sheets_lookup(void *context, struct str url, struct str base, struct str *ret_sheet)
{
    struct reader_look *look = context;
    struct str own = reader_links_own(look, base, url);
    struct reader_sheet *sheet = sheets_find(&look->sheets, own);

    if (own.len == 0) {
        return false;
    }
    if (sheet == NULL) {
        if (look->sheets.wanted++ < READER_SHEETS_MAX) {
            reader_links_add(look, READER_LINK_SHEET, own);
        }
        return false;
    }
    *ret_sheet = sheet->is_given ? STR("") : sheet->text;
    sheet->is_given = true;
    return true;
}
