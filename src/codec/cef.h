/* ArcSight's CEF and QRadar's LEEF, as files and inside syslog's messages: fields under their own
 * names, and under log_names.def's where there is one. Pure; hostile bytes: escapes are taken out
 * into the reading's arena. Sources: ArcSight CEF revision 25, IBM LEEF guide 2.0. */
#ifndef CODEC_CEF_H
#define CODEC_CEF_H

#include "codec/logs.h"

/* Adds the fields of a message that is one of them and says the log source from its device. 1: it
 * was, 0: it is none, -ERR_NOMEM. */
[[nodiscard]] int cef_read(struct log_reading *reading, struct str message);

#endif
