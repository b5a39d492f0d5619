/* canhgac agent enrol: makes this host's key, proves the centre by the token's fingerprint before
 * anything secret is said, and fetches a certificate. Between a person with a token and
 * centre/core.c; what it leaves is read by agent/link.c. */
#include "cli/agent_enrol.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "link/client.h"
#include "link/identity.h"
#include "link/token.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "sys/net.h"
#include "sys/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>

#define ENROL_TIME          (20 * NS_PER_S)
#define ENROL_REQUEST_LIMIT 4096
#define ENROL_READ_SIZE     4096

const struct setting agent_enrol_rows[] = {
    {"folder", 0, SETTING_PATH, "/var/lib/canhgac/agent", NULL, NULL,
     offsetof(struct agent_enrol_settings, folder), N_("FOLDER"),
     N_("where this host's key and certificate are kept")},
    {"name", 0, SETTING_TEXT, NULL, NULL, NULL, offsetof(struct agent_enrol_settings, name),
     N_("NAME"), N_("what the centre shall call this host; by default its host name")},
    {"force", 0, SETTING_FLAG, NULL, NULL, NULL, offsetof(struct agent_enrol_settings, is_forced),
     NULL, N_("enrol anew although this host is enrolled")},
    {},
};

/* One enrolment under way. */
struct enrolment {
    struct identity identity;
    struct token token;
    struct tls_context *context;
    struct tls *tls;
    struct link_client *client;
    struct link_answer answer;
    int fd;
    int64_t deadline; /* monotonic ns */
    char where[IDENTITY_HOST_MAX + 8];
};

