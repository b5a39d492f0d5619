/* The demo portal of a drill, asked as browsers and search engines ask, and the six ways in which
 * it is defaced and put back. */
#include "cli/drill/deface_acts.h"
#include "cli/drill/portal.h"
#include "harness.h"
#include "sys/fd.h"

#include "base/banned.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

struct stage {
    struct drill_folder folder;
    struct portal *portal;
    struct buf answer;
    struct buf before;
};

static int stage_new(void **state)
{
    static struct stage stage;
    char path[] = "/tmp/canhgac-test-portal-XXXXXX";

    stage = (struct stage){.folder.fd = -1};
    assert_non_null(mkdtemp(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(drill_folder_make(path, &stage.folder, NULL), 0);
    assert_int_equal(portal_fill(&stage.folder, 3), 0);
    assert_int_equal(portal_start(&stage.folder, 3, &stage.portal), 0);
    buf_init(&stage.answer, 1 << 20);
    buf_init(&stage.before, 1 << 20);
    *state = &stage;
    return 0;
}

static int stage_free(void **state)
{
    struct stage *stage = *state;

    portal_stop(stage->portal);
    buf_done(&stage->answer);
    buf_done(&stage->before);
    return drill_folder_remove(&stage->folder);
}

/* The whole answer, head and body. */
static struct str ask(struct stage *stage, const char *method, const char *path,
                      const char *headers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct str url = str_from(portal_url(stage->portal));
    uint64_t port = 0;
    char request[1024];
    int len;

    assert_int_equal(
        str_to_u64(str_slice(url, sizeof("http://127.0.0.1:") - 1, url.len - 1), &port), 0);
    address.sin_port = htons((uint16_t)port);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    len = snprintf(request, sizeof(request),
                   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", method, path,
                   headers);
    assert_int_equal(fd_write_full(fd, request, (size_t)len), 0);
    buf_reset(&stage->answer);
    assert_int_equal(fd_read_all(fd, &stage->answer), 0);
    return buf_str(&stage->answer);
}

static bool has(struct str text, const char *part)
{
    return str_find(text, str_from(part)) < text.len;
}

static void test_pages(void **state)
{
    struct stage *stage = *state;
    struct buf first;

    buf_init(&first, 1 << 20);
    assert_true(has(ask(stage, "GET", "/", ""), "HTTP/1.1 200"));
    assert_true(has(buf_str(&stage->answer), "<title>Cổng thông tin điện tử"));
    assert_true(has(buf_str(&stage->answer), "Lượt truy cập: 1048577"));
    assert_false(has(buf_str(&stage->answer), "{{"));
    assert_int_equal(buf_put_str(&first, buf_str(&stage->answer)), 0);
    assert_false(str_is(buf_str(&first), ask(stage, "GET", "/", ""))); /* as real portals are */
    assert_true(has(ask(stage, "GET", "/dang-nhap.html", ""), "type=\"password\""));
    assert_true(has(ask(stage, "GET", "/khong-co", ""), "HTTP/1.1 404"));
    assert_true(has(ask(stage, "POST", "/", "Content-Length: 0\r\n"), "HTTP/1.1 405"));
    assert_true(has(ask(stage, "GET", "/../../../etc/passwd", ""), "HTTP/1.1 404"));
    assert_true(has(ask(stage, "GET", "//etc/passwd", ""), "HTTP/1.1 404"));
    assert_int_equal(portal_hits(stage->portal), 6);
    buf_done(&first);
}

static void test_acts(void **state)
{
    struct stage *stage = *state;
    char path[256];

    for (const struct deface_act *act = deface_acts; act->name != NULL; act++) {
        bool is_cloak = has(str_from(act->file), ".crawler");
        const char *sign = strcmp(act->name, "login-form") == 0 ? "https://thu-cong-vu.example"
                           : strcmp(act->name, "hidden-links") == 0 || is_cloak ? "Nhà cái uy tín"
                           : strcmp(act->name, "title") == 0                    ? "<title>Hacked by"
                                                                                : "HACKED BY";

        (void)snprintf(path, sizeof(path), "/%s", act->page);
        assert_ptr_equal(deface_act_find(act->name), act);
        assert_int_equal(deface_act_do(act, &stage->folder, &stage->before), 0);
        assert_false(deface_act_is_undone(act, &stage->folder, buf_str(&stage->before)));
        assert_int_equal(has(ask(stage, "GET", path, ""), sign), !is_cloak);
        assert_true(has(ask(stage, "GET", path, "User-Agent: Googlebot/2.1\r\n"), sign));
        assert_int_equal(deface_act_undo(act, &stage->folder, buf_str(&stage->before)), 0);
        assert_true(deface_act_is_undone(act, &stage->folder, buf_str(&stage->before)));
        assert_false(has(ask(stage, "GET", path, "User-Agent: Googlebot/2.1\r\n"), sign));
    }
    assert_null(deface_act_find("fire"));
}

/* A drill writes nowhere but in a folder that carries its marker. */
static void test_marker(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(unlinkat(stage->folder.fd, DRILL_MARKER, 0), 0);
    assert_int_equal(deface_act_do(deface_acts, &stage->folder, &stage->before), -ERR_FOREIGN);
    assert_false(has(ask(stage, "GET", "/", ""), "HACKED"));
    assert_int_equal(deface_act_undo(deface_acts, &stage->folder, STR("x")), -ERR_FOREIGN);
    assert_int_equal(portal_fill(&stage->folder, 3), -ERR_FOREIGN);
}

/* The marker back, so that the stage can be taken away. */
static int stage_free_unmarked(void **state)
{
    struct stage *stage = *state;
    struct drill_folder other = {.fd = -1};
    char path[] = "/tmp/canhgac-test-portal-XXXXXX";

    if (mkdtemp(path) == NULL || rmdir(path) < 0 || drill_folder_make(path, &other, NULL) < 0 ||
        renameat(other.fd, DRILL_MARKER, stage->folder.fd, DRILL_MARKER) < 0) {
        return -1;
    }
    closep(&other.fd);
    return rmdir(path) + stage_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pages, stage_new, stage_free),
        cmocka_unit_test_setup_teardown(test_acts, stage_new, stage_free),
        cmocka_unit_test_setup_teardown(test_marker, stage_new, stage_free_unmarked),
    };

    return cmocka_run_group_tests_name("portal", tests, NULL, NULL);
}
