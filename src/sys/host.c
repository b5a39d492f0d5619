/* Neighbours: the kernel and /etc/os-release before, agent/sensor.c behind. */
#include "sys/host.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

#define OS_RELEASE_MAX 8192

/* The value of PRETTY_NAME="…" without its quotes; escapes do not occur in the names of systems. */
static struct str host_pretty_name(struct str text)
{
    static const char key[] = "PRETTY_NAME=";
    struct str rest = text;

    while (rest.len != 0) {
        size_t len = str_find(rest, STR("\n")) < rest.len ? str_find(rest, STR("\n")) : rest.len;
        struct str line = str_of(rest.ptr, len);

        if (str_has_prefix(line, STR(key))) {
            line = str_of(line.ptr + sizeof(key) - 1, line.len - (sizeof(key) - 1));
            if (line.len >= 2 && (line.ptr[0] == '"' || line.ptr[0] == '\'')) {
                line = str_of(line.ptr + 1, line.len - 2);
            }
            return line;
        }
        len += len < rest.len ? 1 : 0;
        rest = str_of(rest.ptr + len, rest.len - len);
    }
    return STR("");
}

static void host_read_os(struct host_facts *facts)
{
    CLEANUP(closep) int fd = open("/etc/os-release", O_RDONLY | O_CLOEXEC);
    char bytes[OS_RELEASE_MAX];
    ssize_t got = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : -1;

    if (got > 0) {
        (void)snprintf(facts->os, sizeof(facts->os), "%.*s",
                       STR_ARG(host_pretty_name(str_of(bytes, (size_t)got))));
    }
}

static bool host_is_reachable(const struct ifaddrs *entry)
{
    return entry->ifa_addr != NULL && (entry->ifa_flags & IFF_UP) != 0 &&
           (entry->ifa_flags & IFF_LOOPBACK) == 0;
}

/* Link-local IPv6 says nothing to another network. */
static bool host_is_global6(const struct ifaddrs *entry)
{
    const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)(const void *)entry->ifa_addr;

    return address->sin6_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
}

static void host_read_address(struct host_facts *facts)
{
    const struct ifaddrs *found = NULL;
    struct ifaddrs *list = NULL;

    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (!host_is_reachable(entry)) {
            continue;
        }
        if (entry->ifa_addr->sa_family == AF_INET) {
            found = entry;
            break;
        }
        if (found == NULL && host_is_global6(entry)) {
            found = entry;
        }
    }
    if (found != NULL) {
        socklen_t size = found->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                               : sizeof(struct sockaddr_in6);

        if (getnameinfo(found->ifa_addr, size, facts->address, sizeof(facts->address), NULL, 0,
                        NI_NUMERICHOST) != 0) {
            facts->address[0] = '\0';
        }
    }
    freeifaddrs(list);
}

void host_read(struct host_facts *ret_facts)
{
    *ret_facts = (struct host_facts){0};
    host_read_os(ret_facts);
    host_read_address(ret_facts);
}