static int enrolment_wait(const struct enrolment *enrolment, unsigned events)
{
    struct pollfd wait = {.fd = enrolment->fd,
                          .events = (short)(((events & LOOP_READ) != 0 ? POLLIN : 0) |
                                            ((events & LOOP_WRITE) != 0 ? POLLOUT : 0))};
    int64_t left = enrolment->deadline - clock_mono(&clock_real);
    int n = left > 0 ? poll(&wait, 1, (int)(left / NS_PER_MS) + 1) : 0;

    if (n < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    return n == 0 ? -ERR_TIMEDOUT : 0;
}

static int enrolment_connect(struct enrolment *enrolment, struct diag *diag)
{
    struct net_target targets[NET_TARGETS_MAX];
    size_t count = 0;
    int r = net_resolve(enrolment->identity.centre, enrolment->identity.port, targets, &count);

    if (r < 0) {
        return diag_set(
            diag, r,
            _("the name '%s' is not known; check its spelling or give the centre's address"),
            enrolment->identity.centre);
    }
    for (size_t i = 0; i < count; i++) {
        enrolment->fd = net_connect(&targets[i]);
        r = enrolment->fd < 0 ? enrolment->fd : enrolment_wait(enrolment, LOOP_WRITE);
        if (r == 0) {
            r = net_connected(enrolment->fd);
        }
        if (r == 0) {
            return 0;
        }
        closep(&enrolment->fd);
    }
    return diag_set(
        diag, r,
        _("cannot reach a centre at %s: %s; check that it runs and that no firewall is between"),
        enrolment->where, err_text(r));
}

static int enrolment_handshake(struct enrolment *enrolment, struct diag *diag)
{
    const struct tls_client_options options = {.alpn = LINK_ALPN_ENROL};
    int r = tls_context_new_client(&options, &enrolment->context, diag);

    if (r == 0) {
        r = tls_new(enrolment->context, enrolment->fd, &enrolment->tls);
    }
    while (r == 0 && (r = tls_handshake(enrolment->tls)) == -ERR_AGAIN) {
        r = enrolment_wait(enrolment, tls_wants(enrolment->tls));
    }
    if (r < 0) {
        return diag_set(diag, r,
                        _("what answers at %s is not a centre of Canh Gác; check address and port"),
                        enrolment->where);
    }
    return 0;
}

/* Nothing secret is said before this has passed. */
static int enrolment_pin(struct enrolment *enrolment, struct diag *diag)
{
    char pem[IDENTITY_FILE_LIMIT];
    int r = tls_pin(enrolment->tls, str_of((const char *)enrolment->token.pin, TOKEN_PIN_SIZE), pem,
                    sizeof(pem));

    if (r == -ERR_EXPIRED) {
        return diag_set(
            diag, r,
            _("the certificate of the centre at %s is not good at this machine's time; check the "
              "clocks of both"),
            enrolment->where);
    }
    if (r < 0) {
        return diag_set(
            diag, r,
            _("the centre at %s is not the one that made this token; nothing was sent to it. Check "
              "the address; if it is right, somebody may be in between"),
            enrolment->where);
    }
    return buf_put_text(&enrolment->identity.authority, pem);
}

static int enrolment_send(struct enrolment *enrolment)
{
    struct str out = link_client_output(enrolment->client);
    int r = 0;

    while (r == 0 && out.len != 0) {
        size_t len = 0;

        r = tls_write(enrolment->tls, out.ptr, out.len, &len);
        if (r == 0) {
            link_client_sent(enrolment->client, len);
            out = link_client_output(enrolment->client);
        } else if (r == -ERR_AGAIN) {
            r = enrolment_wait(enrolment, tls_wants(enrolment->tls));
        }
    }
    return r;
}

/* Until the centre has said one thing. */
static int enrolment_hear(struct enrolment *enrolment)
{
    char bytes[ENROL_READ_SIZE];
    int r = link_client_next(enrolment->client, &enrolment->answer);

    while (r == 0) {
        size_t len = 0;

        r = tls_read(enrolment->tls, bytes, sizeof(bytes), &len);
        if (r == 0) {
            r = link_client_feed(enrolment->client, str_of(bytes, len));
        } else if (r == -ERR_AGAIN) {
            r = enrolment_wait(enrolment, tls_wants(enrolment->tls));
        }
        if (r == 0) {
            r = link_client_next(enrolment->client, &enrolment->answer);
        }
    }
    return r < 0 ? r : 0;
}

static int enrolment_ask(struct enrolment *enrolment, const char *name, struct diag *diag)
{
    CLEANUP(buf_done) struct buf request;
    struct link_enrol enrol = {.secret =
                                   str_of((const char *)enrolment->token.secret, LINK_SECRET_SIZE),
                               .name = str_from(name)};
    int r;

    buf_init(&request, ENROL_REQUEST_LIMIT);
    r = identity_request(&enrolment->identity, &request);
    enrol.request = buf_str(&request);
    if (r == 0) {
        r = link_client_new(&enrolment->client);
    }
    if (r == 0) {
        r = link_client_enrol(enrolment->client, &enrol);
    }
    if (r == 0) {
        r = enrolment_send(enrolment);
    }
    if (r == 0) {
        r = enrolment_hear(enrolment);
    }
    if (r < 0) {
        return diag_set(
            diag, r,
            _("the centre at %s ended the enrolment: %s; look into its log, then try again"),
            enrolment->where, err_text(r));
    }
    if (enrolment->answer.kind == LINK_ANSWER_BYE) {
        return diag_set(diag, -ERR_DENIED, "%s",
                        text_get(link_bye_sentence(enrolment->answer.bye)));
    }
    if (enrolment->answer.kind != LINK_ANSWER_ENROLLED ||
        identity_check(&enrolment->identity, enrolment->answer.enrolled.certificate) < 0) {
        return diag_set(diag, -ERR_PROTO,
                        _("the centre at %s gave no certificate for this host; check that both are "
                          "the same version"),
                        enrolment->where);
    }
    enrolment->identity.host = enrolment->answer.enrolled.host;
    return buf_put_str(&enrolment->identity.certificate, enrolment->answer.enrolled.certificate);
}

static int enrolment_run(struct enrolment *enrolment, const struct agent_enrol_settings *settings,
                         const char *name, struct diag *diag)
{
    int r = folder_make(settings->folder, 0700, (uid_t)-1, (gid_t)-1);

    if (r < 0) { /* before the token is used up */
        return diag_set(diag, r, _("cannot make the folder %s: %s; run this as root"),
                        settings->folder, err_text(r));
    }
    r = enrolment_connect(enrolment, diag);
    if (r == 0) {
        r = enrolment_handshake(enrolment, diag);
    }
    if (r == 0) {
        r = enrolment_pin(enrolment, diag);
    }
    if (r == 0) {
        r = enrolment_ask(enrolment, name, diag);
    }
    return r < 0 ? r : identity_save(&enrolment->identity, settings->folder, diag);
}

static void enrolment_done(struct enrolment *enrolment)
{
    if (enrolment->tls != NULL) {
        tls_close(enrolment->tls);
    }
    tls_free(enrolment->tls);
    tls_context_free(enrolment->context);
    link_client_free(enrolment->client);
    closep(&enrolment->fd);
    identity_done(&enrolment->identity);
    mem_wipe(&enrolment->token, sizeof(enrolment->token));
}

static bool agent_enrol_is_enrolled(const char *folder)
{
    struct identity identity;
    struct diag diag = {0};
    int r;

    identity_init(&identity);
    r = identity_load(&identity, folder, &diag);
    identity_done(&identity);
    return r == 0;
}

/* Reads the words; an exit status, EXIT_STATUS_CLEAN when all is well. */
static int agent_enrol_parse(const struct command_call *call, struct enrolment *enrolment)
{
    const struct agent_enrol_settings *settings = call->settings;

    if (call->operands.count != 2) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'agent enrol' wants the centre's HOST[:PORT] and a TOKEN"));
    }
    if (identity_set_centre(&enrolment->identity, str_from(call->operands.items[0])) < 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' is no address of a centre; write HOST, HOST:PORT or "
                              "[ADDRESS]:PORT"),
                            call->operands.items[0]);
    }
    if (token_parse(str_from(call->operands.items[1]), &enrolment->token) < 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("that is not a token, or a character of it is wrong: it has eight "
                              "groups of five, as 'canhgac centre token' prints it"));
    }
    if (!settings->is_forced && agent_enrol_is_enrolled(settings->folder)) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("this host is enrolled already; --force enrols it anew, under "
                              "a new identity"));
    }
    return EXIT_STATUS_CLEAN;
}

int agent_enrol_run(const struct command_call *call)
{
    const struct agent_enrol_settings *settings = call->settings;
    struct enrolment enrolment = {.fd = -1, .deadline = clock_mono(&clock_real) + ENROL_TIME};
    char name[256] = "host";
    struct diag diag = {0};
    int status;
    int r;

    identity_init(&enrolment.identity);
    status = agent_enrol_parse(call, &enrolment);
    if (status == EXIT_STATUS_CLEAN) {
        (void)gethostname(name, sizeof(name) - 1);
        (void)snprintf(enrolment.where, sizeof(enrolment.where), "%s:%u", enrolment.identity.centre,
                       enrolment.identity.port);
        r = enrolment_run(&enrolment, settings, settings->name != NULL ? settings->name : name,
                          &diag);
        if (r < 0) {
            status = command_fail(EXIT_STATUS_FAILED, "%s", diag_text(&diag, r));
        } else {
            printf(_("This host is enrolled at %s as '%.*s'.\n"), enrolment.where,
                   STR_ARG(enrolment.answer.enrolled.name));
        }
    }
    enrolment_done(&enrolment);
    return status;
}
