/* Lists of the web, brought again. Neighbours: cli/lists.c asks, cli/lists_folder.c imports. */
#include "cli/lists_refresh.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/lists_fetch.h"
#include "cli/lists_folder.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a list is brought again by, in fixed room: a child hands it over, since what lies in the
 * folder is parsed only without rights. */
struct refresh_row {
    char name[INDICATORS_NAME_MAX + 1];
    char label[INDICATORS_TEXT_MAX + 1];
    char source[INDICATORS_TEXT_MAX + 1];
    int64_t lasts;
};

struct refresh_job {
    const char *folder;
    int target;
};

static void refresh_put(char *out, size_t size, struct str text)
{
    (void)snprintf(out, size, "%.*s", STR_ARG(text));
}

static int refresh_body(void *context)
{
    const struct refresh_job *job = context;
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    int r = lists_load(job->folder, str_of(NULL, 0), &indicators);

    for (size_t i = 0; r == 0 && i < indicators_list_count(indicators); i++) {
        const struct indicator_list *list = indicators_list(indicators, i);
        struct refresh_row row = {.lasts = list->expires != 0 ? list->expires - list->imported : 0};

        refresh_put(row.name, sizeof(row.name), list->name);
        refresh_put(row.label, sizeof(row.label), list->label);
        refresh_put(row.source, sizeof(row.source), list->source);
        r = fd_write_full(job->target, &row, sizeof(row)) < 0 ? EXIT_STATUS_FAILED : 0;
    }
    return r;
}

/* How many rows there are; negative when it could not be found out, which was said then. */
static int refresh_ask(const char *folder, struct refresh_row *rows)
{
    CLEANUP(closep) int target = memfd_create("lists", MFD_CLOEXEC);
    struct refresh_job job = {.folder = folder, .target = target};
    int status = 0;
    ssize_t got;
    pid_t pid;

    if (target < 0 || spawn_body("lists", &target, 1, refresh_body, &job, &pid) < 0 ||
        waitpid(pid, &status, 0) < 0) {
        return -command_fail(EXIT_STATUS_FAILED, "%s", err_text(-errno));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return -EXIT_STATUS_FAILED;
    }
    got = pread(target, rows, INDICATORS_LISTS_MAX * sizeof(*rows), 0);
    return got < 0 ? -EXIT_STATUS_FAILED : (int)((size_t)got / sizeof(*rows));
}

static bool refresh_is_named(const struct setting_operands *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return names->count == 0;
}

static int refresh_one(const char *folder, const struct refresh_row *row, bool is_json)
{
    const struct lists_import import = {.name = str_from(row->name),
                                        .file = row->source,
                                        .label = row->label,
                                        .source = row->source,
                                        .is_guessed = true,
                                        .lasts = row->lasts,
                                        .is_json = is_json};

    return lists_import(folder, &import);
}

/* One that somebody named must be of the web; of all, the others are passed over. */
static int refresh_row(const char *folder, const struct refresh_row *row, bool is_asked,
                       bool is_json)
{
    if (lists_is_url(row->source)) {
        return refresh_one(folder, row, is_json);
    }
    return !is_asked ? 0
                     : command_fail(EXIT_STATUS_FAILED,
                                    _("the list %s came from %s, which is no address; import it "
                                      "again"),
                                    row->name, row->source);
}

int lists_refresh(const char *folder, const struct setting_operands *names, bool is_json)
{
    static struct refresh_row rows[INDICATORS_LISTS_MAX];
    int count = refresh_ask(folder, rows);
    int worst = count < 0 ? -count : 0;
    size_t named = 0;

    for (int i = 0; i < count; i++) {
        if (refresh_is_named(names, rows[i].name)) {
            int r = refresh_row(folder, &rows[i], names->count != 0, is_json);

            worst = r > worst ? r : worst;
            named++;
        }
    }
    if (count >= 0 && named < names->count) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("one of the named lists is not there; canhgac lists list shows which "
                              "there are"));
    }
    return worst;
}
