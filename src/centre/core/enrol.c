/* A new host: its one-time token is used up, its key is certified, its row is made, all in one
 * transaction. Neighbours: core/stream.c hands in what came over canhgac-enrol/1; link/authority.h
 * signs. Invariant: nothing is told to the host before the row is durable. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/utf8.h"
#include "link/token.h"

#define CERTIFICATE_MAX     (16U << 10)
#define HOST_NAME_MAX_BYTES 200
#define HOST_NAMES_TRIED    1000

static bool core_enrol_is_ascii(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Letters, digits, dot, dash, underscore; Vietnamese letters lose their marks, anything else
 * becomes a dash, nothing at all "host". */
static void core_enrol_clean(struct str name, char out[HOST_NAME_MAX_BYTES])
{
    size_t len = name.len < HOST_NAME_MAX_BYTES - 1 ? name.len : HOST_NAME_MAX_BYTES - 1;

    if (core_enrol_is_ascii(name)) {
        memcpy(out, name.ptr != NULL ? name.ptr : "", len);
    } else {
        size_t folded = utf8_fold(name, out, HOST_NAME_MAX_BYTES);

        len = folded < HOST_NAME_MAX_BYTES ? folded : HOST_NAME_MAX_BYTES - 1;
    }
    for (size_t i = 0; i < len; i++) {
        char byte = out[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_';

        out[i] = is_plain ? byte : '-';
    }
    out[len] = '\0';
    if (len == 0) {
        (void)snprintf(out, HOST_NAME_MAX_BYTES, "host");
    }
}

static bool core_enrol_is_taken(const struct core *core, const char *name)
{
    size_t cursor = 0;
    const struct core_host *host;

    while ((host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        if (str_is_nocase(str_from(host->name), str_from(name))) {
            return true;
        }
    }
    return false;
}

static int core_enrol_name(const struct core *core, struct str wanted,
                           char out[HOST_NAME_MAX_BYTES + 8])
{
    char clean[HOST_NAME_MAX_BYTES];

    core_enrol_clean(wanted, clean);
    (void)snprintf(out, HOST_NAME_MAX_BYTES + 8, "%s", clean);
    for (int i = 2; core_enrol_is_taken(core, out); i++) {
        if (i > HOST_NAMES_TRIED) {
            return -ERR_EXIST;
        }
        (void)snprintf(out, HOST_NAME_MAX_BYTES + 8, "%s-%d", clean, i);
    }
    return 0;
}

static enum link_bye core_enrol_bye(int error)
{
    switch (error) {
    case -ERR_NOENT:
        return LINK_BYE_TOKEN_UNKNOWN;
    case -ERR_EXIST:
        return LINK_BYE_TOKEN_USED;
    case -ERR_EXPIRED:
        return LINK_BYE_TOKEN_EXPIRED;
    case -ERR_NOSPC:
        return LINK_BYE_FULL;
    case -ERR_SYNTAX:
    case -ERR_INVAL:
    case -ERR_DUPLICATE:
        return LINK_BYE_REQUEST;
    default:
        return LINK_BYE_END;
    }
}

/* Fills row and certificate and writes both uses into the open transaction. The token first: the
 * request is DER that anybody on the network may have made, and the authority's key is here. */
static int core_enrol_write(struct core *core, const struct link_enrol *enrol,
                            struct store_host *row, struct buf *certificate)
{
    uint8_t secret_sha256[32];
    int r;

    if (enrol->secret.len != LINK_SECRET_SIZE) {
        return -ERR_NOENT;
    }
    r = token_secret_sha256(enrol->secret, secret_sha256);
    if (r == 0) {
        r = id_new(&row->id);
    }
    if (r == 0) {
        r = store_token_use(core->options.store, secret_sha256, &row->id);
    }
    if (r == 0) {
        r = authority_sign_host(core->options.authority, enrol->request, &row->id,
                                clock_wall(core->options.clock), certificate, row->key_sha256);
    }
    if (r == 0 && map_get(&core->hosts_by_key, MAP_KEY(row->key_sha256)) != NULL) {
        return -ERR_DUPLICATE;
    }
    if (r == 0) {
        r = store_host_put(core->options.store, row);
    }
    if (r == 0) {
        r = store_audit_add(core->options.store, STR("canhgac"), STR("host.enrol"), row->name,
                            STR("{}"));
    }
    return r;
}

static int core_enrol_try(struct core_stream *stream, const struct link_enrol *enrol,
                          struct buf *certificate)
{
    struct core *core = stream->core;
    char name[HOST_NAME_MAX_BYTES + 8];
    struct store_host row = {.enrolled = clock_wall(core->options.clock)};
    int r = core_enrol_name(core, enrol->name, name);

    row.name = str_from(name);
    if (r == 0) {
        r = core_batch_commit(core);
    }
    if (r == 0) {
        r = core_batch_begin(core);
    }
    if (r < 0) {
        return r;
    }
    r = core_enrol_write(core, enrol, &row, certificate);
    if (r < 0) {
        store_rollback(core->options.store);
        core->is_batch = false;
        return r;
    }
    core->changed |= CENTRE_CHANGED_HOSTS | CENTRE_CHANGED_SETTINGS;
    r = core_batch_commit(core);
    if (r == 0) {
        r = core_host_add(core, &row, NULL);
    }
    if (r == 0) {
        r = link_server_enrolled(stream->server,
                                 &(struct link_enrolled){.host = row.id,
                                                         .certificate = buf_str(certificate),
                                                         .name = row.name});
        log_info("host enrolled host=%s", name);
    }
    return r;
}

void core_enrol(struct core_stream *stream, const struct link_enrol *enrol)
{
    struct buf certificate;
    int r;

    buf_init(&certificate, CERTIFICATE_MAX);
    r = stream->core->is_full ? -ERR_NOSPC : core_enrol_try(stream, enrol, &certificate);
    buf_done(&certificate);
    if (r < 0) {
        log_warn("an enrolment was refused error=%s", err_name(r));
        core_stream_end(stream, core_enrol_bye(r));
        return;
    }
    core_stream_flush(stream);
}
