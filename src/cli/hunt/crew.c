/* A ring of blocks under one lock: see crew.h. Threads take blocks in the order in which they were
 * given, so of those before a block that is being judged none is still waiting. */
#include "cli/hunt/crew.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "sys/thread.h"

#define RING_MORE   3 /* blocks beyond those that are being judged */
#define BLOCK_LIMIT (64u << 20)
#define OUT_LIMIT   (1u << 30)

enum block_state {
    BLOCK_STATE_FREE,
    BLOCK_STATE_GIVEN,
    BLOCK_STATE_BUSY,
    BLOCK_STATE_SPILL,
    BLOCK_STATE_DONE
};

struct crew_job {
    struct crew *crew;
    size_t number;
    pthread_t thread;
};

struct crew {
    struct crew_port port;
    pthread_t maker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct crew_job jobs[CREW_JOBS_MAX];
    size_t started; /* threads beside the maker's */
    bool is_ended;
    struct hunt_block ring[CREW_JOBS_MAX + RING_MORE];
    size_t room;
    uint64_t given; /* blocks so far; that at index i % room */
    uint64_t begun;
    uint64_t told;
};

static struct hunt_block *crew_at(struct crew *crew, uint64_t index)
{
    return &crew->ring[index % crew->room];
}

/* Judges the next block that waits; the lock is held before and after. */
static void crew_judge(struct crew *crew, size_t job)
{
    struct hunt_block *block = crew_at(crew, crew->begun++);

    block->state = BLOCK_STATE_BUSY;
    pthread_mutex_unlock(&crew->lock);
    crew->port.judge(crew->port.context, job, block);
    pthread_mutex_lock(&crew->lock);
    block->state = BLOCK_STATE_DONE;
    pthread_cond_broadcast(&crew->changed);
}

static void *crew_work(void *context)
{
    const struct crew_job *job = context;
    struct crew *crew = job->crew;

    pthread_mutex_lock(&crew->lock);
    while (!crew->is_ended) {
        if (crew->begun < crew->given) {
            crew_judge(crew, job->number);
        } else {
            pthread_cond_wait(&crew->changed, &crew->lock);
        }
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static void block_empty(struct hunt_block *block)
{
    buf_reset(&block->out);
    buf_reset(&block->hits);
    buf_reset(&block->links);
}

/* The lock is held; the block is the oldest and nobody else's. */
static void crew_tell(struct crew *crew, struct hunt_block *block, bool is_part)
{
    pthread_mutex_unlock(&crew->lock);
    crew->port.told(crew->port.context, block, is_part);
    block_empty(block);
    pthread_mutex_lock(&crew->lock);
}

/* One step towards the oldest block's end: tells, judges or waits. */
static void crew_step(struct crew *crew)
{
    struct hunt_block *block = crew_at(crew, crew->told);

    if (block->state == BLOCK_STATE_DONE) {
        crew_tell(crew, block, false);
        block->state = BLOCK_STATE_FREE;
        crew->told++;
    } else if (block->state == BLOCK_STATE_SPILL) {
        crew_tell(crew, block, true);
        block->state = BLOCK_STATE_BUSY;
        pthread_cond_broadcast(&crew->changed);
    } else if (crew->begun < crew->given) {
        crew_judge(crew, 0);
    } else {
        pthread_cond_wait(&crew->changed, &crew->lock);
    }
}

/* The maker's own block: those before it are others' work, or done. */
static void crew_spill_own(struct crew *crew, struct hunt_block *block)
{
    struct hunt_block *oldest;

    while ((oldest = crew_at(crew, crew->told)) != block) {
        if (oldest->state == BLOCK_STATE_BUSY) {
            pthread_cond_wait(&crew->changed, &crew->lock);
        } else {
            crew_step(crew);
        }
    }
    crew_tell(crew, block, true);
}

void crew_spill(struct crew *crew, struct hunt_block *block)
{
    pthread_mutex_lock(&crew->lock);
    if (pthread_equal(pthread_self(), crew->maker) != 0) {
        crew_spill_own(crew, block);
    } else {
        block->state = BLOCK_STATE_SPILL;
        pthread_cond_broadcast(&crew->changed);
        while (block->state == BLOCK_STATE_SPILL) {
            pthread_cond_wait(&crew->changed, &crew->lock);
        }
    }
    pthread_mutex_unlock(&crew->lock);
}

struct hunt_block *crew_take(struct crew *crew)
{
    struct hunt_block *block;

    pthread_mutex_lock(&crew->lock);
    while (crew->given - crew->told == crew->room) {
        crew_step(crew);
    }
    block = crew_at(crew, crew->given);
    pthread_mutex_unlock(&crew->lock);
    buf_reset(&block->bytes);
    block->counts = (struct log_counts){0};
    block->matched = block->outside = block->found = 0;
    block->left = block->unparsed = block->unparsed_bytes = 0;
    block->error = 0;
    return block;
}

void crew_give(struct crew *crew, struct hunt_block *block)
{
    pthread_mutex_lock(&crew->lock);
    block->state = BLOCK_STATE_GIVEN;
    crew->given++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

void crew_drain(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->told < crew->given) {
        crew_step(crew);
    }
    pthread_mutex_unlock(&crew->lock);
}

int crew_new(size_t jobs, const struct crew_port *port, struct crew **ret_crew)
{
    struct crew *crew = mem_alloc(1, sizeof(*crew));
    int r = 0;

    if (crew == NULL) {
        return -ERR_NOMEM;
    }
    crew->port = *port;
    crew->maker = pthread_self();
    crew->room = jobs > 1 ? jobs + RING_MORE : 1;
    (void)pthread_mutex_init(&crew->lock, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
    for (size_t i = 0; i < crew->room; i++) {
        buf_init(&crew->ring[i].bytes, BLOCK_LIMIT);
        buf_init(&crew->ring[i].out, OUT_LIMIT);
        buf_init(&crew->ring[i].hits, OUT_LIMIT);
        buf_init(&crew->ring[i].links, OUT_LIMIT);
    }
    for (size_t i = 1; r == 0 && i < jobs; i++) {
        crew->jobs[i] = (struct crew_job){.crew = crew, .number = i};
        r = thread_start("hunt", crew_work, &crew->jobs[i], &crew->jobs[i].thread);
        crew->started += r == 0;
    }
    if (r < 0) {
        crew_free(crew);
        return r;
    }
    *ret_crew = crew;
    return 0;
}

void crew_free(struct crew *crew)
{
    if (crew == NULL) {
        return;
    }
    pthread_mutex_lock(&crew->lock);
    crew->is_ended = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 1; i <= crew->started; i++) {
        (void)pthread_join(crew->jobs[i].thread, NULL);
    }
    for (size_t i = 0; i < crew->room; i++) {
        buf_done(&crew->ring[i].bytes);
        buf_done(&crew->ring[i].out);
        buf_done(&crew->ring[i].hits);
        buf_done(&crew->ring[i].links);
    }
    (void)pthread_mutex_destroy(&crew->lock);
    (void)pthread_cond_destroy(&crew->changed);
    mem_free(crew);
}

void crew_freep(struct crew **crew)
{
    crew_free(*crew);
}
