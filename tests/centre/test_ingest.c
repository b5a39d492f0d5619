/* What an agent sees: acknowledgement after commit, duplicates, being cut, actions, silence,
 * enrolment; and a core that is killed again and again, or whose disk is full, loses nothing and
 * counts nothing twice. */
#include "../harness.h"
#include "rig.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/prng.h"
#include "link/identity.h"
#include "link/token.h"
#include "store/logsources.h"
#include "sys/fd.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int start(void **state)
{
    static struct rig rig;

    rig_start(&rig);
    *state = &rig;
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

static struct store_counts counts_of(struct rig *rig)
{
    struct store_counts counts;

    assert_int_equal(core_batch_commit(rig->core), 0);
    assert_int_equal(store_counts(rig->store, &counts), 0);
    return counts;
}

static void meet(struct rig *rig, uint8_t key, uint64_t last, struct rig_agent *agent)
{
    struct link_answer answer;

    rig_agent_connect(rig, key, false, agent);
    rig_agent_hello(rig, agent, last);
    assert_true(rig_agent_wait(rig, agent, &answer));
    assert_int_equal(answer.kind, LINK_ANSWER_ACK);
}

static void test_acknowledged_once(void **state)
{
    struct rig *rig = *state;
    struct rig_agent agent;
    struct store_counts counts;

    (void)rig_add_host(rig, "pc-1", 1);
    meet(rig, 1, 100, &agent);
    rig_agent_batch(rig, &agent, 1, 100);
    rig_agent_wait_ack(rig, &agent, 100);
    rig_agent_close(rig, &agent);
    meet(rig, 1, 150, &agent); /* as if the acknowledgement had been lost */
    rig_agent_batch(rig, &agent, 51, 150);
    rig_agent_wait_ack(rig, &agent, 150);
    rig_agent_close(rig, &agent);
    rig_restart_core(rig);
    meet(rig, 1, 150, &agent);
    rig_agent_batch(rig, &agent, 141, 150);
    rig_agent_wait_ack(rig, &agent, 150);
    rig_agent_close(rig, &agent);
    counts = counts_of(rig);
    assert_int_equal(counts.events, 135);
    assert_int_equal(counts.findings, 15);
    assert_int_equal(counts.duplicates, 60);
}

static enum link_bye bye_of(struct rig *rig, struct rig_agent *agent)
{
    struct link_answer answer = {0};

    while (answer.kind != LINK_ANSWER_BYE) {
        assert_true(rig_agent_wait(rig, agent, &answer));
    }
    return answer.bye;
}

static void test_who_is_let_in(void **state)
{
    struct rig *rig = *state;
    struct rig_agent agent;
    struct rig_agent twin;
    char cookie[256];
    char path[96];
    char text[ID_TEXT_SIZE];
    struct id id = rig_add_host(rig, "pc-2", 2);
    struct answer answer;

    rig_agent_connect(rig, 99, false, &agent);
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_UNKNOWN);
    rig_agent_close(rig, &agent);
    meet(rig, 2, 0, &agent);
    meet(rig, 2, 0, &twin);
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_ELSEWHERE);
    rig_agent_close(rig, &agent);
    rig_login(rig, "admin", cookie);
    id_format(&id, text);
    (void)snprintf(path, sizeof(path), "/api/v1/hosts/%s/revoke", text);
    rig_http(rig, "POST", path, cookie, "{\"reason\":\"mất máy\"}", &answer);
    assert_int_equal(answer.status, 204);
    answer_done(&answer);
    assert_int_equal(bye_of(rig, &twin), LINK_BYE_REVOKED);
    rig_agent_close(rig, &twin);
    rig_agent_connect(rig, 2, false, &agent);
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_REVOKED);
    rig_agent_close(rig, &agent);
}

