/* Which format a file claims, by its first bytes, and the heads that say "a key is needed".
 * On its way: agent/scan.c → container_inspect → one inspector of
 * container_{archive,media,record}.c. Invariants: no read passes the budget, no offset from the
 * file is used before it is checked. */
#include "codec/container.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "codec/container_part.h"

typedef enum container_state container_inspect_fn(struct container_view *view);

struct container_format {
    enum container_kind kind;
    uint16_t offset;
    struct str magic;
    container_inspect_fn *inspect;
};

static const struct container_format formats[] = {
    {CONTAINER_KIND_ZIP, 0, {"PK\3\4", 4}, container_inspect_zip},
    {CONTAINER_KIND_ZIP, 0, {"PK\5\6", 4}, container_inspect_zip},
    {CONTAINER_KIND_SEVENZIP, 0, {"7z\xbc\xaf\x27\x1c", 6}, container_inspect_sevenzip},
    {CONTAINER_KIND_GZIP, 0, {"\x1f\x8b", 2}, container_inspect_gzip},
    {CONTAINER_KIND_ZLIB, 0, {"\x78\x01", 2}, container_inspect_zlib},
    {CONTAINER_KIND_ZLIB, 0, {"\x78\x5e", 2}, container_inspect_zlib},
    {CONTAINER_KIND_ZLIB, 0, {"\x78\x9c", 2}, container_inspect_zlib},
    {CONTAINER_KIND_ZLIB, 0, {"\x78\xda", 2}, container_inspect_zlib},
    {CONTAINER_KIND_XZ,
     0,
     {"\xfd"
      "7zXZ\0",
      6},
     container_inspect_xz},
    {CONTAINER_KIND_ZSTD, 0, {"\x28\xb5\x2f\xfd", 4}, container_inspect_zstd},
    {CONTAINER_KIND_BZIP2, 0, {"BZh", 3}, container_inspect_bzip2},
    {CONTAINER_KIND_TAR, 257, {"ustar", 5}, container_inspect_tar},
    {CONTAINER_KIND_PNG, 0, {"\x89PNG\r\n\x1a\n", 8}, container_inspect_png},
    {CONTAINER_KIND_JPEG, 0, {"\xff\xd8\xff", 3}, container_inspect_jpeg},
    {CONTAINER_KIND_GIF, 0, {"GIF8", 4}, container_inspect_gif},
    {CONTAINER_KIND_PDF, 0, {"%PDF-", 5}, container_inspect_pdf},
    {CONTAINER_KIND_OLE, 0, {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8}, container_inspect_ole},
    {CONTAINER_KIND_SQLITE, 0, {"SQLite format 3\0", 16}, container_inspect_sqlite},
    {CONTAINER_KIND_ELF,
     0,
     {"\x7f"
      "ELF",
      4},
     container_inspect_elf},
    {CONTAINER_KIND_GIT_PACK, 0, {"PACK", 4}, container_inspect_git_pack},
    {CONTAINER_KIND_GIT_INDEX, 0, {"\377tOc", 4}, container_inspect_git_index},
};

static const char *const kind_names[CONTAINER_KIND_COUNT] = {
    [CONTAINER_KIND_NONE] = "",
    [CONTAINER_KIND_ZIP] = "zip",
    [CONTAINER_KIND_SEVENZIP] = "7z",
    [CONTAINER_KIND_GZIP] = "gzip",
    [CONTAINER_KIND_ZLIB] = "zlib",
    [CONTAINER_KIND_XZ] = "xz",
    [CONTAINER_KIND_ZSTD] = "zstd",
    [CONTAINER_KIND_BZIP2] = "bzip2",
    [CONTAINER_KIND_TAR] = "tar",
    [CONTAINER_KIND_PNG] = "PNG",
    [CONTAINER_KIND_JPEG] = "JPEG",
    [CONTAINER_KIND_GIF] = "GIF",
    [CONTAINER_KIND_PDF] = "PDF",
    [CONTAINER_KIND_OLE] = "OLE",
    [CONTAINER_KIND_SQLITE] = "SQLite",
    [CONTAINER_KIND_ELF] = "ELF",
    [CONTAINER_KIND_GIT_PACK] = "git pack",
    [CONTAINER_KIND_GIT_INDEX] = "git pack index",
    [CONTAINER_KIND_KEYED] = "key container",
};

