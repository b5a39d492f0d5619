/* Counting: textures of byte histograms, text, and the difference between a file and its saved
 * original. On its way: sensor's look → content_change_add → content_change_signs → verdict.c.
 * Invariants: never reads past what it was given; a window of any size and content is counted in
 * one pass. */
#include "detect/ransom/content.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "codec/container.h"

#define RANDOM_LEN_MIN 512
#define SPREAD_LEN_MIN 32
/* Chi-square at 255 degrees of freedom that uniform bytes pass with p .001. */
#define RANDOM_CHI_MAX 330.5
/* Changed bytes cannot be told perfectly from unchanged ones at the edges of a run, so that a
 * little of the original shows through: this much more per byte. */
#define RANDOM_CHI_SLACK  5e-5
#define CODED_SYMBOLS_MIN 14
#define BLOCK             16
#define BYTES_OF(value)   ((uint64_t)(value) * 0x0101010101010101U)
#define LANES_LEN_MIN     1024 /* below, four histograms cost more than they save */

static const char *const format_names[CONTENT_FORMAT_COUNT] = {
    [CONTENT_FORMAT_UNASKED] = "unasked",     [CONTENT_FORMAT_UNKNOWN] = "unknown",
    [CONTENT_FORMAT_PLAIN] = "plain",         [CONTENT_FORMAT_DAMAGED] = "damaged",
    [CONTENT_FORMAT_ENCRYPTED] = "encrypted", [CONTENT_FORMAT_TEXT] = "text",
    [CONTENT_FORMAT_KNOWN] = "known",
};

static const char *const texture_names[CONTENT_TEXTURE_COUNT] = {
    [CONTENT_TEXTURE_NONE] = "none",     [CONTENT_TEXTURE_ORDINARY] = "ordinary",
    [CONTENT_TEXTURE_RANDOM] = "random", [CONTENT_TEXTURE_SPREAD] = "spread",
    [CONTENT_TEXTURE_CODED] = "coded",   [CONTENT_TEXTURE_CONSTANT] = "constant",
};

const char *content_format_name(enum content_format format)
{
    return format < CONTENT_FORMAT_COUNT ? format_names[format] : "unasked";
}

const char *content_texture_name(enum content_texture texture)
{
    return texture < CONTENT_TEXTURE_COUNT ? texture_names[texture] : "none";
}

/* Four lanes, so that a run of one value does not wait for its own store. */
static void content_count_long(struct content_stats *stats, struct str bytes)
{
    uint32_t lanes[4][256] = {0};
    size_t at = 0;

    for (; bytes.len - at >= 4 && at < UINT32_MAX; at += 4) {
        lanes[0][(unsigned char)bytes.ptr[at]]++;
        lanes[1][(unsigned char)bytes.ptr[at + 1]]++;
        lanes[2][(unsigned char)bytes.ptr[at + 2]]++;
        lanes[3][(unsigned char)bytes.ptr[at + 3]]++;
    }
    for (; at < bytes.len; at++) {
        stats->histogram[(unsigned char)bytes.ptr[at]]++;
    }
    for (unsigned i = 0; i < 256; i++) {
        stats->histogram[i] += (uint64_t)lanes[0][i] + lanes[1][i] + lanes[2][i] + lanes[3][i];
    }
}

void content_count(struct content_stats *stats, struct str bytes)
{
    if (bytes.len >= LANES_LEN_MIN) {
        content_count_long(stats, bytes);
    } else {
        for (size_t i = 0; i < bytes.len; i++) {
            stats->histogram[(unsigned char)bytes.ptr[i]]++;
        }
    }
    stats->len += bytes.len;
}

static void content_add_stats(struct content_stats *stats, const struct content_stats *more)
{
    for (unsigned i = 0; i < 256; i++) {
        stats->histogram[i] += more->histogram[i];
    }
    stats->len += more->len;
}

/* Pearson's statistic of the values that `skip` does not name, against evenness over `symbols` of
 * them. */
static double content_unevenness(const struct content_stats *stats, uint64_t len, unsigned symbols,
                                 const bool skip[256])
{
    double expected = (double)len / symbols;
    double sum = 0;

    if (len == 0 || symbols == 0) {
        return 0;
    }
    for (unsigned i = 0; i < 256; i++) {
        double off = (double)stats->histogram[i] - expected;

        sum += skip[i] ? 0 : off * off;
    }
    return sum / expected;
}

double content_chi_square(const struct content_stats *stats)
{
    static const bool skip_none[256];

    return content_unevenness(stats, stats->len, 256, skip_none);
}

bool content_is_random(const struct content_stats *stats)
{
    return stats->len >= RANDOM_LEN_MIN &&
           content_chi_square(stats) < RANDOM_CHI_MAX + RANDOM_CHI_SLACK * (double)stats->len;
}

/* Pairs of equal bytes: uniform bytes have len·(len-1)/512 of them, text ten times as many. Four
 * standard deviations are allowed. */
