/* Logging in and out. Neighbours: worker.c checks passwords off the loop; limiter.c slows down who
 * guesses. Invariants: whoever the name belongs to, known or not, a wrong try costs the same time
 * and gets the same answer; a code of the authenticator is good once; a failed try is audited too.
 */
#include "centre/core/private.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "centre/totp.h"
#include "codec/cbor.h"
#include "sys/net.h"

static struct str core_login_network(struct core_call *call)
{
    char room[NET_ADDRESS_SIZE];

    return arena_copy(call->arena, net_network_of(call->address, room));
}

/* No user name holds a blank, so that no two pairs are one key. */
static struct str core_login_pair(struct core_call *call, struct str name)
{
    return arena_printf(call->arena, "%.*s %.*s", STR_ARG(core_login_network(call)), STR_ARG(name));
}

static void core_login_forgive(struct core_call *call, struct str name)
{
    limiter_forgive(&call->core->users, name);
    limiter_forgive(&call->core->pairs, core_login_pair(call, name));
    limiter_forgive(&call->core->addresses, core_login_network(call));
}

static int core_login_fail(struct core_call *call, struct str name)
{
    struct core *core = call->core;
    int64_t now = clock_mono(core->options.clock);
    int r = limiter_fail(&core->users, name, now);

    if (r == 0) {
        r = limiter_fail(&core->pairs, core_login_pair(call, name), now);
    }
    if (r == 0) {
        r = limiter_fail(&core->addresses, core_login_network(call), now);
    }
    call->actor = name;
    if (r == 0) {
        r = core_call_audit(call, "login.fail", name, NULL);
    }
    call->is_kept = r == 0;
    return r < 0 ? r
                 : diag_set(&call->diag, -ERR_DENIED,
                            _("user name, password or code is wrong; who has forgotten it gets a "
                              "new one from "
                              "an administrator"));
}

/* What it raises in the user is kept with the session. */
static int core_login_check_code(struct core_call *call, struct store_user *user)
{
    const struct argument_value *code = arguments_get(&call->arguments, "code");

    if (user->totp_secret.len == 0) {
        return 0;
    }
    if (!code->is_given) {
        return diag_set(&call->diag, -ERR_AGAIN, _("the authenticator's code is needed too"));
    }
    return totp_check(user->totp_secret, code->text, clock_wall(call->core->options.clock),
                      &user->totp_step);
}

static int core_session_make(struct core_call *call, struct store_user *user)
{
    struct core *core = call->core;
    int64_t now = clock_wall(core->options.clock);
    uint8_t secret[ACCOUNT_SESSION_BYTES];
    struct store_session session = {.user = user->number,
                                    .created = now,
                                    .used = now,
                                    .expires = now + ACCOUNT_LIFE,
                                    .address = call->address};
    uint64_t number;
    int r = account_session_new(secret);

    if (r == 0) {
        account_session_sha256(str_of((const char *)secret, sizeof(secret)), session.token_sha256);
        r = store_session_put(core->options.store, &session);
    }
    if (r == 0) {
        user->last_login = now;
        r = store_user_put(core->options.store, user, &number);
    }
    if (r == 0) {
        r = core_call_audit(call, "login", user->name, NULL);
    }
    cbor_put_map(&call->reply, 1);
    cbor_put_text(&call->reply, STR("session"));
    cbor_put_bytes(&call->reply, str_of((const char *)secret, sizeof(secret)));
    mem_wipe(secret, sizeof(secret));
    return r;
}

static int core_session_open_then(struct core_call *call, const struct worker_answer *answer)
{
    struct core *core = call->core;
    struct str name = arguments_text(&call->arguments, "user");
    struct store_user user;
    int r = store_user_get(core->options.store, name, call->arena, &user);

    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    if (r == -ERR_NOENT || !answer->is_password || user.is_disabled) {
        return core_login_fail(call, name);
    }
    r = core_login_check_code(call, &user);
    if (r == -ERR_DENIED) {
        return core_login_fail(call, name);
    }
    if (r < 0) {
        return r;
    }
    core_login_forgive(call, name);
    call->actor = user.name;
    return core_session_make(call, &user);
}

/* -ERR_BUSY with the seconds in the reply while who asks must wait. */
static int core_login_wait(struct core_call *call, struct str name)
{
    struct core *core = call->core;
    int64_t now = clock_mono(core->options.clock);
    int64_t waits[] = {limiter_wait(&core->users, name, now),
                       limiter_wait(&core->pairs, core_login_pair(call, name), now),
                       limiter_wait(&core->addresses, core_login_network(call), now)};
    int64_t longest = 0;
    int64_t seconds;

    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        longest = waits[i] > longest ? waits[i] : longest;
    }
    seconds = (longest + NS_PER_S - 1) / NS_PER_S;
    if (seconds == 0) {
        return 0;
    }
    cbor_put_map(&call->reply, 1);
    cbor_put_text(&call->reply, STR("wait"));
    cbor_put_i64(&call->reply, seconds);
    return diag_set(&call->diag, -ERR_BUSY, _("too many wrong tries; wait %lld seconds"),
                    (long long)seconds);
}

int core_session_open(struct core_call *call)
{
    struct str name = arguments_text(&call->arguments, "user");
    struct store_user user = {0};
    int r = core_login_wait(call, name);

    if (r < 0) {
        return r;
    }
    r = store_user_get(call->core->options.store, name, call->arena, &user);
    if (r < 0 && r != -ERR_NOENT) {
        return r;
    }
    return core_call_work(call, arguments_text(&call->arguments, "password"),
                          r == 0 ? user.password : STR(""), STR(""), core_session_open_then);
}

