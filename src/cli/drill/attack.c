/* The table of patterns and what they share: victims, counting, the cipher. On its way: drill.c
 * forks → drill_attack_run here → a pattern in drill/native.c, drill/tools.c or drill/uring.c → the
 * files. Invariant: every path is resolved beneath the scratch folder, whose marker is checked
 * before the first call. */
#include "cli/drill/attack.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define VICTIM_BYTES_MAX (64U << 20)

static const char *const tools_openssl[] = {"openssl", "rm", NULL};
static const char *const tools_gpg_shred[] = {"gpg", "shred", NULL};
static const char *const tools_7z[] = {"7z", NULL};
static const char *const tools_zip[] = {"zip", NULL};
static const char *const tools_ccencrypt[] = {"ccencrypt", NULL};
static const char *const tools_tar_gpg[] = {"sh", "tar", "gpg", "rm", NULL};

const struct drill_pattern drill_patterns[] = {
    {"inplace", N_("encrypts every file in place, all bytes"), NULL, drill_inplace, NULL},
    {"inplace-16", N_("encrypts every other 16 bytes in place"), NULL, drill_inplace_16, NULL},
    {"head-4k-rename", N_("encrypts the first 4 KB and adds .locked to the name"), NULL,
     drill_head_rename, NULL},
    {"trunc-rewrite", N_("empties the file while opening it and writes ciphertext"), NULL,
     drill_trunc_rewrite, NULL},
    {"rename-over", N_("writes ciphertext beside the file and renames it over"), NULL,
     drill_rename_over, NULL},
    {"openssl-unlink", N_("openssl enc into a new file, then rm"), tools_openssl,
     drill_openssl_unlink, NULL},
    {"gpg-shred", N_("gpg -c into a new file, then shred -u"), tools_gpg_shred, drill_gpg_shred,
     NULL},
    {"7z-sdel", N_("7z a -mx=0 -sdel with a password, one archive a file"), tools_7z, drill_7z_sdel,
     NULL},
    {"zip-rem", N_("zip -rem with a password, all into one archive"), tools_zip, NULL,
     drill_zip_rem},
    {"ccencrypt", N_("ccencrypt -r over the folder"), tools_ccencrypt, NULL, drill_ccencrypt},
    {"tar-gpg-rm", N_("tar | gpg into one file, then rm -rf"), tools_tar_gpg, NULL,
     drill_tar_gpg_rm},
    {"workers-18", N_("18 processes that share the files, encrypting in place"), NULL, NULL,
     drill_workers},
    {"mmap", N_("encrypts through a shared memory mapping"), NULL, drill_mmap, NULL},
    {"io_uring", N_("opens, reads and writes by io_uring, without a file system call"), NULL,
     drill_io_uring, NULL},
    {"base64", N_("replaces each file with its ciphertext as base64 text"), NULL, drill_base64,
     NULL},
    {"exchange-rename", N_("swaps ciphertext and file by renameat2, then removes the file"), NULL,
     drill_exchange_rename, NULL},
    {"o_direct", N_("encrypts in place past the page cache"), NULL, drill_o_direct, NULL},
    {"copy_file_range", N_("lets the kernel copy ciphertext over the file"), NULL, drill_copy_range,
     NULL},
    {"fork-per-file", N_("a new process for each file"), NULL, NULL, drill_fork_each},
    {"fd-relay", N_("one process opens the files, another writes into them"), NULL, NULL,
     drill_relay},
    {"truncate-path", N_("empties the file by its path, then writes ciphertext"), NULL,
     drill_truncate_path, NULL},
    {"slow", N_("encrypts ten files a second in place"), NULL, drill_slow, NULL},
    {},
};

const struct drill_pattern *drill_pattern_find(const char *name)
{
    for (const struct drill_pattern *pattern = drill_patterns; pattern->name != NULL; pattern++) {
        if (str_is_text(str_from(name), pattern->name)) {
            return pattern;
        }
    }
    return NULL;
}

