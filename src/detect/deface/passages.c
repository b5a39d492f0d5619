/* A page's blocks as passages. Neighbours: page.h read them, model/passage.h carries them. Pure. */
#include "detect/deface/passages.h"

#include "base/banned.h"
#include "base/err.h"
#include "model/passage.h"

#define PASSAGE_OVERHEAD 24 /* bytes encoded besides the text */

int page_write_passages(const struct page *page, struct arena *arena, struct buf *buf)
{
    size_t most = page->block_count < PASSAGES_MAX - 1 ? page->block_count : PASSAGES_MAX - 1;
    struct passage *passages = arena_alloc(arena, most + 1, sizeof(*passages));
    size_t count = 0;
    size_t size = PASSAGE_TEXT_MAX + 2 * PASSAGE_OVERHEAD; /* of the title and the list */

    if (passages == NULL) {
        return -ERR_NOMEM;
    }
    if (page->title.len != 0) {
        passages[count++] = (struct passage){.text = page->title};
    }
    for (size_t i = 0; i < most; i++) {
        const struct page_block *block = &page->blocks[i];

        size += PASSAGE_OVERHEAD +
                (block->text.len < PASSAGE_TEXT_MAX ? block->text.len : PASSAGE_TEXT_MAX);
        if (size > PASSAGES_SIZE_MAX) {
            break;
        }
        passages[count++] = (struct passage){.text = block->text,
                                             .offset = block->offset,
                                             .hiding = block->hiding,
                                             .is_link = block->is_link};
    }
    passages_encode(passages, count, buf);
    return buf_error(buf);
}
