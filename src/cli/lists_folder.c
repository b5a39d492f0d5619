/* Reading and writing the folder of lists. On the data's way: a file that somebody brought → a
 * child without rights → NAME.list → indicators. */
#include "cli/lists_folder.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "centre/lists.h"
#include "cli/command.h"
#include "cli/lists_fetch.h"
#include "codec/json.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FOLDER_MODE 0755
#define FILE_MODE   0644
#define MEMORY_MAX  (2ULL << 30) /* of the child: JSON of FEED_SIZE_MAX as a tree */
#define ARENA_MAX   (1U << 30)

struct lists_name {
    char text[INDICATORS_NAME_MAX + sizeof(LISTS_SUFFIX)];
};

static struct lists_name file_name(struct str name)
{
    struct lists_name file;

    (void)snprintf(file.text, sizeof(file.text), "%.*s%s", STR_ARG(name), LISTS_SUFFIX);
    return file;
}

/* Whatever is parsed afterwards can neither open, send nor start anything. */
static int give_up_rights(void)
{
    const struct sandbox sandbox = {.user = geteuid() == 0 ? "nobody" : NULL,
                                    .calls = SANDBOX_CALLS_IO,
                                    .memory_more = MEMORY_MAX};
    struct diag diag = {{0}};
    int r = sandbox_enter(&sandbox, NULL, &diag);

    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

struct import_job {
    const struct lists_import *import;
    int source;
    int target;
    int64_t now;
};

static int take_entry(void *context, const struct feed_entry *entry)
{
    struct indicator_writer *writer = context;

    indicator_write_entry(writer, entry);
    return buf_error(writer->buf);
}

static void print_report_json(const struct lists_import *import, enum feed_format format,
                              const struct feed_report *report)
{
    struct json_writer json;
    struct buf buf;

    buf_init(&buf, 1 << 16);
    json_begin(&json, &buf);
    json_open_object(&json);
    json_add_str(&json, "list", import->name);
    json_add_text(&json, "format", feed_format_name(format));
    json_add_u64(&json, "taken", report->taken);
    json_add_u64(&json, "passed", report->passed);
    json_add_u64(&json, "faulty", report->faulty);
    json_add_u64(&json, "endless", report->endless);
    json_close_object(&json);
    buf_put_byte(&buf, '\n');
    (void)fwrite(buf.ptr, 1, buf.len, stdout);
    buf_done(&buf);
}

static void print_report(const struct lists_import *import, enum feed_format format,
                         const struct feed_report *report)
{
    if (import->is_json) {
        print_report_json(import, format, report);
        return;
    }
    printf(_("%s: %llu entries read as %s, %llu passed over, %llu could not be read"), import->file,
           (unsigned long long)report->taken, feed_format_name(format),
           (unsigned long long)report->passed, (unsigned long long)report->faulty);
    putchar('\n');
    if (report->endless != 0) {
        printf(_("%llu of them name an end that cannot be read, so they count without one"),
               (unsigned long long)report->endless);
        putchar('\n');
    }
}

static void print_faults(const struct feed_report *report)
{
    uint64_t told = report->faulty + report->endless;

    for (uint64_t i = 0; i < told && i < FEED_FAULTS_MAX; i++) {
        (void)fprintf(stderr, _("  line %llu: %s"), (unsigned long long)report->faults[i].line,
                      report->faults[i].what);
        (void)fputc('\n', stderr);
    }
    if (told > FEED_FAULTS_MAX) {
        (void)fprintf(stderr, _("  and %llu more"), (unsigned long long)(told - FEED_FAULTS_MAX));
        (void)fputc('\n', stderr);
    }
}

static int import_parse(const struct import_job *job, struct str text, struct arena *arena,
                        struct buf *out)
{
    const struct lists_import *import = job->import;
    enum feed_format format = import->is_guessed ? feed_guess(text) : import->format;
    const struct indicator_list list = {.name = import->name,
                                        .label = str_from(import->label),
                                        .source = str_from(import->source),
                                        .imported = job->now,
                                        .expires =
                                            import->lasts != 0 ? job->now + import->lasts : 0};
    struct indicator_writer writer;
    struct feed_report report;
    struct diag diag = {{0}};
    int r;

    indicator_write_head(&writer, &list, out);
    r = feed_read(format, text, arena, &(struct feed_sink){take_entry, &writer}, &report, &diag);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("%s cannot be read as %s: %s; name its format with --format"),
                            import->file, feed_format_name(format), diag_text(&diag, r));
    }
    print_faults(&report);
    if (report.taken == 0 || (report.faulty > report.taken && !import->is_forced)) {
        return command_fail(EXIT_STATUS_FAILED,
                            report.taken == 0
                                ? _("nothing in %s is an indicator; what was there before stays")
                                : _("most of %s cannot be read, so that what was there before "
                                    "stays; --force takes the rest, --format names another format"),
                            import->file);
    }
    print_report(import, format, &report);
    indicator_write_end(&writer);
    return buf_error(out) < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", err_text(buf_error(out)))
                              : 0;
}

