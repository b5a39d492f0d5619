/* Stands in for an agent's sensor and supervisor: feeds records to a real link process at a rate,
 * kills it with SIGKILL now and then, and at the end tells what the spool has counted. Driven by
 * tests/net/run.
 *
 * Usage: feeder IDENTITY SPOOL --records N --rate N/s --spool-bytes N --clock-offset S --kills N
 * --seed N [--patient] [--tell] Prints "fed N" when all is handed in; on SIGTERM ends the link and
 * prints the counters as one JSON line. */
#include "agent/intake.h"
#include "agent/link.h"
#include "agent/outbox.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/text.h"
#include "cli/command.h"
#include "link/spool.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define FEEDER_RECORD_PAD  400 /* bytes of text in each event */
#define FEEDER_OUTBOX      (4U << 20)
#define FEEDER_BURST       400
#define FEEDER_KILL_WITHIN (6 * NS_PER_MS)

struct feeder_settings {
    int64_t records, rate, spool_bytes, clock_offset, kills, seed;
    bool is_patient;
    bool is_telling;
    const char *lang;
};

#define ROW(member) offsetof(struct feeder_settings, member)
static const struct setting feeder_rows[] = {
    {"records", 0, SETTING_NUMBER, "1000", "1", NULL, ROW(records), NULL, "how many to feed"},
    {"rate", 0, SETTING_NUMBER, "1000", "1", NULL, ROW(rate), NULL, "records a second"},
    {"spool-bytes", 0, SETTING_SIZE, "64M", NULL, NULL, ROW(spool_bytes), NULL,
     "the spool's bound"},
    {"clock-offset", 0, SETTING_NUMBER, "0", "-999999", NULL, ROW(clock_offset), NULL,
     "seconds of wrong clock"},
    {"kills", 0, SETTING_NUMBER, "0", NULL, NULL, ROW(kills), NULL, "how often the link is killed"},
    {"seed", 0, SETTING_NUMBER, "1", NULL, NULL, ROW(seed), NULL, "of the moments of killing"},
    {"lang", 0, SETTING_TEXT, "vi", NULL, NULL, ROW(lang), NULL, "of what the link says"},
    {"patient", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_patient), NULL,
     "wait for the link, which no sensor does"},
    {"tell", 0, SETTING_FLAG, NULL, NULL, NULL, ROW(is_telling), NULL,
     "only tell what the spool has counted"},
    {},
};

/* Made by po/meson.build. */
extern const char catalogue_vi_start[];
extern const char catalogue_vi_end[];

static int64_t feeder_offset;

static int64_t feeder_wall(void *context)
{
    return clock_wall(&clock_real) + *(const int64_t *)context;
}

static int64_t feeder_mono(void *context)
{
    (void)context;
    return clock_mono(&clock_real);
}

struct feeder {
    struct feeder_settings settings;
    struct link_settings link;
    struct clock clock;
    int sensor[2]; /* ours, the link's: both stay open here, so that a killed link loses no message
                    */
    int supervisor[2];
    struct intake_page *intake;
    struct outbox outbox;
    pid_t pid;
    uint64_t fed;
};

static int feeder_body(void *context)
{
    const struct feeder *feeder = context;

    const struct agent_outlet outlet = {.sensor = feeder->sensor[1],
                                        .supervisor = feeder->supervisor[1],
                                        .logs = -1,
                                        .journal = -1,
                                        .intake = feeder->intake};

    return link_serve(&feeder->link, &outlet);
}

static int feeder_start(struct feeder *feeder)
{
    const int keep[] = {feeder->sensor[1], feeder->supervisor[1]};

    return spawn_body("link", keep, ARRAY_LEN(keep), feeder_body, feeder, &feeder->pid);
}

static int feeder_stop(struct feeder *feeder, int signal)
{
    int status = 0;

    (void)kill(feeder->pid, signal);
    if (waitpid(feeder->pid, &status, 0) != feeder->pid) {
        return -errno;
    }
    return signal == SIGTERM && status != 0 ? -ERR_PROTO : 0;
}

