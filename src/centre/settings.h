/* What a person may set about a centre: `canhgac centre --NAME VALUE` or `NAME = VALUE` in
 * FOLDER/centre.conf (the command line wins). All processes of the centre get the same struct;
 * texts live in the command's arena. */
#ifndef CENTRE_SETTINGS_H
#define CENTRE_SETTINGS_H

#include "base/arena.h"
#include "base/diag.h"
#include "model/setting.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CENTRE_CONF         "centre.conf" /* in the folder */
#define CENTRE_SETTINGS_MAX 40

/* Where a value is from; a later one wins over those before it, but for the command line, which
 * wins over all. */
enum centre_source {
    CENTRE_SOURCE_DEFAULT,
    CENTRE_SOURCE_FILE,
    CENTRE_SOURCE_CONSOLE,
    CENTRE_SOURCE_COMMAND,
    CENTRE_SOURCE_COUNT,
};

/* What a change in the console does. */
enum centre_effect {
    CENTRE_EFFECT_FIXED, /* the console may not change it */
    CENTRE_EFFECT_NOW,
    CENTRE_EFFECT_START, /* counts when the centre is started the next time */
    CENTRE_EFFECT_COUNT,
};

struct centre_settings {
    const char *folder;             /* everything the centre keeps; see docs/wire.md for keys/ */
    struct setting_list listen;     /* ADDRESS:PORT, [ADDRESS]:PORT or PORT */
    struct setting_list syslog_udp; /* the same; none: nobody sends logs that way */
    struct setting_list syslog_tcp;
    struct setting_list syslog_tls;
    const char *name;          /* what people call this centre */
    struct setting_list names; /* host names and addresses put into the server certificate */
    const char *language;      /* "vi" or "en": of pages before log-in */
    int64_t token_life;        /* ns */
    int64_t event_days;        /* how long events are kept, ns */
    int64_t silent_after;      /* ns without a word until a host counts as silent */
    int64_t source_silent;     /* the least of a source of logs */
    int64_t log_ahead;         /* of its arrival, most that an entry's time is believed */
    int64_t log_behind;        /* the same */
    int64_t sender_keep;       /* a sender of logs that says nothing, its place */
    int64_t connections;       /* most at one time */
    int64_t connections_each;  /* most from one address */
    int64_t new_each;          /* most new ones from one address within a minute */
    const char *front_user;
    const char *core_user;
    const char *api_user;
    const char *fetch_user;
    const char *reader_user;
    const char *render_user;
    const char *detector_user;
    const char *receiver_user;
    const char *name_servers;             /* for the website watch; NULL: the system's */
    const char *web_authorities;          /* PEM file, beside the system's; NULL: none */
    const char *sites;                    /* list of sites to be watched, CSV; NULL: none */
    const char *lists;                    /* folder of indicator lists */
    struct setting_list rules;            /* folders of Sigma rules */
    struct setting_list pipelines;        /* the same of Sigma pipelines */
    bool has_browser;                     /* no row: what the supervisor found at its start */
    bool is_user_kept;                    /* stay the user that started it: to try it out */
    uint8_t sources[CENTRE_SETTINGS_MAX]; /* enum centre_source of each row */
};

extern const struct setting centre_rows[];

const char *centre_source_name(enum centre_source source);
const char *centre_effect_name(enum centre_effect effect);
/* Whether the console may change this one of centre_rows. */
enum centre_effect centre_effect_of(const struct setting *row);
/* Why it may not, or what to mind; a sentence to be translated, or NULL. */
const char *centre_effect_why(const struct setting *row);
enum centre_source centre_source_of(const struct centre_settings *settings,
                                    const struct setting *row);

/* Reads FOLDER/centre.conf over the defaults, then lets what the command line set win; a missing
 * file is fine. given: as the command line parsed it. diag names file and line. */
[[nodiscard]] int centre_settings_load(const struct centre_settings *given, struct arena *arena,
                                       struct centre_settings *ret_settings, struct diag *diag);

/* FOLDER/name in the arena; NULL when out of memory. */
const char *centre_path(const struct centre_settings *settings, struct arena *arena,
                        const char *name);

/* Names below FOLDER that more than one process knows. */
#define CENTRE_KEYS_FOLDER "keys"
#define CENTRE_CA_CERT     "keys/ca.crt"
#define CENTRE_CA_KEY      "keys/ca.key"
#define CENTRE_SERVER_CERT "keys/server.crt"
#define CENTRE_SERVER_KEY  "keys/server.key"
#define CENTRE_CONTROL                                                                             \
    "control" /* AF_UNIX SOCK_SEQPACKET of the supervisor, for `canhgac centre VERB` */

#endif
