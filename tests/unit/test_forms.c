/* Forms of messages: the tables are well formed, and what programs write comes out under the names
 * that rules use. A case is a program, its message, and the fields that must be there. */
#include "log_fixture.h"

#include "codec/forms.h"

#include <stdio.h>

static struct seen seen;

static void test_tables(void **state)
{
    const char *bad = NULL;
    size_t count = forms_check(&bad);

    (void)state;
    if (count == 0) {
        fail_msg("a row is not well formed: %s", bad);
    }
    assert_true(count > 300);
}

/* category and service of the source come first, parted by a slash. */
static const struct {
    const char *program;
    const char *message;
    const char *expected;
} cases[] = {
    {"sshd", "Accepted password for lan from 203.0.113.9 port 50022 ssh2",
     "/sshd method=password user=lan src_ip=203.0.113.9 src_port=50022 outcome=success"},
    {"sshd-session", "Connection closed by authenticating user root 2001:db8::9 port 22 [preauth]",
     "/sshd user=root src_ip=2001:db8::9 action=disconnect"},
    {"sshd",
     "error: maximum authentication attempts exceeded for invalid user admin from 203.0.113.9 "
     "port 1 ssh2 [preauth]",
     "/sshd user=admin src_ip=203.0.113.9 reason=max_attempts"},
    {"sshd", "User guest from 203.0.113.9 not allowed because not listed in AllowUsers",
     "/sshd user=guest outcome=failure"},
    {"sshd",
     "Disconnecting authenticating user root 203.0.113.9 port 22: Too many authentication "
     "failures [preauth]",
     "/sshd user=root src_ip=203.0.113.9"},
    {"sshd",
     "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
     "rhost=bad.example.com  user=root",
     "/sshd service=sshd src_host=bad.example.com user=root outcome=failure"},
    {"sudo",
     "lan : user NOT in sudoers ; TTY=pts/1 ; PWD=/home/lan ; USER=root ; COMMAND=/bin/sh -c id",
     "/sudo user=lan target_user=root reason=not_in_sudoers"},
    {"sudo",
     "lan : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
     "/sudo user=lan count=3 reason=incorrect_password command=/bin/sh"},
    {"sudo", "www-data : command not allowed ; PWD=/var/www ; USER=root ; COMMAND=/bin/sh -c id",
     "/sudo user=www-data target_user=root reason=not_allowed command=/bin/sh -c id"},
    {"sudo", "www-data : user NOT in sudoers ; PWD=/ ; USER=root ; ENV=A=b ; COMMAND=/bin/sh",
     "/sudo user=www-data reason=not_in_sudoers command=/bin/sh"},
    {"sudo", "lan : a password is required ; PWD=/home/lan ; USER=root ; COMMAND=/usr/bin/id",
     "/sudo user=lan outcome=failure path=/home/lan command=/usr/bin/id"},
    {"sudo", "lan : PWD=/home/lan ; USER=root ; COMMAND=/usr/bin/id",
     "/sudo user=lan outcome=success path=/home/lan command=/usr/bin/id"},
    {"sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by lan(uid=1000)",
     "/sudo target_user=root(uid=0) user=lan uid=1000"},
    {"su", "FAILED SU (to root) lan on pts/1", "/su user=lan target_user=root outcome=failure"},
    {"su",
     "pam_unix(su:auth): authentication failure; logname=lan uid=1000 euid=0 tty=pts/1 ruser=lan "
     "rhost=  user=root",
     "/su user=lan target_user=root tty=pts/1"},
    {"login", "FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure",
     "/login user=root tty=/dev/tty1 outcome=failure"},
    {"crontab", "(root) REPLACE (root)", "/cron user=root action=replace"},
    {"systemd", "Started ssh.service - OpenBSD Secure Shell server.",
     "/systemd unit=ssh.service action=started"},
    {"systemd", "Stopped Apache web server.", "/systemd action=stopped"},
    {"systemd", "auditd.service: Main process exited, code=killed, status=9/KILL",
     "/systemd unit=auditd.service reason=killed status=9/KILL"},
    {"systemd-logind", "New session 7 of user lan.", "/systemd-logind session=7 user=lan"},
    {"useradd", "new user: name=hacker, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0",
     "/useradd name=hacker uid=0 shell=/bin/bash action=user_add"},
    {"usermod", "add 'lan' to group 'sudo'", "/usermod name=lan group=sudo"},
    {"userdel", "delete user 'lan'", "/userdel name=lan action=user_delete"},
    {"passwd", "pam_unix(passwd:chauthtok): password changed for root",
     "/passwd name=root action=password_change"},
    {"groupadd", "new group: name=quantri, GID=1002", "/groupadd group=quantri gid=1002"},
    {"postfix/smtpd",
     "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: "
     "UGFzc3dvcmQ6, sasl_username=lan@a.vn",
     "/postfix src_host=unknown src_ip=203.0.113.9 method=LOGIN user=lan@a.vn outcome=failure"},
    {"postfix/smtpd",
     "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x@b.vn>: Relay "
     "access denied; from=<a@a.vn> to=<x@b.vn> proto=ESMTP helo=<x>",
     "/postfix src_ip=203.0.113.9 from=a@a.vn to=x@b.vn action=reject code=554"},
    {"postfix/smtpd", "4F1A2B3C: client=mx.a.vn[203.0.113.9], sasl_method=PLAIN, sasl_username=lan",
     "/postfix queue_id=4F1A2B3C src_ip=203.0.113.9 user=lan"},
    {"postfix/qmgr", "4F1A2B3C: from=<a@a.vn>, size=1234, nrcpt=50 (queue active)",
     "/postfix queue_id=4F1A2B3C from=a@a.vn size=1234 count=50"},
    {"postfix/smtp",
     "4F1A2B3C: to=<x@b.vn>, relay=mx.b.vn[192.0.2.1]:25, delay=1, delays=0/0/0/1, "
     "dsn=2.0.0, status=sent (250 ok)",
     "/postfix to=x@b.vn status=sent relay=mx.b.vn[192.0.2.1]:25"},
    {"dovecot",
     "imap-login: Login: user=<lan>, method=PLAIN, rip=203.0.113.9, lip=10.0.0.1, mpid=7, "
     "TLS, session=<abc>",
     "/dovecot user=lan src_ip=203.0.113.9 protocol=imap outcome=success session=abc"},
    {"dovecot",
     "imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<lan>, "
     "method=PLAIN, rip=203.0.113.9, lip=10.0.0.1, session=<abc>",
     "/dovecot user=lan src_ip=203.0.113.9 outcome=failure"},
    {"dovecot", "lmtp(lan)<4413><x1>: sieve: msgid=<1@a.vn>: forwarded to <kho.luu@example.com>",
     "/dovecot user=lan to=kho.luu@example.com action=forward outcome=success"},
    {"dovecot", "lda(lan)<7><x>: sieve: msgid=<1@a.vn>: stored mail into mailbox 'Th&AbA- r'ac'",
     "/dovecot user=lan path=Th&AbA- r'ac action=deliver"},
    {"dovecot",
     "lmtp(lan)<7><x>: sieve: msgid=<1@a.vn>: failed to store into mailbox 'Old': Quota exceeded",
     "/dovecot user=lan path=Old outcome=failure reason=Quota exceeded"},
    {"dovecot",
     "lmtp(lan)<7><x>: sieve: Execution of script /home/lan/.dovecot.sieve failed, but implicit "
     "keep was successful",
     "/dovecot user=lan path=/home/lan/.dovecot.sieve outcome=failure"},
    {"mysqld", "31 Connect\troot@localhost on kho using Socket",
     "database/mysql session=31 user=root src_host=localhost database=kho"},
    {"mysqld", "31 Query\tselect load_file('/etc/passwd')",
     "database/mysql query=select load_file('/etc/passwd') action=statement"},
    {"smbd",
     "'/srv/kho' does not exist or permission denied when connecting to [kho] Error was No such "
     "file or directory",
     "/smbd path=/srv/kho share=kho outcome=failure reason=No such file or directory"},
    {"smbd",
     "[2026/11/25 22:41:06.123456,  0] ../../source3/smbd/smb2_service.c:168("
     "chdir_current_service) chdir_current_service: vfs_ChDir(/srv/kho) failed: Permission denied. "
     "Current token: uid=1001, gid=1001",
     "/smbd path=/srv/kho outcome=failure reason=Permission denied"},
    {"smbd",
     "create_connection_session_info: user 'lan' (from session setup) not permitted to access "
     "this share (ke-toan)",
     "/smbd user=lan share=ke-toan reason=not_allowed"},
    {"smbd", "may-tinh (10.0.0.7) couldn't find service admin$",
     "/smbd src_host=may-tinh src_ip=10.0.0.7 share=admin$ reason=no_such_share"},
    {"dnsmasq", "query[TXT] a.b.example from 10.0.0.7",
     "dns/dnsmasq query=a.b.example record_type=TXT src_ip=10.0.0.7"},
    {"dnsmasq", "reply a.example is 192.0.2.1", "dns/dnsmasq query=a.example answer=192.0.2.1"},
    {"named", "client @0x7f0 10.0.0.7#4242 (x.vn): query: x.vn IN A +E(0)K (10.0.0.53)",
     "dns/named query=x.vn record_type=A src_ip=10.0.0.7 src_port=4242 dst_ip=10.0.0.53"},
    {"named", "client @0x7f0 203.0.113.9#53 (a.vn): zone transfer 'a.vn/AXFR/IN' denied",
     "dns/named record_type=AXFR outcome=failure src_ip=203.0.113.9"},
    {"unbound", "[77:0] info: 10.0.0.7 x.vn. AAAA IN",
     "dns/unbound query=x.vn record_type=AAAA src_ip=10.0.0.7"},
    {"unbound", "[77:0] info: 10.0.0.7 a.x.vn. A IN NOERROR 0.01 0 44",
     "dns/unbound query=a.x.vn record_type=A status=NOERROR"},
    {"unbound", "[77:0] info: 10.0.0.7 . NS IN", "dns/unbound query=. record_type=NS"},
    {"kernel",
     "[12345.678] [UFW BLOCK] IN=eth0 OUT= MAC=52:54 SRC=203.0.113.9 DST=10.0.0.1 LEN=40 "
     "TOS=0x00 TTL=240 ID=1 DF PROTO=TCP SPT=50000 DPT=22 WINDOW=1024 SYN URGP=0",
     "firewall/kernel interface=eth0 src_ip=203.0.113.9 dst_ip=10.0.0.1 protocol=TCP dst_port=22 "
     "action=block"},
    {"kernel",
     "nft-DROP-in: IN=eth1 OUT=eth0 SRC=2001:db8::1 DST=2001:db8::2 PROTO=UDP SPT=1 DPT=53",
     "firewall/kernel action=block out_interface=eth0 src_ip=2001:db8::1 rule=nft-"},
    {"kernel", "input drop: IN=eth1 OUT= SRC=192.0.2.1 DST=10.0.0.1 PROTO=TCP SPT=1 DPT=53",
     "firewall/kernel action=block src_ip=192.0.2.1 dst_port=53"},
    {"kernel", "nft accept IN=eth1 OUT= SRC=192.0.2.1 DST=10.0.0.1 PROTO=TCP SPT=1 DPT=53",
     "firewall/kernel action=allow src_ip=192.0.2.1 dst_port=53"},
    {"kernel",
     "audit: type=1400 audit(1764085266.1:9): apparmor=\"DENIED\" operation=\"open\" "
     "profile=\"/usr/sbin/mysqld\" name=\"/etc/shadow\" pid=7 comm=\"mysqld\"",
     "/apparmor action=DENIED operation=open name=/etc/shadow profile=/usr/sbin/mysqld"},
    {"mariadbd",
     "2026-11-25 22:41:06 8 [Warning] Access denied for user 'root'@'203.0.113.9' (using "
     "password: YES)",
     "database/mysql user=root src_ip=203.0.113.9 outcome=failure"},
    {"postgres", "[3-1] lan@kho FATAL:  password authentication failed for user \"lan\"",
     "database/postgresql user=lan outcome=failure"},
    {"smbd_audit", "lan|203.0.113.9|pc1|chung|unlinkat|ok|/srv/chung/hồ sơ.docx",
     "/smbd user=lan src_ip=203.0.113.9 share=chung operation=unlinkat path=/srv/chung/hồ sơ.docx"},
    {"openvpn",
     "203.0.113.9:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
     "/openvpn src_ip=203.0.113.9 outcome=failure"},
    {"charon", "05[IKE] authentication of 'lan' with EAP failed",
     "/strongswan user=lan method=EAP"},
    {"fail2ban.actions", "NOTICE [sshd] Ban 203.0.113.9", "/fail2ban action=ban name=sshd"},
    {"vsftpd", "[lan] OK UPLOAD: Client \"203.0.113.9\", \"/srv/a.php\", 12 bytes",
     "/vsftpd user=lan operation=UPLOAD src_ip=203.0.113.9"},
    {"proftpd", "127.0.0.1 (a.vn[203.0.113.9]) - USER lan (Login failed): Incorrect password",
     "/ftpd user=lan src_ip=203.0.113.9 outcome=failure"},
    {"haproxy",
     "203.0.113.9:5000 [25/Nov/2026:22:41:06.123] web~ app/s1 0/0/1/2/3 403 212 - - ---- "
     "1/1/0/0/0 0/0 \"GET /.git/config HTTP/1.1\"",
     "webserver/haproxy src_ip=203.0.113.9 sc-status=403 cs-uri=/.git/config"},
    {"exim", "1abc-2 <= a@a.vn H=mx.a.vn [203.0.113.9] P=esmtp S=100",
     "/exim from=a@a.vn src_ip=203.0.113.9 queue_id=1abc-2"},
    {"clamd", "/srv/web/a b.php: Php.Webshell-1 FOUND",
     "antivirus/clamav Filename=/srv/web/a b.php Signature=Php.Webshell-1"},
    {"%ASA-4-106023",
     "Deny tcp src outside:203.0.113.9/5000 dst inside:10.0.0.1/22 by access-group \"ngoai\" [0x0, "
     "0x0]",
     "firewall/asa src_ip=203.0.113.9 dst_port=22 action=block rule=ngoai interface=outside"},
    {"%SEC_LOGIN-4-LOGIN_FAILED",
     "Login failed [user: admin] [Source: 203.0.113.9] [localport: 22] [Reason: Login "
     "Authentication Failed]",
     "/ios user=admin src_ip=203.0.113.9 outcome=failure"},
    {"audispd",
     "type=SYSCALL msg=audit(1764085266.1:9): arch=c000003e pid=7 uid=0 comm=\"cat\" "
     "exe=\"/usr/bin/cat\" key=\"shadow\"",
     "/auditd type=SYSCALL exe=/usr/bin/cat comm=cat key=shadow"},
    {"filterlog",
     "5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,DF,6,tcp,60,203.0.113.9,10.0.0.1,5000,22,0,S,"
     "1,,64240,,mss",
     "firewall/filterlog action=block src_ip=203.0.113.9 dst_port=22 protocol=tcp interface=em0"},
    {"/usr/sbin/gdm",
     "pam_unix(gdm-password:auth): authentication failure; logname= uid=0 euid=0 "
     "tty=:0 ruser= rhost=  user=lan",
     "/gdm user=lan service=gdm-password outcome=failure"},
};

