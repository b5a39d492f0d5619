/* Folders whose pages search engines get and people do not: see detect/deface/crawl.h. Planted
 * pages come by the thousand, each fetched once or twice by an engine, so that hardly one has
 * visits enough to be compared by itself. Neighbours: crawl.c keeps the pages and reports what is
 * found here.
 *
 * Only a page that both asked for counts, and only if an engine was served it after people had
 * missed it: one that was removed was served before. The people must be several: a scanner misses
 * pages by the hundred. Folders of one such page each (/no-hu-17/index.html) are taken as pages of
 * the folder around them.
 *
 * A page that is missing for people and there for an engine has no honest reason. A redirect has
 * several, but is also how many planted pages answer people, so that it counts as the folder's
 * policy alone: on a device of which (nearly) nobody was served, which leaves out log-ins (members
 * are served) and languages (most are at home); and where engines were served as that device, or
 * people are sent on from both, which leaves out a site's pages for phones. What is lost: redirects
 * that only phones meet where no engine came as one, a handful of visits, and those from among many
 * honest pages. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/deface/crawl_private.h"

#define SHARE_MIN   0.6   /* of the pages that both asked for */
#define FOLDERS_MAX 16384 /* looked at, so that no number of them fills the arena */
#define POLICY_MIN  0.95  /* of those who came by themselves, sent on */

struct crawl_folder {
    struct str key;                                 /* host and path, up to the last slash */
    const char *host_end;                           /* in it */
    struct crawl_counts engine[CRAWL_DEVICE_COUNT]; /* of the pages that an engine is served */
    struct crawl_counts people[CRAWL_DEVICE_COUNT]; /* who came by themselves */
    struct crawl_counts search[CRAWL_DEVICE_COUNT];
    bool denies[CRAWL_DENIAL_COUNT]; /* which of them count here */
    uint64_t deniers;                /* as a page's */
    unsigned apart;                  /* pages that an engine is served and nobody else */
    unsigned same;                   /* pages that both are served */
    unsigned baits;                  /* of those apart: people from a search are served them too */
    unsigned found;                  /* pages that nobody but those asked for, and was served */
    struct crawl_cloak cloak;
};

struct crawl_folders {
    const struct crawl *crawl;
    struct map lone; /* folder's key → its only page that both asked for, or &many */
    char many;
    struct map folders; /* key → struct crawl_folder, of those with a page that may be apart */
};

/* The folder around what the first len bytes of the key name, whose own last slash is none of its
 * folder's: /no-hu/17/ lies in /no-hu/. */
static struct str folder_around(const struct crawl_page *page, size_t len)
{
    len -= len > page->host_len + 1;
    while (len > page->host_len + 1 && page->key[len - 1] != '/') {
        len--;
    }
    return str_of(page->key, len);
}

static struct str folder_key(const struct crawl_folders *all, const struct crawl_page *page)
{
    struct str key = folder_around(page, page->key_len);
    const void *lone = map_get(&all->lone, key);

    return lone == NULL || lone == &all->many ? key : folder_around(page, key.len);
}

static bool page_is_given(const struct crawl_page *page)
{
    return crawl_side_counts(&page->sides[CRAWL_AUDIENCE_ENGINE]).served != 0;
}

static bool page_is_asked(const struct crawl_page *page)
{
    struct crawl_counts asked = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_PEOPLE]);
    struct crawl_counts search = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_SEARCH]);

    crawl_counts_add(&asked, &search);
    return asked.served + asked.moved + asked.missing != 0;
}

/* Those who come from a search are often served with the engine, a page whose script sends them on:
 * they are people like others only where others are not denied it. */
static bool page_is_people_s(const struct crawl_page *page)
{
    struct crawl_counts people = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_PEOPLE]);
    struct crawl_counts search = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_SEARCH]);

    return people.served != 0 || (search.served != 0 && people.moved + people.missing == 0);
}

/* Of a device: those who came by themselves; if nobody did, those from a search. */
static const struct crawl_counts *folder_people(const struct crawl_folder *folder, size_t device)
{
    const struct crawl_counts *people = &folder->people[device];

    return people->moved + people->served != 0 ? people : &folder->search[device];
}

