/* Each container by a real specimen (the fuzz corpus), whole, cut short, and with noise inside. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/prng.h"
#include "codec/container.h"

#include <stdio.h>
#include <string.h>

#define SIZE_MAX_TESTED 16384

#define GIF_BLOCKS      160
#define GIF_SIZE        (GIF_BLOCKS * 256 + 64)

static const struct specimen {
    const char *name;
    enum container_kind kind;
    enum container_state state;
    bool is_noise_seen; /* noise over its second half shows without unpacking */
} specimens[] = {
    {"z.zip", CONTAINER_KIND_ZIP, CONTAINER_STATE_PACKED, true},
    {"ze.zip", CONTAINER_KIND_ZIP, CONTAINER_STATE_ENCRYPTED, false},
    {"s.7z", CONTAINER_KIND_SEVENZIP, CONTAINER_STATE_PACKED, true},
    {"se.7z", CONTAINER_KIND_SEVENZIP, CONTAINER_STATE_ENCRYPTED, true},
    {"g.gz", CONTAINER_KIND_GZIP, CONTAINER_STATE_PACKED, false},
    {"x.xz", CONTAINER_KIND_XZ, CONTAINER_STATE_PACKED, false},
    {"z.zst", CONTAINER_KIND_ZSTD, CONTAINER_STATE_PACKED, false},
    {"b.bz2", CONTAINER_KIND_BZIP2, CONTAINER_STATE_PACKED, false},
    {"t3.tar", CONTAINER_KIND_TAR, CONTAINER_STATE_SHALLOW, true},
    {"p.png", CONTAINER_KIND_PNG, CONTAINER_STATE_SOUND, true},
    {"j.jpg", CONTAINER_KIND_JPEG, CONTAINER_STATE_SOUND, false},
    {"jp.jpg", CONTAINER_KIND_JPEG, CONTAINER_STATE_SOUND, false},
    {"g.gif", CONTAINER_KIND_GIF, CONTAINER_STATE_SOUND, true},
    {"d.pdf", CONTAINER_KIND_PDF, CONTAINER_STATE_SHALLOW, true},
    {"o.doc", CONTAINER_KIND_OLE, CONTAINER_STATE_SHALLOW, true},
    {"oe.doc", CONTAINER_KIND_OLE, CONTAINER_STATE_ENCRYPTED, true},
    {"q.db", CONTAINER_KIND_SQLITE, CONTAINER_STATE_SOUND, false},
    {"k.pack", CONTAINER_KIND_GIT_PACK, CONTAINER_STATE_PACKED, false},
    {"k.idx", CONTAINER_KIND_GIT_INDEX, CONTAINER_STATE_SOUND, true},
    {"e.elf", CONTAINER_KIND_ELF, CONTAINER_STATE_DAMAGED, false}, /* cut before its sections */
    {"p.gpg", CONTAINER_KIND_KEYED, CONTAINER_STATE_ENCRYPTED, false},
    {"p.asc", CONTAINER_KIND_KEYED, CONTAINER_STATE_ENCRYPTED, false},
    {"o.enc", CONTAINER_KIND_KEYED, CONTAINER_STATE_ENCRYPTED, false},
};

