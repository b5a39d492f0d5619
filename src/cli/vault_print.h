/* How `canhgac vault` shows versions and progress. */
#ifndef CLI_VAULT_PRINT_H
#define CLI_VAULT_PRINT_H

#include "base/time.h"
#include "store/vault.h"

#define VAULT_SIZE_TEXT 16

/* "812 B", "1.4 MB": decimal, as disks are sold and files are shown. */
void vault_print_size(uint64_t bytes, char out[VAULT_SIZE_TEXT]);
/* One line of a list. */
void vault_print_row(const struct vault_version *version);
/* Everything, a fact a line. */
void vault_print_page(const struct vault_version *version);
/* What of a partial version was kept, and why no more. */
const char *vault_print_part(const struct vault_version *version);
void vault_print_json(const struct vault_version *version);
/* One JSON object about an act: {"id":…,"path":…,"result":"OK"}; id 0 or an empty path is left out.
 */
void vault_print_result_json(uint64_t id, struct str path, int result);
/* The same about what was verified, with "partial". */
void vault_print_verified_json(const struct vault_version *version, int result);
/* A path from elsewhere: nothing in it may speak to the terminal. */
void vault_print_plain(struct str text);

/* A bar on stderr once two seconds have passed, when that is a terminal. */
struct vault_bar {
    uint64_t total;
    uint64_t done;
    int64_t started;
    int64_t shown;
    bool is_wanted;
};
void vault_bar_start(struct vault_bar *bar, uint64_t total, bool is_wanted);
void vault_bar_step(struct vault_bar *bar);
void vault_bar_end(struct vault_bar *bar);

#endif
