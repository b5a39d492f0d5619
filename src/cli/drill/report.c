/* Says what a round came to. On its way: drill.c → here → stdout. Invariant: an attack that
 * destroyed nothing is never called a success of the watch. */
#include "cli/drill/report.h"

#include "base/banned.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/json.h"

#define JSON_LINE_LIMIT (64U << 10)

struct drill_words {
    const char *name;     /* in JSON */
    const char *sentence; /* for people */
};

static const struct drill_words drill_verdicts[] = {
    [DRILL_VERDICT_PROTECTED] = {"protected", N_("protected: stopped, and every file is back")},
    [DRILL_VERDICT_INCOMPLETE] = {"incomplete", N_("stopped, but not every file is back")},
    [DRILL_VERDICT_LATE] = {"late", N_("not stopped in time, but every file is back")},
    [DRILL_VERDICT_MISSED] = {"not-stopped", N_("not stopped: files are destroyed")},
    [DRILL_VERDICT_SKIPPED] = {"skipped", N_("skipped: a program it needs is not installed")},
    [DRILL_VERDICT_FAILED] = {"failed", N_("the drill could not be carried out")},
};

enum drill_verdict drill_report_judge(const struct drill_report *report)
{
    if (report->sighting.first_ns == 0 && report->sighting.is_ended) {
        return DRILL_VERDICT_FAILED; /* an attacker that destroyed nothing proves nothing */
    }
    if (report->sighting.is_stopped) {
        return report->lost == 0 ? DRILL_VERDICT_PROTECTED : DRILL_VERDICT_INCOMPLETE;
    }
    return report->lost == 0 ? DRILL_VERDICT_LATE : DRILL_VERDICT_MISSED;
}

static double drill_ms(int64_t ns)
{
    return (double)ns / (double)NS_PER_MS;
}

static double drill_stop_ms(const struct drill_sighting *sighting, int64_t since)
{
    return since != 0 && sighting->stop_ns > since ? drill_ms(sighting->stop_ns - since) : 0;
}

/* Why there is no figure; NULL when there is one. */
static const char *drill_reason(const struct drill_report *report)
{
    if (report->missing_tool != NULL) {
        return report->missing_tool;
    }
    return report->verdict == DRILL_VERDICT_FAILED ? report->diag.text : NULL;
}

static void drill_print_json(const struct drill_report *report, int64_t seed)
{
    struct json_writer json;
    struct buf buf;

    buf_init(&buf, JSON_LINE_LIMIT);
    json_begin(&json, &buf);
    json_open_object(&json);
    json_add_text(&json, "pattern", report->pattern->name);
    json_add_text(&json, "verdict", drill_verdicts[report->verdict].name);
    json_add_i64(&json, "seed", seed);
    json_add_u64(&json, "files", report->files);
    json_add_u64(&json, "touched", report->sighting.touched);
    json_add_u64(&json, "refused", report->refused);
    json_add_u64(&json, "lost", report->lost);
    json_add_bool(&json, "stopped", report->sighting.is_stopped);
    json_add_double(&json, "stop_ms", drill_stop_ms(&report->sighting, report->sighting.first_ns));
    json_add_double(&json, "react_ms", drill_stop_ms(&report->sighting, report->sighting.last_ns));
    json_add_double(&json, "restore_ms", drill_ms(report->restore_ns));
    json_add_text(&json, "reason", drill_reason(report));
    json_close_object(&json);
    buf_put_byte(&buf, '\n');
    (void)fwrite(buf.ptr, 1, buf.len, stdout);
    buf_done(&buf);
}

static void drill_print_text(const struct drill_report *report)
{
    const struct drill_sighting *sighting = &report->sighting;

    printf("%s: %s\n", report->pattern->name, text_get(report->pattern->sentence));
    if (drill_reason(report) != NULL) {
        printf("  %s (%s)\n", text_get(drill_verdicts[report->verdict].sentence),
               drill_reason(report));
        return;
    }
    printf(_("  files %zu, touched %llu, "), report->files, (unsigned long long)sighting->touched);
    printf(sighting->is_stopped ? _("stopped %.1f ms after the first destructive call")
                                : _("ran on for %.1f ms after the first destructive call"),
           drill_stop_ms(sighting, sighting->first_ns));
    printf(_(", %.1f ms after the last file\n"), drill_stop_ms(sighting, sighting->last_ns));
    if (report->lost != 0) {
        printf(_("  %zu files or folders are not as they were\n"), report->lost);
    } else {
        printf(_("  every file is bit for bit as it was, %.0f ms later\n"),
               drill_ms(report->restore_ns));
    }
    printf("  %s\n", text_get(drill_verdicts[report->verdict].sentence));
    if (report->verdict == DRILL_VERDICT_MISSED) {
        printf("  %s\n",
               _("see that the agent runs, and that one of its protected places holds this folder: "
                 "protect = FOLDER in /etc/canhgac/agent.conf"));
    }
}

void drill_report_print(const struct drill_report *report, int64_t seed, bool is_json)
{
    if (is_json) {
        drill_print_json(report, seed);
    } else {
        drill_print_text(report);
    }
    fflush(stdout);
}
