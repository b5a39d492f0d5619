/* The kinds of JSON logs: each is told from its names, and gives its fields in Sigma's words, its
 * time, its host and its log source. */
#include "log_fixture.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>

static struct seen seen;

struct vector {
    const char *text;
    const char *source; /* product/category/service */
    const char *host;
    const char *time;   /* "" for none */
    const char *fields; /* name=value lines that must be there */
};

static const struct vector vectors[] = {
    /* Windows: NXLog, flat */
    {"{\"EventTime\":\"2020-06-09 22:50:54\",\"Hostname\":\"WS6\",\"EventID\":13,\"SourceName\":"
     "\"Microsoft-Windows-Sysmon\",\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"host\":"
     "\"collector\",\"Details\":\"Binary Data\",\"UtcTime\":\"2020-06-10 02:50:54.631\"}",
     "windows//sysmon", "WS6", "2020-06-10T02:50:54.631Z",
     "Computer=WS6\nEventID=13\nProvider_Name=Microsoft-Windows-Sysmon\nSourceName=Microsoft-"
     "Windows-"
     "Sysmon\nDetails=Binary Data\n"},
    {"{\"TimeCreated\":\"\\/Date(1591757454631)\\/\",\"Id\":4624,\"LogName\":\"Security\","
     "\"ProviderName\":\"Microsoft-Windows-Security-Auditing\",\"MachineName\":\"dc1\"}",
     "windows//security", "dc1", "2020-06-10T02:50:54.631Z", "EventID=4624\nChannel=Security\n"},
    {"{\"EventID\":3,\"EventLog\":\"RPCFW\",\"InterfaceUuid\":\"x\"}", "rpc_firewall/application/",
     "", "", "EventLog=RPCFW\nEventID=3\n"},
    /* Winlogbeat */
    {"{\"@timestamp\":\"2026-11-25T15:00:00.000Z\",\"event\":{\"code\":\"1\"},\"winlog\":{"
     "\"channel\":"
     "\"Security\",\"computer_name\":\"dc1.tinh\",\"event_id\":4688,\"provider_name\":\"Microsoft-"
     "Windows-Security-Auditing\",\"event_data\":{\"NewProcessName\":\"x.exe\"}},\"host\":{"
     "\"name\":"
     "\"beat\"}}",
     "windows//security", "dc1.tinh", "2026-11-25T15:00:00.000Z",
     "NewProcessName=x.exe\nEventID=4688\nComputer=dc1.tinh\nhost.name=beat\n"},
    {"{\"_index\":\"a\",\"_source\":{\"winlog\":{\"channel\":\"System\"},\"message\":\"m\"}}",
     "windows//system", "", "", "Channel=System\nMessage=m\n_index=a\n"},
    /* Lines of syslog that shippers took apart: syslog-ng, rsyslog, vector, fluent-bit, NXLog */
    {"{\"PROGRAM\":\"sshd\",\"PRIORITY\":\"info\",\"PID\":\"7\",\"MESSAGE\":\"Failed password for "
     "root "
     "from 192.0.2.7 port 5 ssh2\",\"HOST\":\"web\",\"FACILITY\":\"auth\",\"@timestamp\":"
     "\"2026-11-26T08:14:00+07:00\"}",
     "linux//sshd", "web", "2026-11-26T01:14:00.000Z", "src_ip=192.0.2.7\nprogram=sshd\npid=7\n"},
    {"{\"@timestamp\":\"2026-11-26T08:14:00Z\",\"host\":\"web\",\"program\":\"sshd\",\"message\":"
     "\" "
     "Failed password for root from 192.0.2.7 port 5 ssh2\"}",
     "linux//sshd", "web", "2026-11-26T08:14:00.000Z",
     "src_ip=192.0.2.7\nmessage=Failed password for root from 192.0.2.7 port 5 ssh2\n"},
    {"{\"appname\":\"sshd\",\"hostname\":\"web\",\"message\":\"Failed password for root from "
     "192.0.2.7 port 5 ssh2\",\"procid\":12,\"source_type\":\"syslog\"}",
     "linux//sshd", "web", "", "src_ip=192.0.2.7\npid=12\n"},
    {"{\"ident\":\"sshd\",\"host\":\"web\",\"message\":\"Failed password for root from 192.0.2.7 "
     "port 5 "
     "ssh2\",\"pri\":\"38\"}",
     "linux//sshd", "web", "", "src_ip=192.0.2.7\n"},
    {"{\"Hostname\":\"web\",\"SourceName\":\"sshd\",\"SyslogFacility\":\"AUTH\",\"Message\":"
     "\"Failed "
     "password for root from 192.0.2.7 port 5 ssh2\"}",
     "linux//sshd", "web", "", "src_ip=192.0.2.7\nfacility=AUTH\n"},
    {"{\"@timestamp\":\"2026-11-26T08:14:00Z\",\"log\":\"Nov 26 08:14:00 web sshd[12]: Failed "
     "password "
     "for root from 192.0.2.7 port 5 ssh2\"}",
     "linux//sshd", "web", "2026-11-26T01:14:00.000Z", "src_ip=192.0.2.7\n"},
    /* EVTX as JSON, of several tools */
    {"{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":{\"Name\":\"Service Control "
     "Manager\"}},"
     "\"EventID\":{\"#attributes\":{\"Qualifiers\":16384},\"#text\":7045},\"TimeCreated\":{"
     "\"#attributes\":{\"SystemTime\":\"2026-04-20T10:00:35.646624Z\"}},\"Channel\":\"System\","
     "\"Computer\":\"ws\",\"Security\":{\"#attributes\":{\"UserID\":\"S-1-5-18\"}}},\"EventData\":{"
     "\"ServiceName\":\"s\"}}}",
     "windows//system", "ws", "2026-04-20T10:00:35.646Z",
     "Provider_Name=Service Control "
     "Manager\nEventID=7045\nSecurity_UserID=S-1-5-18\nServiceName=s\n"},
    {"{\"Event\":{\"System\":{\"Channel\":\"Microsoft-Windows-WMI-Activity/"
     "Operational\"},\"UserData\":"
     "{\"Operation_ClientFailure\":{\"Operation\":\"Start\"}}}}",
     "windows//wmi", "", "", "Operation=Start\n"},
    {"{\"Event\":{\"System\":{\"Channel\":\"Security\"},\"EventData\":{\"Data\":[{\"@Name\":"
     "\"LogonType\","
     "\"#text\":\"3\"},{\"@Name\":\"IpAddress\",\"#text\":\"::1\"}]}}}",
     "windows//security", "", "", "LogonType=3\nIpAddress=::1\n"},
    {"{\"System\":{\"Channel\":\"Application\",\"Provider\":{\"Name\":\"MSSQL\"},\"EventID\":{"
     "\"Value\":"
     "33205},\"TimeCreated\":{\"SystemTime\":1776679235.5}},\"EventData\":{\"Data\":\"x\"}}",
     "windows//application", "", "2026-04-20T10:00:35.500Z",
     "EventID=33205\nProvider_Name=MSSQL\nData=x\n"},
    /* own agents, ECS */
    {"{\"@timestamp\":\"2026-11-25T15:00:00.000Z\",\"event.action\":\"process_start\",\"process."
     "pid\":7,"
     "\"process.executable\":\"/usr/bin/nc\",\"process.command_line\":\"nc -e sh\","
     "\"process.parent.executable\":\"/bin/sh\",\"user.name\":\"www-data\"}",
     "linux/process_creation/", "", "2026-11-25T15:00:00.000Z",
     "Image=/usr/bin/nc\nCommandLine=nc -e sh\nParentImage=/bin/sh\nUser=www-data\nProcessId=7\n"},
    {"{\"event\":{\"action\":\"start\"},\"process\":{\"executable\":\"C:/"
     "x.exe\"},\"host\":{\"os\":{"
     "\"type\":\"windows\"},\"name\":\"w\"}}",
     "windows/process_creation/", "w", "", "Image=C:/x.exe\n"},
    /* sensors */
    {"{\"timestamp\":\"2026-11-25T22:00:00.000001+0700\",\"flow_id\":1,\"event_type\":\"dns\","
     "\"src_ip\":"
     "\"10.0.0.1\",\"dest_ip\":\"8.8.8.8\",\"dest_port\":53,\"proto\":\"UDP\",\"host\":\"ids1\","
     "\"dns\":{"
     "\"rrname\":\"evil.example\",\"rrtype\":\"TXT\",\"answers\":[{\"rdata\":\"1.2.3.4\"}]}}",
     "suricata/dns/dns", "ids1", "2026-11-25T15:00:00.000Z",
     "query=evil.example\nrecord_type=TXT\nanswer=1.2.3.4\ndst_ip=8.8.8.8\ndst_port=53\nsrc_ip=10."
     "0.0."
     "1\n"},
    {"{\"flow_id\":1,\"event_type\":\"http\",\"http\":{\"hostname\":\"h\",\"url\":\"/a.php?x=1\","
     "\"http_method\":\"GET\",\"http_user_agent\":\"curl\",\"status\":200}}",
     "suricata/proxy/http", "", "",
     "c-uri=/a.php?x=1\ncs-uri-stem=/"
     "a.php\nc-uri-query=x=1\nc-uri-extension=php\nc-useragent=curl\n"
     "cs-host=h\nsc-status=200\ncs-method=GET\n"},
    {"{\"flow_id\":1,\"event_type\":\"http\",\"http\":{\"url\":\"http://h:80/b?u=http://x/\"}}",
     "suricata/proxy/http", "", "",
     "c-uri=http://h:80/b?u=http://x/\ncs-uri-stem=/b\nc-uri-query=u=http://x/\n"},
    {"{\"flow_id\":1,\"event_type\":\"alert\",\"alert\":{\"signature\":\"ET X\",\"action\":"
     "\"allowed\"}}",
     "suricata//alert", "", "", "alert.signature=ET X\nmessage=ET X\naction=allowed\n"},
    {"{\"flow_id\":1,\"event_type\":\"tls\",\"tls\":{\"sni\":\"h\"}}", "suricata//tls", "", "",
     "r-dns=h\n"},
    {"{\"ts\":1764082800.123456,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0."
     "2\","
     "\"id.resp_p\":53,\"query\":\"q\",\"qtype_name\":\"NULL\",\"answers\":[\"a\",\"b\"],"
     "\"rejected\":"
     "false}",
     "zeek/dns/dns", "", "2025-11-25T15:00:00.123Z",
     "query=q\nqtype_name=NULL\nrecord_type=NULL\nanswers=a\nanswer=b\nid.resp_p=53\ndst_port="
     "53\n"},
    {"{\"_path\":\"smb_files\",\"id.orig_h\":\"10.0.0.1\",\"path\":\"\\\\\\\\x\",\"name\":\"n\"}",
     "zeek//smb_files", "", "", "name=n\nsrc_ip=10.0.0.1\n"},
    {"{\"id.orig_h\":\"10.0.0.1\",\"endpoint\":\"svcctl\",\"operation\":\"CreateServiceW\"}",
     "zeek//dce_rpc", "", "", "operation=CreateServiceW\n"},
    {"{\"T\":\"2026-11-25T22:00:00+07:00\",\"QH\":\"h\",\"QT\":\"A\",\"IP\":\"10.0.0.9\"}", "/dns/",
     "", "2026-11-25T15:00:00.000Z", "query=h\nrecord_type=A\nsrc_ip=10.0.0.9\n"},
    {"{\"devid\":\"F\",\"logid\":\"1\",\"type\":\"event\",\"devname\":\"fw\",\"action\":\"Add\"}",
     "fortigate//event", "fw", "", "action=Add\n"},
    {"{\"logtype\":4002,\"node_id\":\"can1\",\"src_host\":\"10.0.0.1\",\"utc_time\":\"2026-11-25 "
     "15:00:00.5\"}",
     "opencanary/application/", "can1", "2026-11-25T15:00:00.500Z", "src_ip=10.0.0.1\n"},
    /* clouds */
    {"{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-11-25T15:00:00Z\",\"eventSource\":\"iam."
     "amazonaws."
     "com\",\"eventName\":\"CreateUser\",\"awsRegion\":\"x\",\"userIdentity\":{\"type\":\"Root\"}}",
     "aws//cloudtrail", "", "2026-11-25T15:00:00.000Z",
     "eventName=CreateUser\nuserIdentity.type=Root\n"},
    {"{\"detail\":{\"eventSource\":\"s3\",\"eventName\":\"x\"}}", "aws//cloudtrail", "", "",
     "eventName=x\n"},
    {"{\"time\":\"2026-11-25T15:00:00.0000000Z\",\"resourceId\":\"/t\",\"operationName\":\"Add "
     "user\","
     "\"category\":\"AuditLogs\",\"properties\":{\"activityDisplayName\":\"Add user\"}}",
     "azure//auditlogs", "", "2026-11-25T15:00:00.000Z",
     "operationName=Add user\nproperties.message=Add user\n"},
    {"{\"resourceId\":\"/t\",\"operationName\":\"x\",\"category\":\"SignInLogs\"}",
     "azure//signinlogs", "", "", "CategoryValue=SignInLogs\n"},
    {"{\"TimeGenerated\":\"2026-11-25T15:00:00Z\",\"Type\":\"AzureActivity\","
     "\"OperationNameValue\":"
     "\"V\"}",
     "azure//activitylogs", "", "2026-11-25T15:00:00.000Z", "OperationNameValue=V\n"},
    {"{\"riskEventType\":\"impossibleTravel\"}", "azure//riskdetection", "", "",
     "riskEventType=impossibleTravel\n"},
    {"{\"riskEventType\":\"redundantAssignmentAlertIncident\"}", "azure//pim", "", "", ""},
    {"{\"timestamp\":\"2026-11-25T15:00:00.5Z\",\"protoPayload\":{\"serviceName\":\"iam.googleapis."
     "com\","
     "\"methodName\":\"m\"}}",
     "gcp//gcp.audit", "", "2026-11-25T15:00:00.500Z", "gcp.audit.method_name=m\n"},
    {"{\"protoPayload\":{\"serviceName\":\"login.googleapis.com\",\"metadata\":{\"event\":[{"
     "\"eventName\":"
     "\"e\"}]}}}",
     "gcp//google_workspace.login", "", "",
     "protoPayload.metadata.event.eventName=e\neventService=login.googleapis.com\n"},
    {"{\"id\":{\"time\":\"2026-11-25T15:00:00Z\",\"applicationName\":\"admin\"},\"events\":[{"
     "\"name\":"
     "\"CHANGE\",\"parameters\":[{\"name\":\"setting_name\",\"value\":\"v\"}]}]}",
     "gcp//google_workspace.admin", "", "2026-11-25T15:00:00.000Z",
     "eventName=CHANGE\nsetting_name=v\n"},
    {"{\"CreationTime\":\"2026-11-25T15:00:00\",\"Workload\":\"Exchange\",\"Operation\":\"New-"
     "InboxRule\","
     "\"Parameters\":[{\"Name\":\"ForwardTo\",\"Value\":\"x@y\"}]}",
     "m365//audit", "", "2026-11-25T15:00:00.000Z", "Operation=New-InboxRule\nForwardTo=x@y\n"},
    {"{\"Workload\":\"SecurityComplianceCenter\",\"Operation\":\"Alert\",\"Name\":\"n\"}",
     "m365//threat_management", "", "", "eventSource=SecurityComplianceCenter\neventName=n\n"},
    {"{\"Workload\":\"Exchange\",\"Operation\":\"Add-FederatedDomain\"}", "m365//exchange", "", "",
     "eventSource=Exchange\neventName=Add-FederatedDomain\n"},
    {"{\"published\":\"2026-11-25T15:00:00.000Z\",\"eventType\":\"user.lock\",\"legacyEventType\":"
     "\"x\","
     "\"target\":[{\"displayName\":\"d\"}]}",
     "okta//okta", "", "2026-11-25T15:00:00.000Z", "eventType=user.lock\ntarget.displayName=d\n"},
    {"{\"@timestamp\":1764082800123,\"action\":\"repo.create\",\"actor\":\"a\",\"org\":\"o\"}",
     "github//audit", "", "2025-11-25T15:00:00.123Z", "action=repo.create\n"},
    {"{\"auditType\":{\"category\":\"c\",\"action\":\"a\"}}", "bitbucket//audit", "", "",
     "auditType.category=c\n"},
    {"{\"event_type_id\":55,\"account_id\":1}", "onelogin//onelogin.events", "", "",
     "event_type_id=55\n"},
    {"{\"txid\":\"t\",\"event_type\":\"authentication\",\"timestamp\":1764082800}", "cisco//duo",
     "", "2025-11-25T15:00:00.000Z", "event_type=authentication\n"},
    {"{\"kind\":\"Event\",\"auditID\":\"i\",\"verb\":\"create\",\"objectRef\":{\"resource\":"
     "\"pods\","
     "\"apiGroup\":\"g\"},\"requestReceivedTimestamp\":\"2026-11-25T15:00:00.000001Z\"}",
     "kubernetes/application/audit", "", "2026-11-25T15:00:00.000Z",
     "verb=create\nobjectRef.resource=pods\napiGroup=g\n"},
    /* lines of text in JSON's clothes */
    {"{\"__REALTIME_TIMESTAMP\":\"1764082800123456\",\"_HOSTNAME\":\"web1\",\"SYSLOG_IDENTIFIER\":"
     "\"sshd\",\"_COMM\":\"sshd\",\"_PID\":\"7\",\"PRIORITY\":\"6\",\"SYSLOG_FACILITY\":\"4\","
     "\"MESSAGE\":"
     "\"Failed password for root from 203.0.113.9 port 50022 ssh2\"}",
     "linux//sshd", "web1", "2025-11-25T15:00:00.123Z",
     "program=sshd\npid=7\nseverity=info\nfacility=auth\nuser=root\nsrc_ip=203.0.113.9\noutcome="
     "failure\n"},
    {"{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-25T15:00:00.123456789Z\"}",
     "linux//", "", "2026-11-25T15:00:00.123Z", "message=hello\\n\n"},
    {"{\"log\":\"{\\\"remote_addr\\\":\\\"10.0.0.1\\\",\\\"status\\\":404,\\\"request_uri\\\":\\\"/"
     "x\\\"}\\n\",\"stream\":"
     "\"stdout\",\"time\":\"2026-11-25T15:00:00Z\",\"kubernetes\":{\"host\":\"node1\"}}",
     "/webserver/", "node1", "2026-11-25T15:00:00.000Z",
     "stream=stdout\nc-ip=10.0.0.1\nsc-status=404\ncs-uri-stem=/x\n"},
    {"{\"log\":\"{broken\",\"stream\":\"stdout\",\"time\":\"2026-11-25T15:00:00Z\"}", "linux//", "",
     "2026-11-25T15:00:00.000Z", "message={broken\n"},
    {"{\"log\":\"10.0.0.1 - - [25/Nov/2026:22:00:00 +0700] \\\"GET /x?y HTTP/1.1\\\" 404 9 "
     "\\\"-\\\" \\\"ua\\\"\\n\","
     "\"stream\":\"stdout\",\"time\":\"2026-11-25T15:00:01Z\"}",
     "/webserver/", "", "2026-11-25T15:00:00.000Z",
     "c-ip=10.0.0.1\nsc-status=404\ncs-uri-stem=/x\ncs-uri-query=y\ncs-user-agent=ua\n"},
    {"{\"@timestamp\":\"2026-11-25T15:00:01Z\",\"message\":\"Nov 25 22:00:00 web1 sshd[7]: Failed "
     "password for root "
     "from 203.0.113.9 port 50022 "
     "ssh2\",\"log\":{\"file\":{\"path\":\"/var/log/auth.log\"}},\"host\":{\"name\":\"beat\"}}",
     "linux//sshd", "web1", "2026-11-25T15:00:00.000Z",
     "program=sshd\nuser=root\nsrc_ip=203.0.113.9\n"},
    {"{\"date\":1764082800.5,\"log\":\"only words\"}", "//", "", "2025-11-25T15:00:00.500Z",
     "message=only words\n"},
    /* servers */
    {"{\"time_iso8601\":\"2026-11-25T22:00:00+07:00\",\"remote_addr\":\"10.0.0.1\",\"request\":"
     "\"GET "
     "/x?y=../etc HTTP/1.1\",\"status\":\"404\",\"http_user_agent\":\"ua\",\"body_bytes_sent\":9}",
     "/webserver/", "", "2026-11-25T15:00:00.000Z",
     "c-ip=10.0.0.1\ncs-method=GET\ncs-uri-stem=/x\ncs-uri-query=y=../"
     "etc\nsc-status=404\ncs-user-agent="
     "ua\nsc-bytes=9\n"},
    {"{\"ts\":1764082800.5,\"request\":{\"remote_ip\":\"10.0.0.1\",\"method\":\"POST\",\"uri\":\"/"
     "u\","
     "\"headers\":{\"User-Agent\":[\"ua\"]}},\"status\":200}",
     "/webserver/caddy", "", "2025-11-25T15:00:00.500Z",
     "cs-uri-stem=/u\ncs-user-agent=ua\nsc-status=200\n"},
    {"{\"ClientHost\":\"10.0.0.1\",\"RequestMethod\":\"GET\",\"RequestPath\":\"/"
     "p\",\"DownstreamStatus\":"
     "302}",
     "/webserver/traefik", "", "", "cs-uri=/p\nsc-status=302\n"},
    {"{\"c-ip\":\"10.0.0.1\",\"cs-uri-stem\":\"/s\",\"cs-uri-query\":\"q\"}", "/webserver/", "", "",
     "cs-uri-stem=/s\ncs-uri-query=q\n"},
    {"{\"ClientRequestURI\":\"/c?d\",\"ClientIP\":\"10.0.0.1\"}", "/webserver/cloudflare", "", "",
     "cs-uri-query=d\n"},
    {"{\"transaction\":{\"client_ip\":\"10.0.0.1\",\"request\":{\"uri\":\"/m\"}}}",
     "modsecurity/application/", "", "", "cs-uri=/m\n"},
    /* nobody's */
    {"{\"time\":\"2026-11-25T15:00:00Z\",\"host\":\"h\",\"a\":{\"b\":\"c\"}}", "//", "h",
     "2026-11-25T15:00:00.000Z", "a.b=c\n"},
};

static bool has_field(const struct entry *entry, struct str line)
{
    struct str value = line;
    struct str name;

    (void)str_cut(&value, '=', &name);
    for (size_t i = 0; i < entry->count; i++) {
        if (str_is(entry->fields[i].name, name) && str_is(entry->fields[i].value, value)) {
            return true;
        }
    }
    return false;
}

static void check_vector(const struct vector *vector, const struct entry *entry)
{
    struct str rest = str_from(vector->fields);
    char source[256];
    char when[TIME_TEXT_SIZE] = "";
    struct str line;

    (void)snprintf(source, sizeof(source), "%.*s/%.*s/%.*s", STR_ARG(entry->source.product),
                   STR_ARG(entry->source.category), STR_ARG(entry->source.service));
    if (entry->time != 0) {
        time_format_utc(entry->time, when);
    }
    if (strcmp(source, vector->source) != 0 || !str_is_text(entry->host, vector->host) ||
        strcmp(when, vector->time) != 0) {
        fail_msg("%s:\nis %s of '%.*s' at '%s'", vector->text, source, STR_ARG(entry->host), when);
    }
    assert_int_equal(entry->faults, entry->time != 0 ? 0 : ENTRY_FAULT_TIME);
    while (str_cut(&rest, '\n', &line)) {
        if (line.len > 0 && !has_field(entry, line)) {
            fail_msg("%s:\nno field %.*s", vector->text, STR_ARG(line));
        }
    }
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        read_text(&seen, "ndjson", vectors[i].text);
        assert_int_equal(seen.count, 1);
        check_vector(&vectors[i], &seen.entries[0]);
    }
}

