/* canhgac webroot evidence, and the settings that all verbs of webroot share. */
#ifndef CLI_WEBROOT_EVIDENCE_H
#define CLI_WEBROOT_EVIDENCE_H

#include "cli/command.h"

struct webroot_settings {
    const char *store;
    const char *key;
    const char *reason;
    const char *who;
    const char *to;
    struct setting_list uploads;
    struct setting_list contents;
    int64_t minutes;
    bool is_end;
    bool is_json;
    bool is_forced;
};

int webroot_evidence_run(const struct command_call *call);

#endif
