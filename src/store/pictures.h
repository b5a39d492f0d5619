/* What watched pages looked like: the numbers by which pictures are compared, and the small
 * pictures themselves, which lie among the evidence. The rules of store/sites.h hold. */
#ifndef STORE_PICTURES_H
#define STORE_PICTURES_H

#include "base/arena.h"
#include "base/str.h"
#include "model/site.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PICTURES_MAX       24 /* of one page in one view */
#define STORE_PICTURE_SIZE_MAX   (2U << 20)
#define STORE_PICTURE_VISUAL_MAX 128

enum picture_state {
    PICTURE_STATE_SEEN,    /* while other layers spoke: evidence, and compared with nothing */
    PICTURE_STATE_LEARNED, /* the page as it may look */
    PICTURE_STATE_ODD,
    PICTURE_STATE_COUNT,
};

/* One look of a page; seen again and again while it stays the same. */
struct store_picture {
    uint64_t number;
    uint64_t site;
    uint64_t page;
    struct str url;
    enum site_view view;
    int64_t first;
    int64_t last;
    uint64_t count;
    struct str visual; /* visual_encode of detect/deface/ */
    double score;      /* how far from all that was learned before it, as log-odds */
    enum picture_state state;
    bool has_png; /* false: it made room */
    uint8_t png[32];
};

/* An open alert and the picture that shows what it is about. */
struct store_alert_picture {
    uint64_t alert;
    uint64_t site;
    uint64_t picture;
};

/* number 0: a new one of that site's page, -ERR_NOENT when there is no page of that address; of
 * the oldest, those past STORE_PICTURES_MAX go. Else last, count, score and state are changed. */
[[nodiscard]] int store_picture_put(struct store *store, const struct store_picture *picture,
                                    uint64_t *ret_number);
/* The page as it looks is its editors' work: all its odd pictures are learned. */
[[nodiscard]] int store_picture_learn(struct store *store, uint64_t site, struct str url);
/* Of one page in one view, what was seen last first. */
struct store_picture_page {
    uint64_t site;
    struct str url;
    enum site_view view;
};
[[nodiscard]] int store_picture_of(struct store *store, const struct store_picture_page *page,
                                   struct arena *arena, struct store_picture **ret_pictures,
                                   size_t *ret_count);
/* Of a whole site, what was seen last first. */
[[nodiscard]] int store_picture_list(struct store *store, uint64_t site, size_t limit,
                                     struct arena *arena, struct store_picture **ret_pictures,
                                     size_t *ret_count);
[[nodiscard]] int store_picture_get(struct store *store, uint64_t number, struct arena *arena,
                                    struct store_picture *ret_picture);
/* For each open alert about a page, the newest picture of it that is not older than the alert's
 * change. */
[[nodiscard]] int store_picture_alerts(struct store *store, struct arena *arena,
                                       struct store_alert_picture **ret_rows, size_t *ret_count);

#endif
