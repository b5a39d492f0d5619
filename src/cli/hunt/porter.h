/* Carries what a person named to a process without rights: rules, pipelines, lists and logs, as
 * open files. On its way: hunt.c, rules.c → porter_carry → (channel) → porter_receive in the
 * process that reads them. Whoever opens reads no byte of them; whoever reads them opens none. */
#ifndef CLI_HUNT_PORTER_H
#define CLI_HUNT_PORTER_H

#include "base/diag.h"
#include "base/str.h"
#include "cli/hunt/hands.h"
#include "sys/channel.h"

#include <stdint.h>
#include <sys/types.h>

enum porter_kind {
    PORTER_KIND_RULES = 1, /* below a folder: *.yml and *.yaml */
    PORTER_KIND_PIPELINE,
    PORTER_KIND_LIST,
    PORTER_KIND_LOG,    /* below a folder: every regular file */
    PORTER_KIND_SAMPLE, /* below a folder: *.hit.* and *.miss.* */
    PORTER_KIND_COUNT,
};

/* channel: the reader's end. Returns an enum exit_status. */
typedef int porter_body_fn(void *context, int channel);

struct porter {
    pid_t pid;
    struct hands *hands; /* shared with the reader */
    int channel;
    bool is_once;          /* something that can be read only once was carried: a pipe */
    enum porter_kind kind; /* of what is carried now */
    uint64_t carried;
    uint64_t failed; /* could not be opened; each was told on stderr … */
    uint64_t told;   /* … but so many at first, of which one before it told */
    struct diag diag;
};

/* Forks the reader, which begins by giving up its rights. voice: what relay_use gets in it, open
 * there too; -1: it prints by itself. */
[[nodiscard]] int porter_start(struct porter *porter, const char *name, porter_body_fn *body,
                               void *context, int voice);
/* path: a file, a folder (all below it, in the order of names), a pipe, or "-". 0 also when it
 * could not be opened, which is told and counted; -ERR_PIPE when the reader is gone. */
[[nodiscard]] int porter_carry(struct porter *porter, enum porter_kind kind, const char *path);
/* Tells the reader that this was all. */
void porter_close(struct porter *porter);
/* Ends the reader with what it has in hand. */
void porter_kill(struct porter *porter);
/* After either of them: its status as waitpid gives it. Whoever else looks at the reader, or at its
 * hands, has stopped by then: its number may be another's from now on. */
int porter_wait(struct porter *porter);
void porter_done(struct porter *porter);
/* Tells on stderr that it did not end by itself, with what it had in hand; EXIT_STATUS_FAILED. */
int porter_tell_ended(const struct porter *porter, int status);
/* From porter_close on all of it: its enum exit_status, at least EXIT_STATUS_FAILED when it did not
 * end by itself. */
int porter_end(struct porter *porter);
/* SIGINT was seen: nothing more is carried, and the reader shows what it has. */
bool porter_is_stopped(void);

/* The reader's side. */
struct parcel {
    enum porter_kind kind;
    struct str path; /* borrows packet */
    int fd;          /* the receiver's */
    struct channel_packet packet;
};

/* -ERR_PIPE when that was all. -ERR_PROTO. */
[[nodiscard]] int porter_receive(int channel, struct parcel *ret_parcel);

#endif
