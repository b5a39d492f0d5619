/* Requests from a centre and answers from an agent: what is decoded keeps the contract and has one
 * meaning. */
#include "fuzz.h"

#include "model/action.h"

static void try_request(struct str bytes, struct buf *out)
{
    struct action_request request;
    struct action_request again;
    struct cbor_reader reader;

    cbor_open(&reader, bytes);
    if (action_request_decode(&reader, &request) < 0) {
        return;
    }
    fuzz_check(request.action < ACTION_COUNT && request.actor.len != 0);
    fuzz_check(request.expires >= request.asked);
    action_request_encode(&request, out);
    cbor_open(&reader, buf_str(out));
    fuzz_check(action_request_decode(&reader, &again) == 0 && cbor_close(&reader) == 0);
    fuzz_check(again.action == request.action && id_is(&again.id, &request.id));
    fuzz_check(str_is(again.actor, request.actor) && str_is(again.reason, request.reason));
}

static void try_answer(struct str bytes, struct buf *out)
{
    struct action_answer answer;
    struct action_answer again;
    struct cbor_reader reader;

    cbor_open(&reader, bytes);
    if (action_answer_decode(&reader, &answer) < 0) {
        return;
    }
    fuzz_check(answer.result <= 0);
    action_answer_encode(&answer, out);
    cbor_open(&reader, buf_str(out));
    fuzz_check(action_answer_decode(&reader, &again) == 0 && cbor_close(&reader) == 0);
    fuzz_check(again.result == answer.result && str_is(again.detail, answer.detail));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;

    buf_init(&out, 1 << 22);
    try_request(fuzz_input(data, size), &out);
    buf_reset(&out);
    try_answer(fuzz_input(data, size), &out);
    buf_done(&out);
    return 0;
}
