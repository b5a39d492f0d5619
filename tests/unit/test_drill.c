/* The drill's own parts: documents, the scratch folder's guard, the manifest's eye for every
 * change. */
#include "cli/drill/document.h"
#include "cli/drill/fill.h"
#include "cli/drill/folder.h"
#include "cli/drill/manifest.h"
#include "harness.h"
#include "sys/fd.h"

#include "base/banned.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define FILES 40

struct stage {
    struct arena *arena;
    struct drill_folder folder;
    struct drill_manifest manifest;
    bool *is_same;
};

static int stage_new(void **state)
{
    static struct stage stage;
    char path[] = "/tmp/canhgac-test-drill-XXXXXX";

    stage = (struct stage){.folder.fd = -1};
    assert_non_null(mkdtemp(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(arena_new(64U << 20, &stage.arena), 0);
    assert_int_equal(drill_folder_make(path, &stage.folder, NULL), 0);
    assert_int_equal(drill_fill(&stage.folder, 7, FILES, stage.arena, &stage.manifest), 0);
    stage.is_same = arena_alloc(stage.arena, stage.manifest.count, sizeof(bool));
    *state = &stage;
    return 0;
}

static int stage_free(void **state)
{
    struct stage *stage = *state;
    int r = stage->folder.fd >= 0 ? drill_folder_remove(&stage->folder) : 0;

    arena_free(stage->arena);
    return r;
}

static size_t stage_differences(struct stage *stage)
{
    memset(stage->is_same, 0, stage->manifest.count * sizeof(bool));
    return drill_manifest_check(&stage->manifest, stage->folder.fd, stage->is_same);
}

/* The first plain file without a second name and with more than a page. */
static const struct drill_entry *stage_file(const struct stage *stage)
{
    for (size_t i = 0; i < stage->manifest.count; i++) {
        const struct drill_entry *entry = &stage->manifest.entries[i];

        if (!entry->is_folder && entry->links == 1 && entry->size > 4096) {
            return entry;
        }
    }
    fail_msg("the drill made no such file");
    return NULL;
}

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < DOCUMENT_KIND_COUNT; kind++) {
        struct prng prng;
        struct buf one;
        struct buf two;

        buf_init(&one, 8U << 20);
        buf_init(&two, 8U << 20);
        prng_init(&prng, kind);
        assert_int_equal(document_write((enum document_kind)kind, &prng, 20000, &one), 0);
        prng_init(&prng, kind);
        assert_int_equal(document_write((enum document_kind)kind, &prng, 20000, &two), 0);
        assert_true(str_is(buf_str(&one), buf_str(&two)));
        assert_in_range(one.len, 10000, 40000);
        buf_done(&one);
        buf_done(&two);
    }
}

static void test_pdf_offsets_hold(void **state)
{
    struct prng prng;
    struct buf pdf;
    struct str rest;
    struct str line;
    unsigned object = 0;

    (void)state;
    buf_init(&pdf, 8U << 20);
    prng_init(&prng, 1);
    assert_int_equal(document_write(DOCUMENT_KIND_PDF, &prng, 30000, &pdf), 0);
    rest = str_slice(buf_str(&pdf), str_find(buf_str(&pdf), STR("xref\n")), pdf.len);
    for (unsigned skipped = 0; skipped < 3; skipped++) {
        assert_true(str_cut(&rest, '\n', &line));
    }
    while (str_cut(&rest, '\n', &line) && str_has_suffix(line, STR(" n "))) {
        char head[32];
        uint64_t offset;

        object++;
        (void)snprintf(head, sizeof(head), "%u 0 obj\n", object);
        assert_int_equal(str_to_u64(str_slice(line, 0, 10), &offset), 0);
        assert_true(str_has_prefix(str_slice(buf_str(&pdf), offset, pdf.len), str_from(head)));
    }
    assert_true(object > 10);
    buf_done(&pdf);
}

static int write_document(void *context)
{
    enum document_kind *kind = context;
    struct prng prng;
    struct buf out;
    int r;

    prng_init(&prng, 3);
    buf_init(&out, 1U << 20);
    r = document_write(*kind, &prng, 2000, &out);
    buf_done(&out);
    return r;
}

static void test_documents_survive_no_memory(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < DOCUMENT_KIND_COUNT; kind++) {
        enum document_kind each = (enum document_kind)kind;

        assert_survives_no_memory(write_document, &each);
    }
}

