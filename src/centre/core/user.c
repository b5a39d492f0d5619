/* Users, as admins make and change them. A new or reset password is good for one log-in, which must
 * then choose another. Invariant: there is always one admin at least who is not locked out. */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/cbor.h"

/* A user being made or reset, while the password thread works. */
struct core_user_state {
    struct store_user user;
    char once[PASSWORD_ONCE_SIZE];
    const char *act;
};

static bool core_user_is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
                        (i != 0 && (byte == '.' || byte == '-' || byte == '_'));

        if (!is_plain) {
            return false;
        }
    }
    return name.len != 0;
}

static int core_user_once_then(struct core_call *call, const struct worker_answer *answer)
{
    struct core_user_state *state = call->state;
    struct store *store = call->core->options.store;
    uint64_t number;
    int r = answer->hash_result;

    if (r < 0) {
        return r;
    }
    state->user.password = str_from(answer->encoded);
    state->user.must_change_password = true;
    r = store_user_put(store, &state->user, &number);
    if (r == 0 && state->user.number != 0) {
        r = store_session_drop_user(store, number);
    }
    if (r == 0) {
        r = core_call_audit(call, state->act, state->user.name, "role",
                            str_from(role_name(state->user.role)), NULL);
    }
    cbor_put_map(&call->reply, 2);
    cbor_put_text(&call->reply, STR("name"));
    cbor_put_text(&call->reply, state->user.name);
    cbor_put_text(&call->reply, STR("password"));
    cbor_put_text(&call->reply, str_from(state->once));
    mem_wipe(state->once, sizeof(state->once));
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r;
}

static int core_user_once(struct core_call *call, const struct store_user *user, const char *act)
{
    struct core_user_state *state = arena_alloc(call->arena, 1, sizeof(*state));
    int r;

    if (state == NULL) {
        return -ERR_NOMEM;
    }
    state->user = *user;
    state->act = act;
    call->state = state;
    r = password_make_once(state->once);
    return r < 0
               ? r
               : core_call_work(call, STR(""), STR(""), str_from(state->once), core_user_once_then);
}

/* A name mistyped at the shell must not become an admin: one is made only where there is no user.
 */
static int core_user_begin(struct core_call *call, struct store_user *user)
{
    struct store_user *users;
    size_t count;
    int r = store_user_list(call->core->options.store, call->arena, &users, &count);

    if (r == 0 && count != 0) {
        return diag_set(&call->diag, -ERR_NOENT,
                        _("there is no user '%.*s'; admins make users in the console's settings"),
                        STR_ARG(user->name));
    }
    if (r == 0 && !core_user_is_name(user->name)) {
        return diag_set(&call->diag, -ERR_INVAL,
                        _("a user name is made of a-z, 0-9, dot, dash and underscore"));
    }
    user->created = clock_wall(call->core->options.clock);
    return r;
}

int core_user_reset(struct core_call *call, struct str name)
{
    struct store_user user = {.name = name, .role = ROLE_ADMIN, .language = LANGUAGE_VI};
    int r = store_user_get(call->core->options.store, name, call->arena, &user);

    if (r == -ERR_NOENT) {
        r = core_user_begin(call, &user);
    }
    if (r < 0) {
        return r;
    }
    user.is_disabled = false;
    user.totp_secret = STR(""); /* who has lost the password may have lost the authenticator too */
    return core_user_once(call, &user, "user.password");
}

int core_user_create(struct core_call *call)
{
    struct arguments *arguments = &call->arguments;
    struct store_user user = {.name = arguments_text(arguments, "name"),
                              .full_name = arguments_text(arguments, "full_name"),
                              .language = call->account.user.language,
                              .created = clock_wall(call->core->options.clock)};
    struct store_user other;
    int r;

    if (!core_user_is_name(user.name)) {
        return diag_set(&call->diag, -ERR_RANGE,
                        _("a user name is made of a-z, 0-9, dot, dash and underscore"));
    }
    r = store_user_get(call->core->options.store, user.name, call->arena, &other);
    if (r == 0) {
        return diag_set(&call->diag, -ERR_EXIST, _("there is a user of that name already"));
    }
    if (r != -ERR_NOENT) {
        return r;
    }
    (void)role_parse(arguments_text(arguments, "role"), &user.role);
    (void)text_parse_language(arguments_text(arguments, "language"), &user.language);
    return core_user_once(call, &user, "user.create");
}

static int core_user_admins(struct core_call *call, size_t *ret_count)
{
    struct store_user *users;
    size_t count;
    int r = store_user_list(call->core->options.store, call->arena, &users, &count);

    *ret_count = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        *ret_count += users[i].role == ROLE_ADMIN && !users[i].is_disabled ? 1 : 0;
    }
    return r;
}

static void core_user_apply(const struct arguments *arguments, struct store_user *user)
{
    const struct argument_value *full_name = arguments_get(arguments, "full_name");

    if (full_name->is_given) {
        user->full_name = full_name->text;
    }
    (void)role_parse(arguments_text(arguments, "role"), &user->role);
    (void)text_parse_language(arguments_text(arguments, "language"), &user->language);
    user->is_disabled = arguments_flag(arguments, "disabled", user->is_disabled);
    if (arguments_flag(arguments, "reset_totp", false)) {
        user->totp_secret = STR("");
    }
}

static int core_user_write(struct core_call *call, struct store_user *user)
{
    struct store *store = call->core->options.store;
    size_t admins;
    uint64_t number;
    int r = store_user_put(store, user, &number);

    if (r == 0 && user->is_disabled) {
        r = store_session_drop_user(store, user->number);
    }
    if (r == 0) {
        r = core_user_admins(call, &admins);
    }
    if (r == 0 && admins == 0) {
        return diag_set(&call->diag, -ERR_CONFLICT,
                        _("somebody must stay who is an admin and not locked out"));
    }
    if (r == 0) {
        r = core_call_audit(call, "user.change", user->name, "role",
                            str_from(role_name(user->role)), "disabled",
                            user->is_disabled ? STR("yes") : STR("no"), "reason",
                            arguments_text(&call->arguments, "reason"), NULL);
    }
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r;
}

int core_user_change(struct core_call *call)
{
    struct arguments *arguments = &call->arguments;
    struct store_user user;
    int r = store_user_get(call->core->options.store, arguments_text(arguments, "name"),
                           call->arena, &user);

    if (r < 0) {
        return r;
    }
    core_user_apply(arguments, &user);
    r = core_user_write(call, &user);
    if (r < 0 || !arguments_flag(arguments, "reset_password", false)) {
        return r;
    }
    return core_user_once(call, &user, "user.password");
}
