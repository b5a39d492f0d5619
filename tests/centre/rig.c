/* The centre in one process, for tests. */
#include "rig.h"

#include "../harness.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "centre/password.h"
#include "link/message.h"
#include "sys/fd.h"

#include <errno.h>
#include <ftw.h>
#include <sys/socket.h>

#define RIG_BOUND (120 * NS_PER_S) /* only what hangs waits so long */

static const struct asset rig_assets[] = {
    {"/", "text/html; charset=utf-8", NULL, "\"e1\"", false, "<!doctype html>", NULL},
    {"/app-1a2b.js", "text/javascript", "br", "\"e2\"", true, "BROTLI", NULL},
    {"/app-1a2b.js", "text/javascript", NULL, "\"e3\"", true, "plain();", NULL},
    {}};
static struct asset rig_asset_rows[4];

static int64_t rig_wall(void *context)
{
    return clock_wall(&clock_real) + ((struct rig *)context)->offset;
}

static int64_t rig_mono(void *context)
{
    return clock_mono(&clock_real) + ((struct rig *)context)->mono_offset;
}

void rig_start_core(struct rig *rig)
{
    int front[2];
    int supervisor[2];
    int fetch[2];
    struct diag diag = {0};
    struct core_options options = {.folder = rig->folder,
                                   .clock = &rig->clock,
                                   .log_ahead = 60 * NS_PER_S,
                                   .log_behind = 86400 * NS_PER_S,
                                   .silent_after = 180 * NS_PER_S,
                                   .token_life = 3600 * NS_PER_S,
                                   .settings = &rig->settings};

    assert_int_equal(
        store_open(&(struct store_options){.folder = rig->folder, .clock = &rig->clock},
                   &rig->store, &diag),
        0);
    assert_int_equal(
        archive_open(&(struct archive_options){.folder = rig->folder, .clock = &rig->clock},
                     &rig->archive, &diag),
        0);
    assert_int_equal(channel_pair(front), 0);
    assert_int_equal(channel_pair(supervisor), 0);
    assert_int_equal(channel_pair(fetch), 0);
    assert_int_equal(fd_set_nonblocking(fetch[0], true), 0);
    rig->fetch = fetch[0];
    rig->front_core = front[0];
    rig->supervisor = supervisor[0];
    options.loop = rig->loop;
    options.store = rig->store;
    options.archive = rig->archive;
    options.authority = rig->authority;
    options.channels = (struct core_channels){.front = front[1],
                                              .api = rig->middle[0],
                                              .fetch = fetch[1],
                                              .detector = -1,
                                              .receiver = -1,
                                              .supervisor = supervisor[1]};
    rig->core = NULL;
    assert_int_equal(core_new(&options, &rig->core, &diag), 0);
}

static void rig_add_users(struct rig *rig)
{
    static const char *const names[] = {"viewer", "duty", "admin", "fresh"};
    static char encoded[PASSWORD_ENCODED_SIZE];
    uint64_t number;

    if (encoded[0] == '\0') {
        assert_int_equal(password_hash(str_from(RIG_PASSWORD), encoded), 0);
    }
    assert_int_equal(store_begin(rig->store), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct store_user user = {.name = str_from(names[i]),
                                  .full_name = STR("Nguyễn Văn A"),
                                  .role = i < 3 ? (enum role)i : ROLE_ADMIN,
                                  .password = str_from(encoded),
                                  .must_change_password = i == 3,
                                  .language = LANGUAGE_EN,
                                  .created = clock_wall(&rig->clock)};

        assert_int_equal(store_user_put(rig->store, &user, &number), 0);
    }
    assert_int_equal(store_commit(rig->store), 0);
}

void rig_start(struct rig *rig)
{
    char folder[] = "/tmp/canhgac-rig-XXXXXX";

    assert_non_null(mkdtemp(folder));
    rig_start_in(rig, folder);
}

