/* The table. */
#include "agent/settings.h"

#include "base/banned.h"
#include "base/text.h"

#include <stddef.h>

#define ROW(member) offsetof(struct agent_settings, member)

const char *const agent_mode_names[AGENT_MODE_COUNT] = {
    [AGENT_MODE_STOP_AND_RESTORE] = "stop-and-restore",
    [AGENT_MODE_PAUSE_AND_ASK] = "pause-and-ask",
    [AGENT_MODE_DETECT_ONLY] = "detect-only",
};

const struct setting agent_setting_rows[] = {
    {"standalone", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_standalone), NULL,
     N_("work without a centre and print findings here")},
    {"json", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_json), NULL,
     N_("print findings as one JSON object a line")},
    {"config", 'c', SETTING_PATH, "/etc/canhgac/agent.conf", NULL, NULL, ROW(config), N_("FILE"),
     N_("settings file; a missing one is passed over")},
    {"protect", 'p', SETTING_PATH_LIST, "/home,/srv,/var/www,/root", NULL, NULL, ROW(protect),
     N_("FOLDER"), N_("folder whose files are guarded; repeat it for more")},
    {"exclude", 'x', SETTING_PATH_LIST, NULL, NULL, NULL, ROW(exclude), N_("FOLDER"),
     N_("folder inside a guarded one that is left alone")},
    {"mode", 'm', SETTING_CHOICE, "stop-and-restore", NULL,
     "stop-and-restore|pause-and-ask|detect-only", ROW(mode), N_("MODE"),
     N_("what to do about an attack")},
    {"folder", 0, SETTING_PATH, "/var/lib/canhgac", NULL, NULL, ROW(folder), N_("FOLDER"),
     N_("where the agent keeps what is its own")},
    {"vault", 0, SETTING_PATH, NULL, NULL, NULL, ROW(vault), N_("FOLDER"),
     N_("where copies of files are kept; by default vault inside --folder")},
    {"vault-bytes", 0, SETTING_SIZE, "10G", "16M", "1P", ROW(vault_bytes), N_("SIZE"),
     N_("most bytes the vault may hold")},
    {"vault-retention", 0, SETTING_DURATION, "24h", "1s", "3650d", ROW(vault_retention), N_("TIME"),
     N_("how long a copy is kept at least")},
    {"vault-whole", 0, SETTING_SIZE, "256M", "1M", "1P", ROW(whole_bytes), N_("SIZE"),
     N_("larger files are kept as head and tail where the file system cannot clone")},
    {"vault-edge", 0, SETTING_SIZE, "16M", "64K", "1G", ROW(edge_bytes), N_("SIZE"),
     N_("size of that head and that tail")},
    {"spool-bytes", 0, SETTING_SIZE, "256M", "4M", "1T", ROW(spool_bytes), N_("SIZE"),
     N_("most bytes that may wait for the centre; beyond it the oldest events go, findings stay")},
    {"guard-only", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_guard_only), NULL,
     N_("guard document roots and nothing else, with no more rights than whoever starts it")},
    {"webroot", 'w', SETTING_PATH_LIST, NULL, NULL, NULL, ROW(webroots), N_("FOLDER"),
     N_("document root that is kept as it was signed (canhgac webroot); repeat it for more")},
    {"webroot-upload", 0, SETTING_LIST, NULL, NULL, NULL, ROW(webroot_uploads), N_("GLOB"),
     N_("folders below a document root that visitors write to, beside those of its manifest")},
    {"webroot-content", 0, SETTING_LIST, NULL, NULL, NULL, ROW(webroot_contents), N_("GLOB"),
     N_("folders below a document root that the site's own programs write to")},
    {"webroot-store", 0, SETTING_PATH, NULL, NULL, NULL, ROW(webroot_store), N_("FOLDER"),
     N_("where signed manifests, originals and evidence lie; by default webroot inside --folder")},
    {"webroot-evidence", 0, SETTING_SIZE, "1G", "1M", "1P", ROW(webroot_evidence), N_("SIZE"),
     N_("most bytes of attackers' files that are kept as evidence")},
    {"webroot-rescan", 0, SETTING_DURATION, "15m", "1s", "7d", ROW(webroot_rescan), N_("TIME"),
     N_("how often all of a document root is compared with its manifest")},
    {"webroot-deny", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(webroot_deny), NULL,
     N_("refuse to open signed files for writing, except in a publish window; what gets round "
        "that is put back as ever")},
    {"access-log", 0, SETTING_PATH_LIST, NULL, NULL, NULL, ROW(access_logs), N_("FILE"),
     N_("a web server's access log that is read for pages shown to search engines only; its name "
        "may hold * and ?; repeat it for more")},
    {"access-log-format", 0, SETTING_TEXT, "combined", NULL, NULL, ROW(access_log_format),
     N_("FORMAT"), N_("common, combined, vhost_combined, nginx, w3c, or the server's own line")},
    {"log", 0, SETTING_PATH_LIST, NULL, NULL, NULL, ROW(logs), N_("FILE"),
     N_("log whose entries go to the centre and its rules; its name may hold * and ?; repeat it "
        "for more; by default audit.log and, where no journal is followed, what syslog writes of "
        "log-ins, kernel and mail: the journal has the same entries, and none is to count twice")},
    {"journal", 0, SETTING_CHOICE, "yes", NULL, "yes|no", ROW(journal), N_("WORD"),
     N_("follow systemd's journal, where there is one")},
    {"journal-folder", 0, SETTING_PATH_LIST, "/var/log/journal,/run/log/journal", NULL, NULL,
     ROW(journal_folders), N_("FOLDER"),
     N_("where journal files lie: in it, and in its folders that are named after this machine")},
    {"journal-since", 0, SETTING_DURATION, "0s", "0s", "3650d", ROW(journal_since), N_("TIME"),
     N_("how far back the journal is read when it is followed for the first time")},
    {0},
};

static const struct setting_list logs_beside_journal = {.items = {"/var/log/audit/audit.log"},
                                                        .count = 1};
static const struct setting_list logs_without_journal = {
    .items = {"/var/log/auth.log", "/var/log/secure", "/var/log/kern.log", "/var/log/mail.log",
              "/var/log/audit/audit.log"},
    .count = 5};

bool agent_settings_journal(const struct agent_settings *settings)
{
    return str_is_text(str_from(settings->journal), "yes");
}

const struct setting_list *agent_settings_logs(const struct agent_settings *settings,
                                               bool is_beside_journal)
{
    if (settings->logs.count != 0) {
        return &settings->logs;
    }
    return is_beside_journal ? &logs_beside_journal : &logs_without_journal;
}

enum agent_mode agent_settings_mode(const struct agent_settings *settings)
{
    for (int mode = 0; mode < AGENT_MODE_COUNT; mode++) {
        if (str_is_text(str_from(settings->mode), agent_mode_names[mode])) {
            return (enum agent_mode)mode;
        }
    }
    return AGENT_MODE_STOP_AND_RESTORE;
}
