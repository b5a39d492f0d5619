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

#define JSON_MAX    (48U << 20) /* SEARCHER_EVENTS_MAX events of the longest kind, escaped */
#define ARENA_LIMIT (8U << 20)

struct searcher_count {
    int64_t time;
    uint64_t count;
};

struct searcher_job {
    struct list node;
    void *job;                   /* NULL: forgotten */
    struct searcher_query query; /* its text is not looked at; its rule is the arena's */
    struct arena *arena;         /* of the terms */
    struct terms terms;
    _Atomic bool is_canceled;
    struct diag diag;
    struct searcher_answer answer;
    struct buf json;
    struct json_writer writer;
    size_t shown;
    uint64_t found;
    struct searcher_count counts[SEARCHER_COUNTS_MAX]; /* newest first */
    size_t count_count;
    struct archive_damages damages;
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
    struct searcher_options options;
    /* the thread's own */
    struct sifter *sifter;
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

static void job_show(struct searcher_job *job, const struct id *id, struct str host,
                     const struct event *event)
{
    struct json_writer *json = &job->writer;
    char text[ID_TEXT_SIZE];

    job->shown++;
    id_format(id, text);
    json_open_object(json);
    json_put_key(json, "host");
    json_put_text(json, text);
    json_put_key(json, "host_name");
    json_put_str(json, host);
    json_put_key(json, "event");
    event_write_json(event, json);
    json_close_object(json);
}

/* Ends the turn when there is no room for another step: the next one goes on from here. */
static int job_count(struct searcher_job *job, int64_t time)
{
    int64_t start = time - time % job->query.step;
    struct searcher_count *last = &job->counts[job->count_count - (job->count_count != 0)];

    if (job->count_count == 0 || last->time != start) {
        if (job->count_count == SEARCHER_COUNTS_MAX) {
            return -ERR_LIMIT;
        }
        last = &job->counts[job->count_count++];
        *last = (struct searcher_count){.time = start};
    }
    last->count++;
    return 0;
}

static int searcher_put(void *context, const struct id *id, struct str host,
                        const struct event *event)
{
    struct searcher_job *job = context;
    int r = job->query.step != 0 ? job_count(job, event->time) : 0;

    if (r < 0) {
        return r;
    }
    job->found++;
    if (job->shown < job->query.limit) {
        job_show(job, id, host, event);
    }
    return buf_error(&job->json);
}

static void job_write_time(struct json_writer *json, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    json_put_key(json, key);
    json_put_text(json, text);
}

static void job_write_counts(struct searcher_job *job)
{
    struct json_writer *json = &job->writer;

    json_put_key(json, "counts");
    json_open_array(json);
    for (size_t i = 0; i < job->count_count; i++) {
        json_open_object(json);
        job_write_time(json, "time", job->counts[i].time);
        json_put_key(json, "count");
        json_put_u64(json, job->counts[i].count);
        json_close_object(json);
    }
    json_close_array(json);
}

/* What was passed over: the screen says it once, however many turns met it. */
static void job_write_damages(struct searcher_job *job)
{
    struct json_writer *json = &job->writer;
    char file[ARCHIVE_FILE_SIZE];

    json_put_key(json, "damages");
    json_open_array(json);
    for (size_t i = 0; i < job->damages.count; i++) {
        const struct archive_damage *damage = &job->damages.list[i];

        archive_file(damage, file);
        json_open_object(json);
        json_put_key(json, "file");
        json_put_text(json, file);
        json_put_key(json, "block");
        json_put_i64(json, damage->block);
        job_write_time(json, "from", damage->first);
        job_write_time(json, "to", damage->last);
        json_put_key(json, "entries");
        json_put_u64(json, damage->entries);
        json_close_object(json);
    }
    json_close_array(json);
    json_put_key(json, "more_damages");
    json_put_bool(json, job->damages.has_more);
}

/* What stands behind the events. is_more: next says where to go on. */
static void job_write_rest(struct searcher_job *job, const struct sifter *sifter, bool is_more,
                           const struct find_cursor *next)
{
    struct json_writer *json = &job->writer;
    char text[FIND_CURSOR_SIZE];

    job_write_counts(job);
    job_write_damages(job);
    json_put_key(json, "found");
    json_put_u64(json, job->found);
    json_put_key(json, "unread");
    json_put_u64(json, sifter != NULL ? sifter->unread : 0);
    json_put_key(json, "title");
    json_put_text(json, sifter != NULL ? sifter->title : "");
    job_write_time(json, "reached", is_more ? next->time : job->query.from);
    json_put_key(json, "next");
    if (is_more) {
        find_cursor_format(next, text);
        json_put_text(json, text);
    } else {
        json_put_null(json);
    }
}

static int draft_found(void *context, const struct id *id, struct str host,
                       const struct event *event)
{
    (void)context;
    (void)id;
    (void)host;
    (void)event;
    return 0;
}

/* Looks for one event, whose entry lends the rule its log source and names of fields. */
static int searcher_draft(struct searcher *searcher, struct searcher_job *job)
{
    struct sifter *sifter = searcher->sifter;
    const struct find_reader reader = {
        .judge = sifter_judge, .context = sifter, .is_thorough = true};
    const struct find_query query = {.terms = &job->terms,
                                     .reader = &reader,
                                     .from = job->query.from,
                                     .cursor = job->query.cursor,
                                     .limit = 1,
                                     .until = clock_mono(&clock_real) + SEARCHER_TURN,
                                     .is_canceled = &job->is_canceled,
                                     .damages = &job->damages};
    char id[ID_TEXT_SIZE];
    struct find_cursor next;
    struct id fresh;
    int r = sifter == NULL ? -ERR_NOENT : id_new(&fresh);

    if (r < 0) {
        return r;
    }
    id_format(&fresh, id);
    buf_reset(&sifter->draft);
    sifter->rule = STR("");
    sifter->draft_id = str_from(id);
    r = find_events(searcher->archive, searcher->store, searcher->arena, &query, &next, draft_found,
                    NULL);
    if (r >= 0 && sifter->draft.len == 0) {
        r = sifter_draft(sifter, &job->terms);
    }
    sifter->draft_id = STR("");
    job->diag = sifter->diag;
    if (r < 0) {
        return r;
    }
    json_begin(&job->writer, &job->json);
    json_open_object(&job->writer);
    json_put_key(&job->writer, "rule");
    json_put_str(&job->writer, buf_str(&sifter->draft));
    json_close_object(&job->writer);
    return buf_error(&job->json);
}

static int searcher_write(struct searcher *searcher, struct searcher_job *job)
{
    struct sifter *sifter = searcher->sifter;
    const struct find_reader reader = {
        .judge = sifter_judge, .context = sifter, .is_rule = job->query.rule.len != 0};
    const struct find_query query = {.terms = &job->terms,
                                     .reader = sifter != NULL ? &reader : NULL,
                                     .from = job->query.from,
                                     .cursor = job->query.cursor,
                                     .limit = job->query.step != 0 ? SIZE_MAX : job->query.limit,
                                     .until = clock_mono(&clock_real) + SEARCHER_TURN,
                                     .is_canceled = &job->is_canceled,
                                     .damages = &job->damages};
    struct find_cursor next;
    int r;

    if (sifter != NULL) {
        sifter->rule = job->query.rule;
        sifter->unread = 0;
        sifter->title[0] = '\0';
    }
    json_begin(&job->writer, &job->json);
    json_open_object(&job->writer);
    json_put_key(&job->writer, "items");
    json_open_array(&job->writer);
    r = find_events(searcher->archive, searcher->store, searcher->arena, &query, &next,
                    searcher_put, job);
    if (r == -ERR_LIMIT && job->count_count == SEARCHER_COUNTS_MAX) {
        r = 1; /* the event that was one too many waits behind the cursor */
    }
    json_close_array(&job->writer);
    job_write_rest(job, sifter, r == 1, &next);
    json_close_object(&job->writer);
    job->diag = sifter != NULL ? sifter->diag : (struct diag){0};
    return r < 0 ? r : buf_error(&job->json);
}

static int searcher_open_sifter(struct searcher *searcher)
{
    if (searcher->options.sifter < 0 || searcher->sifter != NULL) {
        return 0;
    }
    searcher->sifter = mem_alloc(1, sizeof(*searcher->sifter));
    if (searcher->sifter == NULL) {
        return -ERR_NOMEM;
    }
    sifter_init(searcher->sifter, searcher->options.sifter);
    return 0;
}

static int searcher_open(struct searcher *searcher)
{
    int r = searcher_open_sifter(searcher);

    if (r == 0 && searcher->arena == NULL) {
        r = arena_new(ARENA_LIMIT, &searcher->arena);
    }
    if (r == 0 && searcher->archive == NULL) {
        r = archive_open(&(struct archive_options){.folder = searcher->options.folder,
                                                   .is_read_only = true,
                                                   .clock = searcher->options.clock},
                         &searcher->archive, NULL);
    }
    if (r == 0 && searcher->store == NULL) {
        r = store_open(&(struct store_options){.folder = searcher->options.folder,
                                               .is_read_only = true,
                                               .clock = searcher->options.clock},
                       &searcher->store, NULL);
    }
    return r;
}

static void searcher_do(struct searcher *searcher, struct searcher_job *job)
{
    int r = searcher_open(searcher);

    if (r == 0) {
        arena_reset(searcher->arena);
        if (searcher->sifter != NULL) {
            searcher->sifter->diag = (struct diag){0};
        }
        r = job->query.is_draft ? searcher_draft(searcher, job) : searcher_write(searcher, job);
    }
    job->answer =
        (struct searcher_answer){.result = r, .diag = &job->diag, .json = buf_str(&job->json)};
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
            searcher->options.done(searcher->options.context, job->job, &job->answer);
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

int searcher_new(struct loop *loop, const struct searcher_options *options,
                 struct searcher **ret_searcher)
{
    struct searcher *searcher = mem_alloc(1, sizeof(*searcher));
    int r;

    if (searcher == NULL) {
        return -ERR_NOMEM;
    }
    searcher->options = *options;
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
    if (searcher->sifter != NULL) {
        sifter_done(searcher->sifter);
        mem_free(searcher->sifter);
    }
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
    r = arena_new(8 * TERMS_TEXT_MAX + SIFTER_RULE_MAX + 4096, &fresh->arena);
    r = r < 0 ? r : terms_parse(query->typed, fresh->arena, &fresh->terms, diag);
    if (r == 0) {
        fresh->query.rule = arena_copy(fresh->arena, query->rule);
        r = fresh->query.rule.ptr == NULL ? -ERR_NOMEM : 0;
    }
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

        if (waiting->job == job) {
            waiting->job = NULL;
            waiting->is_canceled = true;
        }
    }
}

void searcher_forget(struct searcher *searcher, const void *job)
{
    pthread_mutex_lock(&searcher->lock);
    searcher_forget_in(&searcher->todo, job);
    searcher_forget_in(&searcher->done, job);
    if (searcher->in_hand != NULL && searcher->in_hand->job == job) {
        searcher->in_hand->job = NULL;
        searcher->in_hand->is_canceled = true;
    }
    pthread_mutex_unlock(&searcher->lock);
}
