/* Scripts of the site that are not what they were. A new version of a library, or one that its
 * owners worked on, is no news; what was put into one and leads to a stranger, or does what only
 * code does that hides, is. Where most of a script is new, so are its strings and calls: there it
 * takes both, or a call that it never made. */
#include "detect/deface/layers.h"

#include "base/banned.h"
#include "base/err.h"
#include "detect/deface/hosts.h"

#define HIDES                                                                                      \
    (1U << SCRIPT_CALL_RUNS | 1U << SCRIPT_CALL_SPELLS | 1U << SCRIPT_CALL_ASKS) /* need no host   \
                                                                                  */

static bool host_is_strange(const struct layers *layers, struct str host)
{
    struct str domain = host_domain(host);

    return !host_is_common(domain) && !host_is_public_body(host) &&
           !site_knows_domain(layers->diff->site, domain);
}

/* The first host that the site never led to; empty: none. */
static struct str diff_stranger(const struct layers *layers, const struct script_diff *diff)
{
    for (size_t i = 0; i < diff->host_count; i++) {
        if (host_is_strange(layers, diff->hosts[i])) {
            return diff->hosts[i];
        }
    }
    return STR("");
}

static bool diff_is_news(const struct script_diff *diff, bool has_stranger)
{
    if (diff->is_addition) {
        return has_stranger || (diff->calls & HIDES) != 0;
    }
    return (has_stranger && diff->calls != 0) || (diff->first_calls & HIDES) != 0;
}

static int scripts_read_one(struct layers *layers, const struct deface_script *script)
{
    struct script_diff diff;
    struct str stranger;
    struct str value;
    int r = script_diff_make(&script->learned, &script->fresh, layers->arena, &diff);

    if (r < 0) {
        return r;
    }
    stranger = diff_stranger(layers, &diff);
    if (diff_is_news(&diff, stranger.len != 0)) {
        value = arena_printf(layers->arena, "%.*s +%u -%u%s%.*s", STR_ARG(script->url), diff.added,
                             diff.gone, stranger.len != 0 ? " " : "", STR_ARG(stranger));
        layers_say(layers, SIGNAL_CODE, 1, value, (struct spot){.text = stranger});
    }
    return 0;
}

bool layer_scripts_has_news(const struct deface_look *look)
{
    for (size_t i = 0; look->scripts != NULL && i < look->scripts->count; i++) {
        const struct deface_script *script = &look->scripts->items[i];

        if (script->is_linked && script->fresh.tokens != 0 && script->looks >= SCRIPTS_LEARNED &&
            !look->is_own_change) {
            return true;
        }
    }
    return false;
}

int layer_scripts_read(struct layers *layers)
{
    const struct deface_scripts *scripts = layers->look->scripts;
    int r = 0;

    if (!layer_scripts_has_news(layers->look)) {
        return 0;
    }
    for (size_t i = 0; r == 0 && i < scripts->count; i++) {
        const struct deface_script *script = &scripts->items[i];

        if (script->is_linked && script->fresh.tokens != 0 && script->looks >= SCRIPTS_LEARNED) {
            r = scripts_read_one(layers, script);
        }
    }
    return r;
}
