/* Whatever a site sends as a page, robots.txt or sitemap: the reader keeps its limits, names only
 * addresses of the same site, and what it says can be told; and whatever came as style sheets and
 * scripts. The first byte chooses the kind, and whether what stands before the first NUL are such.
 */
#include "fuzz.h"

#include "base/err.h"
#include "centre/fetch/fetcher.h"
#include "centre/reader/page.h"
#include "sys/fd.h"

#include <sys/mman.h>

static void check_links(const struct reader_look *look)
{
    fuzz_check(look->links.count <= READER_LINKS_MAX);
    for (size_t i = 0; i < look->links.count; i++) {
        char again[SITE_URL_MAX + 1];
        struct str url = look->links.items[i].url;

        fuzz_check(url.len <= READER_LINK_SIZE && url_canonical(url, again, NULL) == 0);
        fuzz_check(url_is_same_site(url_host(str_from(again)), url_host(look->check.url)));
    }
}

static void check_word(const struct site_check *check)
{
    struct buf buf;

    buf_init(&buf, 48U << 10);
    site_check_encode(check, &buf);
    fuzz_check(buf_error(&buf) == 0);
    buf_done(&buf);
}

static int file_of(struct str bytes)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    fuzz_check(fd >= 0 && fd_write_full(fd, bytes.ptr, bytes.len) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum site_page kinds[] = {SITE_PAGE_LISTED, SITE_PAGE_ROBOTS, SITE_PAGE_SITEMAP,
                                           SITE_PAGE_MISSING};
    static struct deface_model *model;
    static struct arena *arena;
    struct reader_look look;
    struct str input;
    size_t cut;
    int r;

    if (arena == NULL) {
        fuzz_check(arena_new(256U << 20, &arena) == 0 && deface_model_new(NULL, &model) == 0);
    }
    if (size == 0) {
        return 0;
    }
    arena_reset(arena);
    input = fuzz_input(data + 1, size - 1);
    cut = str_find_byte(input, '\0');
    reader_look_init(&look, model, arena);
    look.check = (struct site_check){.site = 1,
                                     .url = STR("https://tinh.gov.vn/"),
                                     .url_final = STR("https://www.tinh.gov.vn/vi/"),
                                     .page = kinds[data[0] % 4],
                                     .time = 1800000000LL * 1000000000,
                                     .status = (data[0] & 4) != 0 ? 404 : 200};
    look.flags = READER_FLAG_LINKS | ((data[0] & 8) != 0 ? (uint32_t)READER_FLAG_ELSEWHERE : 0);
    if ((data[0] & 16) != 0 && cut != input.len) {
        int *into = (data[0] & 32) != 0 ? &look.scripts_in : &look.sheets_in;

        *into = file_of(str_slice(input, 0, cut));
        input = str_slice(input, cut + 1, input.len);
    }
    look.body = file_of(input);
    r = reader_look_judge(&look);
    fuzz_check(r == 0 || (look.sheets_in + look.scripts_in != -2 && r != -ERR_NOMEM));
    if (r == 0) {
        check_links(&look);
        check_word(&look.check);
    }
    reader_look_done(&look);
    return 0;
}
