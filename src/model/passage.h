/* The text of a page as people read it, passage by passage in order: what the process that read the
 * page hands on of it, so that nobody else need look into the page to show what has changed.
 * Everything borrowed. */
#ifndef MODEL_PASSAGE_H
#define MODEL_PASSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/cbor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PASSAGES_MAX      4096
#define PASSAGE_TEXT_MAX  2000       /* bytes; what is behind is not shown */
#define PASSAGES_SIZE_MAX (2U << 20) /* encoded */

struct passage {
    struct str text;
    uint32_t offset; /* in the decoded body */
    uint32_t
        hiding; /* bit set: how it is kept from people's eyes, as detect/deface/page.h has it */
    bool is_link;
};

/* An array of passages, each an array of its members in the order above. Cut to the limits: to
 * PASSAGES_MAX passages, each to PASSAGE_TEXT_MAX bytes at a whole character. */
void passages_encode(const struct passage *passages, size_t count, struct buf *buf);
/* -ERR_LIMIT past the limits, -ERR_VERSION for a member of a newer program. */
[[nodiscard]] int passages_decode(struct str bytes, struct arena *arena,
                                  struct passage **ret_passages, size_t *ret_count);

#endif
