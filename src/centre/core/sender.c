/* See core/sender.h. A sender's id comes from its name and way, so that one whose transaction came
 * to nothing is the same when its entries come again: the archive may have them already. */
#include "centre/core/sender.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "centre/core/private.h"
#include "store/senders.h"

#include <openssl/evp.h>
#include <string.h>

#define HOST_SIZE  101
#define VIA_SIZE   128
#define KEY_SIZE   (VIA_SIZE + HOST_SIZE)
#define NAME_SIZE  (KEY_SIZE + 16)
#define OTHERS     "others" /* whom nothing tells apart any more */
#define SEEN_PAUSE (60 * NS_PER_S)
#define KEEP_LEAST (3600 * NS_PER_S)
#define KEEP_TIMES 4               /* of the time over which a name was heard */
#define LOOK_PAUSE (10 * NS_PER_S) /* between two looks for places that nobody needs */
#define EXPIRE_MAX 1024            /* hosts that are asked of at once, whether they are needed */

struct sender {
    struct list fresh; /* among those of the open transaction, or alone */
    struct core_host *host;
    bool is_stored;
    int64_t seen_stored;
    size_t key_len;
    char key[KEY_SIZE]; /* via NUL name */
};

struct way {
    unsigned names;
    unsigned senders; /* with the one that has no name */
    char via[VIA_SIZE];
};

struct senders {
    struct core *core;
    struct map by_key;
    struct map ways;
    struct list fresh;
    unsigned named;
    uint64_t merged;
    uint64_t lapsed;
    int64_t looked;    /* monotonic */
    size_t expired_to; /* where hosts were looked through last */
    bool is_told;      /* that there are too many … */
    bool is_kept;      /* … and that is durable */
};

/* What an entry names, as it is looked up. */
struct named {
    char via[VIA_SIZE];
    char host[HOST_SIZE];
};

/* Letters, digits and signs that names of hosts have; anything else becomes a dash. */
static void clean_host(struct str host, char out[HOST_SIZE])
{
    size_t len = host.len < HOST_SIZE - 1 ? host.len : HOST_SIZE - 1;

    for (size_t i = 0; i < len; i++) {
        char byte = host.ptr[i];
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' || byte == '_' ||
                        byte == ':';

        out[i] = is_plain ? byte : '-';
    }
    out[len] = '\0';
}

/* An address, or a name that people gave a token. */
static void clean_via(struct str via, char out[VIA_SIZE])
{
    size_t len = via.len < VIA_SIZE - 1 ? via.len : VIA_SIZE - 1;

    len = utf8_valid_prefix(str_slice(via, 0, len));
    for (size_t i = 0; i < len; i++) {
        out[i] = (unsigned char)via.ptr[i] < 0x20 || via.ptr[i] == 0x7f ? '-' : via.ptr[i];
    }
    out[len] = '\0';
    if (len == 0) {
        (void)snprintf(out, VIA_SIZE, OTHERS);
    }
}

static size_t named_key(const struct named *named, char key[KEY_SIZE])
{
    size_t via = strlen(named->via);
    size_t host = strlen(named->host);

    memcpy(key, named->via, via + 1);
    memcpy(key + via + 1, named->host, host);
    return via + 1 + host;
}

static struct way *way_find(struct senders *senders, const char *via)
{
    struct way *way = map_get(&senders->ways, str_from(via));

    if (way != NULL) {
        return way;
    }
    way = mem_alloc(1, sizeof(*way));
    if (way == NULL) {
        return NULL;
    }
    way->names = way->senders = 0;
    (void)snprintf(way->via, sizeof(way->via), "%s", via);
    if (map_put(&senders->ways, str_from(way->via), way) < 0) {
        mem_free(way);
        return NULL;
    }
    return way;
}

static int sender_add(struct senders *senders, const struct named *named, struct core_host *host,
                      struct sender **ret_sender)
{
    struct way *way = way_find(senders, named->via);
    struct sender *sender = way != NULL ? mem_alloc(1, sizeof(*sender)) : NULL;
    int r;

    if (sender == NULL) {
        return -ERR_NOMEM;
    }
    *sender = (struct sender){.host = host, .is_stored = true};
    list_init(&sender->fresh);
    sender->key_len = named_key(named, sender->key);
    r = map_put(&senders->by_key, str_of(sender->key, sender->key_len), sender);
    if (r < 0) {
        mem_free(sender);
        return r;
    }
    way->senders++;
    way->names += named->host[0] != '\0';
    senders->named += named->host[0] != '\0';
    *ret_sender = sender;
    return 0;
}

