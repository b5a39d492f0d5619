/* One connection a question, to the supervisor's socket in the centre's folder. */
#include "cli/centre_ask.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/protocol.h"
#include "centre/settings.h"
#include "sys/fd.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CENTRE_ASK_TIME_MS 10000

static int centre_connect(const char *folder, struct diag *diag)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, CENTRE_CONTROL);

    if (fd < 0) {
        return -errno;
    }
    if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
        return -ERR_NAMETOOLONG;
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int r = -errno;

        if (r == -ERR_ACCES || r == -ERR_PERM) {
            return diag_set(diag, r, _("only root may ask the centre in %s"), folder);
        }
        return diag_set(
            diag, r,
            _("no centre is running for the folder %s; start it with 'canhgac centre' or "
              "'systemctl start canhgac-centre'"),
            folder);
    }
    return TAKE_FD(fd);
}

static int centre_read_reply(struct centre_question *question, struct diag *diag)
{
    struct msg_reader *msg = &question->reply.msg;
    struct str sentence;
    int64_t result;

    (void)msg_get_u64(msg);
    result = msg_get_i64(msg);
    sentence = msg_get_str(msg);
    question->answer = msg_get_str(msg);
    if (msg->type != CENTRE_MESSAGE_REPLY || msg_close(msg) < 0 || result < INT32_MIN ||
        result > 0) {
        return -ERR_PROTO;
    }
    if (result < 0 && sentence.len != 0) {
        return diag_set(diag, (int)result, "%.*s", STR_ARG(sentence));
    }
    return (int)result;
}

int centre_ask(struct centre_question *question, struct diag *diag)
{
    static struct msg_writer msg;
    CLEANUP(closep) int fd = -1;
    int r = buf_error(&question->body);

    if (r < 0) {
        return r;
    }
    fd = centre_connect(question->folder, diag);
    if (fd < 0) {
        return fd;
    }
    msg_begin(&msg, CENTRE_MESSAGE_REQUEST);
    msg_put_u64(&msg, 1);
    msg_put_str(&msg, STR(""));
    msg_put_str(&msg, str_from(question->verb));
    msg_put_str(&msg, buf_str(&question->body));
    msg_put_u32(&msg, text_language());
    r = channel_send(fd, &msg, NULL, 0);
    if (r == 0) {
        r = channel_receive_within(fd, CENTRE_ASK_TIME_MS, &question->reply);
    }
    if (r < 0) {
        return diag_set(diag, r, _("the centre did not answer: %s; look into its log"),
                        err_text(r));
    }
    r = centre_read_reply(question, diag);
    channel_packet_done(&question->reply);
    return r;
}
