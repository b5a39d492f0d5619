/* Neighbours: centre/api/search.c asks, store/find.h answers. Invariants: the
 * thread touches nothing but its queue and its own handles; a job that was forgotten is finished
 * and thrown away. */
#include "centre/searcher.h"

#include "base/arena.h"
#include "base/banned.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "codec/json.h"
#include "model/terms.h"
#include "store/find.h"
#include "sys/fd.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define JSON_MAX    (16U << 20)
#define ARENA_LIMIT (8U << 20)
#define CURSOR_SIZE 48

struct searcher_job {
    struct list node;
    void *job;                   /* NULL: forgotten */
    struct searcher_query query; /* its text is not looked at */
    struct arena *arena;         /* of the terms */
    struct terms terms;
    struct searcher_answer answer;
    struct buf json;
};

struct searcher {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list todo;
    struct list done;
    struct searcher_job *in_hand;
    size_t waiting; /* loop's thread only */
    bool is_ending;
    int event;
    struct loop_source *source;
    searcher_done_fn *fn;
    void *context;
    /* the thread's own */
    const char *folder;
    const struct clock *clock;
    struct archive *archive;
    struct store *store;
    struct arena *arena;
};

static void searcher_job_free(struct searcher_job *job)
{
    buf_done(&job->json);
    arena_free(job->arena);
    mem_free(job);
}

static int searcher_put(void *context, const struct id *id, struct str host,
                        const struct event *event)
{
    struct json_writer *json = context;
    char text[ID_TEXT_SIZE];

    id_format(id, text);
    json_open_object(json);
    json_put_key(json, "host");
    json_put_text(json, text);
    json_put_key(json, "host_name");
    json_put_str(json, host);
    json_put_key(json, "event");
    event_write_json(event, json);
    json_close_object(json);
    return buf_error(json->buf);
}

static int searcher_write(struct searcher *searcher, struct searcher_job *job)
{
    const struct find_query query = {.terms = &job->terms,
                                     .from = job->query.from,
                                     .cursor = job->query.cursor,
                                     .limit = job->query.limit};
    struct find_cursor next;
    struct json_writer json;
    int r;

    json_begin(&json, &job->json);
    json_open_object(&json);
    json_put_key(&json, "items");
    json_open_array(&json);
    r = find_events(searcher->archive, searcher->store, searcher->arena, &query, &next,
                    searcher_put, &json);
    json_close_array(&json);
    json_put_key(&json, "next");
    if (r == 1) {
        char text[CURSOR_SIZE];

        (void)snprintf(text, sizeof(text), "%lld.%llu", (long long)next.time,
                       (unsigned long long)next.pass);
        json_put_text(&json, text);
    } else {
        json_put_null(&json);
    }
    json_close_object(&json);
    return r < 0 ? r : buf_error(&job->json);
}

static int searcher_open(struct searcher *searcher)
{
    int r = 0;

    if (searcher->arena == NULL) {
        r = arena_new(ARENA_LIMIT, &searcher->arena);
    }
    if (r == 0 && searcher->archive == NULL) {
        r = archive_open(&(struct archive_options){.folder = searcher->folder,
                                                   .is_read_only = true,
                                                   .clock = searcher->clock},
                         &searcher->archive, NULL);
    }
    if (r == 0 && searcher->store == NULL) {
        r = store_open(&(struct store_options){.folder = searcher->folder,
                                               .is_read_only = true,
                                               .clock = searcher->clock},
                       &searcher->store, NULL);
    }
    return r;
}

static void searcher_do(struct searcher *searcher, struct searcher_job *job)
{
    int r = searcher_open(searcher);

    if (r == 0) {
        arena_reset(searcher->arena);
        r = searcher_write(searcher, job);
    }
    job->answer = (struct searcher_answer){.result = r, .json = buf_str(&job->json)};
}

static void *searcher_main(void *context)
{
    struct searcher *searcher = context;
    uint64_t one = 1;

    pthread_mutex_lock(&searcher->lock);
    while (!searcher->is_ending) {
        struct searcher_job *job;

        if (list_is_empty(&searcher->todo)) {
            pthread_cond_wait(&searcher->wake, &searcher->lock);
            continue;
        }
        job = LIST_ENTRY(searcher->todo.next, struct searcher_job, node);
        list_remove(&job->node);
        searcher->in_hand = job;
        pthread_mutex_unlock(&searcher->lock);
        searcher_do(searcher, job);
        pthread_mutex_lock(&searcher->lock);
        searcher->in_hand = NULL;
        list_append(&searcher->done, &job->node);
        (void)!write(searcher->event, &one, sizeof(one)); /* cannot fail: it counts to 2^64 */
    }
    pthread_mutex_unlock(&searcher->lock);
    return NULL;
}

