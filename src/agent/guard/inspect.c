/* Files that visitors or the site's programs wrote, handed one by one to the inspector
 * (agent/inspector.h), and what it says of them. Invariants: nobody waits for it; so many files are
 * held open and no more, a few of them in its hands; one that gets no answer stays judged as its
 * name and first bytes have it, and is asked about again. */
#include "agent/guard/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "store/vault/meta.h"
#include "sys/fd.h"

#include <sys/stat.h>
#include <unistd.h>

#define ASKED_MAX        128 /* held open */
#define ASKED_AHEAD      4   /* of them with the inspector */
#define ASKED_WITHIN_NS  (10 * NS_PER_S)
#define ASKED_TRIES      3
#define ASKED_SILENT_NS  (60 * NS_PER_S)   /* then it is looked at again */
#define ASKED_WRITTEN_NS (300 * NS_PER_MS) /* who planted it may not have finished */
#define ASKED_CHANGED_NS NS_PER_S
#define ASKED_A_SECOND   256      /* turns given to those that find no place */
#define SETTLED_NS       NS_PER_S /* a file's time stands still for some ms while it is written */

struct guard_asked {
    struct list link;
    struct guard_root *root;
    int fd;
    struct stat st; /* when it was asked about */
    pid_t pid;
    uint64_t incident; /* it is taken out already, and this tells of it; 0: it stands there */
    uint64_t question; /* 0: waits to be sent */
    int64_t due;       /* sent then, or no longer waited for */
    unsigned tries;
    size_t len;
    char path[];
};

static struct guard_judged *judged_place(struct guard *guard, const struct stat *st)
{
    return &guard->judged[(st->st_ino ^ st->st_dev) % GUARD_JUDGED_MAX];
}

static struct guard_judged judged_of(const struct stat *st)
{
    return (struct guard_judged){.dev = st->st_dev,
                                 .ino = st->st_ino,
                                 .changed = vault_time_of(st->st_ctim),
                                 .size = st->st_size};
}

static bool judged_is(const struct guard_judged *a, const struct guard_judged *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->changed == b->changed && a->size == b->size;
}

/* One that was written just now may be written again without its time showing it. */
static void guard_remember(struct guard *guard, const struct stat *st)
{
    if (clock_wall(&clock_real) - vault_time_of(st->st_ctim) > SETTLED_NS) {
        *judged_place(guard, st) = judged_of(st);
    }
}

static bool guard_is_asked(const struct guard *guard, const struct stat *st)
{
    LIST_EACH (node, &guard->asked) {
        const struct guard_asked *asked = LIST_ENTRY(node, struct guard_asked, link);

        if (asked->incident == 0 && asked->st.st_ino == st->st_ino &&
            asked->st.st_dev == st->st_dev) {
            return true; /* that it changed meanwhile is seen when the answer comes */
        }
    }
    return false;
}

static void asked_free(struct guard *guard, struct guard_asked *asked)
{
    list_remove(&asked->link);
    guard->asked_count--;
    guard->asked_ahead -= asked->question != 0 ? 1U : 0U;
    closep(&asked->fd);
    mem_free(asked);
}

static void guard_send_asked(struct guard *guard, int64_t now)
{
    LIST_EACH (node, &guard->asked) {
        struct guard_asked *asked = LIST_ENTRY(node, struct guard_asked, link);

        if (guard->asked_ahead >= ASKED_AHEAD) {
            return;
        }
        if (asked->question != 0 || asked->due > now) {
            continue;
        }
        if (inspector_ask(guard->config->inspector, guard->asked_last + 1,
                          str_of(asked->path, asked->len), asked->fd) < 0) {
            return; /* at the next tick */
        }
        asked->question = ++guard->asked_last;
        asked->due = now + ASKED_WITHIN_NS;
        asked->tries++;
        guard->asked_ahead++;
    }
}

static void guard_ask(struct guard *guard, struct guard_root *root, struct str path, int fd,
                      const struct guard_asked *wanted)
{
    CLEANUP(closep) int held = fd;
    struct guard_asked *asked;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return;
    }
    asked = mem_alloc(1, sizeof(*asked) + path.len + 1);
    if (asked == NULL) {
        return; /* the rescan comes to it */
    }
    *asked = *wanted;
    asked->root = root;
    asked->st = st;
    asked->fd = TAKE_FD(held);
    asked->len = path.len;
    memcpy(asked->path, path.ptr, path.len);
    list_append(&guard->asked, &asked->link);
    guard->asked_count++;
    guard_send_asked(guard, clock_mono(&clock_real));
}