int core_session_close(struct core_call *call)
{
    int r = store_session_drop(call->core->options.store, call->account.session.token_sha256);

    call->changed = CENTRE_CHANGED_SETTINGS;
    return r < 0 ? r : core_call_audit(call, "logout", call->actor, NULL);
}

int core_session_touch(struct core_call *call)
{
    call->account.session.used = clock_wall(call->core->options.clock);
    return store_session_put(call->core->options.store, &call->account.session);
}

static int core_me_put(struct core_call *call, const char *act)
{
    uint64_t number;
    int r = store_user_put(call->core->options.store, &call->account.user, &number);

    return r < 0 ? r : core_call_audit(call, act, call->actor, NULL);
}

/* The password is asked for again where an open session alone must not be enough. */
static int core_me_is_right(struct core_call *call, const struct worker_answer *answer)
{
    int r;

    if (answer->is_password) {
        core_login_forgive(call, call->actor);
        return answer->hash_result;
    }
    r = core_login_fail(call, call->actor);
    return r == -ERR_DENIED ? -ERR_INVAL : r;
}

static int core_me_password_then(struct core_call *call, const struct worker_answer *answer)
{
    struct store_user *user = &call->account.user;
    int r = core_me_is_right(call, answer);

    if (r < 0) {
        return r;
    }
    user->password = arena_copy(call->arena, str_from(answer->encoded));
    if (user->password.ptr == NULL) {
        return -ERR_NOMEM;
    }
    user->must_change_password = false;
    r = core_me_put(call, "me.password");
    if (r == 0) {
        r = store_session_drop_user(call->core->options.store,
                                    user->number); /* whoever else had one */
    }
    if (r == 0) {
        r = store_session_put(call->core->options.store, &call->account.session);
    }
    call->changed = CENTRE_CHANGED_SETTINGS;
    return r;
}

int core_me_password(struct core_call *call)
{
    struct str fresh = arguments_text(&call->arguments, "new");
    int r = core_login_wait(call, call->actor);

    if (r < 0) {
        return r;
    }
    if (str_is(fresh, arguments_text(&call->arguments, "old")) ||
        password_check(fresh, call->actor) < 0) {
        return diag_set(&call->diag, -ERR_RANGE,
                        _("choose another password: not the old one, not one with your name in it, "
                          "not one character again and again"));
    }
    return core_call_work(call, arguments_text(&call->arguments, "old"),
                          call->account.user.password, fresh, core_me_password_then);
}

int core_me_profile(struct core_call *call)
{
    if (!text_parse_language(arguments_text(&call->arguments, "language"),
                             &call->account.user.language)) {
        return -ERR_RANGE;
    }
    return core_me_put(call, "me.profile");
}

/* A fresh secret for an authenticator; nothing is stored before a code proves that it was taken
 * over. */
int core_me_totp_begin(struct core_call *call)
{
    uint8_t random[ACCOUNT_SESSION_BYTES];
    char text[TOTP_BASE32_SIZE];
    int r = account_session_new(random);

    if (r < 0) {
        return r;
    }
    totp_secret_format(random, text);
    cbor_put_map(&call->reply, 2);
    cbor_put_text(&call->reply, STR("secret"));
    cbor_put_text(&call->reply, str_from(text));
    cbor_put_text(&call->reply, STR("uri"));
    cbor_put_text(&call->reply,
                  arena_printf(call->arena,
                               "otpauth://totp/Canh%%20Gac:%.*s?secret=%s&issuer=Canh%%20Gac",
                               STR_ARG(call->actor), text));
    mem_wipe(random, sizeof(random));
    return 0;
}

static int core_me_totp_put_then(struct core_call *call, const struct worker_answer *answer)
{
    struct store_user *user = &call->account.user;
    uint8_t secret[TOTP_SECRET_BYTES];
    uint64_t step = 0;
    int r = core_me_is_right(call, answer);

    if (r == 0) {
        r = totp_secret_parse(arguments_text(&call->arguments, "secret"), secret);
    }
    if (r == 0) {
        r = totp_check(str_of((const char *)secret, sizeof(secret)),
                       arguments_text(&call->arguments, "code"),
                       clock_wall(call->core->options.clock), &step);
        r = r == -ERR_DENIED
                ? diag_set(&call->diag, -ERR_INVAL, _("the authenticator's code is wrong"))
                : r;
    }
    if (r < 0) {
        return r;
    }
    user->totp_secret = arena_copy(call->arena, str_of((const char *)secret, sizeof(secret)));
    user->totp_step = step;
    mem_wipe(secret, sizeof(secret));
    return user->totp_secret.ptr == NULL ? -ERR_NOMEM : core_me_put(call, "me.totp.put");
}

static int core_me_totp_drop_then(struct core_call *call, const struct worker_answer *answer)
{
    int r = core_me_is_right(call, answer);

    if (r < 0) {
        return r;
    }
    call->account.user.totp_secret = STR("");
    return core_me_put(call, "me.totp.drop");
}

static int core_me_confirm(struct core_call *call, core_then_fn *then)
{
    int r = core_login_wait(call, call->actor);

    return r < 0 ? r
                 : core_call_work(call, arguments_text(&call->arguments, "password"),
                                  call->account.user.password, STR(""), then);
}

int core_me_totp_put(struct core_call *call)
{
    return core_me_confirm(call, core_me_totp_put_then);
}

int core_me_totp_drop(struct core_call *call)
{
    return core_me_confirm(call, core_me_totp_drop_then);
}
