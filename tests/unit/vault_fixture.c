/* Scratch folders, trees, staged damage and manifests for test_vault.c and test_vault_kill.c. */
#include "vault_fixture.h"

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOW_SIZE 1024

extern char **environ;

int try_command(const char *const *words)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, words[0], &actions, NULL, (char *const *)(uintptr_t)words, environ) ==
        0) {
        (void)waitpid(pid, &status, 0);
    }
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

void run_command(const char *const *words, bool must_work)
{
    int status = try_command(words);

    if (must_work && status != 0) {
        fail_msg("%s ended with status %d", words[0], status);
    }
}

bool scratch_make(struct scratch *scratch, const char *kind, bool is_vault_inside)
{
    return scratch_make_sized(scratch, kind, is_vault_inside, 400 << 20);
}

bool scratch_make_sized(struct scratch *scratch, const char *kind, bool is_vault_inside,
                        size_t bytes)
{
    char image[PATH_SIZE];
    char mkfs[32];
    int fd;

    bool in_memory = kind != NULL && strcmp(kind, "memory") == 0;

    *scratch = (struct scratch){};
    kind = in_memory ? NULL : kind;
    if (kind != NULL && geteuid() != 0) {
        print_message("skipped on %s: needs root for a loop mount\n", kind);
        return false;
    }
    snprintf(scratch->root, sizeof(scratch->root), "%s/canhgac-vault-XXXXXX",
             in_memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(scratch->root));
    snprintf(scratch->data, sizeof(scratch->data), "%s/data", scratch->root);
    snprintf(scratch->vault, sizeof(scratch->vault), "%s/vault", scratch->root);
    if (kind != NULL) {
        snprintf(image, sizeof(image), "%s/image", scratch->root);
        snprintf(mkfs, sizeof(mkfs), "mkfs.%s", kind);
        fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
        close(fd);
        snprintf(scratch->mount, sizeof(scratch->mount), "%s/mount", scratch->root);
        assert_int_equal(mkdir(scratch->mount, 0755), 0);
        if (try_command((const char *[]){mkfs, "-q", image, NULL}) != 0 ||
            try_command((const char *[]){"mount", "-o", "loop", image, scratch->mount, NULL}) !=
                0) {
            print_message("skipped on %s: %s or a loop mount does not work here\n", kind, mkfs);
            scratch->mount[0] = '\0';
            scratch_remove(scratch);
            return false;
        }
        snprintf(scratch->data, sizeof(scratch->data), "%s/mount/data", scratch->root);
        if (is_vault_inside) {
            snprintf(scratch->vault, sizeof(scratch->vault), "%s/mount/vault", scratch->root);
        }
    }
    assert_int_equal(mkdir(scratch->data, 0755), 0);
    return true;
}

void scratch_remove(struct scratch *scratch)
{
    if (scratch->mount[0] != '\0') {
        run_command((const char *[]){"umount", scratch->mount, NULL}, true);
    }
    assert_non_null(strstr(scratch->root, "/canhgac-vault-"));
    run_command((const char *[]){"rm", "-rf", "--one-file-system", scratch->root, NULL}, true);
}

struct vault *scratch_open(const struct scratch *scratch, uint64_t bytes)
{
    const struct vault_limits limits = {.bytes = bytes,
                                        .retention_ns = 24 * 3600 * NS_PER_S,
                                        .whole_bytes = 8 << 20,
                                        .edge_bytes = 1 << 20};
    struct vault *vault = NULL;
    struct diag diag = {};
    int r = vault_open(scratch->vault, &limits, &clock_real, &vault, &diag);

    if (r < 0) {
        fail_msg("vault_open: %s", diag_text(&diag, r));
    }
    return vault;
}

static uint32_t noise = 1;

static void fill(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        noise = noise * 1664525U + 1013904223U;
        out[i] = (char)(noise >> 24);
    }
}

