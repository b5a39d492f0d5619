/* What people looked for in events is kept: it is as telling as what they found. A search of long
 * ago is asked for piece by piece, so the same words of the same person are kept once in a while.
 * Neighbours: the api process searches after this has been answered. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/core/private.h"

#define READ_AGAIN (10 * 60 * NS_PER_S)

/* Whether this was told so lately that it is the same search still. */
static bool read_is_told(const struct core_reads *reads, struct str said, int64_t now)
{
    for (size_t i = 0; i < ARRAY_LEN(reads->list); i++) {
        const struct core_read *read = &reads->list[i];

        if (read->len != 0 && str_is(str_of(read->said, read->len), said) && now >= read->time &&
            now - read->time < READ_AGAIN) {
            return true;
        }
    }
    return false;
}

static void read_remember(struct core_reads *reads, struct str said, int64_t now)
{
    struct core_read *read = &reads->list[reads->next++ % ARRAY_LEN(reads->list)];

    read->len = said.len;
    read->time = now;
    memcpy(read->said, said.ptr, said.len);
}

static int core_read_told(struct core_call *call, const char *name, struct str what)
{
    struct core_reads *reads = &call->core->reads;
    int64_t now = clock_mono(call->core->options.clock);
    struct str kept = str_slice(what, 0, READ_SAID_MAX - 300);
    struct str said = arena_printf(call->arena, "%.*s\n%s\n%.*s", STR_ARG(call->actor),
                                   call->request->verb, STR_ARG(kept));
    int r;

    if (said.ptr == NULL) {
        return -ERR_NOMEM;
    }
    if (said.len <= READ_SAID_MAX && read_is_told(reads, said, now)) {
        return 0;
    }
    r = core_call_audit(call, call->request->verb, STR(""), name, kept, NULL);
    if (r == 0 && said.len <= READ_SAID_MAX) {
        read_remember(reads, said, now);
    }
    return r;
}

int core_read_events(struct core_call *call)
{
    return core_read_told(call, "q", arguments_text(&call->arguments, "q"));
}

int core_rule_try(struct core_call *call)
{
    return core_read_told(call, "rule", arguments_text(&call->arguments, "rule"));
}
