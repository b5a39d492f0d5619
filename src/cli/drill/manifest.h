/* What the files of a drill were before the attack, down to the last attribute, and how many still
 * are. */
#ifndef CLI_DRILL_MANIFEST_H
#define CLI_DRILL_MANIFEST_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drill_entry {
    const char *path; /* below the scratch folder */
    bool is_folder;
    bool is_sparse; /* has holes, and must have some again */
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t links;
    uint64_t size;
    uint64_t ino;
    int64_t mtime; /* ns; not of folders */
    size_t leader; /* index of the first entry with the same inode: itself when there is none */
    uint8_t sha256[32]; /* of the content, zero for folders */
    uint8_t xattrs[32]; /* over all names and values, sorted; ACLs are among them */
};

struct drill_manifest {
    struct drill_entry *entries;
    size_t count;
    size_t room;
    size_t file_count; /* without folders */
};

/* Room for `room` entries, all in the arena. */
[[nodiscard]] int drill_manifest_init(struct drill_manifest *manifest, struct arena *arena,
                                      size_t room);
/* Adds a file (sha256 of what was written) or a folder (NULL). -ERR_LIMIT. */
[[nodiscard]] int drill_manifest_add(struct drill_manifest *manifest, struct arena *arena,
                                     const char *path, const uint8_t sha256[32]);
/* Reads the attributes of all entries, opening none of them for reading. */
[[nodiscard]] int drill_manifest_stat(struct drill_manifest *manifest, int root_fd);
/* Compares what is on disk with the manifest. is_same (count flags): entries already true are not
 * looked at again; pass all false for a full check. Returns how many differ. */
size_t drill_manifest_check(const struct drill_manifest *manifest, int root_fd, bool *is_same);
/* One JSON object a line: path folder size mode uid gid mtime links leader sparse sha256
 * xattrs (digest over `name=length:value` of each, sorted by name; user.* and ACLs). */
[[nodiscard]] int drill_manifest_save(const struct drill_manifest *manifest, const char *path);

void drill_sha256(const void *bytes, size_t len, uint8_t out[32]);

#endif
