/* People and their sessions. Passwords come hashed, session cookies and enrolment tokens as
 * SHA-256: what lies here opens no door. Core writes on behalf of api. */
#include "store/sqlite/sqlite.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#define USER_COLUMNS                                                                               \
    "SELECT number, name, full_name, role, password, totp_secret, is_disabled,"                    \
    " must_change_password, language, created, last_login, totp_step FROM users "

static int user_read(struct query *query, struct arena *arena, void *ret_row)
{
    struct store_user user = {
        .number = query_u64(query, 0),
        .name = query_text(query, 1, arena),
        .full_name = query_text(query, 2, arena),
        .role = (enum role)query_i64(query, 3),
        .password = query_text(query, 4, arena),
        .totp_secret = query_text(query, 5, arena),
        .is_disabled = query_bool(query, 6),
        .must_change_password = query_bool(query, 7),
        .language = (enum language)query_i64(query, 8),
        .created = query_i64(query, 9),
        .last_login = query_i64(query, 10),
        .totp_step = query_u64(query, 11),
    };

    if (query->error == 0) {
        *(struct store_user *)ret_row = user;
    }
    return query->error;
}

static const char user_insert[] =
    "INSERT INTO users (number, name, full_name, role, password, totp_secret, is_disabled,"
    " must_change_password, language, created, last_login, totp_step)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
static const char user_update[] =
    "UPDATE users SET name = ?2, full_name = ?3, role = ?4, password = ?5, totp_secret = ?6,"
    " is_disabled = ?7, must_change_password = ?8, language = ?9, created = ?10, last_login = ?11,"
    " totp_step = ?12 WHERE number = ?1";

static int user_write(struct store *store, const struct store_user *user)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, user->number == 0 ? user_insert : user_update);
    if (user->number != 0) {
        query_bind_u64(&query, 1, user->number);
    }
    query_bind_text(&query, 2, user->name);
    query_bind_text(&query, 3, user->full_name);
    query_bind_i64(&query, 4, user->role);
    query_bind_text(&query, 5, user->password);
    query_bind_bytes(&query, 6, user->totp_secret.ptr, user->totp_secret.len);
    query_bind_i64(&query, 7, user->is_disabled);
    query_bind_i64(&query, 8, user->must_change_password);
    query_bind_i64(&query, 9, user->language);
    query_bind_i64(&query, 10, user->created);
    query_bind_i64(&query, 11, user->last_login);
    query_bind_u64(&query, 12, user->totp_step);
    return query_run(&query);
}

int store_user_put(struct store *store, const struct store_user *user, uint64_t *ret_number)
{
    sqlite3 *handle = database_handle(store->database);
    int r = store_may_write(store);

    if (r == 0 &&
        (user->name.len == 0 || user->role >= ROLE_COUNT || user->language >= LANGUAGE_COUNT)) {
        return -ERR_INVAL;
    }
    r = r < 0 ? r : user_write(store, user);
    if (r < 0) {
        return r == -ERR_EXIST ? r : store_written(store, r);
    }
    if (user->number != 0 && sqlite3_changes(handle) == 0) {
        return -ERR_NOENT;
    }
    *ret_number = user->number != 0 ? user->number : (uint64_t)sqlite3_last_insert_rowid(handle);
    return 0;
}

int store_user_get(struct store *store, struct str name, struct arena *arena,
                   struct store_user *ret_user)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, USER_COLUMNS "WHERE name = ?1");
    query_bind_text(&query, 1, name);
    r = query_one(&query);
    return r < 0 ? r : user_read(&query, arena, ret_user);
}

int store_user_get_number(struct store *store, uint64_t number, struct arena *arena,
                          struct store_user *ret_user)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, store->database, USER_COLUMNS "WHERE number = ?1");
    query_bind_u64(&query, 1, number);
    r = query_one(&query);
    return r < 0 ? r : user_read(&query, arena, ret_user);
}

int store_user_list(struct store *store, struct arena *arena, struct store_user **ret_users,
                    size_t *ret_count)
{
    static const struct query_rows rows = {sizeof(**ret_users), STORE_PAGE_MAX, user_read};
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, USER_COLUMNS "ORDER BY name LIMIT ?1");
    query_bind_u64(&query, 1, STORE_PAGE_MAX);
    *ret_users = query_list(&query, &rows, arena, ret_count);
    return query.error;
}

/* Sessions that are over are of no use to anybody; each log-in clears them away. */
static int session_drop_expired(struct store *store)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, store->database, "DELETE FROM sessions WHERE expires <= ?1");
    query_bind_i64(&query, 1, clock_wall(store->clock));
    return query_run(&query);
}

int store_session_put(struct store *store, const struct store_session *session)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    r = r < 0 ? r : session_drop_expired(store);
    if (r < 0) {
        return store_written(store, r);
    }
    query_init(&query, store->database,
               "INSERT INTO sessions (token_sha256, user, created, used, expires, address)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
               " ON CONFLICT (token_sha256) DO UPDATE SET used = ?4, expires = ?5, address = ?6");
    query_bind_bytes(&query, 1, session->token_sha256, sizeof(session->token_sha256));
    query_bind_u64(&query, 2, session->user);
    query_bind_i64(&query, 3, session->created);
    query_bind_i64(&query, 4, session->used);
    query_bind_i64(&query, 5, session->expires);
    query_bind_text(&query, 6, session->address);
    return store_written(store, query_run(&query));
}

int store_session_get(struct store *store, const uint8_t token_sha256[32], struct arena *arena,
                      struct store_session *ret_session)
{
    CLEANUP(query_done) struct query query = {0};
    struct store_session session = {0};
    int r;

    query_init(
        &query, store->database,
        "SELECT user, created, used, expires, address FROM sessions WHERE token_sha256 = ?1");
    query_bind_bytes(&query, 1, token_sha256, sizeof(session.token_sha256));
    r = query_one(&query);
    if (r < 0) {
        return r;
    }
    memcpy(session.token_sha256, token_sha256, sizeof(session.token_sha256));
    session.user = query_u64(&query, 0);
    session.created = query_i64(&query, 1);
    session.used = query_i64(&query, 2);
    session.expires = query_i64(&query, 3);
    session.address = query_text(&query, 4, arena);
    if (query.error < 0) {
        return query.error;
    }
    if (session.expires <= clock_wall(store->clock)) {
        return -ERR_EXPIRED;
    }
    *ret_session = session;
    return 0;
}

int store_session_drop(struct store *store, const uint8_t token_sha256[32])
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "DELETE FROM sessions WHERE token_sha256 = ?1");
    query_bind_bytes(&query, 1, token_sha256, 32);
    return store_written(store, query_run(&query));
}

int store_session_drop_user(struct store *store, uint64_t user)
{
    CLEANUP(query_done) struct query query = {0};
    int r = store_may_write(store);

    if (r < 0) {
        return r;
    }
    query_init(&query, store->database, "DELETE FROM sessions WHERE user = ?1");
    query_bind_u64(&query, 1, user);
    return store_written(store, query_run(&query));
}
