/* See cli/watch/print.h. */
#include "cli/watch/print.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "model/reason.h"

#include <stdio.h>

#define LINE_MAX_BYTES (256U << 10)
#define BAR_AFTER      (2 * NS_PER_S)
#define SIZE_ROOM      16

static const char *const verdict_words[] = {[SITE_VERDICT_UNKNOWN] = N_("unknown"),
                                            [SITE_VERDICT_OK] = N_("fine"),
                                            [SITE_VERDICT_CHANGED] = N_("edited"),
                                            [SITE_VERDICT_YELLOW] = N_("suspicious"),
                                            [SITE_VERDICT_RED] = N_("ALARM")};
static const char *const view_words[] = {[SITE_VIEW_DESKTOP] = N_("people"),
                                         [SITE_VIEW_CRAWLER] = N_("search engine"),
                                         [SITE_VIEW_SEARCH] = N_("from a search"),
                                         [SITE_VIEW_MOBILE] = N_("phone")};

const char *watch_print_verdict(enum site_verdict verdict)
{
    return text_get(verdict_words[verdict]);
}

const char *watch_print_view(enum site_view view)
{
    return text_get(view_words[view]);
}

void watch_print_init(struct watch_print *print, bool is_json, bool is_once, size_t total)
{
    *print = (struct watch_print){
        .is_json = is_json, .is_once = is_once, .total = total, .started = clock_mono(&clock_real)};
}

static void print_clear(struct watch_print *print)
{
    if (print->has_bar) {
        fputs("\r\033[K", stderr);
        print->has_bar = false;
    }
}

static void print_size(uint64_t bytes, char out[SIZE_ROOM])
{
    if (bytes < 1024) {
        (void)snprintf(out, SIZE_ROOM, "%llu B", (unsigned long long)bytes);
    } else {
        (void)snprintf(out, SIZE_ROOM, "%.1f KB", (double)bytes / 1024);
    }
}

/* The address asked for, and what became of it. */
static void print_facts(const struct site_check *check, struct buf *line)
{
    char size[SIZE_ROOM];

    (void)buf_putf(line, "  (%s", watch_print_view(check->view));
    if (check->page == SITE_PAGE_MISSING) {
        (void)buf_putf(line, ", %s", _("a page that must not exist"));
    }
    if (check->status != 0) {
        print_size(check->size, size);
        (void)buf_putf(line, ", %u, %lld ms, %s", check->status,
                       (long long)(check->timing.done / NS_PER_MS), size);
    }
    if (check->is_learning) {
        (void)buf_putf(line, ", %s", _("still learning"));
    }
    (void)buf_put_byte(line, ')');
}

static void print_reason(const struct site_reason *reason, struct buf *line)
{
    (void)buf_put_text(line, "\n            ");
    (void)buf_put_plain(line, reason_text(reason->what));
    if (reason->value.len != 0) {
        (void)buf_put_text(line, ": ");
        (void)buf_put_plain(line, reason->value);
    }
    if (reason->snippet.len != 0) {
        (void)buf_put_text(line, "\n              «");
        (void)buf_put_plain(line, reason->snippet);
        (void)buf_put_text(line, "»");
    }
}

static void print_line(const struct site_check *check, struct buf *line)
{
    const char *verdict = watch_print_verdict(check->verdict);
    char time[TIME_TEXT_SIZE];

    time_format_offset(check->time, 25200, time);
    (void)buf_putf(line, "%.8s  %s%*s  ", time + 11, verdict, utf8_pad(verdict, 11), "");
    (void)buf_put_plain(line, check->url);
    print_facts(check, line);
    if (check->failure != SITE_FAILURE_NONE) {
        (void)buf_putf(line, "\n            %s", text_get(site_failure_sentence(check->failure)));
    }
    if (!str_is(check->url, check->url_final) && check->page != SITE_PAGE_MISSING) {
        (void)buf_putf(line, "\n            %s ", _("leads to"));
        (void)buf_put_plain(line, check->url_final);
    }
    for (size_t i = 0; i < check->reason_count; i++) {
        print_reason(&check->reasons[i], line);
    }
}

void watch_print_look(struct watch_print *print, const struct site_check *check, bool is_news)
{
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;

    print->done++;
    if (!print->is_json && !print->is_once && !is_news) {
        return;
    }
    buf_init(&line, LINE_MAX_BYTES);
    if (print->is_json) {
        json_begin(&json, &line);
        site_check_write_json(check, &json);
    } else {
        print_line(check, &line);
    }
    print_clear(print);
    (void)buf_put_byte(&line, '\n');
    (void)fwrite(line.ptr, 1, line.len, stdout);
    fflush(stdout);
}

void watch_print_tick(struct watch_print *print)
{
    if (!print->is_once || isatty(STDERR_FILENO) != 1 ||
        clock_mono(&clock_real) - print->started < BAR_AFTER) {
        return;
    }
    fputc('\r', stderr);
    fprintf(stderr, _("%zu of %zu looks"), print->done, print->total);
    fflush(stderr);
    print->has_bar = true;
}

void watch_print_end(struct watch_print *print)
{
    print_clear(print);
}
