/* What a hunt's reader says to whoever started it: packets of any bytes, a length before each. The
 * first byte says whether a reader before it had printed something. The relay ends with the
 * channel, whatever came. */
#include "fuzz.h"

#include "cli/hunt/relay.h"
#include "sys/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKETS_MAX 64
#define NOBODY      INT32_MAX /* no process has that number: the relay may end it */

int LLVMFuzzerInitialize(int *count, char ***arguments);

/* libFuzzer's own words apart, nothing is to be printed. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static char flag[] = "-close_fd_mask=3";
    char **more = calloc((size_t)*count + 2, sizeof(*more));

    fuzz_check(more != NULL);
    memcpy((void *)more, (void *)*arguments, (size_t)*count * sizeof(*more));
    more[(*count)++] = flag;
    *arguments = more;
    return 0;
}

static void send_packets(int channel, const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < PACKETS_MAX && size >= 2; i++) {
        size_t len = data[0] | (size_t)data[1] << 8;

        len = len < size - 2 ? len : size - 2;
        if (len != 0 && send(channel, data + 2, len, MSG_NOSIGNAL) < 0) { /* none is the end */
            fuzz_check(errno == EPIPE || errno == ECONNRESET); /* it ends at what is no message */
            return;
        }
        data += 2 + len;
        size -= 2 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relay relay = {0};
    int ends[2];

    if (size < 3) {
        return 0;
    }
    if ((data[0] & 1) != 0) {
        relay.mark = (struct relay_mark){.file = 1, .record = data[0], .name = data[1]};
        relay.offset = data[2];
        relay.is_left_out = (data[0] & 2) != 0;
    }
    fuzz_check(channel_pair(ends) == 0);
    fuzz_check(relay_start(&relay, ends[0], NOBODY, NULL, 0) == 0);
    send_packets(ends[1], data + 3, size - 3);
    fuzz_check(close(ends[1]) == 0);
    relay_join(&relay);
    fuzz_check(relay.channel == -1 && relay.error <= 0 && !relay.is_hung);
    return 0;
}
