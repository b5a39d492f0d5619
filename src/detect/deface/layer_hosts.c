/* Where the page leads that its site never led to. A listed host and a password field that sends to
 * a stranger are events that cannot be on a public body's page; the rest adds up. A new vendor
 * among several at once is a redesign; a lone one on a page that is otherwise the same is how
 * skimmers come. */
#include "detect/deface/layers.h"

#include "base/banned.h"
#include "detect/deface/hosts.h"

#define HOST_CERTAIN 3.0 /* score at which a host name looks like a betting site's */
#define ELSE_SAME    0.8
#define IN_REDESIGN  0.4
#define LEARN_SITE   20 /* looks at any of its pages before a site's hosts are known */

static struct spot spot_of_link(const struct page_link *link)
{
    return (struct spot){link->text.len != 0 ? link->text : link->url, 0, link->offset};
}

static bool site_is_learned(const struct layers *layers)
{
    return layers->diff->site != NULL && layers->diff->site->looks >= LEARN_SITE &&
           !layers->look->is_own_change;
}

static void hosts_read_list(struct layers *layers, size_t at)
{
    const struct deface_lists *lists = &layers->model->lists;
    const struct page_link *link = &layers->diff->page->links[at];
    struct str list = {0};

    if (lists->has_host == NULL || host_is_common(layers->diff->links[at].domain) ||
        !lists->has_host(lists->context, link->host, &list)) {
        return;
    }
    layers_say(layers, SIGNAL_LISTED, 1,
               arena_printf(layers->arena, "%.*s (%.*s)", STR_ARG(link->host), STR_ARG(list)),
               spot_of_link(link));
    layers->is_impossible = true;
}

static bool host_is_suspect(struct str host)
{
    struct content_features features;

    content_of_host(&features, host);
    return host_is_odd(host) || content_score(&features, CONTENT_MODEL_HOST) > HOST_CERTAIN;
}

static void hosts_read_stranger(struct layers *layers, size_t at, unsigned strangers)
{
    static const enum signal signals[SITE_ROLE_COUNT] = {
        [SITE_ROLE_ANCHOR] = SIGNAL_OUTWARD,  [SITE_ROLE_SCRIPT] = SIGNAL_SCRIPT,
        [SITE_ROLE_FRAME] = SIGNAL_FRAME,     [SITE_ROLE_FORM] = SIGNAL_FORM,
        [SITE_ROLE_REFRESH] = SIGNAL_REFRESH, [SITE_ROLE_OTHER] = SIGNAL_OUTWARD,
    };
    const struct page_link *link = &layers->diff->page->links[at];
    enum site_role role = site_role_of(link->kind);
    bool is_lone = strangers == 1 && layers->diff->kept_links > ELSE_SAME;
    bool is_odd = role != SITE_ROLE_SCRIPT && layers->diff->links[at].is_outward &&
                  host_is_suspect(link->host);

    if (role == SITE_ROLE_OTHER && !(link->kind == PAGE_LINK_STYLE && is_odd)) {
        return; /* pictures and fonts come from anywhere, and style sheets but for whose host it is
                 */
    }
    layers_say(layers, signals[role], role == SITE_ROLE_SCRIPT && !is_lone ? IN_REDESIGN : 1,
               link->host, spot_of_link(link));
    if (is_odd) {
        layers_say(layers, SIGNAL_ODD, 1, link->host, spot_of_link(link));
    }
    if (link->has_password) {
        layers_say(layers, SIGNAL_PASSWORD, 1, link->host, spot_of_link(link));
        layers->is_impossible = true;
    }
}

static unsigned count_strange_scripts(const struct diff *diff)
{
    unsigned count = 0;

    for (size_t i = 0; i < diff->page->link_count; i++) {
        count += diff->links[i].is_strange && diff->page->links[i].kind == PAGE_LINK_SCRIPT;
    }
    return count;
}

void layer_hosts_read(struct layers *layers)
{
    const struct diff *diff = layers->diff;
    bool is_learned = site_is_learned(layers);
    unsigned strangers = count_strange_scripts(diff);

    for (size_t i = 0; i < diff->page->link_count; i++) {
        if (!diff->links[i].is_new || diff->links[i].domain.len == 0) {
            continue;
        }
        hosts_read_list(layers, i);
        if (is_learned && diff->links[i].is_strange) {
            hosts_read_stranger(layers, i, strangers);
        }
    }
}
