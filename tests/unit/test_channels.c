/* Windows channels: every service that SigmaHQ's rules ask for has a channel, and an event is told
 * by its provider where its channel says nothing. */
#include "prop.h"

#include "codec/channels.h"

static void assert_source(const char *channel, const char *provider, struct logsource expected)
{
    struct logsource source = channels_source(str_from(channel), str_from(provider));

    assert_true(str_is(source.product, expected.product));
    assert_true(str_is(source.category, expected.category));
    assert_true(str_is(source.service, expected.service));
}

static void assert_service(const char *channel, const char *provider, const char *service)
{
    assert_source(channel, provider,
                  (struct logsource){.product = STR("windows"), .service = str_from(service)});
}

static void test_channels(void **state)
{
    (void)state;
    assert_service("Microsoft-Windows-Sysmon/Operational", "", "sysmon");
    assert_service("security", "Microsoft-Windows-Security-Auditing", "security");
    assert_service("Security", "Microsoft-Windows-Eventlog", "security");
    assert_service("System", "Microsoft-Windows-Eventlog", "system");
    assert_service("Windows PowerShell", "PowerShell", "powershell-classic");
    assert_service("PowerShellCore/Operational", "PowerShellCore", "powershell");
    assert_service("Microsoft-Windows-SmbClient/Security", "", "smbclient-security");
    assert_service("Microsoft-Windows-PrintService/Admin", "", "printservice-admin");
}

static void test_providers(void **state)
{
    (void)state;
    assert_service("ForwardedEvents", "Microsoft-Windows-Sysmon", "sysmon");
    assert_service("", "Microsoft-Windows-Windows Defender", "windefend");
    assert_service("Application", "PowerShell", "application");
    assert_service("PowerShell", "", ""); /* a provider's name is no channel */
    assert_service("Directory Service", "NTDS ISAM", "");
    assert_service("", "", "");
}

static void test_applications(void **state)
{
    (void)state;
    assert_source(
        "RPCFW", "RPCFW",
        (struct logsource){.product = STR("rpc_firewall"), .category = STR("application")});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_providers),
        cmocka_unit_test(test_applications),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
