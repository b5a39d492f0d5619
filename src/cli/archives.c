/* Neighbours: cli/search.c and cli/backtest.c walk through it. */
#include "cli/archives.h"

#include "base/banned.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "sys/channel.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include <errno.h>
#include <sys/wait.h>

#define ARENA_LIMIT (16U << 20)

static int sifter_body(void *context)
{
    const int *channel = context;

    return sifter_run(&(struct sifter_options){
        .user = geteuid() == 0 ? "nobody" : NULL, .channel = *channel, .supervisor = -1});
}

/* The sifter begins by giving up its rights; here it gets one end of a channel and nothing else. */
static int archives_start_sifter(struct archives *archives, struct diag *diag)
{
    int ends[2] = {-1, -1};
    int r = channel_pair(ends);

    archives->sifter = mem_alloc(1, sizeof(*archives->sifter));
    r = r == 0 && archives->sifter == NULL ? -ERR_NOMEM : r;
    if (r == 0) {
        r = spawn_body("canhgac-sifter", &ends[1], 1, sifter_body, &ends[1], &archives->pid);
    }
    closep(&ends[1]);
    if (r < 0) {
        closep(&ends[0]);
        return diag_set(diag, r, _("cannot start a worker: %s"), err_text(r));
    }
    sifter_init(archives->sifter, ends[0]);
    archives->reader = (struct find_reader){.judge = sifter_judge, .context = archives->sifter};
    return 0;
}

int archives_open(const char *folder, struct archives *ret_archives, struct diag *diag)
{
    struct archives archives = {0};
    int r = store_open(&(struct store_options){.folder = folder, .is_read_only = true},
                       &archives.store, diag);

    r = r < 0 ? r
              : archive_open(&(struct archive_options){.folder = folder,
                                                       .is_read_only = true,
                                                       .clock = &clock_real},
                             &archives.archive, diag);
    r = r < 0 ? r : arena_new(ARENA_LIMIT, &archives.arena);
    r = r < 0 ? r : archives_start_sifter(&archives, diag);
    if (r < 0) {
        archives_close(&archives);
        return r;
    }
    *ret_archives = archives;
    return 0;
}

void archives_close(struct archives *archives)
{
    if (archives->pid != 0) {
        closep(&archives->sifter->channel);
        sifter_done(archives->sifter);
        while (waitpid(archives->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    mem_free(archives->sifter);
    arena_free(archives->arena);
    archive_close(archives->archive);
    store_close(archives->store);
    *archives = (struct archives){0};
}

int archives_find(struct archives *archives, struct find_query *query, find_fn *fn, void *context)
{
    query->reader = &archives->reader;
    query->damages = &archives->damages;
    arena_reset(archives->arena);
    return find_events(archives->archive, archives->store, archives->arena, query, &query->cursor,
                       fn, context);
}

static void archives_tell_damage(const struct archive_damage *damage)
{
    char file[ARCHIVE_FILE_SIZE];
    char first[TIME_TEXT_SIZE];
    char last[TIME_TEXT_SIZE];

    archive_file(damage, file);
    if (damage->error == -ERR_FOREIGN) {
        (void)command_fail(
            0,
            _("%s is no archive of Canh Gác, or was one: it was not searched; put the "
              "right one back from a backup, or move it away"),
            file);
        return;
    }
    if (damage->error == -ERR_VERSION) {
        (void)command_fail(0,
                           _("%s is of another version: it was not searched; start the centre of "
                             "this version once, or install the version that wrote it"),
                           file);
        return;
    }
    if (damage->block == 0) {
        (void)command_fail(0,
                           _("%s is damaged: what it holds was not searched, or not all of it; put "
                             "it back from a backup"),
                           file);
        return;
    }
    time_format_offset(damage->first, ARCHIVES_ZONE, first);
    time_format_offset(damage->last, ARCHIVES_ZONE, last);
    (void)command_fail(0,
                       _("%llu events from %s to %s could not be read: %s is damaged in one place; "
                         "put it back from a backup"),
                       (unsigned long long)damage->entries, first, last, file);
}

bool archives_tell_damages(const struct archives *archives)
{
    const struct archive_damages *damages = &archives->damages;

    for (size_t i = 0; i < damages->count; i++) {
        archives_tell_damage(&damages->list[i]);
    }
    if (damages->has_more) {
        (void)command_fail(0, _("more places than these are damaged"));
    }
    return damages->count != 0;
}
