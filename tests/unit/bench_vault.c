/* Measures the vault: one save of a 100 KB file, and the restore of many.
 * Usage: bench_vault [ext4|xfs|btrfs|-] [FILES] [BYTES]   the vault lies on the same file system;
 * -: on /tmp itself. Prints one line each. */
#include "vault_fixture.h"

#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return (*x > *y) - (*x < *y);
}

static void report(const char *what, int64_t *times, size_t count)
{
    qsort(times, count, sizeof(*times), compare_times);
    printf("%-28s p50 %7.1f us  p99 %7.1f us  (%zu)\n", what, (double)times[count / 2] / 1000,
           (double)times[count * 99 / 100] / 1000, count);
}

/* What copying costs without a vault: the yardstick. */
static int64_t copy_plainly(int fd, const char *to)
{
    static char bytes[1 << 20];
    int64_t start = clock_mono(&clock_real);
    ssize_t got = pread(fd, bytes, sizeof(bytes), 0);
    int copy = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(copy, bytes, (size_t)got), got);
    close(copy);
    return clock_mono(&clock_real) - start;
}

int main(int argc, char **argv)
{
    const struct id finding = {{9}};
    struct scratch scratch;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000;
    size_t size = argc > 3 ? strtoul(argv[3], NULL, 10) : 100000;
    int64_t *saves = calloc(count, sizeof(int64_t));
    int64_t *again = calloc(count, sizeof(int64_t));
    int64_t *plain = calloc(count, sizeof(int64_t));
    struct vault_damage *damage = calloc(count, sizeof(*damage));
    struct vault_report result;
    struct vault *vault;
    int64_t start;

    if (!scratch_make_sized(&scratch, argc > 1 && argv[1][0] != '-' ? argv[1] : NULL, argc > 1,
                            count * size * 4 + (600 << 20))) {
        return 1;
    }
    vault = scratch_open(&scratch, UINT64_MAX / 2);
    tree_make_plain(&scratch, count, size);
    sync();
    for (size_t i = 0; i < count; i++) {
        const struct vault_origin origin = {.kind = VAULT_KIND_BEFORE};
        struct vault_origin named = origin;
        char path[PATH_SIZE + 64];
        char *kept;
        struct stat st;
        int fd;

        snprintf(path, sizeof(path), "%s/%zu", scratch.data, i);
        kept = strdup(path);
        named.path = str_from(kept);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        fstat(fd, &st);
        start = clock_mono(&clock_real);
        assert_int_equal(vault_save(vault, fd, &named, &damage[i].version), 0);
        saves[i] = clock_mono(&clock_real) - start;
        start = clock_mono(&clock_real);
        assert_int_equal(vault_save(vault, fd, &named, &damage[i].version), 0);
        again[i] = clock_mono(&clock_real) - start;
        snprintf(path, sizeof(path), "%s/copy %zu", scratch.data, i);
        plain[i] = copy_plainly(fd, path);
        unlink(path);
        close(fd);
        damage[i].outcome = FILE_OUTCOME_ENCRYPTED;
        damage[i].path = named.path;
        damage[i].path_now = named.path;
        damage[i].dev_now = st.st_dev;
        damage[i].ino_now = st.st_ino;
    }
    report("copy without a vault", plain, count);
    report("vault_save", saves, count);
    report("vault_save, unchanged", again, count);
    tree_scramble_plain(&scratch, count, size);
    assert_int_equal(vault_case_open(vault, &finding), 0);
    start = clock_mono(&clock_real);
    assert_int_equal(vault_case_add(vault, &finding, damage, count), 0);
    printf("%-28s %.3f s\n", "vault_case_add", (double)(clock_mono(&clock_real) - start) / 1e9);
    start = clock_mono(&clock_real);
    assert_int_equal(vault_case_restore(vault, &finding, NULL, NULL, &result), 0);
    printf("%-28s %.3f s  (%zu files, %.0f MB, in place, synced; failed %zu)\n",
           "vault_case_restore", (double)(clock_mono(&clock_real) - start) / 1e9,
           (size_t)result.restored, (double)(count * size) / 1e6, (size_t)result.failed);
    vault_close(vault);
    scratch_remove(&scratch);
    return 0;
}
