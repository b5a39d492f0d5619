/* The scripts that a page loads from its own site: see centre/reader/page.h. They come whole from
 * fetch, now and then, and are kept as what detect/deface/scripts.h makes of them. Invariant: what
 * is kept was written here, and is read as if its site had written it. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/reader/page.h"
#include "codec/cbor.h"

static int scripts_read_given(struct reader_look *look, struct cbor_reader *cbor)
{
    size_t count = cbor_get_array(cbor);
    int r = cbor->error;

    for (size_t i = 0; i + 1 < count && r == 0; i += 2) {
        struct str url = cbor_get_bytes(cbor);

        if (cbor_peek(cbor) == CBOR_TYPE_NULL) {
            cbor_skip(cbor);
            deface_scripts_take_same(look->scripts, url);
        } else {
            struct str text = cbor_get_bytes(cbor);

            r = cbor->error != 0 ? -ERR_PROTO
                                 : deface_scripts_take(look->scripts, url, text, look->check.time);
        }
    }
    return r;
}

/* A damaged list is begun anew. Its names are borrowed: they have to outlive the bytes that came.
 */
static int scripts_read_kept(struct reader_look *look, struct str bytes)
{
    struct str kept = arena_copy(look->arena, bytes);
    int r = kept.ptr != NULL ? deface_scripts_open(kept, look->arena, look->scripts) : -ERR_NOMEM;

    return r < 0 && r != -ERR_NOMEM ? deface_scripts_open(STR(""), look->arena, look->scripts) : r;
}

int reader_scripts_open(struct reader_look *look, struct str bytes)
{
    struct cbor_reader cbor;
    int r;

    look->scripts = arena_alloc(look->arena, 1, sizeof(*look->scripts));
    if (look->scripts == NULL) {
        return -ERR_NOMEM;
    }
    if (bytes.len == 0) {
        return deface_scripts_open(bytes, look->arena, look->scripts);
    }
    cbor_open(&cbor, bytes);
    if (cbor_get_array(&cbor) != 2) {
        return -ERR_PROTO;
    }
    r = scripts_read_kept(look, cbor_get_bytes(&cbor));
    r = r < 0 ? r : scripts_read_given(look, &cbor);
    return r < 0 ? r : cbor_close(&cbor);
}

static struct str page_base(const struct page *page)
{
    for (size_t i = 0; i < page->link_count; i++) {
        if (page->links[i].kind == PAGE_LINK_BASE) {
            return page->links[i].url;
        }
    }
    return STR("");
}

/* Fetch is told of those that are known too: after a start it knows none. */
static void scripts_link_one(struct reader_look *look, struct str url)
{
    enum script_standing standing = deface_scripts_link(look->scripts, url, look->check.time);

    if (standing == SCRIPT_KNOWN) {
        reader_links_add(look, READER_LINK_SCRIPT_KNOWN, url);
    } else if (standing == SCRIPT_WANTED) {
        reader_links_add(look, READER_LINK_SCRIPT, url);
        look->scripts_wanted++;
    }
}

void reader_scripts_link(struct reader_look *look, const struct page *page)
{
    struct str base = page_base(page);

    for (size_t i = 0; i < page->link_count; i++) {
        struct str own = page->links[i].kind == PAGE_LINK_SCRIPT
                             ? reader_links_own(look, base, page->links[i].url)
                             : STR("");

        if (own.len != 0) {
            scripts_link_one(look, own);
        }
    }
}
