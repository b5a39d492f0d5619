/* Neighbours: the kernel, agent/visits/logs.c, agent/logs.c. */
#include "agent/rotation.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/fd.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static void rotation_add(struct rotation *rotation, const char *path)
{
    char folder[PATH_MAX];
    char *slash;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash == NULL) {
        return;
    }
    slash[slash == folder ? 1 : 0] = '\0';
    if (strpbrk(folder, "*?[") != NULL) {
        log_warn(_("%s '%s': only the last part of a path may hold * and ?"), rotation->row, path);
        return;
    }
    if (rotation->fd < 0) {
        rotation->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    }
    if (rotation->fd < 0 ||
        inotify_add_watch(rotation->fd, folder, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        log_warn(_("'%s' cannot be watched (%s): a rotated log in it is seen at the next start"),
                 folder, err_text(-errno));
    }
}

void rotation_watch(struct rotation *rotation, const struct setting_list *names, const char *row)
{
    *rotation = (struct rotation){.fd = -1, .names = names, .row = row};
    for (size_t i = 0; i < names->count; i++) {
        rotation_add(rotation, names->items[i]);
    }
}

void rotation_done(struct rotation *rotation)
{
    closep(&rotation->fd);
}

static bool rotation_is_named(const struct rotation *rotation, const struct inotify_event *event)
{
    for (size_t i = 0; event->len != 0 && i < rotation->names->count; i++) {
        const char *slash = strrchr(rotation->names->items[i], '/');

        if (slash != NULL && fnmatch(slash + 1, event->name, FNM_PERIOD) == 0) {
            return true;
        }
    }
    return (event->mask & IN_Q_OVERFLOW) != 0;
}

bool rotation_heard(struct rotation *rotation)
{
    _Alignas(struct inotify_event) char room[4096];
    bool is_ours = false;
    ssize_t got;

    while ((got = read(rotation->fd, room, sizeof(room))) > 0) {
        for (size_t at = 0; at < (size_t)got;) {
            const struct inotify_event *event = (const void *)(room + at);

            at += sizeof(*event) + event->len;
            is_ours = rotation_is_named(rotation, event) || is_ours;
        }
    }
    return is_ours;
}
