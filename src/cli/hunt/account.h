/* What became of every entry and byte of a hunt: entries = matched + unmatched + outside, by
 * format; and what could not be read. */
#ifndef CLI_HUNT_ACCOUNT_H
#define CLI_HUNT_ACCOUNT_H

#include "base/buf.h"
#include "cli/hunt/crew.h"
#include "detect/sigma/correlate.h"

#define ACCOUNT_FORMATS_MAX 64

struct account_row {
    uint64_t files;
    struct log_counts counts;
};

struct hunt_account {
    struct account_row formats[ACCOUNT_FORMATS_MAX]; /* as log_formats */
    struct account_row all;
    uint64_t matched;
    uint64_t outside;
    uint64_t found;      /* matches shown */
    uint64_t correlated; /* correlations shown */
    uint64_t left;       /* left out: see again.h */
    uint64_t unread;     /* files, or members of archives, read in part or not at all */
    uint64_t limits;     /* entries of which a regex could not be asked to the end */
    size_t rules;
    size_t correlations;
    size_t refused;    /* documents among the rules */
    uint64_t matching; /* ns */
    struct sigma_correlator_stats links;
    bool is_stopped;
};

void account_add_file(struct hunt_account *account, const struct log_format *format);
void account_add_block(struct hunt_account *account, const struct hunt_block *block);
/* One JSON object, or sentences. */
void account_put_json(const struct hunt_account *account, struct buf *out);
void account_put_text(const struct hunt_account *account, struct buf *out);

#endif
