/* Addresses as people write them, and by what they are told apart. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "sys/net.h"

#include <string.h>

static void test_network_of_an_address(void **state)
{
    static const struct {
        const char *address;
        const char *network;
    } rows[] = {{"192.0.2.7", "192.0.2.7"},
                {"2001:db8:1:2:a:b:c:d", "2001:0db8:0001:0002::"},
                {"2001:db8:1::b:d", "2001:0db8:0001:0000::"}, /* zeroes are written short */
                {"2001:db8:1:0:a::d", "2001:0db8:0001:0000::"},
                {"::1", "0000:0000:0000:0000::"},
                {"fe80::1%eth0", "fe80:0000:0000:0000::"},
                {"?", "?"},
                {"", ""}};
    char room[NET_ADDRESS_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_str(net_network_of(str_from(rows[i].address), room), rows[i].network);
    }
}

static void test_lists_of_servers(void **state)
{
    static const char *const good[] = {"192.0.2.53",
                                       "192.0.2.53:5353",
                                       "2001:db8::53",
                                       "[2001:db8::53]",
                                       "[2001:db8::53]:5353",
                                       "fe80::1%eth0",
                                       "192.0.2.53, 198.51.100.53:53,[::1]:53",
                                       "1.1.1.1,2.2.2.2"};
    static const char *const bad[] = {"",
                                      "1.2.3.4.5",
                                      "1.2.3",
                                      "1.2.3.4:",
                                      "1.2.3.4:0",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:53x",
                                      "1.2.3.256",
                                      "dns.example",
                                      "[::1",
                                      "[::1]53",
                                      "[1.2.3.4.5]",
                                      "::1%",
                                      "1.2.3.4%eth0",
                                      "1.1.1.1,",
                                      "1.1.1.1,,2.2.2.2",
                                      "1.1.1.1 2.2.2.2",
                                      ":53"};
    struct diag diag = {{0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (net_check_servers(str_from(good[i]), &diag) != 0) {
            fail_msg("'%s' was refused: %s", good[i], diag.text);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (net_check_servers(str_from(bad[i]), &diag) != -ERR_SYNTAX) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    diag = (struct diag){{0}};
    assert_int_equal(net_check_servers(STR("1.1.1.1, 1.2.3.4.5"), &diag), -ERR_SYNTAX);
    assert_non_null(strstr(diag.text, "'1.2.3.4.5'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_of_an_address),
        cmocka_unit_test(test_lists_of_servers),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