void rig_start_in(struct rig *rig, const char *folder)
{
    int front[2];
    struct diag diag = {0};
    struct api_options options = {
        .clock = &rig->clock, .language = LANGUAGE_EN, .silent_after = 180 * NS_PER_S};

    memset(rig, 0, sizeof(*rig));
    rig->clock = (struct clock){.wall = rig_wall, .mono = rig_mono, .context = rig};
    (void)snprintf(rig->folder, sizeof(rig->folder), "%s", folder);
    assert_int_equal(arena_new(1U << 20, &rig->arena), 0);
    assert_int_equal(arena_new(1U << 20, &rig->settings_arena), 0);
    assert_int_equal(settings_default(centre_rows, &rig->settings, rig->settings_arena), 0);
    rig->settings.language = "en";
    options.settings = &rig->settings;
    options.folder = rig->folder;
    assert_int_equal(loop_new(4096, &rig->loop), 0);
    assert_int_equal(authority_new(STR("rig"), clock_wall(&rig->clock), &rig->authority), 0);
    assert_int_equal(channel_pair(rig->middle), 0);
    rig_start_core(rig);
    rig_add_users(rig);
    assert_int_equal(store_open(&(struct store_options){.folder = rig->folder,
                                                        .is_read_only = true,
                                                        .clock = &rig->clock},
                                &rig->reader, &diag),
                     0);
    assert_int_equal(channel_pair(front), 0);
    rig->front_api = front[0];
    for (size_t i = 0; i < ARRAY_LEN(rig_assets); i++) {
        rig_asset_rows[i] = rig_assets[i];
        rig_asset_rows[i].end =
            rig_assets[i].start == NULL ? NULL : rig_assets[i].start + strlen(rig_assets[i].start);
    }
    options.loop = rig->loop;
    options.store = rig->reader;
    options.assets = rig_asset_rows;
    options.channels = (struct api_channels){
        .front = front[1], .core = rig->middle[1], .receiver = -1, .sifter = -1, .supervisor = -1};
    assert_int_equal(api_new(&options, &rig->api, &diag), 0);
}

void rig_stop_core(struct rig *rig)
{
    struct core_channels channels = rig->core->options.channels;

    core_free(rig->core);
    rig->core = NULL;
    closep(&channels.front);
    closep(&channels.supervisor);
    closep(&channels.fetch);
    closep(&rig->fetch);
    closep(&rig->front_core);
    closep(&rig->supervisor);
    archive_close(rig->archive);
    store_close(rig->store);
}

static int rig_remove(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

void rig_stop(struct rig *rig)
{
    struct api_channels channels = rig->api->options.channels;

    api_free(rig->api);
    if (rig->core != NULL) {
        rig_stop_core(rig);
    }
    store_close(rig->reader);
    authority_free(rig->authority);
    loop_free(rig->loop);
    closep(&rig->middle[0]);
    closep(&channels.front);
    closep(&rig->middle[1]);
    closep(&rig->front_api);
    arena_free(rig->settings_arena);
    arena_free(rig->arena);
    (void)nftw(rig->folder, rig_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void rig_step(struct rig *rig)
{
    assert_true(loop_step(rig->loop, 5) >= 0);
}

void rig_restart_core(struct rig *rig)
{
    rig_stop_core(rig);
    rig_start_core(rig);
}

static int64_t rig_deadline(void)
{
    return clock_mono(&clock_real) + RIG_BOUND;
}

static void rig_check_deadline(int64_t deadline, const char *what)
{
    if (clock_mono(&clock_real) > deadline) {
        fail_msg("waited in vain for %s", what);
    }
}

void answer_done(struct answer *answer)
{
    buf_done(&answer->body);
    arena_free(answer->arena);
    memset(answer, 0, sizeof(*answer));
}

const char *answer_header(const struct answer *answer, const char *name)
{
    static char value[1024];
    struct str rest = str_from(answer->head);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        struct str key;

        if (str_cut(&line, ':', &key) && str_is_nocase(key, str_from(name))) {
            (void)snprintf(value, sizeof(value), "%.*s", STR_ARG(str_trim(line)));
            return value;
        }
    }
    return "";
}

static int rig_pair(struct rig *rig, int channel, struct msg_writer *msg)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(msg_end(msg), 0);
    assert_int_equal(channel_send(channel, msg, &pair[1], 1), 0);
    closep(&pair[1]);
    rig_step(rig);
    return pair[0];
}

int rig_browser(struct rig *rig, const char *address)
{
    static struct msg_writer msg;

    msg_begin(&msg, CENTRE_MESSAGE_BROWSER);
    msg_put_str(&msg, str_from(address));
    return rig_pair(rig, rig->front_api, &msg);
}

void rig_send(int fd, const char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0) {
            return; /* the other side has had enough: the test looks at what it answers */
        }
        bytes += n;
        len -= (size_t)n;
    }
}

