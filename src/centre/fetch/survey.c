/* See centre/fetch/survey.h. A name server is asked one question after another: addresses of both
 * kinds, name servers of the name and, where it has none, of the name above, mail. One that is
 * silent once is not asked again in the same survey. Invariant: c-ares answers every question that
 * was put, so a survey nobody waits for any more is freed by its last answer. */
#include "centre/fetch/survey.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "centre/fetch/dns_line.h"

#include <arpa/inet.h>

#define SURVEY_TRY_MS    2000
#define SURVEY_TRIES     2
#define SURVEY_ASKED_MAX 64 /* surveys at a time: the rest wait, untimed */
#define SURVEY_WAIT_MAX  256
#define SILENCES_MOST    3U              /* in a row: then a name server is left alone … */
#define SILENCE_REST     (60 * NS_PER_S) /* … for so long, else it would hold up every look */
#define SURVEY_PAUSE     (2 * NS_PER_S)  /* before the second time of asking */
#define CLASS_IN         1

enum survey_step {
    SURVEY_STEP_A,
    SURVEY_STEP_AAAA,
    SURVEY_STEP_SERVERS,
    SURVEY_STEP_EXCHANGERS,
    SURVEY_STEP_COUNT,
};

struct survey_line {
    char server[SURVEY_SERVER_SIZE];
    struct dns_line *lines[2]; /* for the first time of asking, and the second */
    unsigned silences;         /* in a row */
    int64_t rest;              /* monotonic ns: it is not asked until then */
};

struct surveyor {
    struct loop *loop;
    const struct clock *clock;
    struct survey_line lines[SURVEY_SERVERS_MAX];
    unsigned line_count;
    struct list waiting;
    struct list asked;
    struct list paused;
    unsigned asked_count;
    unsigned waiting_count;    /* paused ones too */
    struct loop_source *timer; /* starts those that wait, from outside their caller */
    bool is_ending;
};

struct survey_turn { /* one name server's part of a survey */
    struct survey_ask *ask;
    struct survey_word *word;
    struct survey_line *server;
    struct dns_line *line;
    enum survey_step step;
    const char *zone; /* in the host: where its name servers are looked for */
};

struct survey_ask {
    struct list node;
    struct surveyor *surveyor;
    survey_done_fn *done; /* NULL: nobody waits any more */
    void *context;
    char host[DNS_HOST_MAX + 1];
    size_t domain_len;
    bool is_asked;
    unsigned pending;
    struct loop_source *timer; /* of one that is to wait a while; else NULL */
    struct survey_turn turns[SURVEY_SERVERS_MAX];
    struct survey survey;
};

static void survey_turn_ask(struct survey_turn *turn);

static void survey_server_text(const struct ares_addr_port_node *node, char *out)
{
    char address[INET6_ADDRSTRLEN] = "";
    bool is_v6 = node->family == AF_INET6;
    int port = node->udp_port;

    (void)inet_ntop(node->family, is_v6 ? (const void *)&node->addr.addr6 : &node->addr.addr4,
                    address, sizeof(address));
    if (port == 0 || port == 53) {
        (void)snprintf(out, SURVEY_SERVER_SIZE, "%s", address);
    } else {
        (void)snprintf(out, SURVEY_SERVER_SIZE, is_v6 ? "[%s]:%d" : "%s:%d", address, port);
    }
}

static int surveyor_add(struct surveyor *surveyor, const struct dns_line_options *options,
                        struct ares_addr_port_node *node, struct diag *diag)
{
    struct survey_line *line = &surveyor->lines[surveyor->line_count++];
    struct ares_addr_port_node alone = *node;

    alone.next = NULL;
    survey_server_text(node, line->server);
    for (unsigned i = 0; i < ARRAY_LEN(line->lines); i++) {
        int r = dns_line_new(options, &line->lines[i], diag);

        if (r < 0) {
            return r;
        }
        if (ares_set_servers_ports(dns_line_channel(line->lines[i]), &alone) != ARES_SUCCESS) {
            return -ERR_NOMEM;
        }
    }
    return 0;
}

