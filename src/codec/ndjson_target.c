/* A request's target in Sigma's words: see codec/ndjson_target.h. */
#include "codec/ndjson_target.h"

#include "base/banned.h"

#include <string.h>

int ndjson_target_add(struct log_reading *reading, struct str name, struct str value)
{
    struct entry_field field = {
        .name = name,
        .value = value,
        .id = entry_names_find(reading->names, name),
    };

    return reading->names != NULL && field.id == 0 ? 0 : entry_add(&reading->entry, &field);
}

static struct str uri_extension(struct str stem)
{
    const char *dot = stem.len > 0 ? memrchr(stem.ptr, '.', stem.len) : NULL;
    size_t at = dot != NULL ? (size_t)(dot - stem.ptr) + 1 : stem.len;
    struct str tail = str_slice(stem, at, stem.len);

    return str_find_byte(tail, '/') == tail.len ? tail : STR("");
}

/* The URI behind its scheme and host, when it has them. */
static struct str uri_target(struct str uri)
{
    size_t scheme = str_find(str_slice(uri, 0, str_find_byte(uri, '?')), STR("://"));
    struct str rest = str_slice(uri, scheme + 3, uri.len);

    return rest.len == 0 || uri.ptr[0] == '/' ? uri
                                              : str_slice(rest, str_find_byte(rest, '/'), rest.len);
}

int ndjson_target_uri(struct log_reading *reading, struct str uri)
{
    struct str target = uri_target(uri);
    struct str stem = str_slice(target, 0, str_find_byte(target, '?'));
    struct str query = str_slice(target, stem.len + 1, target.len);
    const struct {
        struct str name;
        struct str value;
    } parts[] = {
        {STR("cs-uri"), uri},
        {STR("c-uri"), uri},
        {STR("cs-uri-stem"), stem},
        {STR("c-uri-stem"), stem},
        {STR("cs-uri-query"), query},
        {STR("c-uri-query"), query},
        {STR("c-uri-extension"), uri_extension(stem)},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
        r = ndjson_target_add(reading, parts[i].name, parts[i].value);
    }
    return r;
}

int ndjson_target_request(struct log_reading *reading, struct str request)
{
    struct str rest = request;
    struct str method;
    struct str uri;
    int r;

    if (!str_cut(&rest, ' ', &method) || !str_cut(&rest, ' ', &uri)) {
        return 0;
    }
    r = ndjson_target_add(reading, STR("cs-method"), method);
    if (r == 0) {
        r = ndjson_target_add(reading, STR("cs-version"), rest);
    }
    return r == 0 ? ndjson_target_uri(reading, uri) : r;
}
