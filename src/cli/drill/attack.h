/* The attacker of a drill: destroys the files of the manifest in one of many ways, under a
 * published key, inside the scratch folder only. Runs in a child process of its own session, so
 * that stopping it stops nobody else. */
#ifndef CLI_DRILL_ATTACK_H
#define CLI_DRILL_ATTACK_H

#include "cli/drill/folder.h"
#include "cli/drill/manifest.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The published key: as a pass phrase for tools, and its first 32 bytes for AES-256. */
#define DRILL_KEY "canhgac drill: this key is public, nothing is lost"

/* Lies in memory that the attacker and its watcher share. */
struct drill_counter {
    _Atomic int64_t first_ns; /* monotonic, just before the first destructive call; 0: none yet */
    _Atomic int64_t last_ns;  /* monotonic, when the last file so far was destroyed */
    _Atomic uint64_t touched; /* files destroyed */
    _Atomic uint64_t refused; /* files at which a call failed */
    _Atomic uint64_t next;    /* the next victim, for patterns of many workers */
};

struct drill_attack {
    const struct drill_folder *folder;
    const struct drill_manifest *manifest;
    const size_t *order; /* indices of the victims in the manifest, as the attacker takes them */
    size_t victim_count;
    const char *home; /* an empty folder for tools that keep state */
    struct drill_counter *counter;
    EVP_CIPHER_CTX *cipher; /* made in the attacker */
};

/* One file about to be destroyed. */
struct drill_victim {
    size_t number;    /* in the order: the cipher's nonce */
    const char *path; /* below the scratch folder */
    const char *name; /* its last part */
    int dir_fd;       /* the folder it lies in */
};

struct drill_pattern {
    const char *name;
    const char *sentence;     /* what it does, translated when shown */
    const char *const *tools; /* programs it needs, ended by NULL; NULL: none */
    int (*file)(struct drill_attack *attack,
                const struct drill_victim *victim); /* one file, or … */
    int (*whole)(struct drill_attack *attack);      /* … all at once */
};

/* Ended by a row without a name. */
extern const struct drill_pattern drill_patterns[];

const struct drill_pattern *drill_pattern_find(const char *name);
/* The first tool of the pattern that is not installed, or NULL. */
const char *drill_pattern_missing(const struct drill_pattern *pattern);

/* Process body: attacks all victims with the pattern, goes on where a file resists. Exit status. */
int drill_attack_run(struct drill_attack *attack, const struct drill_pattern *pattern);

/* For patterns: opens the n-th victim's folder. The caller closes ret_victim->dir_fd. */
[[nodiscard]] int drill_victim_open(const struct drill_attack *attack, size_t number,
                                    struct drill_victim *ret_victim);
/* One victim by the pattern's file function, with the counting. */
void drill_attack_file(struct drill_attack *attack, const struct drill_pattern *pattern,
                       size_t number);
/* Marks the moment before a destructive call, and that one file is destroyed. */
void drill_attack_begin(struct drill_attack *attack);
void drill_attack_touched(struct drill_attack *attack);

/* AES-256-CTR from the file's start; the nonce is the victim's number, so that two names of one
 * inode do not undo each other. Bytes in place. */
[[nodiscard]] int drill_cipher_start(struct drill_attack *attack,
                                     const struct drill_victim *victim);
[[nodiscard]] int drill_cipher_apply(struct drill_attack *attack, void *bytes, size_t len);
/* The victim's whole content, enciphered, in a block of the heap. */
[[nodiscard]] int drill_cipher_file(struct drill_attack *attack, const struct drill_victim *victim,
                                    char **ret_bytes, size_t *ret_len);

/* The patterns that are made of others' programs, and the one on io_uring. */
int drill_openssl_unlink(struct drill_attack *attack, const struct drill_victim *victim);
int drill_gpg_shred(struct drill_attack *attack, const struct drill_victim *victim);
int drill_7z_sdel(struct drill_attack *attack, const struct drill_victim *victim);
int drill_zip_rem(struct drill_attack *attack);
int drill_ccencrypt(struct drill_attack *attack);
int drill_tar_gpg_rm(struct drill_attack *attack);
int drill_io_uring(struct drill_attack *attack, const struct drill_victim *victim);

/* The patterns of our own calls. */
int drill_inplace(struct drill_attack *attack, const struct drill_victim *victim);
/* The same on a descriptor that is open for reading and writing; uses only the victim's number. */
int drill_inplace_fd(struct drill_attack *attack, const struct drill_victim *victim, int fd);
int drill_inplace_16(struct drill_attack *attack, const struct drill_victim *victim);
int drill_head_rename(struct drill_attack *attack, const struct drill_victim *victim);
int drill_trunc_rewrite(struct drill_attack *attack, const struct drill_victim *victim);
int drill_rename_over(struct drill_attack *attack, const struct drill_victim *victim);
int drill_exchange_rename(struct drill_attack *attack, const struct drill_victim *victim);
int drill_base64(struct drill_attack *attack, const struct drill_victim *victim);
int drill_mmap(struct drill_attack *attack, const struct drill_victim *victim);
int drill_o_direct(struct drill_attack *attack, const struct drill_victim *victim);
int drill_copy_range(struct drill_attack *attack, const struct drill_victim *victim);
int drill_truncate_path(struct drill_attack *attack, const struct drill_victim *victim);
int drill_slow(struct drill_attack *attack, const struct drill_victim *victim);
int drill_workers(struct drill_attack *attack);
int drill_fork_each(struct drill_attack *attack);
int drill_relay(struct drill_attack *attack);

#endif
