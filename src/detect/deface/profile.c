/* Making, asking and freeing. Encoded in profile_code.c, taught in learn.c, compared in diff.c. */
#include "detect/deface/profile.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"

#include <endian.h>

#define TEXT_PIECE 512

static int key_new(uint64_t *ret_key)
{
    struct id id;
    int r = id_new(&id);

    if (r == 0) {
        memcpy(ret_key, id.bytes, sizeof(*ret_key));
    }
    return r;
}

int deface_profile_new(struct deface_profile **ret_profile)
{
    struct deface_profile *profile = mem_alloc(1, sizeof(*profile));
    int r = profile != NULL ? key_new(&profile->key) : -ERR_NOMEM;

    if (r < 0) {
        mem_free(profile);
        return r;
    }
    *ret_profile = profile;
    return 0;
}

void deface_profile_free(struct deface_profile *profile)
{
    for (unsigned i = 0; profile != NULL && i < SITE_VIEW_COUNT; i++) {
        if (profile->views[i] != NULL) {
            items_done(&profile->views[i]->texts);
            items_done(&profile->views[i]->links);
            items_done(&profile->views[i]->titles);
            mem_free(profile->views[i]);
        }
    }
    mem_free(profile);
}

int deface_site_new(struct deface_site **ret_site)
{
    struct deface_site *site = mem_alloc(1, sizeof(*site));
    int r = site != NULL ? key_new(&site->key) : -ERR_NOMEM;

    if (r < 0) {
        mem_free(site);
        return r;
    }
    items_init(&site->domains, SITE_DOMAINS_MAX);
    items_init(&site->parts, SITE_PARTS_MAX);
    items_init(&site->titles, SITE_TITLES_MAX);
    *ret_site = site;
    return 0;
}

void deface_site_free(struct deface_site *site)
{
    if (site != NULL) {
        items_done(&site->domains);
        items_done(&site->parts);
        items_done(&site->titles);
        mem_free(site);
    }
}

const struct profile_view *profile_view_of(const struct deface_profile *profile,
                                           enum site_view view)
{
    return profile != NULL ? profile->views[view] : NULL;
}

int profile_view_make(struct deface_profile *profile, enum site_view view,
                      struct profile_view **ret_view)
{
    struct profile_view *made = profile->views[view];

    if (made == NULL) {
        made = mem_alloc(1, sizeof(*made));
        if (made == NULL) {
            return -ERR_NOMEM;
        }
        items_init(&made->texts, PROFILE_TEXTS_MAX);
        items_init(&made->links, PROFILE_LINKS_MAX);
        items_init(&made->titles, PROFILE_TITLES_MAX);
        profile->views[view] = made;
    }
    *ret_view = made;
    return 0;
}

enum site_role site_role_of(enum page_link_kind kind)
{
    static const enum site_role roles[PAGE_LINK_COUNT] = {
        [PAGE_LINK_ANCHOR] = SITE_ROLE_ANCHOR,   [PAGE_LINK_SCRIPT] = SITE_ROLE_SCRIPT,
        [PAGE_LINK_FRAME] = SITE_ROLE_FRAME,     [PAGE_LINK_FORM] = SITE_ROLE_FORM,
        [PAGE_LINK_REFRESH] = SITE_ROLE_REFRESH, [PAGE_LINK_STYLE] = SITE_ROLE_OTHER,
        [PAGE_LINK_IMAGE] = SITE_ROLE_OTHER,     [PAGE_LINK_CANONICAL] = SITE_ROLE_OTHER,
        [PAGE_LINK_MEDIA] = SITE_ROLE_OTHER,     [PAGE_LINK_BASE] = SITE_ROLE_SCRIPT,
    };

    return roles[kind];
}

