/* See cli/drill/wayback.h. Neighbours: drill/deface.c asks, agent/webroot*.c does it. */
#include "cli/drill/wayback.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int wayback_sign(struct drill_wayback *wayback, struct diag *diag)
{
    CLEANUP(seal_key_done) struct seal_key key = {0};
    struct webroot_signing signing = {.key = &key, .until = INT64_MAX};
    static const struct setting_list none;
    struct webroot_signed done;
    char path[DRILL_PATH_MAX + 16];
    int r = seal_key_new(&key);

    signing.uploads = &none;
    signing.contents = &none;
    (void)snprintf(path, sizeof(path), "%s/key.pub", wayback->store.path);
    r = r < 0 ? r : seal_public_write(key.public, path);
    r = r < 0 ? r : webroot_open(&wayback->webroot, &wayback->config, diag);
    if (r < 0) {
        return r;
    }
    wayback->is_open = true;
    return webroot_sign(&wayback->webroot, &signing, &done, diag);
}

int drill_wayback_open(struct drill_wayback *wayback, const struct drill_folder *folder,
                       struct diag *diag)
{
    char path[] = "/tmp/canhgac-drill-store-XXXXXX";
    int r;

    *wayback = (struct drill_wayback){.store.fd = -1};
    if (mkdtemp(path) == NULL) {
        return diag_set(diag, -errno, _("%s could not be made: %s"), path, err_text(errno));
    }
    r = drill_folder_make(path, &wayback->store, diag);
    if (r < 0) {
        return r;
    }
    wayback->store.was_there = false; /* we made it */
    wayback->config = (struct webroot_config){.store = wayback->store.path, .path = folder->path};
    r = wayback_sign(wayback, diag);
    return r < 0 ? diag_set(diag, r, _("the portal could not be signed: %s"), err_text(r)) : 0;
}

/* Nobody looks at what the drill itself had put there. */
static void wayback_on_taken(void *context, struct str path, int folder, const char *name)
{
    (void)context;
    (void)path;
    (void)unlinkat(folder, name, 0);
}

int drill_wayback_restore(struct drill_wayback *wayback, struct str file)
{
    const struct webroot_taker taker = {NULL, wayback_on_taken};
    const struct manifest_entry *entry = manifest_find(&wayback->webroot.manifest, file);
    int differences = webroot_compare(&wayback->webroot, file, entry, UINT64_MAX, NULL);

    if (differences <= 0) {
        return differences;
    }
    return entry != NULL ? webroot_put_back(&wayback->webroot, entry, (unsigned)differences, &taker)
                         : webroot_take_out(&wayback->webroot, file, &taker);
}

void drill_wayback_close(struct drill_wayback *wayback)
{
    if (wayback->is_open) {
        webroot_close(&wayback->webroot);
    }
    if (wayback->store.fd >= 0) {
        (void)!drill_folder_remove(&wayback->store);
    }
}
