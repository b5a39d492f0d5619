/* canhgac drill: staged attacks in a scratch folder that show whether the watch works. On its way:
 * the rows below → drill_round: folder, files, attacker, watcher, recheck → a line a pattern.
 * Invariants: only the scratch folder is touched and only our own children are signalled; a stopped
 * attacker ends with its round. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/prng.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/drill/attack.h"
#include "cli/drill/deface.h"
#include "cli/drill/fill.h"
#include "cli/drill/folder.h"
#include "cli/drill/manifest.h"
#include "cli/drill/report.h"
#include "cli/drill/watch.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define RECHECK_NS (20 * NS_PER_MS)
#define HOPELESS_NS                                                                                \
    (2 * NS_PER_S) /* an attack that was not stopped: no file has come back for so long */
#define ROUND_MEMORY (512U << 20)

struct drill_settings {
    const char *pattern;
    const char *folder;
    const char *manifest;
    int64_t files;
    int64_t seed;
    int64_t limit_ns;
    int64_t wait_ns;
    bool keep;
    bool list;
    bool json;
};

/* Everything of one round. */
struct drill_round {
    const struct drill_settings *settings;
    const struct drill_pattern *pattern;
    struct arena *arena;
    struct drill_folder folder;
    struct drill_folder home;
    struct drill_manifest manifest;
    struct drill_attack attack;
    struct drill_counter *counter;
    struct drill_watch *watch;
    bool *is_same;
    pid_t pid;
};

static const struct setting drill_rows[] = {
    {"pattern", 'p', SETTING_TEXT, "inplace", NULL, NULL, offsetof(struct drill_settings, pattern),
     N_("NAME"), N_("the attack to stage, or all of them; --list shows them")},
    {"folder", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct drill_settings, folder),
     N_("DIR"), N_("where: must be empty or not exist; else a new folder under /srv")},
    {"files", 'n', SETTING_NUMBER, "200", "1", "100000", offsetof(struct drill_settings, files),
     N_("N"), N_("how many documents to make")},
    {"seed", 0, SETTING_NUMBER, "1", "0", NULL, offsetof(struct drill_settings, seed), N_("N"),
     N_("which documents, and in which order they are attacked")},
    {"limit", 0, SETTING_DURATION, "120s", "1s", "1h", offsetof(struct drill_settings, limit_ns),
     N_("TIME"), N_("longest time an attack may run before the drill ends it")},
    {"wait", 0, SETTING_DURATION, "30s", "0s", "1h", offsetof(struct drill_settings, wait_ns),
     N_("TIME"), N_("longest time to wait until the files are back")},
    {"manifest", 0, SETTING_PATH, NULL, NULL, NULL, offsetof(struct drill_settings, manifest),
     N_("FILE"), N_("write what the files were before the attack, one JSON object a line")},
    {"keep", 'k', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_settings, keep), NULL,
     N_("leave the folder as it is at the end")},
    {"list", 'l', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_settings, list), NULL,
     N_("list the attacks and end")},
    {"json", 'j', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct drill_settings, json), NULL,
     N_("one JSON object a line")},
    {},
};

/* Set by SIGINT and SIGTERM: the round ends early, and is cleaned up like any other. */
static volatile sig_atomic_t drill_is_called_off;

static void drill_call_off(int signal)
{
    (void)signal;
    drill_is_called_off = 1;
}

static void drill_unmap(struct drill_counter **counter)
{
    if (*counter != NULL) {
        (void)munmap(*counter, sizeof(**counter));
    }
}

/* The attacker keeps to the scratch folder even if it errs: Landlock and three capabilities, for
 * patterns of our own calls; tools need the whole system to be readable and run by their own
 * arguments only. */
