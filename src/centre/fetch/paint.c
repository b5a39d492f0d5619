/* Pages that are to be pictured: those that are odd, those that a person looks at, and all first
 * pages by rota, one at a time. What a page is made of is fetched from its own site only, politely
 * and within limits; the browser itself reaches nobody. Neighbours: look.c hands judged looks in,
 * centre/render.c paints, core/picture.c takes what comes of it. Invariant: a picture is worth less
 * than a look: whatever fails here costs the picture, and nothing else. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "centre/fetch/private.h"
#include "centre/render.h"
#include "codec/cbor.h"
#include "sys/fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAINT_WAITING   32                /* pages; what is over is left to the rota … */
#define PAINT_ONCE      4096              /* … and where there is none, so many may wait */
#define PAINT_LEAST     (1800 * NS_PER_S) /* between two pictures of a page, by rota */
#define PAINT_EACH      (8 * NS_PER_S)    /* as many sites as there are, so seldom each */
#define PAINT_PIECE_MAX (2U << 20)        /* of one thing that a page is made of */
#define PAINT_PAUSE     (200 * NS_PER_MS) /* between two of them */

struct paint_job {
    struct list node;
    uint64_t site;
    char url[SITE_URL_MAX + 1];
    char charset[CHARSET_LABEL_MAX + 1];
    enum site_view view;
    int64_t time;
    int body;
    bool is_private_own;
    bool is_private_barred;
    bool is_whole; /* what it is made of was fetched */
    char wanted[RENDER_WANTED_MAX][RENDER_URL_MAX + 1];
    uint32_t wanted_count;
    uint32_t next; /* of wanted, to be fetched */
    struct buf pieces[RENDER_WANTED_MAX];
    struct fetcher_get *get;
    int picture; /* of the page alone, should the rest not come */
    char visual[RENDER_VISUAL_SIZE];
};

struct fetch_paint {
    struct fetch *fetch;
    struct loop_source *source;
    struct loop_source *late;
    struct loop_source *pause;
    struct list waiting;
    unsigned waiting_count;
    struct paint_job *job; /* under way */
    bool is_greeted;       /* by render: what was asked before that waits for it */
    uint64_t number;
};

static void paint_start(struct fetch_paint *paint);

static void paint_job_free(struct paint_job *job)
{
    if (job == NULL) {
        return;
    }
    fetcher_cancel(job->get);
    for (uint32_t i = 0; i < RENDER_WANTED_MAX; i++) {
        buf_done(&job->pieces[i]);
    }
    closep(&job->body);
    closep(&job->picture);
    mem_free(job);
}

static void paint_end(struct fetch_paint *paint)
{
    (void)!loop_source_set_timer(paint->late, 0, 0);
    (void)!loop_source_set_timer(paint->pause, 0, 0);
    paint_job_free(TAKE_PTR(paint->job));
    paint_start(paint);
}

static void paint_tell(struct fetch_paint *paint, struct paint_job *job)
{
    struct fetch *fetch = paint->fetch;
    const struct fetch_picture picture = {.site = job->site,
                                          .url = str_from(job->url),
                                          .view = job->view,
                                          .time = job->time,
                                          .visual = str_of(job->visual, sizeof(job->visual))};

    fetch_picture_put(&fetch->msg, &picture);
    (void)!fetch_send(fetch, &job->picture, 1);
}

static const char *paint_type(const char *url)
{
    static const struct {
        const char *end;
        const char *type;
    } rows[] = {{".css", "text/css"}, {".svg", "image/svg+xml"}, {".js", "text/javascript"}};
    struct str path = str_slice(str_from(url), 0, str_find_byte(str_from(url), '?'));

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str end = str_from(rows[i].end);

        if (path.len > end.len &&
            str_is_nocase(str_slice(path, path.len - end.len, path.len), end)) {
            return rows[i].type;
        }
    }
    return "application/octet-stream"; /* pictures and fonts are known by their first bytes */
}

