/* Windows channels as a table: see codec/channels.h. Asked once an event, so a row is looked at
 * only when its name is as long as the one asked for. */
#include "codec/channels.h"

#include "base/banned.h"

#include <string.h>

struct channel_row {
    struct str name;
    struct logsource source;
    bool is_provider;
};

#define WINDOWS(word) {.product = STR("windows"), .service = STR(word)}

static const struct channel_row channel_rows[] = {
#define CHANNEL(name, service)     {STR(name), WINDOWS(service), false},
#define PROVIDER(name, service)    {STR(name), WINDOWS(service), true},
#define APPLICATION(name, product) {STR(name), {STR(product), STR("application"), STR("")}, false},
#define LINUX(name, service)       {STR(name), {STR("linux"), STR(""), STR(service)}, false},
#include "codec/channels.def"
#undef CHANNEL
#undef PROVIDER
#undef APPLICATION
#undef LINUX
};

static const unsigned char channel_lengths[] = {
#define CHANNEL(name, service)     sizeof(name) - 1,
#define PROVIDER(name, service)    sizeof(name) - 1,
#define APPLICATION(name, product) sizeof(name) - 1,
#define LINUX(name, service)       sizeof(name) - 1,
#include "codec/channels.def"
#undef CHANNEL
#undef PROVIDER
#undef APPLICATION
#undef LINUX
};

static const struct channel_row *channel_find(struct str name, bool is_provider)
{
    const unsigned char *end = channel_lengths + sizeof(channel_lengths);
    const unsigned char *at = channel_lengths;

    if (name.len == 0 || name.len > UINT8_MAX) {
        return NULL;
    }
    while ((at = memchr(at, (int)name.len, (size_t)(end - at))) != NULL) {
        const struct channel_row *row = &channel_rows[at++ - channel_lengths];

        if (row->is_provider == is_provider &&
            (str_is(row->name, name) || str_is_nocase(row->name, name))) {
            return row;
        }
    }
    return NULL;
}

struct logsource channels_source(struct str channel, struct str provider)
{
    const struct channel_row *row = channel_find(channel, false);

    if (row == NULL) {
        row = channel_find(provider, true);
    }
    return row != NULL ? row->source : (struct logsource){.product = STR("windows")};
}