/* key = SHA-256("sender" NUL via NUL name), which no certificate has; the id is its front, marked
 * as one of our own making (RFC 9562, version 8). */
static int sender_identify(const struct named *named, uint8_t ret_key[32], struct id *ret_id)
{
    char text[sizeof("sender") + KEY_SIZE] = "sender";
    size_t len = sizeof("sender") + named_key(named, text + sizeof("sender"));

    if (EVP_Digest(text, len, ret_key, NULL, EVP_sha256(), NULL) != 1) {
        return -ERR_NOMEM;
    }
    memcpy(ret_id->bytes, ret_key, sizeof(ret_id->bytes));
    ret_id->bytes[6] = (uint8_t)(0x80 | (ret_id->bytes[6] & 0x0f));
    ret_id->bytes[8] = (uint8_t)(0x80 | (ret_id->bytes[8] & 0x3f));
    return 0;
}

/* Writes its row; its name gets a tail where another host has it. */
static int sender_store(struct senders *senders, const struct named *named, struct store_host *row,
                        char name[NAME_SIZE])
{
    struct store *store = senders->core->options.store;
    int r;

    (void)snprintf(name, NAME_SIZE, "%s%s%s", named->host, named->host[0] != '\0' ? "@" : "",
                   named->via);
    row->name = str_from(name);
    r = store_host_put(store, row);
    if (r == -ERR_EXIST) {
        size_t len = strlen(name);

        (void)snprintf(name + len, NAME_SIZE - len, "~%02x%02x%02x%02x", row->key_sha256[0],
                       row->key_sha256[1], row->key_sha256[2], row->key_sha256[3]);
        row->name = str_from(name);
        r = store_host_put(store, row);
    }
    return r;
}

static void sender_is_fresh(struct senders *senders, struct sender *sender)
{
    sender->is_stored = false;
    sender->seen_stored = clock_mono(senders->core->options.clock);
    list_append(&senders->fresh, &sender->fresh);
}

static int sender_fill(const struct senders *senders, const struct named *named,
                       struct store_host *row)
{
    row->kind = STORE_HOST_SENDER;
    row->via = str_from(named->via);
    row->enrolled = row->seen = clock_wall(senders->core->options.clock);
    return sender_identify(named, row->key_sha256, &row->id);
}

static int sender_make(struct senders *senders, const struct named *named,
                       struct sender **ret_sender)
{
    struct core *core = senders->core;
    struct store_host row = {0};
    struct core_host *host = NULL;
    char name[NAME_SIZE];
    int r = sender_fill(senders, named, &row);

    if (r == 0) {
        host = core_host_by_id(core, &row.id); /* it gave its place up once */
    }
    if (host != NULL) {
        return sender_add(senders, named, host, ret_sender);
    }
    r = r < 0 ? r : sender_store(senders, named, &row, name);
    r = r < 0 ? r : core_host_add(core, &row, &host);
    r = r < 0 ? r : sender_add(senders, named, host, ret_sender);
    if (r == 0) {
        sender_is_fresh(senders, *ret_sender);
        core->changed |= CENTRE_CHANGED_HOSTS;
        log_debug("a new sender of logs name=%s", name);
    }
    return r;
}

/* One whose row came to nothing with its transaction. */
static int sender_make_again(struct senders *senders, const struct named *named,
                             struct sender *sender)
{
    struct store_host row = {0};
    char name[NAME_SIZE];
    int r = sender_fill(senders, named, &row);

    r = r < 0 ? r : sender_store(senders, named, &row, name);
    if (r == 0) {
        sender_is_fresh(senders, sender);
    }
    return r;
}

/* How long a name that is silent keeps its place. */
static int64_t sender_keeps(const struct senders *senders, const struct core_host *host)
{
    int64_t most = senders->core->options.sender_keep;
    int64_t heard = host->seen - host->enrolled;
    int64_t keeps = heard > most / KEEP_TIMES ? most : heard * KEEP_TIMES;

    return keeps > KEEP_LEAST ? keeps : KEEP_LEAST;
}

