/* TCP and UDP sockets: see sys/net.h. Used by centre/supervisor.c (listening), centre/front.c and
 * centre/receiver/ (accepting) and agent/uplink.c (connecting). */
#include "sys/net.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define NET_BACKLOG 512

static void net_set_options(int fd)
{
    const int on = 1;
    const int user_timeout_ms = 60000;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof(user_timeout_ms));
}

/* Splits "[ADDRESS]:PORT", "ADDRESS:PORT", "PORT" into two texts. */
static int net_split(struct str where, char ret_host[256], char ret_port[8])
{
    struct str host = STR("");
    struct str port = where;
    size_t colon = where.len;

    while (colon != 0 && where.ptr[colon - 1] != ':') {
        colon--;
    }
    if (colon != 0) {
        host = str_slice(where, 0, colon - 1);
        port = str_slice(where, colon, where.len);
        if (str_has_prefix(host, STR("[")) && str_has_suffix(host, STR("]"))) {
            host = str_slice(host, 1, host.len - 1);
        }
    }
    if (port.len == 0 || port.len > 5 || host.len > 255) {
        return -ERR_SYNTAX;
    }
    (void)snprintf(ret_host, 256, "%.*s", STR_ARG(host));
    (void)snprintf(ret_port, 8, "%.*s", STR_ARG(port));
    return 0;
}

static int net_open_listener(const struct addrinfo *one)
{
    CLEANUP(closep)
    int fd = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    const int off = 0;

    if (fd < 0) {
        return -errno;
    }
    if (one->ai_socktype == SOCK_STREAM) { /* two would share what is sent to a datagram socket */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    if (one->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, one->ai_addr, one->ai_addrlen) != 0 ||
        (one->ai_socktype == SOCK_STREAM && listen(fd, NET_BACKLOG) != 0)) {
        return -errno;
    }
    return TAKE_FD(fd);
}

static int net_read(struct str where, int type, struct addrinfo **ret_list, struct diag *diag)
{
    struct addrinfo hints = {.ai_socktype = type,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    char host[256];
    char port[8];

    if (net_split(where, host, port) < 0 ||
        getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, ret_list) != 0) {
        return diag_set(
            diag, -ERR_SYNTAX,
            _("'%.*s' is no address to listen on; write PORT, ADDRESS:PORT or [ADDRESS]:PORT"),
            STR_ARG(where));
    }
    return 0;
}

int net_check(struct str where, struct diag *diag)
{
    struct addrinfo *list = NULL;
    int r = net_read(where, SOCK_STREAM, &list, diag);

    if (r == 0) {
        freeaddrinfo(list);
    }
    return r;
}

/* In figures, whole: inet_aton would take "1.2.3". An address of a link says nothing without its
 * interface, which the resolver cannot be told. */
static bool net_take_address(struct str text, uint16_t port, struct net_target *target)
{
    struct sockaddr_in *four = (struct sockaddr_in *)&target->address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&target->address;
    char host[NET_ADDRESS_SIZE];

    if (text.len >= sizeof(host)) {
        return false;
    }
    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(text));
    *target = (struct net_target){0};
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        target->size = sizeof(*four);
        return true;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    target->size = sizeof(*six);
    return inet_pton(AF_INET6, host, &six->sin6_addr) == 1 &&
           !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr);
}

static bool net_take_server(struct str text, uint16_t port, struct net_target *target)
{
    bool is_bracketed = str_has_prefix(text, STR("["));
    size_t end = str_find_byte(text, is_bracketed ? ']' : ':');
    struct str rest = str_slice(text, end + (is_bracketed ? 1 : 0), text.len);
    uint64_t number = port;

    if (!is_bracketed && net_take_address(text, port, target)) {
        return true; /* of version 6 too, which has colons of its own */
    }
    if (end == text.len ||
        (rest.len != 0 && (!str_has_prefix(rest, STR(":")) ||
                           str_to_u64(str_slice(rest, 1, rest.len), &number) < 0 || number < 1 ||
                           number > UINT16_MAX))) {
        return false;
    }
    return net_take_address(str_slice(text, is_bracketed ? 1 : 0, end), (uint16_t)number, target);
}

int net_parse_servers(struct str list, uint16_t port,
                      struct net_target ret_targets[NET_SERVERS_MAX], size_t *ret_count,
                      struct diag *diag)
{
    struct str rest = list.ptr != NULL ? list : STR("");
    struct str server;
    size_t count = 0;

    while (str_cut(&rest, ',', &server)) {
        if (count == NET_SERVERS_MAX) {
            return diag_set(diag, -ERR_LIMIT, _("'%.*s' are too many name servers: at most %d"),
                            STR_ARG(list), NET_SERVERS_MAX);
        }
        server = str_trim(server);
        if (!net_take_server(server, port, &ret_targets[count++])) {
            return diag_set(diag, -ERR_SYNTAX,
                            _("'%.*s' is no address of a name server; write ADDRESS, ADDRESS:PORT "
                              "or [ADDRESS]:PORT, several parted by commas"),
                            STR_ARG(server));
        }
    }
    *ret_count = count;
    return 0;
}

