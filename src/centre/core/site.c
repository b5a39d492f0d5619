/* What people say about the watched sites: which there are, by whose leave, when their editors work
 * on them. Neighbours: core/request.c calls; core/watch.c tells fetch; core/import.c reads lists.
 */
#include "centre/core/site.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"

#define WINDOW_LONGEST (14 * 86400 * NS_PER_S)
#define WINDOW_AHEAD   (90 * 86400 * NS_PER_S)

static bool site_is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '"' ||
            text.ptr[i] == '<' || text.ptr[i] == '>' || text.ptr[i] == '\\') {
            return false;
        }
    }
    return true;
}

/* Bytes up to the host; 0: neither http nor https. */
static size_t url_scheme(struct str url)
{
    if (str_has_prefix(url, STR("https://"))) {
        return sizeof("https://") - 1;
    }
    return str_has_prefix(url, STR("http://")) ? sizeof("http://") - 1 : 0;
}

int core_site_take_url(struct core_call *call, struct str text, struct str *ret_url)
{
    struct str url = str_trim(text);
    size_t scheme = url_scheme(url);
    struct str rest = str_slice(url, scheme, url.len);
    struct str host = str_slice(rest, 0, str_find_byte(rest, '/'));

    if (scheme == 0 || host.len == 0 || host.len > 253 || url.len >= SITE_URL_MAX ||
        !site_is_plain(url) || str_find_byte(host, '@') != host.len ||
        str_find_byte(host, '?') != host.len || str_find_byte(host, '#') != host.len ||
        str_find_byte(host, '.') == host.len) {
        return diag_set(&call->diag, -ERR_SYNTAX,
                        _("'%.*s' is no address of a website: write it as "
                          "https://www.example.gov.vn/"),
                        STR_ARG(str_slice(url, 0, 200)));
    }
    *ret_url = host.len == rest.len ? arena_printf(call->arena, "%.*s/", STR_ARG(url))
                                    : arena_copy(call->arena, url);
    return ret_url->ptr == NULL ? -ERR_NOMEM : 0;
}

static int site_take_views(struct core_call *call, struct str text, uint32_t *ret_views)
{
    uint32_t views = 0;
    struct str word;

    while (str_cut(&text, ' ', &word)) {
        enum site_view view;

        if (word.len == 0) {
            continue;
        }
        if (!site_view_parse(word, &view)) {
            return diag_set(&call->diag, -ERR_SYNTAX,
                            _("'%.*s' is no view; known are desktop, crawler, search, mobile"),
                            STR_ARG(word));
        }
        views |= 1U << view;
    }
    *ret_views = views;
    return 0;
}

/* Whoever writes down a permission answers for it. */
static void site_take_permission(struct core_call *call, struct store_site *site)
{
    struct str permission = str_trim(arguments_text(&call->arguments, "permission"));

    if (permission.len != 0 && !str_is(permission, site->permission)) {
        site->permission = permission;
        site->permitted_by = call->actor;
        site->permitted = clock_wall(call->core->options.clock);
    }
}

/* Puts what the request gives over what the site has. */
static int site_take(struct core_call *call, struct store_site *site)
{
    const struct arguments *arguments = &call->arguments;
    int r = 0;

    if (arguments_get(arguments, "name")->is_given) {
        site->name = str_trim(arguments_text(arguments, "name"));
    }
    if (arguments_get(arguments, "unit")->is_given) {
        site->unit = str_trim(arguments_text(arguments, "unit"));
    }
    if (arguments_get(arguments, "service")->is_given &&
        !site_service_parse(arguments_text(arguments, "service"), &site->service)) {
        r = -ERR_RANGE;
    }
    if (arguments_get(arguments, "interval")->is_given) {
        site->interval = arguments_number(arguments, "interval", 0) * NS_PER_S;
    }
    site_take_permission(call, site);
    if (r == 0 && arguments_get(arguments, "url")->is_given) {
        r = core_site_take_url(call, arguments_text(arguments, "url"), &site->url);
    }
    if (r == 0 && arguments_get(arguments, "views")->is_given) {
        r = site_take_views(call, arguments_text(arguments, "views"), &site->views);
    }
    if (r == 0 && (site->name.len == 0 || site->unit.len == 0 || site->permission.len == 0)) {
        r = diag_set(&call->diag, -ERR_INVAL,
                     _("a site needs a name, its unit, and the paper that permits the watch"));
    }
    return r;
}

struct str core_site_text(struct core_call *call, uint64_t number)
{
    return arena_printf(call->arena, "%llu", (unsigned long long)number);
}

int core_site_write(struct core_call *call, const struct store_site *site, const char *act,
                    uint64_t *ret_number)
{
    int r = store_site_put(call->core->options.store, site, ret_number);

    if (r == -ERR_EXIST) {
        return diag_set(&call->diag, -ERR_CONFLICT, _("'%.*s' is watched already"),
                        STR_ARG(site->url));
    }
    call->changed |= CENTRE_CHANGED_SITES;
    call->is_watch = true;
    return r < 0 ? r
                 : core_call_audit(call, act, site->url, "name", site->name, "unit", site->unit,
                                   "permission", site->permission, "reason",
                                   str_trim(arguments_text(&call->arguments, "reason")), NULL);
}

static void site_reply_number(struct core_call *call, uint64_t number)
{
    cbor_put_map(&call->reply, 1);
    cbor_put_text(&call->reply, STR("number"));
    cbor_put_u64(&call->reply, number);
}