static void write_file(const char *path, size_t size, int flags)
{
    char *bytes = malloc(size + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

    fill(bytes, size);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    free(bytes);
}

static void set_time(const char *path, time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when, .tv_nsec = 111},
                                      {.tv_sec = when, .tv_nsec = 222}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* user::rw- user:1234:rw- group::r-- mask::rw- other::--- as the kernel keeps it
 * (posix_acl_xattr.h). */
static const unsigned char some_acl[] = {
    2,   0,   0,   0,   1,  0, 6, 0, 255, 255, 255, 255, 2,  0, 6, 0, 210, 4,   0,   0,  4, 0, 4, 0,
    255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};

#define LOST "mất"

/* Folders that the attack removes: one in another, with two names of one file over both. */
static void tree_make_lost(const struct scratch *scratch)
{
    char outer[1024];
    char inner[1024];
    char path[1024];
    char other[1024];

    snprintf(outer, sizeof(outer), "%s/" LOST, scratch->data);
    snprintf(inner, sizeof(inner), "%s/" LOST "/" LOST " sâu", scratch->data);
    snprintf(path, sizeof(path), "%s/" LOST "/hợp đồng.txt", scratch->data);
    snprintf(other, sizeof(other), "%s/" LOST "/" LOST " sâu/bản sao.txt", scratch->data);
    assert_int_equal(mkdir(outer, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    write_file(path, 7000, O_EXCL);
    assert_int_equal(link(path, other), 0);
    set_time(path, 1000001000);
    assert_int_equal(setxattr(outer, "user.note", "thư mục", 9, 0), 0);
    assert_int_equal(setxattr(inner, "system.posix_acl_default", some_acl, sizeof(some_acl), 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(inner, 1001, 101), 0);
    }
    assert_int_equal(chmod(inner, 02775), 0);
    assert_int_equal(chmod(outer, 01711), 0);
    set_time(inner, 1000002000);
    set_time(outer, 1000003000);
}

void tree_make(const struct scratch *scratch, size_t count, size_t size)
{
    char path[1024];
    char other[1024];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/d%zu", scratch->data, i % 7);
        (void)mkdir(path, 0750);
        snprintf(path, sizeof(path), "%s/d%zu/tài liệu %zu.txt", scratch->data, i % 7, i);
        write_file(path, size + i % 97, O_EXCL);
        if (geteuid() == 0) {
            assert_int_equal(chown(path, (uid_t)(1000 + i % 3), (gid_t)(100 + i % 2)), 0);
        }
        assert_int_equal(chmod(path, i % 5 == 0 ? 04755 : 0640), 0);
        if (i % 3 == 0) {
            assert_int_equal(setxattr(path, "user.note", "ghi chú", 9, 0), 0);
        }
        if (i % 4 == 0) {
            assert_int_equal(
                setxattr(path, "system.posix_acl_access", some_acl, sizeof(some_acl), 0), 0);
        }
        if (i % 6 == 1) {
            snprintf(other, sizeof(other), "%s/d%zu/link %zu", scratch->data, i % 7, i);
            assert_int_equal(link(path, other), 0);
        }
        if (i % 10 == 9) { /* sparse: a hole between two blocks */
            assert_int_equal(truncate(path, 4 << 20), 0);
        }
        set_time(path, 1000000000 + (time_t)i);
    }
    tree_make_lost(scratch);
}

static void scramble(const char *path, size_t from, size_t len)
{
    char bytes[4096];
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    while (len != 0) {
        size_t part = len < sizeof(bytes) ? len : sizeof(bytes);

        fill(bytes, part);
        assert_int_equal(pwrite(fd, bytes, part, (off_t)from), (ssize_t)part);
        from += part;
        len -= part;
    }
    close(fd);
}

void tree_make_plain(const struct scratch *scratch, size_t count, size_t size)
{
    char path[1024];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%zu", scratch->data, i);
        write_file(path, size, O_EXCL);
    }
}

void tree_scramble_plain(const struct scratch *scratch, size_t count, size_t size)
{
    char path[1024];

    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%zu", scratch->data, i);
        scramble(path, 0, size);
    }
}

struct lines {
    char **items;
    size_t count;
};

