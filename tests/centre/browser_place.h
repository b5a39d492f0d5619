/* Whether this machine can run the browser in its cell: for tests, which are skipped where not. */
#ifndef TESTS_CENTRE_BROWSER_PLACE_H
#define TESTS_CENTRE_BROWSER_PLACE_H

#include "harness.h"

#include "centre/browser.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* False in a chroot, and where a person has switched them off. */
static inline bool has_user_namespaces(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(unshare(CLONE_NEWUSER) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static inline bool has_browser_place(void)
{
    if (access(BROWSER_PROGRAM, X_OK) != 0) {
        print_message("# %s is not installed\n", BROWSER_PROGRAM);
        return false;
    }
    if (!has_user_namespaces()) {
        print_message("# no user namespaces here, as in a chroot: the browser has no cell\n");
        return false;
    }
    return true;
}

#endif
