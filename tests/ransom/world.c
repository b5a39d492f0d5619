/* The world behind the judge's tests; see world.h. */
#include "world.h"

#include "harness.h"

#include "detect/ransom/trace.h"

#include <stdio.h>
#include <string.h>

#define STEP_NS 20000

void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->next_ino = 1;
    world->next_version = 1;
    world->time = 1000000000;
    buf_init(&world->trace, 64 << 20);
    assert_int_equal(judge_new(&judge_limits_default, &world->judge), 0);
}

void world_done(struct world *world)
{
    judge_free(world->judge);
    buf_done(&world->trace);
}

void world_feed(struct world *world, struct judge_step *step)
{
    bool is_ruling;

    world->time += STEP_NS;
    step->time = world->time;
    trace_write(&world->trace, step);
    assert_int_equal(judge_step(world->judge, step, &is_ruling), 0);
    if (is_ruling && world->rulings++ == 0) {
        world->touched_at_ruling = world->touched;
    }
}

static struct actor_key key_of(int pid)
{
    return (struct actor_key){pid, (uint64_t)pid};
}

void world_actor(struct world *world, int pid, int parent, int session, unsigned uid, uint64_t exe)
{
    struct actor actor = {.key = key_of(pid),
                          .parent = key_of(parent),
                          .session = session,
                          .uid = uid,
                          .exe_dev = 1,
                          .exe_ino = exe};
    struct judge_step step = {.kind = JUDGE_STEP_ACTOR, .actor = &actor};

    world_feed(world, &step);
}

void world_exit(struct world *world, int pid)
{
    struct judge_step step = {.kind = JUDGE_STEP_EXIT, .who = key_of(pid)};

    world_feed(world, &step);
}

static struct str path_of(uint64_t ino)
{
    static char path[64];

    snprintf(path, sizeof(path), "/srv/data/%llu", (unsigned long long)ino);
    return str_from(path);
}

static struct world_file *file_new(struct world *world, enum nature nature, uint64_t size)
{
    struct world_file *file = &world->files[world->next_ino];

    assert_true(world->next_ino < WORLD_FILES_MAX - 1);
    *file = (struct world_file){world->next_ino++, nature, size, false};
    return file;
}

uint64_t world_old_file(struct world *world, enum nature nature, uint64_t size)
{
    return file_new(world, nature, size)->ino;
}

static uint64_t version_of(struct world *world, const struct world_file *file)
{
    assert_true(world->next_version < WORLD_FILES_MAX - 1);
    world->versions[world->next_version] = file->now;
    world->version_sizes[world->next_version] = file->size;
    return world->next_version++;
}

static void stats_fill(struct content_stats *stats, enum nature nature, uint64_t size)
{
    static const unsigned symbols[] = {
        [NATURE_EMPTY] = 0,     [NATURE_TEXT] = 40,    [NATURE_PICTURE] = 200,
        [NATURE_ARCHIVE] = 256, [NATURE_CIPHER] = 256, [NATURE_CONTAINER] = 256,
        [NATURE_CODED] = 64,    [NATURE_ZEROS] = 1,    [NATURE_MIXED] = 256};
    unsigned n = symbols[nature];

    stats->len = size;
    for (unsigned i = 0; i < n; i++) {
        stats->histogram[i ^ ' '] = size / n + (i < size % n);
    }
    if ((nature == NATURE_TEXT || nature == NATURE_PICTURE) && size > 512) { /* far from even */
        for (unsigned i = 0; i + 1 < n; i += 2) {
            stats->histogram[(i + 1) ^ ' '] += stats->histogram[i ^ ' '] / 2;
            stats->histogram[i ^ ' '] -= stats->histogram[i ^ ' '] / 2;
        }
    }
}

static enum content_format format_of(enum nature nature)
{
    static const enum content_format formats[] = {
        [NATURE_EMPTY] = CONTENT_FORMAT_UNKNOWN,  [NATURE_TEXT] = CONTENT_FORMAT_TEXT,
        [NATURE_PICTURE] = CONTENT_FORMAT_PLAIN,  [NATURE_ARCHIVE] = CONTENT_FORMAT_PLAIN,
        [NATURE_CIPHER] = CONTENT_FORMAT_UNKNOWN, [NATURE_CONTAINER] = CONTENT_FORMAT_ENCRYPTED,
        [NATURE_CODED] = CONTENT_FORMAT_TEXT,     [NATURE_ZEROS] = CONTENT_FORMAT_UNKNOWN,
        [NATURE_MIXED] = CONTENT_FORMAT_UNKNOWN};

    return formats[nature];
}

static bool nature_is_text(enum nature nature)
{
    return nature == NATURE_TEXT || nature == NATURE_CODED;
}

static void world_answer(struct world *world, const struct judge_question *question)
{
    struct content_change change;
    struct world_file *file = &world->files[question->file.ino];
    enum nature before = question->version != 0 ? world->versions[question->version] : NATURE_EMPTY;
    uint64_t size_before = question->version != 0 ? world->version_sizes[question->version] : 0;
    enum nature after = question->look == JUDGE_LOOK_ORIGINAL ? NATURE_EMPTY : file->now;
    uint64_t size_after = question->look == JUDGE_LOOK_ORIGINAL ? 0 : file->size;
    struct judge_step step = {
        .kind = JUDGE_STEP_CONTENT, .file = question->file, .version = question->version};

    assert_true(question->look == JUDGE_LOOK_PRODUCT || question->version != 0);
    if (file->is_gone && question->look != JUDGE_LOOK_ORIGINAL) {
        world_feed(world, &step);
        return;
    }
    content_change_init(&change, size_before, size_after);
    stats_fill(&change.before, before, size_before);
    stats_fill(&change.after, after, size_after);
    change.compared = size_before < size_after ? size_before : size_after;
    change.equal = after == NATURE_MIXED ? change.compared / 2
                   : after == before     ? change.compared
                                         : 0;
    if (after != before || size_after > size_before) {
        stats_fill(&change.changed, after == NATURE_MIXED ? NATURE_CIPHER : after,
                   size_after - (after == before ? change.compared : change.equal));
    }
    change.was_text = nature_is_text(before);
    change.is_text = nature_is_text(after);
    change.is_after_encrypted_magic = after == NATURE_CONTAINER && !world->is_magic_late;
    step.change = &change;
    if (!world->is_scanner_dead) {
        step.format = format_of(after);
        step.format_before = format_of(before);
    }
    world_feed(world, &step);
}

