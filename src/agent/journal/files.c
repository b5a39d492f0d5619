/* The files: found, opened, stepped through, closed. What cannot be read is tried a few times,
 * since journald may be at work on it, then told once and passed over. Neighbours: libsystemd
 * before, read.c behind. */
#include "agent/journal/private.h"
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define MACHINE_FILE  "/etc/machine-id"
#define MACHINE_LEN   (JOURNAL_ID_SIZE - 1)
#define SETTLED_NS    (2 * NS_PER_S) /* later changes of a folder have another time than this one */
#define RETRY_NS      NS_PER_S
#define RETRY_LATE_NS (60 * NS_PER_S)
#define TRIES_MAX     3
#define SKIP_MAX      (64U << 10) /* entries at a time */
#define VALUE_MAX     (64U << 10)

static bool is_journal_name(struct str name)
{
    return str_has_suffix(name, STR(".journal")) || str_has_suffix(name, STR(".journal~"));
}

/* journald writes to it no more. */
static bool is_archived(const struct journal_file *file)
{
    const char *name = strrchr(file->path, '/');

    return str_has_suffix(str_from(file->path), STR("~")) ||
           (name != NULL && strchr(name, '@') != NULL);
}

static bool stat_of(const char *path, struct stat *ret_stat)
{
    return stat(path, ret_stat) == 0;
}

static int64_t stat_changed(const struct stat *stat)
{
    return (int64_t)stat->st_mtim.tv_sec * NS_PER_S + stat->st_mtim.tv_nsec;
}

static bool is_machine_name(const struct journal *journal, struct str name)
{
    struct str machine = str_from(journal->machine);

    return machine.len == MACHINE_LEN && str_has_prefix(name, machine) &&
           (name.len == machine.len || name.ptr[machine.len] == '.'); /* .NAMESPACE */
}

static void journal_add_folder(struct journal *journal, const char *path, const char *named)
{
    struct journal_folder *folder = &journal->folders[journal->folder_count];
    struct stat stat;

    for (size_t i = 0; i < journal->folder_count; i++) {
        if (str_is_text(str_from(path), journal->folders[i].path)) {
            return;
        }
    }
    if (journal->folder_count == JOURNAL_FOLDERS_MAX) {
        log_warn(_("the journal has more than %d folders; '%s' is not read"), JOURNAL_FOLDERS_MAX,
                 path);
        return;
    }
    *folder = (struct journal_folder){.path = mem_dup(path, strlen(path)), .named = named};
    if (folder->path == NULL) {
        return;
    }
    if (stat_of(path, &stat)) {
        folder->dev = stat.st_dev;
        folder->ino = stat.st_ino;
    }
    journal->folder_count++;
}

void journal_find_roots(struct journal *journal, const struct agent_settings *settings)
{
    const struct setting_list *list = &settings->journal_folders;
    CLEANUP(buf_done) struct buf machine;

    buf_init(&machine, 256);
    if (file_read_all(AT_FDCWD, MACHINE_FILE, &machine) == 0) {
        (void)snprintf(journal->machine, sizeof(journal->machine), "%.*s",
                       STR_ARG(str_trim(buf_str(&machine))));
    }
    for (size_t i = 0; i < list->count; i++) {
        journal_add_folder(journal, list->items[i], list->items[i]);
    }
    journal->root_count = journal->folder_count;
}

bool journal_is_there(const struct agent_settings *settings)
{
    struct journal *journal = NULL;
    bool is_there;

    if (!agent_settings_journal(settings)) {
        return false;
    }
    journal = mem_alloc(1, sizeof(*journal));
    if (journal == NULL) {
        return false;
    }
    list_init(&journal->files);
    journal_find_roots(journal, settings);
    (void)!journal_list(journal);
    is_there = journal->file_count != 0;
    journal_close(journal);
    mem_free(journal);
    return is_there;
}

static void file_close(struct journal_file *file)
{
    if (file->journal != NULL && file->chain != NULL) {
        file->chain->files--;
    }
    sd_journal_close(file->journal);
    file->journal = NULL;
    file->chain = NULL;
    file->has_entry = false;
}

static void file_free(struct journal *journal, struct journal_file *file)
{
    file_close(file);
    list_remove(&file->link);
    mem_free(file->path);
    mem_free(file);
    journal->file_count--;
}