/* Whoever breaks the protocol is cut; the others do not notice. */
static void test_nonsense_is_cut(void **state)
{
    struct rig *rig = *state;
    struct rig_agent good;
    struct rig_agent bad;
    struct link_answer answer;
    struct buf items;
    struct buf content;

    (void)rig_add_host(rig, "pc-3", 3);
    (void)rig_add_host(rig, "pc-4", 4);
    meet(rig, 3, 0, &good);
    rig_agent_connect(rig, 4, false, &bad);
    rig_send(bad.fd, "GET / HTTP/1.1\r\n\r\n................", 34);
    while (rig_agent_wait(rig, &bad, &answer)) {
        assert_int_equal(answer.kind, LINK_ANSWER_BYE);
    }
    rig_agent_close(rig, &bad);
    meet(rig, 4, 5,
         &bad); /* a frame that is whole around a record that is none: counted, told, let go */
    buf_init(&items, 4096);
    buf_init(&content, 4096);
    link_batch_put(&items, 1, STR("\xff\xff"));
    link_batch_encode(buf_str(&items), 1, &content);
    assert_int_equal(link_client_batch(bad.client, 1, buf_str(&content)), 0);
    rig_send(bad.fd, link_client_output(bad.client).ptr, link_client_output(bad.client).len);
    rig_agent_wait_ack(rig, &bad, 1);
    rig_agent_close(rig, &bad);
    buf_done(&items);
    buf_done(&content);
    rig_agent_batch(rig, &good, 1, 20);
    rig_agent_wait_ack(rig, &good, 20);
    rig_agent_close(rig, &good);
}

/* A number that the store cannot count ends its sender's stream, not everybody's. */
static void test_number_spoils_nobody(void **state)
{
    struct rig *rig = *state;
    struct record record = {.kind = RECORD_KIND_STATUS, .status = {.time = 1}};
    struct rig_agent good;
    struct rig_agent bad;
    struct buf bytes;
    struct buf items;
    struct buf content;

    (void)rig_add_host(rig, "pc-5", 5);
    (void)rig_add_host(rig, "pc-6", 6);
    meet(rig, 5, 0, &good);
    meet(rig, 6, 0, &bad);
    buf_init(&bytes, 4096);
    buf_init(&items, 4096);
    buf_init(&content, 4096);
    record_encode(&record, &bytes);
    link_batch_put(&items, UINT64_MAX - 1, buf_str(&bytes));
    link_batch_encode(buf_str(&items), 1, &content);
    assert_int_equal(link_client_batch(bad.client, UINT64_MAX - 1, buf_str(&content)), 0);
    rig_send(bad.fd, link_client_output(bad.client).ptr, link_client_output(bad.client).len);
    assert_int_equal(bye_of(rig, &bad), LINK_BYE_PROTOCOL);
    rig_agent_close(rig, &bad);
    buf_done(&bytes);
    buf_done(&items);
    buf_done(&content);
    rig_agent_batch(rig, &good, 1, 20);
    rig_agent_wait_ack(rig, &good, 20);
    rig_agent_close(rig, &good);
}

/* Whoever says nothing that counts does not stay, and a token is looked at before a request. */
static void test_strangers_do_not_stay(void **state)
{
    static const char secret[LINK_SECRET_SIZE] = "no such token";
    const struct link_enrol words = {.secret = str_of(secret, sizeof(secret)),
                                     .request = STR("no request either"),
                                     .name = STR("pc")};
    struct rig *rig = *state;
    struct rig_agent agent;

    rig_agent_connect(rig, 0, true, &agent);
    rig_send(agent.fd, "CGf1", 4);
    rig_step(rig);
    rig->mono_offset += 31 * NS_PER_S;
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_END);
    rig_agent_close(rig, &agent);
    rig_agent_connect(rig, 0, true, &agent);
    assert_int_equal(link_client_enrol(agent.client, &words), 0);
    rig_send(agent.fd, link_client_output(agent.client).ptr, link_client_output(agent.client).len);
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_TOKEN_UNKNOWN);
    rig_agent_close(rig, &agent);
}

