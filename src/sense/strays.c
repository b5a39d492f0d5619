/* Files in a map by handle, in the order in which they left; folders in a short list that each
 * question goes through. */
#include "sense/strays.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define STRAYS_CROWD_NS (3600 * NS_PER_S)

struct stray {
    struct list order;
    char *home; /* owned */
    int64_t left;
    bool is_certain;
    size_t key_len;
    char key[]; /* the handle's bytes */
};

struct stray_folder {
    char *path; /* owned; NULL: empty row */
    char *home; /* owned */
    int64_t left;
};

struct strays {
    pthread_mutex_t lock;
    struct map files;
    struct list order; /* of files, the first that left first */
    size_t files_max;
    size_t folders_max;
    atomic_size_t count; /* of both */
    atomic_llong crowded_until;
    struct stray_folder folders[];
};

int strays_new(size_t files_max, size_t folders_max, struct strays **ret_strays)
{
    struct strays *strays =
        mem_alloc(1, sizeof(*strays) + folders_max * sizeof(strays->folders[0]));

    if (strays == NULL) {
        return -ERR_NOMEM;
    }
    pthread_mutex_init(&strays->lock, NULL);
    map_init(&strays->files, files_max, (uint64_t)clock_mono(&clock_real));
    list_init(&strays->order);
    strays->files_max = files_max;
    strays->folders_max = folders_max;
    *ret_strays = strays;
    return 0;
}

static void stray_free(struct stray *stray)
{
    list_remove(&stray->order);
    mem_free(stray->home);
    mem_free(stray);
}

static void folder_forget(struct strays *strays, struct stray_folder *folder)
{
    atomic_fetch_sub(&strays->count, folder->path != NULL ? 1 : 0);
    mem_free(folder->path);
    mem_free(folder->home);
    *folder = (struct stray_folder){0};
}

void strays_free(struct strays *strays)
{
    if (strays == NULL) {
        return;
    }
    LIST_EACH (node, &strays->order) {
        stray_free(LIST_ENTRY(node, struct stray, order));
    }
    for (size_t i = 0; i < strays->folders_max; i++) {
        folder_forget(strays, &strays->folders[i]);
    }
    map_done(&strays->files);
    pthread_mutex_destroy(&strays->lock);
    mem_free(strays);
}

bool strays_is_none(const struct strays *strays)
{
    return atomic_load(&strays->count) == 0;
}

bool strays_is_crowded(const struct strays *strays, int64_t now)
{
    return now < atomic_load(&strays->crowded_until);
}

/* What is forgotten although it left not long ago. */
static void strays_note_crowd(struct strays *strays, int64_t left, int64_t now)
{
    if (now - left < STRAYS_CROWD_NS) {
        atomic_store(&strays->crowded_until, now + STRAYS_CROWD_NS);
    }
}

/* With the lock. */
static void strays_remove(struct strays *strays, struct stray *stray)
{
    (void)map_remove(&strays->files, str_of(stray->key, stray->key_len));
    stray_free(stray);
    atomic_fetch_sub(&strays->count, 1);
}

/* NULL without memory. */
static struct stray *stray_new(struct str key, struct str home)
{
    struct stray *stray = mem_alloc(1, sizeof(*stray) + key.len);

    if (stray == NULL) {
        return NULL;
    }
    list_init(&stray->order);
    stray->home = mem_dup(home.ptr, home.len);
    if (stray->home == NULL) {
        mem_free(stray);
        return NULL;
    }
    stray->key_len = key.len;
    memcpy(stray->key, key.ptr, key.len);
    return stray;
}

/* With the lock: one that cannot be remembered is as good as one that was forgotten. */
static void strays_put(struct strays *strays, struct str key, struct str home, bool is_certain,
                       int64_t now)
{
    struct stray *stray;

    if (map_count(&strays->files) == strays->files_max) {
        struct stray *oldest = LIST_ENTRY(strays->order.next, struct stray, order);

        if (oldest->is_certain) {
            strays_note_crowd(strays, oldest->left, now);
        }
        strays_remove(strays, oldest);
    }
    stray = stray_new(key, home);
    if (stray == NULL || map_put(&strays->files, str_of(stray->key, key.len), stray) < 0) {
        strays_note_crowd(strays, now, now);
        if (stray != NULL) {
            stray_free(stray);
        }
        return;
    }
    stray->left = now;
    stray->is_certain = is_certain;
    list_append(&strays->order, &stray->order);
    atomic_fetch_add(&strays->count, 1);
}

void strays_add(struct strays *strays, const struct file_handle_id *file, struct str home,
                bool is_certain, int64_t now)
{
    struct str key = handle_str(file);

    pthread_mutex_lock(&strays->lock);
    if (map_get(&strays->files, key) == NULL) {
        strays_put(strays, key, home, is_certain, now);
    }
    pthread_mutex_unlock(&strays->lock);
}

