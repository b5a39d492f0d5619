/* Lists that are published on the web: brought by a child that may use the network and write
 * nothing but what it brings, and read afterwards like any file. */
#ifndef CLI_LISTS_FETCH_H
#define CLI_LISTS_FETCH_H

#include <stdbool.h>

/* Whether a person named an address instead of a file. */
bool lists_is_url(const char *file);
/* What stands there, as an open file that begins at its first byte; at most FEED_SIZE_MAX. An enum
 * exit_status, 0 when it came; what went wrong was printed. */
int lists_fetch(const char *url, int *ret_fd);

#endif