/* Asked in the console, carried to the host, answered, shown. */
static void test_action(void **state)
{
    struct rig *rig = *state;
    struct id id = rig_add_host(rig, "pc-5", 5);
    uint64_t number = rig_add_alert(rig, &id, "Data encryption was stopped", SEVERITY_CRITICAL);
    char cookie[256];
    char path[96];
    struct answer answer;
    struct rig_agent agent;
    struct link_answer word = {0};
    struct cbor_reader reader;
    struct action_request request;
    struct record record = {.kind = RECORD_KIND_ANSWER};

    rig_login(rig, "duty", cookie);
    (void)snprintf(path, sizeof(path), "/api/v1/alerts/%llu/actions", (unsigned long long)number);
    rig_http(rig, "POST", path, cookie, "{\"action\":\"resume\",\"reason\":\"phần mềm kế toán\"}",
             &answer);
    assert_int_equal(answer.status, 200); /* before the host is there */
    answer_done(&answer);
    rig->offset += ACTION_HOLD; /* nobody called it off */
    rig_agent_connect(rig, 5, false, &agent);
    rig_agent_hello(rig, &agent, 0);
    while (word.kind != LINK_ANSWER_ACTION) {
        assert_true(rig_agent_wait(rig, &agent, &word));
    }
    cbor_open(&reader, word.request);
    assert_int_equal(action_request_decode(&reader, &request), 0);
    assert_int_equal(request.action, ACTION_RESUME);
    assert_str(request.actor, "duty");
    assert_str(request.reason, "phần mềm kế toán");
    record.answer = (struct action_answer){
        .id = request.id, .time = clock_wall(&rig->clock), .detail = STR("resumed")};
    rig_agent_record(rig, &agent, 1, &record);
    rig_agent_wait_ack(rig, &agent, 1);
    rig_http(rig, "GET", path, cookie, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_member(answer.json, "items")->count, 1);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "state", STR("")), "done");
    assert_str(json_member_str(json_member(answer.json, "items")->first, "result", STR("")), "OK");
    answer_done(&answer);
    rig_agent_close(rig, &agent);
    rig_http(rig, "POST", path, cookie, "{\"action\":\"kill\",\"reason\":\"chắc chắn\"}", &answer);
    answer_done(&answer);
    rig->offset += 20 * 60 * NS_PER_S; /* nobody came for it */
    core_actions_expire(rig->core);
    assert_int_equal(core_batch_commit(rig->core), 0);
    rig_http(rig, "GET", path, cookie, NULL, &answer);
    assert_str(json_member_str(json_member(answer.json, "items")->first, "state", STR("")),
               "expired");
    answer_done(&answer);
    rig->offset -= 20 * 60 * NS_PER_S + ACTION_HOLD;
}

static size_t open_alerts(struct rig *rig, const struct id *host, const char *detector)
{
    struct store_alert_filter filter = {
        .state = -2, .severity_least = -1, .is_drill = -1, .host = host, .limit = STORE_PAGE_MAX};
    struct store_alert *alerts;
    struct arena *arena;
    size_t count;
    size_t found = 0;

    assert_int_equal(arena_new(64U << 20, &arena), 0);
    assert_int_equal(store_alert_list(rig->store, &filter, arena, &alerts, &count), 0);
    for (size_t i = 0; i < count; i++) {
        found += str_is_text(alerts[i].detector, detector) ? 1 : 0;
    }
    arena_free(arena);
    return found;
}

static void test_silence(void **state)
{
    struct rig *rig = *state;
    struct id id = rig_add_host(rig, "pc-6", 6);
    struct rig_agent agent;

    meet(rig, 6, 0, &agent);
    rig_agent_close(rig, &agent);
    core_hosts_watch(rig->core);
    assert_int_equal(open_alerts(rig, &id, "centre"), 0);
    rig->offset += 4 * 60 * NS_PER_S;
    core_hosts_watch(rig->core);
    core_hosts_watch(rig->core);
    assert_int_equal(core_batch_commit(rig->core), 0);
    assert_int_equal(open_alerts(rig, &id, "centre"), 1);
    rig_restart_core(rig);
    core_hosts_watch(rig->core);
    assert_int_equal(core_batch_commit(rig->core), 0);
    assert_int_equal(open_alerts(rig, &id, "centre"), 1); /* told already */
    meet(rig, 6, 3, &agent);
    rig_agent_batch(rig, &agent, 1, 3);
    rig_agent_wait_ack(rig, &agent, 3);
    assert_int_equal(open_alerts(rig, &id, "centre"), 0); /* it is back: nobody need close it */
    rig_agent_close(rig, &agent);
}

static void enrol(struct rig *rig, struct rig_agent *agent, struct identity *identity,
                  const char *token_text)
{
    struct buf request;
    struct token token;
    struct link_enrol words = {.name = STR("Máy kế toán")};
    struct str out;

    buf_init(&request, 16U << 10);
    assert_int_equal(token_parse(str_from(token_text), &token), 0);
    assert_int_equal(identity_request(identity, &request), 0);
    words.secret = str_of((const char *)token.secret, sizeof(token.secret));
    words.request = buf_str(&request);
    rig_agent_connect(rig, 0, true, agent);
    assert_int_equal(link_client_enrol(agent->client, &words), 0);
    out = link_client_output(agent->client);
    rig_send(agent->fd, out.ptr, out.len);
    link_client_sent(agent->client, out.len);
    buf_done(&request);
}

