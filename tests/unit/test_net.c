/* Addresses as people write them, and by what they are told apart. */
#include "harness.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "centre/fetch/dns.h"
#include "centre/fetch/dns_line.h"
#include "sys/loop.h"
#include "sys/net.h"

#include <arpa/inet.h>
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

/* Whether the resolver takes what the settings took. */
static bool can_ask(const char *servers, struct diag *diag)
{
    struct dns_options options = {.clock = &clock_real, .servers = servers, .host_limit = 16};
    struct dns *dns = NULL;
    int r;

    assert_int_equal(loop_new(16, &options.loop), 0);
    r = dns_new(&options, &dns, diag);
    dns_free(dns);
    loop_free(options.loop);
    return r == 0;
}

static void test_lists_of_servers(void **state)
{
    static const char *const good[] = {
        "192.0.2.53",          "192.0.2.53:5353",
        "2001:db8::53",        "[2001:db8::53]",
        "[2001:db8::53]:5353", "[192.0.2.53]:5353",
        " 192.0.2.53 ",        "192.0.2.53, 198.51.100.53:53,[::1]:53",
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
                                      "fe80::1", /* of which link? */
                                      "fe80::1%eth0",
                                      "[fe80::1%eth0]:53",
                                      "[::1]:",
                                      "1.2.3.4%eth0",
                                      "1.1.1.1,",
                                      "1.1.1.1,,2.2.2.2",
                                      "1.1.1.1 2.2.2.2",
                                      ":53"};
    struct diag diag = {{0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (net_check_servers(str_from(good[i]), &diag) != 0 || !can_ask(good[i], &diag)) {
            fail_msg("'%s' was refused: %s", good[i], diag.text);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (net_check_servers(str_from(bad[i]), &diag) != -ERR_SYNTAX || can_ask(bad[i], &diag)) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    diag = (struct diag){{0}};
    assert_int_equal(net_check_servers(STR("1.1.1.1, 1.2.3.4.5"), &diag), -ERR_SYNTAX);
    assert_non_null(strstr(diag.text, "'1.2.3.4.5'"));
    assert_int_equal(net_check_servers(STR("::1,::1,::1,::1,::1,::1,::1,::1,"
                                           "::1,::1,::1,::1,::1,::1,::1,::1"),
                                       &diag),
                     0);
    assert_int_equal(net_check_servers(STR("::1,::1,::1,::1,::1,::1,::1,::1,"
                                           "::1,::1,::1,::1,::1,::1,::1,::1,::1"),
                                       &diag),
                     -ERR_LIMIT);
}

static void test_servers_as_the_resolver_has_them(void **state)
{
    struct dns_line_options options = {
        .servers = " 192.0.2.53, [2001:db8::53] ,198.51.100.53:5353,[::1]:54"};
    static const struct {
        const char *address;
        int port;
    } rows[] = {{"192.0.2.53", 53}, {"2001:db8::53", 53}, {"198.51.100.53", 5353}, {"::1", 54}};
    struct ares_addr_port_node *nodes = NULL;
    const struct ares_addr_port_node *node;
    struct dns_line *line;
    struct diag diag = {{0}};
    char text[NET_ADDRESS_SIZE];

    (void)state;
    assert_int_equal(loop_new(16, &options.loop), 0);
    assert_int_equal(dns_line_new(&options, &line, &diag), 0);
    assert_int_equal(ares_get_servers_ports(dns_line_channel(line), &nodes), ARES_SUCCESS);
    node = nodes;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++, node = node->next) {
        assert_non_null(node);
        assert_non_null(inet_ntop(node->family, &node->addr, text, sizeof(text)));
        assert_string_equal(text, rows[i].address);
        assert_int_equal(node->udp_port, rows[i].port);
        assert_int_equal(node->tcp_port, rows[i].port);
    }
    assert_null(node);
    ares_free_data(nodes);
    dns_line_free(line);
    loop_free(options.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_network_of_an_address),
        cmocka_unit_test(test_lists_of_servers),
        cmocka_unit_test(test_servers_as_the_resolver_has_them),
    };

    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
