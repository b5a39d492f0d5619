/* Messages between core and fetch: see centre/fetch/wire.h. Both sides check every number: fetch
 * reads hostile pages and may be in other hands, and core's word decides whom we send requests to.
 */
#include "centre/fetch/wire.h"

#include "base/banned.h"
#include "base/err.h"
#include "centre/protocol.h"

#define SITES_ROOM 64 /* for the end of the list */

void fetch_sites_begin(struct msg_writer *msg, uint64_t after)
{
    msg_begin(msg, CENTRE_MESSAGE_SITES);
    msg_put_u64(msg, after);
}

int fetch_sites_put(struct msg_writer *msg, const struct fetch_site *site)
{
    if (MSG_SIZE_MAX - msg->len < SITE_URL_MAX + 2 * SITES_ROOM) {
        return -ERR_LIMIT;
    }
    msg_put_u32(msg, 1);
    msg_put_u64(msg, site->number);
    msg_put_str(msg, site->url);
    msg_put_u32(msg, (uint32_t)site->service);
    msg_put_u32(msg, site->views);
    msg_put_i64(msg, site->interval);
    msg_put_u32(msg, site->is_window_open ? 1 : 0);
    return msg_end(msg);
}

void fetch_sites_end(struct msg_writer *msg, bool is_last)
{
    msg_put_u32(msg, 0);
    msg_put_u32(msg, is_last ? 1 : 0);
}

uint64_t fetch_sites_after(struct msg_reader *msg)
{
    return msg_get_u64(msg);
}

static bool fetch_site_is_sound(const struct fetch_site *site)
{
    bool is_usual = site->interval == 0;

    return site->number != 0 && site->url.len != 0 && site->url.len <= SITE_URL_MAX &&
           site->service < SITE_SERVICE_COUNT && site->views < 1U << SITE_VIEW_COUNT &&
           (is_usual ||
            (site->interval >= FETCH_INTERVAL_MIN && site->interval <= FETCH_INTERVAL_MAX));
}

int fetch_sites_get(struct msg_reader *msg, struct fetch_site *ret_site, bool *ret_is_last)
{
    struct fetch_site site = {0};

    if (msg_get_u32(msg) == 0) {
        *ret_is_last = msg_get_u32(msg) != 0;
        return msg_close(msg);
    }
    site.number = msg_get_u64(msg);
    site.url = msg_get_str(msg);
    site.service = msg_get_u32(msg);
    site.views = msg_get_u32(msg);
    site.interval = msg_get_i64(msg);
    site.is_window_open = msg_get_u32(msg) != 0;
    if (msg->error != 0 || !fetch_site_is_sound(&site)) {
        return -ERR_PROTO;
    }
    *ret_site = site;
    return 1;
}

void fetch_sites_ask(struct msg_writer *msg, uint64_t after)
{
    msg_begin(msg, CENTRE_MESSAGE_SITES_ASK);
    msg_put_u64(msg, after);
}

void fetch_profile_ask(struct msg_writer *msg, uint64_t site, struct str url)
{
    msg_begin(msg, CENTRE_MESSAGE_PROFILE_ASK);
    msg_put_u64(msg, site);
    msg_put_str(msg, url);
}

void fetch_profile_put(struct msg_writer *msg, uint64_t site, struct str url)
{
    msg_begin(msg, CENTRE_MESSAGE_PROFILE);
    msg_put_u64(msg, site);
    msg_put_str(msg, url);
}

int fetch_profile_get(struct msg_reader *msg, uint64_t *ret_site, struct str *ret_url)
{
    uint64_t site = msg_get_u64(msg);
    struct str url = msg_get_str(msg);

    if (msg_close(msg) < 0 || site == 0 || url.len > SITE_URL_MAX) {
        return -ERR_PROTO;
    }
    *ret_site = site;
    *ret_url = url;
    return 0;
}

void fetch_look_put(struct msg_writer *msg, uint64_t site, struct str url, bool is_own_change)
{
    msg_begin(msg, CENTRE_MESSAGE_LOOK);
    msg_put_u64(msg, site);
    msg_put_str(msg, url);
    msg_put_u32(msg, is_own_change ? 1 : 0);
}

int fetch_look_get(struct msg_reader *msg, uint64_t *ret_site, struct str *ret_url,
                   bool *ret_is_own_change)
{
    uint64_t site = msg_get_u64(msg);
    struct str url = msg_get_str(msg);
    bool is_own_change = msg_get_u32(msg) != 0;

    if (msg_close(msg) < 0 || site == 0 || url.len > SITE_URL_MAX) {
        return -ERR_PROTO;
    }
    *ret_site = site;
    *ret_url = url;
    *ret_is_own_change = is_own_change;
    return 0;
}

void fetch_check_put(struct msg_writer *msg, const struct fetch_check *check)
{
    msg_begin(msg, CENTRE_MESSAGE_CHECK);
    msg_put_u64(msg, check->site);
    msg_put_str(msg, check->check);
    msg_put_u32(msg, check->parts);
}

int fetch_check_get(struct msg_reader *msg, struct fetch_check *ret_check)
{
    struct fetch_check check = {.site = msg_get_u64(msg), .check = msg_get_str(msg)};

    check.parts = msg_get_u32(msg);
    if (msg_close(msg) < 0 || check.site == 0 || check.parts >= 2 * (uint32_t)FETCH_PART_SCRIPTS) {
        return -ERR_PROTO;
    }
    *ret_check = check;
    return 0;
}

void fetch_picture_put(struct msg_writer *msg, const struct fetch_picture *picture)
{
    msg_begin(msg, CENTRE_MESSAGE_PICTURE);
    msg_put_u64(msg, picture->site);
    msg_put_str(msg, picture->url);
    msg_put_u32(msg, (uint32_t)picture->view);
    msg_put_i64(msg, picture->time);
    msg_put_str(msg, picture->visual);
}

int fetch_picture_get(struct msg_reader *msg, struct fetch_picture *ret_picture)
{
    struct fetch_picture picture = {.site = msg_get_u64(msg), .url = msg_get_str(msg)};

    picture.view = msg_get_u32(msg);
    picture.time = msg_get_i64(msg);
    picture.visual = msg_get_str(msg);
    if (msg_close(msg) < 0 || picture.site == 0 || picture.url.len == 0 ||
        picture.url.len > SITE_URL_MAX || picture.view >= SITE_VIEW_COUNT || picture.time <= 0) {
        return -ERR_PROTO;
    }
    *ret_picture = picture;
    return 0;
}
