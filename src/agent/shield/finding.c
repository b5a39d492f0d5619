/* Findings of the shield in words. Titles are English source sentences, translated where they are
 * shown. */
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"

#define FAILURES_TELL_NS (600 * NS_PER_S)

static const char *const case_titles[FINDING_ACTION_COUNT] = {
    [FINDING_ACTION_NONE] = N_("A program is encrypting files; nothing was done, as the mode says"),
    [FINDING_ACTION_PAUSED] =
        N_("A program that encrypted files was stopped and waits for a decision"),
    [FINDING_ACTION_STOPPED] = N_("A program that encrypted files was stopped"),
    [FINDING_ACTION_RESUMED] = N_("A stopped program was let go on; its own files were given back"),
    [FINDING_ACTION_KILLED] = N_("A program that encrypted files was ended"),
    [FINDING_ACTION_RESTORED] =
        N_("A program that encrypted files was stopped, and the files were restored"),
};
static const char restored_title[] =
    N_("A program that encrypted files was stopped, and the files were restored");

static const char *case_title(const struct shield_case *known)
{
    return known->action == FINDING_ACTION_STOPPED && known->restored != 0 && known->result == 0
               ? restored_title
               : case_titles[known->action];
}

static uint64_t case_destroyed(const struct shield_case *known)
{
    uint64_t count = 0;

    for (size_t i = 0; i < known->file_count; i++) {
        count += known->files[i].outcome != FILE_OUTCOME_PRODUCT ? 1 : 0;
    }
    return known->file_count < FINDING_FILES_MAX ? count : known->damage_count;
}

void shield_case_tell(struct shield *shield, struct shield_case *known)
{
    struct finding_process group[FINDING_GROUP_MAX];
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct finding *finding = &record.finding;
    size_t group_count =
        known->group.count < FINDING_GROUP_MAX ? known->group.count : FINDING_GROUP_MAX;

    if (arena_new(1U << 20, &arena) < 0) {
        return;
    }
    for (size_t i = 0; i < group_count; i++) {
        struct actor_key key = {known->group.members[i].pid, known->group.members[i].start};

        shield_describe(shield, key, arena, &group[i]);
    }
    *finding = (struct finding){.id = known->id,
                                .revision = ++known->revision,
                                .time = clock_wall(&clock_real),
                                .detector = STR("ransom"),
                                .severity = SEVERITY_CRITICAL,
                                .title = str_from(case_title(known)),
                                .score = known->score,
                                .reasons = known->reasons,
                                .reason_count = known->reason_count,
                                .process = known->process,
                                .ancestors = known->ancestors,
                                .ancestor_count = known->ancestor_count,
                                .group = group,
                                .group_count = group_count,
                                .files = known->files,
                                .file_count = known->file_count,
                                .files_total = case_destroyed(known),
                                .files_restored = known->restored,
                                .is_drill = shield_case_is_drill(known),
                                .action = known->action,
                                .action_result = known->result,
                                .action_ns = known->action_ns};
    shield->port.record(shield->port.context, &record);
}

/* Originals that could not be saved are the one thing that must not pass quietly. */
void shield_tell_failures(struct shield *shield, int64_t now)
{
    uint64_t failures = atomic_load(&shield->save_failures);
    struct record record = {.kind = RECORD_KIND_FINDING};
    struct finding *finding = &record.finding;
    struct finding_reason reason = {.what = STR("vault"), .score = 0};
    char value[128];

    if (failures == shield->failures_told ||
        (shield->failures_told != 0 && now - shield->failures_told_at < FAILURES_TELL_NS)) {
        return;
    }
    shield->failures_told = failures;
    shield->failures_told_at = now;
    (void)snprintf(value, sizeof(value), "%llu, %s", (unsigned long long)failures,
                   err_name(atomic_load(&shield->save_error)));
    reason.value = str_from(value);
    *finding = (struct finding){
        .revision = 1,
        .time = clock_wall(&clock_real),
        .detector = STR("ransom"),
        .severity = SEVERITY_HIGH,
        .title =
            str_from(N_("Copies of files could not be kept before they were changed; make room "
                        "for the vault or raise vault-bytes")),
        .reasons = &reason,
        .reason_count = 1,
        .action = FINDING_ACTION_NONE,
        .action_result = atomic_load(&shield->save_error)};
    if (id_new(&finding->id) == 0) {
        shield->port.record(shield->port.context, &record);
    }
}
