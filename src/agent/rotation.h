/* What makes a follower of logs start anew: a file that comes to a watched name, as rotation does.
 * A follower has given up every right and can open nothing; the next process in its place opens
 * what is there then. Names are paths whose last part may hold * and ?. */
#ifndef AGENT_ROTATION_H
#define AGENT_ROTATION_H

#include "model/setting.h"

#include <stdbool.h>

struct rotation {
    int fd; /* inotify over the names' folders; -1: none is watched */
    const struct setting_list *names;
    const char *row; /* of the setting that names them, for people */
};

/* Watches the folders of all names; what cannot be watched is logged. Before the sandbox. */
void rotation_watch(struct rotation *rotation, const struct setting_list *names, const char *row);
void rotation_done(struct rotation *rotation);
/* Call when fd can be read: whether a file has come to one of the names. */
bool rotation_heard(struct rotation *rotation);

#endif
