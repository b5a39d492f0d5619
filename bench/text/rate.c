/* Measures how many lines a second of a core the readers of text logs take apart, beside two peers
 * in the same run: the floor, which only finds the newlines, and a PCRE a form, tried one after the
 * other, as most log shippers do it. CPU time, median of the rounds. --dump shows what is read.
 * Usage: text-rate [--dump] [--format NAME] FILE… */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "codec/logs.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS     7
#define FILE_MAX   (1UL << 30)
#define BLOCK_SIZE (256UL << 10)
#define WORK_BYTES (64UL << 20) /* a round goes over the file until it has read so much */

/* The rows of forms.def as the peer has them. */
struct peer {
    const char *programs; /* set where a program begins */
    const char *pattern;
    pcre2_code *code;
};

static struct peer peers[] = {
#define PROGRAM(programs, service) {programs, NULL, NULL},
#define FORM(pattern, constants)   {NULL, pattern, NULL},
#include "codec/forms.def"
#undef PROGRAM
#undef FORM
};

static const char peer_head[] =
    "^(?:<\\d+>)?(\\w{3} [ \\d]\\d [\\d:]+|\\d{4}-\\d\\d-\\d\\dT\\S+) (\\S+) "
    "([^ \\[:]+)(?:\\[(\\d+)\\])?: *(.*)";

static double cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static int count_entry(void *context, const struct entry *entry)
{
    uint64_t *fields = context;

    *fields += entry->count;
    return 0;
}

static int dump_entry(void *context, const struct entry *entry)
{
    (void)context;
    (void)printf("%llu t=%lld %.*s/%.*s/%.*s faults=%u", (unsigned long long)entry->number,
                 (long long)entry->time, STR_ARG(entry->source.product),
                 STR_ARG(entry->source.category), STR_ARG(entry->source.service), entry->faults);
    for (size_t i = 0; i < entry->count; i++) {
        (void)printf(" %.*s=[%.*s]", STR_ARG(entry->fields[i].name),
                     STR_ARG(entry->fields[i].value));
    }
    (void)printf("\n");
    return 0;
}

static int read_all(const struct log_format *format, struct log_reading *reading, struct str bytes,
                    entry_fn *fn, void *context)
{
    int r = 0;

    while (r == 0 && bytes.len > 0) {
        struct str piece = str_slice(bytes, 0, BLOCK_SIZE);
        size_t len = format->cut(piece, piece.len == bytes.len);

        len = len == 0 ? format->cut(bytes, true) : len;
        r = format->read(reading, str_slice(bytes, 0, len), fn, context);
        bytes = str_slice(bytes, len, bytes.len);
    }
    return r;
}

static double rate_of_format(const struct log_format *format, struct str bytes, uint64_t *ret_lines)
{
    double rates[ROUNDS];

    for (size_t round = 0; round < ROUNDS; round++) {
        struct log_reading reading;
        uint64_t fields = 0;
        double start = cpu_seconds();
        uint64_t times = WORK_BYTES / (bytes.len + 1) + 1;

        if (log_reading_init(&reading, NULL) < 0) {
            exit(1);
        }
        reading.around = 1795651200LL * 1000000000;
        reading.head = str_slice(bytes, 0, LOG_HEAD_SIZE);
        for (uint64_t i = 0; i < times; i++) {
            (void)read_all(format, &reading, bytes, count_entry, &fields);
        }
        rates[round] = (double)reading.counts.entries / (cpu_seconds() - start);
        *ret_lines = reading.counts.entries / times;
        log_reading_done(&reading);
    }
    qsort(rates, ROUNDS, sizeof(rates[0]), compare);
    return rates[ROUNDS / 2];
}

static double rate_of_newlines(struct str bytes)
{
    double start = cpu_seconds();
    uint64_t lines = 0;

    for (uint64_t i = WORK_BYTES / (bytes.len + 1) + 1; i != 0; i--) {
        struct str rest = bytes;
        struct str line;

        while (str_cut(&rest, '\n', &line)) {
            lines++;
        }
    }
    return (double)lines / (cpu_seconds() - start);
}

static pcre2_code *compile(const char *pattern)
{
    size_t offset;
    int error;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);

    if (code == NULL || pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0) {
        exit(1);
    }
    return code;
}