static int drill_confine(const struct drill_round *round)
{
    static const int capabilities[] = {CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID};
    const struct sandbox_path path = {round->folder.path, SANDBOX_WRITE};
    const struct sandbox sandbox = {
        .capabilities = geteuid() == 0 ? capabilities : NULL,
        .capability_count = geteuid() == 0 ? ARRAY_LEN(capabilities) : 0,
        .paths = &path,
        .path_count = 1,
    };

    return round->pattern->tools != NULL ? 0 : sandbox_enter(&sandbox, NULL, NULL);
}

static int drill_attacker(void *context)
{
    struct drill_round *round = context;
    int quiet = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* A stopped process does not take SIGTERM. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setsid() < 0 || quiet < 0 ||
        dup2(quiet, STDIN_FILENO) < 0 || dup2(quiet, STDOUT_FILENO) < 0 ||
        dup2(quiet, STDERR_FILENO) < 0 || fchdir(round->folder.fd) < 0 ||
        drill_confine(round) < 0) {
        return EXIT_FAILURE;
    }
    return drill_attack_run(&round->attack, round->pattern);
}

/* The victims in an order of the seed's. */
static int drill_shuffle(struct drill_round *round)
{
    size_t *order = arena_alloc(round->arena, round->manifest.file_count, sizeof(*order));
    struct prng prng;
    size_t count = 0;

    if (order == NULL) {
        return -ERR_NOMEM;
    }
    prng_init(&prng, (uint64_t)round->settings->seed);
    for (size_t i = 0; i < round->manifest.count; i++) {
        if (!round->manifest.entries[i].is_folder) {
            size_t other = prng_below(&prng, count + 1);

            order[count] = order[other];
            order[other] = i;
            count++;
        }
    }
    round->attack.order = order;
    round->attack.victim_count = count;
    return 0;
}

static int drill_prepare(struct drill_round *round, struct diag *diag)
{
    char home[] = "/tmp/canhgac-drill-home-XXXXXX";
    int r = drill_folder_make(round->settings->folder, &round->folder, diag);

    if (r == 0) {
        r = mkdtemp(home) != NULL ? drill_folder_make(home, &round->home, diag) : -errno;
    }
    if (r < 0) {
        return r;
    }
    r = drill_fill(&round->folder, (uint64_t)round->settings->seed, (size_t)round->settings->files,
                   round->arena, &round->manifest);
    if (r < 0) {
        return diag_set(diag, r, _("the documents could not be written in %s: %s"),
                        round->folder.path, err_text(r));
    }
    if (round->settings->manifest != NULL) {
        r = drill_manifest_save(&round->manifest, round->settings->manifest);
        if (r < 0) {
            return diag_set(diag, r, _("%s could not be written: %s"), round->settings->manifest,
                            err_text(r));
        }
    }
    round->is_same = arena_alloc(round->arena, round->manifest.count, sizeof(*round->is_same));
    return round->is_same == NULL ? -ERR_NOMEM : drill_shuffle(round);
}

