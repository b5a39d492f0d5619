/* The demo portal's own pages: see cli/drill/portal.h. Laid out as provincial portals are: news,
 * one-stop procedures, documents, a log-in; the words in {{ }} are filled in by drill/portal.c.
 * Invariant: only the seed decides. */
#include "cli/drill/portal.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/prng.h"
#include "cli/drill/document.h"
#include "sys/fd.h"

#include <fcntl.h>

struct page_row {
    const char *name;
    const char *title;
    unsigned paragraphs;
    const char *form; /* HTML of its form, or NULL */
};

static const struct page_row page_rows[] = {
    {PORTAL_HOME, "Cổng thông tin điện tử huyện Diễn Tập", 12, NULL},
    {"tin-tuc.html", "Tin tức, sự kiện", 24, NULL},
    {"mot-cua.html", "Bộ phận một cửa: thủ tục hành chính", 8,
     "<form action=\"/nop-ho-so\" method=\"post\"><label>Mã hồ sơ <input name=\"ma\"></label>"
     "<label>Tệp đính kèm <input type=\"file\" name=\"tep\"></label><button>Nộp hồ "
     "sơ</button></form>"},
    {"van-ban.html", "Văn bản chỉ đạo điều hành", 18, NULL},
    {PORTAL_LOGIN, "Đăng nhập thư công vụ", 2,
     "<form action=\"/dang-nhap\" method=\"post\"><label>Tài khoản <input name=\"ten\"></label>"
     "<label>Mật khẩu <input type=\"password\" name=\"mat_khau\"></label>"
     "<button>Đăng nhập</button></form>"},
};

static void page_put_head(const struct page_row *row, struct buf *out)
{
    (void)buf_putf(
        out,
        "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"csrf\" content=\"{{token}}\">\n<title>%s</title>\n"
        "<link rel=\"stylesheet\" href=\"/portal.css\">\n<script src=\"/portal.js\"></script>\n"
        "</head>\n<body>\n<header><img src=\"/quoc-huy.png\" alt=\"Quốc huy\"><h1>%s</h1>"
        "<p class=\"banner\">{{banner}}</p></header>\n<nav>",
        row->title, row->title);
    for (size_t i = 0; i < ARRAY_LEN(page_rows); i++) {
        (void)buf_putf(out, "<a href=\"/%s\">%s</a> ", page_rows[i].name, page_rows[i].title);
    }
    (void)buf_put_text(out, "</nav>\n<main>\n");
}

static void page_put(const struct page_row *row, struct prng *prng, struct buf *out)
{
    page_put_head(row, out);
    for (unsigned i = 0; i < row->paragraphs; i++) {
        unsigned sentences = 2 + (unsigned)prng_below(prng, 3);

        (void)buf_putf(out, "<article><h2>Tin số %u ngày %u/11/2026</h2>\n<p>",
                       100 + (unsigned)prng_below(prng, 900), 1 + (unsigned)prng_below(prng, 30));
        for (unsigned k = 0; k < sentences; k++) {
            (void)buf_putf(out, "%s ", document_sentence(prng));
        }
        (void)buf_put_text(out, "</p></article>\n");
    }
    if (row->form != NULL) {
        (void)buf_put_text(out, row->form);
    }
    (void)buf_put_text(
        out, "</main>\n<footer>Lượt truy cập: {{visitors}}. Cập nhật lúc {{time}}. Ủy ban nhân "
             "dân huyện Diễn Tập, số 1 đường Lê Lợi.</footer>\n</body>\n</html>\n");
}

static int page_write(const struct drill_folder *folder, const char *name, struct str bytes)
{
    CLEANUP(closep) int fd = fd_open_beneath(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644);

    return fd < 0 ? fd : fd_write_full(fd, bytes.ptr, bytes.len);
}

int portal_fill(const struct drill_folder *folder, uint64_t seed)
{
    struct prng prng;
    struct buf out;
    int r = drill_folder_check(folder);

    prng_init(&prng, seed);
    buf_init(&out, PORTAL_PAGE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(page_rows) && r == 0; i++) {
        buf_reset(&out);
        page_put(&page_rows[i], &prng, &out);
        r = buf_error(&out);
        r = r < 0 ? r : page_write(folder, page_rows[i].name, buf_str(&out));
    }
    buf_done(&out);
    r = r < 0 ? r : page_write(folder, "portal.css", STR("main{max-width:60em}.an{color:#333}\n"));
    return r < 0 ? r : page_write(folder, "portal.js", STR("document.title=document.title;\n"));
}
