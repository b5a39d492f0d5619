/* What the vault's tests share: a scratch folder (and file systems of its own in it), a tree of
 * files of every sort, a staged attack on them that only touches that tree, and the manifest that
 * tells whether all came back. */
#ifndef TESTS_VAULT_FIXTURE_H
#define TESTS_VAULT_FIXTURE_H

#include "store/vault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_SIZE 512

struct scratch {
    char root[64];        /* made by scratch_make; holds a marker */
    char data[PATH_SIZE]; /* the tree under attack */
    char vault[PATH_SIZE];
    char mount[PATH_SIZE]; /* "" when nothing is mounted */
};

/* kind: NULL for /tmp's file system, memory for /dev/shm, else ext4, xfs or btrfs on a loop mount.
 * False when that cannot be had here (not root, no loop device, no mkfs): the test is then skipped.
 */
bool scratch_make(struct scratch *scratch, const char *kind, bool is_vault_inside);
bool scratch_make_sized(struct scratch *scratch, const char *kind, bool is_vault_inside,
                        size_t bytes);
void scratch_remove(struct scratch *scratch);

struct vault *scratch_open(const struct scratch *scratch, uint64_t bytes);

/* Files of the tree: count of plain ones, beside the special ones. */
void tree_make(const struct scratch *scratch, size_t count, size_t size);
/* Files of the same size, named 0, 1, 2 …, for measurements; and their damage in place. */
void tree_make_plain(const struct scratch *scratch, size_t count, size_t size);
void tree_scramble_plain(const struct scratch *scratch, size_t count, size_t size);
/* Everything a user would notice about the tree, as sorted text; free() it. */
char *tree_manifest(const struct scratch *scratch);

/* Saves each victim as the gate would, damages it by one of many patterns in turn, adds it to the
 * case. */
void tree_attack(const struct scratch *scratch, struct vault *vault, const struct id *finding);

/* Adds a folder, as it is now, to the case. */
void add_folder(struct vault *vault, const struct id *finding, const char *path);
/* A progress function that counts calls in a size_t and prints failures. */
void explain(void *context, const struct vault_damage *damage, int result);
/* Writes a file of one repeated byte into the tree; path has room for PATH_SIZE + 64. */
void put_file(char *path, const struct scratch *scratch, const char *name, int byte, size_t size);
/* vault_save by path. */
int save_path(struct vault *vault, const char *path, enum vault_kind kind, uint64_t *ret_id);
/* Tends until idle. */
void tend_all(struct vault *vault);
/* As a process that opens the vault anew sees it. */
uint64_t count_versions(const struct scratch *scratch, uint64_t *ret_damaged);

void run_command(const char *const *words, bool must_work);
int try_command(const char *const *words);

#endif
