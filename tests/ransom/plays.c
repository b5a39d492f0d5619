/* What attackers and honest programs do to a folder of files; see plays.h. */
#include "plays.h"

#include <string.h>

void make_victims(struct world *world, uint64_t *victims, size_t count)
{
    static const enum nature natures[] = {NATURE_TEXT, NATURE_PICTURE, NATURE_ARCHIVE, NATURE_TEXT};

    for (size_t i = 0; i < count; i++) {
        victims[i] = world_old_file(world, natures[i % 4], SIZE + 37 * i);
    }
}

void start(struct world *world, uint64_t *victims)
{
    make_victims(world, victims, VICTIMS);
    world_actor(world, 40, 1, 40, 0, 4);           /* login daemon */
    world_actor(world, SHELL, 40, SHELL, 1000, 5); /* shell, leads its session */
    world_actor(world, 60, SHELL, SHELL, 1000, 6); /* the program that was started */
}

static void rewrite_all(struct world *world, enum nature nature)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS && world_rewrite(world, 60, victims[i], nature); i++) {
    }
    world_tick(world);
}

static void play_in_place(struct world *world)
{
    rewrite_all(world, NATURE_CIPHER);
}

static void play_every_other_16(struct world *world)
{
    rewrite_all(world, NATURE_MIXED);
}

static void play_container_in_place(struct world *world)
{
    rewrite_all(world, NATURE_CONTAINER);
}

static void play_base64_in_place(struct world *world)
{
    rewrite_all(world, NATURE_CODED);
}

static void play_slow(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS && world_rewrite(world, 60, victims[i], NATURE_CIPHER); i++) {
        world_tick(world);
        world->time += 60000000000; /* one file a minute */
    }
}

static void play_temp_rename_over(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        uint64_t made;

        if (!world_read(world, 60, victims[i])) {
            break;
        }
        made = world_make(world, 60, NATURE_CIPHER, SIZE, NULL);
        if (made == 0) {
            break;
        }
        world_rename_over(world, 60, made, victims[i]);
    }
}

/* A script: one process encrypts, another removes. */
/* The ciphertext is removed as soon as it has taken the name of the original. */
static void play_over_then_gone(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        uint64_t made;

        if (!world_read(world, 60, victims[i])) {
            return;
        }
        made = world_make(world, 60, NATURE_CIPHER, SIZE, NULL);
        if (made == 0) {
            return;
        }
        world_rename_over(world, 60, made, victims[i]);
        world_delete(world, 60, made);
    }
}

static void play_script(struct world *world, enum nature nature, int keep)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS - keep; i++) {
        int pid = 100 + 2 * i;

        world_actor(world, pid, 60, SHELL, 1000, 7);
        if (!world_read(world, pid, victims[i]) ||
            world_make(world, pid, nature, SIZE, NULL) == 0) {
            break;
        }
        world_exit(world, pid);
        world_actor(world, pid + 1, 60, SHELL, 1000, 8);
        world_delete(world, pid + 1, victims[i]);
        world_exit(world, pid + 1);
    }
}

static void play_openssl_rm(struct world *world)
{
    play_script(world, NATURE_CONTAINER, 0);
}

static void play_no_magic_rm(struct world *world)
{
    play_script(world, NATURE_CIPHER, 0);
}

static void play_three_removed(struct world *world)
{
    play_script(world, NATURE_CONTAINER, VICTIMS - 3);
}

static void play_gpg_shred(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        int pid = 100 + 2 * i;

        world_actor(world, pid, 60, SHELL, 1000, 7);
        if (!world_read(world, pid, victims[i]) ||
            world_make(world, pid, NATURE_CONTAINER, SIZE, NULL) == 0) {
            break;
        }
        world_exit(world, pid);
        world_actor(world, pid + 1, 60, SHELL, 1000, 8);
        if (!world_rewrite(world, pid + 1, victims[i], NATURE_CIPHER)) {
            break;
        }
        for (int n = 0; n < 10; n++) { /* shred hides the name first */
            struct judge_step step = {.kind = JUDGE_STEP_RENAME,
                                      .who = {pid + 1, (uint64_t)pid + 1},
                                      .file = {1, victims[i]},
                                      .target_path = STR("/srv/data/0000")};

            world_feed(world, &step);
        }
        world_delete(world, pid + 1, victims[i]);
        world_exit(world, pid + 1);
    }
}