/* c-ares reads the list, be it ours or the system's; each gets lines of its own. */
static int surveyor_add_all(struct surveyor *surveyor, const char *servers, struct diag *diag)
{
    const struct dns_line_options options = {.loop = surveyor->loop,
                                             .servers = servers,
                                             .try_ms = SURVEY_TRY_MS,
                                             .tries = SURVEY_TRIES,
                                             .has_errors = true};
    struct ares_addr_port_node *nodes = NULL;
    struct dns_line *all = NULL;
    int r = dns_line_new(&options, &all, diag);

    if (r == 0 && ares_get_servers_ports(dns_line_channel(all), &nodes) != ARES_SUCCESS) {
        r = -ERR_NOMEM;
    }
    for (struct ares_addr_port_node *node = nodes;
         r == 0 && node != NULL && surveyor->line_count < SURVEY_SERVERS_MAX; node = node->next) {
        r = surveyor_add(surveyor, &options, node, diag);
    }
    if (nodes != NULL) {
        ares_free_data(nodes);
    }
    dns_line_free(all);
    return r;
}

static void survey_free(struct survey_ask *ask)
{
    loop_source_free(ask->timer);
    list_remove(&ask->node);
    mem_free(ask);
}

static void surveyor_wake(struct surveyor *surveyor)
{
    (void)!loop_source_set_timer(surveyor->timer, 1, 0);
}

/* One of those that it waited for has said all that it says. */
static void survey_release(struct survey_ask *ask)
{
    struct surveyor *surveyor = ask->surveyor;

    if (--ask->pending != 0) {
        return;
    }
    surveyor->asked_count--;
    if (ask->done != NULL) {
        ask->done(ask->context, &ask->survey);
    }
    survey_free(ask);
    surveyor_wake(surveyor);
}

static bool survey_has_name(char names[SURVEY_NAMES_MAX][RR_NAME_MAX + 1], unsigned count,
                            const char *name)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void survey_add_name(char names[SURVEY_NAMES_MAX][RR_NAME_MAX + 1], unsigned *count,
                            const char *name)
{
    if (*count < SURVEY_NAMES_MAX && name[0] != '\0' && !survey_has_name(names, *count, name)) {
        memcpy(names[(*count)++], name, RR_NAME_MAX + 1);
    }
}

static void survey_add_address(struct survey_word *word, const struct rr *record)
{
    int family = record->address_len == 4 ? AF_INET : AF_INET6;

    if (word->address_count < SURVEY_ADDRESSES_MAX &&
        inet_ntop(family, record->address, word->addresses[word->address_count],
                  DNS_ADDRESS_SIZE) != NULL) {
        word->address_count++;
        word->ttl = record->ttl > word->ttl ? record->ttl : word->ttl;
        word->state = SURVEY_THERE;
    }
}

/* Name servers and mail count only of the name that was asked for: behind an alias they are
 * somebody else's. */
static void survey_take_record(struct survey_turn *turn, const struct rr *record)
{
    struct survey_word *word = turn->word;
    bool is_addresses = turn->step <= SURVEY_STEP_AAAA;
    bool is_own = strcmp(record->owner, turn->zone) == 0;

    if (record->address_len != 0 && is_addresses) {
        survey_add_address(word, record);
    } else if (record->type == RR_TYPE_CNAME && is_addresses) {
        memcpy(word->alias, record->name, sizeof(word->alias));
    } else if (record->type == RR_TYPE_NS && turn->step == SURVEY_STEP_SERVERS && is_own) {
        survey_add_name(word->servers, &word->server_count, record->name);
    } else if (record->type == RR_TYPE_MX && turn->step == SURVEY_STEP_EXCHANGERS && is_own) {
        survey_add_name(word->exchangers, &word->exchanger_count, record->name);
    }
}

static bool survey_is_silence(int status)
{
    return status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND &&
           status != ARES_ESERVFAIL;
}