static void check_case(const char *program, const char *message, const char *expected)
{
    struct str rest = str_from(expected);
    char line[1024];
    struct str word;
    struct str name;

    (void)snprintf(line, sizeof(line), "Nov 25 22:41:06 web1 %s[7]: %s\n", program, message);
    read_text(&seen, "syslog", line);
    assert_int_equal(seen.count, 1);
    (void)str_cut(&rest, ' ', &word);
    (void)str_cut(&word, '/', &name);
    if (!str_is(seen.entries[0].source.category, name) ||
        !str_is(seen.entries[0].source.service, word)) {
        fail_msg("%s: source is %.*s/%.*s", line, STR_ARG(seen.entries[0].source.category),
                 STR_ARG(seen.entries[0].source.service));
    }
    while (rest.len > 0) {
        size_t next = str_find_byte(rest, '=') + 1;
        char key[64];
        char value[256];

        (void)snprintf(key, sizeof(key), "%.*s", STR_ARG(str_slice(rest, 0, next - 1)));
        rest = str_slice(rest, next, rest.len);
        for (next = 0; next < rest.len; next++) { /* up to " name=" */
            struct str tail = str_slice(rest, next + 1, rest.len);

            if (rest.ptr[next] == ' ' && str_find_byte(tail, '=') < str_find_byte(tail, ' ')) {
                break;
            }
        }
        (void)snprintf(value, sizeof(value), "%.*s", STR_ARG(str_slice(rest, 0, next)));
        rest = str_slice(rest, next + 1, rest.len);
        check_field(&seen, 0, key, value);
    }
}