static void play_7z_sdel(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        int pid = 100 + i;

        world_actor(world, pid, 60, SHELL, 1000, 7);
        if (!world_read(world, pid, victims[i]) ||
            world_make(world, pid, NATURE_CONTAINER, SIZE / 4, NULL) == 0) {
            break;
        }
        world_delete(world, pid, victims[i]);
        world_exit(world, pid);
    }
}

static void archive_then_remove(struct world *world, int reader, int maker, int remover,
                                enum nature nature)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    world_actor(world, 100, 60, SHELL, 1000, 7);
    world_actor(world, 101, 60, SHELL, 1000, 8);
    for (int i = 0; i < VICTIMS; i++) {
        (void)world_read(world, reader, victims[i]);
    }
    (void)world_make(world, maker, nature, (uint64_t)SIZE * VICTIMS / 2, NULL);
    for (int i = 0; i < VICTIMS && world->rulings == 0; i++) {
        world_delete(world, remover, victims[i]);
    }
}

static void play_zip_rem(struct world *world)
{
    archive_then_remove(world, 100, 100, 100, NATURE_CONTAINER);
}

static void play_tar_gpg_rm(struct world *world)
{
    archive_then_remove(world, 100, 101, 60, NATURE_CONTAINER);
}

static void play_gzip(struct world *world)
{
    archive_then_remove(world, 100, 100, 100, NATURE_ARCHIVE);
}

static void play_workers(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < 18; i++) {
        world_actor(world, 100 + i, 60, SHELL, 1000, 6);
    }
    for (int i = 0; i < VICTIMS && world_rewrite(world, 100 + i % 18, victims[i], NATURE_CIPHER);
         i++) {
    }
}

/* Each file by a new process of a new session whose parent is dead. */
static void play_setsid(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        int pid = 100 + i;

        world_actor(world, pid, 1, pid, 1000, 7);
        if (!world_rewrite(world, pid, victims[i], NATURE_CIPHER)) {
            break;
        }
        world_exit(world, pid);
        if (world->rulings != 0) {
            break;
        }
    }
}

static void play_process_a_file(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        int pid = 100 + i;

        world_actor(world, pid, 60, SHELL, 1000, 7);
        if (!world_rewrite(world, pid, victims[i], NATURE_CIPHER)) {
            break;
        }
        world_exit(world, pid);
    }
}

/* Removed first, the ciphertext comes from memory afterwards. */
static void play_remove_first(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        if (!world_read(world, 60, victims[i])) {
            break;
        }
        world_delete(world, 60, victims[i]);
        if (world_make(world, 60, NATURE_CIPHER, SIZE * 2, NULL) == 0) {
            break;
        }
    }
}

static void play_in_place_late(struct world *world)
{
    world->is_late = true;
    rewrite_all(world, NATURE_CIPHER);
}

static void play_openssl_rm_late(struct world *world)
{
    world->is_late = true;
    play_openssl_rm(world);
}

static void play_in_place_no_scanner(struct world *world)
{
    world->is_scanner_dead = true;
    rewrite_all(world, NATURE_CIPHER);
}

/* All is removed before the scanner has said what the archives are. */
static void play_7z_sdel_scanner_late(struct world *world)
{
    world->is_scanner_dead = true;
    world->is_magic_late = true;
    play_7z_sdel(world);
    world->is_scanner_dead = false;
    world_tick(world);
}

static void play_zip_rem_no_scanner(struct world *world)
{
    world->is_scanner_dead = true;
    play_zip_rem(world);
}

/* From here on: nobody may be stopped. */

static void play_gzip_no_scanner(struct world *world)
{
    world->is_scanner_dead = true;
    play_gzip(world);
}

static void play_gzip_scanner_late(struct world *world)
{
    play_gzip_no_scanner(world);
    world->is_scanner_dead = false;
    world_tick(world);
}

static void play_git_checkout(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        (void)world_read(world, 60, victims[i]);
        world_delete(world, 60, victims[i]);
        (void)world_make(world, 60, NATURE_TEXT, SIZE, NULL);
    }
}