/* What was fetched, as render reads it; -1 when there is nothing. */
static int paint_bundle(const struct paint_job *job)
{
    CLEANUP(buf_done) struct buf buf;
    CLEANUP(closep) int fd = -1;
    size_t count = 0;

    buf_init(&buf, RENDER_GIVEN_MAX);
    for (uint32_t i = 0; i < job->wanted_count; i++) {
        count += job->pieces[i].len != 0 ? 1 : 0;
    }
    cbor_put_array(&buf, count);
    for (uint32_t i = 0; i < job->wanted_count; i++) {
        if (job->pieces[i].len != 0) {
            cbor_put_array(&buf, 3);
            cbor_put_bytes(&buf, str_from(job->wanted[i]));
            cbor_put_bytes(&buf, str_from(paint_type(job->wanted[i])));
            cbor_put_bytes(&buf, buf_str(&job->pieces[i]));
        }
    }
    if (count == 0 || buf_error(&buf) < 0) {
        return -1;
    }
    fd = memfd_create("given", MFD_CLOEXEC);
    return fd < 0 || fd_write_full(fd, buf.ptr, buf.len) < 0 ? -1 : TAKE_FD(fd);
}

static int paint_ask(struct fetch_paint *paint, const struct paint_job *job)
{
    struct msg_writer *msg = &paint->fetch->msg;
    CLEANUP(closep) int given = job->is_whole ? paint_bundle(job) : -1;
    const int fds[] = {job->body, given};
    int r;

    msg_begin(msg, RENDER_MESSAGE_ASK);
    msg_put_u64(msg, ++paint->number);
    msg_put_str(msg, str_from(job->url));
    msg_put_str(msg, str_from(job->charset));
    msg_put_u32(msg, job->view == SITE_VIEW_MOBILE ? 1 : 0);
    msg_put_u32(msg, given >= 0 ? 1 : 0);
    r = channel_send(paint->fetch->channels.render, msg, fds, given >= 0 ? 2 : 1);
    return r < 0 ? r : loop_source_set_timer(paint->late, RENDER_WAIT_SECONDS * NS_PER_S, 0);
}

static void paint_start(struct fetch_paint *paint)
{
    while (paint->job == NULL && !list_is_empty(&paint->waiting)) {
        paint->job = LIST_ENTRY(paint->waiting.next, struct paint_job, node);
        list_remove(&paint->job->node);
        paint->waiting_count--;
        if (paint_ask(paint, paint->job) < 0) {
            paint_job_free(TAKE_PTR(paint->job));
        }
    }
}

static void paint_on_piece(void *context, struct fetcher_answer *answer)
{
    struct fetch_paint *paint = context;
    struct paint_job *job = paint->job;
    struct buf *piece = &job->pieces[job->next++];

    job->get = NULL;
    if (answer->failure == SITE_FAILURE_NONE && answer->status == 200 && answer->body_fd >= 0 &&
        answer->size <= PAINT_PIECE_MAX && lseek(answer->body_fd, 0, SEEK_SET) == 0 &&
        fd_read_all(answer->body_fd, piece) < 0) {
        buf_reset(piece);
    }
    if (loop_source_set_timer(paint->pause, PAINT_PAUSE, 0) < 0) {
        paint_end(paint);
    }
}

static bool paint_is_own(const struct paint_job *job, const char *url)
{
    char whole[SITE_URL_MAX + 1];

    return url_canonical(str_from(url), whole, NULL) == 0 &&
           url_is_same_site(url_host(str_from(whole)), url_host(str_from(job->url)));
}

/* Asks for the next thing of the page's own site, or has it painted with all that came. */
static void paint_next_piece(struct fetch_paint *paint)
{
    struct paint_job *job = paint->job;

    for (; job->next < job->wanted_count; job->next++) {
        char whole[SITE_URL_MAX + 1];
        struct fetcher_request request = {.view = job->view,
                                          .is_private_own = job->is_private_own,
                                          .is_private_barred = job->is_private_barred};

        if (!paint_is_own(job, job->wanted[job->next]) ||
            url_canonical(str_from(job->wanted[job->next]), whole, NULL) < 0) {
            continue;
        }
        request.url = str_from(whole);
        if (fetcher_get(paint->fetch->fetcher, &request, paint_on_piece, paint, &job->get) == 0) {
            return;
        }
    }
    job->is_whole = true;
    if (paint_ask(paint, job) < 0) {
        paint_end(paint);
    }
}

