/* What admins read: users, tokens, the audit log; settings are in api/setting.c. Each read was told
 * to core first, which keeps it in the audit log. Secrets (password hashes, authenticators' and
 * tokens' secrets) are never written here. */
#include "base/banned.h"
#include "base/err.h"
#include "base/hex.h"
#include "centre/api/private.h"
#include "store/senders.h"

#define AUDIT_PAGE 50

static void api_put_user(struct json_writer *json, const struct store_user *user)
{
    json_open_object(json);
    api_put_person(json, user);
    json_add_bool(json, "disabled", user->is_disabled);
    api_put_time(json, "created", user->created);
    api_put_time(json, "last_login", user->last_login);
    json_close_object(json);
}

int api_user_list(struct api_request *request)
{
    struct store_user *users;
    size_t count;
    int r = store_user_list(request->api->options.store, request->arena, &users, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        api_put_user(&request->json, &users[i]);
    }
    api_close_items(&request->json);
    return 0;
}

static const char *api_token_state(const struct store_token *token, int64_t now)
{
    if (token->used != 0) {
        return "used";
    }
    return now >= token->expires ? "expired" : "open";
}

int api_token_list(struct api_request *request)
{
    struct json_writer *json = &request->json;
    int64_t now = clock_wall(request->api->options.clock);
    struct store_token *tokens;
    size_t count;
    int r = store_token_list(request->api->options.store, request->arena, &tokens, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(json);
    for (size_t i = 0; i < count; i++) {
        json_open_object(json);
        json_add_u64(json, "number", tokens[i].number);
        json_add_text(json, "state", api_token_state(&tokens[i], now));
        json_add_str(json, "note", tokens[i].note);
        json_add_str(json, "created_by", tokens[i].created_by);
        api_put_time(json, "created", tokens[i].created);
        api_put_time(json, "expires", tokens[i].expires);
        api_put_time(json, "used", tokens[i].used);
        api_put_id(json, "used_by", &tokens[i].used_by);
        json_close_object(json);
    }
    api_close_items(json);
    return 0;
}

static void api_put_sender(struct json_writer *json, const struct store_sender_token *token)
{
    json_open_object(json);
    json_add_u64(json, "number", token->number);
    json_add_str(json, "name", token->name);
    json_add_str(json, "created_by", token->created_by);
    api_put_time(json, "created", token->created);
    api_put_time(json, "used", token->used);
    api_put_time(json, "revoked", token->revoked);
    json_close_object(json);
}

int api_sender_list(struct api_request *request)
{
    struct store_sender_token *tokens;
    size_t count;
    int r = store_sender_token_list(request->api->options.store, request->arena, &tokens, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        api_put_sender(&request->json, &tokens[i]);
    }
    api_close_items(&request->json);
    return 0;
}

static void api_put_audit(struct json_writer *json, const struct store_audit *row)
{
    char chain[2 * sizeof(row->chain) + 1];

    hex_encode(row->chain, sizeof(row->chain), chain);
    json_open_object(json);
    json_add_u64(json, "number", row->number);
    api_put_time(json, "time", row->time);
    json_add_str(json, "actor", row->actor);
    json_add_str(json, "act", row->act);
    json_add_str(json, "object", row->object);
    json_add_str(json, "detail", row->detail);
    json_add_text(json, "chain", chain);
    json_close_object(json);
}

int api_audit_list(struct api_request *request)
{
    size_t limit = (size_t)arguments_number(&request->arguments, "limit", AUDIT_PAGE);
    uint64_t before = (uint64_t)arguments_number(&request->arguments, "cursor", 0);
    struct store_audit *rows;
    size_t count;
    int r =
        store_audit_list(request->api->options.store, before, limit, request->arena, &rows, &count);

    if (r < 0) {
        return r;
    }
    api_open_items(&request->json);
    for (size_t i = 0; i < count; i++) {
        api_put_audit(&request->json, &rows[i]);
    }
    api_close_page(&request->json, count == limit ? rows[count - 1].number : 0);
    return 0;
}
