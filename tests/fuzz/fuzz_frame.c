/* What an agent, or somebody who pretends to be one, sends: both machines take it in pieces of any
 * size, end in a refusal or in items whose sequences grow, and never read past what they were fed.
 */
#include "fuzz.h"

#include "link/client.h"
#include "link/server.h"

/* The first byte says how long the pieces are. */
static void feed_server(struct str bytes, size_t piece, bool is_enrolment)
{
    struct link_server *server;
    uint64_t highest = 0;
    int r = link_server_new(is_enrolment, &server);

    while (r == 0 && bytes.len != 0) {
        size_t len = piece < bytes.len ? piece : bytes.len;
        struct link_item item;

        len = len < link_server_room(server) ? len : link_server_room(server);
        if (len == 0) {
            break;
        }
        r = link_server_feed(server, str_slice(bytes, 0, len));
        bytes = str_slice(bytes, len, bytes.len);
        while (r >= 0 && (r = link_server_next(server, &item)) == 1) {
            if (item.kind == LINK_ITEM_RECORD) {
                fuzz_check(item.sequence > highest);
                highest = item.sequence;
            }
        }
        link_server_sent(server, link_server_output(server).len);
    }
    link_server_free(server);
}

static void feed_client(struct str bytes, size_t piece)
{
    struct link_client *client;
    int r = link_client_new(&client);

    while (r == 0 && bytes.len != 0) {
        size_t len = piece < bytes.len ? piece : bytes.len;
        struct link_answer answer;

        r = link_client_feed(client, str_slice(bytes, 0, len));
        bytes = str_slice(bytes, len, bytes.len);
        while (r >= 0 && (r = link_client_next(client, &answer)) == 1) {
            fuzz_check(answer.kind != LINK_ANSWER_BYE || link_bye_sentence(answer.bye) != NULL);
        }
        link_client_sent(client, link_client_output(client).len);
    }
    link_client_free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = fuzz_input(data, size);
    size_t piece;

    if (bytes.len == 0) {
        return 0;
    }
    piece = 1 + (size_t)(unsigned char)bytes.ptr[0] * 8;
    bytes = str_slice(bytes, 1, bytes.len);
    feed_server(bytes, piece, false);
    feed_server(bytes, piece, true);
    feed_client(bytes, piece);
    return 0;
}
