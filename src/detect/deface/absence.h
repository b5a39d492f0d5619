/* Whether there is anything to judge: blank, captcha, a firewall's page, an error, a torn render
 * are "unknown", never "changed". Asked by judge.c, which lets an attack seen on such a page win.
 */
#ifndef DETECT_DEFACE_ABSENCE_H
#define DETECT_DEFACE_ABSENCE_H

#include "base/arena.h"
#include "detect/deface/diff.h"

/* SITE_FAILURE_NONE when the page is one. diff may be NULL when nothing came. -ERR_NOMEM. */
[[nodiscard]] int absence_read(const struct deface_look *look, const struct diff *diff,
                               struct arena *arena, enum site_failure *ret_failure);
/* A robots.txt or a sitemap that is not there and never was, which is no page that fails; one that
 * the view has learned and that goes is. view: NULL, none is known. */
bool absence_is_of_extra(const struct deface_look *look, const struct profile_view *view);

#endif