static void survey_take(struct survey_turn *turn, int status, struct str message)
{
    struct survey_word *word = turn->word;
    struct rr_reader reader;
    struct rr record;

    if (turn->step == SURVEY_STEP_A) {
        word->state = status == ARES_ESERVFAIL ? SURVEY_BROKEN : SURVEY_EMPTY;
    }
    if (message.len == 0 || rr_open(message, &reader) < 0) {
        return;
    }
    if (reader.code == RR_CODE_ABSENT && turn->step == SURVEY_STEP_A) {
        word->state = SURVEY_ABSENT;
    }
    while (rr_next(&reader, &record) == 1) {
        survey_take_record(turn, &record);
    }
}

/* To the next question; false when there is none. */
static bool survey_turn_next(struct survey_turn *turn)
{
    const struct survey_word *word = turn->word;
    const char *dot = strchr(turn->zone, '.');

    if (turn->step != SURVEY_STEP_SERVERS || word->server_count != 0) {
        return ++turn->step < SURVEY_STEP_COUNT;
    }
    if (dot == NULL || strlen(dot + 1) < turn->ask->domain_len) {
        return false; /* nobody says whose zone it is: then neither whose its mail is */
    }
    turn->zone = dot + 1;
    return true;
}

static void survey_note(struct survey_turn *turn, bool is_silent)
{
    struct survey_line *server = turn->server;

    server->silences = is_silent ? server->silences + 1 : 0;
    if (server->silences >= SILENCES_MOST) {
        server->rest = clock_mono(turn->ask->surveyor->clock) + SILENCE_REST;
    }
}

static void survey_on_answer(void *context, int status, int timeouts, unsigned char *bytes, int len)
{
    struct survey_turn *turn = context;

    (void)timeouts;
    if (turn->ask->surveyor->is_ending) {
        return;
    }
    survey_note(turn, survey_is_silence(status));
    if (survey_is_silence(status)) {
        survey_release(turn->ask);
        return;
    }
    survey_take(turn, status, str_of((const char *)bytes, bytes != NULL ? (size_t)len : 0));
    if (turn->ask->done != NULL && survey_turn_next(turn)) {
        survey_turn_ask(turn);
    } else {
        survey_release(turn->ask);
    }
}

static void survey_turn_ask(struct survey_turn *turn)
{
    static const int types[SURVEY_STEP_COUNT] = {[SURVEY_STEP_A] = RR_TYPE_A,
                                                 [SURVEY_STEP_AAAA] = RR_TYPE_AAAA,
                                                 [SURVEY_STEP_SERVERS] = RR_TYPE_NS,
                                                 [SURVEY_STEP_EXCHANGERS] = RR_TYPE_MX};

    ares_query(dns_line_channel(turn->line), turn->zone, CLASS_IN, types[turn->step],
               survey_on_answer, turn);
    dns_line_arm(turn->line);
}

static void survey_start(struct survey_ask *ask)
{
    struct surveyor *surveyor = ask->surveyor;
    int64_t now = clock_mono(surveyor->clock);

    list_remove(&ask->node);
    list_append(&surveyor->asked, &ask->node);
    ask->is_asked = true;
    surveyor->waiting_count--;
    surveyor->asked_count++;
    ask->pending = 1; /* ours: some may answer at once */
    for (unsigned i = 0; i < surveyor->line_count; i++) {
        if (surveyor->lines[i].rest <= now) {
            ask->pending++;
            survey_turn_ask(&ask->turns[i]);
        }
    }
    survey_release(ask);
}

static void surveyor_start(void *context)
{
    struct surveyor *surveyor = context;

    while (surveyor->asked_count < SURVEY_ASKED_MAX && !list_is_empty(&surveyor->waiting)) {
        survey_start(LIST_ENTRY(surveyor->waiting.next, struct survey_ask, node));
    }
}

static void survey_on_pause(void *context)
{
    struct survey_ask *ask = context;

    list_remove(&ask->node);
    list_append(&ask->surveyor->waiting, &ask->node);
    surveyor_wake(ask->surveyor);
}