static void paint_on_pause(void *context)
{
    struct fetch_paint *paint = context;

    if (paint->job != NULL && paint->job->get == NULL) {
        paint_next_piece(paint);
    }
}

/* 1: paint again with what the page asks for; 0: that was the picture. */
static int paint_take(struct fetch_paint *paint, struct paint_job *job)
{
    struct msg_reader *msg = &paint->fetch->packet.msg;
    struct str visual = msg_get_str(msg);
    uint32_t count = msg_get_u32(msg);
    uint32_t own = 0;

    if (visual.len != sizeof(job->visual) || count > RENDER_WANTED_MAX ||
        paint->fetch->packet.fd_count != 1) {
        return -ERR_PROTO;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct str url = msg_get_str(msg);

        if (url.len > RENDER_URL_MAX) {
            return -ERR_PROTO;
        }
        if (!job->is_whole) {
            (void)snprintf(job->wanted[i], sizeof(job->wanted[i]), "%.*s", STR_ARG(url));
            own += paint_is_own(job, job->wanted[i]) ? 1 : 0;
        }
    }
    if (msg_close(msg) < 0) {
        return -ERR_PROTO;
    }
    memcpy(job->visual, visual.ptr, visual.len);
    closep(&job->picture);
    job->picture = channel_packet_take(&paint->fetch->packet, 0);
    job->wanted_count = job->is_whole ? job->wanted_count : count;
    return own != 0 ? 1 : 0;
}

static void paint_on_answer(struct fetch_paint *paint)
{
    struct paint_job *job = paint->job;
    int r;

    if (job == NULL || msg_get_u64(&paint->fetch->packet.msg) != paint->number) {
        return; /* the late answer to a question that was given up */
    }
    (void)!loop_source_set_timer(paint->late, 0, 0);
    r = paint_take(paint, job);
    if (r == 1) {
        paint_next_piece(paint);
        return;
    }
    if (r == 0) {
        paint_tell(paint, job);
    } else {
        log_warn("an answer of render was refused error=%s", err_name(r));
    }
    paint_end(paint);
}

static void paint_on_packet(void *context, int fd, unsigned events)
{
    struct fetch_paint *paint = context;
    struct channel_packet *packet = &paint->fetch->packet;

    (void)events;
    if (channel_receive(fd, packet) < 0) {
        return;
    }
    if (packet->msg.type == RENDER_MESSAGE_READY) {
        if (paint->is_greeted && paint->job != NULL) {
            log_warn("a page ended the process that pictures it url=%s", paint->job->url);
            paint_end(paint);
        }
        paint->is_greeted = true;
    } else if (packet->msg.type == RENDER_MESSAGE_ANSWER) {
        paint_on_answer(paint);
    }
    channel_packet_done(packet);
}

static void paint_on_late(void *context)
{
    struct fetch_paint *paint = context;

    fetch_end_hung(paint->fetch, (uint32_t)paint->fetch->channels.reader_count);
    paint_end(paint);
}

int fetch_paint_new(struct fetch *fetch, struct fetch_paint **ret_paint)
{
    struct fetch_paint *paint;
    int r;

    if (fetch->channels.render < 0) {
        return 0;
    }
    paint = mem_alloc(1, sizeof(*paint));
    if (paint == NULL) {
        return -ERR_NOMEM;
    }
    paint->fetch = fetch;
    list_init(&paint->waiting);
    r = fd_set_nonblocking(fetch->channels.render, true);
    r = r < 0 ? r
              : loop_add_fd(fetch->loop, fetch->channels.render, LOOP_READ, paint_on_packet, paint,
                            &paint->source);
    r = r < 0 ? r : loop_add_timer(fetch->loop, paint_on_late, paint, &paint->late);
    r = r < 0 ? r : loop_add_timer(fetch->loop, paint_on_pause, paint, &paint->pause);
    if (r < 0) {
        fetch_paint_free(paint);
        return r;
    }
    *ret_paint = paint;
    return 0;
}