static void sender_lapse(struct senders *senders, struct sender *sender)
{
    struct str via = str_from(sender->key);
    struct way *way = map_get(&senders->ways, via);
    bool is_named = sender->key_len > via.len + 1;

    (void)map_remove(&senders->by_key, str_of(sender->key, sender->key_len));
    senders->named -= is_named;
    way->names -= is_named;
    if (--way->senders == 0) {
        (void)map_remove(&senders->ways, via);
        mem_free(way);
    }
    senders->lapsed++;
    mem_free(sender);
}

static bool sender_has_lapsed(const struct senders *senders, const struct core_host *host,
                              int64_t now)
{
    return now - host->seen > sender_keeps(senders, host);
}

static void senders_lapse(struct senders *senders, int64_t now)
{
    size_t cursor = 0;
    struct sender *sender;

    while ((sender = map_next(&senders->by_key, &cursor)) != NULL) {
        if (sender->is_stored && list_is_empty(&sender->fresh) &&
            sender_has_lapsed(senders, sender->host, now)) {
            sender_lapse(senders, sender);
        }
    }
}

/* Makes room, if names are there that are not heard any more. */
static void senders_look(struct senders *senders)
{
    int64_t mono = clock_mono(senders->core->options.clock);

    if (senders->looked == 0 || mono - senders->looked >= LOOK_PAUSE) {
        senders->looked = mono;
        senders_lapse(senders, clock_wall(senders->core->options.clock));
    }
}

/* In the open transaction. */
static int senders_drop(struct senders *senders, int64_t before, int64_t now)
{
    struct core *core = senders->core;
    struct core_host *host = NULL;
    unsigned asked = 0;
    int r = 0;

    while (r == 0 && asked < EXPIRE_MAX &&
           (host = map_next(&core->hosts_by_id, &senders->expired_to)) != NULL) {
        if (host->via == NULL || host->seen >= before || !sender_has_lapsed(senders, host, now)) {
            continue;
        }
        asked++;
        r = store_sender_drop(core->options.store, &host->id);
        host->is_gone = r == 0;
        core->changed |= r == 0 ? CENTRE_CHANGED_HOSTS | CENTRE_CHANGED_SOURCES : 0;
        r = r == -ERR_CONFLICT ? 0 : r;
    }
    senders->expired_to = host == NULL ? 0 : senders->expired_to;
    return r;
}

void senders_expire(struct senders *senders, int64_t before)
{
    struct core *core = senders->core;
    int64_t now = clock_wall(core->options.clock);
    int r = core_batch_begin(core);

    senders_lapse(senders, now); /* or what is dropped could still have its place */
    r = r < 0 ? r : senders_drop(senders, before, now);
    if (r < 0) {
        core_fail(core, r);
    } else {
        r = core_batch_commit(core);
    }
    core_hosts_sweep(core, r == 0);
}

static int senders_tell(struct senders *senders)
{
    uint64_t number;

    senders->merged++;
    if (senders->is_told) {
        return 0;
    }
    senders->is_told = true;
    return core_raise(senders->core, &(struct id){0}, SEVERITY_MEDIUM,
                      N_("More names of hosts come with logs than the centre tells apart (4096, of "
                         "one address or token 256): their entries count as the address's or "
                         "token's own"),
                      &number);
}

/* Whether it was a host before it gave its place up. */
static bool sender_is_host(const struct senders *senders, const struct named *named)
{
    struct store_host row = {0};

    return sender_fill(senders, named, &row) == 0 &&
           core_host_by_id(senders->core, &row.id) != NULL;
}

static bool senders_have_room(const struct senders *senders, const struct named *named)
{
    const struct way *way = map_get(&senders->ways, str_from(named->via));

    if (map_count(&senders->by_key) >= SENDERS_MAX ||
        (map_count(&senders->core->hosts_by_id) >= SENDERS_ROWS_MAX &&
         !sender_is_host(senders, named))) {
        return false;
    }
    return named->host[0] == '\0' ||
           (senders->named < SENDERS_NAMED_MAX && (way == NULL || way->names < SENDERS_NAMES_MAX));
}

/* Whether one more of that name may be made; else the name, and then the way, is let go. */
static int senders_bound(struct senders *senders, struct named *named)
{
    if (!senders_have_room(senders, named)) {
        senders_look(senders);
    }
    if (senders_have_room(senders, named)) {
        return 0;
    }
    if (named->host[0] == '\0') {
        (void)snprintf(named->via, sizeof(named->via), OTHERS);
    }
    named->host[0] = '\0';
    return senders_tell(senders);
}

