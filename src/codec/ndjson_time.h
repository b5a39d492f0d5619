/* Times as JSON logs write them: RFC 3339 and its loose kin (a space for the T, any zone or none,
 * up to nine decimals), seconds, milliseconds, microseconds or nanoseconds since 1970 (told by how
 * many there are), and /Date(milliseconds)/. Pure. */
#ifndef CODEC_NDJSON_TIME_H
#define CODEC_NDJSON_TIME_H

#include "base/str.h"

#include <stdint.h>

/* zone: seconds east of UTC of a time that names none. -ERR_SYNTAX, -ERR_RANGE. */
[[nodiscard]] int ndjson_time_read(struct str text, int32_t zone, int64_t *ret_ns);

#endif