/* Devices have headers of their own. */
static void test_devices(void **state)
{
    (void)state;
    read_text(&seen, "syslog",
              "<164>Nov 25 2026 22:41:06: %ASA-6-605004: Login denied from 203.0.113.9/5000 to "
              "inside:10.0.0.1/ssh for user \"admin\"\n"
              "<164>Nov 25 2026 22:41:06 fw1 : %ASA-6-605004: Login denied from 203.0.113.9/5000 "
              "to inside:10.0.0.1/ssh for user \"admin\"\n"
              "<189>29: r1: *Nov 25 22:41:06.123: %SYS-5-CONFIG_I: Configured from console by lan "
              "on vty0 (203.0.113.9)\n"
              "Nov 25 22:41:06 mk system,error,critical login failure for user admin from "
              "203.0.113.9 via ssh\n"
              "<30>Nov 25 22:41:06 mk firewall,info vao input: in:ether1 out:(unknown 0), src-mac "
              "00:11, proto TCP (SYN), 203.0.113.9:5000->10.0.0.1:22, len 60\n");
    assert_int_equal(seen.count, 5);
    for (size_t i = 0; i < 3; i++) {
        check_time(&seen, i, i < 2 ? "2026-11-25T15:41:06.000Z" : "2026-11-25T15:41:06.123Z");
        check_field(&seen, i, "src_ip", "203.0.113.9");
        check_field(&seen, i, "user", i < 2 ? "admin" : "lan");
        assert_str(seen.entries[i].source.product, "cisco");
    }
    check_field(&seen, 1, "host", "fw1");
    check_field(&seen, 2, "host", "r1");
    check_source(&seen, 3, "mikrotik", "", "mikrotik");
    check_field(&seen, 3, "user", "admin");
    check_field(&seen, 4, "dst_port", "22");
    check_source(&seen, 4, "mikrotik", "firewall", "mikrotik");
    read_text(
        &seen, "stamped",
        "[25-Nov-2026 22:41:06 Asia/Ho_Chi_Minh] PHP Warning:  eval(): no in /var/www/a b.php on "
        "line 3\n"
        "2026-11-25 22:41:06,123 WARN  [qtp1] [name=lan@a.vn;oip=203.0.113.9;ua=x;] security - "
        "cmd=Auth; account=lan@a.vn; protocol=soap; error=authentication failed for [lan@a.vn], "
        "invalid password;\n");
    check_field(&seen, 0, "path", "/var/www/a b.php");
    check_field(&seen, 1, "src_ip", "203.0.113.9");
    check_field(&seen, 1, "user", "lan@a.vn");
    check_field(&seen, 1, "outcome", "failure");
}