static int drill_launch(struct drill_round *round)
{
    const int keep[] = {round->folder.fd};
    int r;

    round->counter = mmap(NULL, sizeof(*round->counter), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (round->counter == MAP_FAILED) {
        round->counter = NULL;
        return -errno;
    }
    round->attack.folder = &round->folder;
    round->attack.manifest = &round->manifest;
    round->attack.home = round->home.path;
    round->attack.counter = round->counter;
    r = drill_watch_new(&round->folder, &round->manifest, round->counter,
                        round->pattern->tools != NULL, &round->watch);
    return r < 0 ? r
                 : spawn_body("drill-attack", keep, ARRAY_LEN(keep), drill_attacker, round,
                              &round->pid);
}

/* Entries that are not as they were, all looked at anew: what was true early may have been hit
 * since, or be put back a second time just now. */
static size_t drill_check_all(struct drill_round *round)
{
    memset(round->is_same, 0, round->manifest.count * sizeof(*round->is_same));
    return drill_manifest_check(&round->manifest, round->folder.fd, round->is_same);
}

/* Waits until all entries are as they were; gives up at the set time, or early when nobody stopped
 * the attack and nothing comes back. */
static void drill_recheck(struct drill_round *round, struct drill_report *report)
{
    const struct timespec pause = {.tv_nsec = RECHECK_NS};
    int64_t start = clock_mono(&clock_real);
    int64_t progress = start;
    int64_t now;
    size_t before = SIZE_MAX;

    for (;;) {
        report->lost = drill_manifest_check(&round->manifest, round->folder.fd, round->is_same);
        if (report->lost == 0) {
            report->lost = drill_check_all(round);
        }
        now = clock_mono(&clock_real);
        progress = report->lost < before ? now : progress;
        before = report->lost;
        if (report->lost == 0 || drill_is_called_off != 0 ||
            now - start >= round->settings->wait_ns ||
            (!report->sighting.is_stopped && now - progress >= HOPELESS_NS)) {
            break;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    report->restore_ns = report->lost == 0 ? now - report->sighting.stop_ns : 0;
    report->lost = report->lost != 0 ? drill_check_all(round) : 0;
}

static int drill_act(struct drill_round *round, struct drill_report *report)
{
    int r = drill_prepare(round, &report->diag);

    if (r == 0) {
        r = drill_launch(round);
    }
    if (r < 0) {
        return r;
    }
    report->files = round->manifest.file_count;
    r = drill_watch_run(round->watch, round->pid, round->settings->limit_ns, &drill_is_called_off,
                        &report->sighting);
    if (r == 0) {
        if (report->sighting.is_overdue) {
            drill_session_kill(round->pid);
            round->pid = 0;
        }
        drill_recheck(round, report);
    }
    if (round->pid != 0) {
        drill_session_kill(round->pid);
    }
    report->refused = atomic_load(&round->counter->refused);
    return r;
}

static void drill_tidy(struct drill_round *round, struct drill_report *report)
{
    if (round->home.fd >= 0 && drill_folder_remove(&round->home) == 0) {
        (void)rmdir(round->home.path);
    }
    if (round->folder.fd >= 0 && !round->settings->keep) {
        int r;

        /* Not by this program: who reads documents and removes them, while one like it makes
         * ciphertext of their size, is what the next round's agent is there to stop. */
        drill_folder_sweep(&round->folder);
        r = drill_folder_remove(&round->folder);

        if (r < 0) {
            report->verdict = DRILL_VERDICT_FAILED;
            diag_set(&report->diag, r, _("%s could not be cleaned up: %s"), round->folder.path,
                     err_text(r));
        }
    }
    closep(&round->folder.fd);
    drill_watch_freep(&round->watch);
    drill_unmap(&round->counter);
    arena_free(round->arena);
}

static void drill_round(const struct drill_settings *settings, const struct drill_pattern *pattern,
                        struct drill_report *report)
{
    struct drill_round round = {
        .settings = settings, .pattern = pattern, .folder.fd = -1, .home.fd = -1};
    int r;

    *report =
        (struct drill_report){.pattern = pattern, .missing_tool = drill_pattern_missing(pattern)};
    if (report->missing_tool != NULL) {
        report->verdict = DRILL_VERDICT_SKIPPED;
        return;
    }
    r = arena_new(ROUND_MEMORY, &round.arena);
    if (r == 0) {
        r = drill_act(&round, report);
    }
    report->verdict = r == 0 ? drill_report_judge(report) : DRILL_VERDICT_FAILED;
    if (r < 0) {
        diag_set(&report->diag, r, "%s", err_text(r));
    } else if (report->verdict == DRILL_VERDICT_FAILED) {
        diag_set(&report->diag, r, _("the attack destroyed nothing, so nothing is proved"));
    }
    drill_tidy(&round, report);
}

static int drill_list(bool is_json)
{
    for (const struct drill_pattern *pattern = drill_patterns; pattern->name != NULL; pattern++) {
        const char *missing = drill_pattern_missing(pattern);

        if (is_json) {
            printf("{\"pattern\":\"%s\",\"missing\":%s%s%s}\n", pattern->name,
                   missing != NULL ? "\"" : "", missing != NULL ? missing : "null",
                   missing != NULL ? "\"" : "");
            continue;
        }
        printf("  %-16s %s", pattern->name, text_get(pattern->sentence));
        if (missing != NULL) {
            printf(_(" (not installed: %s)"), missing);
        }
        printf("\n");
    }
    return EXIT_STATUS_CLEAN;
}

/* The worst of two: what could not run outweighs what was not protected. A missing tool alone is no
 * fault. */
static enum exit_status drill_exit(enum drill_verdict verdict, enum exit_status so_far)
{
    if (verdict == DRILL_VERDICT_FAILED) {
        return EXIT_STATUS_FAILED;
    }
    if (verdict == DRILL_VERDICT_PROTECTED || verdict == DRILL_VERDICT_SKIPPED) {
        return so_far;
    }
    return so_far == EXIT_STATUS_CLEAN ? EXIT_STATUS_FOUND : so_far;
}

static int drill_ransomware_run(const struct command_call *call)
{
    const struct drill_settings *settings = call->settings;
    bool is_all = str_is_text(str_from(settings->pattern), "all");
    enum exit_status status = EXIT_STATUS_CLEAN;
    size_t skipped = 0;
    size_t count = 0;

    if (settings->list) {
        return drill_list(settings->json);
    }
    if (!is_all && drill_pattern_find(settings->pattern) == NULL) {
        return command_fail(EXIT_STATUS_USAGE, _("there is no attack '%s'; --list shows them"),
                            settings->pattern);
    }
    if (is_all && settings->keep) {
        return command_fail(EXIT_STATUS_USAGE, _("--keep wants one pattern, not all"));
    }
    (void)sigaction(SIGINT, &(struct sigaction){.sa_handler = drill_call_off}, NULL);
    (void)sigaction(SIGTERM, &(struct sigaction){.sa_handler = drill_call_off}, NULL);
    for (const struct drill_pattern *pattern = drill_patterns;
         pattern->name != NULL && drill_is_called_off == 0; pattern++) {
        struct drill_report report;

        if (!is_all && !str_is_text(str_from(settings->pattern), pattern->name)) {
            continue;
        }
        drill_round(settings, pattern, &report);
        status = drill_exit(report.verdict, status);
        skipped += report.verdict == DRILL_VERDICT_SKIPPED ? 1 : 0;
        count++;
        drill_report_print(&report, settings->seed, settings->json);
    }
    return skipped == count ? EXIT_STATUS_FAILED : (int)status;
}

static const struct command drill_verbs[] = {
    {
        .name = "ransomware",
        .summary = N_("Stage an encryption attack and tell whether it was stopped and undone"),
        .details = N_(
            "Makes a folder of its own, fills it with documents, encrypts them under a published "
            "key and "
            "waits for the agent to stop the attack and bring the files back. Only that folder is "
            "touched. Without an agent nothing stops it: then the files in it are lost, as they "
            "should "
            "be.\nExit status: 0 stopped and restored, 1 not, 3 could not run."),
        .rows = drill_rows,
        .settings_size = sizeof(struct drill_settings),
        .run = drill_ransomware_run,
    },
    {
        .name = "deface",
        .summary = N_("Deface a demo portal and tell whether it was found and put back"),
        .details = N_(
            "Starts a portal of its own on loopback, watches it until its pages are known, then "
            "defaces it in six ways, one after the other. Each is to raise an alarm and is put "
            "back from a signed copy; how many seconds both took is told. Only a folder of its own "
            "is touched, and nothing leaves this machine.\nExit status: 0 all found and put back, "
            "1 not all, 3 could not run."),
        .rows = drill_deface_rows,
        .settings_size = sizeof(struct drill_deface_settings),
        .run = drill_deface_run,
    },
    {},
};

const struct command drill_command = {
    .name = "drill",
    .summary = N_("Stage an attack to prove that the watch works"),
    .verbs = drill_verbs,
};
