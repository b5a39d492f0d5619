/* The password thread. Neighbours: core/login.c and core/user.c ask, their continuations get the
 * answer. Invariants: the thread touches nothing but its queue; secrets are wiped as soon as they
 * were used. */
#include "centre/worker.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "sys/fd.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define WORKER_QUEUE_MAX 16

struct worker_job {
    struct list node;
    void *job;
    char password[PASSWORD_MAX_BYTES + 1];
    char encoded[PASSWORD_ENCODED_SIZE];
    char fresh[PASSWORD_MAX_BYTES + 1];
    size_t password_len;
    size_t fresh_len;
    struct worker_answer answer;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list todo;
    struct list done;
    size_t waiting; /* loop's thread only */
    bool is_ending;
    int event;
    struct loop_source *source;
    worker_done_fn *fn;
    void *context;
};

static void worker_job_free(struct worker_job *job)
{
    mem_wipe(job, sizeof(*job));
    mem_free(job);
}

static void worker_do(struct worker_job *job)
{
    struct str password = str_of(job->password, job->password_len);

    job->answer.is_password = job->password_len == 0 && job->encoded[0] == '\0'
                                  ? true
                                  : password_is(password, job->encoded);
    if (job->answer.is_password && job->fresh_len != 0) {
        job->answer.hash_result =
            password_hash(str_of(job->fresh, job->fresh_len), job->answer.encoded);
    }
    mem_wipe(job->password, sizeof(job->password));
    mem_wipe(job->fresh, sizeof(job->fresh));
}

static void *worker_main(void *context)
{
    struct worker *worker = context;
    uint64_t one = 1;

    pthread_mutex_lock(&worker->lock);
    while (!worker->is_ending) {
        struct worker_job *job;

        if (list_is_empty(&worker->todo)) {
            pthread_cond_wait(&worker->wake, &worker->lock);
            continue;
        }
        job = LIST_ENTRY(worker->todo.next, struct worker_job, node);
        list_remove(&job->node);
        pthread_mutex_unlock(&worker->lock);
        worker_do(job);
        pthread_mutex_lock(&worker->lock);
        list_append(&worker->done, &job->node);
        (void)!write(worker->event, &one, sizeof(one)); /* cannot fail: it counts to 2^64 */
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static struct worker_job *worker_take_done(struct worker *worker)
{
    struct worker_job *job = NULL;

    pthread_mutex_lock(&worker->lock);
    if (!list_is_empty(&worker->done)) {
        job = LIST_ENTRY(worker->done.next, struct worker_job, node);
        list_remove(&job->node);
    }
    pthread_mutex_unlock(&worker->lock);
    return job;
}

static void worker_on_event(void *context, int fd, unsigned events)
{
    struct worker *worker = context;
    struct worker_job *job;
    uint64_t count;

    (void)events;
    (void)!read(fd, &count, sizeof(count));
    while ((job = worker_take_done(worker)) != NULL) {
        worker->waiting--;
        worker->fn(worker->context, job->job, &job->answer);
        worker_job_free(job);
    }
}

static int worker_start(struct worker *worker, struct loop *loop)
{
    int r;

    worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->event < 0) {
        return -errno;
    }
    r = loop_add_fd(loop, worker->event, LOOP_READ, worker_on_event, worker, &worker->source);
    if (r < 0) {
        return r;
    }
    return -pthread_create(&worker->thread, NULL, worker_main, worker);
}

int worker_new(struct loop *loop, worker_done_fn *done, void *context, struct worker **ret_worker)
{
    struct worker *worker = mem_alloc(1, sizeof(*worker));
    int r;

    if (worker == NULL) {
        return -ERR_NOMEM;
    }
    worker->fn = done;
    worker->context = context;
    list_init(&worker->todo);
    list_init(&worker->done);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, NULL);
    r = worker_start(worker, loop);
    if (r < 0) {
        loop_source_free(worker->source);
        closep(&worker->event);
        mem_free(worker);
        return r;
    }
    *ret_worker = worker;
    return 0;
}

static void worker_drop_list(struct list *jobs)
{
    LIST_EACH (node, jobs) {
        struct worker_job *job = LIST_ENTRY(node, struct worker_job, node);

        list_remove(&job->node);
        worker_job_free(job);
    }
}

void worker_free(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    pthread_mutex_lock(&worker->lock);
    worker->is_ending = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    worker_drop_list(&worker->todo);
    worker_drop_list(&worker->done);
    loop_source_free(worker->source);
    closep(&worker->event);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    mem_free(worker);
}

int worker_ask(struct worker *worker, struct str password, struct str encoded, struct str fresh,
               void *job)
{
    struct worker_job *asked;

    if (worker->waiting >= WORKER_QUEUE_MAX) {
        return -ERR_BUSY;
    }
    if (password.len > PASSWORD_MAX_BYTES || fresh.len > PASSWORD_MAX_BYTES ||
        encoded.len >= PASSWORD_ENCODED_SIZE) {
        return -ERR_RANGE;
    }
    asked = mem_alloc(1, sizeof(*asked));
    if (asked == NULL) {
        return -ERR_NOMEM;
    }
    asked->job = job;
    asked->password_len = password.len;
    asked->fresh_len = fresh.len;
    memcpy(asked->password, password.ptr != NULL ? password.ptr : "", password.len);
    memcpy(asked->encoded, encoded.ptr != NULL ? encoded.ptr : "", encoded.len);
    memcpy(asked->fresh, fresh.ptr != NULL ? fresh.ptr : "", fresh.len);
    worker->waiting++;
    pthread_mutex_lock(&worker->lock);
    list_append(&worker->todo, &asked->node);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    return 0;
}

size_t worker_waiting(const struct worker *worker)
{
    return worker->waiting;
}
