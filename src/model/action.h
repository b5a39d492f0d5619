/* An action that a person asked for, on its way from the console to one agent and back as an
 * answer. */
#ifndef MODEL_ACTION_H
#define MODEL_ACTION_H

#include "base/buf.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "codec/cbor.h"

#include <stdint.h>

enum role {
    ROLE_VIEWER,
    ROLE_DUTY,
    ROLE_ADMIN,
    ROLE_COUNT,
};

enum action {
#define ACTION(constant, name, role, is_undoable, sentence) ACTION_##constant,
#include "model/actions.def"
#undef ACTION
    ACTION_COUNT,
};

struct action_row {
    const char *name;
    enum role role;
    bool is_undoable;
    const char *sentence; /* translate with text_get */
};

struct action_request {
    struct id id;
    enum action action;
    struct id finding; /* none for ACTION_STATUS */
    int64_t asked;     /* ns since 1970 UTC, by the centre's clock */
    int64_t
        expires; /* not carried out after this, by the agent's clock corrected to the centre's */
    struct str actor; /* user name of who asked; never empty */
    struct str reason;
};

struct action_answer {
    struct id id; /* of the request */
    int64_t time;
    int result;        /* 0 or a negative error */
    struct str detail; /* one sentence, English */
};

/* What cannot be undone afterwards waits so long at the centre, where it can be called off. */
#define ACTION_HOLD (10 * NS_PER_S)

const struct action_row *action_row(enum action action);
/* Until when a request may still be called off, by the centre's clock; `asked` for one that can be
 * undone. */
int64_t action_held_until(const struct action_request *request);
bool action_parse(struct str name, enum action *ret_action);
const char *role_name(enum role role);
bool role_parse(struct str name, enum role *ret_role);

/* Each travels as an array of its members in the order above. -ERR_INVAL for an action out of the
 * table, an empty actor, or expiry before asking; -ERR_VERSION for more members than are known.
 * Texts borrow the reader's bytes; what stands behind is the caller's (cbor_close). */
void action_request_encode(const struct action_request *request, struct buf *buf);
[[nodiscard]] int action_request_decode(struct cbor_reader *reader,
                                        struct action_request *ret_request);
void action_answer_encode(const struct action_answer *answer, struct buf *buf);
[[nodiscard]] int action_answer_decode(struct cbor_reader *reader,
                                       struct action_answer *ret_answer);

#endif
