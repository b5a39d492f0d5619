/* Finds the stored versions and hands them over one by one, opened. See watch/replay.h; judged in
 * watch/replay_judge.c. Names are data: what does not fit is named and passed over. */
#include "cli/watch/replay.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/watch/replay_judge.h"
#include "model/site.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/folder.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define REPLAY_PAGES_MAX    65536
#define REPLAY_VERSIONS_MAX 1048576
#define REFUSED_NAMED       10U
#define REPLAY_EPOCH_MAX    253402300799ULL /* the end of the year 9999 */

struct version {
    uint64_t epoch;
    enum site_view view;
    const char *name;
};

struct replaying {
    int folder;
    int channel;
    unsigned refused; /* files whose name says nothing, or that could not be read */
    bool is_found;
};

static bool is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* "1777854644.html" and "1777854644.crawler.html". */
static bool version_parse(const char *name, struct version *ret_version)
{
    struct str rest = str_from(name);
    struct str epoch;
    struct str view = STR("desktop");
    struct str last;

    if (!str_cut(&rest, '.', &epoch) || !str_cut(&rest, '.', &last)) {
        return false;
    }
    if (rest.len != 0) {
        view = last;
        last = rest;
    }
    ret_version->name = name;
    return str_is(last, STR("html")) && str_to_u64(epoch, &ret_version->epoch) == 0 &&
           ret_version->epoch <= REPLAY_EPOCH_MAX && site_view_parse(view, &ret_version->view);
}

static int version_compare(const void *a, const void *b)
{
    const struct version *x = a;
    const struct version *y = b;

    if (x->epoch != y->epoch) {
        return x->epoch < y->epoch ? -1 : 1;
    }
    return (int)x->view - (int)y->view;
}

static void replaying_say(const char *page, const char *name, const char *why)
{
    CLEANUP(buf_done) struct buf text;

    buf_init(&text, 2 * PATH_MAX);
    (void)buf_put_plain(&text, str_from(page));
    if (name != NULL) {
        (void)buf_put_byte(&text, '/');
        (void)buf_put_plain(&text, str_from(name));
    }
    (void)command_fail(EXIT_STATUS_FAILED, "%.*s: %s", STR_ARG(buf_str(&text)), why);
}

/* The first few are named: a folder of something else would fill the screen. */
static void replaying_refuse(struct replaying *replaying, const char *page, const char *name,
                             const char *why)
{
    if (replaying->refused++ < REFUSED_NAMED) {
        replaying_say(page, name, why);
    }
}

static const char *replaying_why_no_page(const char *page, int error)
{
    struct version version;

    if (error == -ERR_LOOP) {
        return _("is a symbolic link; not judged");
    }
    if (error != -ERR_NOTDIR) {
        return err_text(error);
    }
    return version_parse(page, &version)
               ? _("is a version without its page's folder: name the folder above; not judged")
               : _("is no folder of a page's versions; not judged");
}

/* -ERR_PIPE when the child has ended. */
static int replaying_ask(struct replaying *replaying, int fd, const struct version *version)
{
    static struct msg_writer msg;
    static struct channel_packet packet;
    uint32_t verdict;
    int r;

    msg_begin(&msg, REPLAY_MESSAGE_VERSION);
    msg_put_i64(&msg, (int64_t)version->epoch * NS_PER_S);
    msg_put_u32(&msg, version->view);
    r = channel_send(replaying->channel, &msg, &fd, 1);
    r = r < 0 ? r : channel_receive(replaying->channel, &packet);
    if (r < 0) {
        return r;
    }
    verdict = msg_get_u32(&packet.msg);
    r = packet.msg.type == REPLAY_MESSAGE_JUDGED ? msg_close(&packet.msg) : -ERR_PROTO;
    channel_packet_done(&packet);
    replaying->is_found =
        replaying->is_found || verdict == SITE_VERDICT_YELLOW || verdict == SITE_VERDICT_RED;
    return r;
}

static int replaying_version(struct replaying *replaying, int folder, const char *page,
                             const struct version *version)
{
    CLEANUP(closep) int fd = fd_open_beneath(folder, version->name, O_RDONLY | O_NONBLOCK, 0);
    struct stat status;
    int r;

    if (fd < 0) {
        replaying_refuse(replaying, page, version->name,
                         fd == -ERR_LOOP ? _("is a symbolic link; not judged") : err_text(fd));
        return 0;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        replaying_refuse(replaying, page, version->name, _("is no plain file"));
        return 0;
    }
    r = replaying_ask(replaying, fd, version);
    if (r < 0) {
        replaying->refused++;
        replaying_say(page, version->name,
                      _("ended the process that read it; what comes after was not judged"));
    }
    return r;
}

