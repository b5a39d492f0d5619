/* The settings as they count now: the file and the command line, and over them what people changed
 * in the console (store_setting_list). Core and api each keep one; both read the same rows. */
#ifndef CENTRE_OVERLAY_H
#define CENTRE_OVERLAY_H

#include "centre/settings.h"
#include "store/store.h"

struct overlay {
    const struct centre_settings *base; /* the caller's */
    struct centre_settings now;
    struct arena *arena; /* holds the texts of `now` */
};

[[nodiscard]] int overlay_init(struct overlay *overlay, const struct centre_settings *base);
void overlay_done(struct overlay *overlay);
/* Reads the rows again. A row that is not one of ours, may not be changed, was given on the command
 * line or is out of its bounds by now is passed over: what stands below it counts. */
[[nodiscard]] int overlay_read(struct overlay *overlay, struct store *store);

#endif