/* Every hundredth is a finding. */
static int feeder_feed(struct feeder *feeder)
{
    static char pad[FEEDER_RECORD_PAD];
    struct record record = {.kind =
                                feeder->fed % 100 == 99 ? RECORD_KIND_FINDING : RECORD_KIND_EVENT};
    int64_t now = clock_wall(&feeder->clock);

    memset(pad, 'a' + (int)(feeder->fed % 26), sizeof(pad));
    if (record.kind == RECORD_KIND_FINDING) {
        record.finding.time = now;
        record.finding.detector = STR("net-test");
        record.finding.title = STR("a finding of the network test");
        if (id_new(&record.finding.id) < 0) {
            return -ERR_IO;
        }
    } else {
        event_init(&record.event, EVENT_KIND_FILE_CHANGE, now);
        (void)event_add_number(&record.event, EVENT_FIELD_FILE_INODE, (int64_t)feeder->fed);
        (void)event_add_text(&record.event, EVENT_FIELD_FILE_PATH, str_of(pad, sizeof(pad)));
    }
    outbox_send_record(&feeder->outbox, &record);
    feeder->fed++;
    return 0;
}

/* Reads what the link says to its supervisor and sensor, so that it never finds a full socket. */
static void feeder_drain(struct feeder *feeder)
{
    static struct channel_packet packet;

    while (channel_receive_within(feeder->supervisor[0], 0, &packet) == 0) {
        channel_packet_done(&packet);
    }
    outbox_flush(&feeder->outbox);
}

/* In the middle of a burst, anywhere in what the link does with a record. */
static int feeder_kill(struct feeder *feeder, struct prng *prng)
{
    struct timespec within = {.tv_nsec = (long)prng_below(prng, FEEDER_KILL_WITHIN)};
    int r = 0;

    for (int i = 0; r == 0 && i < FEEDER_BURST; i++) {
        r = feeder_feed(feeder);
    }
    (void)nanosleep(&within, NULL);
    r = r < 0 ? r : feeder_stop(feeder, SIGKILL);
    return r < 0 ? r : feeder_start(feeder);
}

/* Until SIGTERM; what could not be handed in yet goes on meanwhile. */
static int feeder_wait(struct feeder *feeder, int signals)
{
    struct signalfd_siginfo info;
    struct pollfd wait[] = {{.fd = signals, .events = POLLIN}, {.fd = feeder->sensor[0]}};

    for (;;) {
        wait[1].events = list_is_empty(&feeder->outbox.waiting) ? 0 : POLLOUT;
        if (poll(wait, ARRAY_LEN(wait), -1) < 0) {
            return -errno;
        }
        if (wait[0].revents != 0) {
            return read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info) ? 0 : -errno;
        }
        feeder_drain(feeder);
    }
}

/* So that a link that only lacks a processor makes no loss. 1: SIGTERM came. */
static int feeder_await_room(struct feeder *feeder, int signals)
{
    struct pollfd wait[] = {{.fd = signals, .events = POLLIN},
                            {.fd = feeder->sensor[0], .events = POLLOUT}};

    while (feeder->settings.is_patient && feeder->outbox.bytes > FEEDER_OUTBOX / 2) {
        if (poll(wait, ARRAY_LEN(wait), -1) < 0) {
            return -errno;
        }
        if (wait[0].revents != 0) {
            return 1;
        }
        feeder_drain(feeder);
    }
    return 0;
}

static int feeder_run_load(struct feeder *feeder, int signals)
{
    struct prng prng;
    uint64_t records = (uint64_t)feeder->settings.records;
    uint64_t between =
        feeder->settings.kills != 0 ? records / (uint64_t)feeder->settings.kills : records;
    uint64_t next_kill;
    int64_t start = clock_mono(&clock_real);
    int r = 0;

    prng_init(&prng, (uint64_t)feeder->settings.seed);
    next_kill = feeder->settings.kills != 0 ? 1 + prng_below(&prng, between) : records + 1;
    while (r == 0 && feeder->fed < records) {
        int64_t due = start + (int64_t)feeder->fed * NS_PER_S / feeder->settings.rate;
        int64_t early = due - clock_mono(&clock_real);
        struct pollfd wait = {.fd = signals, .events = POLLIN};

        if (early > NS_PER_MS && poll(&wait, 1, (int)(early / NS_PER_MS)) == 1) {
            return 0;
        }
        r = feeder_await_room(feeder, signals);
        if (r == 1) {
            return 0;
        }
        r = r < 0 ? r : feeder_feed(feeder);
        if (feeder->fed >= next_kill && r == 0) {
            next_kill += between;
            r = feeder_kill(feeder, &prng);
        }
        feeder_drain(feeder);
    }
    printf("fed %llu\n", (unsigned long long)feeder->fed);
    fflush(stdout);
    return r;
}

