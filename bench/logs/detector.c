/* Entries of a file, a line each, given to the centre's detector as core gives them: what each
 * costs its process in processor time, the best of the rounds, and the memory that it comes to.
 * Usage: sigma-detector LISTS FILE ROUNDS RULES… */
#include "centre/detector.h"
#include "base/time.h"
#include "load.h"
#include "sys/channel.h"
#include "sys/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTRY_MOST (60U << 10) /* what is longer is cut before it reaches the detector */
#define ROOM       (MSG_SIZE_MAX - 256)

struct bench {
    int ends[2];
    pid_t pid;
    struct detector_options options;
    struct setting_list rules;
    struct msg_writer msg;
    struct channel_packet packet;
    uint64_t number;
    uint64_t hits;
};

static int bench_body(void *context)
{
    struct bench *bench = context;

    bench->options.channel = bench->ends[1];
    return detector_run(&bench->options);
}

/* Processor time of the detector. */
static double bench_spent(const struct bench *bench)
{
    struct timespec time = {0};
    clockid_t clock;

    if (clock_getcpuclockid(bench->pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double bench_memory(const struct bench *bench)
{
    char path[64];
    char line[256];
    double kib = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)bench->pid);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtod(line + 6, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib / 1024;
}

/* Takes messages until one of that type; of hits, until the last. */
static int bench_await(struct bench *bench, enum detector_message type)
{
    bool is_there = false;
    int r = 0;

    while (r == 0 && !is_there) {
        r = channel_receive(bench->ends[0], &bench->packet);
        if (r == 0) {
            struct msg_reader *msg = &bench->packet.msg;

            is_there = msg->type == type;
            if (type == DETECTOR_MESSAGE_HITS && is_there) {
                uint32_t kind;

                (void)msg_get_u64(msg);
                while ((kind = msg_get_u32(msg)) == 1) {
                    bench->hits++;
                    (void)msg_get_u32(msg);
                    (void)msg_get_str(msg);
                    (void)msg_get_str(msg);
                    (void)msg_get_u32(msg);
                    (void)msg_get_str(msg);
                    (void)msg_get_str(msg);
                    (void)msg_get_i64(msg);
                    for (uint32_t n = msg_get_u32(msg); n > 0 && msg->error == 0; n--) {
                        (void)msg_get_str(msg);
                        (void)msg_get_str(msg);
                    }
                }
                is_there = msg_get_u32(msg) == 1;
                r = msg->error;
            }
            channel_packet_done(&bench->packet);
        }
    }
    return r;
}

static int bench_start(struct bench *bench)
{
    int r = channel_pair(bench->ends);

    r = r < 0 ? r : spawn_body("detector", &bench->ends[1], 1, bench_body, bench, &bench->pid);
    (void)close(bench->ends[1]);
    r = r < 0 ? r : bench_await(bench, DETECTOR_MESSAGE_STARTED);
    if (r < 0) {
        return r;
    }
    msg_begin(&bench->msg, DETECTOR_MESSAGE_CONTENT);
    msg_put_u64(&bench->msg, 1);
    msg_put_u32(&bench->msg, 0);
    msg_put_u32(&bench->msg, 0);
    msg_put_u32(&bench->msg, 1);
    r = channel_send(bench->ends[0], &bench->msg, NULL, 0);
    return r < 0 ? r : bench_await(bench, DETECTOR_MESSAGE_READY);
}

static int bench_send(struct bench *bench)
{
    int r;

    msg_put_u32(&bench->msg, 0);
    r = msg_end(&bench->msg);
    r = r < 0 ? r : channel_send(bench->ends[0], &bench->msg, NULL, 0);
    return r < 0 ? r : bench_await(bench, DETECTOR_MESSAGE_HITS);
}

/* All entries of the text, as many a message as fit. */
static int bench_round(struct bench *bench, struct str text, uint64_t *ret_count)
{
    uint64_t waiting = 0;
    struct str line;
    int r = 0;

    *ret_count = 0;
    while (r == 0 && str_cut(&text, '\n', &line)) {
        struct str raw = str_slice(line, 0, ENTRY_MOST);

        if (waiting != 0 && bench->msg.len + raw.len > ROOM) {
            r = bench_send(bench);
            waiting = 0;
        }
        if (waiting++ == 0) {
            msg_begin(&bench->msg, DETECTOR_MESSAGE_ENTRIES);
            msg_put_u64(&bench->msg, ++bench->number);
        }
        msg_put_u32(&bench->msg, 1);
        msg_put_str(&bench->msg, STR(""));
        msg_put_str(&bench->msg, STR("a-host"));
        msg_put_str(&bench->msg, STR(""));
        msg_put_str(&bench->msg, STR(""));
        msg_put_str(&bench->msg, STR(""));
        msg_put_i64(&bench->msg, clock_wall(&clock_real));
        msg_put_i64(&bench->msg, 0);
        msg_put_str(&bench->msg, raw);
        ++*ret_count;
    }
    return r < 0 || waiting == 0 ? r : bench_send(bench);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    unsigned long rounds = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
    struct str text = argc > 4 ? bench_map(argv[2]) : STR("");
    double least = 0;
    uint64_t count = 0;
    int r;

    if (rounds == 0 || text.len == 0) {
        (void)fprintf(stderr, "usage: sigma-detector LISTS FILE ROUNDS RULES…\n");
        return 2;
    }
    for (int i = 4; i < argc && bench.rules.count < SETTING_LIST_MAX; i++) {
        bench.rules.items[bench.rules.count++] = argv[i];
    }
    bench.options =
        (struct detector_options){.rules = &bench.rules, .lists = argv[1], .supervisor = -1};
    r = bench_start(&bench);
    for (unsigned long i = 0; r == 0 && i < rounds; i++) {
        double before = bench_spent(&bench);
        double spent;

        bench.hits = 0;
        r = bench_round(&bench, text, &count);
        spent = bench_spent(&bench) - before;
        least = i == 0 || spent < least ? spent : least;
    }
    printf("%s%.3f ms an entry, %.0f MiB, %.1f hits an entry\n", r < 0 ? "it ended after " : "",
           least / (double)count, bench_memory(&bench), (double)bench.hits / (double)count);
    (void)kill(bench.pid, SIGTERM);
    (void)waitpid(bench.pid, NULL, 0);
    return r < 0 ? 1 : 0;
}