/* Runs in a child: reads what it was given, parses, writes the file form. */
static int import_body(void *context)
{
    const struct import_job *job = context;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    CLEANUP(buf_done) struct buf text;
    CLEANUP(buf_done) struct buf out;
    int r = give_up_rights();

    buf_init(&text, FEED_SIZE_MAX + 1);
    buf_init(&out, INDICATORS_FILE_MAX);
    if (r != 0) {
        return r;
    }
    r = fd_read_all(job->source, &text);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("%s: %s"), job->import->file, err_text(r));
    }
    r = arena_new(ARENA_MAX, &arena);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    r = import_parse(job, buf_str(&text), arena, &out);
    if (r == 0) {
        r = fd_write_full(job->target, out.ptr, out.len);
        r = r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", err_text(r)) : 0;
    }
    (void)fflush(stdout);
    return r;
}

static int import_run_child(struct import_job *job)
{
    const int keep[] = {job->source, job->target};
    int status = 0;
    pid_t pid;
    int r;

    (void)fflush(stdout);
    r = spawn_body("lists", keep, 2, import_body, job, &pid);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("no process could be started: %s"), err_text(r));
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return command_fail(EXIT_STATUS_FAILED, "%s", err_text(-errno));
        }
    }
    if (!WIFEXITED(status)) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("the reader of %s died; what was there before stays"),
                            job->import->file);
    }
    return WEXITSTATUS(status);
}

/* -1 when it cannot be opened, which was said then. */
static int folder_open(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0 && errno == ENOENT) {
        (void)command_fail(EXIT_STATUS_FAILED,
                           _("there is no list in %s yet; canhgac lists import makes one, --lists "
                             "names another folder"),
                           path);
    } else if (folder < 0) {
        (void)command_fail(EXIT_STATUS_FAILED,
                           _("the folder %s cannot be opened: %s; name another with --lists"), path,
                           err_text(-errno));
    }
    return folder;
}

/* The child's file takes the list's name once it is on disk. */
static int import_finish(int folder, const char *temporary, const struct import_job *job)
{
    struct lists_name name = file_name(job->import->name);

    if (fsync(job->target) < 0 || renameat(folder, temporary, folder, name.text) < 0 ||
        fsync(folder) < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the list could not be kept: %s"),
                            err_text(-errno));
    }
    return EXIT_STATUS_CLEAN;
}

static int import_open(const char *file, int *ret_source)
{
    if (lists_is_url(file)) {
        return lists_fetch(file, ret_source);
    }
    *ret_source = open(file, O_RDONLY | O_CLOEXEC);
    return *ret_source < 0 ? command_fail(EXIT_STATUS_FAILED, _("%s: %s"), file, err_text(-errno))
                           : 0;
}

