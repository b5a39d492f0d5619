/* What a file holds and whether it holds together: structure (codec/container.h), then a
 * decompressor's word, then libmagic. Everything is loaded by scan_open, so that scan_file needs no
 * path and no rights. Bounded: bytes read, bytes unpacked, entries, and time. Not thread-safe. */
#ifndef AGENT_SCAN_H
#define AGENT_SCAN_H

#include "detect/ransom/content.h"

#include <magic.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_NAME_SIZE 64
/* One file's share of processor time; what is not verified by then is KNOWN at best. */
#define SCAN_WORK_NS 100000000LL

struct scan {
    magic_t magic;
};

/* Loads libmagic's data base and whatever the libraries would open later. -ERR_NOENT without the
 * data base. */
[[nodiscard]] int scan_open(struct scan *scan);
void scan_close(struct scan *scan);

/* fd: open for reading, any kind; what is no regular file is UNKNOWN. ret_name: SCAN_NAME_SIZE
 * bytes. */
enum content_format scan_file(struct scan *scan, int fd, char *ret_name);

#endif