static int feeder_tell(const struct feeder *feeder)
{
    const struct spool_options options = {.folder = feeder->link.spool,
                                          .limit = (uint64_t)feeder->link.spool_bytes,
                                          .clock = &feeder->clock};
    CLEANUP(spool_freep) struct spool *spool = NULL;
    struct spool_counters counters;
    struct diag diag = {0};
    int r = spool_open(&options, &spool, &diag);

    if (r < 0) {
        fprintf(stderr, "%s\n", diag_text(&diag, r));
        return r;
    }
    spool_count(spool, &counters);
    printf("{\"fed\":%llu,\"unsent\":%llu,\"appended\":%llu,\"acknowledged\":%llu,\"dropped\":%llu,"
           "\"waiting\":%llu,\"confirmed\":%llu,\"torn\":%llu}\n",
           (unsigned long long)feeder->fed,
           (unsigned long long)(outbox_dropped(&feeder->outbox) +
                                atomic_load(&feeder->outbox.counts->waiting)),
           (unsigned long long)counters.appended, (unsigned long long)counters.acknowledged,
           (unsigned long long)counters.dropped, (unsigned long long)counters.waiting,
           (unsigned long long)counters.confirmed, (unsigned long long)counters.torn);
    return 0;
}

int main(int argc, char **argv)
{
    static struct feeder feeder;
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct setting_operands operands = {.items = mem_alloc((size_t)argc + 1, sizeof(char *))};
    enum language language;
    struct diag diag = {0};
    sigset_t wanted;
    int signals;
    int r = arena_new(1U << 20, &arena);

    if (r == 0) {
        r = settings_default(feeder_rows, &feeder.settings, arena);
    }
    if (r == 0) {
        r = settings_parse_args(feeder_rows, &feeder.settings, argv + 1, &operands, arena, &diag);
    }
    if (r < 0 || operands.count != 2) {
        fprintf(stderr, "feeder: %s\n", diag_text(&diag, r));
        return EXIT_STATUS_USAGE;
    }
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &wanted, NULL);
    signals = signalfd(-1, &wanted, SFD_CLOEXEC);
    feeder_offset = feeder.settings.clock_offset * NS_PER_S;
    feeder.clock =
        (struct clock){.wall = feeder_wall, .mono = feeder_mono, .context = &feeder_offset};
    feeder.link = (struct link_settings){.identity = operands.items[0],
                                         .spool = operands.items[1],
                                         .spool_bytes = feeder.settings.spool_bytes,
                                         .clock = &feeder.clock};
    (void)text_load(LANGUAGE_VI,
                    str_of(catalogue_vi_start, (size_t)(catalogue_vi_end - catalogue_vi_start)));
    if (text_parse_language(str_from(feeder.settings.lang), &language)) {
        text_set_language(language);
    }
    if (feeder.settings.is_telling) {
        outbox_init(&feeder.outbox, -1, 0, NULL);
        r = feeder_tell(&feeder);
        mem_free(operands.items);
        return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
    }
    r = channel_pair(feeder.sensor);
    r = r < 0 ? r : channel_pair(feeder.supervisor);
    r = r < 0 ? r : fd_set_nonblocking(feeder.sensor[0], true);
    feeder.intake = intake_page_new();
    r = feeder.intake == NULL ? -ERR_NOMEM : r;
    outbox_init(&feeder.outbox, feeder.sensor[0], FEEDER_OUTBOX, NULL);
    r = r < 0 ? r : feeder_start(&feeder);
    r = r < 0 ? r : feeder_run_load(&feeder, signals);
    r = r < 0 ? r : feeder_wait(&feeder, signals);
    r = r < 0 ? r : feeder_stop(&feeder, SIGTERM);
    r = r < 0 ? r : feeder_tell(&feeder);
    if (r < 0) {
        fprintf(stderr, "feeder: %s\n", err_text(r));
    }
    outbox_done(&feeder.outbox);
    intake_page_free(feeder.intake);
    mem_free(operands.items);
    return r < 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_CLEAN;
}