void guard_inspect(struct guard *guard, struct guard_root *root, struct str path,
                   const struct stat *st, pid_t pid)
{
    const struct guard_asked wanted = {.pid = pid};
    const struct guard_judged now = judged_of(st);

    if (!S_ISREG(st->st_mode) || st->st_size == 0 || judged_is(judged_place(guard, st), &now) ||
        guard_is_asked(guard, st)) {
        return;
    }
    if (guard->asked_count >= ASKED_MAX) {
        int64_t turn = 1 + (int64_t)(map_count(&guard->waiting_keys) / ASKED_A_SECOND);

        guard_wait(guard, root, path, pid, clock_mono(&clock_real) + turn * NS_PER_S);
        return;
    }
    guard_ask(guard, root, path, webroot_read(&root->webroot, path), &wanted);
}

void guard_inspect_taken(struct guard *guard, struct guard_root *root, struct str path, int fd,
                         uint64_t incident)
{
    const struct guard_asked wanted = {.incident = incident,
                                       .due = clock_mono(&clock_real) + ASKED_WRITTEN_NS};

    if (incident == 0 || guard->asked_count >= ASKED_MAX) {
        closep(&fd);
        return;
    }
    guard_ask(guard, root, path, fd, &wanted);
}

/* Whether it is to be told of. A large picture dilutes what its few lines of code weigh; but what
 * visitors may upload has no reason to hold code that obeys whoever calls it. */
static bool is_shell(const struct inspection *inspection, bool is_upload)
{
    return inspection->result == 0 &&
           (inspection->outcome == WEBSHELL_OUTCOME_WEBSHELL ||
            (is_upload && inspection->outcome == WEBSHELL_OUTCOME_SUSPICIOUS &&
             inspection->is_ruled));
}

/* Acts on what stood there when it was read, and on nothing else. */
static void guard_take_inspection(struct guard *guard, const struct guard_asked *asked,
                                  const struct inspection *inspection)
{
    const struct guard_judged before = judged_of(&asked->st);
    struct str path = str_of(asked->path, asked->len);
    bool is_upload = class_of(&asked->root->webroot.rules, path) == MANIFEST_CLASS_UPLOAD;
    bool has_shell = is_shell(inspection, is_upload || asked->incident != 0);
    struct guard_judged now;
    struct stat st;

    if (asked->incident != 0) {
        if (has_shell) {
            guard_incident_shell(guard, asked->incident, path, inspection);
        }
        return;
    }
    if (inspection->result < 0 || fstat(asked->fd, &st) != 0) {
        return;
    }
    now = judged_of(&st);
    if (has_shell) {
        guard->heard = clock_mono(&clock_real);
        if (guard_found_shell(guard, asked->root, path, &st, inspection, asked->pid)) {
            return;
        }
    }
    if (judged_is(&before, &now)) {
        guard_remember(guard, &st);
    } else {
        guard_wait(guard, asked->root, path, asked->pid,
                   clock_mono(&clock_real) + ASKED_CHANGED_NS);
    }
}

static void guard_take_answer(struct guard *guard, struct msg_reader *msg)
{
    struct inspection inspection;

    if (inspector_read(msg, &inspection) < 0) {
        log_warn("the inspector's answer cannot be read");
        return;
    }
    LIST_EACH (node, &guard->asked) {
        struct guard_asked *asked = LIST_ENTRY(node, struct guard_asked, link);

        if (asked->question != 0 && asked->question == inspection.question) {
            guard_take_inspection(guard, asked, &inspection);
            asked_free(guard, asked);
            return;
        }
    }
}

void guard_on_inspector(void *context, int fd, unsigned events)
{
    struct guard *guard = context;

    (void)events;
    while (channel_receive(fd, &guard->packet) == 0) {
        guard_take_answer(guard, &guard->packet.msg);
        channel_packet_done(&guard->packet);
    }
    guard_send_asked(guard, clock_mono(&clock_real));
}

/* A file that ends the inspector each time must not keep it from all others. */
void guard_do_asked(struct guard *guard, int64_t now)
{
    LIST_EACH (node, &guard->asked) {
        struct guard_asked *asked = LIST_ENTRY(node, struct guard_asked, link);

        if (asked->question == 0 || asked->due > now) {
            continue;
        }
        if (asked->tries < ASKED_TRIES) {
            asked->question = 0;
            guard->asked_ahead--;
            list_remove(node);
            list_append(&guard->asked, node);
            continue;
        }
        log_warn("the inspector says nothing of a file path=%.*s", (int)asked->len, asked->path);
        if (asked->incident == 0) {
            guard_wait(guard, asked->root, str_of(asked->path, asked->len), asked->pid,
                       now + ASKED_SILENT_NS);
        }
        asked_free(guard, asked);
    }
    guard_send_asked(guard, now);
}

void guard_forget_asked(struct guard *guard)
{
    LIST_EACH (node, &guard->asked) {
        asked_free(guard, LIST_ENTRY(node, struct guard_asked, link));
    }
    mem_free(guard->judged);
}