static int replaying_name_page(const struct replaying *replaying, const char *page)
{
    static struct msg_writer msg;
    int r;

    msg_begin(&msg, REPLAY_MESSAGE_PAGE);
    msg_put_str(&msg, str_from(page));
    r = msg_end(&msg);
    return r < 0 ? r : channel_send(replaying->channel, &msg, NULL, 0);
}

static int replaying_versions(struct replaying *replaying, int folder, const char *page,
                              const struct folder_names *names)
{
    struct version *versions = mem_alloc(names->count + 1, sizeof(*versions));
    size_t count = 0;
    int r = versions != NULL ? 0 : -ERR_NOMEM;

    for (size_t i = 0; r == 0 && i < names->count; i++) {
        if (version_parse(names->items[i], &versions[count])) {
            count++;
        } else {
            replaying_refuse(replaying, page, names->items[i],
                             _("is named neither EPOCH.html nor EPOCH.VIEW.html, VIEW being "
                               "desktop, crawler, search or mobile; not judged"));
        }
    }
    if (r == 0 && count != 0) {
        qsort(versions, count, sizeof(*versions), version_compare);
        r = replaying_name_page(replaying, page);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = replaying_version(replaying, folder, page, &versions[i]);
    }
    mem_free(versions);
    return r;
}

static int replaying_page(struct replaying *replaying, const char *page)
{
    CLEANUP(closep)
    int folder = fd_open_beneath(replaying->folder, page, O_RDONLY | O_DIRECTORY, 0);
    CLEANUP(folder_names_done) struct folder_names names = {0};
    int r;

    if (folder < 0) {
        replaying_refuse(replaying, page, NULL, replaying_why_no_page(page, folder));
        return 0;
    }
    r = folder_names_read(folder, is_shown, REPLAY_VERSIONS_MAX, &names);
    if (r == 0 && names.count == 0) {
        replaying_refuse(replaying, page, NULL, _("holds no version of a page"));
    }
    return r < 0 ? r : replaying_versions(replaying, folder, page, &names);
}

static int replaying_walk(struct replaying *replaying, const char *top)
{
    static struct msg_writer msg;
    CLEANUP(folder_names_done) struct folder_names pages = {0};
    int r = folder_names_read(replaying->folder, is_shown, REPLAY_PAGES_MAX, &pages);

    if (r == 0 && pages.count == 0) {
        replaying_refuse(replaying, top, NULL, _("holds no folder of a page's versions"));
    }
    for (size_t i = 0; r == 0 && i < pages.count; i++) {
        r = replaying_page(replaying, pages.items[i]);
    }
    msg_begin(&msg, REPLAY_MESSAGE_END);
    if (r == 0) {
        r = channel_send(replaying->channel, &msg, NULL, 0);
    }
    return r;
}

static int replaying_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXIT_STATUS_FAILED;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_STATUS_FAILED;
}

static int replaying_run(struct replaying *replaying, const struct watch_replay_options *options)
{
    CLEANUP(closep) int domains = -1;
    int ends[2];
    struct replay_judge judge = {.domains = -1, .is_json = options->is_json};
    pid_t pid;
    int r;

    if (options->domains != NULL) {
        domains = open(options->domains, O_RDONLY | O_CLOEXEC);
        if (domains < 0) {
            return command_fail(EXIT_STATUS_FAILED, _("cannot read %s: %s"), options->domains,
                                err_text(-errno));
        }
    }
    r = channel_pair(ends);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    judge.channel = ends[1];
    judge.domains = domains;
    r = spawn_body("canhgac-replay", (const int[]){ends[1], domains}, domains >= 0 ? 2 : 1,
                   replay_judge_run, &judge, &pid);
    closep(&ends[1]);
    if (r == 0) {
        replaying->channel = ends[0];
        r = replaying_walk(replaying, options->folder);
        closep(&ends[0]);
        if (replaying_wait(pid) != EXIT_STATUS_CLEAN) {
            return EXIT_STATUS_FAILED;
        }
    }
    closep(&ends[0]);
    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", err_text(r)) : EXIT_STATUS_CLEAN;
}

int watch_replay(const struct watch_replay_options *options)
{
    CLEANUP(closep)
    int folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct replaying replaying = {.folder = folder, .channel = -1};
    int status;

    if (folder < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("cannot read %s: %s"), options->folder,
                            err_text(-errno));
    }
    status = replaying_run(&replaying, options);
    if (replaying.refused > REFUSED_NAMED) {
        (void)command_fail(EXIT_STATUS_FAILED, _("… and %u more that were not judged"),
                           replaying.refused - REFUSED_NAMED);
    }
    if (status != EXIT_STATUS_CLEAN || replaying.refused != 0) {
        return EXIT_STATUS_FAILED;
    }
    return replaying.is_found ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
}
