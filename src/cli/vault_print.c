/* Rows, pages, JSON lines and the progress bar of `canhgac vault` (vault.c). */
#include "cli/vault_print.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/utf8.h"
#include "codec/json.h"

#define PRINT_LOCAL_S 25200 /* Viet Nam has one time zone and no summer time */
#define PRINT_LIMIT   (1U << 20)
#define BAR_AFTER_NS  (2 * NS_PER_S)
#define BAR_EVERY_NS  (100 * NS_PER_MS)
#define BAR_WIDTH     30

static const char *const kind_names[VAULT_KIND_COUNT] = {
    [VAULT_KIND_BEFORE] = N_("before"),
    [VAULT_KIND_EVIDENCE] = N_("evidence"),
    [VAULT_KIND_QUARANTINE] = N_("quarantine"),
};

void vault_print_size(uint64_t bytes, char out[VAULT_SIZE_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1000 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, VAULT_SIZE_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

static void print_time(int64_t time, char out[TIME_TEXT_SIZE])
{
    time_format_offset(time, PRINT_LOCAL_S, out);
    out[19] = '\0'; /* to the second is what a person reads */
    out[10] = ' ';
}

void vault_print_plain(struct str text)
{
    CLEANUP(buf_done) struct buf line;

    buf_init(&line, PRINT_LIMIT);
    (void)buf_put_plain(&line, text);
    printf("%.*s", STR_ARG(buf_str(&line)));
}

void vault_print_row(const struct vault_version *version)
{
    const char *kind = text_get(kind_names[version->kind]);
    char size[VAULT_SIZE_TEXT];
    char when[TIME_TEXT_SIZE];

    vault_print_size(version->size, size);
    print_time(version->time, when);
    printf("%8llu  %s  %9s  %s%*s %c%c ", (unsigned long long)version->id, when, size, kind,
           utf8_pad(kind, 10), "", version->is_partial ? '~' : ' ',
           id_is_none(&version->finding) ? ' ' : '!');
    vault_print_plain(version->path);
    putchar('\n');
}

static void page_text(const char *name, struct str value)
{
    if (value.len != 0) {
        printf("  %s: ", name);
        vault_print_plain(value);
        putchar('\n');
    }
}

const char *vault_print_part(const struct vault_version *version)
{
    if (version->is_head) {
        return _("only its beginning was kept: a write was let through before the copy ended");
    }
    if (version->is_torn) {
        return _("it changed while it was copied: what was kept is not surely of one moment");
    }
    return _("only its head and tail were kept");
}

void vault_print_page(const struct vault_version *version)
{
    char size[VAULT_SIZE_TEXT];
    char stored[VAULT_SIZE_TEXT];
    char when[TIME_TEXT_SIZE];
    char changed[TIME_TEXT_SIZE];
    char hash[65];
    char finding[ID_TEXT_SIZE];

    vault_print_size(version->size, size);
    vault_print_size(version->stored, stored);
    print_time(version->time, when);
    print_time(version->mtime, changed);
    hex_encode(version->sha256, sizeof(version->sha256), hash);
    id_format(&version->finding, finding);
    printf(_("Version %llu (%s)"), (unsigned long long)version->id,
           text_get(kind_names[version->kind]));
    putchar('\n');
    page_text(_("path"), version->path);
    page_text(_("saved"), str_from(when));
    page_text(_("last changed"), str_from(changed));
    page_text(_("size"), str_from(size));
    page_text(_("kept"), str_from(stored));
    if (version->is_partial) {
        page_text(_("note"), str_from(vault_print_part(version)));
    }
    printf("  %s: %04o %u:%u, %u %s\n", _("mode and owner"), version->mode & 07777, version->uid,
           version->gid, version->links, _("links"));
    page_text("SHA-256", version->sha256[0] == 0 && strspn(hash, "0") == 64
                             ? str_from(_("not computed yet"))
                             : str_from(hash));
    if (!id_is_none(&version->finding)) {
        page_text(_("held by case"), str_from(finding));
    }
    page_text(_("program"), version->process.exe);
    page_text(_("command line"), version->process.cmdline);
}

static void json_put_when(struct json_writer *json, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    json_add_text(json, key, text);
}

static void json_put_process(struct json_writer *json, const struct finding_process *process)
{
    json_add_object(json, "process");
    json_add_i64(json, "pid", process->pid);
    json_add_str(json, "exe", process->exe);
    json_add_str(json, "cmdline", process->cmdline);
    json_add_str(json, "user", process->user);
    json_close_object(json);
}

static void json_print(const struct buf *line)
{
    printf("%.*s\n", STR_ARG(buf_str(line)));
}

void vault_print_json(const struct vault_version *version)
{
    static const uint8_t none[32];
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;
    char text[65];

    buf_init(&line, PRINT_LIMIT);
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_u64(&json, "id", version->id);
    json_add_text(&json, "kind", kind_names[version->kind]);
    json_put_when(&json, "time", version->time);
    json_add_str(&json, "path", version->path);
    json_add_u64(&json, "size", version->size);
    json_add_u64(&json, "stored", version->stored);
    json_add_u64(&json, "mode", version->mode & 07777);
    json_add_u64(&json, "uid", version->uid);
    json_add_u64(&json, "gid", version->gid);
    json_add_u64(&json, "links", version->links);
    json_put_when(&json, "mtime", version->mtime);
    json_add_bool(&json, "partial", version->is_partial);
    json_add_bool(&json, "clone", version->is_clone);
    hex_encode(version->sha256, sizeof(version->sha256), text);
    json_add_text(&json, "sha256", memcmp(version->sha256, none, sizeof(none)) != 0 ? text : NULL);
    id_format(&version->finding, text);
    json_add_text(&json, "finding", id_is_none(&version->finding) ? NULL : text);
    json_put_process(&json, &version->process);
    json_close_object(&json);
    json_print(&line);
}

void vault_print_result_json(uint64_t id, struct str path, int result)
{
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;

    buf_init(&line, PRINT_LIMIT);
    json_begin(&json, &line);
    json_open_object(&json);
    if (id != 0) {
        json_add_u64(&json, "id", id);
    }
    if (path.len != 0) {
        json_add_str(&json, "path", path);
    }
    json_add_text(&json, "result", result == 0 ? "OK" : err_name(result));
    json_close_object(&json);
    json_print(&line);
}

void vault_print_verified_json(const struct vault_version *version, int result)
{
    CLEANUP(buf_done) struct buf line;
    struct json_writer json;

    buf_init(&line, PRINT_LIMIT);
    json_begin(&json, &line);
    json_open_object(&json);
    json_add_u64(&json, "id", version->id);
    json_add_str(&json, "path", version->path);
    json_add_text(&json, "result", result == 0 ? "OK" : err_name(result));
    json_add_bool(&json, "partial", version->is_partial);
    json_close_object(&json);
    json_print(&line);
}

void vault_bar_start(struct vault_bar *bar, uint64_t total, bool is_wanted)
{
    *bar = (struct vault_bar){
        .total = total,
        .started = clock_mono(&clock_real),
        .is_wanted = is_wanted && isatty(STDERR_FILENO) == 1,
    };
}

void vault_bar_step(struct vault_bar *bar)
{
    int64_t now = clock_mono(&clock_real);
    int filled;

    bar->done++;
    if (!bar->is_wanted || now - bar->started < BAR_AFTER_NS || now - bar->shown < BAR_EVERY_NS) {
        return;
    }
    bar->shown = now;
    filled = bar->total != 0 && bar->done < bar->total ? (int)(bar->done * BAR_WIDTH / bar->total)
                                                       : BAR_WIDTH;
    fprintf(stderr, "\r[%.*s%*s] %llu/%llu", filled, "##############################",
            BAR_WIDTH - filled, "", (unsigned long long)bar->done, (unsigned long long)bar->total);
    fflush(stderr);
}

void vault_bar_end(struct vault_bar *bar)
{
    if (bar->shown != 0) {
        fputs("\r\033[K", stderr);
    }
}
