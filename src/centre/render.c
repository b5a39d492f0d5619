/* The painter's process: see centre/render.h. Invariants: the browser is started before rights are
 * given up, since afterwards nothing can be; the picture that it makes is hostile and is decoded
 * here only, and what leaves is encoded anew from pixels. */
#include "centre/render.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "centre/browser.h"
#include "centre/confine.h"
#include "centre/protocol.h"
#include "cli/command.h"
#include "codec/cbor.h"
#include "codec/charset.h"
#include "codec/png.h"
#include "detect/deface/visual.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define RENDER_MEMORY (1ULL << 30) /* of address space: nothing of the browser's is in here */
#define RENDER_FILES  4096 /* descriptors on their way count too, those of all of its user's */
#define RENDER_CPU    20   /* seconds of work on one picture */
#define RENDER_PIXELS (2ULL * RENDER_WIDTH * RENDER_HEIGHT)

struct render {
    int channel;
    struct browser *browser;
    struct msg_writer answer;
    struct channel_packet packet;
};

/* One page under way. */
struct render_job {
    uint64_t number;
    struct str url;
    char type[sizeof("text/html; charset=") + CHARSET_LABEL_MAX];
    bool is_mobile;
    struct str body;  /* mapped */
    struct str given; /* mapped, CBOR; may be empty */
    char wanted[RENDER_WANTED_MAX][RENDER_URL_MAX + 1];
    uint32_t wanted_count;
    struct visual visual;
    int picture;
};

static int render_map(int fd, size_t limit, struct str *ret_bytes)
{
    struct stat stat;
    void *bytes;

    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size <= 0 ||
        (uint64_t)stat.st_size > limit) {
        return -ERR_LIMIT;
    }
    bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return -ERR_NOMEM;
    }
    *ret_bytes = str_of(bytes, (size_t)stat.st_size);
    return 0;
}

static void render_unmap(struct str *bytes)
{
    if (bytes->len != 0) {
        (void)munmap((void *)(uintptr_t)bytes->ptr, bytes->len);
    }
    *bytes = STR("");
}

static void render_want(struct render_job *job, struct str url)
{
    if (job->wanted_count == RENDER_WANTED_MAX || url.len > RENDER_URL_MAX ||
        str_has_suffix(url, STR("/favicon.ico"))) { /* asked for, but not in the picture */
        return;
    }
    for (uint32_t i = 0; i < job->wanted_count; i++) {
        if (str_is_text(url, job->wanted[i])) {
            return;
        }
    }
    memcpy(job->wanted[job->wanted_count], url.ptr, url.len);
    job->wanted[job->wanted_count++][url.len] = '\0';
}

static int render_give(void *context, struct str url, struct buf *body, char *type,
                       size_t type_size)
{
    struct render_job *job = context;
    struct cbor_reader reader;
    size_t count;

    cbor_open(&reader, job->given);
    count = job->given.len != 0 ? cbor_get_array(&reader) : 0;
    for (size_t i = 0; i < count && reader.error == 0; i++) {
        size_t members = cbor_get_array(&reader);
        struct str name = cbor_get_text(&reader);
        struct str kind = cbor_get_text(&reader);
        struct str bytes = cbor_get_text(&reader);

        if (members == 3 && reader.error == 0 && str_is(name, url)) {
            (void)snprintf(type, type_size, "%.*s", STR_ARG(kind));
            return buf_put(body, bytes.ptr, bytes.len);
        }
    }
    render_want(job, url);
    return -ERR_NOENT;
}

static int render_memfd(struct str bytes)
{
    CLEANUP(closep) int fd = memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || fd_write_full(fd, bytes.ptr, bytes.len) < 0) {
        return -ERR_NOMEM;
    }
    return TAKE_FD(fd);
}

/* From the browser's picture to numbers and to a picture that can be shown. */
static int render_reduce(struct render_job *job, struct str png)
{
    struct picture picture = {0};
    struct picture small = {0};
    CLEANUP(buf_done) struct buf out;
    int r = picture_decode_png(png, RENDER_PIXELS, &picture);

    buf_init(&out, RENDER_PICTURE_MAX);
    if (r == 0) {
        visual_of(picture.rgb, picture.width, picture.height, &job->visual);
        r = picture_shrink(&picture, RENDER_SMALL, &small);
    }
    r = r < 0 ? r : picture_encode_png(&small, &out);
    if (r == 0) {
        r = render_memfd(buf_str(&out));
        job->picture = r;
    }
    picture_done(&small);
    picture_done(&picture);
    return r < 0 ? r : 0;
}

