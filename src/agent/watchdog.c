/* Neighbours: agent/page.h on one side, the kernel's gate on the other. Nothing here waits for
 * anybody. */
#include "agent/watchdog.h"

#include "agent/numbers.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/time.h"
#include "sense/files.h"
#include "sys/fd.h"
#include "sys/notify.h"
#include "sys/process.h"
#include "sys/sandbox.h"

#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#define WATCHDOG_REST_MS   200
#define WATCHDOG_CALM      25U  /* looks at nothing before it waits to be told */
#define WATCHDOG_SLEEP_MS  2500 /* and then it looks all the same */
#define WATCHDOG_BRIDGE_MS 5
#define WATCHDOG_STALL_NS  NS_PER_S
#define WATCHDOG_QUIET_NS  (FILES_REST_MS * NS_PER_MS + WATCHDOG_STALL_NS) /* nobody opens */
#define WATCHDOG_WAIT_NS   (400 * NS_PER_MS) /* a new sensor is there by then */
#define WATCHDOG_CLOSE_NS  (5 * NS_PER_S)    /* that a sensor may take to end */
#define WATCHDOG_PARKED    256

struct watchdog {
    struct page *page;
    int gate;
    int wake_fd;
    unsigned calm; /* looks in a row at which there was nothing to time */
    int parked[WATCHDOG_PARKED];
    size_t parked_count;
    int64_t since;   /* when the present bridge began */
    int64_t unread;  /* an open has been in the kernel since then at least; 0: none is */
    int64_t asleep;  /* that the machine has slept since its start, as far as was noted */
    int64_t lenient; /* until then others may be late, since it slept a moment ago */
};

/* The reader sleeps while nobody opens anything; what it must do soon is read what waits. */
static void watchdog_note_unread(struct watchdog *dog, int64_t beat, int64_t now)
{
    struct pollfd wait = {.fd = dog->gate, .events = POLLIN};

    if (poll(&wait, 1, 0) <= 0) {
        dog->unread = 0;
    } else if (dog->unread == 0 || beat > dog->unread) {
        dog->unread = now;
    }
}

static bool watchdog_is_long(int64_t since, int64_t now)
{
    return since != 0 && now - since > WATCHDOG_STALL_NS;
}

/* clock_mono goes on while the machine sleeps, what threads wait for does not. */
static bool watchdog_has_slept(struct watchdog *dog, int64_t now)
{
    struct timespec awake;
    int64_t asleep;

    (void)clock_gettime(CLOCK_MONOTONIC, &awake);
    asleep = now - (awake.tv_sec * NS_PER_S + awake.tv_nsec);
    if (asleep - dog->asleep > WATCHDOG_STALL_NS) {
        dog->lenient = now + WATCHDOG_QUIET_NS;
        dog->unread = 0;
    }
    dog->asleep = asleep;
    return now < dog->lenient;
}

static bool watchdog_is_stalled(struct watchdog *dog, int64_t now)
{
    int64_t beat = atomic_load(&dog->page->beat);
    int64_t ending = atomic_load(&dog->page->ending);

    if (watchdog_has_slept(dog, now)) {
        return false;
    }
    if (ending != 0 && now - ending > WATCHDOG_CLOSE_NS) {
        return true; /* a thread of it waits for what does not come */
    }
    watchdog_note_unread(dog, beat, now);
    return beat != 0 && (now - beat > WATCHDOG_QUIET_NS || watchdog_is_long(dog->unread, now) ||
                         watchdog_is_long(atomic_load(&dog->page->busy), now) ||
                         watchdog_is_long(atomic_load(&dog->page->oldest), now));
}

static void watchdog_end_sensor(const struct watchdog *dog)
{
    struct process_info info;
    CLEANUP(closep) int pidfd = -1;
    pid_t sensor = atomic_load(&dog->page->sensor);

    if (sensor == 0 || process_read_stat(sensor, &info) < 0 || info.ppid != getppid()) {
        return; /* gone already */
    }
    pidfd = process_open(sensor, info.start);
    atomic_fetch_add(&dog->page->stalls, 1);
    if (pidfd >= 0) {
        (void)!process_signal(pidfd, SIGKILL);
    }
    atomic_store(&dog->page->beat, 0);
    atomic_store(&dog->page->oldest, 0);
    atomic_store(&dog->page->busy, 0);
    atomic_store(&dog->page->ending, 0);
}

void watchdog_stir(struct page *page, int wake_fd)
{
    uint64_t one = 1;

    if (atomic_load(&page->is_watch_resting) && atomic_exchange(&page->is_watch_resting, false)) {
        (void)!write(wake_fd, &one, sizeof(one));
    }
}

/* In this order: the reader says that an open waits before it says that it has done its work. */
static bool watchdog_is_calm(const struct watchdog *dog)
{
    const struct page *page = dog->page;

    return dog->unread == 0 && atomic_load(&page->beat) != 0 && atomic_load(&page->busy) == 0 &&
           atomic_load(&page->oldest) == 0 && atomic_load(&page->ending) == 0;
}

