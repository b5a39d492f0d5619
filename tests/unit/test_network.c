/* Addresses and networks as texts, and which holds which. */
#include "harness.h"
#include "prop.h"

#include "base/network.h"

#include <stdio.h>
#include <string.h>

static void test_addresses(void **state)
{
    static const char *const good[] = {
        "0.0.0.0", "203.0.113.9", "::", "::1", "2001:db8::9", "::ffff:203.0.113.9"};
    static const char *const bad[] = {"",         "203.0.113",      "203.0.113.256", "203.0.113.9 ",
                                      "01.2.3.4", "203.0.113.9:80", ":::1",          "[::1]",
                                      "12345::",  "vi-du.vn",       "203.0.113.0/24"};
    uint8_t address[16];
    uint8_t other[16];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(network_address(str_from(good[i]), address));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(network_address(str_from(bad[i]), address));
    }
    assert_false(network_address(str_of("1.2.3.4\0", 8), address));
    assert_true(network_address(STR("203.0.113.9"), address));
    assert_true(network_address(STR("::FFFF:cb00:7109"), other));
    assert_memory_equal(address, other, sizeof(address));
    assert_true(network_is_mapped(address));
    assert_true(network_address(STR("::203.0.113.9"), other));
    assert_false(network_is_mapped(other));
}

static void test_networks(void **state)
{
    static const char *const bad[] = {"/8",           "10.0.0.0/",  "10.0.0.0/33", "10.0.0.0/-1",
                                      "10.0.0.0/8/9", "::/129",     "10.0.0/8",    "10.0.0.0/ 8",
                                      "fe80::/1x",    "10.0.0.0 /8"};
    struct network network;
    uint8_t address[16];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(network_parse(str_from(bad[i]), &network));
    }
    assert_true(network_parse(STR("10.11.12.13/12"), &network));
    assert_int_equal(network.bits, 108);
    assert_true(network_address(STR("10.0.0.0"), address));
    assert_memory_equal(network.address, address, sizeof(address));
    assert_true(network_parse(STR("2001:db8::9"), &network));
    assert_int_equal(network.bits, 128);
}

/* A network of an address holds those that differ behind its bits, and no other. */
static const char *holds_what_differs_behind_it(struct prop *prop)
{
    struct network network;
    uint8_t other[16];
    unsigned bit = (unsigned)prop_below(prop, 128);

    for (size_t i = 0; i < 16; i++) {
        other[i] = network.address[i] = (uint8_t)prop_below(prop, 256);
    }
    network.bits = (uint8_t)prop_below(prop, 129);
    network_mask(network.address, network.bits);
    if (!network_holds(&network, other)) {
        return "an address is not in its own network";
    }
    other[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
    return network_holds(&network, other) == (bit >= network.bits)
               ? NULL
               : "a bit in front decides nothing, or one behind does";
}

static void test_holds(void **state)
{
    (void)state;
    prop_check("holds", holds_what_differs_behind_it, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