static void manifest_hash(const char *path, char out[65])
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[32];
    static char chunk[1 << 18];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    ssize_t got;

    assert_true(fd >= 0);
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
        EVP_DigestUpdate(digest, chunk, (size_t)got);
    }
    EVP_DigestFinal_ex(digest, sum, NULL);
    EVP_MD_CTX_free(digest);
    close(fd);
    for (int i = 0; i < 32; i++) {
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted: in which order a file system lists them is its own affair. */
static void manifest_attributes(const char *path, char *out, size_t size)
{
    char names[1024];
    char value[1024];
    char *sorted[32];
    size_t count = 0;
    ssize_t len = llistxattr(path, names, sizeof(names));

    out[0] = '\0';
    for (char *name = names; len > 0 && name < names + len && count < 32;
         name += strlen(name) + 1) {
        sorted[count++] = name;
    }
    qsort(sorted, count, sizeof(char *), compare_lines);
    for (size_t n = 0; n < count; n++) {
        ssize_t got = lgetxattr(path, sorted[n], value, sizeof(value));
        size_t at = strlen(out);

        snprintf(out + at, size - at, " %s=", sorted[n]);
        for (ssize_t i = 0; i < got; i++) {
            at = strlen(out);
            snprintf(out + at, size - at, "%02x", (unsigned char)value[i]);
        }
    }
}

static void manifest_add(struct lines *lines, const char *path)
{
    char hash[65] = "";
    char attributes[2048];
    char *line;
    bool has_times;
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    if (S_ISREG(st.st_mode)) {
        manifest_hash(path, hash);
    }
    manifest_attributes(path, attributes, sizeof(attributes));
    /* A folder's times change with what is done in it; one that is made anew gets its own again. */
    has_times = S_ISREG(st.st_mode) || strstr(path, "/" LOST) != NULL;
    assert_true(
        asprintf(&line, "%s %s %o %u:%u %lld.%09ld %lld links=%lu sparse=%d%s\n", path, hash,
                 st.st_mode, st.st_uid, st.st_gid, has_times ? (long long)st.st_mtim.tv_sec : 0,
                 has_times ? st.st_mtim.tv_nsec : 0,
                 S_ISREG(st.st_mode) ? (long long)st.st_size : 0,
                 S_ISREG(st.st_mode) ? (unsigned long)st.st_nlink : 0,
                 S_ISREG(st.st_mode) && st.st_blocks * 512 < st.st_size / 2, attributes) > 0);
    lines->items = realloc(lines->items, (lines->count + 1) * sizeof(char *));
    lines->items[lines->count++] = line;
}

static void manifest_walk(struct lines *lines, const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *item;

    assert_non_null(dir);
    while ((item = readdir(dir)) != NULL) {
        char path[1024];
        struct stat st;

        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
        manifest_add(lines, path);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            manifest_walk(lines, path);
        }
    }
    closedir(dir);
}

char *tree_manifest(const struct scratch *scratch)
{
    struct lines lines = {};
    char *text = strdup("");
    size_t len = 0;

    manifest_walk(&lines, scratch->data);
    if (lines.count != 0) { /* the tree may be empty, all removed */
        qsort(lines.items, lines.count, sizeof(char *), compare_lines);
    }
    for (size_t i = 0; i < lines.count; i++) {
        size_t more = strlen(lines.items[i]);

        text = realloc(text, len + more + 1);
        memcpy(text + len, lines.items[i], more + 1);
        len += more;
        free(lines.items[i]);
    }
    free(lines.items);
    return text;
}

static uint64_t gate_save(struct vault *vault, const char *path)
{
    const struct vault_origin origin = {
        .path = str_from(path),
        .kind = VAULT_KIND_BEFORE,
        .process = {
            .pid = 4242, .start = 7, .exe = STR("/usr/bin/evil"), .cmdline = STR("evil --all")}};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    uint64_t id = 0;
    int r;

    assert_true(fd >= 0);
    r = vault_save(vault, fd, &origin, &id);
    close(fd);
    assert_int_equal(r, 0);
    assert_true(id != 0);
    return id;
}

static void damage_note(struct vault_damage *damage, enum file_outcome outcome, char *now,
                        const char *path)
{
    struct stat st;

    damage->outcome = outcome;
    if (path != NULL) {
        assert_int_equal(lstat(path, &st), 0);
        snprintf(now, NOW_SIZE, "%s", path);
        damage->path_now = str_from(now);
        damage->dev_now = st.st_dev;
        damage->ino_now = st.st_ino;
    }
}

