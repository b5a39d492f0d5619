/* What a hunt's reader says that no reader would: it is ended, because nobody follows it any more,
 * and what it had said whole is printed. */
#include "harness.h"

#include "base/time.h"
#include "cli/hunt/relay.h"
#include "sys/channel.h"
#include "sys/fd.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE (60 * NS_PER_S)
#define GIVE_UP  20 /* seconds after which a reader that nobody ends does so itself */

/* A packet that is no message, one without its text, and one of a kind that nobody knows. */
enum saying {
    SAYING_BYTES,
    SAYING_SHORT,
    SAYING_KIND,
    SAYING_COUNT,
};

static void say_badly(int channel, enum saying saying)
{
    static struct msg_writer msg;

    msg_begin(&msg, saying == SAYING_KIND ? RELAY_KIND_NOTE + 1 : RELAY_KIND_ERR);
    for (unsigned i = 0; i < 4; i++) {
        msg_put_u64(&msg, 0);
    }
    if (saying == SAYING_KIND) {
        msg_put_str(&msg, STR("not to be printed"));
    }
    if (saying == SAYING_BYTES) {
        (void)send(channel, "x", 1, MSG_NOSIGNAL);
    } else {
        (void)!channel_send(channel, &msg, NULL, 0);
    }
}

/* As a reader whose memory is no longer its own: it goes on for ever behind that. */
static pid_t start_reader(int channel, enum saying saying)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(GIVE_UP);
        relay_use(channel);
        (void)!relay_say(RELAY_KIND_ERR, STR("whole\n"));
        say_badly(channel, saying);
        while (true) {
            (void)pause();
        }
    }
    return pid;
}

static void test_ended(void **state)
{
    (void)state;
    for (unsigned saying = 0; saying < SAYING_COUNT; saying++) {
        struct relay relay = {0};
        int ends[2];
        int status = 0;
        pid_t pid;

        assert_int_equal(channel_pair(ends), 0);
        pid = start_reader(ends[1], (enum saying)saying);
        closep(&ends[1]);
        assert_int_equal(relay_start(&relay, ends[0], pid, NULL, PATIENCE), 0);
        relay_join(&relay);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(relay.offset, strlen("whole\n"));
        assert_int_equal(relay.error, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
