/* Steps to lines and back. On its way: sensor → trace_write … trace_read → judge_step.
 * Invariant: trace_read(trace_write(step)) gives a step that the judge cannot tell from the first.
 */
#include "detect/ransom/trace.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/json.h"

static const char *const step_names[JUDGE_STEP_COUNT] = {
    [JUDGE_STEP_ACTOR] = "actor",   [JUDGE_STEP_EXIT] = "exit",
    [JUDGE_STEP_READ] = "read",     [JUDGE_STEP_WRITE] = "write",
    [JUDGE_STEP_CREATE] = "create", [JUDGE_STEP_CLOSE] = "close",
    [JUDGE_STEP_RENAME] = "rename", [JUDGE_STEP_DELETE] = "delete",
    [JUDGE_STEP_UNLINK] = "unlink", [JUDGE_STEP_CONTENT] = "content",
};

static void put_nonzero(struct json_writer *json, const char *key, uint64_t value)
{
    if (value != 0) {
        json_put_key(json, key);
        json_put_i64(json, (int64_t)value); /* numbers past its range come back the same way */
    }
}

static void put_text(struct json_writer *json, const char *key, struct str value)
{
    if (value.len != 0) {
        json_put_key(json, key);
        json_put_str(json, value);
    }
}

static void put_actor(struct json_writer *json, const struct actor *actor)
{
    put_nonzero(json, "parent", (uint64_t)(int64_t)actor->parent.pid);
    put_nonzero(json, "parent_start", actor->parent.start);
    put_nonzero(json, "session", (uint64_t)(int64_t)actor->session);
    put_nonzero(json, "uid", actor->uid);
    put_nonzero(json, "exe_dev", actor->exe_dev);
    put_nonzero(json, "exe", actor->exe_ino);
    put_nonzero(json, "cgroup", actor->cgroup);
    put_nonzero(json, "exempt", actor->is_exempt);
}

static void put_signs(struct json_writer *json, const struct content_change *change)
{
    struct content_signs signs;

    content_change_signs(change, &signs);
    json_put_key(json, "before");
    json_put_text(json, content_texture_name(signs.before));
    json_put_key(json, "changed");
    json_put_text(json, content_texture_name(signs.changed));
    json_put_key(json, "after");
    json_put_text(json, content_texture_name(signs.after));
    put_nonzero(json, "changed_len", signs.changed_len);
    put_nonzero(json, "compared", signs.compared);
    put_nonzero(json, "equal", signs.equal);
    put_nonzero(json, "size_before", signs.size_before);
    put_nonzero(json, "size_after", signs.size_after);
    put_nonzero(json, "was_text", signs.was_text);
    put_nonzero(json, "is_text", signs.is_text);
    put_nonzero(json, "magic", signs.is_after_encrypted_magic);
}

void trace_write(struct buf *buf, const struct judge_step *step)
{
    struct json_writer json;
    struct actor_key who = step->kind == JUDGE_STEP_ACTOR ? step->actor->key : step->who;

    json_begin(&json, buf);
    json_open_object(&json);
    json_put_key(&json, "step");
    json_put_text(&json, step_names[step->kind]);
    json_put_key(&json, "time");
    json_put_i64(&json, step->time);
    put_nonzero(&json, "pid", (uint64_t)(int64_t)who.pid);
    put_nonzero(&json, "start", who.start);
    put_nonzero(&json, "dev", step->file.dev);
    put_nonzero(&json, "ino", step->file.ino);
    put_nonzero(&json, "victim_dev", step->victim.dev);
    put_nonzero(&json, "victim", step->victim.ino);
    put_nonzero(&json, "version", step->version);
    put_nonzero(&json, "victim_version", step->victim_version);
    put_nonzero(&json, "size", step->size);
    put_text(&json, "path", step->path);
    put_text(&json, "target", step->target_path);
    if (step->kind == JUDGE_STEP_ACTOR) {
        put_actor(&json, step->actor);
    }
    if (step->kind == JUDGE_STEP_CONTENT) {
        put_text(&json, "format", str_from(content_format_name(step->format)));
        put_text(&json, "format_before", str_from(content_format_name(step->format_before)));
        if (step->change != NULL) {
            put_signs(&json, step->change);
        }
    }
    json_close_object(&json);
    buf_put_byte(buf, '\n');
}

static uint64_t get_u64(const struct json_value *value, const char *key)
{
    return (uint64_t)json_member_i64(value, key, 0);
}

