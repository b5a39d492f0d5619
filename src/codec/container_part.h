/* Shared inside the container codec: bounded reading, numbers, and one inspector a format. */
#ifndef CODEC_CONTAINER_PART_H
#define CODEC_CONTAINER_PART_H

#include "codec/container.h"

#define CONTAINER_HEAD_MAX 4096

struct container_view {
    const struct container_source *source;
    struct str head; /* the first CONTAINER_HEAD_MAX bytes, fewer in a smaller file */
    uint64_t budget; /* bytes that may still be read */
};

/* Exactly len bytes at offset; false past the end, past the budget or on an error. */
bool container_get(struct container_view *view, uint64_t offset, void *out, size_t len);
/* Up to len bytes at offset; how many came. */
size_t container_get_some(struct container_view *view, uint64_t offset, void *out, size_t len);

uint16_t container_le16(const uint8_t *p);
uint32_t container_le32(const uint8_t *p);
uint64_t container_le64(const uint8_t *p);
uint16_t container_be16(const uint8_t *p);
uint32_t container_be32(const uint8_t *p);
/* CRC-32 of IEEE 802.3, as zip, 7z, xz and PNG use it; start with 0 and feed piecewise. */
uint32_t container_crc32(uint32_t crc, const uint8_t *bytes, size_t len);

/* Whether the first entry that holds anything is encrypted: folders and empty files come before. */
bool container_is_encrypted_zip_head(struct str head);
enum container_state container_inspect_zip(struct container_view *view);
enum container_state container_inspect_sevenzip(struct container_view *view);
enum container_state container_inspect_gzip(struct container_view *view);
enum container_state container_inspect_zlib(struct container_view *view);
enum container_state container_inspect_xz(struct container_view *view);
enum container_state container_inspect_zstd(struct container_view *view);
enum container_state container_inspect_bzip2(struct container_view *view);
enum container_state container_inspect_tar(struct container_view *view);
enum container_state container_inspect_png(struct container_view *view);
enum container_state container_inspect_jpeg(struct container_view *view);
enum container_state container_inspect_gif(struct container_view *view);
enum container_state container_inspect_pdf(struct container_view *view);
enum container_state container_inspect_ole(struct container_view *view);
enum container_state container_inspect_sqlite(struct container_view *view);
enum container_state container_inspect_elf(struct container_view *view);
enum container_state container_inspect_git_pack(struct container_view *view);
enum container_state container_inspect_git_index(struct container_view *view);

#endif
