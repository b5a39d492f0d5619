/* Lists of indicators that a hunt was given (--ioc), read as canhgac lists import reads them. In a
 * process without rights. */
#ifndef CLI_HUNT_IOCS_H
#define CLI_HUNT_IOCS_H

#include "cli/hunt/porter.h"
#include "detect/intel/indicators.h"

/* Reads a list into *indicators, which is made with the first, and closes the file. A list of which
 * nothing can be read is told on stderr: -ERR_SYNTAX. -ERR_NOMEM. */
[[nodiscard]] int iocs_take(struct indicators **indicators, struct parcel *parcel, size_t number);

#endif
