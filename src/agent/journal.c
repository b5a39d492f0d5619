/* The body: finds the folders, gives up every right but to read in them, then reads by the clock.
 * Neighbours: agent/journal/ and agent/follower.h. */
#include "agent/journal.h"

#include "agent/journal/private.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"

#include <fnmatch.h>

#define JOURNAL_GROUP  "systemd-journal"
#define JOURNAL_HEAP   (128ULL << 20)
#define JOURNAL_MAPPED (16ULL << 30) /* of files that are read; no memory of ours */
#define AUDIT_LOG      "/var/log/audit/audit.log"

static bool is_audit_log_read(const struct agent_settings *settings)
{
    const struct setting_list *logs = agent_settings_logs(settings, true);
    bool is_named = false;

    for (size_t i = 0; i < logs->count; i++) {
        is_named = is_named || fnmatch(logs->items[i], AUDIT_LOG, 0) == 0;
    }
    return is_named && access(AUDIT_LOG, F_OK) == 0;
}

static int journal_start(struct journal *journal, struct diag *diag)
{
    struct sandbox_path paths[JOURNAL_FOLDERS_MAX];
    struct sandbox sandbox = {.group = JOURNAL_GROUP,
                              .paths = paths,
                              .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_LOOK,
                              .heap_more = JOURNAL_HEAP,
                              .memory_more = JOURNAL_MAPPED};
    int r = follower_wait_for_outlet(&journal->follower);

    r = r < 0 ? r : journal_load(journal, diag);
    if (r < 0) {
        return r;
    }
    journal_find_roots(journal, journal->config->settings);
    for (size_t i = 0; i < journal->root_count; i++) {
        if (journal->folders[i].ino != 0) {
            paths[sandbox.path_count++] =
                (struct sandbox_path){journal->folders[i].path, SANDBOX_READ};
        }
    }
    journal->is_audit_read = is_audit_log_read(journal->config->settings);
    return follower_start(&journal->follower, &sandbox, diag);
}

static void journal_done(struct journal *journal)
{
    journal_close(journal);
    follower_done(&journal->follower);
    buf_done(&journal->text);
    mem_free(journal);
}

int journal_run(const struct journal_config *config)
{
    struct journal *journal = mem_alloc(1, sizeof(*journal));
    struct diag diag = {0};
    int r;

    log_init(JOURNAL_NAME, LOG_LEVEL_INFO);
    if (journal == NULL) {
        return EXIT_STATUS_FAILED;
    }
    journal->config = config;
    list_init(&journal->files);
    buf_init(&journal->text, FOLLOWER_RAW_MAX);
    follower_init(&journal->follower, JOURNAL_NAME, config->supervisor, config->outlet);
    journal->follower.read = journal_read;
    journal->follower.context = journal;
    r = journal_start(journal, &diag);
    if (r == 0) {
        r = follower_run(&journal->follower);
    }
    if (r < 0) {
        log_error("%s", diag_text(&diag, r));
    }
    journal_done(journal);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
