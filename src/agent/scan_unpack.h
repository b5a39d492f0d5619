/* A decompressor's word on a packed file: unpacks a bounded part of it to nowhere. Part of scan. */
#ifndef AGENT_SCAN_UNPACK_H
#define AGENT_SCAN_UNPACK_H

#include "codec/container.h"
#include "detect/ransom/content.h"

#include <stdint.h>

/* deadline: ns on the monotonic clock. PLAIN, ENCRYPTED, DAMAGED, or KNOWN where it could not tell.
 */
enum content_format scan_unpack(int fd, uint64_t size, enum container_kind kind, int64_t deadline);
/* Processor time of this process, ns. */
int64_t scan_work_ns(void);
/* Makes libarchive and the C library load now what they load at first use. */
void scan_unpack_prepare(void);

#endif