static void play_backup(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        (void)world_read(world, 60, victims[i]);
        (void)world_make(world, 60, NATURE_CIPHER, SIZE, NULL);
    }
}

/* A backup keeps the files, and replaces small records of its own at each commit: the new ones are
 * written beside the old ones first. */
static void play_backup_records(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int commit = 0; commit < 6; commit++) {
        for (int i = 0; i < VICTIMS; i++) {
            (void)world_read(world, 60, victims[i]);
        }
        (void)world_make(world, 60, NATURE_CIPHER, (uint64_t)SIZE * VICTIMS,
                         "/srv/data/segments/0");
        for (int i = 0; i < 3; i++) {
            uint64_t record = world_old_file(world, NATURE_TEXT, 4000);

            (void)world_read(world, 60, record);
            (void)world_make(world, 60, NATURE_TEXT, 4000, NULL);
            world_delete(world, 60, record);
        }
    }
}

/* Nightly backups: each makes a lock, looks into it and removes it, beside ciphertext of its own.
 */
static void play_backup_locks(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int night = 0; night < 10; night++) {
        int pid = 100 + night;
        uint64_t lock;

        world_actor(world, pid, 1, pid, 1000, 77);
        for (int i = 0; i < 3; i++) {
            (void)world_read(world, pid, victims[i]);
        }
        lock = world_make(world, pid, NATURE_TEXT, 500, "/data/cache/lock");
        (void)world_make(world, pid, NATURE_CIPHER, 600, "/data/repo/segment");
        world_tick(world);
        (void)world_read(world, pid, lock);
        world_delete(world, pid, lock);
        world_exit(world, pid);
    }
}

/* borg compact, restic prune: reads old segments, writes new ones, removes the old. */
static void play_prune(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        uint64_t segment = world_old_file(world, NATURE_CIPHER, SIZE);

        (void)world_read(world, 60, segment);
        (void)world_make(world, 60, NATURE_CIPHER, SIZE, NULL);
        world_delete(world, 60, segment);
    }
}

static void replace_all(struct world *world, enum nature from, enum nature to)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        uint64_t file = world_old_file(world, from, SIZE);

        (void)world_read(world, 60, file);
        world_rename_over(world, 60, world_make(world, 60, to, SIZE + 9, NULL), file);
    }
}

static void play_sed(struct world *world)
{
    replace_all(world, NATURE_TEXT, NATURE_TEXT);
}

static void play_mogrify(struct world *world)
{
    replace_all(world, NATURE_PICTURE, NATURE_ARCHIVE);
}

static void play_office_save(struct world *world)
{
    replace_all(world, NATURE_ARCHIVE, NATURE_ARCHIVE);
}

static void play_recompress_in_place(struct world *world)
{
    rewrite_all(world, NATURE_ARCHIVE);
}

static void play_unzip_over(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        world_delete(world, 60, victims[i]);
        (void)world_make(world, 60, NATURE_ARCHIVE, SIZE, NULL);
    }
}

static void play_copytruncate(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        (void)world_read(world, 60, victims[i]);
        (void)world_make(world, 60, NATURE_TEXT, SIZE, NULL);
        (void)world_rewrite(world, 60, victims[i], NATURE_EMPTY);
    }
    world_tick(world);
}

static void play_gpg_keep(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < 20; i++) {
        int pid = 100 + i;

        world_actor(world, pid, SHELL, SHELL, 1000, 7);
        (void)world_read(world, pid, victims[i]);
        (void)world_make(world, pid, NATURE_CONTAINER, SIZE, NULL);
        world_exit(world, pid);
    }
}

static void play_rm_rf(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) { /* a search went over it before */
        (void)world_read(world, SHELL, victims[i]);
    }
    for (int i = 0; i < VICTIMS; i++) {
        world_delete(world, 60, victims[i]);
    }
}

static void shred_all(struct world *world, bool is_slow)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < 20; i++) {
        if (!world_rewrite(world, 60, victims[i], NATURE_CIPHER)) {
            break;
        }
        if (is_slow) { /* a large file: somebody looks before it is removed */
            world_tick(world);
        }
        world_delete(world, 60, victims[i]);
    }
}

