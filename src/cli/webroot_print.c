/* Lines of canhgac webroot. */
#include "cli/webroot_print.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time.h"
#include "codec/json.h"

#define HEARING_TEXT  64

#define PRINT_LINE    (64U << 10)
#define PRINT_LOCAL_S 25200 /* Viet Nam has one time zone and no summer time */

struct line {
    struct buf buf;
    struct json_writer json;
};

static void line_begin(struct line *line)
{
    buf_init(&line->buf, PRINT_LINE);
    json_begin(&line->json, &line->buf);
    json_open_object(&line->json);
}

static void line_end(struct line *line)
{
    json_close_object(&line->json);
    printf("%.*s\n", STR_ARG(buf_str(&line->buf)));
    buf_done(&line->buf);
}

static void line_put_str(struct line *line, const char *key, struct str value)
{
    json_add_str(&line->json, key, value);
}

static void line_put_text(struct line *line, const char *key, const char *value)
{
    json_add_text(&line->json, key, value);
}

static void line_put_u64(struct line *line, const char *key, uint64_t value)
{
    json_add_u64(&line->json, key, value);
}

static void line_put_bool(struct line *line, const char *key, bool value)
{
    json_add_bool(&line->json, key, value);
}

static void line_put_time(struct line *line, const char *key, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format_utc(time, text);
    line_put_text(line, key, text);
}

static void print_plain(struct str text)
{
    CLEANUP(buf_done) struct buf plain;

    buf_init(&plain, PRINT_LINE);
    (void)buf_put_plain(&plain, text);
    printf("%.*s", STR_ARG(buf_str(&plain)));
}

static void local_time(int64_t time, char out[TIME_TEXT_SIZE])
{
    time_format_offset(time, PRINT_LOCAL_S, out);
}

void webroot_print_key(bool is_json, const char *private, const char *public, const char *id)
{
    struct line line;

    if (!is_json) {
        printf(_("The private key is %s: keep it where the web server's users cannot come to, best "
                 "on another medium. This store trusts %s (%.16s…)."),
               private, public, id);
        putchar('\n');
        return;
    }
    line_begin(&line);
    line_put_text(&line, "private", private);
    line_put_text(&line, "public", public);
    line_put_text(&line, "id", id);
    line_end(&line);
}

void webroot_print_plant(void *context, struct str path, unsigned plants)
{
    struct webroot_plants *seen = context;
    struct line line;

    if (seen->is_json) {
        line_begin(&line);
        line_put_str(&line, "executes", path);
        line_put_text(&line, "what", plant_word(plants));
        line_end(&line);
    } else {
        if (seen->count == 0) {
            printf("%s\n", _("These lie in folders that others write to and can execute; they are "
                             "signed as they are. Remove what is not yours and sign again:"));
        }
        printf("    ");
        print_plain(path);
        putchar('\n');
    }
    seen->count++;
}

void webroot_print_signed(bool is_json, const char *root, const struct webroot_signed *sums,
                          const struct webroot_plants *plants)
{
    struct line line;

    if (!is_json) {
        printf(_("Version %llu of %s is signed: %llu files, folders and links are fixed, %llu "
                 "bytes are kept to restore from."),
               (unsigned long long)sums->version, root, (unsigned long long)sums->fixed,
               (unsigned long long)sums->bytes);
        putchar('\n');
        return;
    }
    line_begin(&line);
    line_put_text(&line, "root", root);
    line_put_u64(&line, "version", sums->version);
    line_put_u64(&line, "files", sums->files);
    line_put_u64(&line, "fixed", sums->fixed);
    line_put_u64(&line, "bytes", sums->bytes);
    line_put_u64(&line, "executable_uploads", plants->count);
    line_end(&line);
}

static void put_difference(struct buf *out, const char *word)
{
    (void)buf_putf(out, "%s%s", out->len != 0 ? ", " : "", word);
}

/* The words of scripts; people get the same. */
static void describe(int differences, unsigned plants, struct buf *out)
{
    static const struct {
        unsigned difference;
        const char *word;
    } words[] = {{WEBROOT_MISSING, N_("missing")}, {WEBROOT_ADDED, N_("added")},
                 {WEBROOT_KIND, N_("other kind")}, {WEBROOT_CONTENT, N_("content")},
                 {WEBROOT_MODE, N_("mode")},       {WEBROOT_OWNER, N_("owner")},
                 {WEBROOT_MTIME, N_("time")},      {WEBROOT_XATTRS, N_("attributes")}};

    if (differences < 0) {
        put_difference(out, err_text(differences));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (((unsigned)differences & words[i].difference) != 0) {
            put_difference(out, text_get(words[i].word));
        }
    }
    if (plants != 0) {
        put_difference(out, plant_word(plants));
    }
}

