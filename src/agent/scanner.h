/* The scanner: opens hostile bytes with no rights at all (no path, no network, no new files;
 * seccomp, rlimits). It gets open descriptors, tells what format they hold and whether that
 * format's structure is sound, and dies rather than misbehave; the supervisor starts another. On
 * its way: sensor → scanner → sensor. */
#ifndef AGENT_SCANNER_H
#define AGENT_SCANNER_H

#include "detect/ransom/content.h"

/* Process body: serves one channel until its end. Returns the exit status. */
int scanner_run(int channel);

/* What every process that reads hostile files does first: gives up all rights. name: for the log.
 * memory_more: bytes beyond what is mapped now. */
[[nodiscard]] int scanner_enter(const char *name, uint64_t memory_more);

struct scan_verdict {
    enum content_format now;
    enum content_format before;
    char format_name[64]; /* of the file now: "application/zip", "OpenPGP" … */
};

/* The sensor's side: asks and waits timeout_ms at most; both stay CONTENT_FORMAT_UNASKED on
 * failure, which is returned. before_fd may be -1. Not thread-safe per channel. */
[[nodiscard]] int scan_ask(int channel, int now_fd, int before_fd, int timeout_ms,
                           struct scan_verdict *ret_verdict);

#endif
