/* Tables and the cutting of names. Neighbours: page.h gives the hosts, layer_hosts.c asks. */
#include "detect/deface/hosts.h"

#include "base/banned.h"
#include "base/cleanup.h"

enum host_kind {
    HOST_KIND_SUFFIX,
    HOST_KIND_COMMON,
    HOST_KIND_ODD,
    HOST_KIND_BODY,
};

static const struct {
    enum host_kind kind;
    struct str name;
} hosts[] = {
#define HOST(kind, name) {HOST_KIND_##kind, {name, sizeof(name) - 1}},
#include "detect/deface/hosts.def"
#undef HOST
};

static bool host_is_listed(enum host_kind kind, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (hosts[i].kind == kind && str_is(name, hosts[i].name)) {
            return true;
        }
    }
    return false;
}

/* Where the last `labels` labels begin. */
static size_t host_tail(struct str host, unsigned labels)
{
    size_t at = host.len;

    while (at > 0) {
        if (host.ptr[at - 1] == '.' && --labels == 0) {
            return at;
        }
        at--;
    }
    return 0;
}

static bool host_is_address(struct str host)
{
    bool has_digit = false;

    if (str_find_byte(host, ':') != host.len) {
        return true;
    }
    for (size_t i = 0; i < host.len; i++) {
        bool is_digit = host.ptr[i] >= '0' && host.ptr[i] <= '9';

        if (!is_digit && host.ptr[i] != '.') {
            return false;
        }
        has_digit = has_digit || is_digit;
    }
    return has_digit;
}

struct str host_domain(struct str host)
{
    struct str last_two;

    while (host.len != 0 && host.ptr[host.len - 1] == '.') {
        host.len--;
    }
    if (host.len == 0 || host_is_address(host)) {
        return host;
    }
    last_two = str_slice(host, host_tail(host, 2), host.len);
    return host_is_listed(HOST_KIND_SUFFIX, last_two)
               ? str_slice(host, host_tail(host, 3), host.len)
               : last_two;
}

bool host_is_common(struct str domain)
{
    return host_is_listed(HOST_KIND_COMMON, domain);
}

bool host_is_odd(struct str host)
{
    struct str last = str_slice(host, host_tail(host, 1), host.len);

    return host_is_address(host) || str_has_prefix(host, STR("xn--")) ||
           str_find(host, STR(".xn--")) != host.len || host_is_listed(HOST_KIND_ODD, last);
}

bool host_is_public_body(struct str host)
{
    for (unsigned labels = 2; labels <= 3; labels++) {
        struct str tail = str_slice(host, host_tail(host, labels), host.len);

        if (host_is_listed(HOST_KIND_BODY, tail)) {
            return true;
        }
    }
    return false;
}
