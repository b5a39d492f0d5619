/* What core/site.c, core/import.c and core/page.c share. */
#ifndef CENTRE_CORE_SITE_H
#define CENTRE_CORE_SITE_H

#include "centre/core/private.h"

/* A site that is not dropped; -ERR_NOENT. */
[[nodiscard]] int core_site_read(struct core_call *call, struct store_site *ret_site);
/* Checked, with a path; in the call's arena. -ERR_SYNTAX with a sentence. */
[[nodiscard]] int core_site_take_url(struct core_call *call, struct str text, struct str *ret_url);
/* Writes and audits. -ERR_CONFLICT for an address that another site has. */
[[nodiscard]] int core_site_write(struct core_call *call, const struct store_site *site,
                                  const char *act, uint64_t *ret_number);
struct str core_site_text(struct core_call *call, uint64_t number);

#endif