int core_site_create(struct core_call *call)
{
    int64_t now = clock_wall(call->core->options.clock);
    struct store_site site = {.created = now, .state_since = now};
    struct store_site before;
    uint64_t number = 0;
    int r = site_take(call, &site);

    if (r == 0 && store_site_find(call->core->options.store, site.url, call->arena, &before) == 0 &&
        before.state == SITE_STATE_DROPPED) {
        site.number = before.number; /* what was learned of it counts again */
    }
    r = r < 0 ? r : core_site_write(call, &site, "site.create", &number);
    if (r == 0) {
        site_reply_number(call, number);
    }
    return r;
}

/* The site that the request names; a dropped one only for whom takes it back. */
int core_site_read(struct core_call *call, struct store_site *ret_site)
{
    int r = store_site_get(call->core->options.store,
                           (uint64_t)arguments_number(&call->arguments, "number", 0), call->arena,
                           ret_site);

    return r == 0 && ret_site->state == SITE_STATE_DROPPED ? -ERR_NOENT : r;
}

int core_site_change(struct core_call *call)
{
    const struct argument_value *paused = arguments_get(&call->arguments, "paused");
    struct store_site site;
    int r = core_site_read(call, &site);

    r = r < 0 ? r : site_take(call, &site);
    if (r == 0 && paused->is_given) {
        site.state = paused->flag ? SITE_STATE_PAUSED : SITE_STATE_WATCHED;
        site.state_since = clock_wall(call->core->options.clock);
    }
    return r < 0 ? r : core_site_write(call, &site, "site.change", NULL);
}

int core_site_drop(struct core_call *call)
{
    struct store_site site;
    int r = core_site_read(call, &site);

    if (r < 0) {
        return r;
    }
    site.state = SITE_STATE_DROPPED;
    site.state_since = clock_wall(call->core->options.clock);
    return core_site_write(call, &site, "site.drop", NULL);
}

int core_site_restore(struct core_call *call)
{
    struct store_site site;
    int r = store_site_get(call->core->options.store,
                           (uint64_t)arguments_number(&call->arguments, "number", 0), call->arena,
                           &site);

    if (r == 0 && site.state != SITE_STATE_DROPPED) {
        r = diag_set(&call->diag, -ERR_CONFLICT, _("this site is watched already"));
    }
    if (r < 0) {
        return r;
    }
    site.state = SITE_STATE_WATCHED;
    site.state_since = clock_wall(call->core->options.clock);
    return core_site_write(call, &site, "site.restore", NULL);
}

int core_site_look(struct core_call *call)
{
    struct store_site site;
    int r = core_site_read(call, &site);

    if (r == 0 && site.state != SITE_STATE_WATCHED) {
        r = diag_set(&call->diag, -ERR_CONFLICT,
                     _("this site is paused: let the watch go on first"));
    }
    if (r == 0 && core_watch_look(call->core, site.number, STR(""), false) < 0) {
        r = diag_set(&call->diag, -ERR_BUSY,
                     _("the process that looks at websites does not answer; it is started again by "
                       "itself"));
    }
    return r < 0 ? r : core_call_audit(call, "site.look", site.url, NULL);
}

static int window_take(struct core_call *call, struct store_window *window)
{
    int64_t now = clock_wall(call->core->options.clock);
    struct str begins = arguments_text(&call->arguments, "begins");
    int r = 0;

    window->begins = now;
    window->actor = call->actor;
    window->reason = str_trim(arguments_text(&call->arguments, "reason"));
    if (begins.len != 0) {
        r = time_parse(begins, &window->begins);
    }
    window->ends =
        window->begins + arguments_number(&call->arguments, "minutes", 60) * 60 * NS_PER_S;
    if (r < 0 || window->ends <= now || window->begins > now + WINDOW_AHEAD ||
        window->ends - window->begins > WINDOW_LONGEST) {
        return diag_set(&call->diag, -ERR_RANGE,
                        _("a window begins within 90 days, ends after now, and lasts 14 days at "
                          "most; write times as 2026-11-25T22:00:00+07:00"));
    }
    return 0;
}

int core_window_open(struct core_call *call)
{
    struct store_window window = {0};
    struct store_site site;
    uint64_t number = 0;
    int r = core_site_read(call, &site);

    window.site = r == 0 ? site.number : 0;
    r = r < 0 ? r : window_take(call, &window);
    r = r < 0 ? r : store_window_put(call->core->options.store, &window, &number);
    call->changed |= CENTRE_CHANGED_SITES;
    call->is_watch = true;
    if (r == 0) {
        char ends[TIME_TEXT_SIZE];

        time_format_utc(window.ends, ends);
        site_reply_number(call, number);
        r = core_call_audit(call, "window.open", site.url, "until", str_from(ends), "reason",
                            window.reason, NULL);
    }
    return r;
}

int core_window_close(struct core_call *call)
{
    uint64_t window = (uint64_t)arguments_number(&call->arguments, "window", 0);
    struct store_site site;
    int r = core_site_read(call, &site);

    r = r < 0 ? r
              : store_window_close(call->core->options.store, site.number, window,
                                   clock_wall(call->core->options.clock));
    call->changed |= CENTRE_CHANGED_SITES;
    call->is_watch = true;
    return r < 0 ? r
                 : core_call_audit(call, "window.close", site.url, "window",
                                   core_site_text(call, window), NULL);
}