/* What was handed on of it stays; the rest is tried again from there. */
static void file_fail(struct journal_file *file, int error)
{
    if (file->chain != NULL) {
        file->chain->is_whole = false;
    }
    file_close(file);
    file->tries += file->tries < TRIES_MAX;
    file->retry = clock_mono(&clock_real) + (file->tries < TRIES_MAX ? RETRY_NS : RETRY_LATE_NS);
    file->is_done = error == -ENOENT || (file->tries == TRIES_MAX && is_archived(file));
    if (file->tries == TRIES_MAX && !file->is_told && error != -ENOENT) {
        file->is_told = true;
        log_warn(_("the journal file '%s' cannot be read further (%s) and is passed over"),
                 file->path, strerror(-error));
    }
}

static void journal_add_file(struct journal *journal, struct journal_folder *folder,
                             const char *path, const struct stat *stat)
{
    struct journal_file *file = NULL;

    LIST_EACH (node, &journal->files) {
        struct journal_file *other = LIST_ENTRY(node, struct journal_file, link);

        if (other->dev == stat->st_dev && other->ino == stat->st_ino &&
            str_is_text(str_from(path), other->path)) {
            other->is_seen = true;
            return;
        }
    }
    if (journal->file_count < JOURNAL_FILES_MAX) {
        file = mem_alloc(1, sizeof(*file));
    }
    if (file == NULL || (file->path = mem_dup(path, strlen(path))) == NULL) {
        log_warn(_("the journal has more than %d files; '%s' is not read"), JOURNAL_FILES_MAX,
                 path);
        mem_free(file);
        return;
    }
    file->folder = folder;
    file->dev = stat->st_dev;
    file->ino = stat->st_ino;
    file->is_seen = true;
    file->is_late = journal->has_waited;
    list_append(&journal->files, &file->link);
    journal->file_count++;
}

static void journal_add_item(struct journal *journal, struct journal_folder *folder,
                             const char *name)
{
    char path[PATH_MAX];
    struct stat stat;

    if (snprintf(path, sizeof(path), "%s/%s", folder->path, name) >= (int)sizeof(path)) {
        return;
    }
    if (is_journal_name(str_from(name)) && stat_of(path, &stat) && S_ISREG(stat.st_mode)) {
        journal_add_file(journal, folder, path, &stat);
    } else if (folder < journal->folders + journal->root_count &&
               is_machine_name(journal, str_from(name))) {
        journal_add_folder(journal, path, folder->named);
    }
}

/* Files that are there no more are forgotten when nothing more comes from them. */
static void journal_forget(struct journal *journal, const struct journal_folder *folder)
{
    LIST_EACH (node, &journal->files) {
        struct journal_file *file = LIST_ENTRY(node, struct journal_file, link);

        if (file->folder == folder && !file->is_seen && file->journal == NULL) {
            file_free(journal, file);
        }
    }
}

static void journal_list_folder(struct journal *journal, struct journal_folder *folder)
{
    DIR *dir = opendir(folder->path);
    const struct dirent *item;

    if (dir == NULL) {
        if (errno != ENOENT && !folder->is_told) {
            folder->is_told = true;
            log_warn(_("the journal's folder '%s' cannot be read: %s"), folder->path,
                     err_text(-errno));
        }
        return;
    }
    LIST_EACH (node, &journal->files) {
        struct journal_file *file = LIST_ENTRY(node, struct journal_file, link);

        file->is_seen = file->is_seen && file->folder != folder;
    }
    while ((item = readdir(dir)) != NULL) {
        journal_add_item(journal, folder, item->d_name);
    }
    (void)closedir(dir);
    journal_forget(journal, folder);
}

bool journal_list(struct journal *journal)
{
    for (size_t i = 0; i < journal->folder_count; i++) {
        struct journal_folder *folder = &journal->folders[i];
        struct stat stat = {0};
        bool is_there = stat_of(folder->path, &stat);
        int64_t changed = stat_changed(&stat);

        if (i < journal->root_count && is_there &&
            (stat.st_dev != folder->dev || stat.st_ino != folder->ino)) {
            return false;
        }
        if (is_there && changed == folder->changed && folder->listed > changed + SETTLED_NS) {
            continue;
        }
        folder->changed = changed;
        folder->listed = clock_wall(&clock_real);
        journal_list_folder(journal, folder);
    }
    return true;
}