/* One file of all kinds: what a name meant in the last record does not stick to it. */
static void test_mixed(void **state)
{
    struct buf all;

    (void)state;
    buf_init(&all, 1 << 20);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
            (void)buf_put_text(&all, vectors[i].text);
            (void)buf_put_byte(&all, '\n');
        }
    }
    read_text(&seen, "ndjson", buf_str(&all).ptr);
    assert_int_equal(seen.count, 2 * sizeof(vectors) / sizeof(vectors[0]));
    for (size_t i = 0; i < seen.count; i++) {
        check_vector(&vectors[i % (seen.count / 2)], &seen.entries[i]);
    }
    buf_done(&all);
}

/* Names that rules ask for: other spellings, and objects as a whole. */
static void test_asked(void **state)
{
    static const char *const asked[] = {"ThreatName", "Feature_Name", "requestParameters",
                                        "Status",     "riskState",    "Image"};
    static const char text[] =
        "{\"Channel\":\"x\",\"EventID\":1,\"Threat Name\":\"t\",\"Feature Name\":\"f\"}\n"
        "{\"eventSource\":\"e\",\"awsRegion\":\"r\",\"requestParameters\":{\"a\":[1]},\"more\":{"
        "\"b\":2}}\n"
        "{\"resourceId\":\"/"
        "t\",\"operationName\":\"x\",\"category\":\"y\",\"properties\":{\"status\":"
        "\"ok\",\"riskState\":\"atRisk\"}}\n"
        "{\"win\":{\"system\":{\"channel\":\"Security\"},\"eventdata\":{\"image\":\"i\"}}}\n";
    struct entry_names *names = NULL;
    struct log_reading reading;
    uint32_t id;

    (void)state;
    assert_int_equal(entry_names_new(100, &names), 0);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        assert_int_equal(entry_names_add(names, str_from(asked[i]), &id), 0);
    }
    seen_done(&seen);
    assert_int_equal(arena_new(1 << 20, &seen.arena), 0);
    assert_int_equal(log_reading_init(&reading, names), 0);
    assert_int_equal(
        log_format_find(STR("ndjson"))->read(&reading, str_from(text), seen_take, &seen), 0);
    log_reading_done(&reading);
    assert_int_equal(seen.count, 4);
    check_field(&seen, 0, "Threat Name", "t");
    check_field(&seen, 0, "ThreatName", "t");
    check_field(&seen, 0, "Feature_Name", "f");
    assert_int_equal(entry_find(&seen.entries[0], STR("Feature_Name"))->id, 2);
    check_field(&seen, 1, "requestParameters", "{\"a\":[1]}");
    check_field(&seen, 1, "requestParameters.a", "1");
    check_field(&seen, 1, "more", NULL);
    check_field(&seen, 1, "more.b", "2");
    check_field(&seen, 2, "properties.status", "ok");
    check_field(&seen, 2, "Status", "ok");
    check_field(&seen, 2, "riskState", "atRisk");
    check_field(&seen, 3, "Image", "i");
    check_source(&seen, 3, "windows", "", "security");
    entry_names_free(names);
}

