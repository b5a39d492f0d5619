/* What the name of a field says of its values, whatever they are: readers that remember names tell
 * it once for each name, and judges need not look at names at all. Pure. */
#ifndef CODEC_FIELD_KIND_H
#define CODEC_FIELD_KIND_H

#include "base/str.h"

enum field_kind {
    FIELD_KIND_UNTOLD, /* nobody has asked field_kind_of */
    FIELD_KIND_PLAIN,
    FIELD_KIND_TEXT,    /* what people and programs wrote: command lines, scripts */
    FIELD_KIND_MESSAGE, /* the same, unless the entry's other fields repeat it */
    FIELD_KIND_AGENT,   /* a user agent */
    FIELD_KIND_DULL,    /* no address, host, hash or URL, ever: field_kind.def */
};

enum field_kind field_kind_of(struct str name);

#endif
