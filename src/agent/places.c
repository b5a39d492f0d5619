/* Paths into places. */
#include "agent/places.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>

/* Takes the memory over. */
static int places_add(struct places *places, char *path, bool is_left_out)
{
    if (path == NULL) {
        return -ERR_NOMEM;
    }
    if (places->count == FILES_PLACES_MAX) {
        mem_free(path);
        return -ERR_LIMIT;
    }
    places->owned[places->owned_count++] = path;
    places->list[places->count++] = (struct files_place){path, is_left_out};
    places->protected_count += is_left_out ? 0 : 1;
    return 0;
}

static char *places_join(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", strlen(folder) == 1 ? "" : folder, name);

    return len > 0 && len < PATH_MAX ? mem_dup(path, (size_t)len) : NULL;
}

/* The root of the file system that folder lies on. */
static void places_mount_root(const char *folder, char out[PATH_MAX])
{
    struct stat here;
    struct stat above;

    (void)snprintf(out, PATH_MAX, "%s", folder);
    while (strlen(out) > 1 && stat(out, &here) == 0) {
        char parent[PATH_MAX];
        char *slash;

        (void)snprintf(parent, sizeof(parent), "%s", out);
        slash = strrchr(parent, '/');
        slash[slash == parent ? 1 : 0] = '\0';
        if (stat(parent, &above) != 0 || above.st_dev != here.st_dev) {
            return;
        }
        (void)snprintf(out, PATH_MAX, "%s", parent);
    }
}

static int places_add_protected(struct places *places, const char *wanted)
{
    char real[PATH_MAX];
    char root[PATH_MAX];
    int r;

    if (realpath(wanted, real) == NULL) {
        return errno == ENOENT ? 0 : -errno;
    }
    r = places_add(places, mem_dup(real, strlen(real)), false);
    if (r == 0) {
        places_mount_root(real, root);
        r = places_add(places, places_join(root, ".canhgac"), true); /* the vault's pool there */
    }
    return r;
}

static int places_add_left_out(struct places *places, const char *wanted)
{
    char real[PATH_MAX];

    if (realpath(wanted, real) == NULL) {
        (void)snprintf(real, sizeof(real), "%s", wanted); /* may come to be later */
    }
    return places_add(places, mem_dup(real, strlen(real)), true);
}

int places_init(struct places *places, const struct agent_settings *settings, struct diag *diag)
{
    int r = 0;

    *places = (struct places){0};
    for (size_t i = 0; r == 0 && i < settings->protect.count; i++) {
        r = places_add_protected(places, settings->protect.items[i]);
        if (r < 0) {
            return diag_set(diag, r, _("'%s' cannot be protected: %s"), settings->protect.items[i],
                            err_text(r));
        }
    }
    if (places->protected_count == 0) {
        return diag_set(diag, -ERR_NOENT,
                        _("none of the folders to protect exists; name one with --protect"));
    }
    for (size_t i = 0; r == 0 && i < settings->exclude.count; i++) {
        r = places_add_left_out(places, settings->exclude.items[i]);
    }
    if (r == 0 && settings->vault != NULL) {
        places->vault = settings->vault;
    } else if (r == 0) {
        places->vault = places->owned[places->owned_count++] =
            places_join(settings->folder, "vault");
        r = places->vault != NULL ? 0 : -ERR_NOMEM;
    }
    if (r == 0) {
        r = places_add_left_out(places, places->vault);
    }
    return r == 0 ? places_add_left_out(places, settings->folder) : r;
}

void places_done(struct places *places)
{
    for (size_t i = 0; i < places->owned_count; i++) {
        mem_free(places->owned[i]);
    }
    *places = (struct places){0};
}