int surveyor_new(struct loop *loop, const struct clock *clock, const char *servers,
                 struct surveyor **ret_surveyor, struct diag *diag)
{
    struct surveyor *surveyor = mem_alloc(1, sizeof(*surveyor));
    int r;

    if (surveyor == NULL) {
        return -ERR_NOMEM;
    }
    surveyor->loop = loop;
    surveyor->clock = clock;
    list_init(&surveyor->waiting);
    list_init(&surveyor->asked);
    list_init(&surveyor->paused);
    r = loop_add_timer(loop, surveyor_start, surveyor, &surveyor->timer);
    r = r < 0 ? r : surveyor_add_all(surveyor, servers, diag);
    if (r < 0) {
        surveyor_free(surveyor);
        return r;
    }
    *ret_surveyor = surveyor;
    return 0;
}

static void survey_free_all(struct list *asks)
{
    LIST_EACH (node, asks) {
        survey_free(LIST_ENTRY(node, struct survey_ask, node));
    }
}

void surveyor_free(struct surveyor *surveyor)
{
    if (surveyor == NULL) {
        return;
    }
    surveyor->is_ending = true;
    for (unsigned i = 0; i < surveyor->line_count; i++) {
        dns_line_free(surveyor->lines[i].lines[0]);
        dns_line_free(surveyor->lines[i].lines[1]);
    }
    survey_free_all(&surveyor->asked);
    survey_free_all(&surveyor->waiting);
    survey_free_all(&surveyor->paused);
    loop_source_free(surveyor->timer);
    mem_free(surveyor);
}

bool survey_can_ask(struct str host)
{
    char text[DNS_HOST_MAX + 1];
    uint8_t bytes[16];

    if (host.len == 0 || host.len > DNS_HOST_MAX || str_find_byte(host, '.') == host.len ||
        str_find_byte(host, ':') != host.len) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.*s", STR_ARG(host));
    return inet_pton(AF_INET, text, bytes) != 1;
}

int surveyor_ask(struct surveyor *surveyor, struct str host, struct str domain, bool is_second,
                 survey_done_fn *done, void *context, struct survey_ask **ret_ask)
{
    struct survey_ask *ask;
    int r;

    if (!survey_can_ask(host) || surveyor->line_count == 0) {
        return -ERR_NOENT;
    }
    if (surveyor->waiting_count >= SURVEY_WAIT_MAX) {
        return -ERR_FULL;
    }
    ask = mem_alloc(1, sizeof(*ask));
    if (ask == NULL) {
        return -ERR_NOMEM;
    }
    ask->surveyor = surveyor;
    ask->done = done;
    ask->context = context;
    ask->domain_len = domain.len;
    memcpy(ask->host, host.ptr, host.len);
    ask->survey.word_count = surveyor->line_count;
    for (unsigned i = 0; i < surveyor->line_count; i++) {
        ask->turns[i] = (struct survey_turn){.ask = ask,
                                             .word = &ask->survey.words[i],
                                             .server = &surveyor->lines[i],
                                             .line = surveyor->lines[i].lines[is_second ? 1 : 0],
                                             .zone = ask->host};
        memcpy(ask->survey.words[i].server, surveyor->lines[i].server, SURVEY_SERVER_SIZE);
    }
    if (is_second) {
        list_append(&surveyor->paused, &ask->node);
        r = loop_add_timer(surveyor->loop, survey_on_pause, ask, &ask->timer);
        r = r < 0 ? r : loop_source_set_timer(ask->timer, SURVEY_PAUSE, 0);
    } else {
        list_append(&surveyor->waiting, &ask->node);
        r = loop_source_set_timer(surveyor->timer, 1, 0);
    }
    if (r < 0) {
        survey_free(ask);
        return r;
    }
    surveyor->waiting_count++;
    *ret_ask = ask;
    return 0;
}

void survey_cancel(struct survey_ask *ask)
{
    if (ask == NULL) {
        return;
    }
    ask->done = NULL;
    if (!ask->is_asked) {
        ask->surveyor->waiting_count--;
        survey_free(ask);
    }
}
