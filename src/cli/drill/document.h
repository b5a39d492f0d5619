/* Documents as an office has them, made from a seed: no two alike, every one valid in its format
 * and readable by the programs that own it. Pure but for the libraries that pack (libarchive,
 * SQLite in memory). */
#ifndef CLI_DRILL_DOCUMENT_H
#define CLI_DRILL_DOCUMENT_H

#include "base/buf.h"
#include "base/prng.h"

#include <stddef.h>

enum document_kind {
    DOCUMENT_KIND_TEXT,
    DOCUMENT_KIND_CSV,
    DOCUMENT_KIND_DOCX,
    DOCUMENT_KIND_XLSX,
    DOCUMENT_KIND_PPTX,
    DOCUMENT_KIND_PDF,
    DOCUMENT_KIND_PNG,
    DOCUMENT_KIND_JPEG,
    DOCUMENT_KIND_SQLITE,
    DOCUMENT_KIND_HTML,
    DOCUMENT_KIND_JSON,
    DOCUMENT_KIND_MAIL,
    DOCUMENT_KIND_COUNT,
};

/* The suffix of its file name, dot included. */
const char *document_suffix(enum document_kind kind);

/* Appends one document of about `size` bytes (within a factor of two; at least what the format
 * needs). The same seed gives the same bytes. -ERR_NOMEM, -ERR_LIMIT, -ERR_IO when a library gave
 * up. */
[[nodiscard]] int document_write(enum document_kind kind, struct prng *prng, size_t size,
                                 struct buf *out);

/* A sentence of office prose in Vietnamese or English, without a line end. Borrowed for ever. */
const char *document_sentence(struct prng *prng);

/* The parts that have files of their own; contract as document_write. */
[[nodiscard]] int document_write_office(enum document_kind kind, struct prng *prng, size_t size,
                                        struct buf *out);
[[nodiscard]] int document_write_png(struct prng *prng, size_t size, struct buf *out);
[[nodiscard]] int document_write_jpeg(struct prng *prng, size_t size, struct buf *out);

#endif
