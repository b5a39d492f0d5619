/* The browser's process and its two pipes: see centre/browser.h. Neighbour: browser_shoot.c speaks
 * through them. Invariant: the browser leads a session of its own, and all of it ends with
 * browser_stop. */
#include "centre/browser.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/browser_inside.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define BROWSER_RECEIVED_MAX (32U << 20)
#define BROWSER_SENT_MAX     (16U << 20)
#define BROWSER_ARENA_MAX    (64U << 20)
#define BROWSER_PIECE        (64U << 10)
#define BROWSER_WRITE_MS     5000
#define BROWSER_IN           3 /* where --remote-debugging-pipe reads and writes */
#define BROWSER_OUT          4

static const char browser_data[] = "--user-data-dir=" BROWSER_CELL_FOLDER;
static const char browser_home[] = "HOME=" BROWSER_CELL_FOLDER;

struct browser_birth {
    const struct browser_options *options;
    int in;  /* the browser's reading end */
    int out; /* its writing end */
};

static int browser_exec(void *context)
{
    const struct browser_birth *birth = context;
    const char *argv[] = {birth->options->program,
                          browser_data,
                          "--headless=new",
                          "--remote-debugging-pipe",
                          "--disable-gpu",
                          "--disable-quic",
                          "--disable-sync",
                          "--disable-extensions",
                          "--disable-background-networking",
                          "--disable-component-update",
                          "--disable-default-apps",
                          "--disable-dev-shm-usage",
                          "--no-first-run",
                          "--mute-audio",
                          "--hide-scrollbars",
                          "--force-color-profile=srgb",
                          "--host-resolver-rules=MAP * ~NOTFOUND",
                          "--disable-features=HttpsUpgrades", /* addresses stay as they were */
                          "--lang=vi",
                          "--js-flags=--jitless", /* no memory is written and then executed */
                          NULL};
    char *const environment[] = {(char *)(uintptr_t)"PATH=/usr/bin:/bin",
                                 (char *)(uintptr_t)browser_home, NULL};
    struct diag diag = {0};
    int quiet = open("/dev/null", O_RDWR);
    int in = fcntl(birth->in, F_DUPFD, 16); /* out of the way of 3 and 4 */
    int out = fcntl(birth->out, F_DUPFD, 16);

    if (browser_cell_enter(birth->options->user, &diag) < 0) {
        log_error("no pages are pictured: %s", diag_text(&diag, -ERR_PERM));
        return EXIT_FAILURE;
    }
    if (quiet < 0 || in < 0 || out < 0 || setsid() < 0 || dup2(quiet, STDIN_FILENO) < 0 ||
        dup2(quiet, STDOUT_FILENO) < 0 || dup2(quiet, STDERR_FILENO) < 0 ||
        dup2(in, BROWSER_IN) < 0 || dup2(out, BROWSER_OUT) < 0) {
        return EXIT_FAILURE;
    }
    (void)close(in);
    (void)close(out);
    (void)execve(birth->options->program, (char *const *)(uintptr_t)argv, environment);
    return EXIT_FAILURE;
}

static int browser_spawn(struct browser *browser, const struct browser_options *options)
{
    int to[2] = {-1, -1};
    int from[2] = {-1, -1};
    struct browser_birth birth = {.options = options};
    int r = 0;

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
        r = -errno;
    } else {
        const int keep[] = {to[0], from[1]};

        birth.in = to[0];
        birth.out = from[1];
        r = spawn_body("browser", keep, ARRAY_LEN(keep), browser_exec, &birth, &browser->pid);
    }
    closep(&to[0]);
    closep(&from[1]);
    browser->in = to[1];
    browser->out = from[0];
    r = r < 0 ? r : fd_set_nonblocking(browser->in, true);
    return r < 0 ? r : fd_set_nonblocking(browser->out, true);
}

int browser_start(const struct browser_options *options, struct browser **ret_browser,
                  struct diag *diag)
{
    struct browser *browser;
    int r;

