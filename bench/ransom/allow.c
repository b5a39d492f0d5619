/* What a gate costs that does nothing: every open of the file system is asked for and allowed at
 * once, by a loop of poll, read, answer and close. With `names`, a second thread reads changes of
 * names and throws them away. Between the two and the agent lies what the agent itself costs.
 *
 *   allow gate|names FOLDER
 *
 * Says "ready" once it stands. For the bench only. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <fcntl.h>

static int group_new(unsigned flags, uint64_t mask, const char *folder)
{
    int group = fanotify_init(flags | FAN_CLOEXEC | FAN_UNLIMITED_QUEUE | FAN_NONBLOCK,
                              O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME | O_NONBLOCK);

    if (group < 0 ||
        fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, folder) != 0) {
        (void)fprintf(stderr, "allow: %s\n", strerror(errno));
        exit(3);
    }
    return group;
}

/* As the agent's threads are: else the loop would wait behind the work. */
static void raise_priority(int priority)
{
    const struct sched_param param = {.sched_priority = priority};

    (void)sched_setscheduler(0, SCHED_FIFO, &param);
}

static void *names_run(void *context)
{
    static char bytes[1 << 16];
    struct pollfd wait = {.fd = *(int *)context, .events = POLLIN};

    raise_priority(1);
    while (poll(&wait, 1, -1) > 0) {
        while (read(wait.fd, bytes, sizeof(bytes)) > 0) {
        }
    }
    return NULL;
}

static void gate_run(int gate)
{
    struct fanotify_event_metadata events[64];
    struct pollfd wait = {.fd = gate, .events = POLLIN};

    raise_priority(2);
    while (poll(&wait, 1, -1) > 0) {
        const struct fanotify_event_metadata *event = events;
        ssize_t len = read(gate, events, sizeof(events));

        for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
            const struct fanotify_response answer = {.fd = event->fd, .response = FAN_ALLOW};

            (void)!write(gate, &answer, sizeof(answer));
            (void)close(event->fd);
        }
    }
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int names;
    int gate;

    if (argc != 3 || (strcmp(argv[1], "gate") != 0 && strcmp(argv[1], "names") != 0)) {
        (void)fprintf(stderr, "usage: allow gate|names FOLDER\n");
        return 2;
    }
    if (strcmp(argv[1], "names") == 0) {
        names = group_new(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME_TARGET,
                          FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_CLOSE_WRITE | FAN_ATTRIB |
                              FAN_ONDIR,
                          argv[2]);
        if (pthread_create(&thread, NULL, names_run, &names) != 0) {
            return 3;
        }
    }
    gate = group_new(FAN_CLASS_CONTENT | FAN_REPORT_TID, FAN_OPEN_PERM, argv[2]);
    printf("ready\n");
    (void)fflush(stdout);
    gate_run(gate);
    return 3;
}
