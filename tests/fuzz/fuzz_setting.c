/* A settings file, and the same bytes as a command line parted by newlines. */
#include "fuzz.h"

#include "base/err.h"
#include "model/setting.h"

#define WORDS_MAX 64

struct sample {
    bool flag;
    int64_t number;
    int64_t size;
    int64_t wait;
    const char *text;
    const char *path;
    const char *choice;
    struct setting_list list;
    struct setting_list paths;
};

static const struct setting rows[] = {
    {"flag", 'f', SETTING_FLAG, NULL, NULL, NULL, offsetof(struct sample, flag), NULL, "flag"},
    {"number", 'n', SETTING_NUMBER, "2", "-9", "64", offsetof(struct sample, number), "N",
     "number"},
    {"size", 0, SETTING_SIZE, "10G", "64M", "1P", offsetof(struct sample, size), "SIZE", "size"},
    {"wait", 0, SETTING_DURATION, "24h", "1ms", NULL, offsetof(struct sample, wait), NULL, "wait"},
    {"text", 't', SETTING_TEXT, NULL, NULL, NULL, offsetof(struct sample, text), NULL, "text"},
    {"path", 'p', SETTING_PATH, "/x", NULL, NULL, offsetof(struct sample, path), NULL, "path"},
    {"choice", 'c', SETTING_CHOICE, "a", NULL, "a|b", offsetof(struct sample, choice), NULL,
     "choice"},
    {"list", 'l', SETTING_LIST, NULL, NULL, NULL, offsetof(struct sample, list), NULL, "list"},
    {"paths", 0, SETTING_PATH_LIST, "/a", NULL, NULL, offsetof(struct sample, paths), NULL,
     "paths"},
    {},
};

static struct sample sample;

/* Bounds hold whatever was read, and the form of what was taken can be written. */
static void check_sample(int r, struct arena *arena, const struct diag *diag)
{
    struct json_value *value = NULL;
    struct json_writer json;
    struct buf out;

    fuzz_check(r == 0 || diag->text[0] != '\0' || r == -ERR_NOMEM);
    fuzz_check(sample.number >= -9 && sample.number <= 64 && sample.size >= 64 << 20);
    fuzz_check(sample.path[0] == '/' && sample.list.count <= SETTING_LIST_MAX);
    if (r < 0) {
        return;
    }
    buf_init(&out, 1 << 24);
    json_begin(&json, &out);
    settings_write_json(rows, &sample, &json);
    fuzz_check(buf_error(&out) == 0);
    arena_reset(arena);
    fuzz_check(json_parse(buf_str(&out), arena, &value, NULL) == 0);
    buf_done(&out);
}

static void try_args(struct str input, struct arena *arena)
{
    static char words[4096];
    char *argv[WORDS_MAX + 1] = {NULL};
    const char *items[WORDS_MAX + 1];
    struct setting_operands operands = {.items = items, .here = "/srv/phong"};
    struct diag diag = {0};
    struct str word;
    size_t used = 0;
    int r;

    for (size_t i = 0; i < WORDS_MAX && str_cut(&input, '\n', &word); i++) {
        if (word.len >= sizeof(words) - used) {
            break;
        }
        argv[i] = words + used;
        memcpy(argv[i], word.ptr, word.len);
        argv[i][word.len] = '\0';
        used += word.len + 1;
    }
    fuzz_check(settings_default(rows, &sample, arena) == 0);
    r = settings_parse_args(rows, &sample, argv, &operands, arena, &diag);
    check_sample(r, arena, &diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena();
    struct diag diag = {0};
    int r;

    fuzz_check(settings_default(rows, &sample, arena) == 0);
    r = settings_parse(rows, &sample, "x", fuzz_input(data, size), arena, &diag);
    check_sample(r, arena, &diag);
    arena_reset(arena);
    try_args(fuzz_input(data, size), arena);
    return 0;
}
