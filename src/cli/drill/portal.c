/* The demo portal's server: see cli/drill/portal.h. On its way: drill/pages.c writes files → here,
 * filled in for each request → whoever watches. Invariants: listens on loopback only, opens nothing
 * outside the scratch folder, answers GET and HEAD. */
#include "cli/drill/portal.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/time.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#define PORTAL_CONNECTIONS 256
#define PORTAL_NAME_MAX    256
#define PORTAL_LOCAL_S     25200

struct portal {
    const struct drill_folder *folder;
    struct MHD_Daemon *daemon;
    atomic_uint_fast64_t hits;
    pthread_mutex_t lock; /* of prng */
    struct prng prng;
    char url[PORTAL_URL_MAX];
};

static const char *const portal_banners[] = {
    "Chuyển đổi số: người dân là trung tâm", "Phòng chống thiên tai năm 2026",
    "Chung tay cải cách hành chính", "Tiêm chủng mở rộng: đúng lịch, đủ mũi"};

/* What a {{word}} of a page stands for; nothing for an unknown one. */
static void portal_put_word(struct portal *portal, struct str word, struct buf *out)
{
    char when[TIME_TEXT_SIZE];
    uint64_t number;

    pthread_mutex_lock(&portal->lock);
    number = prng_next(&portal->prng);
    pthread_mutex_unlock(&portal->lock);
    if (str_is(word, STR("time"))) {
        time_format_offset(clock_wall(&clock_real), PORTAL_LOCAL_S, when);
        (void)buf_put_text(out, when);
    } else if (str_is(word, STR("visitors"))) {
        (void)buf_putf(out, "%llu", 1048576ULL + atomic_load(&portal->hits));
    } else if (str_is(word, STR("token"))) {
        (void)buf_putf(out, "%016llx", (unsigned long long)number);
    } else if (str_is(word, STR("banner"))) {
        (void)buf_put_text(out, portal_banners[number % ARRAY_LEN(portal_banners)]);
    }
}

/* {{word}} … */
static void portal_fill_in(struct portal *portal, struct str page, struct buf *out)
{
    while (page.len != 0) {
        size_t open = str_find(page, STR("{{"));
        struct str rest = str_slice(page, open + 2, page.len);
        size_t close = str_find(rest, STR("}}"));

        (void)buf_put_str(out, str_slice(page, 0, open));
        if (open < page.len) {
            portal_put_word(portal, str_slice(rest, 0, close), out);
        }
        page = str_slice(rest, close + 2, rest.len);
    }
}

static int portal_read(const struct portal *portal, const char *name, struct buf *page)
{
    CLEANUP(closep) int fd = fd_open_beneath(portal->folder->fd, name, O_RDONLY, 0);

    return fd < 0 ? fd : fd_read_all(fd, page);
}

/* The page as this visitor is shown it. */
static int portal_find(const struct portal *portal, struct MHD_Connection *connection,
                       const char *path, struct buf *page)
{
    const char *agent = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "User-Agent");
    const char *referrer = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Referer");
    const char *name = path[1] != '\0' ? path + 1 : PORTAL_HOME;
    char cloaked[PORTAL_NAME_MAX];
    int r = -ERR_NOENT;

    if (agent != NULL && strstr(agent, "Googlebot") != NULL) {
        (void)snprintf(cloaked, sizeof(cloaked), "%s.crawler", name);
        r = portal_read(portal, cloaked, page);
    } else if (referrer != NULL && strstr(referrer, "google.") != NULL) {
        (void)snprintf(cloaked, sizeof(cloaked), "%s.search", name);
        r = portal_read(portal, cloaked, page);
    }
    return r == -ERR_NOENT ? portal_read(portal, name, page) : r;
}

static enum MHD_Result portal_answer(struct MHD_Connection *connection, unsigned status,
                                     struct str body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* libmicrohttpd wants eight. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result portal_on_request(void *context, struct MHD_Connection *connection,
                                         const char *path, const char *method, const char *version,
                                         const char *upload, size_t *upload_size, void **request)
{
    static int seen;
    struct portal *portal = context;
    struct buf page;
    struct buf out;
    enum MHD_Result result;
    bool is_found;

    (void)version;
    (void)upload;
    (void)upload_size;
    if (*request == NULL) { /* answered in the first call, the connection would not be kept */
        *request = &seen;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return portal_answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, STR("405"));
    }
    atomic_fetch_add(&portal->hits, 1);
    buf_init(&page, PORTAL_PAGE_MAX);
    buf_init(&out, 2 * PORTAL_PAGE_MAX);
    is_found = portal_find(portal, connection, path, &page) == 0;
    portal_fill_in(portal, is_found ? buf_str(&page) : STR("<h1>Không tìm thấy trang</h1>"), &out);
    result = portal_answer(connection, is_found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, buf_str(&out));
    buf_done(&page);
    buf_done(&out);
    return result;
}

static int portal_listen(struct portal *portal)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const union MHD_DaemonInfo *info;

    portal->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, NULL,
                                      NULL, portal_on_request, portal, MHD_OPTION_SOCK_ADDR,
                                      (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
                                      (unsigned)PORTAL_CONNECTIONS, MHD_OPTION_END);
    if (portal->daemon == NULL) {
        return errno != 0 ? -errno : -ERR_NOMEM;
    }
    info = MHD_get_daemon_info(portal->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (info == NULL) {
        return -ERR_OPNOTSUPP;
    }
    (void)snprintf(portal->url, sizeof(portal->url), "http://127.0.0.1:%u/", info->port);
    return 0;
}

int portal_start(const struct drill_folder *folder, uint64_t seed, struct portal **ret_portal)
{
    struct portal *portal = mem_alloc(1, sizeof(*portal));
    int r;

    if (portal == NULL) {
        return -ERR_NOMEM;
    }
    portal->folder = folder;
    prng_init(&portal->prng, seed);
    (void)pthread_mutex_init(&portal->lock, NULL);
    r = portal_listen(portal);
    if (r < 0) {
        portal_stop(portal);
        return r;
    }
    *ret_portal = portal;
    return 0;
}

void portal_stop(struct portal *portal)
{
    if (portal == NULL) {
        return;
    }
    if (portal->daemon != NULL) {
        MHD_stop_daemon(portal->daemon);
    }
    (void)pthread_mutex_destroy(&portal->lock);
    mem_free(portal);
}

const char *portal_url(const struct portal *portal)
{
    return portal->url;
}

uint64_t portal_hits(const struct portal *portal)
{
    return atomic_load(&portal->hits);
}
