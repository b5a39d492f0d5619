/* A table indexed by the low bits of the thread's id. A row is believed only while its own
 * descriptors answer: then the number is still that thread's. */
#include "agent/openers.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"

#define OPENERS_ROWS 64U /* of three descriptors each */

struct openers {
    struct opener rows[OPENERS_ROWS];
};

int openers_new(struct openers **ret_openers)
{
    struct openers *openers = mem_alloc(1, sizeof(*openers));

    if (openers == NULL) {
        return -ERR_NOMEM;
    }
    *ret_openers = openers;
    return 0;
}

static void opener_forget(struct opener *row)
{
    if (row->tid != 0) {
        process_thread_close(&row->thread);
        row->tid = 0;
    }
}

void openers_free(struct openers *openers)
{
    for (size_t i = 0; openers != NULL && i < OPENERS_ROWS; i++) {
        opener_forget(&openers->rows[i]);
    }
    mem_free(openers);
}

struct opener *openers_find(struct openers *openers, pid_t tid)
{
    struct opener *row = &openers->rows[(unsigned)tid % OPENERS_ROWS];
    char comm[32];

    if (row->tid != tid) {
        return NULL;
    }
    if (process_thread_comm(&row->thread, comm) < 0 || strcmp(comm, row->comm) != 0) {
        opener_forget(row);
        return NULL;
    }
    row->opens++;
    return row;
}

int openers_meet(struct openers *openers, pid_t tid, struct process_info *ret_info,
                 struct opener **ret_opener)
{
    struct opener *row = &openers->rows[(unsigned)tid % OPENERS_ROWS];
    int r;

    opener_forget(row);
    r = process_thread_open(tid, &row->thread);
    if (r < 0) {
        return r;
    }
    r = process_read_group(tid, ret_info);
    if (r == 0) { /* last: it speaks for all that was read before */
        r = process_thread_comm(&row->thread, row->comm);
    }
    if (r < 0) {
        process_thread_close(&row->thread);
        return r;
    }
    row->tid = tid;
    row->opens = 0;
    row->follow_at = row->follow_step = OPENER_STEP;
    row->who = (struct actor_key){ret_info->pid, ret_info->start};
    *ret_opener = row;
    return 0;
}