const char *container_kind_name(enum container_kind kind)
{
    return kind < CONTAINER_KIND_COUNT ? kind_names[kind] : "";
}

size_t container_get_some(struct container_view *view, uint64_t offset, void *out, size_t len)
{
    uint64_t size = view->source->size;
    int64_t got;

    if (offset >= size) {
        return 0;
    }
    if (len > size - offset) {
        len = (size_t)(size - offset);
    }
    if (len == 0 || len > view->budget) {
        return 0;
    }
    got = view->source->read(view->source->context, offset, out, len);
    if (got < 0 || (uint64_t)got > len) {
        return 0;
    }
    view->budget -= (uint64_t)got;
    return (size_t)got;
}

bool container_get(struct container_view *view, uint64_t offset, void *out, size_t len)
{
    return container_get_some(view, offset, out, len) == len;
}

uint16_t container_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t container_le32(const uint8_t *p)
{
    return (uint32_t)container_le16(p) | (uint32_t)container_le16(p + 2) << 16;
}

uint64_t container_le64(const uint8_t *p)
{
    return (uint64_t)container_le32(p) | (uint64_t)container_le32(p + 4) << 32;
}

uint16_t container_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t container_be32(const uint8_t *p)
{
    return (uint32_t)container_be16(p) << 16 | container_be16(p + 2);
}

uint32_t container_crc32(uint32_t crc, const uint8_t *bytes, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1U)));
        }
    }
    return ~crc;
}

int64_t container_read_memory(void *context, uint64_t offset, void *out, size_t len)
{
    const struct str *bytes = context;
    size_t n;

    if (offset >= bytes->len) {
        return 0;
    }
    n = bytes->len - (size_t)offset < len ? bytes->len - (size_t)offset : len;
    memcpy(out, bytes->ptr + offset, n);
    return (int64_t)n;
}

/* One OpenPGP packet header (RFC 9580 4.2): its tag, the length of the header and that of the body,
 * which is UINT64_MAX when it is indeterminate or comes in parts. */
struct openpgp_packet {
    unsigned tag;
    size_t header;
    uint64_t len;
};

static bool openpgp_read_old(struct str s, struct openpgp_packet *ret_packet)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    struct openpgp_packet packet = {.tag = p[0] >> 2 & 15, .header = 1, .len = UINT64_MAX};

    switch (p[0] & 3) {
    case 0:
        packet.header = 2;
        packet.len = p[1];
        break;
    case 1:
        packet.header = 3;
        packet.len = container_be16(p + 1);
        break;
    case 2:
        packet.header = 5;
        packet.len = container_be32(p + 1);
        break;
    default:
        break;
    }
    *ret_packet = packet;
    return packet.header <= s.len;
}

static bool openpgp_read_new(struct str s, struct openpgp_packet *ret_packet)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    struct openpgp_packet packet = {.tag = p[0] & 63, .header = 2, .len = UINT64_MAX};

    if (p[1] < 192) {
        packet.len = p[1];
    } else if (p[1] < 224) {
        packet.header = 3;
        packet.len = ((uint64_t)(p[1] - 192) << 8) + p[2] + 192;
    } else if (p[1] == 255) {
        packet.header = 6;
        packet.len = container_be32(p + 2);
    }
    *ret_packet = packet;
    return packet.header <= s.len;
}

/* A body that goes on past what is seen ends where that ends. */
static bool openpgp_packet(struct str s, unsigned *ret_tag, size_t *ret_body, size_t *ret_end)
{
    struct openpgp_packet packet;
    bool is_read = false;

    if (s.len >= 6 && (s.ptr[0] & 0x80) != 0) {
        is_read =
            (s.ptr[0] & 0x40) == 0 ? openpgp_read_old(s, &packet) : openpgp_read_new(s, &packet);
    }
    if (!is_read) {
        return false;
    }
    *ret_tag = packet.tag;
    *ret_body = packet.header;
    *ret_end = packet.len > s.len - packet.header ? s.len : packet.header + (size_t)packet.len;
    return true;
}