static bool content_is_spread(const struct content_stats *stats)
{
    double expected = (double)stats->len * (double)(stats->len - 1) / 512;
    double pairs = 0;
    double over;

    if (stats->len < SPREAD_LEN_MIN || stats->len >= RANDOM_LEN_MIN) {
        return false;
    }
    for (unsigned i = 0; i < 256; i++) {
        pairs += (double)stats->histogram[i] * ((double)stats->histogram[i] - 1) / 2;
    }
    over = pairs - expected;
    return over <= 0 || over * over <= 16 * expected;
}

static unsigned content_commonest(const struct content_stats *stats)
{
    unsigned best = 0;

    for (unsigned i = 1; i < 256; i++) {
        if (stats->histogram[i] > stats->histogram[best]) {
            best = i;
        }
    }
    return best;
}

/* Evenness over just those values that occur, white space, '=' and one filler value aside. */
static bool content_is_coded_without(const struct content_stats *stats, unsigned filler)
{
    bool skip[256] = {['\n'] = true, ['\r'] = true, ['='] = true};
    uint64_t len = 0;
    unsigned symbols = 0;
    double freedom;
    double over;

    if (stats->len < RANDOM_LEN_MIN) {
        return false;
    }
    if (filler < 256) {
        skip[filler] = true;
    }
    for (unsigned i = 0; i < 256; i++) {
        skip[i] = skip[i] || stats->histogram[i] == 0;
        if (!skip[i]) {
            len += stats->histogram[i];
            symbols++;
        }
    }
    if (len < RANDOM_LEN_MIN || symbols < CODED_SYMBOLS_MIN || len < (uint64_t)symbols * 4) {
        return false;
    }
    freedom = symbols - 1;
    over = content_unevenness(stats, len, symbols, skip) - freedom - RANDOM_CHI_SLACK * (double)len;
    return over <= 0 || over * over <= 12 * 2 * freedom; /* 3.5 standard deviations */
}

static bool content_is_coded(const struct content_stats *stats)
{
    unsigned filler = content_commonest(stats);

    return content_is_coded_without(stats, 256) ||
           (stats->histogram[filler] * 8 >= stats->len && content_is_coded_without(stats, filler));
}

enum content_texture content_texture(const struct content_stats *stats)
{
    if (stats->len == 0) {
        return CONTENT_TEXTURE_NONE;
    }
    if (stats->histogram[content_commonest(stats)] * 200 >= stats->len * 199) {
        return CONTENT_TEXTURE_CONSTANT;
    }
    if (content_is_random(stats)) {
        return CONTENT_TEXTURE_RANDOM;
    }
    if (content_is_spread(stats)) {
        return CONTENT_TEXTURE_SPREAD;
    }
    return content_is_coded(stats) ? CONTENT_TEXTURE_CODED : CONTENT_TEXTURE_ORDINARY;
}

/* Bytes at the front that continue a character whose beginning was cut off. */
static size_t content_cut_front(struct str bytes)
{
    size_t n = 0;

    while (n < 3 && n < bytes.len && ((unsigned char)bytes.ptr[n] & 0xc0) == 0x80) {
        n++;
    }
    return n;
}

