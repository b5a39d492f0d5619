/* Who is forgotten when more groups were stopped than the list holds. */
#include "harness.h"

#include "agent/supervisor/private.h"
#include "base/mem.h"
#include "sys/process.h"

#include <string.h>
#include <unistd.h>

static struct id id_of(uint32_t number)
{
    struct id id = {{1}};

    memcpy(&id.bytes[1], &number, sizeof(number));
    return id;
}

/* Of one process, which runs (this one) or has ended. */
static struct held *add(struct supervisor *supervisor, uint32_t number, bool is_running)
{
    struct id id = id_of(number);
    struct held *held = supervisor_held(supervisor, &id, true);
    struct process_info info;

    assert_int_equal(process_read_stat(getpid(), &info), 0);
    if (held != NULL) {
        held->group.members[0] =
            (struct freeze_member){getpid(), is_running ? info.start : info.start - 1};
        held->group.count = 1;
    }
    return held;
}

static struct supervisor *full_list(bool is_running)
{
    struct supervisor *supervisor = mem_alloc(1, sizeof(*supervisor));

    assert_non_null(supervisor);
    outbox_init(&supervisor->outlet, -1, 1U << 16, NULL);
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        assert_non_null(add(supervisor, i, is_running));
    }
    return supervisor;
}

static void list_free(struct supervisor *supervisor)
{
    outbox_done(&supervisor->outlet);
    mem_free(supervisor);
}

static struct held *find(struct supervisor *supervisor, uint32_t number)
{
    struct id id = id_of(number);

    return supervisor_held(supervisor, &id, false);
}

static void test_stopped_stay(void **state)
{
    struct supervisor *supervisor = full_list(true);

    (void)state;
    assert_null(add(supervisor, HELD_MAX, true));
    assert_null(add(supervisor, HELD_MAX + 1, true));
    assert_int_equal(supervisor->held_refused, 2);
    assert_int_equal(outbox_dropped(&supervisor->outlet), 1); /* told, to nobody here */
    for (uint32_t i = 0; i < HELD_MAX; i++) {
        assert_non_null(find(supervisor, i));
    }
    list_free(supervisor);
}

static void test_resumed_goes(void **state)
{
    struct supervisor *supervisor = full_list(true);

    (void)state;
    find(supervisor, 7)->state = HELD_STATE_RESUMED;
    find(supervisor, 9)->state = HELD_STATE_RESUMED;
    find(supervisor, 7)->is_busy = true;
    assert_non_null(add(supervisor, HELD_MAX, true));
    assert_null(find(supervisor, 9));
    assert_non_null(find(supervisor, 7));
    assert_null(add(supervisor, HELD_MAX + 1, true));
    list_free(supervisor);
}

static void test_ended_goes(void **state)
{
    struct supervisor *supervisor = full_list(false);

    (void)state;
    find(supervisor, 0)->is_wanted = true; /* its files are yet to be restored */
    find(supervisor, 1)->retry_at = 1;
    assert_non_null(add(supervisor, HELD_MAX, true));
    assert_non_null(find(supervisor, 0));
    assert_non_null(find(supervisor, 1));
    assert_null(find(supervisor, 2));
    assert_int_equal(supervisor->held_refused, 0);
    list_free(supervisor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_stay),
        cmocka_unit_test(test_resumed_goes),
        cmocka_unit_test(test_ended_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
