/* What attackers left in document roots: listed, shown, written out. */
#include "cli/webroot_evidence.h"

#include "agent/webroot.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/webroot_print.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define EVIDENCE_ARENA (4U << 20)

static int evidence_on_record(void *context, const struct evidence_record *record)
{
    const struct webroot_settings *settings = context;

    webroot_print_evidence(settings->is_json, record, false);
    return 0;
}

static int evidence_list(const struct webroot_settings *settings, struct evidence *evidence,
                         struct arena *arena)
{
    uint64_t damaged = 0;
    int r = evidence_each(evidence, arena, evidence_on_record,
                          (void *)(uintptr_t)(const void *)settings, &damaged);

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the evidence cannot be read: %s"), err_text(r));
    }
    if (damaged != 0) {
        return command_fail(EXIT_STATUS_FOUND, _("%llu records of evidence are damaged"),
                            (unsigned long long)damaged);
    }
    return EXIT_STATUS_CLEAN;
}

static int evidence_export(const struct webroot_settings *settings, struct evidence *evidence,
                           const struct evidence_record *record)
{
    CLEANUP(closep)
    int from = record->has_content ? blobs_get(&evidence->blobs, record->sha256) : -ERR_NOENT;
    CLEANUP(closep) int to = -1;
    int r;

    if (settings->to == NULL) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "webroot evidence export",
                            _("--to FILE"));
    }
    if (from < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("no content was kept of number %llu"),
                            (unsigned long long)record->number);
    }
    to = open(settings->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    r = to >= 0 ? fd_clone(from, to, record->size, NULL) : -errno;
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s: %s", settings->to, err_text(r));
    }
    return EXIT_STATUS_CLEAN;
}

static int evidence_one(const struct command_call *call, struct evidence *evidence,
                        struct arena *arena)
{
    const struct webroot_settings *settings = call->settings;
    struct evidence_record record;
    uint64_t number = 0;
    int r;

    if (call->operands.count != 2 || str_to_u64(str_from(call->operands.items[1]), &number) < 0) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "webroot evidence show|export",
                            _("NUMBER"));
    }
    r = evidence_get(evidence, number, arena, &record);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("evidence %llu: %s; canhgac webroot evidence list shows what there "
                              "is"),
                            (unsigned long long)number, err_text(r));
    }
    if (str_is_text(str_from(call->operands.items[0]), "export")) {
        return evidence_export(settings, evidence, &record);
    }
    webroot_print_evidence(settings->is_json, &record, true);
    return EXIT_STATUS_CLEAN;
}

int webroot_evidence_run(const struct command_call *call)
{
    const struct webroot_settings *settings = call->settings;
    const char *word = call->operands.count != 0 ? call->operands.items[0] : "list";
    CLEANUP(closep) int store = open(settings->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct evidence evidence;
    int r;

    if (!str_is_text(str_from(word), "list") && !str_is_text(str_from(word), "show") &&
        !str_is_text(str_from(word), "export")) {
        return command_fail(EXIT_STATUS_USAGE, _("'%s' wants %s"), "webroot evidence",
                            _("list | show NUMBER | export NUMBER --to FILE"));
    }
    if (store < 0 || faccessat(store, "evidence", F_OK, 0) != 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("there is no evidence in %s, or you may not enter it; name the store "
                              "with --store, as root"),
                            settings->store);
    }
    r = arena_new(EVIDENCE_ARENA, &arena);
    r = r < 0 ? r : evidence_open(store, WEBROOT_EVIDENCE_MAX, &evidence);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the evidence cannot be read: %s"), err_text(r));
    }
    r = str_is_text(str_from(word), "list") ? evidence_list(settings, &evidence, arena)
                                            : evidence_one(call, &evidence, arena);
    evidence_close(&evidence);
    return r;
}
