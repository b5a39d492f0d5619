/* Makes, walks and removes the scratch folder. On its way: drill.c → here → drill/fill.c fills it.
 * Invariants: every path is resolved beneath the folder's descriptor, and nothing is removed
 * without the marker. */
#include "cli/drill/folder.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/text.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define WALK_LIMIT   (64U << 20)
#define SWEEP_MAX    32 /* names at the top of the folder */
#define SWEEP_MS     (120 * 1000)
#define SWEEP_OUTPUT 4096

static const char drill_marker_text[] =
    "canhgac drill: everything in this folder was made for an exercise and may be removed.\n";

/* Where protected folders are by default, the most fitting first. */
static const char *const drill_homes[] = {"/srv", "/home", "/var/www", "/root"};

static int drill_folder_invent(struct drill_folder *folder, struct diag *diag)
{
    for (size_t i = 0; i < ARRAY_LEN(drill_homes); i++) {
        (void)snprintf(folder->path, sizeof(folder->path), "%s/canhgac-drill-XXXXXX",
                       drill_homes[i]);
        if (mkdtemp(folder->path) != NULL) {
            return 0;
        }
    }
    return diag_set(diag, -errno, _("no folder could be made under %s; name one with --folder"),
                    drill_homes[0]);
}

static int drill_folder_adopt(const char *path, struct drill_folder *folder, struct diag *diag)
{
    if (str_from(path).len >= sizeof(folder->path)) {
        return diag_set(diag, -ERR_NAMETOOLONG, _("the path of the folder is too long"));
    }
    (void)snprintf(folder->path, sizeof(folder->path), "%s", path);
    if (mkdir(path, 0700) == 0) {
        return 0;
    }
    if (errno != EEXIST) {
        return diag_set(diag, -errno, _("%s could not be made: %s"), path, err_text(errno));
    }
    folder->was_there = true;
    return 0;
}

/* Whether the folder holds no name at all; negative on failure. */
static int drill_folder_is_empty(int fd)
{
    CLEANUP(closep) int own = fd_reopen(fd, O_RDONLY | O_DIRECTORY);
    const struct dirent *entry;
    int is_empty = 1;
    DIR *dir;

    if (own < 0) {
        return own;
    }
    dir = fdopendir(own);
    if (dir == NULL) {
        return -errno;
    }
    (void)TAKE_FD(own);
    while ((entry = readdir(dir)) != NULL) {
        if (!str_is_text(str_from(entry->d_name), ".") &&
            !str_is_text(str_from(entry->d_name), "..")) {
            is_empty = 0;
        }
    }
    (void)closedir(dir);
    return is_empty;
}

static int drill_folder_mark(int fd)
{
    CLEANUP(closep)
    int marker = fd_open_beneath(fd, DRILL_MARKER, O_WRONLY | O_CREAT | O_EXCL, 0600);

    return marker < 0 ? marker
                      : fd_write_full(marker, drill_marker_text, sizeof(drill_marker_text) - 1);
}

int drill_folder_make(const char *path, struct drill_folder *ret_folder, struct diag *diag)
{
    struct drill_folder folder = {.fd = -1};
    CLEANUP(closep) int fd = -1;
    int r =
        path != NULL ? drill_folder_adopt(path, &folder, diag) : drill_folder_invent(&folder, diag);

    if (r < 0) {
        return r;
    }
    fd = open(folder.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return diag_set(diag, -errno, _("%s could not be opened as a folder: %s"), folder.path,
                        err_text(errno));
    }
    r = drill_folder_is_empty(fd);
    if (r == 0) {
        return diag_set(diag, -ERR_EXIST,
                        _("%s is not empty; a drill only works in a folder of its own"),
                        folder.path);
    }
    if (r > 0) {
        r = drill_folder_mark(fd);
    }
    if (r < 0) {
        return diag_set(diag, r, _("the marker could not be written in %s: %s"), folder.path,
                        err_text(r));
    }
    folder.fd = TAKE_FD(fd);
    *ret_folder = folder;
    return 0;
}

int drill_folder_check(const struct drill_folder *folder)
{
    CLEANUP(closep) int marker = fd_open_beneath(folder->fd, DRILL_MARKER, O_RDONLY, 0);
    char text[sizeof(drill_marker_text)] = {0};

    if (marker < 0 || read(marker, text, sizeof(text)) != (ssize_t)sizeof(drill_marker_text) - 1 ||
        memcmp(text, drill_marker_text, sizeof(text)) != 0) {
        return -ERR_FOREIGN;
    }
    return 0;
}

struct drill_walk {
    const struct drill_folder *folder;
    struct arena *arena;
    drill_visit_fn *visit;
    void *context;
    struct drill_place *last; /* the queue's end: places found, not yet read */
};

static int drill_walk_name(struct drill_walk *walk, int dir_fd, const char *dir, const char *name)
{
    struct stat st;
    struct drill_place *place;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISDIR(st.st_mode)) {
        return walk->visit(walk->context, dir_fd, dir, name, &st);
    }
    place = arena_alloc(walk->arena, 1, sizeof(*place));
    if (place == NULL) {
        return -ERR_LIMIT;
    }
    place->path = arena_printf(walk->arena, "%s%s%s", dir, dir[0] != '\0' ? "/" : "", name).ptr;
    walk->last->next = place;
    walk->last = place;
    return place->path != NULL ? 0 : -ERR_LIMIT;
}

