/* What content.c and content_page.c share: single features. Inside detect/deface/ only. */
#ifndef DETECT_DEFACE_CONTENT_PART_H
#define DETECT_DEFACE_CONTENT_PART_H

#include "detect/deface/content.h"

/* kind: 'p' a phrase, 'q' a class of phrases in links, 'm' a mark of how the page is made: these
 * are of the meant ones; others are words and parts of words. */
void content_put(struct content_features *features, char kind, struct str text);
/* A figure, by its magnitude. */
void content_put_figure(struct content_features *features, const char *name, uint64_t figure);

#endif