static void play_shred_only(struct world *world)
{
    shred_all(world, false);
}

static void play_shred_slowly(struct world *world)
{
    shred_all(world, true);
}

/* An encrypted folder in daily use: what cannot be read cannot be destroyed. */
static void play_cipher_vault(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < VICTIMS; i++) {
        uint64_t block = world_old_file(world, NATURE_CIPHER, SIZE);

        world->files[block].now = NATURE_CIPHER;
        (void)world_rewrite(world, 60, block, NATURE_CIPHER);
    }
    world_tick(world);
}

/* A dump is made, encrypted and removed, one after the other, night for night. */
static void play_dump_gpg_rm(struct world *world)
{
    uint64_t victims[VICTIMS];

    start(world, victims);
    for (int i = 0; i < 12; i++) {
        uint64_t dump = world_make(world, 60, NATURE_TEXT, SIZE, NULL);

        world_actor(world, 100 + i, 60, SHELL, 1000, 7);
        (void)world_read(world, 100 + i, dump);
        (void)world_make(world, 100 + i, NATURE_CONTAINER, SIZE / 3, NULL);
        world_exit(world, 100 + i);
        world_actor(world, 200 + i, 60, SHELL, 1000, 8);
        world_delete(world, 200 + i, dump);
        world_exit(world, 200 + i);
    }
}

static void play_zero_fill(struct world *world)
{
    rewrite_all(world, NATURE_ZEROS);
}

const struct play plays[] = {
    {"in-place", play_in_place, 3},
    {"every-other-16", play_every_other_16, 3},
    {"container-in-place", play_container_in_place, 3},
    {"base64-in-place", play_base64_in_place, 5},
    {"slow", play_slow, 3},
    {"temp-rename-over", play_temp_rename_over, 3},
    {"over-then-gone", play_over_then_gone, 3},
    {"openssl-rm", play_openssl_rm, 4},
    {"no-magic-rm", play_no_magic_rm, 4},
    {"gpg-shred", play_gpg_shred, 4},
    {"7z-sdel", play_7z_sdel, 4},
    {"zip-rem", play_zip_rem, 4},
    {"tar-gpg-rm", play_tar_gpg_rm, 4},
    {"workers-18", play_workers, 3},
    {"setsid", play_setsid, 6},
    {"process-a-file", play_process_a_file, 3},
    {"remove-first", play_remove_first, 5},
    {"in-place-late", play_in_place_late, 3},
    {"openssl-rm-late", play_openssl_rm_late, 6},
    {"in-place-no-scanner", play_in_place_no_scanner, 6},
    {"7z-sdel-scanner-late", play_7z_sdel_scanner_late, VICTIMS},
    {"zip-rem-no-scanner", play_zip_rem_no_scanner, 4},
    {"gzip-no-scanner", play_gzip_no_scanner, 0},
    {"gzip-scanner-late", play_gzip_scanner_late, 0},
    {"git-checkout", play_git_checkout, 0},
    {"gzip", play_gzip, 0},
    {"backup", play_backup, 0},
    {"backup-records", play_backup_records, 0},
    {"backup-locks", play_backup_locks, 0},
    {"prune", play_prune, 0},
    {"sed", play_sed, 0},
    {"mogrify", play_mogrify, 0},
    {"office-save", play_office_save, 0},
    {"recompress-in-place", play_recompress_in_place, 0},
    {"unzip-over", play_unzip_over, 0},
    {"copytruncate", play_copytruncate, 0},
    {"gpg-keep", play_gpg_keep, 0},
    {"three-removed", play_three_removed, 0},
    {"rm-rf", play_rm_rf, 0},
    {"shred-only", play_shred_only, 0},
    {"shred-slowly", play_shred_slowly, 0},
    {"cipher-vault", play_cipher_vault, 0},
    {"dump-gpg-rm", play_dump_gpg_rm, 0},
    {"zero-fill", play_zero_fill, 0},
};

const size_t play_count = sizeof(plays) / sizeof(plays[0]);

const struct play *play_named(const char *name)
{
    for (size_t i = 0; i < play_count; i++) {
        if (strcmp(plays[i].name, name) == 0) {
            return &plays[i];
        }
    }
    return NULL;
}