/* {name} is a word, {name*} and pairs the shortest text, {name**} the longest. */
static pcre2_code *compile_form(const char *pattern)
{
    struct buf out;
    pcre2_code *code;

    buf_init(&out, 1 << 16);
    (void)buf_put_text(&out, "^");
    for (const char *at = pattern; *at != '\0'; at++) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;

        if (close != NULL) {
            bool is_text = close[-1] == '*' || at[1] == '=';

            (void)buf_put_text(&out, !is_text ? "(\\S+)" : close[-2] == '*' ? "(.*)" : "(.*?)");
            at = close;
        } else {
            (void)buf_putf(&out, strchr("\\^$.[|()?*+{", *at) != NULL ? "\\%c" : "%c", *at);
        }
    }
    code = compile(out.ptr);
    buf_done(&out);
    return code;
}

/* The first row behind the program's; ARRAY_LEN(peers) when it has none. */
static size_t find_peer(struct str program)
{
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        struct str names = str_from(peers[i].programs);
        struct str name;

        while (peers[i].programs != NULL && str_cut(&names, ' ', &name)) {
            if (str_is(name, program)) {
                return i + 1;
            }
        }
    }
    return ARRAY_LEN(peers);
}

static void match_peers(struct str line, size_t *vector, pcre2_match_data *match)
{
    size_t at = vector[10];

    for (size_t i = find_peer(str_slice(line, vector[6], vector[7]));
         i < ARRAY_LEN(peers) && peers[i].pattern != NULL; i++) {
        if (pcre2_match(peers[i].code, (PCRE2_SPTR)line.ptr + at, line.len - at, 0, 0, match,
                        NULL) > 0) {
            return;
        }
    }
}

static double rate_of_peers(struct str bytes)
{
    pcre2_match_data *match = pcre2_match_data_create(32, NULL);
    pcre2_code *head = compile(peer_head);
    struct str rest = bytes;
    struct str line;
    uint64_t lines = 0;
    double start;

    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        if (peers[i].pattern != NULL && peers[i].code == NULL) {
            peers[i].code = compile_form(peers[i].pattern);
        }
    }
    start = cpu_seconds();
    while (cpu_seconds() - start < 0.5) {
        rest = bytes;
        while (str_cut(&rest, '\n', &line)) {
            lines++;
            if (line.len > 0 &&
                pcre2_match(head, (PCRE2_SPTR)line.ptr, line.len, 0, 0, match, NULL) > 0) {
                match_peers(line, pcre2_get_ovector_pointer(match), match);
            }
        }
    }
    return (double)lines / (cpu_seconds() - start);
}

static int load(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t len = 1;

    buf_init(out, FILE_MAX);
    while (file != NULL && len != 0) {
        void *room = buf_reserve(out, BLOCK_SIZE);

        len = room == NULL ? 0 : fread(room, 1, BLOCK_SIZE, file);
        buf_commit(out, len);
    }
    if (file == NULL || fclose(file) != 0) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    return 0;
}

static int show(const char *path, const struct log_format *format, bool is_dump)
{
    CLEANUP(buf_done) struct buf file;
    struct log_reading reading;
    struct str bytes;
    uint64_t lines = 0;
    double rate;
    double floor_rate;

    if (load(path, &file) != 0) {
        return 1;
    }
    bytes = buf_str(&file);
    if (format == NULL) {
        format = log_format_guess(str_slice(bytes, 0, LOG_HEAD_SIZE));
    }
    if (is_dump) {
        if (log_reading_init(&reading, NULL) < 0) {
            return 1;
        }
        reading.around = 1795651200LL * 1000000000;
        reading.head = str_slice(bytes, 0, LOG_HEAD_SIZE);
        (void)printf("# %s: %s\n", path, format->name);
        (void)read_all(format, &reading, bytes, dump_entry, NULL);
        log_reading_done(&reading);
        return 0;
    }
    rate = rate_of_format(format, bytes, &lines);
    floor_rate = rate_of_newlines(bytes);
    (void)printf("%s: %s, %llu entries: %.2f million entries/s; newlines only %.2f million lines/s",
                 path, format->name, (unsigned long long)lines, rate / 1e6, floor_rate / 1e6);
    if (strcmp(format->name, "syslog") == 0) {
        (void)printf("; PCRE a form %.2f million lines/s", rate_of_peers(bytes) / 1e6);
    }
    (void)printf("\n");
    return 0;
}

int main(int argc, char **argv)
{
    const struct log_format *format = NULL;
    bool is_dump = false;
    int r = 0;

    for (int i = 1; i < argc && r == 0; i++) {
        if (strcmp(argv[i], "--dump") == 0) {
            is_dump = true;
        } else if (strcmp(argv[i], "--format") == 0 && i + 1 < argc) {
            format = log_format_find(str_from(argv[++i]));
        } else {
            r = show(argv[i], format, is_dump);
        }
    }
    return r;
}
