/* See load.h. */
#include "load.h"

#include "detect/sigma/load.h"

#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct str bench_map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status = {0};
    void *bytes = NULL;

    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0) {
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return bytes == NULL || bytes == MAP_FAILED ? STR("") : str_of(bytes, (size_t)status.st_size);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

const struct sigma_set *bench_rules(char *folder)
{
    char *const roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    struct sigma_loader *loader = NULL;
    const struct sigma_set *set = NULL;
    FTSENT *file;
    int r = sigma_loader_new(false, &loader);

    while (r == 0 && (file = fts_read(tree)) != NULL) {
        if (file->fts_info == FTS_F && strstr(file->fts_name, ".yml") != NULL) {
            r = sigma_loader_add(loader, str_from(strdup(file->fts_path)),
                                 bench_map(file->fts_path));
        }
    }
    (void)fts_close(tree);
    if (r != 0 || sigma_loader_finish(loader, &set) != 0) {
        return NULL;
    }
    return set;
}