static struct sender *sender_get(const struct senders *senders, const struct named *named)
{
    char key[KEY_SIZE];
    size_t len = named_key(named, key);

    return map_get(&senders->by_key, str_of(key, len));
}

/* The console shows when it was heard last; once a minute is enough. */
static int sender_heard(struct senders *senders, struct sender *sender)
{
    struct core *core = senders->core;
    int64_t now = clock_mono(core->options.clock);

    sender->host->seen = clock_wall(core->options.clock);
    if (sender->seen_stored != 0 && now - sender->seen_stored < SEEN_PAUSE) {
        return 0;
    }
    sender->seen_stored = now;
    return core_host_store(core, sender->host);
}

int senders_find(struct senders *senders, struct str via, struct str host,
                 struct core_host **ret_host)
{
    struct named named;
    struct sender *sender;
    int r = 0;

    clean_via(via, named.via);
    clean_host(host, named.host);
    if (str_is_text(str_from(named.host), named.via)) {
        named.host[0] = '\0'; /* it names itself by its address */
    }
    sender = sender_get(senders, &named);
    for (int tries = 0; r == 0 && sender == NULL && tries < 2; tries++) {
        r = senders_bound(senders, &named); /* a name that is let go may be that of one known */
        sender = sender_get(senders, &named);
    }
    if (r == 0 && sender == NULL) {
        r = sender_make(senders, &named, &sender);
    } else if (r == 0 && !sender->is_stored && list_is_empty(&sender->fresh)) {
        r = sender_make_again(senders, &named, sender);
    }
    r = r < 0 ? r : sender_heard(senders, sender);
    if (r == 0) {
        *ret_host = sender->host;
    }
    return r;
}

void senders_commit(struct senders *senders)
{
    LIST_EACH (node, &senders->fresh) {
        LIST_ENTRY(node, struct sender, fresh)->is_stored = true;
        list_remove(node);
    }
    senders->is_kept = senders->is_told;
}

void senders_forget(struct senders *senders)
{
    senders->is_told = senders->is_kept;
    LIST_EACH (node, &senders->fresh) {
        list_remove(node);
    }
}

uint64_t senders_merged(const struct senders *senders)
{
    return senders->merged;
}

uint64_t senders_lapsed(const struct senders *senders)
{
    return senders->lapsed;
}

/* Taken apart as it was put together: "NAME@VIA", perhaps with a tail. */
static int senders_load(struct senders *senders, struct core_host *host)
{
    struct str name = str_from(host->name);
    struct named named = {0};
    struct sender *sender;
    size_t at;

    if (sender_has_lapsed(senders, host, clock_wall(senders->core->options.clock)) ||
        map_count(&senders->by_key) >= SENDERS_MAX) {
        return 0;
    }
    (void)snprintf(named.via, sizeof(named.via), "%s", host->via);
    at = str_find_byte(name, '@');
    if (at < name.len && str_has_prefix(str_slice(name, at + 1, name.len), str_from(named.via))) {
        clean_host(str_slice(name, 0, at), named.host);
    }
    return sender_add(senders, &named, host, &sender);
}

int senders_new(struct core *core, uint64_t seed, struct senders **ret_senders)
{
    struct senders *senders = mem_alloc(1, sizeof(*senders));
    size_t cursor = 0;
    struct core_host *host;
    int r = 0;

    if (senders == NULL) {
        return -ERR_NOMEM;
    }
    senders->core = core;
    list_init(&senders->fresh);
    map_init(&senders->by_key, SENDERS_MAX + 1, seed);
    map_init(&senders->ways, SENDERS_MAX + 1, seed);
    while (r == 0 && (host = map_next(&core->hosts_by_id, &cursor)) != NULL) {
        r = host->via != NULL ? senders_load(senders, host) : 0;
    }
    if (r < 0) {
        senders_free(senders);
        return r;
    }
    *ret_senders = senders;
    return 0;
}

void senders_free(struct senders *senders)
{
    size_t cursor = 0;
    void *one;

    if (senders == NULL) {
        return;
    }
    while ((one = map_next(&senders->by_key, &cursor)) != NULL) {
        mem_free(one);
    }
    for (cursor = 0; (one = map_next(&senders->ways, &cursor)) != NULL;) {
        mem_free(one);
    }
    map_done(&senders->by_key);
    map_done(&senders->ways);
    mem_free(senders);
}
