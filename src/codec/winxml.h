/* Windows events as XML, one after the other or within <Events>, as wevtutil qe /f:xml and
 * Get-WinEvent's ToXml write them, in UTF-8 or UTF-16. A format of codec/logs.h. Each event is
 * parsed by itself, so a broken one does not take its neighbours with it. Document types, and with
 * them entities of one's own, are refused. Names of fields: codec/winevent.h. */
#ifndef CODEC_WINXML_H
#define CODEC_WINXML_H

#include "codec/logs.h"

#define WINXML_DEPTH_MAX  64
#define WINXML_FIELDS_MAX 16384

extern const struct log_format winxml_log_format;

/* Adds one <Event> to the reading's entry: fields, time, host, source and faults; texts are in the
 * reading's arena, the parser in its state. Also for other formats whose lines hold such an event
 * (Sysmon for Linux in syslog). -ERR_NOMEM. */
[[nodiscard]] int winxml_event(struct log_reading *reading, struct str xml);

#endif