static bool openpgp_is_session_key(unsigned tag, struct str body)
{
    const uint8_t *p = (const uint8_t *)body.ptr;

    if (tag == 1 && body.len >= 12 &&
        p[0] == 3) { /* public-key encrypted, by version and algorithm */
        return (p[9] >= 1 && p[9] <= 3) || (p[9] >= 16 && p[9] <= 27);
    }
    if (tag == 1 && body.len >= 12 && p[0] == 6) {
        return p[1] <= 33;
    }
    if (tag == 3 && body.len >= 4 &&
        (p[0] == 4 || p[0] == 5)) { /* password: cipher, then how to derive */
        unsigned s2k = p[0] == 4 ? p[2] : p[3];

        return p[1] >= 1 && p[1] <= 13 && (s2k <= 4 && s2k != 2);
    }
    return tag == 3 && body.len >= 8 && p[0] == 6 && p[1] <= 64;
}

static bool openpgp_is_encrypted(struct str head)
{
    bool has_key = false;

    for (int i = 0; i < 16 && head.len != 0; i++) {
        unsigned tag;
        size_t body;
        size_t end;
        struct str inside;

        if (!openpgp_packet(head, &tag, &body, &end)) {
            return false;
        }
        inside = str_slice(head, body, end);
        if (tag == 18 || tag == 20) { /* encrypted data with integrity; its version stands first */
            return inside.len >= 20 &&
                   (inside.ptr[0] == 1 || (inside.ptr[0] == 2 && inside.ptr[1] <= 13));
        }
        if (tag == 9) {
            return has_key;
        }
        if (!openpgp_is_session_key(tag, inside)) {
            return false;
        }
        has_key = true;
        head = str_slice(head, end, head.len);
    }
    return has_key;
}

static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

/* The armoured body behind the blank line, as far as it goes; then the same check as for binary. */
static bool openpgp_is_encrypted_armour(struct str head)
{
    uint8_t bytes[1024];
    size_t len = 0;
    uint32_t group = 0;
    unsigned digits = 0;
    size_t at = str_find(head, STR("\n\n"));
    size_t crlf = str_find(head, STR("\r\n\r\n"));

    at = crlf < at ? crlf + 4 : at + 2;
    for (; at < head.len && len + 3 <= sizeof(bytes); at++) {
        int value = base64_value(head.ptr[at]);

        if (head.ptr[at] == '\n' || head.ptr[at] == '\r') {
            continue;
        }
        if (value < 0) {
            break;
        }
        group = group << 6 | (uint32_t)value;
        if (++digits == 4) {
            bytes[len++] = (uint8_t)(group >> 16);
            bytes[len++] = (uint8_t)(group >> 8);
            bytes[len++] = (uint8_t)group;
            group = 0;
            digits = 0;
        }
    }
    return openpgp_is_encrypted(str_of((const char *)bytes, len));
}

static bool container_is_keyed_head(struct str head)
{
    static const struct str magics[] = {
        {"Salted__", 8},         {"U2FsdGVkX1", 10},
        {"LUKS\xba\xbe", 6},     {"age-encryption.org/v1\n", 22},
        {"$ANSIBLE_VAULT;", 15}, {"-----BEGIN AGE ENCRYPTED FILE-----", 34},
    };

    for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
        if (str_has_prefix(head, magics[i])) {
            return true;
        }
    }
    if (str_has_prefix(head, STR("-----BEGIN PGP MESSAGE-----"))) {
        return openpgp_is_encrypted_armour(head);
    }
    return openpgp_is_encrypted(head);
}

bool container_is_encrypted_head(struct str head)
{
    return container_is_keyed_head(head) || container_is_encrypted_zip_head(head);
}

static bool container_has_magic(struct str head, const struct container_format *format)
{
    return str_is(str_slice(head, format->offset, format->offset + format->magic.len),
                  format->magic);
}

void container_inspect(const struct container_source *source, struct container_report *ret_report)
{
    char head[CONTAINER_HEAD_MAX];
    struct container_view view = {.source = source, .budget = CONTAINER_READ_MAX};

    *ret_report = (struct container_report){0};
    view.head = str_of(head, container_get_some(&view, 0, head, sizeof(head)));
    if (container_is_keyed_head(view.head)) {
        *ret_report = (struct container_report){CONTAINER_KIND_KEYED, CONTAINER_STATE_ENCRYPTED};
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        enum container_state state = CONTAINER_STATE_NONE;

        if (container_has_magic(view.head, &formats[i])) {
            state = formats[i].inspect(&view);
        }
        if (state != CONTAINER_STATE_NONE) { /* a short magic also begins what is no such file */
            *ret_report = (struct container_report){formats[i].kind, state};
            return;
        }
    }
}
