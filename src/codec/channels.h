/* Sigma's log source of a Windows event, from the channel and provider that it names: for every
 * reader that meets such events (JSON, XML, EVTX). A row of codec/channels.def each. Pure. */
#ifndef CODEC_CHANNELS_H
#define CODEC_CHANNELS_H

#include "codec/entry.h"

/* Either may be empty; the channel decides where the table knows it. The product is "windows" even
 * when no service is known; the category is left to the rules' pipelines, which tell it by EventID.
 */
struct logsource channels_source(struct str channel, struct str provider);

#endif
