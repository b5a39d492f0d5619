/* Lines of key=value and key="value", as FortiGate and other devices write them: fields under their
 * own names, and under log_names.def's where there is one. Pure; hostile bytes; nothing is copied.
 */
#ifndef CODEC_KEYVALUE_H
#define CODEC_KEYVALUE_H

#include "codec/logs.h"

/* Whether the text is such a line: four pairs at its front. */
bool keyvalue_is(struct str text);
/* Adds the fields and says the source; the time too when the entry has none. -ERR_NOMEM. */
[[nodiscard]] int keyvalue_read(struct log_reading *reading, struct str text);

#endif