static bool people_are_sent(const struct crawl_counts *people)
{
    return people->moved != 0 &&
           (double)people->moved >= POLICY_MIN * (double)(people->moved + people->served);
}

/* Whether a redirect on the device is no honest one: see above. */
static bool folder_sends(const struct crawl_folder *folder, size_t device, unsigned visits_min)
{
    const struct crawl_counts *people = folder_people(folder, device);
    const struct crawl_counts *others = folder_people(folder, CRAWL_DEVICE_COUNT - 1 - device);
    const struct crawl_counts *engine = &folder->engine[device];

    if (!people_are_sent(people)) {
        return false;
    }
    return (engine->served > engine->moved && people->moved >= 2ULL * visits_min) ||
           (people_are_sent(others) && people->moved >= visits_min && others->moved >= visits_min);
}

/* folder: NULL for one of which nothing is known yet. ret_deniers: may be NULL. */
static bool page_is_apart(const struct crawl_page *page, const struct crawl_folder *folder,
                          uint64_t *ret_deniers)
{
    bool is_apart = false;

    if (page_is_people_s(page)) {
        return false;
    }
    for (unsigned i = 0; i < CRAWL_DENIAL_COUNT; i++) {
        if (page->denied[i] == 0 || page->given <= page->denied[i] ||
            (folder != NULL && !folder->denies[i])) {
            continue;
        }
        is_apart = true;
        if (ret_deniers != NULL) {
            *ret_deniers |= page->deniers[i];
        }
    }
    return is_apart;
}

/* What is compared by itself is not told twice. */
static bool page_stands_alone(const struct crawl *crawl, const struct crawl_page *page)
{
    struct crawl_cloak cloak;

    return crawl_compare(page, CRAWL_AUDIENCE_ENGINE, crawl->limits.visits_min, &cloak);
}

static int lone_note(struct crawl_folders *all, struct crawl_page *page)
{
    struct str key = folder_around(page, page->key_len);

    if (!page_is_given(page) || !page_is_asked(page)) {
        return 0;
    }
    return map_put(&all->lone, key, map_get(&all->lone, key) == NULL ? page : (void *)&all->many);
}

static int folder_meet(struct crawl_folders *all, const struct crawl_page *page,
                       struct arena *arena)
{
    struct str key = folder_key(all, page);
    struct crawl_folder *folder = map_get(&all->folders, key);
    int r = 0;

    if (folder == NULL && map_count(&all->folders) < FOLDERS_MAX) {
        folder = arena_alloc(arena, 1, sizeof(*folder));
        if (folder == NULL) {
            return -ERR_NOMEM;
        }
        *folder = (struct crawl_folder){.key = key, .host_end = key.ptr + page->host_len};
        r = map_put(&all->folders, key, folder);
    }
    return r;
}

/* Who is sent on in it, by device. */
static void folder_note_devices(struct crawl_folder *folder, const struct crawl_page *page)
{
    if (!page_is_given(page)) {
        return;
    }
    for (size_t i = 0; i < CRAWL_DEVICE_COUNT; i++) {
        crawl_counts_add(&folder->engine[i], &page->sides[CRAWL_AUDIENCE_ENGINE].counts[i]);
        crawl_counts_add(&folder->people[i], &page->sides[CRAWL_AUDIENCE_PEOPLE].counts[i]);
        crawl_counts_add(&folder->search[i], &page->sides[CRAWL_AUDIENCE_SEARCH].counts[i]);
    }
}

static void folder_learn(struct crawl_folder *folder, unsigned visits_min)
{
    folder->denies[CRAWL_DENIAL_GONE] = true;
    folder->denies[CRAWL_DENIAL_SENT_DESK] = folder_sends(folder, CRAWL_DEVICE_DESK, visits_min);
    folder->denies[CRAWL_DENIAL_SENT_HAND] = folder_sends(folder, CRAWL_DEVICE_HAND, visits_min);
}

