/* Posts of logs, shared by api/post*.c only: post.c takes a request in, post_channel.c speaks with
 * the receiver, post_answer.c words the answer as each kind of shipper wants it. */
#ifndef CENTRE_API_POST_H
#define CENTRE_API_POST_H

#include "centre/api/private.h"
#include "centre/receiver.h"
#include "centre/sender_token.h"

#define POST_BODY_MAX (16U << 20)

/* What kind of answer is wanted. */
enum api_post_kind {
    API_POST_EVENTS,
    API_POST_BULK,
    API_POST_COLLECTOR,
    API_POST_HELLO, /* Elasticsearch's "/" and "/_license" */
};

#define API_POST_LICENCE "/_license"

enum api_post_stage {
    API_POST_COMING,  /* pieces go on as they come */
    API_POST_WAITING, /* all is with the receiver */
    API_POST_DONE,    /* result says how it went; what still comes is passed over */
};

/* The answer to a _bulk, of which a piece is at hand. */
struct bulk_answer {
    struct buf piece;
    size_t sent; /* bytes of it */
    struct json_writer json;
    uint64_t number;  /* of the next item, from 1 */
    uint32_t refused; /* items before it */
    bool is_over;     /* the end is in the piece */
};

/* One post. */
struct api_post {
    struct list node;
    struct api_request *request;
    uint64_t number;
    uint64_t kept; /* by which core keeps it until it is told; 0: it does not */
    enum api_post_kind kind;
    enum api_post_stage stage;
    enum receiver_form form;
    bool is_packed;
    bool is_begun;     /* the receiver has its first piece */
    bool is_suspended; /* the connection is */
    bool is_told_due;  /* the receiver is to hear whether the answer arrived */
    bool is_gone;      /* whoever posted it had left before it was answered */
    bool is_keyed;     /* the same gave it a key */
    bool has_token;
    struct str token; /* its name */
    struct str host;
    struct str poster; /* what tells it from others that say the same: an address, or a key */
    size_t came;       /* bytes */
    int64_t begun;     /* monotonic */
    int64_t until;     /* the same: when who waits has waited enough */

    int result; /* when done */
    const char *detail;
    unsigned retry_after; /* s */
    uint32_t taken;
    uint32_t refused;
    struct post_refusal *refusals; /* numbers rise; in the request's arena */
    struct bulk_answer bulk;
};

/* post.c: it is done; a connection that waits is woken. */
void api_post_finish(struct api_post *post, int result);

/* post_channel.c */
/* Hands a piece on. -ERR_AGAIN: not now; the connection is to wait. */
[[nodiscard]] int api_post_send(struct api_post *post, struct str bytes, bool is_last);
/* Nobody waits any more. */
void api_post_leave(struct api_post *post);
/* The request is over; has_answer: whoever posted it has what was answered. */
void api_post_tell(struct api_post *post, bool has_answer);
/* Suspends the connection until something is told of the post, or there is room. */
void api_post_suspend(struct api_post *post);
void api_post_resume(struct api_post *post);

/* post_answer.c */
enum MHD_Result api_post_answer(struct api_post *post);

#endif
