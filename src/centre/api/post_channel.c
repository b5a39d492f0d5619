/* Between the api and the receiver: pieces of posts go, what became of them comes back. While the
 * channel is full, connections wait; a receiver that died has forgotten what was under way, and
 * whoever posted is asked to do it again. */
#include "centre/api/post.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"

#include <sys/socket.h>

#define RECEIVER_MESSAGES 64 /* taken in one go */

static void post_listen(struct api *api, bool is_full)
{
    struct loop_source *source = api->channel_sources[3];

    if (source == NULL || api->is_receiver_full == is_full) {
        return;
    }
    api->is_receiver_full = is_full;
    if (loop_source_set_events(source, LOOP_READ | (is_full ? LOOP_WRITE : 0U)) < 0) {
        log_error("the receiver's channel could not be watched");
    }
}

static int post_say(struct api *api, const struct api_word *word)
{
    static struct msg_writer msg;

    msg_begin(&msg, (uint16_t)word->type);
    msg_put_u64(&msg, word->number);
    msg_put_u64(&msg, word->kept);
    return channel_send(api->options.channels.receiver, &msg, NULL, 0);
}

/* What was not said yet, before any piece: one may be of a post that it speaks of. -ERR_AGAIN: not
 * all of it now. */
static int posts_say(struct api *api)
{
    static const struct api_word left_all = {.type = RECEIVER_MESSAGE_LEFT};
    struct api_words *words = &api->words;
    int r = words->is_begin_due ? post_say(api, &left_all) : 0;

    words->is_begin_due = words->is_begin_due && r < 0;
    while (r == 0 && words->said < words->count) {
        r = post_say(api, &words->of[words->said % API_WORDS_MAX]);
        words->said += r == 0;
    }
    if (r == -ERR_AGAIN) {
        post_listen(api, true);
    }
    return r;
}

static void post_add_word(struct api *api, enum receiver_message type, uint64_t number,
                          uint64_t kept)
{
    struct api_words *words = &api->words;

    words->of[words->count++ % API_WORDS_MAX] =
        (struct api_word){.type = type, .number = number, .kept = kept};
    (void)posts_say(api); /* the rest when there is room */
}

int api_post_send(struct api_post *post, struct str bytes, bool is_last)
{
    static struct msg_writer msg;
    struct api *api = post->request->api;
    uint32_t marks = (post->is_begun ? 0U : RECEIVER_PIECE_FIRST) |
                     (is_last ? RECEIVER_PIECE_LAST : 0U) |
                     (post->is_packed ? RECEIVER_PIECE_PACKED : 0U) |
                     (post->is_keyed ? RECEIVER_PIECE_KEYED : 0U);
    int r = posts_say(api);

    if (r < 0) {
        return r;
    }
    msg_begin(&msg, RECEIVER_MESSAGE_PIECE);
    msg_put_u64(&msg, post->number);
    msg_put_str(&msg, post->token);
    msg_put_str(&msg, post->poster);
    msg_put_u32(&msg, (uint32_t)post->form);
    msg_put_str(&msg, str_slice(post->host, 0, STORE_NAME_MAX));
    msg_put_u32(&msg, marks);
    msg_put_str(&msg, bytes);
    r = msg_end(&msg);
    if (r == 0) {
        r = channel_send(api->options.channels.receiver, &msg, NULL, 0);
    }
    if (r == 0) {
        post->is_begun = true;
    } else if (r == -ERR_AGAIN) {
        post_listen(api, true);
    }
    return r;
}

/* Nobody waits for that one, here. */
static void post_disown(struct api *api, uint64_t number)
{
    post_add_word(api, RECEIVER_MESSAGE_LEFT, number, 0);
}

void api_posts_begin(struct api *api)
{
    if (api->options.channels.receiver >= 0) {
        api->words.is_begin_due = true;
        (void)posts_say(api);
    }
}

void api_post_tell(struct api_post *post, bool has_answer)
{
    if (post->is_told_due) {
        post->is_told_due = false;
        post_add_word(post->request->api,
                      has_answer && !post->is_gone ? RECEIVER_MESSAGE_TOLD : RECEIVER_MESSAGE_LEFT,
                      post->number, post->kept);
    }
}

void api_post_leave(struct api_post *post)
{
    if (post->is_begun) {
        post->is_begun = false;
        post_disown(post->request->api, post->number);
    }
}

void api_post_suspend(struct api_post *post)
{
    if (!post->is_suspended) {
        post->is_suspended = true;
        MHD_suspend_connection(post->request->connection);
    }
}

