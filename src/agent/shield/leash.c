/* When a process is held at its removals, and what it waits for. The kernel tells of an unlink only
 * afterwards, and a fast one removes thirty files in a millisecond; so a process that removes while
 * its group has ciphertext of what it read is made to wait, at each removal, until the one before
 * has been weighed. Neighbours: shield/names.c and shield.c before; agent/leash.c behind. */
#include "agent/protocol.h"
#include "agent/shield/private.h"
#include "base/banned.h"
#include "base/time.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/process.h"

#include <fcntl.h>

#define WEIGHS_NS (20 * NS_PER_MS) /* a small part of what agent/leash.c waits for a word */

static void shield_tell_leash(struct shield *shield, enum agent_message type, pid_t id,
                              const uint64_t *start)
{
    static _Thread_local struct msg_writer msg;

    msg_begin(&msg, (uint16_t)type);
    msg_put_u32(&msg, (uint32_t)id);
    if (start != NULL) {
        msg_put_u64(&msg, *start);
    }
    (void)!channel_send(shield->leash, &msg, NULL, 0); /* unheard: it lets go by itself */
}

static size_t shield_held_at(const struct shield *shield, struct actor_key who)
{
    size_t at = 0;

    while (at < SHIELD_HELD_MAX &&
           (shield->held[at].pid != who.pid || shield->held[at].start != who.start)) {
        at++;
    }
    return at;
}

void shield_tether(struct shield *shield, struct actor_key who)
{
    struct actor_key *place = &shield->held[shield->held_next % SHIELD_HELD_MAX];

    if (shield->leash < 0 || shield->mode == AGENT_MODE_DETECT_ONLY || who.start == 0 ||
        shield_is_spared(shield, who.pid) || shield_held_at(shield, who) < SHIELD_HELD_MAX) {
        return;
    }
    if (place->pid == 0) {
        atomic_fetch_add(&shield->held_count, 1);
    }
    *place = who;
    shield->held_next++;
    shield_tell_leash(shield, AGENT_MESSAGE_HOLD, who.pid, &who.start);
}

void shield_tell_weighing(struct shield *shield, struct actor_key who)
{
    int64_t now = shield_now();

    if (atomic_load(&shield->held_count) != 0 &&
        now - atomic_load(&shield->weighing_told) >= WEIGHS_NS) {
        atomic_store(&shield->weighing_told, now);
        shield_tell_leash(shield, AGENT_MESSAGE_WEIGHS, who.pid, &who.start);
    }
}

void shield_brake(struct shield *shield, struct actor_key who)
{
    bool is_stopped;
    bool is_armed;

    pthread_mutex_lock(&shield->lock);
    is_stopped = judge_is_stopped(shield->judge, who);
    is_armed = judge_is_armed(shield->judge, who, shield_now());
    pthread_mutex_unlock(&shield->lock);
    if (is_armed && !is_stopped) {
        shield_tether(shield, who);
    } else if (is_stopped && !process_is_at_rest(who.pid)) {
        shield_stop_straggler(shield, who);
    }
}

void shield_loosen_unless_armed(struct shield *shield, struct actor_key who)
{
    bool is_armed;

    pthread_mutex_lock(&shield->lock);
    /* one that is stopped stands by itself; held, it would not be seen to rest */
    is_armed =
        judge_is_armed(shield->judge, who, shield_now()) && !judge_is_stopped(shield->judge, who);
    pthread_mutex_unlock(&shield->lock);
    if (is_armed) {
        shield_tether(shield, who);
    } else if (shield_held_at(shield, who) < SHIELD_HELD_MAX) {
        shield_tell_leash(shield, AGENT_MESSAGE_LOOSE, who.pid, &who.start);
    }
}

void shield_let_loose(struct shield *shield, const struct freeze_group *group)
{
    for (size_t i = 0; i < group->count && atomic_load(&shield->held_count) != 0; i++) {
        shield_tell_leash(shield, AGENT_MESSAGE_LOOSE, group->members[i].pid,
                          &group->members[i].start);
    }
}

/* What it emptied by its path has been emptied by now, and nobody tells of that. */
static void shield_note_emptied(struct shield *shield)
{
    struct files_open *open = &shield->truncated;
    struct judge_step step = {.kind = JUDGE_STEP_CLOSE,
                              .who = shield->truncated_by,
                              .file = {open->stat.st_dev, open->stat.st_ino},
                              .path = str_of(open->path, open->path_len)};
    struct shield_job *job = NULL;

    if (shield->truncated_by.pid == 0) {
        return;
    }
    shield->truncated_by = (struct actor_key){0};
    pthread_mutex_lock(&shield->lock);
    shield_step(shield, &step, &job);
    pthread_mutex_unlock(&shield->lock);
    shield_act(shield, job);
    shield_look_all(shield, step.who);
}

/* No gate sees truncate. By one that is held it counts as an open for writing. */
static void shield_before_truncate(struct shield *shield, pid_t tid, struct actor_key who)
{
    CLEANUP(closep) int place = process_open_truncated(tid);
    struct visit visit = {.who = who, .is_write = true};
    struct files_open *open = &shield->truncated;
    char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

    if (place < 0) {
        return;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
    open->fd = openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
    open->tid = tid;
    open->arrived = shield_now();
    if (open->fd >= 0 && files_is_guarded(shield->files, open) &&
        shield_visit_init(&visit, open) == 0) {
        (void)!shield_take_visit(shield, &visit); /* all is looked at next */
        shield->truncated_by = who;
    }
    closep(&open->fd);
}

/* It stands before a removal: what it did before has been told; now it is weighed. */
static void shield_weigh(struct shield *shield, pid_t tid, struct actor_key who)
{
    bool is_stopped;

    shield_note_emptied(shield);
    shield_before_truncate(shield, tid, who);
    shield_look_all(shield, who);
    pthread_mutex_lock(&shield->lock);
    is_stopped = judge_is_stopped(shield->judge, who);
    pthread_mutex_unlock(&shield->lock);
    if (!is_stopped) {
        shield_tell_leash(shield, AGENT_MESSAGE_GO, tid, NULL);
        return;
    }
    shield_stop_straggler(shield, who);
    shield_tell_leash(shield, AGENT_MESSAGE_LOOSE, who.pid, &who.start);
}

static void shield_is_loose(struct shield *shield, struct actor_key who)
{
    size_t at = shield_held_at(shield, who);

    shield_note_emptied(shield);
    if (at < SHIELD_HELD_MAX) {
        shield->held[at] = (struct actor_key){0};
        atomic_fetch_sub(&shield->held_count, 1);
    }
}

void shield_asked(void *context)
{
    static _Thread_local struct channel_packet packet;
    struct shield *shield = context;

    while (channel_receive(shield->leash, &packet) == 0) {
        struct msg_reader *msg = &packet.msg;
        pid_t tid = msg->type == AGENT_MESSAGE_STANDS ? (pid_t)msg_get_u32(msg) : 0;
        struct actor_key who = {.pid = (int32_t)msg_get_u32(msg)};

        who.start = msg_get_u64(msg);
        if (msg_close(msg) == 0 && msg->type == AGENT_MESSAGE_STANDS) {
            shield_weigh(shield, tid, who);
        } else if (msg_close(msg) == 0 && msg->type == AGENT_MESSAGE_IS_LOOSE) {
            shield_is_loose(shield, who);
        }
        channel_packet_done(&packet);
    }
}
