/* Median time of open+close of one file, in nanoseconds: opens FILE COUNT. For the bench only. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return *left < *right ? -1 : *left > *right;
}

int main(int argc, char **argv)
{
    size_t count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    int64_t *times = calloc(count + 1, sizeof(*times));

    if (count == 0 || times == NULL) {
        (void)fprintf(stderr, "usage: opens FILE COUNT\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        struct timespec before;
        struct timespec after;
        int fd;

        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        fd = open(argv[1], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || close(fd) < 0) {
            perror(argv[1]);
            return 3;
        }
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        times[i] = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    }
    qsort(times, count, sizeof(*times), compare);
    printf("%lld\n", (long long)times[count / 2]);
    free(times);
    return 0;
}
