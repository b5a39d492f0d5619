/* What the programs of this bench share: rules and a log as they lie on the disk, and the time. */
#ifndef BENCH_LOGS_LOAD_H
#define BENCH_LOGS_LOAD_H

#include "detect/sigma/rule.h"

/* Of processor, ns. */
int64_t bench_now(void);
/* Empty: it cannot be read. Mapped until the end. */
struct str bench_map(const char *path);
/* All .yml below the folder; NULL: they cannot be loaded. */
const struct sigma_set *bench_rules(char *folder);

#endif
