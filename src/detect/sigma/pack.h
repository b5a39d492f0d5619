/* The rules that are built in: rules/logs/, as tools/pack-rules put them together. */
#ifndef DETECT_SIGMA_PACK_H
#define DETECT_SIGMA_PACK_H

#include "base/str.h"
#include "detect/sigma/load.h"

/* The next file behind *rest, which begins as sigma_pack(). False at the end. */
struct str sigma_pack(void);
bool sigma_pack_next(struct str *rest, struct str *ret_file, struct str *ret_text);
/* Hands all of them to the loader. */
[[nodiscard]] int sigma_pack_load(struct sigma_loader *loader);

#endif
