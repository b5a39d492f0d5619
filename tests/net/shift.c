/* A wrong wall clock for a program that knows nothing of it (LD_PRELOAD): the file $CLOCK_SHIFT
 * holds the nanoseconds to add, which tests/net/run changes while the program runs. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *shift;

__attribute__((constructor)) static void shift_map(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (page == MAP_FAILED) {
        abort();
    }
    shift = page;
    (void)close(fd);
}

#define SEEN __attribute__((visibility("default")))

SEEN int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    long r = syscall(SYS_clock_gettime, id, ret_time);
    int64_t ns;

    if (r == 0 && id == CLOCK_REALTIME && shift != NULL) { /* NULL: other libraries start first */
        ns = ret_time->tv_sec * SECOND + ret_time->tv_nsec + *shift;
        ret_time->tv_sec = ns / SECOND;
        ret_time->tv_nsec = ns % SECOND;
    }
    return (int)r;
}

SEEN time_t time(time_t *ret_time)
{
    struct timespec now;

    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return -1;
    }
    if (ret_time != NULL) {
        *ret_time = now.tv_sec;
    }
    return now.tv_sec;
}
