/* See centre/listeners.h. */
#include "centre/listeners.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/net.h"

#define DATAGRAM_ROOM (32 << 20) /* bytes in the kernel: the receiver may be down for a second */

static const char *const names[LISTENER_KIND_COUNT] = {
    [LISTENER_TLS] = "listen",
    [LISTENER_SYSLOG_TLS] = "syslog-tls",
    [LISTENER_SYSLOG_UDP] = "syslog-udp",
    [LISTENER_SYSLOG_TCP] = "syslog-tcp",
};

/* The kernel says twice what it gives, for its own needs. */
static void tell_room(int fd, const char *where)
{
    int room = 0;
    socklen_t size = sizeof(room);

    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &size) == 0 && room / 2 < DATAGRAM_ROOM) {
        log_warn("the kernel keeps less for bursts of datagrams than was asked for: raise "
                 "net.core.rmem_max address=%s bytes=%d asked=%d",
                 where, room / 2, DATAGRAM_ROOM);
    }
}

static const struct setting_list *where_of(const struct centre_settings *settings,
                                           enum listener_kind kind)
{
    const struct setting_list *const where[LISTENER_KIND_COUNT] = {
        [LISTENER_TLS] = &settings->listen,
        [LISTENER_SYSLOG_TLS] = &settings->syslog_tls,
        [LISTENER_SYSLOG_UDP] = &settings->syslog_udp,
        [LISTENER_SYSLOG_TCP] = &settings->syslog_tcp,
    };

    return where[kind];
}

static int check_kind(const struct centre_settings *settings, enum listener_kind kind,
                      struct diag *diag)
{
    const struct setting_list *where = where_of(settings, kind);
    bool is_in_file =
        centre_source_of(settings, setting_find(centre_rows, str_from(names[kind]))) ==
        CENTRE_SOURCE_FILE;

    if (where->count > LISTENERS_MAX || (kind == LISTENER_TLS && where->count == 0)) {
        return diag_set(diag, -ERR_RANGE, _("%s wants %d to %d addresses"), names[kind],
                        kind == LISTENER_TLS ? 1 : 0, LISTENERS_MAX);
    }
    for (size_t i = 0; i < where->count; i++) {
        struct diag cause = {0};
        int r = net_check(str_from(where->items[i]), &cause);

        if (r < 0) {
            return diag_set(diag, r, "%s%s%s: %s", is_in_file ? settings->folder : "--",
                            is_in_file ? "/" CENTRE_CONF ", " : "", names[kind],
                            diag_text(&cause, r));
        }
    }
    return 0;
}

int listeners_check(const struct centre_settings *settings, struct diag *diag)
{
    int r = 0;

    for (int kind = 0; r == 0 && kind < LISTENER_KIND_COUNT; kind++) {
        r = check_kind(settings, (enum listener_kind)kind, diag);
    }
    return r;
}

static int open_kind(struct listeners *listeners, enum listener_kind kind,
                     const struct setting_list *where, struct diag *diag)
{
    for (size_t i = 0; i < where->count; i++) {
        struct str address = str_from(where->items[i]);
        int fd = kind == LISTENER_SYSLOG_UDP ? net_listen_datagrams(address, DATAGRAM_ROOM, diag)
                                             : net_listen(address, diag);

        if (fd < 0) {
            return fd;
        }
        if (kind == LISTENER_SYSLOG_UDP) {
            tell_room(fd, where->items[i]);
        }
        listeners->fds[kind][listeners->counts[kind]++] = fd;
    }
    return 0;
}

int listeners_open(struct listeners *listeners, const struct centre_settings *settings,
                   struct diag *diag)
{
    int r = listeners_check(settings, diag);

    for (int kind = 0; r == 0 && kind < LISTENER_KIND_COUNT; kind++) {
        r = open_kind(listeners, (enum listener_kind)kind,
                      where_of(settings, (enum listener_kind)kind), diag);
    }
    return r;
}

size_t listeners_put(const struct listeners *listeners, enum listener_kind kind, int *ret_fds)
{
    for (size_t i = 0; i < listeners->counts[kind]; i++) {
        ret_fds[i] = listeners->fds[kind][i];
    }
    return listeners->counts[kind];
}

void listeners_close(struct listeners *listeners)
{
    for (int kind = 0; kind < LISTENER_KIND_COUNT; kind++) {
        for (size_t i = 0; i < listeners->counts[kind]; i++) {
            closep(&listeners->fds[kind][i]);
        }
        listeners->counts[kind] = 0;
    }
}