void strays_drop(struct strays *strays, const struct file_handle_id *file)
{
    struct stray *stray;

    if (strays_is_none(strays)) {
        return;
    }
    pthread_mutex_lock(&strays->lock);
    stray = map_get(&strays->files, handle_str(file));
    if (stray != NULL) {
        strays_remove(strays, stray);
    }
    pthread_mutex_unlock(&strays->lock);
}

bool strays_find(struct strays *strays, const struct file_handle_id *file,
                 char ret_home[STRAYS_PATH_MAX])
{
    const struct stray *stray;

    if (strays_is_none(strays)) {
        return false;
    }
    pthread_mutex_lock(&strays->lock);
    stray = map_get(&strays->files, handle_str(file));
    if (stray != NULL) {
        (void)snprintf(ret_home, STRAYS_PATH_MAX, "%s", stray->home);
    }
    pthread_mutex_unlock(&strays->lock);
    return stray != NULL;
}

static bool path_is_in(struct str path, struct str folder)
{
    return str_has_prefix(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/');
}

/* With the lock. */
static struct stray_folder *strays_folder_room(struct strays *strays, int64_t now)
{
    struct stray_folder *oldest = &strays->folders[0];

    for (size_t i = 0; i < strays->folders_max; i++) {
        if (strays->folders[i].path == NULL) {
            return &strays->folders[i];
        }
        oldest = strays->folders[i].left < oldest->left ? &strays->folders[i] : oldest;
    }
    strays_note_crowd(strays, oldest->left, now);
    folder_forget(strays, oldest);
    return oldest;
}

void strays_add_folder(struct strays *strays, struct str path, struct str home, int64_t now)
{
    struct stray_folder folder = {
        .path = mem_dup(path.ptr, path.len), .home = mem_dup(home.ptr, home.len), .left = now};

    if (folder.path == NULL || folder.home == NULL) {
        mem_free(folder.path);
        mem_free(folder.home);
        strays_note_crowd(strays, now, now);
        return;
    }
    pthread_mutex_lock(&strays->lock);
    *strays_folder_room(strays, now) = folder;
    atomic_fetch_add(&strays->count, 1);
    pthread_mutex_unlock(&strays->lock);
}

void strays_drop_folder(struct strays *strays, struct str path)
{
    if (strays_is_none(strays)) {
        return;
    }
    pthread_mutex_lock(&strays->lock);
    for (size_t i = 0; i < strays->folders_max; i++) {
        if (strays->folders[i].path != NULL &&
            path_is_in(str_from(strays->folders[i].path), path)) {
            folder_forget(strays, &strays->folders[i]);
        }
    }
    pthread_mutex_unlock(&strays->lock);
}

/* from + rest becomes to + rest; NULL without room. */
static char *path_moved(struct str path, struct str from, struct str to)
{
    char text[STRAYS_PATH_MAX];
    struct str rest = str_slice(path, from.len, path.len);
    int len = snprintf(text, sizeof(text), "%.*s%.*s", STR_ARG(to), STR_ARG(rest));

    return len > 0 && (size_t)len < sizeof(text) ? mem_dup(text, (size_t)len) : NULL;
}

bool strays_move_folder(struct strays *strays, struct str from, struct str to, int64_t now)
{
    bool is_known = false;

    if (strays_is_none(strays)) {
        return false;
    }
    pthread_mutex_lock(&strays->lock);
    for (size_t i = 0; i < strays->folders_max; i++) {
        struct stray_folder *folder = &strays->folders[i];
        char *path;

        if (folder->path == NULL || !path_is_in(str_from(folder->path), from)) {
            continue;
        }
        is_known = is_known || str_is_text(from, folder->path);
        path = path_moved(str_from(folder->path), from, to);
        if (path == NULL) { /* where it is now cannot be remembered */
            strays_note_crowd(strays, now, now);
            folder_forget(strays, folder);
            continue;
        }
        mem_free(folder->path);
        folder->path = path;
    }
    pthread_mutex_unlock(&strays->lock);
    return is_known;
}

bool strays_lead_home(struct strays *strays, struct str path, char ret_home[STRAYS_PATH_MAX])
{
    const struct stray_folder *nearest = NULL;
    size_t longest = 0;

    if (strays_is_none(strays)) {
        return false;
    }
    pthread_mutex_lock(&strays->lock);
    for (size_t i = 0; i < strays->folders_max; i++) {
        const struct stray_folder *folder = &strays->folders[i];
        struct str at = folder->path != NULL ? str_from(folder->path) : STR("");

        if (at.len > longest && path_is_in(path, at)) {
            longest = at.len;
            nearest = folder;
        }
    }
    if (nearest != NULL) {
        struct str rest = str_slice(path, longest, path.len);
        int len = snprintf(ret_home, STRAYS_PATH_MAX, "%s%.*s", nearest->home, STR_ARG(rest));

        if (len < 0 ||
            len >= STRAYS_PATH_MAX) { /* deeper than a path can say: guarded all the same */
            (void)snprintf(ret_home, STRAYS_PATH_MAX, "%s", nearest->home);
        }
    }
    pthread_mutex_unlock(&strays->lock);
    return nearest != NULL;
}
