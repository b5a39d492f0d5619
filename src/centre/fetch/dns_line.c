/* See centre/fetch/dns_line.h. */
#include "centre/fetch/dns_line.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/net.h"

#include <netinet/in.h>

#define DNS_SOCKETS_MAX 64
#define DNS_PORT        53

struct dns_socket {
    int fd;
    struct loop_source *source;
};

struct dns_line {
    struct loop *loop;
    ares_channel channel;
    struct loop_source *timer;
    struct dns_socket sockets[DNS_SOCKETS_MAX];
    bool is_library;
};

void dns_line_arm(struct dns_line *line)
{
    struct timeval room;
    const struct timeval *next = ares_timeout(line->channel, NULL, &room);
    int64_t delay = next == NULL ? 0 : next->tv_sec * NS_PER_S + next->tv_usec * NS_PER_US + 1;

    (void)!loop_source_set_timer(line->timer, delay, 0);
}

static void dns_line_on_socket(void *context, int fd, unsigned events)
{
    struct dns_line *line = context;

    ares_process_fd(line->channel, (events & (LOOP_READ | LOOP_HANGUP)) != 0 ? fd : ARES_SOCKET_BAD,
                    (events & LOOP_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
    dns_line_arm(line);
}

static void dns_line_on_timer(void *context)
{
    struct dns_line *line = context;

    ares_process_fd(line->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    dns_line_arm(line);
}

/* A socket that finds no room is never heard of: its question times out and is an error of ours. */
static void dns_line_on_state(void *context, ares_socket_t fd, int is_readable, int is_writable)
{
    struct dns_line *line = context;
    struct dns_socket *free_one = NULL;
    unsigned events = (is_readable != 0 ? (unsigned)LOOP_READ : 0U) |
                      (is_writable != 0 ? (unsigned)LOOP_WRITE : 0U);

    for (size_t i = 0; i < DNS_SOCKETS_MAX; i++) {
        struct dns_socket *socket = &line->sockets[i];

        if (socket->source == NULL) {
            free_one = socket;
        } else if (socket->fd == fd && events == 0) {
            loop_source_free(TAKE_PTR(socket->source));
            return;
        } else if (socket->fd == fd) {
            (void)!loop_source_set_events(socket->source, events);
            return;
        }
    }
    if (events != 0 && free_one != NULL &&
        loop_add_fd(line->loop, fd, events, dns_line_on_socket, line, &free_one->source) == 0) {
        free_one->fd = fd;
    }
}

static void dns_line_fill(const struct net_target *target, struct ares_addr_port_node *node)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)&target->address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&target->address;

    *node = (struct ares_addr_port_node){.family = target->address.ss_family};
    if (node->family == AF_INET) {
        node->addr.addr4 = four->sin_addr;
        node->udp_port = ntohs(four->sin_port);
    } else {
        memcpy(&node->addr.addr6, &six->sin6_addr, sizeof(node->addr.addr6));
        node->udp_port = ntohs(six->sin6_port);
    }
    node->tcp_port = node->udp_port;
}

/* c-ares reads lists in a way of its own, which differs from one version to the next: what the
 * settings take is read by who checked it. */
static int dns_line_set_servers(struct dns_line *line, struct str servers, struct diag *diag)
{
    struct net_target targets[NET_SERVERS_MAX];
    struct ares_addr_port_node nodes[NET_SERVERS_MAX];
    size_t count;
    int r = net_parse_servers(servers, DNS_PORT, targets, &count, diag);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        dns_line_fill(&targets[i], &nodes[i]);
        nodes[i].next = i + 1 < count ? &nodes[i + 1] : NULL;
    }
    return ares_set_servers_ports(line->channel, nodes) == ARES_SUCCESS ? 0 : -ERR_NOMEM;
}

static int dns_line_open(struct dns_line *line, const struct dns_line_options *options,
                         struct diag *diag)
{
    struct ares_options wanted = {.flags = options->has_errors ? ARES_FLAG_NOCHECKRESP : 0,
                                  .timeout = options->try_ms,
                                  .tries = options->tries,
                                  .sock_state_cb = dns_line_on_state,
                                  .sock_state_cb_data = line};
    int r = ares_library_init(ARES_LIB_INIT_ALL);

    line->is_library = r == ARES_SUCCESS;
    if (r == ARES_SUCCESS) {
        r = ares_init_options(&line->channel, &wanted,
                              ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                  ARES_OPT_SOCK_STATE_CB);
    }
    if (r != ARES_SUCCESS) {
        return diag_set(diag, -ERR_IO, _("the name resolver could not start: %s"),
                        ares_strerror(r));
    }
    return options->servers != NULL ? dns_line_set_servers(line, str_from(options->servers), diag)
                                    : 0;
}

int dns_line_new(const struct dns_line_options *options, struct dns_line **ret_line,
                 struct diag *diag)
{
    struct dns_line *line = mem_alloc(1, sizeof(*line));
    int r;

    if (line == NULL) {
        return -ERR_NOMEM;
    }
    line->loop = options->loop;
    r = loop_add_timer(options->loop, dns_line_on_timer, line, &line->timer);
    if (r == 0) {
        r = dns_line_open(line, options, diag);
    }
    if (r < 0) {
        dns_line_free(line);
        return r;
    }
    *ret_line = line;
    return 0;
}

void dns_line_free(struct dns_line *line)
{
    if (line == NULL) {
        return;
    }
    if (line->channel != NULL) {
        ares_destroy(line->channel);
    }
    if (line->is_library) {
        ares_library_cleanup();
    }
    for (size_t i = 0; i < DNS_SOCKETS_MAX; i++) {
        loop_source_free(line->sockets[i].source);
    }
    loop_source_free(line->timer);
    mem_free(line);
}

ares_channel dns_line_channel(struct dns_line *line)
{
    return line->channel;
}
