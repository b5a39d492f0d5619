/* The agent's settings: one struct, one table of rows, for the file, the command line and the
 * console. */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include "base/arena.h"
#include "base/diag.h"
#include "model/setting.h"

#include <stdbool.h>
#include <stdint.h>

enum agent_mode {
    AGENT_MODE_STOP_AND_RESTORE,
    AGENT_MODE_PAUSE_AND_ASK,
    AGENT_MODE_DETECT_ONLY,
    AGENT_MODE_COUNT,
};

struct agent_settings {
    bool is_standalone;
    bool is_json;
    const char *config;
    struct setting_list protect;
    struct setting_list exclude;
    const char *mode; /* a word of agent_mode_names */
    const char *folder;
    const char *vault;
    int64_t vault_bytes;
    int64_t vault_retention;
    int64_t whole_bytes;
    int64_t edge_bytes;
    int64_t spool_bytes;
    bool is_guard_only;
    struct setting_list webroots;
    struct setting_list webroot_uploads;
    struct setting_list webroot_contents;
    const char *webroot_store;
    int64_t webroot_evidence;
    int64_t webroot_rescan;
    bool webroot_deny;
    struct setting_list access_logs;
    struct setting_list logs; /* empty: agent_settings_logs */
    const char *journal;      /* yes or no */
    struct setting_list journal_folders;
    int64_t journal_since;
    const char *access_log_format; /* as weblog_format_init takes it */
};

extern const struct setting agent_setting_rows[];
extern const char *const agent_mode_names[AGENT_MODE_COUNT];

enum agent_mode agent_settings_mode(const struct agent_settings *settings);
/* Whether the journal is to be followed, if there is one. */
bool agent_settings_journal(const struct agent_settings *settings);
/* The logs to follow: those that are named, else the usual ones; of these, beside a journal that is
 * followed, only those whose entries it has not. */
const struct setting_list *agent_settings_logs(const struct agent_settings *settings,
                                               bool is_beside_journal);

#endif