static size_t twins;

static int check_twin(const char *path, const struct stat *st, int type, struct FTW *place)
{
    size_t len = strlen(path);
    struct buf text;
    char piece[4096];
    size_t got;
    FILE *file;

    (void)st;
    (void)place;
    if (type != FTW_F || len < 5 || strcmp(path + len - 5, ".json") != 0) {
        return 0;
    }
    buf_init(&text, 8 << 20);
    file = fopen(path, "re");
    assert_non_null(file);
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0) {
        (void)buf_put(&text, piece, got);
    }
    (void)fclose(file);
    assert_string_equal(log_format_guess(buf_str(&text))->name, "ndjson");
    assert_int_equal(seen_read(&seen, "ndjson", buf_str(&text), 0), 0);
    for (size_t i = 0; i < seen.count; i++) {
        const struct entry *entry = &seen.entries[i];

        if (entry->faults != 0 || entry->host.len == 0 ||
            !str_is_text(entry->source.product, "windows") || entry->source.service.len == 0 ||
            entry_find(entry, STR("EventID")) == NULL ||
            entry_find(entry, STR("Provider_Name")) == NULL ||
            entry_find(entry, STR("Channel")) == NULL) {
            fail_msg("%s: record %zu was not told", path, i);
        }
    }
    twins += seen.count;
    buf_done(&text);
    return 0;
}

/* The records that SigmaHQ's regression tests hold as EVTX's JSON twins, in ../shared/data or
 * CANHGAC_DATA. */
static void test_twins(void **state)
{
    const char *folder = secure_getenv("CANHGAC_DATA");
    char path[PATH_MAX];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/sigma/regression",
                   folder != NULL ? folder : TESTS_FOLDER "/../../shared/data");
    if (nftw(path, check_twin, 16, FTW_PHYS) != 0) {
        print_message("skipped: no shared data beside the source\n");
        skip();
    }
    assert_true(twins > 0);
}

static int finish(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_twins),
    };

    return cmocka_run_group_tests(tests, NULL, finish);
}
