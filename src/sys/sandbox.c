/* Giving up rights, in the one order that works: limits, user and capabilities, no_new_privs,
 * Landlock, seccomp. Landlock is called raw: neither release of Debian has a library for it. */
#include "sys/sandbox.h"

#include "base/banned.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/sandbox_calls.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Newer than the headers of Debian 12; the kernel is asked which of them it knows. */
#define ACCESS_FS_REFER    (1ULL << 13) /* ABI 2 */
#define ACCESS_FS_TRUNCATE (1ULL << 14) /* ABI 3 */
#define ACCESS_FS_ALL_V1   ((1ULL << 13) - 1)
#define ACCESS_NET_ALL     3ULL /* ABI 4: bind and connect over TCP */
#define RULESET_VERSION    1U

#define STATM_SIZE         0U /* columns of /proc/self/statm */
#define STATM_DATA         5U

#define ACCESS_FS_READ     (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_FS_WRITE    (ACCESS_FS_ALL_V1 & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)

struct ruleset {
    uint64_t handled_fs;
    uint64_t handled_net;
};

static int sandbox_limit(int resource, uint64_t value)
{
    struct rlimit limit;

    if (value == 0) {
        return 0;
    }
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) {
        return -errno;
    }
    if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) {
        value = limit.rlim_max;
    }
    limit.rlim_cur = value;
    limit.rlim_max = value;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? 0 : -errno;
}

/* What is mapped already differs by build and by kernel; what the process may add does not. column:
 * of /proc/self/statm. */
static int sandbox_limit_memory(int resource, unsigned column, uint64_t more)
{
    CLEANUP(buf_done) struct buf buf;
    struct str text;
    struct str pages;
    uint64_t count = 0;
    int r;

    buf_init(&buf, 4096);
    r = more != 0 ? file_read_all(AT_FDCWD, "/proc/self/statm", &buf) : 0;
    text = buf_str(&buf);
    if (more == 0 || r < 0) {
        return r;
    }
    for (unsigned i = 0; i <= column; i++) {
        if (!str_cut(&text, ' ', &pages)) {
            return -ERR_SYNTAX;
        }
    }
    r = str_to_u64(pages, &count);
    return r < 0 ? r : sandbox_limit(resource, count * (uint64_t)sysconf(_SC_PAGESIZE) + more);
}

static int sandbox_set_capabilities(const struct sandbox *sandbox)
{
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < sandbox->capability_count; i++) {
        if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
                         (unsigned)sandbox->capabilities[i]) != 0) {
            return -ERR_INVAL;
        }
    }
    return 0;
}

static int sandbox_drop_rights(const struct sandbox *sandbox, struct diag *diag)
{
    const struct passwd *user = NULL;
    const struct group *group = NULL;
    int r = sandbox_set_capabilities(sandbox);

    if (r < 0 || geteuid() != 0) {
        return r; /* a process without root has nothing to drop */
    }
    if (sandbox->user != NULL) {
        user = getpwnam(sandbox->user);
        if (user == NULL) {
            return diag_set(diag, -ERR_NOENT, _("there is no user '%s'; tools/up makes it"),
                            sandbox->user);
        }
        group = sandbox->group != NULL ? getgrnam(sandbox->group) : NULL;
        r = capng_change_id((int)user->pw_uid, (int)(group != NULL ? group->gr_gid : user->pw_gid),
                            (capng_flags_t)(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
    } else {
        r = capng_apply(CAPNG_SELECT_BOTH);
    }
    if (r != 0) {
        return diag_set(diag, -ERR_PERM, _("rights could not be dropped (step %d)"), r);
    }
    /* the kernel forgets this at each change of user */
    return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 ? 0 : -errno;
}

static uint64_t landlock_access(enum sandbox_access access)
{
    switch (access) {
    case SANDBOX_WRITE:
        return ACCESS_FS_WRITE | ACCESS_FS_REFER | ACCESS_FS_TRUNCATE;
    case SANDBOX_RUN:
        return ACCESS_FS_READ | LANDLOCK_ACCESS_FS_EXECUTE;
    case SANDBOX_READ:
    default:
        return ACCESS_FS_READ;
    }
}

static int landlock_add_path(int ruleset, const struct sandbox_path *path, uint64_t handled)
{
    struct landlock_path_beneath_attr rule = {0};
    CLEANUP(closep) int fd = open(path->path, O_PATH | O_CLOEXEC);
    struct stat stat;

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &stat) != 0) {
        return -errno;
    }
    rule.parent_fd = fd;
    rule.allowed_access = landlock_access(path->access) & handled;
    if (!S_ISDIR(stat.st_mode)) {
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                               LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_FS_TRUNCATE;
    }
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0
               ? 0
               : -errno;
}

static struct ruleset landlock_ruleset(const struct sandbox *sandbox, long abi)
{
    struct ruleset ruleset = {.handled_fs = ACCESS_FS_ALL_V1};

    if (abi >= 2) {
        ruleset.handled_fs |= ACCESS_FS_REFER;
    }
    if (abi >= 3) {
        ruleset.handled_fs |= ACCESS_FS_TRUNCATE;
    }
    if (abi >= 4 && (sandbox->calls & SANDBOX_CALLS_NETWORK) == 0) {
        ruleset.handled_net = ACCESS_NET_ALL;
    }
    return ruleset;
}

static int sandbox_enter_landlock(const struct sandbox *sandbox, unsigned *missing,
                                  struct diag *diag)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    struct ruleset attributes = landlock_ruleset(sandbox, abi);
    CLEANUP(closep) int ruleset = -1;

    if (abi < 1) {
        *missing |= SANDBOX_MISSING_LANDLOCK;
        return 0;
    }
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                           abi >= 4 ? sizeof(attributes) : sizeof(attributes.handled_fs), 0);
    if (ruleset < 0) {
        return -errno;
    }
    for (size_t i = 0; i < sandbox->path_count; i++) {
        int r = landlock_add_path(ruleset, &sandbox->paths[i], attributes.handled_fs);

        if (r < 0) {
            return diag_set(diag, r, _("'%s' could not be opened for the sandbox: %s"),
                            sandbox->paths[i].path, err_text(r));
        }
    }
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? 0 : -errno;
}

int sandbox_enter(const struct sandbox *sandbox, unsigned *ret_missing, struct diag *diag)
{
    unsigned missing = 0;
    int r;

    if (sandbox_limit_memory(RLIMIT_AS, STATM_SIZE, sandbox->memory_more) < 0 ||
        sandbox_limit_memory(RLIMIT_DATA, STATM_DATA, sandbox->heap_more) < 0 ||
        sandbox_limit(RLIMIT_NOFILE, sandbox->file_limit) < 0) {
        missing |= SANDBOX_MISSING_RLIMIT;
    }
    r = sandbox_drop_rights(sandbox, diag);
    if (r < 0) {
        return r;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -errno;
    }
    if (!sandbox->is_landlock_off) {
        r = sandbox_enter_landlock(sandbox, &missing, diag);
        if (r < 0) {
            return r;
        }
    }
    if (sandbox->calls != 0) {
        r = sandbox_filter_calls(sandbox->calls, diag);
        if (r < 0) {
            return r;
        }
    }
    if (ret_missing != NULL) {
        *ret_missing = missing;
    }
    return 0;
}