static size_t specimen_read(const char *name, char out[SIZE_MAX_TESTED])
{
    char path[512];
    FILE *file;
    size_t len;

    snprintf(path, sizeof(path), "%s/fuzz/corpus/container/%s", TESTS_FOLDER, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    len = fread(out, 1, SIZE_MAX_TESTED, file);
    (void)fclose(file);
    return len;
}

static struct container_report inspect(char *bytes, size_t len)
{
    struct str all = str_of(bytes, len);
    struct container_source source = {container_read_memory, &all, len};
    struct container_report report;

    container_inspect(&source, &report);
    return report;
}

static void test_specimens(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specimens); i++) {
        char bytes[SIZE_MAX_TESTED];
        struct container_report report = inspect(bytes, specimen_read(specimens[i].name, bytes));

        if (report.kind != specimens[i].kind || report.state != specimens[i].state) {
            print_error("%s: %s, state %u\n", specimens[i].name, container_kind_name(report.kind),
                        report.state);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_noise(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 5);
    for (size_t i = 0; i < ARRAY_LEN(specimens); i++) {
        char bytes[SIZE_MAX_TESTED];
        size_t len = specimen_read(specimens[i].name, bytes);
        struct container_report report;

        prng_fill(&prng, bytes + len / 2, len - len / 2);
        report = inspect(bytes, len);
        if (specimens[i].is_noise_seen && report.state != CONTAINER_STATE_DAMAGED) {
            /* What has no end record any more can still be one that is being written. */
            assert_true(report.kind == CONTAINER_KIND_ZIP &&
                        report.state == CONTAINER_STATE_PACKED);
        }
    }
}

/* Pixels in blocks of 255 bytes, as every encoder writes them. */
static size_t gif_make(struct prng *prng, char out[GIF_SIZE])
{
    static const char head[] = "GIF89a\x10\x00\x10\x00\x00\x00\x00,\0\0\0\0\x10\0\x10\0\0\x08";
    size_t at = sizeof(head) - 1;

    memcpy(out, head, at);
    for (int i = 0; i < GIF_BLOCKS; i++) {
        out[at] = (char)0xff;
        prng_fill(prng, out + at + 1, 255);
        at += 256;
    }
    out[at++] = '\0';
    out[at++] = ';';
    return at;
}

/* Its chain of blocks, lost in noise, may come upon a true block again; it must not pass as whole.
 */
static void test_gif_with_noise_inside(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, 7);
    for (int i = 0; i < 500; i++) {
        char bytes[GIF_SIZE];
        size_t len = gif_make(&prng, bytes);

        assert_int_equal(inspect(bytes, len).state, CONTAINER_STATE_SOUND);
        prng_fill(&prng, bytes + 3000, 4000);
        assert_int_equal(inspect(bytes, len).state, CONTAINER_STATE_DAMAGED);
    }
}

static void test_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specimens); i++) {
        char bytes[SIZE_MAX_TESTED];
        size_t len = specimen_read(specimens[i].name, bytes);

        for (size_t n = 0; n < len; n += 1 + n / 16) {
            struct container_report report = inspect(bytes, n);

            assert_true(report.kind == specimens[i].kind || report.kind == CONTAINER_KIND_NONE);
        }
    }
}

/* Random bytes are no key container: a false one would count as ciphertext with nothing else to say
 * so. */
static void test_noise_is_no_container(void **state)
{
    struct prng prng;
    unsigned found = 0;

    (void)state;
    prng_init(&prng, 11);
    for (int i = 0; i < 200000; i++) {
        char bytes[64];

        prng_fill(&prng, bytes, sizeof(bytes));
        found += container_is_encrypted_head(str_of(bytes, sizeof(bytes)));
    }
    assert_true(found < 200);
}

/* A local header of zip; its content would be of that many bytes. */
static size_t zip_put_local(char *out, const char *name, uint8_t flags, uint8_t size)
{
    char header[30] = "PK\3\4\x14";

    header[6] = (char)flags;
    header[18] = (char)size;
    header[26] = (char)strlen(name);
    memcpy(out, header, sizeof(header));
    memcpy(out + sizeof(header), name, strlen(name));
    return sizeof(header) + strlen(name);
}

/* zip -r puts the folder first, which nobody encrypts; what follows it tells. */
static void test_encrypted_zip_by_its_head(void **state)
{
    char bytes[SIZE_MAX_TESTED];
    size_t len = specimen_read("ze.zip", bytes);
    size_t folder;

    (void)state;
    assert_true(container_is_encrypted_head(str_of(bytes, len)));
    len = specimen_read("z.zip", bytes);
    assert_false(container_is_encrypted_head(str_of(bytes, len)));
    folder = zip_put_local(bytes, "docs/", 0, 0);
    len = folder + zip_put_local(bytes + folder, "docs/a", 9, 0);
    assert_true(container_is_encrypted_head(str_of(bytes, len)));
    assert_false(container_is_encrypted_head(str_of(bytes, folder + 29)));
    len = folder + zip_put_local(bytes + folder, "docs/a", 0, 7);
    len += zip_put_local(bytes + len, "docs/b", 1, 0); /* content comes before it */
    assert_false(container_is_encrypted_head(str_of(bytes, len)));
}

static void test_failing_read(void **state)
{
    struct container_source source = {.size = UINT64_MAX};
    struct container_report report;
    struct str nothing = {"", 0};

    (void)state;
    source.read = container_read_memory;
    source.context = &nothing;
    container_inspect(&source, &report);
    assert_int_equal(report.kind, CONTAINER_KIND_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specimens),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_noise_is_no_container),
        cmocka_unit_test(test_encrypted_zip_by_its_head),
        cmocka_unit_test(test_failing_read),
        cmocka_unit_test(test_gif_with_noise_inside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