void api_post_resume(struct api_post *post)
{
    if (post->is_suspended) {
        post->is_suspended = false;
        MHD_resume_connection(post->request->connection);
    }
}

static struct api_post *post_find(struct api *api, uint64_t number)
{
    LIST_EACH (node, &api->posts) {
        struct api_post *post = LIST_ENTRY(node, struct api_post, node);

        if (post->number == number) {
            return post;
        }
    }
    return NULL;
}

/* Whoever posted closed the connection, or shut it for writing: which of the two, only his machine
 * knows. What is written to it now goes nowhere, though front takes it. */
static bool post_is_gone(const struct api_post *post)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(post->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;

    return info == NULL ||
           recv(info->connect_fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void post_take_answer(struct api *api, struct msg_reader *msg)
{
    uint64_t number = msg_get_u64(msg);
    struct api_post *post = post_find(api, number);
    int64_t result = msg_get_i64(msg);
    uint64_t kept = msg_get_u64(msg);
    uint32_t taken = msg_get_u32(msg);
    uint32_t count = msg_get_u32(msg);
    struct post_refusal *refusals;

    if (post == NULL) {
        post_disown(api, number);
        return;
    }
    if (post->stage == API_POST_DONE || result > 0 || result < INT32_MIN || count > MSG_SIZE_MAX) {
        return;
    }
    refusals = arena_alloc(post->request->arena, count + 1, sizeof(*refusals));
    for (uint32_t i = 0; refusals != NULL && i < count; i++) {
        refusals[i].number = msg_get_u32(msg);
        refusals[i].fault = msg_get_u32(msg);
    }
    if (refusals == NULL || msg_close(msg) < 0) {
        api_post_finish(post, -ERR_PROTO);
        return;
    }
    post->kept = kept;
    post->taken = taken;
    post->refused = count;
    post->refusals = refusals;
    if (post->stage == API_POST_WAITING) {
        post->is_begun = false;
        post->is_told_due = result == 0; /* another is posted again, and it knows */
        post->is_gone = post_is_gone(post);
    }
    if (result == 0 && post->is_gone) { /* it will be taken for one that comes again: should he
                                           still read, he must not hear that it is done */
        result = -ERR_FULL;
        post->detail = N_("keep the connection open for writing until the answer is there, "
                          "and send it again");
    }
    api_post_finish(post, (int)result);
}

/* The receiver has just started: it knows of no post, and of those that heard only what the one
 * before it handed on. Pieces that were on their way it takes, and is told that they are left. */
static void posts_lose(struct api *api)
{
    struct api_words *words = &api->words;

    LIST_EACH (node, &api->posts) {
        struct api_post *post = LIST_ENTRY(node, struct api_post, node);

        if (post->is_begun) {
            post->is_begun = false;
            api_post_finish(post, -ERR_FULL);
        }
    }
    words->is_begin_due = true;
    words->said = words->count > API_WORDS_MAX ? words->count - API_WORDS_MAX : 0;
    (void)posts_say(api);
}

static void posts_resume(struct api *api)
{
    post_listen(api, false);
    if (posts_say(api) < 0) {
        return;
    }
    LIST_EACH (node, &api->posts) {
        struct api_post *post = LIST_ENTRY(node, struct api_post, node);

        if (post->stage == API_POST_COMING) {
            api_post_resume(post);
        }
    }
}

void api_on_receiver(void *context, int fd, unsigned events)
{
    static struct channel_packet packet;
    struct api *api = context;

    for (int i = 0; i < RECEIVER_MESSAGES && channel_receive(fd, &packet) == 0; i++) {
        if (packet.msg.type == RECEIVER_MESSAGE_POSTED) {
            post_take_answer(api, &packet.msg);
        } else if (packet.msg.type == RECEIVER_MESSAGE_HELLO) {
            posts_lose(api);
        }
        channel_packet_done(&packet);
    }
    if ((events & LOOP_WRITE) != 0) {
        posts_resume(api);
    }
    api_serve(api);
}

void api_posts_watch(struct api *api)
{
    int64_t now = clock_mono(api->options.clock);

    LIST_EACH (node, &api->posts) {
        struct api_post *post = LIST_ENTRY(node, struct api_post, node);

        if (post->is_suspended && now > post->until) {
            api_post_leave(post);
            api_post_finish(post, -ERR_TIMEDOUT);
        }
    }
}

void api_posts_done(struct api *api)
{
    LIST_EACH (node, &api->posts) {
        api_post_resume(LIST_ENTRY(node, struct api_post, node));
    }
}