bool world_gate(struct world *world, int pid)
{
    struct judge_question questions[8];

    for (int round = 0; round < 8; round++) {
        size_t count = 0;

        if (judge_is_stopped(world->judge, key_of(pid))) {
            return false;
        }
        if (judge_excess(world->judge, key_of(pid)) == 0) {
            return true;
        }
        count = judge_undecided(world->judge, key_of(pid), questions, 8);
        assert_true(count != 0);
        for (size_t i = 0; i < count; i++) {
            world_answer(world, &questions[i]);
        }
    }
    return !judge_is_stopped(world->judge, key_of(pid));
}

/* What the sensor's worker does after an event of the names group, which no gate waits for. */
static void world_look(struct world *world, int pid)
{
    struct judge_question questions[8];
    size_t count;

    for (int round = 0; round < 4 && !world->is_late; round++) {
        count = judge_undecided(world->judge, key_of(pid), questions, 8);
        for (size_t i = 0; i < count; i++) {
            world_answer(world, &questions[i]);
        }
    }
}

void world_tick(struct world *world)
{
    struct judge_question questions[8];
    size_t count;

    for (int round = 0; round < 10; round++) {
        world->time += 100000000;
        count = judge_overdue(world->judge, world->time, 50000000, questions, 8);
        for (size_t i = 0; i < count; i++) {
            world_answer(world, &questions[i]);
        }
    }
}

static bool nature_is_readable(enum nature nature)
{
    return nature == NATURE_TEXT || nature == NATURE_PICTURE || nature == NATURE_ARCHIVE;
}

static void world_note_touched(struct world *world, enum nature before, enum nature after)
{
    world->touched += nature_is_readable(before) && !nature_is_readable(after);
}

bool world_read(struct world *world, int pid, uint64_t ino)
{
    struct judge_step step = {.kind = JUDGE_STEP_READ,
                              .who = key_of(pid),
                              .file = {1, ino},
                              .size = world->files[ino].size,
                              .path = path_of(ino)};

    if (!world_gate(world, pid)) {
        return false;
    }
    world_feed(world, &step);
    return true;
}

bool world_rewrite(struct world *world, int pid, uint64_t ino, enum nature nature)
{
    struct world_file *file = &world->files[ino];
    struct judge_step step = {.kind = JUDGE_STEP_WRITE,
                              .who = key_of(pid),
                              .file = {1, ino},
                              .size = file->size,
                              .path = path_of(ino)};

    if (!world_gate(world, pid)) {
        return false;
    }
    step.version = version_of(world, file);
    world_feed(world, &step);
    world_note_touched(world, file->now, nature);
    file->now = nature;
    if (nature == NATURE_EMPTY) {
        file->size = 0;
    }
    step = (struct judge_step){
        .kind = JUDGE_STEP_CLOSE, .who = key_of(pid), .file = {1, ino}, .size = file->size};
    world_feed(world, &step);
    return true;
}

uint64_t world_make(struct world *world, int pid, enum nature nature, uint64_t size,
                    const char *path)
{
    struct world_file *file;
    struct judge_step step;

    if (!world_gate(world, pid)) {
        return 0;
    }
    file = file_new(world, nature, size);
    step = (struct judge_step){.kind = JUDGE_STEP_CREATE,
                               .who = key_of(pid),
                               .file = {1, file->ino},
                               .path = path != NULL ? str_from(path) : path_of(file->ino)};
    world_feed(world, &step);
    step = (struct judge_step){
        .kind = JUDGE_STEP_CLOSE, .who = key_of(pid), .file = {1, file->ino}, .size = size};
    world_feed(world, &step);
    return file->ino;
}

void world_rename_over(struct world *world, int pid, uint64_t ino, uint64_t victim)
{
    struct world_file *gone = &world->files[victim];
    char path[64];
    struct judge_step step = {
        .kind = JUDGE_STEP_RENAME, .who = key_of(pid), .file = {1, ino}, .victim = {1, victim}};

    snprintf(path, sizeof(path), "%.*s", STR_ARG(path_of(ino)));
    step.path = str_from(path);
    step.target_path = path_of(victim);
    step.victim_version = version_of(world, gone);
    world_note_touched(world, gone->now, world->files[ino].now);
    gone->is_gone = true;
    world_feed(world, &step);
    world_look(world, pid);
}

void world_delete(struct world *world, int pid, uint64_t ino)
{
    struct world_file *file = &world->files[ino];
    struct judge_step step = {.kind = JUDGE_STEP_DELETE,
                              .who = key_of(pid),
                              .file = {1, ino},
                              .size = file->size,
                              .path = path_of(ino)};

    step.version = version_of(world, file);
    world_note_touched(world, file->now, NATURE_EMPTY);
    file->is_gone = true;
    world_feed(world, &step);
    world_look(world, pid);
}
