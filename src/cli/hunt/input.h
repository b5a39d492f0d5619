/* One file as a stream of bytes, whatever it is packed in: plain, gzip, zstd, xz, bzip2, and the
 * files in a tar or zip. Hostile bytes: only decoders that live in libarchive are used, nothing is
 * kept but one piece, and whoever calls has no rights. */
#ifndef CLI_HUNT_INPUT_H
#define CLI_HUNT_INPUT_H

#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hunt_input;

/* fd: the input's from now on, also on failure. */
[[nodiscard]] int hunt_input_new(int fd, struct hunt_input **ret_input, struct diag *diag);
void hunt_input_free(struct hunt_input *input);
void hunt_input_freep(struct hunt_input **input);
/* The next file in it: 1 with its name (empty when it is the file itself) and the time of its last
 * change in ns since 1970 UTC, or 0 when that is not known; 0 when there is none; negative with
 * diag. The name lives until the next call. */
[[nodiscard]] int hunt_input_next(struct hunt_input *input, struct str *ret_member,
                                  int64_t *ret_time, struct diag *diag);
/* Up to len bytes; *ret_len is 0 at the end only. -ERR_INTR after a signal. */
[[nodiscard]] int hunt_input_read(struct hunt_input *input, void *out, size_t len, size_t *ret_len,
                                  struct diag *diag);
bool hunt_input_is_stream(const struct hunt_input *input);
/* It is a stream, and a read would wait for more. */
bool hunt_input_would_wait(const struct hunt_input *input);

#endif