#define PATTERNS 8

static void damage_one(const char *path, size_t pattern, struct vault_damage *damage, char *now)
{
    char other[1024];
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    snprintf(other, sizeof(other), "%s.locked", path);
    switch (pattern) {
    case 0: /* in place, all of it */
        scramble(path, 0, (size_t)st.st_size);
        damage_note(damage, FILE_OUTCOME_ENCRYPTED, now, path);
        break;
    case 1: /* in place, then renamed, mode and attributes spoiled too */
        scramble(path, 0, 4096);
        assert_int_equal(rename(path, other), 0);
        assert_int_equal(chmod(other, 0), 0);
        (void)removexattr(other, "user.note");
        (void)setxattr(other, "user.ransom", "pay", 3, 0);
        damage_note(damage, FILE_OUTCOME_ENCRYPTED, now, other);
        break;
    case 2: /* temporary file, renamed over */
        write_file(other, 5000, O_EXCL);
        assert_int_equal(rename(other, path), 0);
        damage_note(damage, FILE_OUTCOME_REPLACED, now, path);
        break;
    case 3: /* new file, original removed */
        write_file(other, 6000, O_EXCL);
        assert_int_equal(unlink(path), 0);
        damage_note(damage, FILE_OUTCOME_DELETED, now, other);
        break;
    case 4: /* emptied and written anew, longer */
        write_file(path, (size_t)st.st_size + 300, O_TRUNC);
        damage_note(damage, FILE_OUTCOME_ENCRYPTED, now, path);
        break;
    case 5: /* wiped and removed */
        scramble(path, 0, (size_t)st.st_size);
        assert_int_equal(unlink(path), 0);
        damage_note(damage, FILE_OUTCOME_OVERWRITTEN, now, NULL);
        break;
    case 6: /* removed, and somebody else has taken the name */
        assert_int_equal(unlink(path), 0);
        write_file(path, 77, O_EXCL);
        damage_note(damage, FILE_OUTCOME_DELETED, now, NULL);
        break;
    default: /* renamed first, then scrambled, and a decoy takes the name */
        assert_int_equal(rename(path, other), 0);
        scramble(other, 10, 100);
        write_file(path, 99, O_EXCL);
        damage_note(damage, FILE_OUTCOME_ENCRYPTED, now, other);
        break;
    }
}

static void attack_one(struct vault *vault, const struct id *finding, const char *path,
                       size_t pattern)
{
    struct vault_damage damage = {.path = str_from(path)};
    char now[NOW_SIZE] = "";

    damage.version = gate_save(vault, path);
    damage_one(path, pattern, &damage, now);
    assert_int_equal(vault_case_add(vault, finding, &damage, 1), 0);
}

void add_folder(struct vault *vault, const struct id *finding, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct vault_folder folder;
    struct buf room;

    buf_init(&room, 65536);
    assert_true(fd >= 0);
    assert_int_equal(vault_folder_read(fd, str_from(path), &room, &folder), 0);
    assert_int_equal(vault_case_add_folder(vault, finding, &folder), 0);
    buf_done(&room);
    close(fd);
}

/* Both names go, the second when nothing but a held descriptor keeps the file; then the folders. */
static void attack_lost(const struct scratch *scratch, struct vault *vault,
                        const struct id *finding)
{
    struct vault_damage damage = {.outcome = FILE_OUTCOME_DELETED};
    struct vault_origin origin = {.kind = VAULT_KIND_BEFORE};
    char outer[1024];
    char inner[1024];
    char path[1024];
    char other[1024];
    int fd;

    snprintf(outer, sizeof(outer), "%s/" LOST, scratch->data);
    snprintf(inner, sizeof(inner), "%s/" LOST "/" LOST " sâu", scratch->data);
    snprintf(path, sizeof(path), "%s/" LOST "/hợp đồng.txt", scratch->data);
    snprintf(other, sizeof(other), "%s/" LOST "/" LOST " sâu/bản sao.txt", scratch->data);
    add_folder(vault, finding, inner);
    add_folder(vault, finding, outer);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
    assert_int_equal(unlink(path), 0);
    origin.path = damage.path = str_from(path);
    assert_int_equal(vault_save(vault, fd, &origin, &damage.version), 0);
    assert_int_equal(vault_case_add(vault, finding, &damage, 1), 0);
    assert_int_equal(unlink(other), 0);
    origin.path = damage.path = str_from(other);
    assert_int_equal(vault_save(vault, fd, &origin, &damage.version), 0);
    assert_int_equal(vault_case_add(vault, finding, &damage, 1), 0);
    close(fd);
    assert_int_equal(rmdir(inner), 0);
    assert_int_equal(rmdir(outer), 0);
}