static struct searcher_job *searcher_take_done(struct searcher *searcher)
{
    struct searcher_job *job = NULL;

    pthread_mutex_lock(&searcher->lock);
    if (!list_is_empty(&searcher->done)) {
        job = LIST_ENTRY(searcher->done.next, struct searcher_job, node);
        list_remove(&job->node);
    }
    pthread_mutex_unlock(&searcher->lock);
    return job;
}

static void searcher_on_event(void *context, int fd, unsigned events)
{
    struct searcher *searcher = context;
    struct searcher_job *job;
    uint64_t count;

    (void)events;
    (void)!read(fd, &count, sizeof(count));
    while ((job = searcher_take_done(searcher)) != NULL) {
        searcher->waiting--;
        if (job->job != NULL) {
            searcher->fn(searcher->context, job->job, &job->answer);
        }
        searcher_job_free(job);
    }
}

static int searcher_start(struct searcher *searcher, struct loop *loop)
{
    int r;

    searcher->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (searcher->event < 0) {
        return -errno;
    }
    r = loop_add_fd(loop, searcher->event, LOOP_READ, searcher_on_event, searcher,
                    &searcher->source);
    return r < 0 ? r : -pthread_create(&searcher->thread, NULL, searcher_main, searcher);
}

int searcher_new(struct loop *loop, const char *folder, const struct clock *clock,
                 searcher_done_fn *done, void *context, struct searcher **ret_searcher)
{
    struct searcher *searcher = mem_alloc(1, sizeof(*searcher));
    int r;

    if (searcher == NULL) {
        return -ERR_NOMEM;
    }
    searcher->folder = folder;
    searcher->clock = clock;
    searcher->fn = done;
    searcher->context = context;
    searcher->event = -1;
    list_init(&searcher->todo);
    list_init(&searcher->done);
    pthread_mutex_init(&searcher->lock, NULL);
    pthread_cond_init(&searcher->wake, NULL);
    r = searcher_start(searcher, loop);
    if (r < 0) {
        loop_source_free(searcher->source);
        closep(&searcher->event);
        mem_free(searcher);
        return r;
    }
    *ret_searcher = searcher;
    return 0;
}

static void searcher_drop(struct list *jobs)
{
    LIST_EACH (node, jobs) {
        list_remove(node);
        searcher_job_free(LIST_ENTRY(node, struct searcher_job, node));
    }
}

void searcher_free(struct searcher *searcher)
{
    if (searcher == NULL) {
        return;
    }
    pthread_mutex_lock(&searcher->lock);
    searcher->is_ending = true;
    pthread_cond_signal(&searcher->wake);
    pthread_mutex_unlock(&searcher->lock);
    (void)pthread_join(searcher->thread, NULL);
    searcher_drop(&searcher->todo);
    searcher_drop(&searcher->done);
    archive_close(searcher->archive);
    store_close(searcher->store);
    arena_free(searcher->arena);
    loop_source_free(searcher->source);
    closep(&searcher->event);
    pthread_cond_destroy(&searcher->wake);
    pthread_mutex_destroy(&searcher->lock);
    mem_free(searcher);
}

int searcher_ask(struct searcher *searcher, const struct searcher_query *query, void *job,
                 struct diag *diag)
{
    struct searcher_job *fresh;
    int r;

    if (searcher->waiting == SEARCHER_QUEUE_MAX) {
        return -ERR_BUSY;
    }
    fresh = mem_alloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        return -ERR_NOMEM;
    }
    fresh->job = job;
    fresh->query = *query;
    buf_init(&fresh->json, JSON_MAX);
    r = arena_new(4 * TERMS_TEXT_MAX + 4096, &fresh->arena);
    r = r < 0 ? r : terms_parse(query->typed, fresh->arena, &fresh->terms, diag);
    if (r < 0) {
        searcher_job_free(fresh);
        return r;
    }
    searcher->waiting++;
    pthread_mutex_lock(&searcher->lock);
    list_append(&searcher->todo, &fresh->node);
    pthread_cond_signal(&searcher->wake);
    pthread_mutex_unlock(&searcher->lock);
    return 0;
}

static void searcher_forget_in(struct list *jobs, const void *job)
{
    LIST_EACH (node, jobs) {
        struct searcher_job *waiting = LIST_ENTRY(node, struct searcher_job, node);

        waiting->job = waiting->job == job ? NULL : waiting->job;
    }
}

void searcher_forget(struct searcher *searcher, const void *job)
{
    pthread_mutex_lock(&searcher->lock);
    searcher_forget_in(&searcher->todo, job);
    searcher_forget_in(&searcher->done, job);
    if (searcher->in_hand != NULL && searcher->in_hand->job == job) {
        searcher->in_hand->job = NULL;
    }
    pthread_mutex_unlock(&searcher->lock);
}