static void test_enrolment(void **state)
{
    struct rig *rig = *state;
    char cookie[256];
    char token[64];
    struct answer answer;
    struct identity identity;
    struct rig_agent agent;
    struct link_answer word;

    rig_login(rig, "admin", cookie);
    rig_http(rig, "POST", "/api/v1/tokens", cookie, "{\"hours\":1}", &answer);
    assert_int_equal(answer.status, 200);
    (void)snprintf(token, sizeof(token), "%.*s",
                   STR_ARG(json_member_str(answer.json, "token", STR(""))));
    answer_done(&answer);
    identity_init(&identity);
    enrol(rig, &agent, &identity, token);
    assert_true(rig_agent_wait(rig, &agent, &word));
    assert_int_equal(word.kind, LINK_ANSWER_ENROLLED);
    assert_int_equal(identity_check(&identity, word.enrolled.certificate), 0);
    assert_non_null(core_host_by_id(rig->core, &word.enrolled.host));
    rig_agent_close(rig, &agent);
    identity_done(&identity);
    identity_init(&identity);
    enrol(rig, &agent, &identity, token); /* a token is good once */
    assert_int_equal(bye_of(rig, &agent), LINK_BYE_TOKEN_USED);
    rig_agent_close(rig, &agent);
    identity_done(&identity);
}

/* Asks for a one-time password; what the centre says of it, with the answer at the reader. */
static int64_t ask_password(struct rig *rig, int channel, struct str name,
                            struct channel_packet *packet)
{
    static struct msg_writer msg;
    struct buf body;
    int64_t code;
    int r = -ERR_AGAIN;

    buf_init(&body, 256);
    cbor_put_map(&body, 1);
    cbor_put_u64(&body, 0);
    cbor_put_text(&body, name);
    msg_begin(&msg, CENTRE_MESSAGE_REQUEST);
    msg_put_u64(&msg, 77);
    msg_put_str(&msg, STR("whoever"));
    msg_put_str(&msg, STR("user.password"));
    msg_put_str(&msg, buf_str(&body));
    msg_put_u32(&msg, LANGUAGE_EN);
    assert_int_equal(channel_send(channel, &msg, NULL, 0), 0);
    buf_done(&body);
    for (int i = 0; i < 4000 && r == -ERR_AGAIN; i++) {
        rig_step(rig);
        r = channel_receive(channel, packet);
    }
    assert_int_equal(r, 0);
    assert_int_equal(msg_get_u64(&packet->msg), 77);
    code = msg_get_i64(&packet->msg);
    (void)msg_get_str(&packet->msg);
    return code;
}

/* Asked on the centre's own machine: a name that is mistyped makes nobody an admin. */
static void test_operator(void **state)
{
    static struct msg_writer msg;
    static struct channel_packet packet;
    struct rig *rig = *state;
    struct answer answer;
    struct cbor_reader reader;
    char login[128];
    struct str password;
    int pair[2];

    assert_int_equal(channel_pair(pair), 0);
    msg_begin(&msg, CENTRE_MESSAGE_OPERATOR);
    msg_put_str(&msg, STR("root"));
    assert_int_equal(channel_send(rig->supervisor, &msg, &pair[1], 1), 0);
    closep(&pair[1]);
    assert_int_equal(fd_set_nonblocking(pair[0], true), 0);
    assert_int_equal(ask_password(rig, pair[0], STR("admim"), &packet), -ERR_NOENT);
    assert_int_equal(ask_password(rig, pair[0], STR("admin"), &packet), 0);
    cbor_open(&reader, msg_get_str(&packet.msg));
    assert_int_equal(cbor_get_map(&reader), 2);
    (void)cbor_get_text(&reader);
    assert_str(cbor_get_text(&reader), "admin");
    (void)cbor_get_text(&reader);
    password = cbor_get_text(&reader);
    (void)snprintf(login, sizeof(login), "{\"user\":\"admin\",\"password\":\"%.*s\"}",
                   STR_ARG(password));
    rig_http(rig, "POST", "/api/v1/login", "", login, &answer);
    assert_int_equal(answer.status, 200);
    assert_str(json_member_str(answer.json, "role", STR("")), "admin");
    answer_done(&answer);
    closep(&pair[0]);
    rig_step(rig);
}

