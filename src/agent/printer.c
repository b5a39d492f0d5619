/* Neighbours: agent/sensor.c and agent/supervisor.c before, a terminal or a script behind. */
#include "agent/printer.h"

#include "agent/protocol.h"
#include "base/arena.h"
#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "model/record.h"
#include "sys/channel.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

#include <signal.h>

#define PRINTER_ARENA   (4U << 20)
#define PRINTER_LINE    (1U << 20)
#define PRINTER_FILES   20 /* named to people; scripts get all */
#define PRINTER_SOURCES 4

struct printer {
    const struct agent_settings *settings;
    int sensor;
    int supervisor;
    struct loop *loop;
    struct arena *arena;
    struct buf line;
    bool has_found;
    struct channel_packet packet;
};

static void printer_put_files(struct printer *printer, const struct finding *finding)
{
    struct buf *line = &printer->line;

    for (size_t i = 0; i < finding->file_count && i < PRINTER_FILES; i++) {
        const struct finding_file *file = &finding->files[i];

        buf_putf(line, "    %s%s  ", file_outcome_name(file->outcome),
                 file->is_restored ? _(", restored") : "");
        buf_put_plain(line, file->path);
        buf_put_text(line, file->is_partial ? _("  (in part only)\n") : "\n");
    }
    if (finding->files_total > PRINTER_FILES) {
        buf_putf(line, _("    … %llu files in all\n"), (unsigned long long)finding->files_total);
    }
}

static void printer_put_text(struct printer *printer, const struct finding *finding)
{
    struct buf *line = &printer->line;
    char when[TIME_TEXT_SIZE];

    time_format_utc(finding->time, when);
    buf_putf(line, "%s  %.*s\n", when, STR_ARG(str_from(text_get(finding->title.ptr))));
    if (finding->process.pid != 0) {
        buf_putf(line, _("  program: %lld "), (long long)finding->process.pid);
        buf_put_plain(line, finding->process.exe);
        buf_put_text(line, "  ");
        buf_put_plain(line, finding->process.cmdline);
        buf_put_text(line, "\n");
    }
    for (size_t i = 0; i < finding->reason_count; i++) {
        buf_put_text(line, "  ");
        buf_put_plain(line, finding->reasons[i].what);
        buf_put_text(line, ": ");
        buf_put_plain(line, finding->reasons[i].value);
        buf_put_text(line, "\n");
    }
    if (finding->files_total != 0) {
        buf_putf(line, _("  files: %llu destroyed, %llu restored\n"),
                 (unsigned long long)finding->files_total,
                 (unsigned long long)finding->files_restored);
        printer_put_files(printer, finding);
    }
    if (finding->action_ns != 0) {
        buf_putf(line, _("  stopped %lld ms after its first destructive act\n"),
                 (long long)(finding->action_ns / NS_PER_MS));
    }
    if (finding->action_result < 0) {
        buf_putf(line, _("  not all of it could be done: %s\n"), err_text(finding->action_result));
    }
}

static void printer_print(struct printer *printer, struct finding *finding)
{
    struct json_writer json;

    /* decoded texts end without a NUL, and translation wants one */
    finding->title = arena_copy(printer->arena, finding->title);
    if (finding->title.ptr == NULL) {
        return;
    }
    buf_reset(&printer->line);
    if (printer->settings->is_json) {
        json_begin(&json, &printer->line);
        finding_write_json(finding, &json);
        buf_put_byte(&printer->line, '\n');
    } else {
        printer_put_text(printer, finding);
    }
    (void)fwrite(printer->line.ptr, 1, printer->line.len, stdout);
    fflush(stdout);
    printer->has_found = true;
}

static void printer_take(struct printer *printer)
{
    struct cbor_reader reader;
    struct record record;
    uint64_t number = msg_get_u64(&printer->packet.msg);
    struct str bytes = msg_get_str(&printer->packet.msg);

    (void)number; /* printed twice is better than not at all */
    if (printer->packet.msg.type == AGENT_MESSAGE_RECORD) {
        arena_reset(printer->arena);
        cbor_open(&reader, bytes);
        if (record_decode(&reader, printer->arena, &record) == 0 &&
            record.kind == RECORD_KIND_FINDING) {
            printer_print(printer, &record.finding);
        }
    }
    channel_packet_done(&printer->packet);
}

static void printer_on_channel(void *context, int fd, unsigned events)
{
    struct printer *printer = context;
    int r;

    while ((r = channel_peek(fd, &printer->packet)) == 0) {
        printer_take(printer);
        (void)!channel_skip(fd);
    }
    if (r == -ERR_PIPE || (events & LOOP_HANGUP) != 0) {
        loop_stop(printer->loop, 0);
    }
}

static void printer_on_end(void *context, int signal)
{
    struct printer *printer = context;

    (void)signal;
    printer_on_channel(printer, printer->sensor, LOOP_READ);
    printer_on_channel(printer, printer->supervisor, LOOP_READ);
    loop_stop(printer->loop, 0);
}

static int printer_listen(struct printer *printer)
{
    int r = loop_new(PRINTER_SOURCES, &printer->loop);

    if (r == 0) {
        r = loop_add_fd(printer->loop, printer->sensor, LOOP_READ, printer_on_channel, printer,
                        NULL);
    }
    if (r == 0) {
        r = loop_add_fd(printer->loop, printer->supervisor, LOOP_READ, printer_on_channel, printer,
                        NULL);
    }
    if (r == 0) {
        r = loop_add_signal(printer->loop, SIGTERM, printer_on_end, printer);
    }
    return r;
}

int printer_run(const struct agent_outlet *outlet)
{
    static const struct sandbox sandbox = {.calls = SANDBOX_CALLS_IO};
    struct printer *printer = mem_alloc(1, sizeof(*printer));
    int r = printer != NULL ? arena_new(PRINTER_ARENA, &printer->arena) : -ERR_NOMEM;

    if (r == 0) {
        printer->settings = outlet->settings;
        printer->sensor = outlet->sensor;
        printer->supervisor = outlet->supervisor;
        buf_init(&printer->line, PRINTER_LINE);
        r = sandbox_enter(&sandbox, NULL, NULL);
    }
    if (r == 0) {
        r = printer_listen(printer);
    }
    if (r == 0) {
        r = loop_run(printer->loop);
    }
    if (r < 0) {
        r = EXIT_STATUS_FAILED;
    } else {
        r = printer->has_found ? EXIT_STATUS_FOUND : EXIT_STATUS_CLEAN;
    }
    if (printer != NULL) {
        loop_free(printer->loop);
        arena_free(printer->arena);
        buf_done(&printer->line);
    }
    mem_free(printer);
    return r;
}