static void test_programs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_case(cases[i].program, cases[i].message, cases[i].expected);
    }
}

/* A stranger's bytes do not move to fields that he does not own. */
static void test_strangers(void **state)
{
    (void)state;
    check_case("sshd", "Failed none for invalid user a for b from 203.0.113.9 port 1 ssh2",
               "/sshd user=a for b src_ip=203.0.113.9");
    check_case("postfix/smtpd",
               "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 no; from=<a@a.vn> to=<x@b.vn> "
               "proto=ESMTP helo=<from=<b@b.vn>>",
               "/postfix from=a@a.vn");
    check_case("useradd", "failed adding user 'x' to group 'sudo'", "/useradd outcome=failure");
}

/* A message that is cut anywhere is still an entry, and no field reaches past it. */
static void test_cut_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t len = 0; len < strlen(cases[i].message); len++) {
            char line[1024];

            (void)snprintf(line, sizeof(line), "Nov 25 22:41:06 web1 %s[7]: %.*s\n",
                           cases[i].program, (int)len, cases[i].message);
            read_text(&seen, "syslog", line);
            assert_int_equal(seen.count, 1);
        }
    }
}

static int done(void **state)
{
    (void)state;
    seen_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),       cmocka_unit_test(test_programs),
        cmocka_unit_test(test_devices),      cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_cut_messages),
    };

    return cmocka_run_group_tests_name("forms", tests, NULL, done);
}