/* The supervisor says that a child died for the third time within a minute. */
static void test_crash_loop(void **state)
{
    static struct msg_writer msg;
    struct rig *rig = *state;

    msg_begin(&msg, CENTRE_MESSAGE_DIED);
    msg_put_str(&msg, STR("api"));
    msg_put_i64(&msg, 11);
    msg_put_u64(&msg, 3);
    assert_int_equal(msg_end(&msg), 0);
    assert_int_equal(channel_send(rig->supervisor, &msg, NULL, 0), 0);
    rig_step(rig);
    assert_int_equal(core_batch_commit(rig->core), 0);
    assert_int_equal(open_alerts(rig, NULL, "centre"), 1);
}

#define KILL_ROUNDS  12
#define KILL_RECORDS 20000

/* The child is core alone over the folder, with one agent's stream; it is killed from outside. */
static void child_core(struct rig *rig, int stream)
{
    static struct msg_writer msg;
    char key[32];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (loop_new(64, &rig->loop) < 0) { /* the parent's is the parent's */
        _exit(1);
    }
    rig_start_core(rig);
    memset(key, 1, sizeof(key));
    msg_begin(&msg, CENTRE_MESSAGE_AGENT);
    msg_put_u32(&msg, 0);
    msg_put_str(&msg, str_of(key, sizeof(key)));
    msg_put_str(&msg, STR("192.0.2.9"));
    if (channel_send(rig->front_core, &msg, &stream, 1) == 0) {
        (void)loop_run(rig->loop);
    }
    _exit(0);
}

/* Sends from what is acknowledged on until the stream breaks; returns what was acknowledged last.
 */
static uint64_t feed_until_cut(struct rig *rig, int fd, uint64_t sent_before)
{
    struct rig_agent agent = {.fd = fd};
    struct link_answer answer;
    uint64_t acknowledged = 0;
    uint64_t next;

    assert_int_equal(link_client_new(&agent.client), 0);
    rig_agent_hello(rig, &agent, sent_before);
    if (!rig_agent_wait(rig, &agent, &answer) || answer.kind != LINK_ANSWER_ACK) {
        link_client_free(agent.client);
        return 0;
    }
    acknowledged = answer.sequence;
    for (next = acknowledged + 1; next <= KILL_RECORDS && !agent.is_closed; next += 100) {
        rig_agent_batch(rig, &agent, next, next + 99);
    }
    while (acknowledged < KILL_RECORDS && !agent.is_closed &&
           rig_agent_wait(rig, &agent, &answer)) {
        acknowledged = answer.kind == LINK_ANSWER_ACK ? answer.sequence : acknowledged;
    }
    link_client_free(agent.client);
    return acknowledged;
}

/* Each entry of a log was counted once, for its source. */
static void check_sources(struct rig *rig, struct arena *arena)
{
    const struct store_logsource_filter filter = {.state = -1, .limit = 10};
    struct store_logsource_row *rows;
    size_t count;

    assert_int_equal(store_logsource_list(rig->store, &filter, arena, &rows, &count), 0);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i].source.entries, KILL_RECORDS / 20);
        assert_int_equal(rows[i].source.bytes, KILL_RECORDS / 20 * strlen("a line"));
    }
}

/* kill -9 at random points under load: what core said it has, it has; what it has, it has once. */
static void test_killed_again_and_again(void **state)
{
    struct rig *rig = *state;
    uint64_t acknowledged = 0;
    unsigned interrupted = 0;
    struct store_counts counts;
    struct id id = rig_add_host(rig, "pc-1", 1);
    struct arena *arena;
    struct store_host row;
    struct prng prng;

    prng_init(&prng, 42);
    rig_stop_core(rig);
    for (int round = 0; acknowledged < KILL_RECORDS; round++) {
        int pair[2];
        pid_t pid;
        pid_t killer = 0;
        uint64_t before = acknowledged;
        int64_t delay_ms = 20 + (int64_t)prng_below(&prng, 200);

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
        pid = fork();
        if (pid == 0) {
            close(pair[0]);
            child_core(rig, pair[1]);
        }
        close(pair[1]);
        if (round < KILL_ROUNDS) {
            killer = fork();
            if (killer == 0) {
                struct timespec pause = {.tv_nsec = delay_ms * NS_PER_MS};

                (void)nanosleep(&pause, NULL);
                (void)kill(pid, SIGKILL);
                _exit(0);
            }
        }
        acknowledged = feed_until_cut(rig, pair[0], KILL_RECORDS);
        acknowledged = acknowledged > before ? acknowledged : before;
        interrupted += acknowledged < KILL_RECORDS ? 1 : 0;
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (killer != 0) {
            assert_int_equal(waitpid(killer, NULL, 0), killer);
        }
        close(pair[0]);
        assert_true(round < 200);
    }
    assert_true(interrupted >= 3);
    rig_start_core(rig);
    counts = counts_of(rig);
    assert_int_equal(counts.events + counts.findings, KILL_RECORDS);
    assert_int_equal(counts.findings, KILL_RECORDS / 10);
    assert_int_equal(arena_new(1U << 20, &arena), 0);
    assert_int_equal(store_host_get(rig->store, &id, arena, &row), 0);
    assert_int_equal(row.acknowledged, KILL_RECORDS);
    check_sources(rig, arena);
    arena_free(arena);
}