int net_check_servers(struct str list, struct diag *diag)
{
    struct net_target targets[NET_SERVERS_MAX];
    size_t count;

    return net_parse_servers(list, 0, targets, &count, diag);
}

static int net_open(struct str where, int type, struct diag *diag)
{
    struct addrinfo *list = NULL;
    int fd = net_read(where, type, &list, diag);

    if (fd < 0) {
        return fd;
    }
    fd = -ERR_SYNTAX;
    for (int pass = 0; fd < 0 && pass < 2; pass++) { /* version 6 first: it takes version 4 along */
        for (const struct addrinfo *one = list; fd < 0 && one != NULL; one = one->ai_next) {
            if ((one->ai_family == AF_INET6) == (pass == 0)) {
                fd = net_open_listener(one);
            }
        }
    }
    freeaddrinfo(list);
    if (fd == -ERR_ADDRINUSE) {
        return diag_set(diag, fd,
                        _("another program listens on %.*s already; stop it or choose another "
                          "address in the settings"),
                        STR_ARG(where));
    }
    if (fd < 0) {
        return diag_set(diag, fd, _("cannot listen on %.*s: %s"), STR_ARG(where), err_text(fd));
    }
    return fd;
}

int net_listen(struct str where, struct diag *diag)
{
    return net_open(where, SOCK_STREAM, diag);
}

int net_listen_datagrams(struct str where, int room, struct diag *diag)
{
    int fd = net_open(where, SOCK_DGRAM, diag);

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return fd;
}

int net_dropped(int fd, uint32_t *ret_count)
{
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof(figures);

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, figures, &size) != 0) {
        return -errno;
    }
    if (size <= SK_MEMINFO_DROPS * sizeof(figures[0])) {
        return -ERR_NOSYS;
    }
    *ret_count = figures[SK_MEMINFO_DROPS];
    return 0;
}

void net_address_text(const struct sockaddr *address, socklen_t size,
                      char ret_address[NET_ADDRESS_SIZE])
{
    const char *start = ret_address;

    if (getnameinfo(address, size, ret_address, NET_ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST) != 0) {
        (void)snprintf(ret_address, NET_ADDRESS_SIZE, "?");
    }
    if (str_has_prefix(str_from(start), STR("::ffff:"))) { /* version 4 on a version 6 socket */
        memmove(ret_address, start + 7, strlen(start + 7) + 1);
    }
}

int net_accept(int listener, char ret_address[NET_ADDRESS_SIZE])
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    int fd = accept4(listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED ? -ERR_AGAIN
                                                                               : -errno;
    }
    net_address_text((struct sockaddr *)&address, size, ret_address);
    net_set_options(fd);
    return fd;
}

struct str net_network_of(struct str address, char room[NET_ADDRESS_SIZE])
{
    struct str plain = str_slice(address, 0, str_find_byte(address, '%'));
    struct in6_addr six;
    int len;

    if (plain.len >= NET_ADDRESS_SIZE) {
        return address;
    }
    memcpy(room, plain.ptr != NULL ? plain.ptr : "", plain.len);
    room[plain.len] = '\0';
    if (inet_pton(AF_INET6, room, &six) != 1) {
        return address;
    }
    len = snprintf(room, NET_ADDRESS_SIZE, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::", six.s6_addr[0],
                   six.s6_addr[1], six.s6_addr[2], six.s6_addr[3], six.s6_addr[4], six.s6_addr[5],
                   six.s6_addr[6], six.s6_addr[7]);
    return str_of(room, (size_t)len);
}

static int net_look_up(const char *host, uint16_t port, int flags, struct addrinfo **ret_list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", port);
    return getaddrinfo(host, service, &hints, ret_list) == 0 ? 0 : -ERR_NOENT;
}

static void net_take(const struct addrinfo *one, struct net_target *target)
{
    memcpy(&target->address, one->ai_addr, one->ai_addrlen);
    target->size = one->ai_addrlen;
}

int net_resolve(const char *host, uint16_t port, struct net_target ret_targets[NET_TARGETS_MAX],
                size_t *ret_count)
{
    struct addrinfo *list;
    int r = net_look_up(host, port, 0, &list);

    if (r < 0) {
        return r;
    }
    *ret_count = 0;
    for (const struct addrinfo *one = list; one != NULL && *ret_count < NET_TARGETS_MAX;
         one = one->ai_next) {
        net_take(one, &ret_targets[(*ret_count)++]);
    }
    freeaddrinfo(list);
    return 0;
}

int net_parse(const char *host, uint16_t port, struct net_target *ret_target)
{
    struct addrinfo *list;

    if (net_look_up(host, port, AI_NUMERICHOST, &list) < 0) {
        return -ERR_SYNTAX;
    }
    net_take(list, ret_target);
    freeaddrinfo(list);
    return 0;
}

int net_connect(const struct net_target *target)
{
    CLEANUP(closep)
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    net_set_options(fd);
    if (connect(fd, (const struct sockaddr *)&target->address, target->size) != 0 &&
        errno != EINPROGRESS) {
        return -errno;
    }
    return TAKE_FD(fd);
}

int net_connected(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        return -errno;
    }
    return -error;
}
