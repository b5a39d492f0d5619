/* The table of refusals. Neighbours: api/reply.c sends them, openapi.c lists them. Pure. */
#include "centre/problem.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "codec/json.h"

static const struct problem_row {
    unsigned status;
    const char *code;
    const char *title;
    const char *remedy;
} problem_rows[PROBLEM_COUNT] = {
#define PROBLEM(constant, status, code, title, remedy)                                             \
    [PROBLEM_##constant] = {status, code, title, remedy},
#include "centre/problem.def"
#undef PROBLEM
};

static const struct {
    int error;
    enum problem problem;
} problem_errors[] = {
    {ERR_SYNTAX, PROBLEM_BAD_REQUEST},
    {ERR_DUPLICATE, PROBLEM_BAD_REQUEST},
    {ERR_RANGE, PROBLEM_NOT_VALID},
    {ERR_INVAL, PROBLEM_NOT_VALID},
    {ERR_DENIED, PROBLEM_LOG_IN},
    {ERR_ACCES, PROBLEM_ROLE},
    {ERR_EXPIRED, PROBLEM_PASSWORD_FIRST},
    {ERR_NOENT, PROBLEM_NOT_FOUND},
    {ERR_EXIST, PROBLEM_CONFLICT},
    {ERR_CONFLICT, PROBLEM_CONFLICT},
    {ERR_REVOKED, PROBLEM_CONFLICT},
    {ERR_FBIG, PROBLEM_TOO_LARGE},
    {ERR_BUSY, PROBLEM_BUSY},
    {ERR_AGAIN, PROBLEM_CODE_NEEDED},
    {ERR_LIMIT, PROBLEM_BUSY},
    {ERR_TIMEDOUT, PROBLEM_TIMEOUT},
    {ERR_NOSPC, PROBLEM_DISK},
};

unsigned problem_status(enum problem problem)
{
    return problem_rows[problem].status;
}

const char *problem_code(enum problem problem)
{
    return problem_rows[problem].code;
}

enum problem problem_of(int error)
{
    for (size_t i = 0; i < sizeof(problem_errors) / sizeof(problem_errors[0]); i++) {
        if (problem_errors[i].error == -error) {
            return problem_errors[i].problem;
        }
    }
    return PROBLEM_INTERNAL;
}

void problem_write(enum problem problem, const struct problem_words *words, struct buf *buf)
{
    const struct problem_row *row = &problem_rows[problem];
    bool has_detail = words->detail != NULL && words->detail[0] != '\0';
    struct json_writer json;
    char type[64];

    (void)snprintf(type, sizeof(type), "urn:canhgac:problem:%s", row->code);
    json_begin(&json, buf);
    json_open_object(&json);
    json_add_text(&json, "type", type);
    json_add_text(&json, "title", text_get(row->title));
    json_add_u64(&json, "status", row->status);
    json_add_text(&json, "code", row->code);
    json_add_text(&json, "detail", has_detail ? words->detail : text_get(row->remedy));
    if (words->field.len != 0) {
        json_add_str(&json, "field", words->field);
    }
    json_add_str(&json, "instance", words->instance);
    json_close_object(&json);
}
