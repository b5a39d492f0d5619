/* Style sheets of a site, cut down to what they keep from people's eyes, so that one of 200 KB is
 * kept and read again as a few. On the data's way: centre/reader/sheets.c → here → page_read. Pure;
 * hostile bytes. */
#ifndef DETECT_DEFACE_PAGE_SHEET_H
#define DETECT_DEFACE_PAGE_SHEET_H

#include "base/buf.h"
#include "base/str.h"

/* Adds a sheet that hides what this one hides: rules whose selector is understood, with those
 * properties by which anything in the sheet may be hidden, so that what shows it again stays too.
 * Rules that do not fit into the buffer are left out. -ERR_NOMEM. */
[[nodiscard]] int page_sheet_distil(struct str sheet, struct buf *buf);

#endif