static int render_paint(struct render *render, struct render_job *job)
{
    const struct browser_page page = {.url = job->url,
                                      .body = job->body,
                                      .type = str_from(job->type),
                                      .width = job->is_mobile ? RENDER_WIDTH_MOBILE : RENDER_WIDTH,
                                      .height = RENDER_HEIGHT,
                                      .give = render_give,
                                      .context = job};
    CLEANUP(buf_done) struct buf png;
    int r;

    buf_init(&png, BROWSER_PNG_MAX);
    r = browser_shoot(render->browser, &page, RENDER_SECONDS * NS_PER_S, &png);
    return r < 0 ? r : render_reduce(job, buf_str(&png));
}

static int render_send(struct render *render, const struct render_job *job)
{
    CLEANUP(buf_done) struct buf visual;

    buf_init(&visual, RENDER_VISUAL_SIZE);
    visual_encode(&job->visual, &visual);
    msg_begin(&render->answer, RENDER_MESSAGE_ANSWER);
    msg_put_u64(&render->answer, job->number);
    msg_put_str(&render->answer, buf_str(&visual));
    msg_put_u32(&render->answer, job->wanted_count);
    for (uint32_t i = 0; i < job->wanted_count; i++) {
        msg_put_str(&render->answer, str_from(job->wanted[i]));
    }
    return buf_error(&visual) < 0
               ? buf_error(&visual)
               : channel_send(render->channel, &render->answer, &job->picture, 1);
}

static int render_take(struct render *render, struct render_job *job)
{
    struct msg_reader *msg = &render->packet.msg;
    struct str charset;
    bool has_given;
    int r;

    job->number = msg_get_u64(msg);
    job->url = msg_get_str(msg);
    charset = msg_get_str(msg);
    job->is_mobile = msg_get_u32(msg) != 0;
    has_given = msg_get_u32(msg) != 0;
    if (msg->type != RENDER_MESSAGE_ASK || msg_close(msg) < 0) {
        return -ERR_PROTO;
    }
    /* without one, the page's own <meta> names it, if any does */
    (void)snprintf(job->type, sizeof(job->type), "text/html%s%.*s",
                   charset_is_label(charset) ? "; charset=" : "",
                   charset_is_label(charset) ? (int)charset.len : 0, charset.ptr);
    r = render_map(render->packet.fds[0], RENDER_BODY_MAX, &job->body);
    return r < 0 || !has_given ? r
                               : render_map(render->packet.fds[1], RENDER_GIVEN_MAX, &job->given);
}

static int render_serve_one(struct render *render)
{
    static struct render_job job;
    int r;

    job = (struct render_job){.picture = -1, .body = STR(""), .given = STR("")};
    process_limit_work(RENDER_CPU);
    r = render_take(render, &job);
    r = r < 0 ? r : render_paint(render, &job);
    r = r < 0 ? r : render_send(render, &job);
    render_unmap(&job.body);
    render_unmap(&job.given);
    closep(&job.picture);
    return r;
}

static int render_ready(struct render *render, int supervisor)
{
    int r;

    msg_begin(&render->answer, RENDER_MESSAGE_READY);
    r = channel_send(render->channel, &render->answer, NULL, 0);
    if (r < 0 || supervisor < 0) {
        return r;
    }
    msg_begin(&render->answer, CENTRE_MESSAGE_READY);
    msg_put_str(&render->answer, STR("render"));
    return channel_send(supervisor, &render->answer, NULL, 0);
}

static int render_open(struct render *render, const struct render_options *options,
                       struct diag *diag)
{
    const struct browser_options browser = {.program = options->program, .user = options->user};
    const struct sandbox sandbox = {.user = options->user,
                                    .calls = SANDBOX_CALLS_IO,
                                    .memory_more = RENDER_MEMORY,
                                    .file_limit = RENDER_FILES};
    int r;

    (void)signal(SIGPIPE, SIG_IGN); /* a browser that dies while it is spoken to */
    r = browser_start(&browser, &render->browser, diag);
    r = r < 0 ? r : browser_greet(render->browser, RENDER_SECONDS * NS_PER_S);
    return r < 0 ? r : confine(&sandbox, diag);
}

int render_run(const struct render_options *options)
{
    static struct render render;
    struct diag diag = {0};
    int r;

    log_init("render", LOG_LEVEL_INFO);
    render.channel = options->channel;
    r = render_open(&render, options, &diag);
    r = r < 0 ? r : render_ready(&render, options->supervisor);
    while (r == 0) {
        r = channel_receive(render.channel, &render.packet);
        if (r == 0) {
            r = render_serve_one(&render);
            channel_packet_done(&render.packet);
        }
    }
    if (r < 0 && r != -ERR_PIPE) {
        log_error("render ends: %s", diag_text(&diag, r));
    }
    /* the kernel ends the browser, which this process may no longer signal */
    return r < 0 && r != -ERR_PIPE ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
