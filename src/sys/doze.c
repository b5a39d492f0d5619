/* A request for no latency at all makes idle processors poll; a very long one asks for nothing. */
#include "sys/doze.h"

#include "base/banned.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#define LATENCY_NONE_US 0
#define LATENCY_ANY_US  (2000 * 1000 * 1000) /* the kernel's own word for no request */

int doze_open(void)
{
    int fd;

    if (sysconf(_SC_NPROCESSORS_ONLN) > DOZE_CPUS_MAX) {
        return -ERR_OPNOTSUPP;
    }
    fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

int doze_allow(int fd, bool is_allowed)
{
    int32_t latency = is_allowed ? LATENCY_ANY_US : LATENCY_NONE_US;

    return write(fd, &latency, sizeof(latency)) == (ssize_t)sizeof(latency) ? 0 : -errno;
}
