/* A person's word about a stopped group, where no centre gives it. On its way: here → a socket →
 * agent/control.c → the table of actions. */
#include "cli/agent_decide.h"

#include "agent/control.h"
#include "agent/protocol.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "model/action.h"
#include "sys/channel.h"

#include <stddef.h>

#define DECIDE_VALID_NS (60 * NS_PER_S)

const struct setting agent_decide_rows[] = {
    {"vault", 0, SETTING_PATH, "/var/lib/canhgac/vault", NULL, NULL,
     offsetof(struct agent_decide_settings, vault), N_("DIR"), N_("folder of the vault")},
    {},
};

static int decide_put(const struct action_request *request, struct msg_writer *msg)
{
    struct buf buf;
    int r;

    buf_init(&buf, MSG_SIZE_MAX / 2);
    action_request_encode(request, &buf);
    msg_begin(msg, AGENT_MESSAGE_ACTION);
    msg_put_str(msg, buf_str(&buf));
    r = buf_error(&buf);
    buf_done(&buf);
    return r;
}

static int decide_print(struct channel_packet *packet)
{
    struct action_answer answer;
    struct cbor_reader reader;
    int r;

    (void)msg_get_u64(&packet->msg); /* by which the link knows it again */
    cbor_open(&reader, msg_get_str(&packet->msg));
    r = packet->msg.error == 0 ? action_answer_decode(&reader, &answer) : -ERR_PROTO;
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("the agent's answer cannot be read: %s"),
                            err_text(r));
    }
    if (answer.result < 0) {
        return command_fail(EXIT_STATUS_FAILED, _("not done: %.*s (%s)"), STR_ARG(answer.detail),
                            err_text(answer.result));
    }
    printf("%.*s\n", STR_ARG(answer.detail));
    return EXIT_STATUS_CLEAN;
}

static int decide_ask(const char *vault, const struct action_request *request)
{
    CLEANUP(mem_freep) struct msg_writer *msg = mem_alloc(1, sizeof(*msg));
    CLEANUP(mem_freep) struct channel_packet *packet = mem_alloc(1, sizeof(*packet));
    int r = msg != NULL && packet != NULL ? decide_put(request, msg) : -ERR_NOMEM;

    r = r < 0 ? r : control_ask(vault, msg, packet);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED,
                            _("no agent can be reached at %s: %s; name its vault with --vault, and "
                              "see that it runs with --standalone"),
                            vault, err_text(r));
    }
    r = decide_print(packet);
    channel_packet_done(packet);
    return r;
}

int agent_decide_run(const struct command_call *call)
{
    const struct agent_decide_settings *settings = call->settings;
    struct action_request request = {.asked = clock_wall(&clock_real), .actor = STR("root")};
    int r;

    if (call->operands.count != 2) {
        return command_fail(
            EXIT_STATUS_USAGE,
            _("name a finding, as 'canhgac vault case' lists them, and one of resume, "
              "kill, restore, undo-restore"));
    }
    if (id_parse(str_from(call->operands.items[0]), &request.finding) < 0) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' is no finding's number; canhgac vault case lists them"),
                            call->operands.items[0]);
    }
    if (!action_parse(str_from(call->operands.items[1]), &request.action) ||
        request.action == ACTION_STATUS) {
        return command_fail(EXIT_STATUS_USAGE,
                            _("'%s' is none of resume, kill, restore, undo-restore"),
                            call->operands.items[1]);
    }
    if (geteuid() != 0) {
        return command_fail(EXIT_STATUS_FAILED, _("only root may decide"));
    }
    r = id_new(&request.id);
    if (r < 0) {
        return command_fail(EXIT_STATUS_FAILED, "%s", err_text(r));
    }
    request.expires = request.asked + DECIDE_VALID_NS;
    return decide_ask(settings->vault, &request);
}
