/* Messages between the agent's processes (base/msg.h over sys/channel.h).
 *
 *   sensor ── records ──▶ outlet (the link, or the printer when standalone)
 *   sensor ── requests ─▶ supervisor ── answers, orders ─▶ sensor
 *   sensor ── open files ▶ scanner ── verdicts ─▶ sensor
 *   sensor ── whom to hold ▶ leash ── who stands ─▶ sensor
 *   outlet ── actions ──▶ supervisor ── answers ─▶ outlet
 *   guard ── records, who is that? ─▶ supervisor ── this one ─▶ guard
 *   guard ── signed files, windows ─▶ refuser ── who wanted to write ─▶ guard
 *   guard ── open files ▶ inspector ── verdicts ─▶ guard
 *   visits ── records ──▶ supervisor ── records ─▶ outlet
 *   logs, journal ── entries of logs ──▶ outlet
 *
 * The supervisor keeps both ends of every channel open: a child that dies is replaced on the same
 * channels, its peers notice nothing, and what they sent meanwhile waits for the new one. What
 * the outlet is to keep stays in its channel until it is kept (agent/intake.h). Whether
 * the gate is alive goes through the shared page (agent/page.h), not through messages: the watchdog
 * must not depend on anybody's loop.
 */
#ifndef AGENT_PROTOCOL_H
#define AGENT_PROTOCOL_H

enum agent_message {
    /* any child → supervisor: it is ready. str name, u32 enum sandbox_missing. */
    AGENT_MESSAGE_READY = 1,
    /* sensor or supervisor → outlet: one encoded record. u64 number (agent/outbox.h), str record
     * (model/record.h). */
    AGENT_MESSAGE_RECORD,
    /* outlet or supervisor → sensor: nothing; asks for a status record now. */
    AGENT_MESSAGE_STATUS,
    /* sensor → supervisor: this group was stopped (again with more members). The supervisor keeps
     * it, so that a person can let it go or end it whatever becomes of the sensor. str finding id
     * (16 bytes), u32 n, n × (u32 pid, u64 start). Not answered. */
    AGENT_MESSAGE_FREEZE,
    /* sensor → supervisor: restore the case; the same for undo. str finding id. */
    AGENT_MESSAGE_RESTORE,
    /* supervisor → sensor: what became of it. str finding id, u32 enum action or ACTION_COUNT for
     * freeze, i64 result, u64 restored, u64 partial, u64 failed, i64 monotonic ns when done. */
    AGENT_MESSAGE_DONE,
    /* outlet → supervisor: an action from the centre. str request (action_request_encode). */
    AGENT_MESSAGE_ACTION,
    /* supervisor → outlet: its answer. u64 number, str answer (action_answer_encode). */
    AGENT_MESSAGE_ANSWER,
    /* supervisor → sensor: a person decided RESUME or KILL; for RESUME the sensor forgives the
     * group and then lets it go on. u32 enum action, str finding id, u32 n, n × (u32 pid, u64
     * start). */
    AGENT_MESSAGE_DECISION,
    /* sensor → scanner: u64 question; fd 0: the file now, fd 1 (optional): the version before. */
    AGENT_MESSAGE_SCAN,
    /* scanner → sensor: u64 question, u32 enum content_format now, u32 before, str name of the
       format. */
    AGENT_MESSAGE_SCANNED,
    /* sensor → leash: from now on this process makes one removal at a time. u32 pid, u64 start. */
    AGENT_MESSAGE_HOLD,
    /* leash → sensor: this thread stands and waits for GO; the only one that does. u32 tid, u32
     * pid, u64 start. */
    AGENT_MESSAGE_STANDS,
    /* sensor → leash: it may go on. u32 tid. */
    AGENT_MESSAGE_GO,
    /* sensor → leash: a file of somebody's was looked at, and who stands may have to wait for more
     * of that. u32 pid, u64 start. */
    AGENT_MESSAGE_WEIGHS,
    /* sensor → leash: no more of it; what stands goes on, or stops where a signal says so. u32 pid,
     * u64 start. */
    AGENT_MESSAGE_LOOSE,
    /* leash → sensor: it is not held, or not any more. u32 pid, u64 start. */
    AGENT_MESSAGE_IS_LOOSE,
    /* guard → supervisor: who is that? Inside Landlock nobody else's /proc can be read. u32 pid. */
    AGENT_MESSAGE_WHO,
    /* supervisor → guard: u32 pid, u64 start, u32 uid, str exe, str cmdline; a start of 0: it has
       gone. */
    AGENT_MESSAGE_WHOSE,
    /* guard → refuser: not to be opened for writing. fd 0: the file; without: all are free. */
    AGENT_MESSAGE_FIXED,
    /* guard → refuser: a publish window. u32 root by its place in the settings, u32 is open. */
    AGENT_MESSAGE_WINDOW,
    /* refuser → guard: somebody wanted to write. u32 pid, str path. */
    AGENT_MESSAGE_REFUSED,
    /* guard → inspector: u64 question, str end of the path; fd 0: the file. */
    AGENT_MESSAGE_INSPECT,
    /* inspector → guard: u64 question, i64 result, u32 enum webshell_outcome, u32 enum
     * webshell_language, u32 is ruled, i64 score in thousandths, str rule, u32 line, str snippet.
     */
    AGENT_MESSAGE_INSPECTED,
    /* logs or journal → outlet: entries of one log (none: only the place is to be noted), and how
     * far it has been read with them. u64 number of the first (each has one more than the one
     * before it), each led by u32 1: str record; then u32 0, u64 log, u64 dev, u64 ino, u64 offset,
     * u64 mark (struct position). */
    AGENT_MESSAGE_LOG,
};

#endif