/* Whoever begins now finds it said that the watchdog rests, or was seen by the second look. */
static bool watchdog_may_sleep(struct watchdog *dog)
{
    if (!watchdog_is_calm(dog)) {
        dog->calm = 0;
    } else if (dog->calm < WATCHDOG_CALM) {
        dog->calm++;
    }
    if (dog->calm < WATCHDOG_CALM) {
        return false;
    }
    atomic_store(&dog->page->is_watch_resting, true);
    return watchdog_is_calm(dog);
}

static void watchdog_rest(struct watchdog *dog)
{
    const struct timespec rest = {.tv_nsec = WATCHDOG_REST_MS * NS_PER_MS};
    struct pollfd waits[2] = {{.fd = dog->gate, .events = POLLIN},
                              {.fd = dog->wake_fd, .events = POLLIN}};
    uint64_t count;

    if (!watchdog_may_sleep(dog)) {
        (void)nanosleep(&rest, NULL);
    } else if (poll(waits, ARRAY_LEN(waits), WATCHDOG_SLEEP_MS) != 0) {
        dog->calm = 0;
    }
    atomic_store(&dog->page->is_watch_resting, false);
    (void)!read(dog->wake_fd, &count, sizeof(count));
}

static void watchdog_look(struct watchdog *dog)
{
    if (watchdog_is_stalled(dog, clock_mono(&clock_real))) {
        watchdog_end_sensor(dog);
    }
}

void watchdog_answer_dead(struct page *page, int gate)
{
    unsigned long long count = 0;
    int end = (int)numbers_of_dead(page);

    for (int number = 0; number < end; number++) {
        count += fanotify_allow(gate, number) == 0 ? 1U : 0U;
    }
    atomic_fetch_add(&page->let_go, count);
}

static void watchdog_let_go(struct watchdog *dog)
{
    for (size_t i = 0; i < dog->parked_count; i++) {
        (void)!fanotify_allow(dog->gate, dog->parked[i]);
        (void)close(dog->parked[i]);
    }
    atomic_fetch_add(&dog->page->let_go, dog->parked_count);
    dog->parked_count = 0;
}

static void watchdog_park(struct watchdog *dog, bool is_patient)
{
    struct gate_open opens[32];
    int count = fanotify_read_opens(dog->gate, opens, ARRAY_LEN(opens));

    for (int i = 0; i < count; i++) {
        if (is_patient && dog->parked_count < WATCHDOG_PARKED &&
            !page_is_own(dog->page, opens[i].tid)) {
            dog->parked[dog->parked_count++] = opens[i].fd;
            continue;
        }
        (void)!fanotify_allow(dog->gate, opens[i].fd);
        (void)close(opens[i].fd);
    }
}

/* Stands in until a sensor reads the gate. What is read here passes unguarded in the end, so at
 * first nothing is: it waits in the kernel for the next sensor. Then our own are let through, for
 * the next sensor may wait for itself there; at last all are. */
static void watchdog_bridge(struct watchdog *dog)
{
    struct pollfd wait = {.fd = dog->gate, .events = POLLIN};

    dog->since = clock_mono(&clock_real);
    watchdog_answer_dead(dog->page, dog->gate);
    while (atomic_load(&dog->page->beat) == 0) {
        int64_t waited = clock_mono(&clock_real) - dog->since;
        bool is_ending = atomic_load(&dog->page->ending) != 0;
        bool is_patient = waited < WATCHDOG_STALL_NS && !is_ending;

        if (waited < WATCHDOG_WAIT_NS && !is_ending) {
            (void)poll(NULL, 0, WATCHDOG_BRIDGE_MS);
        } else if (poll(&wait, 1, WATCHDOG_BRIDGE_MS) > 0) {
            watchdog_park(dog, is_patient);
        }
        if (!is_patient) {
            watchdog_let_go(dog);
        }
        watchdog_look(dog);
    }
    watchdog_let_go(dog);
}

static int watchdog_drop(void)
{
    static const int capabilities[] = {CAP_KILL};
    const struct sandbox sandbox = {.capabilities = capabilities,
                                    .capability_count = ARRAY_LEN(capabilities),
                                    .is_landlock_off = true, /* /proc of the sensor */
                                    .calls = SANDBOX_CALLS_IO | SANDBOX_CALLS_LOOK |
                                             SANDBOX_CALLS_SIGNAL};

    return sandbox_enter(&sandbox, NULL, NULL);
}

int watchdog_run(struct page *page, int gate, int wake_fd)
{
    struct watchdog dog = {.page = page, .gate = gate, .wake_fd = wake_fd};

    if (watchdog_drop() < 0) {
        return EXIT_FAILURE;
    }
    for (;;) {
        watchdog_rest(&dog);
        watchdog_look(&dog);
        if (atomic_load(&page->beat) == 0 && atomic_load(&page->own[0]) != 0) {
            watchdog_bridge(&dog);
        }
    }
}
