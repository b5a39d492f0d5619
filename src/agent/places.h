/* Which folders are guarded and which are not, worked out once from the settings: real paths,
 * without what does not exist, and with our own folders left out. */
#ifndef AGENT_PLACES_H
#define AGENT_PLACES_H

#include "agent/settings.h"
#include "sense/files.h"

struct places {
    struct files_place list[FILES_PLACES_MAX];
    size_t count;
    size_t protected_count;
    const char *vault;
    char *owned[FILES_PLACES_MAX * 2]; /* the paths' memory */
    size_t owned_count;
};

/* -ERR_NOENT when no folder to guard exists. diag tells. */
[[nodiscard]] int places_init(struct places *places, const struct agent_settings *settings,
                              struct diag *diag);
void places_done(struct places *places);

#endif
