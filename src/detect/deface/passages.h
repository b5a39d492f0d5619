/* The words of a page, as they are handed on by the process that read it: what people are shown
 * before and after a change. */
#ifndef DETECT_DEFACE_PASSAGES_H
#define DETECT_DEFACE_PASSAGES_H

#include "base/arena.h"
#include "base/buf.h"
#include "detect/deface/page.h"

/* The title and the blocks of the page as passages (model/passage.h), cut to their limits.
 * -ERR_NOMEM, -ERR_LIMIT of the buffer. */
[[nodiscard]] int page_write_passages(const struct page *page, struct arena *arena,
                                      struct buf *buf);

#endif