static bool drill_has_tool(const char *tool)
{
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                          "/usr/bin",        "/sbin",          "/bin"};
    char path[256];

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folders[i], tool);
        if (access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

const char *drill_pattern_missing(const struct drill_pattern *pattern)
{
    for (const char *const *tool = pattern->tools; tool != NULL && *tool != NULL; tool++) {
        if (!drill_has_tool(*tool)) {
            return *tool;
        }
    }
    return NULL;
}

int drill_victim_open(const struct drill_attack *attack, size_t number,
                      struct drill_victim *ret_victim)
{
    const char *path = attack->manifest->entries[attack->order[number]].path;
    const char *slash = strrchr(path, '/');
    char folder[DRILL_PATH_MAX];
    int fd;

    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
    fd = fd_open_beneath(attack->folder->fd, folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return fd;
    }
    *ret_victim = (struct drill_victim){number, path, slash + 1, fd};
    return 0;
}

void drill_attack_begin(struct drill_attack *attack)
{
    int64_t none = 0;

    (void)atomic_compare_exchange_strong(&attack->counter->first_ns, &none,
                                         clock_mono(&clock_real));
}

void drill_attack_touched(struct drill_attack *attack)
{
    (void)atomic_fetch_add(&attack->counter->touched, 1);
    atomic_store(&attack->counter->last_ns, clock_mono(&clock_real));
}

int drill_cipher_start(struct drill_attack *attack, const struct drill_victim *victim)
{
    unsigned char nonce[16] = {0};

    memcpy(nonce, &victim->number, sizeof(victim->number));
    return EVP_EncryptInit_ex(attack->cipher, EVP_aes_256_ctr(), NULL,
                              (const unsigned char *)DRILL_KEY, nonce) == 1
               ? 0
               : -ERR_IO;
}

int drill_cipher_apply(struct drill_attack *attack, void *bytes, size_t len)
{
    int done = 0;

    return EVP_EncryptUpdate(attack->cipher, bytes, &done, bytes, (int)len) == 1 ? 0 : -ERR_IO;
}

int drill_cipher_file(struct drill_attack *attack, const struct drill_victim *victim,
                      char **ret_bytes, size_t *ret_len)
{
    CLEANUP(closep) int fd = fd_open_beneath(victim->dir_fd, victim->name, O_RDONLY, 0);
    CLEANUP(mem_freep) char *bytes = NULL;
    off_t len;
    int r;

    if (fd < 0) {
        return fd;
    }
    len = lseek(fd, 0, SEEK_END);
    if (len < 0 || len > (off_t)VICTIM_BYTES_MAX || lseek(fd, 0, SEEK_SET) < 0) {
        return -ERR_FBIG;
    }
    bytes = mem_alloc((size_t)len + 1, 1);
    if (bytes == NULL) {
        return -ERR_NOMEM;
    }
    r = fd_read_full(fd, bytes, (size_t)len);
    if (r == 0) {
        r = drill_cipher_start(attack, victim);
    }
    if (r == 0) {
        r = drill_cipher_apply(attack, bytes, (size_t)len);
    }
    if (r < 0) {
        return r;
    }
    *ret_bytes = TAKE_PTR(bytes);
    *ret_len = (size_t)len;
    return 0;
}

void drill_attack_file(struct drill_attack *attack, const struct drill_pattern *pattern,
                       size_t number)
{
    struct drill_victim victim;
    int r = drill_victim_open(attack, number, &victim);

    if (r == 0) {
        r = pattern->file(attack, &victim);
        (void)close(victim.dir_fd);
    }
    if (r < 0) {
        (void)atomic_fetch_add(&attack->counter->refused, 1);
    }
}

int drill_attack_run(struct drill_attack *attack, const struct drill_pattern *pattern)
{
    int r = drill_folder_check(attack->folder);

    attack->cipher = EVP_CIPHER_CTX_new();
    if (r < 0 || attack->cipher == NULL) {
        return EXIT_FAILURE;
    }
    if (pattern->whole != NULL) {
        r = pattern->whole(attack);
    } else {
        for (size_t i = 0; i < attack->victim_count; i++) {
            drill_attack_file(attack, pattern, i);
        }
    }
    EVP_CIPHER_CTX_free(attack->cipher);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