/* Length of the whole answer once it is there, 0 before. */
static size_t rig_answer_size(struct str bytes, size_t *ret_head)
{
    size_t head = str_find(bytes, STR("\r\n\r\n"));
    size_t at;
    uint64_t length = 0;
    struct str rest;
    struct str line;

    if (head == bytes.len) {
        return 0;
    }
    *ret_head = head + 4;
    at = str_find(str_slice(bytes, 0, head), STR("Content-Length: "));
    if (at != head) {
        rest = str_slice(bytes, at + 16, bytes.len);
        (void)str_cut(&rest, '\r', &line);
        assert_int_equal(str_to_u64(line, &length), 0);
    }
    return bytes.len >= head + 4 + length ? head + 4 + (size_t)length : 0;
}

static void rig_parse_answer(struct answer *answer, struct str bytes, size_t head)
{
    struct diag diag = {0};
    struct str code = str_slice(bytes, 9, 12);
    uint64_t status;

    assert_int_equal(str_to_u64(code, &status), 0);
    answer->status = (int)status;
    (void)snprintf(answer->head, sizeof(answer->head), "%.*s", STR_ARG(str_slice(bytes, 0, head)));
    buf_put_str(&answer->body, str_slice(bytes, head, bytes.len));
    assert_int_equal(arena_new(16U << 20, &answer->arena), 0);
    if (json_parse(buf_str(&answer->body), answer->arena, &answer->json, &diag) < 0) {
        answer->json = NULL;
    }
}

/* Appends what fd has; false at its end. */
static bool rig_read(int fd, struct buf *buf)
{
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n > 0) {
        assert_int_equal(buf_put(buf, bytes, (size_t)n), 0);
    }
    return n > 0 || (n < 0 && errno == EAGAIN);
}

void rig_receive(struct rig *rig, int fd, struct answer *answer)
{
    int64_t deadline = rig_deadline();
    struct buf bytes;
    size_t head = 0;
    size_t size = 0;

    memset(answer, 0, sizeof(*answer));
    buf_init(&answer->body, 16U << 20);
    buf_init(&bytes, 16U << 20);
    while (size == 0) {
        bool is_open;

        rig_step(rig);
        is_open = rig_read(fd, &bytes);
        size = rig_answer_size(buf_str(&bytes), &head);
        rig_check_deadline(deadline, "an answer");
        if (!is_open && size == 0) {
            break; /* cut without a word: status 0 */
        }
    }
    if (size != 0) {
        rig_parse_answer(answer, str_slice(buf_str(&bytes), 0, size), head);
    }
    buf_done(&bytes);
}