static void test_refuses_a_folder_with_something_in_it(void **state)
{
    const struct stage *stage = *state;
    struct drill_folder other = {.fd = -1};
    struct diag diag = {0};

    assert_int_equal(drill_folder_make(stage->folder.path, &other, &diag), -ERR_EXIST);
    assert_non_null(strstr(diag.text, stage->folder.path));
}

static void test_removes_nothing_without_its_marker(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(renameat(stage->folder.fd, DRILL_MARKER, stage->folder.fd, "moved"), 0);
    assert_int_equal(drill_folder_clear(&stage->folder), -ERR_FOREIGN);
    assert_int_equal(drill_fill(&stage->folder, 1, 1, stage->arena, &(struct drill_manifest){0}),
                     -ERR_FOREIGN);
    assert_int_equal(stage_differences(stage), 0);
    assert_int_equal(renameat(stage->folder.fd, "moved", stage->folder.fd, DRILL_MARKER), 0);
}

static void test_clear_follows_no_link(void **state)
{
    struct stage *stage = *state;
    char outside[] = "/tmp/canhgac-test-outside-XXXXXX";
    int fd = mkstemp(outside);

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(symlinkat(outside, stage->folder.fd, "docs/link"), 0);
    assert_int_equal(symlinkat("/tmp", stage->folder.fd, "docs/folder"), 0);
    assert_int_equal(drill_folder_clear(&stage->folder), 0);
    assert_int_equal(faccessat(stage->folder.fd, "docs", F_OK, 0), -1);
    assert_int_equal(access(outside, F_OK), 0);
    (void)unlink(outside);
}

static void test_untouched_is_same(void **state)
{
    struct stage *stage = *state;

    assert_true(stage->manifest.file_count >= FILES);
    assert_int_equal(stage_differences(stage), 0);
}

static void test_sees_one_changed_bit(void **state)
{
    struct stage *stage = *state;
    const struct drill_entry *entry = stage_file(stage);
    CLEANUP(closep) int fd = fd_open_beneath(stage->folder.fd, entry->path, O_RDWR, 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {entry->mtime / 1000000000, entry->mtime % 1000000000}};
    char byte;

    assert_int_equal(pread(fd, &byte, 1, 4000), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 4000), 1);
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(stage_differences(stage), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 4000), 1);
    assert_int_equal(stage_differences(stage), 1); /* its time is another */
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(stage_differences(stage), 0);
}

static void test_sees_attributes(void **state)
{
    struct stage *stage = *state;
    const struct drill_entry *entry = stage_file(stage);
    CLEANUP(closep) int fd = fd_open_beneath(stage->folder.fd, entry->path, O_RDWR, 0);

    assert_int_equal(fchmod(fd, 0611), 0);
    assert_int_equal(stage_differences(stage), 1);
    assert_int_equal(fchmod(fd, entry->mode & 07777), 0);
    assert_int_equal(stage_differences(stage), 0);
    if (fsetxattr(fd, "user.test", "x", 1, 0) == 0) {
        assert_int_equal(stage_differences(stage), 1);
        assert_int_equal(fremovexattr(fd, "user.test"), 0);
    }
    assert_int_equal(linkat(stage->folder.fd, entry->path, stage->folder.fd, "docs/second", 0), 0);
    assert_int_equal(stage_differences(stage), 1);
    assert_int_equal(unlinkat(stage->folder.fd, "docs/second", 0), 0);
    assert_int_equal(unlinkat(stage->folder.fd, entry->path, 0), 0);
    assert_int_equal(stage_differences(stage), 1);
}

static void test_sees_a_link_torn_apart(void **state)
{
    struct stage *stage = *state;
    const struct drill_entry *entry = NULL;
    struct buf bytes;

    for (size_t i = 0; i < stage->manifest.count && entry == NULL; i++) {
        if (stage->manifest.entries[i].leader != i) {
            entry = &stage->manifest.entries[i];
        }
    }
    assert_non_null(entry);
    buf_init(&bytes, 8U << 20);
    assert_int_equal(file_read_all(stage->folder.fd, entry->path, &bytes), 0);
    assert_int_equal(file_write_atomic(stage->folder.fd, entry->path, buf_str(&bytes), entry->mode),
                     0);
    buf_done(&bytes);
    assert_int_equal(stage_differences(stage), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, stage_new, stage_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_pdf_offsets_hold),
        cmocka_unit_test(test_documents_survive_no_memory),
        TEST(refuses_a_folder_with_something_in_it),
        TEST(removes_nothing_without_its_marker),
        TEST(clear_follows_no_link),
        TEST(untouched_is_same),
        TEST(sees_one_changed_bit),
        TEST(sees_attributes),
        TEST(sees_a_link_torn_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