static int file_read_place(struct journal_file *file)
{
    char *cursor = NULL;
    int r = sd_journal_get_cursor(file->journal, &cursor);

    if (r >= 0) {
        r = journal_parse_cursor(str_from(cursor), &file->place);
        r = r < 0 ? -EBADMSG : r;
    }
    mem_free(cursor);
    return r;
}

/* The first entry has told which chain the file is of: goes on where that was left. */
static int file_begin(struct journal *journal, struct journal_file *file)
{
    struct journal_chain *chain = journal_find_chain(journal, file->place.chain);
    char cursor[80];

    if (chain == NULL) {
        return -EMFILE;
    }
    file->chain = chain;
    chain->files++;
    if (file->tries != 0) { /* damaged: a search may meet the damage, a walk comes up to it */
        return sd_journal_seek_head(file->journal);
    }
    if (chain->number == 0) {
        return sd_journal_seek_realtime_usec(file->journal, journal->since);
    }
    (void)snprintf(cursor, sizeof(cursor), "s=%s;i=%llx", file->place.id,
                   (unsigned long long)chain->number);
    return sd_journal_seek_cursor(file->journal, cursor);
}

/* The library drops a file that it finds damaged and then says that it is at its end. */
static bool file_was_dropped(const struct journal_file *file)
{
    uint64_t from;
    uint64_t to;

    return file->chain != NULL &&
           sd_journal_get_cutoff_realtime_usec(file->journal, &from, &to) <= 0;
}

static void file_reach_end(struct journal_file *file)
{
    if (file_was_dropped(file)) {
        file_fail(file, -EBADMSG);
    } else if (is_archived(file) || !file->is_seen) {
        file_close(file);
        file->is_done = true;
    }
}

/* Whether the entry that it stands at is to be handed on. */
static bool file_is_at_news(const struct journal *journal, struct journal_file *file)
{
    struct journal_chain *chain = file->chain;

    if (file->place.number == chain->number) {
        chain->is_whole = true;
    }
    return file->place.number > chain->number &&
           (chain->number != 0 || file->place.time >= journal->since) &&
           !journal_is_copy(journal, file);
}

void journal_step(struct journal *journal, struct journal_file *file)
{
    file->has_entry = false;
    for (unsigned i = 0; i < SKIP_MAX && !file->has_entry; i++) {
        int r = sd_journal_next(file->journal);

        if (r == 0) {
            file_reach_end(file);
            return;
        }
        r = r < 0 ? r : file_read_place(file);
        if (r >= 0 && file->chain == NULL) {
            r = file_begin(journal, file);
        } else if (r >= 0) {
            file->has_entry = file_is_at_news(journal, file);
        }
        if (r < 0) {
            file_fail(file, r);
            return;
        }
    }
}

static void journal_open_file(struct journal *journal, struct journal_file *file)
{
    const char *paths[] = {file->path, NULL};
    int r = sd_journal_open_files(&file->journal, paths, 0);

    if (r < 0) {
        file->journal = NULL;
    } else {
        r = sd_journal_set_data_threshold(file->journal, VALUE_MAX);
        r = r < 0 ? r : sd_journal_seek_head(file->journal);
    }
    if (r < 0) {
        file_fail(file, r);
    } else {
        journal_step(journal, file);
    }
}

void journal_look(struct journal *journal)
{
    int64_t now = clock_mono(&clock_real);

    LIST_EACH (node, &journal->files) {
        struct journal_file *file = LIST_ENTRY(node, struct journal_file, link);

        if (file->is_done || file->has_entry) {
            continue;
        }
        if (file->journal != NULL) {
            journal_step(journal, file);
        } else if (now >= file->retry) {
            journal_open_file(journal, file);
        }
    }
}

void journal_close(struct journal *journal)
{
    LIST_EACH (node, &journal->files) {
        file_free(journal, LIST_ENTRY(node, struct journal_file, link));
    }
    for (size_t i = 0; i < journal->folder_count; i++) {
        mem_free(journal->folders[i].path);
    }
    journal->folder_count = 0;
}
