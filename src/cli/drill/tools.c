/* Patterns made of programs that every server has. On its way: drill/attack.c → here → the tools,
 * run directly with the scratch folder as their working folder and a path that begins with "./" (a
 * shell only where the pattern is a pipeline). Invariant: no argument comes from outside the drill.
 */
#include "cli/drill/attack.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/drill/fill.h"
#include "sys/spawn.h"

#include <sys/wait.h>

#define TOOL_TIMEOUT_MS 300000
#define TOOL_OUTPUT_MAX (1U << 20)

static const char tools_docs[] = "./" DRILL_DOCS;
static const char tools_7z_password[] = "-p" DRILL_KEY;

static int tools_run(const char *const *argv)
{
    struct buf out;
    int status = 0;
    int r;

    buf_init(&out, TOOL_OUTPUT_MAX);
    r = spawn_run(argv, STR(""), TOOL_TIMEOUT_MS, &out, &status);
    buf_done(&out);
    if (r < 0) {
        return r;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ERR_IO;
}

struct tools_names {
    char source[DRILL_PATH_MAX];
    char product[DRILL_PATH_MAX];
};

static void tools_name(const struct drill_victim *victim, const char *suffix,
                       struct tools_names *ret_names)
{
    (void)snprintf(ret_names->source, sizeof(ret_names->source), "./%s", victim->path);
    (void)snprintf(ret_names->product, sizeof(ret_names->product), "./%s%s", victim->path, suffix);
}

int drill_openssl_unlink(struct drill_attack *attack, const struct drill_victim *victim)
{
    struct tools_names names;
    int r;

    (void)attack;
    tools_name(victim, ".enc", &names);
    r = tools_run((const char *const[]){"openssl", "enc", "-aes-256-ctr", "-pbkdf2", "-k",
                                        DRILL_KEY, "-in", names.source, "-out", names.product,
                                        NULL});
    return r < 0 ? r : tools_run((const char *const[]){"rm", "-f", "--", names.source, NULL});
}

int drill_gpg_shred(struct drill_attack *attack, const struct drill_victim *victim)
{
    struct tools_names names;
    int r;

    tools_name(victim, ".gpg", &names);
    r = tools_run((const char *const[]){
        "gpg", "--homedir", attack->home, "--no-autostart", "--quiet", "--batch", "--yes",
        "--s2k-count", "65536", "--pinentry-mode", "loopback", "--passphrase", DRILL_KEY,
        "--output", names.product, "--symmetric", names.source, NULL});
    return r < 0 ? r
                 : tools_run((const char *const[]){"shred", "-f", "-n1", "-u", names.source, NULL});
}

int drill_7z_sdel(struct drill_attack *attack, const struct drill_victim *victim)
{
    struct tools_names names;

    (void)attack;
    tools_name(victim, ".7z", &names);
    return tools_run((const char *const[]){"7z", "a", "-bd", "-y", "-mx=0", "-sdel",
                                           tools_7z_password, names.product, names.source, NULL});
}

int drill_zip_rem(struct drill_attack *attack)
{
    (void)attack;
    return tools_run(
        (const char *const[]){"zip", "-qrem", "-P", DRILL_KEY, "./all.zip", tools_docs, NULL});
}

int drill_ccencrypt(struct drill_attack *attack)
{
    (void)attack;
    return tools_run(
        (const char *const[]){"ccencrypt", "-f", "-r", "-K", DRILL_KEY, tools_docs, NULL});
}

int drill_tar_gpg_rm(struct drill_attack *attack)
{
    static const char script[] =
        "tar -cf - ./" DRILL_DOCS " | gpg --homedir \"$1\" --no-autostart --quiet --batch"
        " --s2k-count 65536 --pinentry-mode loopback --passphrase \"$2\""
        " --output ./all.tar.gpg --symmetric && rm -rf ./" DRILL_DOCS;

    return tools_run(
        (const char *const[]){"sh", "-c", script, "sh", attack->home, DRILL_KEY, NULL});
}