static int drill_walk_place(struct drill_walk *walk, const struct drill_place *place)
{
    CLEANUP(closep) int fd = -1;
    const struct dirent *entry;
    DIR *dir;
    int dir_fd;
    int r = 0;

    fd = place->path[0] == '\0'
             ? fd_reopen(walk->folder->fd, O_RDONLY | O_DIRECTORY)
             : fd_open_beneath(walk->folder->fd, place->path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return fd == -ENOENT ? 0 : fd;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        return -errno;
    }
    dir_fd = TAKE_FD(fd); /* the stream's now */
    while (r >= 0 && (entry = readdir(dir)) != NULL) {
        if (!str_is_text(str_from(entry->d_name), ".") &&
            !str_is_text(str_from(entry->d_name), "..")) {
            r = drill_walk_name(walk, dir_fd, place->path, entry->d_name);
        }
    }
    (void)closedir(dir);
    return r;
}

int drill_folder_walk(const struct drill_folder *folder, struct arena *arena, drill_visit_fn *visit,
                      void *context, struct drill_place **ret_places)
{
    struct drill_place *root = arena_alloc(arena, 1, sizeof(*root));
    struct drill_walk walk = {folder, arena, visit, context, root};
    struct drill_place *reversed = NULL;
    int r;

    if (root == NULL) {
        return -ERR_NOMEM;
    }
    root->path = "";
    for (const struct drill_place *place = root; place != NULL; place = place->next) {
        r = drill_walk_place(&walk, place);
        if (r < 0) {
            return r;
        }
    }
    for (struct drill_place *place = root, *next; place != NULL; place = next) {
        next = place->next;
        place->next = reversed;
        reversed = place;
    }
    if (ret_places != NULL) {
        *ret_places = reversed;
    }
    return 0;
}

static int drill_folder_unlink(void *context, int dir_fd, const char *dir, const char *name,
                               const struct stat *st)
{
    (void)context;
    (void)st;
    if (dir[0] == '\0' && str_is_text(str_from(name), DRILL_MARKER)) {
        return 0;
    }
    return unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Opens the folder a path lies in and tells the last part of the path. */
static int drill_folder_parent(const struct drill_folder *folder, const char *path,
                               const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char parent[DRILL_PATH_MAX];

    if (slash == NULL) {
        *ret_name = path;
        return fd_reopen(folder->fd, O_RDONLY | O_DIRECTORY);
    }
    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    *ret_name = slash + 1;
    return fd_open_beneath(folder->fd, parent, O_RDONLY | O_DIRECTORY, 0);
}

int drill_folder_clear(const struct drill_folder *folder)
{
    CLEANUP(arena_freep) struct arena *arena = NULL;
    struct drill_place *places = NULL;
    int r = drill_folder_check(folder);

    if (r == 0) {
        r = arena_new(WALK_LIMIT, &arena);
    }
    if (r == 0) {
        r = drill_folder_walk(folder, arena, drill_folder_unlink, NULL, &places);
    }
    for (const struct drill_place *place = places; r == 0 && place != NULL; place = place->next) {
        const char *name = NULL;
        CLEANUP(closep) int parent = -1;

        if (place->path[0] == '\0') {
            continue;
        }
        parent = drill_folder_parent(folder, place->path, &name);
        if (parent < 0 || (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)) {
            r = parent < 0 ? parent : -errno;
        }
    }
    return r;
}

/* The names at the top, as paths through our descriptor, so that nothing else can take their
 * place. */
static size_t drill_folder_list(const struct drill_folder *folder, struct arena *arena,
                                const char **ret_paths)
{
    int fd = fd_reopen(folder->fd, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    size_t count = 0;

    if (dir == NULL) {
        closep(&fd);
        return 0;
    }
    while (count < SWEEP_MAX && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, DRILL_MARKER) != 0) {
            ret_paths[count++] =
                arena_printf(arena, "/proc/%d/fd/%d/%s", (int)getpid(), folder->fd, name).ptr;
        }
    }
    (void)closedir(dir);
    return count > 0 && ret_paths[count - 1] == NULL ? 0 : count;
}

void drill_folder_sweep(const struct drill_folder *folder)
{
    const char *argv[SWEEP_MAX + 5] = {"rm", "-rf", "--one-file-system", "--"};
    CLEANUP(arena_freep) struct arena *arena = NULL;
    CLEANUP(buf_done) struct buf out;
    int status;

    buf_init(&out, SWEEP_OUTPUT);
    if (drill_folder_check(folder) == 0 && arena_new(WALK_LIMIT, &arena) == 0 &&
        drill_folder_list(folder, arena, &argv[4]) != 0) {
        (void)!spawn_run(argv, STR(""), SWEEP_MS, &out, &status);
    }
}

int drill_folder_remove(struct drill_folder *folder)
{
    int r = drill_folder_clear(folder);

    if (r == 0 && unlinkat(folder->fd, DRILL_MARKER, 0) < 0) {
        r = -errno;
    }
    if (r == 0 && !folder->was_there && rmdir(folder->path) < 0) {
        r = -errno;
    }
    closep(&folder->fd);
    folder->fd = -1;
    return r;
}
