/* Folder and keys of a centre: see centre/keys.h. Called by centre/supervisor.c before anything is
 * forked and once a day. Every file is complete before it has its name; the authority's key comes
 * before its certificate, whose presence means that both are there. */
#include "centre/keys.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "link/authority.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/stat.h>

#define KEYS_PEM_LIMIT   (64U << 10)
#define KEYS_NAMES_MAX   (SETTING_LIST_MAX + 66)
#define KEYS_OWN_MAX     64    /* addresses of this machine */
#define KEYS_FOLDER_MODE 02750 /* what core makes in it belongs to api's group */

struct keys_names {
    const char *items[KEYS_NAMES_MAX];
    size_t count;
    char host[256];
    char own[KEYS_OWN_MAX][INET6_ADDRSTRLEN];
};

static int keys_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct diag *diag)
{
    const struct passwd *user = getpwnam(name);

    if (user == NULL) {
        return diag_set(diag, -ERR_NOENT,
                        _("there is no system user '%s'; tools/up makes it, or use --keep-user to "
                          "try a centre out"),
                        name);
    }
    *ret_uid = user->pw_uid;
    *ret_gid = user->pw_gid;
    return 0;
}

int centre_make_folder(const struct centre_settings *settings, struct diag *diag)
{
    uid_t uid = (uid_t)-1;
    uid_t unused;
    gid_t gid = (gid_t)-1;
    int r = 0;

    if (!settings->is_user_kept && geteuid() == 0) {
        r = keys_find_user(settings->core_user, &uid, &gid, diag);
        if (r == 0) {
            r = keys_find_user(settings->api_user, &unused, &gid, diag);
        }
        if (r < 0) {
            return r;
        }
    }
    r = folder_make(settings->folder, KEYS_FOLDER_MODE, uid, gid);
    if (r == 0 && uid != (uid_t)-1 &&
        (chown(settings->folder, uid, gid) != 0 ||
         chmod(settings->folder, KEYS_FOLDER_MODE) != 0)) {
        r = -errno;
    }
    return r < 0 ? diag_set(diag, r, _("cannot make the folder %s: %s"), settings->folder,
                            err_text(r))
                 : 0;
}

static void keys_add_name(struct keys_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_is(str_from(names->items[i]), str_from(name))) {
            return;
        }
    }
    if (names->count < KEYS_NAMES_MAX && name[0] != '\0') {
        names->items[names->count++] = name;
    }
}

/* Addresses by which others may reach this machine; link-local ones need a zone and are left out.
 */
static void keys_add_own_addresses(struct keys_names *names)
{
    struct ifaddrs *list = NULL;
    size_t own = 0;

    if (getifaddrs(&list) != 0) {
        return;
    }
    for (const struct ifaddrs *one = list; one != NULL && own < KEYS_OWN_MAX; one = one->ifa_next) {
        const struct sockaddr *address = one->ifa_addr;
        const void *bytes = NULL;

        if (address == NULL || (one->ifa_flags & IFF_UP) == 0) {
            continue;
        }
        if (address->sa_family == AF_INET) {
            bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
        } else if (address->sa_family == AF_INET6) {
            const struct in6_addr *six =
                &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

            bytes = IN6_IS_ADDR_LINKLOCAL(six) ? NULL : six;
        }
        if (bytes != NULL &&
            inet_ntop(address->sa_family, bytes, names->own[own], INET6_ADDRSTRLEN) != NULL) {
            keys_add_name(names, names->own[own++]);
        }
    }
    freeifaddrs(list);
}

static void keys_gather_names(const struct centre_settings *settings, struct keys_names *names)
{
    for (size_t i = 0; i < settings->names.count; i++) {
        keys_add_name(names, settings->names.items[i]);
    }
    if (gethostname(names->host, sizeof(names->host) - 1) == 0) {
        keys_add_name(names, names->host);
    }
    keys_add_name(names, "localhost");
    keys_add_name(names, "127.0.0.1");
    keys_add_name(names, "::1");
    keys_add_own_addresses(names);
}

static int keys_write(int folder, const struct centre_settings *settings, const char *name,
                      struct str bytes, mode_t mode, struct diag *diag)
{
    int r = file_write_atomic(folder, name, bytes, mode);

    return r < 0
               ? diag_set(diag, r, _("cannot write %s/%s: %s"), settings->folder, name, err_text(r))
               : 0;
}

