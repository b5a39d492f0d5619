/* The words of watched sites: see model/site.h; their wire form is site_check.c's. */
#include "model/site.h"

#include "base/banned.h"
#include "base/text.h"

#include <assert.h>

struct site_word {
    const char *name;
    const char *sentence;
};

#define SITE_HAS_ALL(table, count) static_assert(sizeof(table) / sizeof((table)[0]) == (count))

static const char *const service_names[] = {
    [SITE_SERVICE_PORTAL] = "portal", [SITE_SERVICE_ONE_STOP] = "one-stop",
    [SITE_SERVICE_MAIL] = "mail",     [SITE_SERVICE_DOCUMENT] = "document",
    [SITE_SERVICE_OTHER] = "other",
};
SITE_HAS_ALL(service_names, SITE_SERVICE_COUNT);

static const char *const view_names[] = {
    [SITE_VIEW_DESKTOP] = "desktop",
    [SITE_VIEW_CRAWLER] = "crawler",
    [SITE_VIEW_SEARCH] = "search",
    [SITE_VIEW_MOBILE] = "mobile",
};
SITE_HAS_ALL(view_names, SITE_VIEW_COUNT);

static const char *const page_names[] = {
    [SITE_PAGE_LISTED] = "listed",   [SITE_PAGE_LINKED] = "linked",
    [SITE_PAGE_MISSING] = "missing", [SITE_PAGE_ROBOTS] = "robots",
    [SITE_PAGE_SITEMAP] = "sitemap", [SITE_PAGE_HIDDEN] = "hidden",
    [SITE_PAGE_UPLOADS] = "uploads",
};
SITE_HAS_ALL(page_names, SITE_PAGE_COUNT);

static const char *const verdict_names[] = {
    [SITE_VERDICT_UNKNOWN] = "unknown", [SITE_VERDICT_OK] = "ok",
    [SITE_VERDICT_CHANGED] = "changed", [SITE_VERDICT_YELLOW] = "yellow",
    [SITE_VERDICT_RED] = "red",
};
SITE_HAS_ALL(verdict_names, SITE_VERDICT_COUNT);

static const struct site_word layer_words[] = {
#define LAYER(constant, word, words)                                                               \
    [SITE_LAYER_##constant] = {.name = (word), .sentence = (words)},
#include "model/layers.def"
#undef LAYER
};

static const struct site_word failure_words[] = {
    [SITE_FAILURE_NONE] = {"none", N_("the page came")},
    [SITE_FAILURE_NAME] = {"name", N_("its name does not resolve to an address")},
    [SITE_FAILURE_REFUSED] = {"refused", N_("nobody answers at its address")},
    [SITE_FAILURE_TIMEOUT] = {"timeout", N_("it did not answer in time")},
    [SITE_FAILURE_TLS] = {"tls", N_("its certificate or TLS is not in order")},
    [SITE_FAILURE_PROTOCOL] = {"protocol", N_("what answers does not speak HTTP as it should")},
    [SITE_FAILURE_REDIRECTS] =
        {"redirects", N_("it sends visitors on without end, or to where they must not go")},
    [SITE_FAILURE_SIZE] = {"size", N_("the page is larger than what is read of a page")},
    [SITE_FAILURE_STATUS] = {"status", N_("the server answers with an error")},
    [SITE_FAILURE_BLANK] = {"blank", N_("the page is blank")},
    [SITE_FAILURE_CAPTCHA] = {"captcha", N_("a captcha stands before the page")},
    [SITE_FAILURE_FIREWALL] = {"firewall", N_("a firewall's own page came instead of the page")},
    [SITE_FAILURE_PARTIAL] = {"partial", N_("only a part of the page came")},
    [SITE_FAILURE_OWN_NETWORK] =
        {"own-network", N_("nothing can be reached from here: the fault is in our own network")},
};
SITE_HAS_ALL(failure_words, SITE_FAILURE_COUNT);

static bool site_parse(struct str name, const char *const *names, unsigned count,
                       unsigned *ret_value)
{
    for (unsigned i = 0; i < count; i++) {
        if (str_is_text(name, names[i])) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

const char *site_service_name(enum site_service service)
{
    return service_names[service];
}

bool site_service_parse(struct str name, enum site_service *ret_service)
{
    return site_parse(name, service_names, SITE_SERVICE_COUNT, ret_service);
}

const char *site_view_name(enum site_view view)
{
    return view_names[view];
}

bool site_view_parse(struct str name, enum site_view *ret_view)
{
    return site_parse(name, view_names, SITE_VIEW_COUNT, ret_view);
}

const char *site_page_name(enum site_page page)
{
    return page_names[page];
}

const char *site_verdict_name(enum site_verdict verdict)
{
    return verdict_names[verdict];
}

const char *site_layer_name(enum site_layer layer)
{
    return layer_words[layer].name;
}

const char *site_layer_sentence(enum site_layer layer)
{
    return layer_words[layer].sentence;
}

const char *site_failure_name(enum site_failure failure)
{
    return failure_words[failure].name;
}

const char *site_failure_sentence(enum site_failure failure)
{
    return failure_words[failure].sentence;
}
