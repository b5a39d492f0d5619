/* What a file is by its own structure: archives, pictures, documents, databases, and containers
 * that need a key. It answers one question for the ransom judge: can this be read without a key, is
 * it damaged, or is it encrypted? Only structure is checked; what needs a decompressor is left to
 * the scanner (PACKED). Pure: bytes come through a port. Every size and offset in the file is
 * distrusted; work is bounded by CONTAINER_READ_MAX bytes. A fuzz target runs all of it. Sources:
 * APPNOTE.TXT 6.3.10 (zip), 7zFormat.txt, RFC 1950 (zlib), RFC 1952 (gzip), xz-file-format 1.1, RFC
 * 8878 (zstd), POSIX pax (tar), RFC 9580 (OpenPGP), W3C PNG, ITU T.81 (JPEG), GIF89a, ISO 32000
 * (PDF), MS-CFB (OLE), sqlite.org/fileformat2, System V gABI (ELF), gitformat-pack. */
#ifndef CODEC_CONTAINER_H
#define CODEC_CONTAINER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTAINER_READ_MAX (8U << 20)

/* Random access to the bytes. read returns how many it gave (fewer only at the end) or a negative
 * error. */
struct container_source {
    int64_t (*read)(void *context, uint64_t offset, void *out, size_t len);
    void *context;
    uint64_t size;
};

enum container_state {
    CONTAINER_STATE_NONE,      /* no format of ours */
    CONTAINER_STATE_SOUND,     /* its structure holds all through */
    CONTAINER_STATE_SHALLOW,   /* its head is right; the rest cannot be checked */
    CONTAINER_STATE_PACKED,    /* its head is right; decompressing must show the rest */
    CONTAINER_STATE_DAMAGED,   /* begins like the format, but does not hold */
    CONTAINER_STATE_ENCRYPTED, /* needs a key */
    CONTAINER_STATE_COUNT,
};

enum container_kind {
    CONTAINER_KIND_NONE,
    CONTAINER_KIND_ZIP,
    CONTAINER_KIND_SEVENZIP,
    CONTAINER_KIND_GZIP,
    CONTAINER_KIND_ZLIB, /* a bare stream: git's loose objects */
    CONTAINER_KIND_XZ,
    CONTAINER_KIND_ZSTD,
    CONTAINER_KIND_BZIP2,
    CONTAINER_KIND_TAR,
    CONTAINER_KIND_PNG,
    CONTAINER_KIND_JPEG,
    CONTAINER_KIND_GIF,
    CONTAINER_KIND_PDF,
    CONTAINER_KIND_OLE,
    CONTAINER_KIND_SQLITE,
    CONTAINER_KIND_ELF,
    CONTAINER_KIND_GIT_PACK,
    CONTAINER_KIND_GIT_INDEX,
    CONTAINER_KIND_KEYED, /* OpenPGP, openssl enc, age, LUKS, Ansible vault */
    CONTAINER_KIND_COUNT,
};

const char *container_kind_name(enum container_kind kind);

struct container_report {
    enum container_kind kind;
    enum container_state state;
};

/* Never fails: what cannot be read is DAMAGED or NONE. */
void container_inspect(const struct container_source *source, struct container_report *ret_report);

/* Containers that need a key and say so in their first bytes: OpenPGP messages (binary or armoured)
 * that carry encrypted data, openssl enc (binary or base64), age, LUKS, Ansible vault, and zip
 * archives whose first content is encrypted. */
bool container_is_encrypted_head(struct str head);

/* A source over bytes in memory; context must point to a struct str. */
int64_t container_read_memory(void *context, uint64_t offset, void *out, size_t len);

#endif