void tree_attack(const struct scratch *scratch, struct vault *vault, const struct id *finding)
{
    struct vault_damage note = {.outcome = FILE_OUTCOME_PRODUCT};
    char now[NOW_SIZE];
    char path[1024];
    struct lines paths = {};
    DIR *top;
    const struct dirent *folder;

    assert_int_equal(vault_case_open(vault, finding), 0);
    top = opendir(scratch->data);
    while ((folder = readdir(top)) != NULL) {
        DIR *dir;
        const struct dirent *item;

        snprintf(path, sizeof(path), "%s/%s", scratch->data, folder->d_name);
        dir = folder->d_name[0] != '.' && strcmp(folder->d_name, LOST) != 0 ? opendir(path) : NULL;
        while (dir != NULL && (item = readdir(dir)) != NULL) {
            if (item->d_name[0] != '.') {
                paths.items = realloc(paths.items, (paths.count + 1) * sizeof(char *));
                assert_true(asprintf(&paths.items[paths.count++], "%s/%s", path, item->d_name) > 0);
            }
        }
        if (dir != NULL) {
            closedir(dir);
        }
    }
    closedir(top);
    qsort(paths.items, paths.count, sizeof(char *), compare_lines);
    for (size_t i = 0; i < paths.count; i++) {
        attack_one(vault, finding, paths.items[i], i % PATTERNS);
        free(paths.items[i]);
    }
    free(paths.items);
    attack_lost(scratch, vault, finding);
    snprintf(path, sizeof(path), "%s/README-TO-PAY.txt", scratch->data);
    write_file(path, 500, O_EXCL);
    damage_note(&note, FILE_OUTCOME_PRODUCT, now, path);
    assert_int_equal(vault_case_add(vault, finding, &note, 1), 0);
}

void explain(void *context, const struct vault_damage *damage, int result)
{
    size_t *calls = context;

    (*calls)++;
    if (result < 0) {
        print_message("%.*s (%s): %s\n", STR_ARG(damage->path), file_outcome_name(damage->outcome),
                      err_text(result));
    }
}

void put_file(char *path, const struct scratch *scratch, const char *name, int byte, size_t size)
{
    char *bytes = malloc(size + 1);
    int fd;

    snprintf(path, PATH_SIZE + 64, "%s/%s", scratch->data, name);
    memset(bytes, byte, size);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    free(bytes);
}

int save_path(struct vault *vault, const char *path, enum vault_kind kind, uint64_t *ret_id)
{
    const struct vault_origin origin = {
        .path = str_from(path),
        .kind = kind,
        .process = {.pid = 77, .uid = -1, .exe = STR("/bin/sh"), .user = STR("an")}};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = vault_save(vault, fd, &origin, ret_id);

    close(fd);
    return r;
}

void tend_all(struct vault *vault)
{
    bool is_idle = false;

    for (int i = 0; i < 10000 && !is_idle; i++) {
        assert_int_equal(vault_tend(vault, &is_idle), 0);
    }
    assert_true(is_idle);
}

uint64_t count_versions(const struct scratch *scratch, uint64_t *ret_damaged)
{
    struct vault *vault = scratch_open(scratch, 1ULL << 30);
    struct vault_usage usage;

    assert_int_equal(vault_usage(vault, &usage), 0);
    vault_close(vault);
    *ret_damaged = usage.damaged;
    return usage.versions;
}