/* Sends from what core has on; true when all was acknowledged, false when core said that it is
 * full. */
static bool feed_until_full(struct rig *rig, uint64_t records, uint64_t *acknowledged)
{
    struct rig_agent agent;
    struct link_answer answer = {0};
    bool is_full = false;

    rig_agent_connect(rig, 1, false, &agent);
    rig_agent_hello(rig, &agent, records);
    while (!is_full && rig_agent_wait(rig, &agent, &answer)) {
        is_full = answer.kind == LINK_ANSWER_BYE && answer.bye == LINK_BYE_FULL;
        if (answer.kind == LINK_ANSWER_ACK) {
            *acknowledged = answer.sequence;
            if (*acknowledged == records) {
                break;
            }
            rig_agent_batch(rig, &agent, *acknowledged + 1, *acknowledged + 100);
        }
    }
    rig_agent_close(rig, &agent);
    return !is_full;
}

static void fill_the_disk(const char *folder)
{
    static struct rig rig;
    uint64_t acknowledged = 0;
    struct store_counts counts;
    struct answer answer;

    rig_start_in(&rig, folder);
    (void)rig_add_host(&rig, "pc-1", 1);
    assert_false(feed_until_full(&rig, 1000000, &acknowledged));
    assert_true(acknowledged > 0 && rig.core->is_full);
    assert_int_equal(store_counts(rig.store, &counts), 0);
    assert_int_equal(counts.events + counts.findings, acknowledged); /* no more and no less */
    rig_http(&rig, "GET", "/healthz", "", NULL, &answer);
    assert_int_equal(answer.status, 503);
    assert_str(json_member_str(answer.json, "disk", STR("")), "full");
    answer_done(&answer);
    assert_false(feed_until_full(&rig, 1000000, &acknowledged)); /* turned away at once */
    core_disk_watch(rig.core);
    assert_true(rig.core->is_full);
    assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    core_disk_watch(rig.core);
    assert_false(rig.core->is_full);
    assert_true(feed_until_full(&rig, acknowledged + 2000, &acknowledged));
    counts = counts_of(&rig);
    assert_int_equal(counts.events + counts.findings, acknowledged);
    rig_stop(&rig);
}

static void test_full_disk(void **state)
{
    char folder[] = "/tmp/canhgac-full-XXXXXX";
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_non_null(mkdtemp(folder));
    pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", folder, "tmpfs", 0, "size=3m") < 0) {
            _exit(77);
        }
        fill_the_disk(folder); /* a failed assertion ends the child with another status */
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)rmdir(folder);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_acknowledged_once, start, stop),
        cmocka_unit_test_setup_teardown(test_who_is_let_in, start, stop),
        cmocka_unit_test_setup_teardown(test_nonsense_is_cut, start, stop),
        cmocka_unit_test_setup_teardown(test_action, start, stop),
        cmocka_unit_test_setup_teardown(test_silence, start, stop),
        cmocka_unit_test_setup_teardown(test_number_spoils_nobody, start, stop),
        cmocka_unit_test_setup_teardown(test_strangers_do_not_stay, start, stop),
        cmocka_unit_test_setup_teardown(test_enrolment, start, stop),
        cmocka_unit_test_setup_teardown(test_operator, start, stop),
        cmocka_unit_test_setup_teardown(test_crash_loop, start, stop),
        cmocka_unit_test_setup_teardown(test_killed_again_and_again, start, stop),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
