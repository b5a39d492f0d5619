/* Contents by their SHA-256, each in a file of its own, mode 0400, that nobody else has open: what
 * the webroot guard restores from, and what it keeps as evidence. Several processes at once. */
#ifndef STORE_BLOBS_H
#define STORE_BLOBS_H

#include <stdbool.h>
#include <stdint.h>

struct blobs {
    int folder; /* owned */
};

/* Makes the folder, mode 0700, where it is missing. */
[[nodiscard]] int blobs_open(int parent, const char *name, struct blobs *ret_blobs);
void blobs_close(struct blobs *blobs);

/* Copies what fd holds from its beginning (a clone where the file system can), hashes the copy, not
 * the original, and keeps it unless it is there already. -ERR_NOSPC, -errno; nothing is left then.
 */
[[nodiscard]] int blobs_put(struct blobs *blobs, int fd, uint8_t ret_sha256[32],
                            uint64_t *ret_size);
[[nodiscard]] int blobs_put_bytes(struct blobs *blobs, const void *bytes, uint64_t size,
                                  uint8_t ret_sha256[32]);
/* Opens it for reading; -ERR_NOENT. */
[[nodiscard]] int blobs_get(const struct blobs *blobs, const uint8_t sha256[32]);
bool blobs_has(const struct blobs *blobs, const uint8_t sha256[32]);
/* Told of every blob; true lets it stay. Copies that a kill left half made go in any case. Bytes of
 * what stays are returned. */
typedef bool blobs_wanted_fn(void *context, const uint8_t sha256[32]);
[[nodiscard]] int blobs_sweep(struct blobs *blobs, blobs_wanted_fn *fn, void *context,
                              uint64_t *ret_bytes);

/* SHA-256 of a file from its beginning; the offset of fd is not used nor moved. */
[[nodiscard]] int blob_digest(int fd, uint8_t ret_sha256[32]);

#endif
