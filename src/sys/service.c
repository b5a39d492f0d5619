/* sd_notify's datagram and the pid file: see sys/service.h. Used by the two supervisors. */
#include "sys/service.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

void service_notify(const char *state)
{
    const char *where = secure_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = where == NULL ? 0 : strlen(where);
    CLEANUP(closep) int fd = -1;

    if (len < 2 || len >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, where, len);
    if (where[0] == '@') { /* the abstract name space */
        address.sun_path[0] = '\0';
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    }
}

int service_claim(const char *folder, struct diag *diag)
{
    char path[4096];
    char holder[16] = "";
    CLEANUP(closep) int fd = -1;
    int len = snprintf(path, sizeof(path), "%s/pid", folder);

    if (len < 0 || (size_t)len >= sizeof(path)) {
        return -ERR_NAMETOOLONG;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        int r = -errno;

        return diag_set(diag, r, _("cannot write %s: %s"), path, err_text(r));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (pread(fd, holder, sizeof(holder) - 1, 0) < 0) {
            holder[0] = '?';
        }
        holder[strcspn(holder, "\n")] = '\0';
        return diag_set(diag, -ERR_BUSY,
                        _("it is running already for the folder %s, as process %s"), folder,
                        holder);
    }
    len = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, (size_t)len, 0) != len) {
        int r = -errno;

        return diag_set(diag, r, _("cannot write %s: %s"), path, err_text(r));
    }
    return TAKE_FD(fd);
}
