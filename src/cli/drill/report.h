/* What a round of a drill came to, and how it is told. */
#ifndef CLI_DRILL_REPORT_H
#define CLI_DRILL_REPORT_H

#include "base/diag.h"
#include "cli/drill/attack.h"
#include "cli/drill/watch.h"

#include <stddef.h>
#include <stdint.h>

enum drill_verdict {
    DRILL_VERDICT_PROTECTED,  /* stopped, and everything is back */
    DRILL_VERDICT_INCOMPLETE, /* stopped, but files are missing */
    DRILL_VERDICT_LATE,       /* ran to its end, yet everything is back */
    DRILL_VERDICT_MISSED,     /* ran to its end, files are destroyed */
    DRILL_VERDICT_SKIPPED,    /* a tool is missing */
    DRILL_VERDICT_FAILED,     /* the drill itself could not run */
    DRILL_VERDICT_COUNT,
};

struct drill_report {
    const struct drill_pattern *pattern;
    enum drill_verdict verdict;
    struct drill_sighting sighting;
    size_t files;
    size_t lost; /* entries that differ at the end */
    uint64_t refused;
    int64_t restore_ns; /* stop to the last file back; 0 when not all came back */
    const char *missing_tool;
    struct diag diag;
};

/* The verdict of a round that was carried out. */
enum drill_verdict drill_report_judge(const struct drill_report *report);
/* One JSON object a line, or some lines for a person, on stdout. */
void drill_report_print(const struct drill_report *report, int64_t seed, bool is_json);

#endif
