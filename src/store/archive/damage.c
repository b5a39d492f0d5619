/* What cannot be read, as writer and searches tell of it. Neighbours: archive.c and archive/scan.c
 * meet it; archive/day.c sets files aside. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

#include <sys/stat.h>

bool damage_is(int error)
{
    return error == -ERR_CORRUPT || error == -ERR_FOREIGN || error == -ERR_IO;
}

bool damage_stays(int error)
{
    return error == -ERR_CORRUPT || error == -ERR_FOREIGN;
}

struct archive_damage damage_of_file(const struct day_file *file, int error)
{
    return (struct archive_damage){.day = file->day,
                                   .aside = file->aside,
                                   .error = error,
                                   .first = file->day * NS_PER_DAY,
                                   .last = (file->day + 1) * NS_PER_DAY - 1};
}

/* The time of what is left, which outlasts its renaming. */
struct archive_damage damage_of_aside(const struct archive *archive, const struct day_file *file,
                                      int error)
{
    struct archive_damage damage = damage_of_file(file, error);
    char path[ARCHIVE_PATH_SIZE];
    struct stat status;

    day_path(archive, file, "", path);
    if (stat(path, &status) == 0) {
        damage.met = status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec;
    }
    return damage;
}

struct archive_damage damage_of_block(struct database *database, int64_t day, int64_t number)
{
    CLEANUP(query_done) struct query query = {0};
    struct archive_damage damage = damage_of_file(&(struct day_file){.day = day}, -ERR_CORRUPT);

    damage.block = number;
    query_init(&query, database, "SELECT first, last, count FROM blocks WHERE number = ?1");
    query_bind_i64(&query, 1, number);
    if (query_one(&query) == 0) {
        damage.first = query_i64(&query, 0);
        damage.last = query_i64(&query, 1);
        damage.entries = query_u64(&query, 2);
    }
    return damage;
}

static bool damages_know(const struct archive_damages *damages, const struct archive_damage *damage)
{
    for (size_t i = 0; i < damages->count; i++) {
        const struct archive_damage *known = &damages->list[i];

        if (known->day == damage->day && known->aside == damage->aside &&
            known->block == damage->block && known->met == damage->met) {
            return true;
        }
    }
    return false;
}

void damages_add(struct archive_damages *damages, const struct archive_damage *damage)
{
    if (damages_know(damages, damage)) {
        return; /* met before, in another turn */
    }
    if (damages->count == ARCHIVE_DAMAGES_MAX) {
        damages->has_more = true;
        return;
    }
    damages->list[damages->count++] = *damage;
}

/* ---- the writer's */

/* What was met first makes room for a later day: days are learned oldest first, and what is new is
 * what people do not know of yet. */
static void damages_make_room(struct archive *archive, const struct archive_damage *damage)
{
    struct archive_damages *damages = &archive->damages;

    damages->has_more = true;
    if (damages->list[0].day <= damage->day) {
        damages->count--;
        memmove(&damages->list[0], &damages->list[1], damages->count * sizeof(damages->list[0]));
        archive->damages_told -= archive->damages_told != 0;
    }
}

/* Those that were told make room: whoever is told knows them again. */
void archive_note_damage(struct archive *archive, const struct archive_damage *damage)
{
    struct archive_damages *damages = &archive->damages;

    if (damages->count == ARCHIVE_DAMAGES_MAX && archive->damages_told == ARCHIVE_DAMAGES_MAX) {
        *damages = (struct archive_damages){0};
        archive->damages_told = 0;
    }
    if (damages->count == ARCHIVE_DAMAGES_MAX && !damages_know(damages, damage)) {
        damages_make_room(archive, damage);
    }
    damages_add(damages, damage);
}

bool archive_has_more_damage(const struct archive *archive)
{
    return archive->damages.has_more;
}

/* When it was met, by what is in memory: a rollback takes back what the file was to keep in mind.
 * 0: it is not known. Blocks of a file that was set aside since were another's. */
static int64_t damage_met(const struct archive_damages *damages, int64_t day, int64_t block)
{
    for (size_t i = damages->count; i != 0; i--) {
        const struct archive_damage *known = &damages->list[i - 1];

        if (known->day == day && known->aside != 0) {
            return 0;
        }
        if (known->day == day && known->block == block) {
            return known->met;
        }
    }
    return 0;
}

static int64_t damage_recall(struct database *database, int64_t block)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, database, "SELECT met FROM damages WHERE block = ?1");
    query_bind_i64(&query, 1, block);
    return query_one(&query) == 0 ? query_i64(&query, 0) : 0;
}

static void damage_remember(struct database *database, const struct archive_damage *damage)
{
    CLEANUP(query_done) struct query query = {0};

    query_init(&query, database, "INSERT OR IGNORE INTO damages (block, met) VALUES (?1, ?2)");
    query_bind_i64(&query, 1, damage->block);
    query_bind_i64(&query, 2, damage->met);
    (void)query_run(&query); /* a file that takes nothing fails what is written next as well */
}

void archive_note_block(struct archive *archive, struct database *database, int64_t day,
                        int64_t number)
{
    struct archive_damage damage = damage_of_block(database, day, number);

    damage.met = damage_recall(database, number);
    if (damage.met == 0) {
        damage.met = damage_met(&archive->damages, day, number);
        damage.met = damage.met != 0 ? damage.met : clock_wall(archive->clock);
        damage_remember(database, &damage);
    }
    archive_note_damage(archive, &damage);
}

int archive_recall_blocks(struct archive *archive, struct database *database, int64_t day)
{
    CLEANUP(query_done) struct query query = {0};
    int r;

    query_init(&query, database, "SELECT block, met FROM damages");
    while ((r = query_next(&query)) > 0) {
        struct archive_damage damage = damage_of_block(database, day, query_i64(&query, 0));

        damage.met = query_i64(&query, 1);
        archive_note_damage(archive, &damage);
    }
    return r;
}

bool archive_take_damage(struct archive *archive, struct archive_damage *ret_damage)
{
    if (archive->damages_told == archive->damages.count) {
        return false;
    }
    *ret_damage = archive->damages.list[archive->damages_told++];
    return true;
}
