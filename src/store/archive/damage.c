/* What cannot be read, as writer and searches tell of it. Neighbours: archive.c and archive/scan.c
 * meet it; archive/day.c sets files aside. */
#include "store/archive/private.h"

#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"

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

void damages_add(struct archive_damages *damages, const struct archive_damage *damage)
{
    for (size_t i = 0; i < damages->count; i++) {
        const struct archive_damage *known = &damages->list[i];

        if (known->day == damage->day && known->aside == damage->aside &&
            known->block == damage->block) {
            return; /* met before, in another turn */
        }
    }
    if (damages->count == ARCHIVE_DAMAGES_MAX) {
        damages->has_more = true;
        return;
    }
    damages->list[damages->count++] = *damage;
}

bool archive_take_damage(struct archive *archive, struct archive_damage *ret_damage)
{
    if (archive->damages_told == archive->damages.count) {
        return false;
    }
    *ret_damage = archive->damages.list[archive->damages_told++];
    return true;
}