static void folder_count(struct crawl_folder *folder, const struct crawl_page *page)
{
    struct crawl_counts engine = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_ENGINE]);
    struct crawl_counts people = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_PEOPLE]);
    struct crawl_counts search = crawl_side_counts(&page->sides[CRAWL_AUDIENCE_SEARCH]);
    struct crawl_cloak *cloak = &folder->cloak;

    if (!page_is_apart(page, folder, &folder->deniers)) {
        folder->same += engine.served != 0 && people.served != 0;
        folder->found += engine.served != 0 && people.served == 0 && page_is_people_s(page);
        return;
    }
    folder->apart++;
    folder->baits += search.served != 0;
    search.served = 0; /* no people's answer: see page_is_people_s() */
    crawl_counts_add(&cloak->theirs, &engine);
    crawl_counts_add(&cloak->people, &people);
    crawl_counts_add(&cloak->people, &search);
    cloak->engine = page->engine;
    cloak->last = page->last > cloak->last ? page->last : cloak->last;
}

static bool folder_is_cloaked(struct crawl_folder *folder, unsigned visits_min)
{
    struct crawl_cloak *cloak = &folder->cloak;
    /* where those from a search are baited, that they are served says nothing */
    unsigned same = folder->same + (folder->baits < visits_min ? folder->found : 0);

    cloak->score = crawl_status_score(&cloak->theirs, &cloak->people);
    if (folder->apart < visits_min || cloak->score < CRAWL_G_MIN ||
        (unsigned)__builtin_popcountll(folder->deniers) < visits_min ||
        folder->apart < SHARE_MIN * (folder->apart + same)) {
        return false;
    }
    cloak->audience = CRAWL_AUDIENCE_ENGINE;
    cloak->host = str_of(folder->key.ptr, (size_t)(folder->host_end - folder->key.ptr));
    cloak->path = str_slice(folder->key, cloak->host.len, folder->key.len);
    cloak->pages = folder->apart;
    return true;
}

static int folders_fill(struct crawl_folders *all, struct arena *arena)
{
    const struct crawl *crawl = all->crawl;
    int r = 0;

    LIST_EACH (node, &crawl->by_age) {
        r = r == 0 ? lone_note(all, LIST_ENTRY(node, struct crawl_page, age)) : r;
    }
    LIST_EACH (node, &crawl->by_age) {
        const struct crawl_page *page = LIST_ENTRY(node, struct crawl_page, age);

        r = r == 0 && page_is_apart(page, NULL, NULL) && !page_stands_alone(crawl, page)
                ? folder_meet(all, page, arena)
                : r;
    }
    return r;
}

typedef void folder_fn(struct crawl_folder *folder, const struct crawl_page *page);

static void folders_each(struct crawl_folders *all, folder_fn *note)
{
    LIST_EACH (node, &all->crawl->by_age) {
        const struct crawl_page *page = LIST_ENTRY(node, struct crawl_page, age);
        struct crawl_folder *folder = map_get(&all->folders, folder_key(all, page));

        if (folder != NULL && !page_stands_alone(all->crawl, page)) {
            note(folder, page);
        }
    }
}

static void folders_done(struct crawl_folders *all)
{
    map_done(&all->lone);
    map_done(&all->folders);
}

int crawl_folders(const struct crawl *crawl, struct arena *arena, crawl_cloak_fn *take,
                  void *context)
{
    CLEANUP(folders_done) struct crawl_folders all = {.crawl = crawl};
    struct crawl_folder *folder;
    size_t cursor = 0;
    int r;

    map_init(&all.lone, crawl->limits.pages_max, crawl->pages.seed);
    map_init(&all.folders, crawl->limits.pages_max, crawl->pages.seed);
    r = folders_fill(&all, arena);
    if (r < 0 || map_count(&all.folders) == 0) {
        return r;
    }
    folders_each(&all, folder_note_devices);
    while ((folder = map_next(&all.folders, &cursor)) != NULL) {
        folder_learn(folder, crawl->limits.visits_min);
    }
    folders_each(&all, folder_count);
    cursor = 0;
    while ((folder = map_next(&all.folders, &cursor)) != NULL) {
        if (folder_is_cloaked(folder, crawl->limits.visits_min)) {
            take(context, &folder->cloak);
        }
    }
    return 0;
}