static enum content_format get_format(const struct json_value *value, const char *key)
{
    struct str name = json_member_str(value, key, STR("unasked"));

    for (unsigned i = 0; i < CONTENT_FORMAT_COUNT; i++) {
        if (str_is_text(name, content_format_name((enum content_format)i))) {
            return (enum content_format)i;
        }
    }
    return CONTENT_FORMAT_UNASKED;
}

/* The simplest histogram of that texture; len 0: as short as it may be. */
static void stats_make(struct content_stats *stats, struct str texture, uint64_t len)
{
    static const struct {
        enum content_texture texture;
        unsigned symbols;
        uint64_t len;
    } makes[] = {
        {CONTENT_TEXTURE_ORDINARY, 2, 2},  {CONTENT_TEXTURE_RANDOM, 256, 1024},
        {CONTENT_TEXTURE_SPREAD, 256, 64}, {CONTENT_TEXTURE_CODED, 64, 1024},
        {CONTENT_TEXTURE_CONSTANT, 1, 2},
    };

    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        if (!str_is_text(texture, content_texture_name(makes[i].texture))) {
            continue;
        }
        stats->len = len != 0 ? len : makes[i].len;
        for (unsigned symbol = 0; symbol < makes[i].symbols; symbol++) {
            stats->histogram[symbol ^ 'A'] =
                stats->len / makes[i].symbols + (symbol < stats->len % makes[i].symbols);
        }
    }
}

static void get_change(const struct json_value *value, struct content_change *change)
{
    content_change_init(change, get_u64(value, "size_before"), get_u64(value, "size_after"));
    stats_make(&change->before, json_member_str(value, "before", STR("")), 0);
    stats_make(&change->after, json_member_str(value, "after", STR("")), 0);
    stats_make(&change->changed, json_member_str(value, "changed", STR("")),
               get_u64(value, "changed_len"));
    change->compared = get_u64(value, "compared");
    change->equal = get_u64(value, "equal");
    change->was_text = get_u64(value, "was_text") != 0;
    change->is_text = get_u64(value, "is_text") != 0;
    change->is_after_encrypted_magic = get_u64(value, "magic") != 0;
}

static void get_actor(const struct json_value *value, struct trace_step *step)
{
    step->actor = (struct actor){
        .key = step->step.who,
        .parent = {(int32_t)get_u64(value, "parent"), get_u64(value, "parent_start")},
        .session = (int32_t)get_u64(value, "session"),
        .uid = (uint32_t)get_u64(value, "uid"),
        .exe_dev = get_u64(value, "exe_dev"),
        .exe_ino = get_u64(value, "exe"),
        .cgroup = get_u64(value, "cgroup"),
        .is_exempt = get_u64(value, "exempt") != 0,
    };
    step->step.actor = &step->actor;
}

int trace_read(struct str line, struct arena *arena, struct trace_step *ret_step, struct diag *diag)
{
    struct json_value *value;
    struct str name;
    unsigned kind = 0;
    int r;

    r = json_parse(line, arena, &value, diag);
    if (r < 0) {
        return r;
    }
    name = json_member_str(value, "step", STR(""));
    while (kind < JUDGE_STEP_COUNT && !str_is_text(name, step_names[kind])) {
        kind++;
    }
    if (kind == JUDGE_STEP_COUNT) {
        return diag_set(diag, -ERR_SYNTAX, _("'%.*s' is no step of a trace"), STR_ARG(name));
    }
    ret_step->step = (struct judge_step){
        .kind = (enum judge_step_kind)kind,
        .time = json_member_i64(value, "time", 0),
        .who = {(int32_t)get_u64(value, "pid"), get_u64(value, "start")},
        .file = {get_u64(value, "dev"), get_u64(value, "ino")},
        .victim = {get_u64(value, "victim_dev"), get_u64(value, "victim")},
        .version = get_u64(value, "version"),
        .victim_version = get_u64(value, "victim_version"),
        .size = get_u64(value, "size"),
        .path = json_member_str(value, "path", STR("")),
        .target_path = json_member_str(value, "target", STR("")),
        .format = get_format(value, "format"),
        .format_before = get_format(value, "format_before"),
    };
    if (kind == JUDGE_STEP_ACTOR) {
        get_actor(value, ret_step);
    }
    if (kind == JUDGE_STEP_CONTENT && json_member(value, "after") != NULL) {
        get_change(value, &ret_step->change);
        ret_step->step.change = &ret_step->change;
    }
    return 0;
}
