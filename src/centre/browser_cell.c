/* What a browser is shut into: see centre/browser_inside.h. It paints pages of strangers, so it is
 * held for lost from the start: own user, own network without any interface, memory in place of a
 * folder, the system's files to read and nothing else (Landlock). What it starts is shut in with
 * it; its own sandbox for each page stands inside, which is why it is no root in here. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/browser_inside.h"
#include "sys/fd.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CELL_NOBODY   "nobody"
#define CELL_USER     65534U       /* whoever it was outside */
#define CELL_MEMORY   (1ULL << 30) /* data of one process */
#define CELL_FILES    1024
#define CELL_TMPFS    "size=96m,mode=0700"
#define CELL_MAP_SIZE 64

static int cell_write(const char *path, const char *text)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    return fd_write_full(fd, text, str_from(text).len);
}

static int cell_map_user(const char *path, unsigned outside)
{
    char map[CELL_MAP_SIZE];

    (void)snprintf(map, sizeof(map), "%u %u 1", CELL_USER, outside);
    return cell_write(path, map);
}

static int cell_unshare(void)
{
    unsigned user = geteuid();
    unsigned group = getegid();
    int r;

    /* after a change of user /proc/self is root's: the maps could not be written */
    if (prctl(PR_SET_DUMPABLE, 1) != 0 ||
        unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) != 0) {
        return -errno;
    }
    r = cell_write("/proc/self/setgroups", "deny");
    r = r < 0 ? r : cell_map_user("/proc/self/uid_map", user);
    return r < 0 ? r : cell_map_user("/proc/self/gid_map", group);
}

static int cell_mount(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("browser", BROWSER_CELL_FOLDER, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              CELL_TMPFS) != 0) {
        return -errno;
    }
    return 0;
}

static int cell_limit(void)
{
    const struct rlimit data = {CELL_MEMORY, CELL_MEMORY};
    const struct rlimit none = {0, 0};

    return setrlimit(RLIMIT_DATA, &data) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 ? 0 : -errno;
}

static int cell_close_paths(struct diag *diag)
{
    static const struct sandbox_path paths[] = {{"/usr", SANDBOX_RUN},
                                                {"/etc", SANDBOX_READ},
                                                {"/proc", SANDBOX_WRITE},
                                                {"/sys", SANDBOX_READ},
                                                {"/dev", SANDBOX_WRITE},
                                                {BROWSER_CELL_FOLDER, SANDBOX_WRITE},
                                                {"/var/cache/fontconfig", SANDBOX_READ}};
    struct sandbox sandbox = {.paths = paths, .file_limit = CELL_FILES};

    /* the last: only where fonts were counted */
    sandbox.path_count = ARRAY_LEN(paths) - (access("/var/cache/fontconfig", R_OK) == 0 ? 0 : 1);
    return sandbox_enter(&sandbox, NULL, diag);
}

int browser_cell_enter(const char *user, struct diag *diag)
{
    const struct sandbox leave = {.user = user != NULL ? user : CELL_NOBODY, /* never root */
                                  .is_landlock_off = true};
    int r = sandbox_enter(&leave, NULL, diag);

    if (r < 0) {
        return r;
    }
    r = cell_unshare();
    r = r < 0 ? r : cell_mount();
    if (r < 0) {
        return diag_set(diag, r,
                        _("this machine gives it no namespace of its own (%s); see "
                          "docs/privsep.md"),
                        err_text(r));
    }
    r = cell_limit();
    r = r < 0 ? r : cell_close_paths(diag);
    /* it may be past hearing: the kernel forgets this at each change of user */
    return r < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? r : -errno;
}
