/* Writes entries in journald's export form, which codec/journal_log.c reads. Pure. Source: systemd,
 * "Journal Export Formats". */
#ifndef CODEC_JOURNAL_EXPORT_H
#define CODEC_JOURNAL_EXPORT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* One field. False, and the buffer is as it was: it does not fit the buffer's limit beside the
 * entry's end, or the name is none (empty, with = or a line's end). value may hold any bytes. */
bool journal_export_put(struct buf *buf, struct str name, struct str value);
/* The empty line behind the last field; room for it was kept. */
void journal_export_end(struct buf *buf);

#endif