void fetch_paint_free(struct fetch_paint *paint)
{
    if (paint == NULL) {
        return;
    }
    LIST_EACH (node, &paint->waiting) {
        paint_job_free(LIST_ENTRY(node, struct paint_job, node));
    }
    paint_job_free(paint->job);
    loop_source_free(paint->source);
    loop_source_free(paint->late);
    loop_source_free(paint->pause);
    mem_free(paint);
}

bool fetch_paint_is_due(const struct fetch_watch *watch, const struct fetch_page *page,
                        enum site_view view)
{
    const struct fetch_paint *paint = watch->fetch->paint;
    int64_t rest = (int64_t)map_count(&watch->fetch->watches) * PAINT_EACH;

    if (paint == NULL || page->kind != SITE_PAGE_LISTED || view != SITE_VIEW_DESKTOP) {
        return false;
    }
    if (watch->fetch->options.is_once) {
        return page->painted == 0;
    }
    rest = rest > PAINT_LEAST ? rest : PAINT_LEAST;
    return watch->must_paint ||
           (paint->waiting_count == 0 &&
            (page->painted == 0 || clock_mono(watch->fetch->clock) - page->painted >= rest));
}

static bool paint_is_odd(const struct fetch_look *look)
{
    return look->check.verdict >= SITE_VERDICT_YELLOW && look->page->kind <= SITE_PAGE_LINKED &&
           memcmp(look->page->odd_sha256, look->check.body_sha256,
                  sizeof(look->page->odd_sha256)) != 0;
}

static struct paint_job *paint_job_new(const struct fetch_look *look)
{
    struct paint_job *job = mem_alloc(1, sizeof(*job));

    if (job == NULL) {
        return NULL;
    }
    *job = (struct paint_job){.site = look->watch->number,
                              .view = look->view,
                              .time = look->check.time,
                              .body = fcntl(look->body, F_DUPFD_CLOEXEC, 0),
                              .is_private_own = look->watch->facts.place == FACTS_PLACE_PRIVATE,
                              .is_private_barred = look->watch->facts.place == FACTS_PLACE_PUBLIC,
                              .picture = -1};
    (void)snprintf(job->url, sizeof(job->url), "%s", look->page->url);
    (void)snprintf(job->charset, sizeof(job->charset), "%s", look->charset);
    for (uint32_t i = 0; i < RENDER_WANTED_MAX; i++) {
        buf_init(&job->pieces[i], PAINT_PIECE_MAX);
    }
    if (job->body < 0) {
        paint_job_free(job);
        return NULL;
    }
    return job;
}

void fetch_paint_consider(struct fetch_look *look)
{
    struct fetch_paint *paint = look->watch->fetch->paint;
    bool is_odd = paint != NULL && paint_is_odd(look);
    unsigned room = look->watch->fetch->options.is_once ? PAINT_ONCE : PAINT_WAITING;
    struct paint_job *job;

    if (paint == NULL || look->body < 0 || look->check.status != 200 ||
        look->check.size > RENDER_BODY_MAX || paint->waiting_count >= room ||
        !(is_odd || fetch_paint_is_due(look->watch, look->page, look->view))) {
        return;
    }
    job = paint_job_new(look);
    if (job == NULL) {
        return;
    }
    if (is_odd) {
        memcpy(look->page->odd_sha256, look->check.body_sha256, sizeof(look->page->odd_sha256));
        list_insert_before(paint->waiting.next, &job->node);
    } else {
        look->watch->must_paint = false;
        look->page->painted = clock_mono(look->watch->fetch->clock);
        list_append(&paint->waiting, &job->node);
    }
    paint->waiting_count++;
    paint_start(paint);
}