void webroot_print_difference(bool is_json, const char *root, struct str path, int differences,
                              unsigned plants, int result)
{
    CLEANUP(buf_done) struct buf what;
    struct line line;

    buf_init(&what, PRINT_LINE);
    describe(differences, plants, &what);
    if (is_json) {
        line_begin(&line);
        line_put_text(&line, "root", root);
        line_put_str(&line, "path", path);
        line_put_str(&line, "differs", buf_str(&what));
        if (result != -ERR_AGAIN) {
            line_put_text(&line, "result", result >= 0 ? "OK" : err_name(result));
        }
        line_end(&line);
        return;
    }
    print_plain(path.len != 0 ? path : STR("."));
    printf(": %.*s", STR_ARG(buf_str(&what)));
    if (result >= 0) {
        printf("  %s", _("put back"));
    } else if (result != -ERR_AGAIN) {
        printf("  %s", err_text(result));
    }
    putchar('\n');
}

void webroot_print_verified(bool is_json, const struct webroot *webroot, uint64_t differences)
{
    struct line line;

    if (!is_json) {
        printf(_("%s: %llu differences from version %llu (%zu entries)"), webroot->path,
               (unsigned long long)differences, (unsigned long long)webroot->manifest.version,
               webroot->manifest.entry_count);
        putchar('\n');
        return;
    }
    line_begin(&line);
    line_put_text(&line, "root", webroot->path);
    line_put_u64(&line, "version", webroot->manifest.version);
    line_put_u64(&line, "entries", webroot->manifest.entry_count);
    line_put_u64(&line, "differences", differences);
    line_end(&line);
}

void webroot_print_restored(bool is_json, const char *root, uint64_t restored, uint64_t failed)
{
    struct line line;

    if (!is_json) {
        printf(_("%s: %llu put back, %llu could not be"), root, (unsigned long long)restored,
               (unsigned long long)failed);
        putchar('\n');
        return;
    }
    line_begin(&line);
    line_put_text(&line, "root", root);
    line_put_u64(&line, "restored", restored);
    line_put_u64(&line, "failed", failed);
    line_end(&line);
}

static void print_status_json(const struct webroot *webroot, const struct webroot_window *window,
                              const char *trouble)
{
    char hearing[HEARING_TEXT];
    struct line line;

    line_begin(&line);
    line_put_text(&line, "root", webroot->path);
    line_put_bool(&line, "signed", webroot->is_signed);
    webroot_hearing(webroot, hearing, sizeof(hearing));
    line_put_bool(&line, "guarded", webroot_is_guarded(webroot));
    line_put_text(&line, "heard", hearing);
    line_put_u64(&line, "highest", webroot->highest);
    if (webroot->is_signed) {
        line_put_u64(&line, "version", webroot->manifest.version);
        line_put_time(&line, "time", webroot->manifest.time);
        line_put_u64(&line, "entries", webroot->manifest.entry_count);
    }
    if (window->is_open) {
        line_put_time(&line, "publish_until", window->until);
        line_put_str(&line, "publish_who", window->grant.who);
        line_put_str(&line, "publish_reason", window->grant.reason);
    }
    line_put_text(&line, "trouble", trouble[0] != '\0' ? trouble : NULL);
    line_end(&line);
}

void webroot_print_status(bool is_json, const struct webroot *webroot,
                          const struct webroot_window *window, const char *trouble)
{
    char hearing[HEARING_TEXT];
    char when[TIME_TEXT_SIZE];

    if (is_json) {
        print_status_json(webroot, window, trouble);
        return;
    }
    printf("%s\n", webroot->path);
    if (webroot->is_signed) {
        local_time(webroot->manifest.time, when);
        printf(_("  version %llu of %s, %zu entries"),
               (unsigned long long)webroot->manifest.version, when, webroot->manifest.entry_count);
        putchar('\n');
    }
    webroot_hearing(webroot, hearing, sizeof(hearing));
    if (hearing[0] != '\0') {
        printf(_("  an agent guards it and hears of changes by %s"), hearing);
        putchar('\n');
    } else {
        printf("  %s\n", webroot_is_guarded(webroot)
                             ? _("an agent is about to guard it")
                             : _("no agent guards it now: set webroot in the agent's settings"));
    }
    if (window->is_open) {
        local_time(window->until, when);
        printf(_("  a publish window is open until %s, by "), when);
        print_plain(window->grant.who);
        printf(": ");
        print_plain(window->grant.reason);
        putchar('\n');
    }
    if (trouble[0] != '\0') {
        printf("  %s\n", trouble);
    }
}

