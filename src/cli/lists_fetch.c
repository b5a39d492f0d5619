/* Neighbours: cli/lists_folder.c asks, libcurl brings. A list decides what is called an attack, so
 * a page that is led to from a protected connection must be protected too. */
#include "cli/lists_fetch.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "base/text.h"
#include "cli/command.h"
#include "codec/feed.h"
#include "sys/fd.h"
#include "sys/sandbox.h"
#include "sys/spawn.h"

#include <curl/curl.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_SECONDS 20L
#define WHOLE_SECONDS   300L
#define SLOW_BYTES      1000L /* a second, over SLOW_SECONDS: given up */
#define SLOW_SECONDS    30L
#define REDIRECTS_MAX   5L

struct fetch_job {
    const char *url;
    int target;
    size_t size;
    bool is_too_large;
};

bool lists_is_url(const char *file)
{
    struct str text = str_from(file);

    return str_has_prefix(text, STR("https://")) || str_has_prefix(text, STR("http://"));
}

static size_t fetch_take(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch_job *job = context;
    size_t len = size * count;

    job->is_too_large = len > FEED_SIZE_MAX - job->size;
    if (job->is_too_large || fd_write_full(job->target, bytes, len) < 0) {
        return 0;
    }
    job->size += len;
    return len;
}

static CURLcode fetch_perform(CURL *easy, struct fetch_job *job, char *error)
{
    bool is_protected = str_has_prefix(str_from(job->url), STR("https://"));

    curl_easy_setopt(easy, CURLOPT_URL, job->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_protected ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, WHOLE_SECONDS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "canhgac/" CANHGAC_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fetch_take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    return curl_easy_perform(easy);
}

static int fetch_enter(void)
{
    /* what name service and certificates need to be looked up */
    static const struct sandbox_path paths[] = {
        {"/etc", SANDBOX_READ}, {"/usr", SANDBOX_READ}, {"/run", SANDBOX_READ}};
    const struct sandbox sandbox = {.user = geteuid() == 0 ? "nobody" : NULL,
                                    .paths = paths,
                                    .path_count = sizeof(paths) / sizeof(paths[0]),
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_FILES |
                                             SANDBOX_CALLS_NETWORK | SANDBOX_CALLS_THREADS};
    struct diag diag = {{0}};
    int r = sandbox_enter(&sandbox, NULL, &diag);

    return r < 0 ? command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r)) : 0;
}

static int fetch_body(void *context)
{
    struct fetch_job *job = context;
    char error[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_FAILED_INIT;
    int r = fetch_enter();
    CURL *easy;

    if (r != 0) {
        return r;
    }
    easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (easy != NULL) {
        code = fetch_perform(easy, job, error);
        curl_easy_cleanup(easy);
    }
    if (job->is_too_large) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("%s: is longer than %u bytes; what was there before stays"), job->url,
                            FEED_SIZE_MAX);
    }
    return code == CURLE_OK
               ? 0
               : command_fail(EXIT_STATUS_FAILED,
                              _("%s could not be brought: %s; what was there before stays"),
                              job->url, error[0] != '\0' ? error : curl_easy_strerror(code));
}

int lists_fetch(const char *url, int *ret_fd)
{
    CLEANUP(closep) int target = memfd_create("list", MFD_CLOEXEC);
    struct fetch_job job = {.url = url, .target = target};
    int status = 0;
    pid_t pid;
    int r = target < 0 ? -errno : spawn_body("fetch", &target, 1, fetch_body, &job, &pid);

    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("no process could be started: %s"), err_text(r));
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return command_fail(EXIT_STATUS_FAILED, "%s", err_text(-errno));
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return EXIT_STATUS_FAILED; /* it said why */
    }
    if (lseek(target, 0, SEEK_SET) < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(-errno));
    }
    *ret_fd = TAKE_FD(target);
    return 0;
}
