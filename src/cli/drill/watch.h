/* Watches an attacker from outside: when it first destroyed something, how many files it got, and
 * the moment when nothing of it runs any more. */
#ifndef CLI_DRILL_WATCH_H
#define CLI_DRILL_WATCH_H

#include "cli/drill/attack.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct drill_sighting {
    bool is_stopped;  /* every process of the session stands still, one of them at least stopped */
    bool is_ended;    /* it ran to its end by itself */
    bool is_overdue;  /* neither before the limit */
    int64_t first_ns; /* monotonic; 0: nothing was destroyed */
    int64_t last_ns;  /* monotonic: the last file touched before the stop */
    int64_t stop_ns;  /* monotonic: stopped, or ended */
    uint64_t touched;
};

struct drill_watch;

/* Made before the attack starts. is_foreign: tools do the work, so destruction is seen through
 * inotify on the manifest's folders instead of the counter. */
[[nodiscard]] int drill_watch_new(const struct drill_folder *folder,
                                  const struct drill_manifest *manifest,
                                  const struct drill_counter *counter, bool is_foreign,
                                  struct drill_watch **ret_watch);
void drill_watch_freep(struct drill_watch **watch);
/* Looks each 100 µs until the session led by pid (a child of ours) stands still, ends, or limit_ns
 * have passed. An ended attacker is left for waitpid. -ERR_CANCELED once *is_called_off. */
[[nodiscard]] int drill_watch_run(struct drill_watch *watch, pid_t pid, int64_t limit_ns,
                                  const volatile sig_atomic_t *is_called_off,
                                  struct drill_sighting *ret_sighting);
/* Kills all processes of the session led by pid, which must be a child of ours, and reaps it. */
void drill_session_kill(pid_t pid);

#endif