void webroot_print_window(bool is_json, const char *root, const struct grant *grant,
                          bool is_guarded)
{
    char when[TIME_TEXT_SIZE];
    struct line line;

    if (is_json) {
        line_begin(&line);
        line_put_text(&line, "root", root);
        line_put_time(&line, "until", grant->until);
        line_put_str(&line, "who", grant->who);
        line_put_str(&line, "reason", grant->reason);
        line_put_bool(&line, "guarded", is_guarded);
        line_end(&line);
        return;
    }
    local_time(grant->until, when);
    printf(_("Until %s changes of %s are accepted, by "), when, root);
    print_plain(grant->who);
    printf(": ");
    print_plain(grant->reason);
    putchar('\n');
    if (!is_guarded) {
        printf("%s\n", _("No agent guards it now: end the window with --end, else nothing is "
                         "signed."));
    }
}

void webroot_print_published(bool is_json, const struct webroot *webroot)
{
    struct line line;

    if (!is_json) {
        printf(_("The publish window of %s is closed; version %llu is signed."), webroot->path,
               (unsigned long long)webroot->manifest.version);
        putchar('\n');
        return;
    }
    line_begin(&line);
    line_put_text(&line, "root", webroot->path);
    line_put_u64(&line, "version", webroot->manifest.version);
    line_end(&line);
}

static void print_evidence_json(const struct evidence_record *record)
{
    char digits[65] = "";
    struct line line;

    line_begin(&line);
    line_put_u64(&line, "number", record->number);
    line_put_time(&line, "time", record->time);
    line_put_str(&line, "root", record->root);
    line_put_str(&line, "path", record->path);
    line_put_str(&line, "what", record->what);
    line_put_u64(&line, "size", record->size);
    line_put_u64(&line, "mode", record->mode);
    line_put_u64(&line, "uid", record->uid);
    line_put_u64(&line, "gid", record->gid);
    line_put_time(&line, "mtime", record->mtime);
    line_put_time(&line, "ctime", record->changed);
    if (record->has_content) {
        hex_encode(record->sha256, sizeof(record->sha256), digits);
        line_put_text(&line, "sha256", digits);
    } else {
        line_put_text(&line, "lacking", record->result < 0 ? err_name(record->result) : "NONE");
    }
    json_add_i64(&line.json, "pid", record->pid);
    line_put_str(&line, "user", record->user);
    line_put_str(&line, "exe", record->exe);
    line_put_str(&line, "cmdline", record->cmdline);
    line_end(&line);
}

static void print_evidence_page(const struct evidence_record *record)
{
    char digits[65] = "";
    char when[TIME_TEXT_SIZE];

    local_time(record->mtime, when);
    printf(_("  mode %o, owner %u:%u, %llu bytes, claims to be of %s"), record->mode & 07777,
           record->uid, record->gid, (unsigned long long)record->size, when);
    putchar('\n');
    if (record->has_content) {
        hex_encode(record->sha256, sizeof(record->sha256), digits);
        printf("  sha256 %s\n", digits);
    } else {
        printf(_("  its content was not kept: %s"),
               record->result < 0 ? err_text(record->result) : _("it had none"));
        putchar('\n');
    }
    if (record->pid != 0) {
        printf(_("  by process %lld, "), (long long)record->pid);
        print_plain(record->user);
        printf("  ");
        print_plain(record->exe);
        printf("  ");
        print_plain(record->cmdline);
        putchar('\n');
    }
}

void webroot_print_evidence(bool is_json, const struct evidence_record *record, bool is_whole)
{
    char when[TIME_TEXT_SIZE];

    if (is_json) {
        print_evidence_json(record);
        return;
    }
    local_time(record->time, when);
    printf("%6llu  %s  %-14.*s  ", (unsigned long long)record->number, when, STR_ARG(record->what));
    print_plain(record->root);
    printf("/");
    print_plain(record->path);
    putchar('\n');
    if (is_whole) {
        print_evidence_page(record);
    }
}
