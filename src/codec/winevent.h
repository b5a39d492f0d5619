/* How the parts of a Windows event's XML become fields, shared by its binary form (codec/evtx.h)
 * and its text (codec/winxml.h): children of System under their own names, their attributes as
 * Provider_Name, Data under its Name, what is nested in UserData under its last name. Sources:
 * Microsoft's event schema (2004/08); Sigma taxonomy appendix 2.0. */
#ifndef CODEC_WINEVENT_H
#define CODEC_WINEVENT_H

#include "codec/entry.h"

/* What an element's children are. */
enum winevent_place {
    WINEVENT_PLACE_ROOT, /* Event, or a list of them */
    WINEVENT_PLACE_EVENT,
    WINEVENT_PLACE_SYSTEM,
    WINEVENT_PLACE_DATA,      /* EventData */
    WINEVENT_PLACE_USER,      /* UserData, to any depth, and whatever else there may be */
    WINEVENT_PLACE_RENDERING, /* RenderingInfo: texts that the sender made */
    WINEVENT_PLACE_COUNT,
};

/* What a field means to the entry beside being one. */
enum winevent_role {
    WINEVENT_ROLE_NONE,
    WINEVENT_ROLE_TIME,
    WINEVENT_ROLE_HOST,
    WINEVENT_ROLE_CHANNEL,
    WINEVENT_ROLE_PROVIDER,
};

/* Names borrow their arguments, or the arena where they are joined. */
struct winevent_field {
    struct str name; /* empty: not a field */
    enum winevent_role role;
};

enum winevent_place winevent_enter(enum winevent_place place, struct str element);
/* Of the text of an element that stands in place; label: its attribute Name, may be empty.
 * -ERR_NOMEM (the arena). */
[[nodiscard]] int winevent_text(enum winevent_place place, struct str element, struct str label,
                                struct arena *arena, struct winevent_field *ret_field);
/* Whether the attribute is the label of its element. */
bool winevent_is_label(enum winevent_place place, struct str attribute);
[[nodiscard]] int winevent_attribute(enum winevent_place place, struct str element,
                                     struct str attribute, struct arena *arena,
                                     struct winevent_field *ret_field);

/* Gathers what roles say until the event ends. */
struct winevent_roles {
    struct str channel;
    struct str provider;
    struct str host;
    int64_t time;
    bool has_time;
};

/* Remembers the last answer: neighbours are mostly of one channel. */
struct winevent_source {
    char channel[128];
    char provider[128];
    size_t channel_len;
    size_t provider_len;
    struct logsource source;
};

void winevent_note(struct winevent_roles *roles, enum winevent_role role, struct str text);
/* Fills the entry's source, and its time and host as far as the event says them. */
void winevent_finish(const struct winevent_roles *roles, struct winevent_source *last,
                     struct entry *entry);

#endif