/* Whether what is not well formed is only a character cut off at the end. */
static bool content_is_cut_end(struct str tail)
{
    unsigned char lead = tail.len != 0 ? (unsigned char)tail.ptr[0] : 0;

    if (tail.len == 0) {
        return true;
    }
    if (tail.len > 3 || lead < 0xc2 || lead > 0xf4) {
        return false;
    }
    for (size_t i = 1; i < tail.len; i++) {
        if (((unsigned char)tail.ptr[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

static bool content_is_control(unsigned char c)
{
    return (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b) || c == 0x7f;
}

/* Whether one of eight bytes is below 0x20 or is 0x7f. */
static bool content_may_have_control(uint64_t word)
{
    uint64_t low = (word - BYTES_OF(0x20)) & ~word;
    uint64_t other = word ^ BYTES_OF(0x7f);
    uint64_t is_delete = (other - BYTES_OF(0x01)) & ~other;

    return ((low | is_delete) & BYTES_OF(0x80)) != 0;
}

static size_t content_controls(struct str bytes)
{
    size_t controls = 0;
    size_t at = 0;
    uint64_t word;

    while (at < bytes.len) {
        size_t end = bytes.len - at < sizeof(word) ? bytes.len : at + sizeof(word);

        if (end - at == sizeof(word)) {
            memcpy(&word, bytes.ptr + at, sizeof(word));
            at = content_may_have_control(word) ? at : end;
        }
        for (; at < end; at++) {
            controls += content_is_control((unsigned char)bytes.ptr[at]);
        }
    }
    return controls;
}

bool content_is_text(struct str bytes)
{
    struct str body = str_slice(bytes, content_cut_front(bytes), bytes.len);

    return body.len != 0 && memchr(body.ptr, 0, body.len) == NULL &&
           content_is_cut_end(str_slice(body, utf8_valid_prefix(body), body.len)) &&
           content_controls(body) * 100 <= body.len;
}

bool content_has_encrypted_magic(struct str head)
{
    return container_is_encrypted_head(head);
}

bool content_is_note_name(struct str file_name)
{
    /* Each row: words that must all stand in the folded name. */
    static const char *const rows[][2] = {
        {"decrypt", ""},     {"ransom", ""},     {"restore", "file"}, {"recover", "file"},
        {"recover", "data"}, {"how_to", "back"}, {"files", "locked"}, {"encrypted", "read"},
        {"giai_ma", ""},     {"giai ma", ""},    {"tien_chuoc", ""},  {"tien chuoc", ""},
        {"khoi_phuc", ""},   {"khoi phuc", ""},  {"bi_ma_hoa", ""},   {"bi ma hoa", ""},
        {"readme", "lock"},  {"your", "files"},
    };
    char folded[256];
    size_t len = utf8_fold(file_name, folded, sizeof(folded));
    struct str name = str_of(folded, len < sizeof(folded) ? len : sizeof(folded) - 1);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_find(name, str_from(rows[i][0])) != name.len &&
            (rows[i][1][0] == '\0' || str_find(name, str_from(rows[i][1])) != name.len)) {
            return true;
        }
    }
    return false;
}

void content_change_init(struct content_change *change, uint64_t size_before, uint64_t size_after)
{
    *change = (struct content_change){.size_before = size_before, .size_after = size_after};
}

static void content_add_byte(struct content_stats *stats, char byte)
{
    stats->histogram[(unsigned char)byte]++;
    stats->len++;
}

/* One block of up to 16 bytes in which something differs. A place where cipher and clear text
 * happen to agree counts as changed inside a run of changes: leaving it out would thin the
 * commonest bytes of the original and spoil the evenness that is looked for. */
static void content_add_block(struct content_change *change, const char *before, const char *after,
                              size_t len)
{
    unsigned differ = 0;
    size_t from = len;
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        if (before[i] != after[i]) {
            differ++;
            from = from < i ? from : i;
            to = i + 1;
        }
    }
    change->equal += len - differ;
    if (differ + 3 >= len) {
        from = 0;
        to = len;
    }
    for (size_t i = from; i < to; i++) {
        bool is_gap = before[i] == after[i] && i + 2 < to && before[i + 1] == after[i + 1] &&
                      before[i + 2] == after[i + 2];

        if (is_gap && differ + 3 < len) {
            while (before[i + 1] == after[i + 1]) {
                i++;
            }
            continue;
        }
        content_add_byte(&change->changed, after[i]);
    }
}

void content_change_add(struct content_change *change, struct str before, struct str after,
                        bool is_head)
{
    size_t both = before.len < after.len ? before.len : after.len;
    struct content_stats window = {0};

    content_count(&change->before, before);
    content_count(&window, after);
    content_add_stats(&change->after, &window);
    change->compared += both;
    for (size_t at = 0; at < both; at += BLOCK) {
        size_t len = both - at < BLOCK ? both - at : BLOCK;

        if (memcmp(before.ptr + at, after.ptr + at, len) == 0) {
            change->equal += len;
        } else {
            content_add_block(change, before.ptr + at, after.ptr + at, len);
        }
    }
    if (both == 0) { /* all of it is new */
        content_add_stats(&change->changed, &window);
    } else {
        content_count(&change->changed, str_slice(after, both, after.len));
    }
    if (is_head) {
        change->was_text = content_is_text(before);
        change->is_text = content_is_text(after);
        change->is_after_encrypted_magic = content_has_encrypted_magic(after);
        return;
    }
    change->was_text = change->was_text && (before.len == 0 || content_is_text(before));
    change->is_text = change->is_text && (after.len == 0 || content_is_text(after));
}

void content_change_signs(const struct content_change *change, struct content_signs *ret_signs)
{
    enum content_texture after = content_texture(&change->after);

    *ret_signs = (struct content_signs){
        .before = content_texture(&change->before),
        /* with nothing to compare all of it has changed: the same bytes were counted */
        .changed = change->compared == 0 ? after : content_texture(&change->changed),
        .after = after,
        .changed_len = change->changed.len,
        .compared = change->compared,
        .equal = change->equal,
        .size_before = change->size_before,
        .size_after = change->size_after,
        .was_text = change->was_text,
        .is_text = change->is_text,
        .is_after_encrypted_magic = change->is_after_encrypted_magic,
    };
}

bool content_needs_format(const struct content_signs *signs)
{
    if (signs->size_after == 0 || signs->after == CONTENT_TEXTURE_NONE) {
        return signs->before != CONTENT_TEXTURE_NONE &&
               !signs->was_text; /* an original, or emptied */
    }
    if (signs->size_before != 0 && signs->changed_len == 0) {
        return false;
    }
    if (signs->size_before == 0 && signs->is_after_encrypted_magic) {
        return false; /* its first bytes have said all */
    }
    if (signs->was_text && signs->is_text) {
        return signs->changed == CONTENT_TEXTURE_CODED;
    }
    if (signs->size_before == 0 && signs->is_text) {
        return signs->after == CONTENT_TEXTURE_CODED; /* no container is text all through */
    }
    return true;
}
