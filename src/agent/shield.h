/* The ransom shield: what joins the gate, the judge, the vault and the brake.
 *
 * Each open is answered by: save what is about to be lost, tell the judge, look (the weigher) at
 * what the judge has open questions about, stop a group if it is ruled against, answer. Names come
 * after the fact and go the same way, from what was saved or is still held.
 *
 * Threads: two workers, the weigher and the names thread of sense/files.c, which hears of the leash
 * too; the keeper (saves in the background, tends the vault); and the owner's, which runs
 * shield_turn and shield_tick and alone talks to other processes. One lock guards judge, shelf and
 * actors; nothing is read, copied or sent while it is held. Neighbours: sense/files.c before;
 * agent/sensor.c behind. */
#ifndef AGENT_SHIELD_H
#define AGENT_SHIELD_H

#include "agent/page.h"
#include "agent/settings.h"
#include "base/buf.h"
#include "base/id.h"
#include "model/action.h"
#include "model/record.h"
#include "respond/freeze.h"
#include "sense/files.h"
#include "store/vault.h"

struct shield;

/* Called on the owner's thread only. */
struct shield_port {
    void *context;
    void (*record)(void *context, const struct record *record);
    void (*stopped)(void *context, const struct id *finding, const struct freeze_group *group);
    void (*restore)(void *context, const struct id *finding);
};

struct shield_config {
    const struct agent_settings *settings;
    struct page *page;
    int scanner;      /* channel, stays the caller's */
    int leash;        /* channel, stays the caller's; -1: none */
    int wake_fd;      /* eventfd: shield_turn is wanted; stays the caller's */
    int watch_fd;     /* eventfd, for watchdog_stir; stays the caller's */
    size_t holds_max; /* descriptors that may be held */
    struct shield_port port;
};

/* What became of a restore, as the supervisor tells. */
struct shield_done {
    struct id finding;
    enum action action;
    int result;
    struct vault_report report;
};

[[nodiscard]] int shield_new(const struct shield_config *config, struct shield **ret_shield);
/* Joins the keeper: the vault is not used any more. */
void shield_stop(struct shield *shield);
void shield_free(struct shield *shield);

/* What files_new is to call. */
struct files_port shield_files_port(struct shield *shield);
/* Before workers start: both stay the caller's until shield_free. */
[[nodiscard]] int shield_attach(struct shield *shield, struct files *files, struct vault *vault);

/* Saves files that somebody has open for writing already. Before READY. */
void shield_save_open_files(struct shield *shield, const struct files_place *places,
                            size_t place_count);
/* Judges anew what was written shortly before, as the vault has it: for a sensor that takes
 * another's place. Once, with the workers running. */
void shield_recall(struct shield *shield);

/* Notes owner, mode and time of every file there, and the folders, in the background. places
 * outlive the shield. */
[[nodiscard]] int shield_walk(struct shield *shield, const struct files_place *places,
                              size_t place_count);

/* After wake_fd. */
void shield_turn(struct shield *shield);
/* Ten times a second, or as shield_rests says. */
void shield_tick(struct shield *shield, int64_t now);
/* Nothing has happened for a while: until wake_fd tells that something has, once a second will
 * do. */
bool shield_rests(struct shield *shield, int64_t now);
void shield_done(struct shield *shield, const struct shield_done *done);
/* Whether a restore was asked for that nobody has told of yet. */
bool shield_is_restoring(const struct shield *shield);
/* RESUME or KILL, decided by a person. */
void shield_decide(struct shield *shield, enum action action, const struct id *finding,
                   const struct freeze_group *group);
void shield_fill_status(struct shield *shield, struct status *status);
/* Groups that are stopped or paused now: what shield_fill_status tells, and cheap. */
uint64_t shield_stopped_groups(const struct shield *shield);

#endif