static int keys_make_authority(int folder, const struct centre_settings *settings, int64_t now,
                               struct diag *diag)
{
    CLEANUP(authority_freep) struct authority *authority = NULL;
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf key;
    int r = authority_new(str_from(settings->name), now, &authority);

    buf_init(&certificate, KEYS_PEM_LIMIT);
    buf_init(&key, KEYS_PEM_LIMIT);
    if (r == 0) {
        r = authority_write(authority, &certificate, &key);
    }
    if (r == 0) {
        r = keys_write(folder, settings, CENTRE_CA_KEY, buf_str(&key), 0600, diag);
    }
    if (r == 0) {
        r = keys_write(folder, settings, CENTRE_CA_CERT, buf_str(&certificate), 0644, diag);
    }
    if (key.ptr != NULL) {
        mem_wipe(key.ptr, key.room);
    }
    if (r == 0) {
        log_info("made a new certificate authority folder=%s", settings->folder);
    }
    return r;
}

static int keys_load_authority(int folder, const struct centre_settings *settings,
                               struct authority **ret_authority, struct diag *diag)
{
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf key;
    int r;

    buf_init(&certificate, KEYS_PEM_LIMIT);
    buf_init(&key, KEYS_PEM_LIMIT);
    r = file_read_all(folder, CENTRE_CA_CERT, &certificate);
    if (r == 0) {
        r = file_read_all(folder, CENTRE_CA_KEY, &key);
    }
    if (r == 0) {
        r = authority_read(buf_str(&certificate), buf_str(&key), ret_authority);
    }
    if (key.ptr != NULL) {
        mem_wipe(key.ptr, key.room);
    }
    if (r < 0) {
        return diag_set(diag, r,
                        _("%s/%s and its key cannot be used (%s); restore both from a backup: "
                          "without them every "
                          "host must be enrolled anew"),
                        settings->folder, CENTRE_CA_CERT, err_text(r));
    }
    return 0;
}

/* 1 when it was made. */
static int keys_make_server(int folder, const struct centre_settings *settings,
                            const struct authority *authority, int64_t now, struct diag *diag)
{
    struct keys_names names = {0};
    struct authority_server server = {.names = names.items, .now = now};
    CLEANUP(buf_done) struct buf certificate;
    CLEANUP(buf_done) struct buf key;
    int r;

    keys_gather_names(settings, &names);
    server.name_count = names.count;
    buf_init(&certificate, KEYS_PEM_LIMIT);
    buf_init(&key, KEYS_PEM_LIMIT);
    if (file_read_all(folder, CENTRE_SERVER_CERT, &certificate) == 0 &&
        faccessat(folder, CENTRE_SERVER_KEY, F_OK, 0) == 0 &&
        authority_is_server_stale(authority, buf_str(&certificate), &server) == 0) {
        return 0;
    }
    buf_reset(&certificate);
    r = authority_sign_server(authority, &server, &certificate, &key);
    if (r == 0) {
        r = keys_write(folder, settings, CENTRE_SERVER_KEY, buf_str(&key), 0600, diag);
    }
    if (r == 0) {
        r = keys_write(folder, settings, CENTRE_SERVER_CERT, buf_str(&certificate), 0644, diag);
    }
    if (key.ptr != NULL) {
        mem_wipe(key.ptr, key.room);
    }
    if (r < 0) {
        return diag_set(diag, r, _("the server's certificate could not be made: %s"), err_text(r));
    }
    log_info("made a new server certificate names=%zu", names.count);
    return 1;
}

int centre_make_keys(const struct centre_settings *settings, const struct clock *clock,
                     struct diag *diag)
{
    CLEANUP(authority_freep) struct authority *authority = NULL;
    CLEANUP(closep) int folder = open(settings->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t now = clock_wall(clock);
    int r = 0;

    if (folder < 0 || (mkdirat(folder, CENTRE_KEYS_FOLDER, 0700) != 0 && errno != EEXIST)) {
        r = -errno;
        return diag_set(diag, r, _("cannot make the folder %s/%s: %s"), settings->folder,
                        CENTRE_KEYS_FOLDER, err_text(r));
    }
    if (faccessat(folder, CENTRE_CA_CERT, F_OK, 0) != 0) {
        r = keys_make_authority(folder, settings, now, diag);
    }
    if (r == 0) {
        r = keys_load_authority(folder, settings, &authority, diag);
    }
    return r < 0 ? r : keys_make_server(folder, settings, authority, now, diag);
}