static uint32_t hash_fold(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

static bool byte_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

#define BYTES(byte) ((byte) * 0x0101010101010101U)

/* How many of the first eight bytes come before a digit. */
static size_t digitless_front(const char *bytes)
{
    uint64_t word;
    uint64_t digits;

    memcpy(&word, bytes, sizeof(word));
    word = le64toh(word) ^ BYTES('0');
    digits = ~(((word & BYTES(0x7f)) + BYTES(0x80 - 10)) | word) & BYTES(0x80);
    return digits != 0 ? (size_t)__builtin_ctzll(digits) / 8 : 8;
}

static bool text_has_digit(struct str text)
{
    size_t at = 0;

    while (text.len - at >= 8 && digitless_front(text.ptr + at) == 8) {
        at += 8;
    }
    while (at < text.len && !byte_is_digit(text.ptr[at])) {
        at++;
    }
    return at < text.len;
}

static void hash_all(struct str piece, uint64_t *keys, size_t key_count)
{
    for (size_t i = 0; i < key_count; i++) {
        keys[i] = map_hash(piece, keys[i]);
    }
}

/* Each key becomes its hash of the text, piece by piece. */
static void hash_whole(struct str text, uint64_t *keys, size_t key_count)
{
    for (; text.len >= TEXT_PIECE; text = str_slice(text, TEXT_PIECE, text.len)) {
        hash_all(str_slice(text, 0, TEXT_PIECE), keys, key_count);
    }
    hash_all(text, keys, key_count);
}

/* The same of what is left when runs of digits count as one zero: dates, counters and numbered
 * files are the same thing again. */
static void hash_digitless(struct str text, uint64_t *keys, size_t key_count)
{
    char piece[TEXT_PIECE];
    size_t len = 0;

    if (!text_has_digit(text)) {
        hash_whole(text, keys, key_count);
        return;
    }

    for (size_t i = 0; i < text.len; i++) {
        bool is_digit;
        size_t front = 8;

        while (front == 8 && text.len - i > 8 && len + 8 < sizeof(piece)) {
            front = digitless_front(text.ptr + i);
            memcpy(piece + len, text.ptr + i, 8);
            len += front;
            i += front;
        }
        is_digit = byte_is_digit(text.ptr[i]);
        if (is_digit && i != 0 && byte_is_digit(text.ptr[i - 1])) {
            continue;
        }
        piece[len++] = is_digit ? '0' : text.ptr[i];
        if (len == sizeof(piece)) {
            hash_all(str_of(piece, len), keys, key_count);
            len = 0;
        }
    }
    hash_all(str_of(piece, len), keys, key_count);
}

uint32_t profile_hash_text(uint64_t key, struct str text)
{
    hash_digitless(text, &key, 1);
    return hash_fold(key);
}

/* Query and fragment carry versions and sessions. */
void profile_hash_link(const uint64_t keys[2], const struct page_link *link, uint32_t ret_hashes[2])
{
    uint64_t hashes[2] = {keys[0] + 1 + link->kind, keys[1] + 1 + link->kind};
    size_t end = str_find_byte(link->url, '?');
    size_t mark = str_find_byte(link->url, '#');

    hash_digitless(str_slice(link->url, 0, mark < end ? mark : end), hashes, 2);
    for (unsigned i = 0; i < 2; i++) {
        ret_hashes[i] = hash_fold(hashes[i]) << PROFILE_KIND_BITS | link->kind;
    }
}

uint32_t profile_hash_script(uint64_t key, const struct page_script *script)
{
    return hash_fold(map_hash(MAP_KEY(script->hash), key)) << PROFILE_KIND_BITS | PAGE_LINK_COUNT;
}

uint32_t site_hash_domain(uint64_t key, struct str domain, enum site_role role)
{
    return hash_fold(map_hash(domain, key + role));
}

static int size_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

uint32_t profile_view_words(const struct profile_view *view)
{
    uint32_t sizes[PROFILE_SIZES_MAX];
    size_t count = view->looks < PROFILE_SIZES_MAX ? view->looks : PROFILE_SIZES_MAX;

    if (count == 0) {
        return 0;
    }
    memcpy(sizes, view->sizes, sizeof(sizes));
    qsort(sizes, count, sizeof(sizes[0]), size_compare);
    return sizes[count / 2];
}

unsigned profile_view_distance(const struct profile_view *view, uint64_t simhash)
{
    unsigned nearest = 64;

    for (size_t i = 0; i < view->cluster_count; i++) {
        unsigned bits = (unsigned)__builtin_popcountll(view->clusters[i].simhash ^ simhash);

        nearest = bits < nearest ? bits : nearest;
    }
    return nearest;
}

bool site_has_domain(const struct deface_site *site, struct str domain, enum site_role role)
{
    return site != NULL &&
           items_find(&site->domains, site_hash_domain(site->key, domain, role)) != NULL;
}

bool site_knows_domain(const struct deface_site *site, struct str domain)
{
    for (unsigned role = 0; role < SITE_ROLE_COUNT; role++) {
        if (site_has_domain(site, domain, role)) {
            return true;
        }
    }
    return false;
}