int lists_import(const char *folder_path, const struct lists_import *import)
{
    CLEANUP(closep) int source = -1;
    CLEANUP(closep) int folder = -1;
    CLEANUP(closep) int target = -1;
    struct import_job job = {.import = import, .now = clock_wall(&clock_real)};
    char temporary[64];
    int r = import_open(import->file, &source);

    if (r != 0) {
        return r;
    }
    r = folder_make(folder_path, FOLDER_MODE, (uid_t)-1, (gid_t)-1);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("%s: %s"), folder_path, err_text(r));
    }
    folder = folder_open(folder_path);
    if (folder < 0) {
        return EXIT_STATUS_FAILED;
    }
    (void)snprintf(temporary, sizeof(temporary), ".import-%d", (int)getpid());
    target =
        openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (target < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("%s: %s"), folder_path, err_text(-errno));
    }
    job.source = source;
    job.target = target;
    r = import_run_child(&job);
    r = r == 0 ? import_finish(folder, temporary, &job) : r;
    if (r != 0) {
        (void)unlinkat(folder, temporary, 0);
    }
    return r;
}

int lists_drop(const char *folder_path, struct str name)
{
    CLEANUP(closep) int folder = folder_open(folder_path);
    struct lists_name file = file_name(name);

    if (folder < 0) {
        return EXIT_STATUS_FAILED;
    }
    if (unlinkat(folder, file.text, 0) < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            errno == ENOENT ? _("there is no list %.*s; canhgac lists list shows "
                                                "which there are")
                                            : _("the list %.*s cannot be removed"),
                            STR_ARG(name));
    }
    return EXIT_STATUS_CLEAN;
}

/* What could not be read is said; nothing is then made of the others. */
static int check_texts(const struct lists_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        const struct lists_text *text = &texts->all[i];

        if (text->error == -ERR_NOENT) {
            return command_fail(EXIT_STATUS_FAILED,
                                _("there is no list %s; canhgac lists list shows which there are"),
                                text->file);
        }
        if (text->error < 0) {
            return command_fail(EXIT_STATUS_FAILED, _("%s: %s"), text->file, err_text(text->error));
        }
    }
    return 0;
}

static int read_texts(int folder, struct str name, struct lists_texts *texts)
{
    int r = name.len != 0 ? lists_texts_add(texts, folder, file_name(name).text)
                          : lists_texts_add_all(texts, folder);

    if (r == -ERR_LIMIT) {
        return command_fail(EXIT_STATUS_FAILED, _("there are more than %u lists"),
                            INDICATORS_LISTS_MAX);
    }
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", err_text(r)) : check_texts(texts);
}

static int parse_all(const struct lists_texts *texts, struct indicators **ret_indicators)
{
    CLEANUP(indicators_freep) struct indicators *indicators = NULL;
    struct diag diag = {{0}};
    int r = indicators_new(indicators_popular(), &indicators, &diag);

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
    }
    indicators_keep_values(indicators); /* to show them */
    for (size_t i = 0; i < texts->count; i++) {
        r = indicators_add_file(indicators, buf_str(&texts->all[i].text), &diag);
        if (r < 0) {
            return command_fail(EXIT_STATUS_FAILED, _("%s is damaged: %s; import it again"),
                                texts->all[i].file, diag_text(&diag, r));
        }
    }
    indicators_set_time(indicators, clock_wall(&clock_real));
    *ret_indicators = TAKE_PTR(indicators);
    return 0;
}

int lists_load(const char *folder_path, struct str name, struct indicators **ret_indicators)
{
    CLEANUP(lists_texts_freep) struct lists_texts *texts = NULL;
    CLEANUP(closep) int folder = folder_open(folder_path);
    int r;

    if (folder < 0) {
        return EXIT_STATUS_FAILED;
    }
    r = lists_texts_new(&texts);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    r = read_texts(folder, name, texts);
    r = r != 0 ? r : give_up_rights();
    return r != 0 ? r : parse_all(texts, ret_indicators);
}

size_t lists_fold(struct str text, char *room, size_t size, struct str *ret_folded)
{
    size_t len = utf8_fold(text, room, size);

    len = len < size ? len : size - 1;
    *ret_folded = str_of(room, len);
    return len;
}
