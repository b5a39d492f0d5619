/* EVTX, the files of Windows' event log: 64 KiB chunks behind a file head, each with records of
 * binary XML and the templates that they share. A format of codec/logs.h: a block is whole chunks,
 * with or without the file head before them. Names of fields: codec/winevent.h. An entry's raw is
 * the record's bytes; entry_write_json shows it. Damage is told in faults and read over; records
 * that the heads do not count are read too. */
#ifndef CODEC_EVTX_H
#define CODEC_EVTX_H

#include "codec/logs.h"

extern const struct log_format evtx_log_format;

#endif
