/* Messages between the centre's processes (base/msg.h over sys/channel.h). Each line: who to whom,
 * what the packet holds in order, which descriptors travel with it. */
#ifndef CENTRE_PROTOCOL_H
#define CENTRE_PROTOCOL_H

#include "base/err.h"

/* How a process ends that found what lies in the centre's folder foreign, newer or damaged: the
 * next one would, too. */
#define CENTRE_EXIT_HOPELESS 70

static inline int centre_exit_of(int r)
{
    bool is_hopeless = r == -ERR_FOREIGN || r == -ERR_VERSION || r == -ERR_CORRUPT;

    return r == 0 ? 0 : is_hopeless ? CENTRE_EXIT_HOPELESS : 1;
}

enum centre_message {
    /* front → core: an agent's plain stream after TLS. u32 is_enrolment, str key_sha256 (32 bytes,
     * empty for an enrolment), str address; fd: the stream. Core speaks frames on it
     * (link/frame.h). */
    CENTRE_MESSAGE_AGENT = 1,
    /* front → api: a browser's plain stream after TLS. str address; fd: the stream (HTTP/1.1). */
    CENTRE_MESSAGE_BROWSER,
    /* api → core: please write. u64 request number, str session (the cookie's 32 bytes, "" before
     * log-in), str verb (as in centre/requests.def), str body (CBOR map of arguments), str address
     * of the browser, u32 language of the answer (enum language). Core looks up who that is itself:
     * an api process that was taken over can do no more than those who are logged in through it. */
    CENTRE_MESSAGE_REQUEST,
    /* core → api: u64 request number, i64 result (0 or negative error), str diag, str body (CBOR).
     */
    CENTRE_MESSAGE_REPLY,
    /* core → api: something changed; look again. u32 what (enum centre_changed), u32 is_full (the
     * disk is: nothing is acknowledged until there is room). */
    CENTRE_MESSAGE_CHANGED,
    /* any child → supervisor: it is ready and serves. str name. */
    CENTRE_MESSAGE_READY,
    /* core → supervisor, before READY and after each change: what counts at the next start of a
     * child. u32 count, then as many pairs of str name, str value; only rows with
     * CENTRE_EFFECT_START are taken. */
    CENTRE_MESSAGE_SETTINGS,
    /* supervisor → core: a child died. str name, i64 wait status, u64 deaths within a minute. */
    CENTRE_MESSAGE_DIED,
    /* supervisor → core: an operator on this machine runs `canhgac centre VERB`. str user name of
     * the system account that asks; fd: a SOCK_SEQPACKET end on which core answers REQUEST (without
     * the browser's address) with REPLY as it does for the api, with the rights of an admin and the
     * actor "local:USER" whatever user name a request carries. The verbs asked are "token.create"
     * {0: note, 1: life in ns} → {0: token text, 1: expires}, "sender.create"
     * {0: name} → {0: token text}, "host.list" {} → [{0: id (16 bytes),
     * 1: name, 2: is connected, 3: is revoked, 4: seen, 5: acknowledged, 6: dropped}] and
     * "host.revoke" {0: name or id} → {}, "user.password" {0: user name} → {"name", "password": for
     * one use}: makes the first admin when there is no such user, "rule.reload" {} → {0: version of
     * the rules before, 1: now, 2: rules, 3: correlations, 4: documents refused}. */
    CENTRE_MESSAGE_OPERATOR,

    /* The website watch; built and read with centre/fetch/wire.h only. `fetch` asks for what it
     * needs and keeps nothing on disk, so one that was killed begins anew by asking. */

    /* fetch → core: the sites to watch whose number is above this one. u64 after. Also the first
     * word of a fetch process that has just started (after is 0 then). */
    CENTRE_MESSAGE_SITES_ASK,
    /* core → fetch: the answer, ordered by number, as many as fit (fetch asks on with the last
     * one's). u64 after (as asked), each site led by u32 1, then u32 0, u32 is_last. A site that is
     * no longer among them is no longer watched. */
    CENTRE_MESSAGE_SITES,
    /* core → fetch: a site was added, changed or taken out, or a deploy window opened or closed:
     * ask again from 0. Empty. */
    CENTRE_MESSAGE_SITES_CHANGED,
    /* fetch → core: what has been kept of this page? u64 site, str url (empty: of the site). */
    CENTRE_MESSAGE_PROFILE_ASK,
    /* core → fetch: u64 site, str url; fd: the bytes as they came with a CHECK, none when nothing
     * is kept. */
    CENTRE_MESSAGE_PROFILE,
    /* core → fetch: look now. u64 site, str url (empty: all its pages), u32 is_own_change: what is
     * seen then is ours, learn it. */
    CENTRE_MESSAGE_LOOK,
    /* fetch → core: one look. u64 site, str check (site_check_encode), u32 which descriptors travel
     * (enum fetch_part, in that order): to be written together with the check, or not at all. */
    CENTRE_MESSAGE_CHECK,
    /* fetch → supervisor: a reader does not answer: end it, another will be started. u32 which; the
     * one behind the last reader is render. */
    CENTRE_MESSAGE_HUNG,
    /* fetch → core: what a page looked like. u64 site, str url, u32 view, i64 time (wall), str
     * visual_encode; fd: a small picture, PNG, that render made. */
    CENTRE_MESSAGE_PICTURE,
};

/* What CENTRE_MESSAGE_CHANGED speaks of. */
enum centre_changed {
    CENTRE_CHANGED_ALERTS = 1,
    CENTRE_CHANGED_HOSTS = 2,
    CENTRE_CHANGED_ACTIONS = 4,
    CENTRE_CHANGED_SETTINGS = 8, /* users, sessions, tokens too */
    CENTRE_CHANGED_DISK = 16,
    CENTRE_CHANGED_SITES = 32, /* looks at them too */
    CENTRE_CHANGED_RULES = 64, /* for logs: those in force, filters, what is off */
    CENTRE_CHANGED_SOURCES = 128,
};

#endif