void rig_http(struct rig *rig, const char *method, const char *path, const char *headers,
              const char *body, struct answer *answer)
{
    CLEANUP(closep) int fd = rig_browser(rig, "198.51.100.7");
    struct buf bytes;

    buf_init(&bytes, 1U << 20);
    buf_putf(&bytes, "%s %s HTTP/1.1\r\nHost: centre.example\r\nX-Canhgac: 1\r\n%s", method, path,
             headers);
    if (body != NULL) {
        buf_putf(&bytes, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    }
    buf_putf(&bytes, "\r\n%s", body != NULL ? body : "");
    assert_int_equal(buf_error(&bytes), 0);
    rig_send(fd, bytes.ptr, bytes.len);
    buf_done(&bytes);
    rig_receive(rig, fd, answer);
}

void rig_login(struct rig *rig, const char *user, char cookie[256])
{
    char body[256];
    struct answer answer;
    struct str value;
    struct str first;

    (void)snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", user, RIG_PASSWORD);
    rig_http(rig, "POST", "/api/v1/login", "", body, &answer);
    assert_int_equal(answer.status, 200);
    value = str_from(answer_header(&answer, "Set-Cookie"));
    assert_true(str_cut(&value, ';', &first));
    (void)snprintf(cookie, 256, "Cookie: %.*s\r\n", STR_ARG(first));
    answer_done(&answer);
}

void rig_wait_text(struct rig *rig, int fd, struct buf *buf, const char *text)
{
    int64_t deadline = rig_deadline();

    while (str_find(buf_str(buf), str_from(text)) == buf->len) {
        rig_step(rig);
        if (!rig_read(fd, buf)) {
            fail_msg("the stream ended before '%s'", text);
        }
        rig_check_deadline(deadline, text);
    }
}

struct id rig_add_host(struct rig *rig, const char *name, uint8_t byte)
{
    struct store_host row = {.name = str_from(name), .enrolled = clock_wall(&rig->clock)};

    assert_int_equal(id_new(&row.id), 0);
    memset(row.key_sha256, byte, sizeof(row.key_sha256));
    assert_int_equal(core_batch_begin(rig->core), 0);
    assert_int_equal(store_host_put(rig->store, &row), 0);
    assert_int_equal(core_batch_commit(rig->core), 0);
    assert_int_equal(core_host_add(rig->core, &row, NULL), 0);
    return row.id;
}

void rig_agent_connect(struct rig *rig, uint8_t key_byte, bool is_enrolment,
                       struct rig_agent *agent)
{
    static struct msg_writer msg;
    char key[32];

    memset(key, key_byte, sizeof(key));
    memset(agent, 0, sizeof(*agent));
    msg_begin(&msg, CENTRE_MESSAGE_AGENT);
    msg_put_u32(&msg, is_enrolment ? 1 : 0);
    msg_put_str(&msg, is_enrolment ? STR("") : str_of(key, sizeof(key)));
    msg_put_str(&msg, STR("192.0.2.9"));
    agent->fd = rig_pair(rig, rig->front_core, &msg);
    assert_int_equal(link_client_new(&agent->client), 0);
}

static void rig_agent_flush(struct rig *rig, struct rig_agent *agent)
{
    int64_t deadline = rig_deadline();

    while (link_client_output(agent->client).len != 0 && !agent->is_closed) {
        struct str out = link_client_output(agent->client);
        ssize_t n = send(agent->fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            link_client_sent(agent->client, (size_t)n);
        } else if (errno != EAGAIN) {
            agent->is_closed = true;
        }
        rig_step(rig);
        rig_check_deadline(deadline, "room in an agent's stream");
    }
}

void rig_agent_hello(struct rig *rig, struct rig_agent *agent, uint64_t last)
{
    struct link_hello hello = {.clock = clock_wall(&rig->clock), .version = STR("0.1.0")};

    assert_int_equal(link_client_hello(agent->client, last, &hello), 0);
    rig_agent_flush(rig, agent);
}

static void rig_fill_record(struct rig *rig, uint64_t sequence, struct record *record)
{
    memset(record, 0, sizeof(*record));
    if (sequence % 10 == 0) {
        record->kind = RECORD_KIND_FINDING;
        record->finding = (struct finding){.time = clock_wall(&rig->clock),
                                           .detector = STR("ransom"),
                                           .severity = SEVERITY_CRITICAL,
                                           .title = STR("Data encryption was stopped"),
                                           .score = 9};
        memcpy(record->finding.id.bytes, &sequence, sizeof(sequence));
        record->finding.id.bytes[15] = 1;
        return;
    }
    record->kind = RECORD_KIND_EVENT;
    if (sequence % 10 == 5) {
        event_init(&record->event, EVENT_KIND_LOG, clock_wall(&rig->clock));
        (void)event_add_text(&record->event, EVENT_FIELD_LOG_FILE_PATH,
                             sequence % 20 == 5 ? STR("/var/log/a.log") : STR("/var/log/b.log"));
        (void)event_add_text(&record->event, EVENT_FIELD_EVENT_ORIGINAL, STR("a line"));
        return;
    }
    event_init(&record->event, EVENT_KIND_PROCESS_START, clock_wall(&rig->clock));
    (void)event_add_number(&record->event, EVENT_FIELD_PROCESS_PID, (int64_t)sequence);
    (void)event_add_text(&record->event, EVENT_FIELD_PROCESS_NAME, STR("soffice.bin"));
}

static void rig_agent_put(struct rig *rig, struct rig_agent *agent, struct buf *items,
                          uint64_t last, size_t count)
{
    struct buf content;

    buf_init(&content, 8U << 20);
    link_batch_encode(buf_str(items), count, &content);
    assert_int_equal(buf_error(&content), 0);
    assert_int_equal(link_client_batch(agent->client, last, buf_str(&content)), 0);
    buf_done(&content);
    rig_agent_flush(rig, agent);
}

static void rig_put_record(struct buf *items, uint64_t sequence, const struct record *record)
{
    struct buf bytes;

    buf_init(&bytes, 64U << 10);
    record_encode(record, &bytes);
    assert_int_equal(buf_error(&bytes), 0);
    link_batch_put(items, sequence, buf_str(&bytes));
    buf_done(&bytes);
}

void rig_agent_record(struct rig *rig, struct rig_agent *agent, uint64_t sequence,
                      const struct record *record)
{
    struct buf items;

    buf_init(&items, 1U << 20);
    rig_put_record(&items, sequence, record);
    rig_agent_put(rig, agent, &items, sequence, 1);
    buf_done(&items);
}

void rig_agent_batch(struct rig *rig, struct rig_agent *agent, uint64_t first, uint64_t last)
{
    struct record record;
    struct buf items;

    buf_init(&items, 8U << 20);
    for (uint64_t sequence = first; sequence <= last; sequence++) {
        rig_fill_record(rig, sequence, &record);
        rig_put_record(&items, sequence, &record);
    }
    rig_agent_put(rig, agent, &items, last, (size_t)(last - first + 1));
    buf_done(&items);
}

bool rig_agent_wait(struct rig *rig, struct rig_agent *agent, struct link_answer *answer)
{
    int64_t deadline = rig_deadline();

    for (;;) {
        char bytes[16384];
        int r = link_client_next(agent->client, answer);
        ssize_t n;

        assert_true(r >= 0);
        if (r == 1) {
            return true;
        }
        rig_step(rig);
        n = recv(agent->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            agent->is_closed = true;
            return false;
        }
        if (n > 0) {
            assert_int_equal(link_client_feed(agent->client, str_of(bytes, (size_t)n)), 0);
        }
        rig_check_deadline(deadline, "word from core");
    }
}

void rig_agent_wait_ack(struct rig *rig, struct rig_agent *agent, uint64_t sequence)
{
    struct link_answer answer = {0};

    while (answer.kind != LINK_ANSWER_ACK || answer.sequence < sequence) {
        assert_true(rig_agent_wait(rig, agent, &answer));
    }
}

void rig_agent_close(struct rig *rig, struct rig_agent *agent)
{
    closep(&agent->fd);
    link_client_free(agent->client);
    for (int i = 0; i < 4; i++) {
        rig_step(rig);
    }
}

uint64_t rig_add_alert(struct rig *rig, const struct id *host, const char *title,
                       enum severity severity)
{
    struct finding finding = {.time = clock_wall(&rig->clock),
                              .detector = STR("ransom"),
                              .severity = severity,
                              .title = str_from(title),
                              .score = 8};
    uint64_t number;

    assert_int_equal(id_new(&finding.id), 0);
    assert_int_equal(core_batch_begin(rig->core), 0);
    assert_int_equal(store_alert_fold(rig->store, host, &finding, &number), 0);
    assert_int_equal(core_batch_commit(rig->core), 0);
    core_tell(rig->core, CENTRE_CHANGED_ALERTS);
    return number;
}
