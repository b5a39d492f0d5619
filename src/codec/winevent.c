/* Names of a Windows event's fields: see codec/winevent.h. */
#include "codec/winevent.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/channels.h"

#include <string.h>

enum winevent_place winevent_enter(enum winevent_place place, struct str element)
{
    if (place == WINEVENT_PLACE_ROOT) {
        return str_is_text(element, "Event") ? WINEVENT_PLACE_EVENT : WINEVENT_PLACE_ROOT;
    }
    if (place != WINEVENT_PLACE_EVENT) {
        return place == WINEVENT_PLACE_RENDERING ? place : WINEVENT_PLACE_USER;
    }
    if (str_is_text(element, "System")) {
        return WINEVENT_PLACE_SYSTEM;
    }
    if (str_is_text(element, "EventData")) {
        return WINEVENT_PLACE_DATA;
    }
    return str_is_text(element, "RenderingInfo") ? WINEVENT_PLACE_RENDERING : WINEVENT_PLACE_USER;
}

static int join(struct str front, struct str back, struct arena *arena, struct str *ret_name)
{
    struct str name = arena_printf(arena, "%.*s_%.*s", STR_ARG(front), STR_ARG(back));

    if (name.ptr == NULL) {
        return -ERR_NOMEM;
    }
    *ret_name = str_slice(name, 0, ENTRY_NAME_MAX);
    return 0;
}

static enum winevent_role text_role(enum winevent_place place, struct str element)
{
    if (place != WINEVENT_PLACE_SYSTEM) {
        return WINEVENT_ROLE_NONE;
    }
    if (str_is_text(element, "Channel")) {
        return WINEVENT_ROLE_CHANNEL;
    }
    return str_is_text(element, "Computer") ? WINEVENT_ROLE_HOST : WINEVENT_ROLE_NONE;
}

int winevent_text(enum winevent_place place, struct str element, struct str label,
                  struct arena *arena, struct winevent_field *ret_field)
{
    struct winevent_field field = {.name = str_slice(element, 0, ENTRY_NAME_MAX),
                                   .role = text_role(place, element)};

    if (place != WINEVENT_PLACE_SYSTEM && label.len > 0) {
        field.name = str_slice(label, 0, ENTRY_NAME_MAX);
    } else if (place == WINEVENT_PLACE_RENDERING && !str_is_text(element, "Message")) {
        /* Sigma knows only the numbers under the bare names. */
        int r = join(STR("RenderingInfo"), element, arena, &field.name);

        if (r < 0) {
            return r;
        }
    }
    *ret_field = field;
    return 0;
}

bool winevent_is_label(enum winevent_place place, struct str attribute)
{
    return (place == WINEVENT_PLACE_DATA || place == WINEVENT_PLACE_USER) &&
           str_is_text(attribute, "Name");
}

static enum winevent_role attribute_role(enum winevent_place place, struct str element,
                                         struct str attribute)
{
    if (place != WINEVENT_PLACE_SYSTEM) {
        return WINEVENT_ROLE_NONE;
    }
    if (str_is_text(attribute, "SystemTime")) {
        return WINEVENT_ROLE_TIME;
    }
    return str_is_text(element, "Provider") && str_is_text(attribute, "Name")
               ? WINEVENT_ROLE_PROVIDER
               : WINEVENT_ROLE_NONE;
}

int winevent_attribute(enum winevent_place place, struct str element, struct str attribute,
                       struct arena *arena, struct winevent_field *ret_field)
{
    struct winevent_field field = {.name = STR(""),
                                   .role = attribute_role(place, element, attribute)};
    int r = 0;

    if (field.role == WINEVENT_ROLE_TIME) {
        field.name = element; /* as other ways of shipping events call it */
    } else if (place != WINEVENT_PLACE_ROOT && !str_has_prefix(attribute, STR("xmlns"))) {
        r = join(element, attribute, arena, &field.name);
    }
    if (r == 0) {
        *ret_field = field;
    }
    return r;
}

void winevent_note(struct winevent_roles *roles, enum winevent_role role, struct str text)
{
    switch (role) {
    case WINEVENT_ROLE_CHANNEL:
        roles->channel = text;
        break;
    case WINEVENT_ROLE_PROVIDER:
        roles->provider = text;
        break;
    case WINEVENT_ROLE_HOST:
        roles->host = text;
        break;
    case WINEVENT_ROLE_TIME:
        roles->has_time = time_parse(text, &roles->time) == 0;
        break;
    case WINEVENT_ROLE_NONE:
    default:
        break;
    }
}

static bool is_known(const struct winevent_source *last, const struct winevent_roles *roles)
{
    return last->source.product.len > 0 &&
           str_is(str_of(last->channel, last->channel_len), roles->channel) &&
           str_is(str_of(last->provider, last->provider_len), roles->provider);
}

static void remember(struct winevent_source *last, const struct winevent_roles *roles)
{
    if (roles->channel.len > sizeof(last->channel) ||
        roles->provider.len > sizeof(last->provider)) {
        *last = (struct winevent_source){0};
        return;
    }
    last->channel_len = roles->channel.len;
    last->provider_len = roles->provider.len;
    if (roles->channel.len > 0) {
        memcpy(last->channel, roles->channel.ptr, roles->channel.len);
    }
    if (roles->provider.len > 0) {
        memcpy(last->provider, roles->provider.ptr, roles->provider.len);
    }
    last->source = channels_source(roles->channel, roles->provider);
}

void winevent_finish(const struct winevent_roles *roles, struct winevent_source *last,
                     struct entry *entry)
{
    if (!is_known(last, roles)) {
        remember(last, roles);
    }
    entry->source = last->source.product.len > 0 ? last->source
                                                 : channels_source(roles->channel, roles->provider);
    entry->host = roles->host.len > 0 ? roles->host : entry->host;
    entry->time = roles->has_time ? roles->time : entry->time;
    entry->faults |= entry->time != 0 ? 0 : ENTRY_FAULT_TIME;
}
