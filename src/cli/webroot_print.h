/* What canhgac webroot shows, for people or as one JSON object a line. */
#ifndef CLI_WEBROOT_PRINT_H
#define CLI_WEBROOT_PRINT_H

#include "agent/webroot.h"

struct webroot_plants {
    bool is_json;
    uint64_t count;
};

void webroot_print_key(bool is_json, const char *private, const char *public, const char *id);
/* context: struct webroot_plants. */
void webroot_print_plant(void *context, struct str path, unsigned plants);
void webroot_print_signed(bool is_json, const char *root, const struct webroot_signed *sums,
                          const struct webroot_plants *plants);
/* result: of the restoring; -ERR_AGAIN: nothing was restored. */
void webroot_print_difference(bool is_json, const char *root, struct str path, int differences,
                              unsigned plants, int result);
void webroot_print_verified(bool is_json, const struct webroot *webroot, uint64_t differences);
void webroot_print_restored(bool is_json, const char *root, uint64_t restored, uint64_t failed);
void webroot_print_status(bool is_json, const struct webroot *webroot,
                          const struct webroot_window *window, const char *trouble);
void webroot_print_window(bool is_json, const char *root, const struct grant *grant,
                          bool is_guarded);
void webroot_print_published(bool is_json, const struct webroot *webroot);
void webroot_print_evidence(bool is_json, const struct evidence_record *record, bool is_whole);

#endif