    if (access(options->program, X_OK) < 0) {
        return diag_set(diag, -errno, _("%s is not there; pages are not pictured without it"),
                        options->program);
    }
    browser = mem_alloc(1, sizeof(*browser));
    if (browser == NULL) {
        return -ERR_NOMEM;
    }
    browser->in = -1;
    browser->out = -1;
    buf_init(&browser->received, BROWSER_RECEIVED_MAX);
    buf_init(&browser->sent, BROWSER_SENT_MAX);
    r = arena_new(BROWSER_ARENA_MAX, &browser->arena);
    r = r < 0 ? r : browser_spawn(browser, options);
    if (r < 0) {
        browser_stop(browser);
        return diag_set(diag, r, _("%s does not start: %s"), options->program, err_text(r));
    }
    *ret_browser = browser;
    return 0;
}

void browser_stop(struct browser *browser)
{
    if (browser == NULL) {
        return;
    }
    if (browser->pid != 0) {
        (void)kill(-browser->pid, SIGKILL);
        (void)kill(browser->pid, SIGKILL); /* before its setsid there is no such group */
        while (waitpid(browser->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    closep(&browser->in);
    closep(&browser->out);
    buf_done(&browser->received);
    buf_done(&browser->sent);
    arena_free(browser->arena);
    mem_free(browser);
}

uint64_t browser_begin(struct browser *browser, struct json_writer *json, const char *method,
                       struct str session)
{
    buf_reset(&browser->sent);
    json_begin(json, &browser->sent);
    json_open_object(json);
    json_put_key(json, "id");
    json_put_u64(json, ++browser->last_id);
    if (session.len != 0) {
        json_put_key(json, "sessionId");
        json_put_str(json, session);
    }
    json_put_key(json, "method");
    json_put_text(json, method);
    json_put_key(json, "params");
    json_open_object(json);
    return browser->last_id;
}

/* A browser that a page has taken over may stop reading. */
static int browser_write(const struct browser *browser, struct str bytes)
{
    while (bytes.len != 0) {
        struct pollfd poll_fd = {.fd = browser->in, .events = POLLOUT};
        ssize_t put = write(browser->in, bytes.ptr, bytes.len);

        if (put >= 0) {
            bytes = str_slice(bytes, (size_t)put, bytes.len);
        } else if (errno == EPIPE) {
            return -ERR_PIPE;
        } else if (errno != EAGAIN && errno != EINTR) {
            return -errno;
        } else if (poll(&poll_fd, 1, BROWSER_WRITE_MS) == 0) {
            return -ERR_TIMEDOUT;
        }
    }
    return 0;
}

int browser_send(struct browser *browser, struct json_writer *json)
{
    json_close_object(json);
    json_close_object(json);
    (void)buf_put_byte(&browser->sent, 0);
    return buf_error(&browser->sent) < 0 ? buf_error(&browser->sent)
                                         : browser_write(browser, buf_str(&browser->sent));
}

/* Waits for more bytes until the deadline. */
static int browser_fill(struct browser *browser, int64_t deadline)
{
    int64_t left = deadline - clock_mono(&clock_real);
    struct pollfd poll_fd = {.fd = browser->out, .events = POLLIN};
    void *room;
    ssize_t got;

    if (left <= 0 || poll(&poll_fd, 1, (int)(left / NS_PER_MS) + 1) == 0) {
        return -ERR_TIMEDOUT;
    }
    room = buf_reserve(&browser->received, BROWSER_PIECE);
    if (room == NULL) {
        return buf_error(&browser->received);
    }
    got = read(browser->out, room, BROWSER_PIECE);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (got == 0) {
        return -ERR_PIPE;
    }
    buf_commit(&browser->received, (size_t)got);
    return 0;
}

int browser_receive(struct browser *browser, int64_t deadline,
                    const struct json_value **ret_message)
{
    struct json_value *message = NULL;
    size_t searched = 0;
    size_t end;
    int r;

    for (;;) {
        struct str all = buf_str(&browser->received);

        end = searched + str_find_byte(str_slice(all, searched, all.len), '\0');
        if (end < all.len) {
            break;
        }
        searched = all.len;
        r = browser_fill(browser, deadline);
        if (r < 0) {
            return r;
        }
    }
    arena_reset(browser->arena);
    r = json_parse(str_slice(buf_str(&browser->received), 0, end), browser->arena, &message, NULL);
    buf_consume(&browser->received, end + 1);
    if (r < 0) {
        return r == -ERR_NOMEM || r == -ERR_LIMIT ? r : -ERR_PROTO;
    }
    *ret_message = message;
    return 0;
}
