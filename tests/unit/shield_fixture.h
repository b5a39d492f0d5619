/* A shield with no gate: what the kernel would tell of files in a scratch folder is told by the
 * test, in whatever order and as late as it likes. */
#ifndef TESTS_UNIT_SHIELD_FIXTURE_H
#define TESTS_UNIT_SHIELD_FIXTURE_H

#include "harness.h"

#include "agent/shield/private.h"
#include "sense/files.h"

#define PAIRS 2
#define SIZE  20000

struct stage {
    char folder[32];
    struct page *page;
    struct files *files; /* knows of no file system, and no thread of it runs */
    struct shield *shield;
    struct actor_key who;
    uint64_t version; /* of what the next visits find saved */
    bool has_waiter;  /* somebody waited for the next visits */
    struct files_place place;
    int wake_fd;
};

/* What a new file was, for the event that tells of its rename. */
struct made {
    struct file_handle_id handle;
    char path[64];
    char target[64];
};

void stage_begin(struct stage *stage);
void stage_end(struct stage *stage);
/* As the gate tells of it. Takes the descriptor. */
struct file_handle_id visit(struct stage *stage, const char *path, int fd, bool is_write);
void read_file(struct stage *stage, const char *path);
void fill(int fd, bool is_noise);
void path_of(const struct stage *stage, char letter, int number, char out[64]);
/* Ciphertext beside a file, renamed over it. Nobody tells of that yet. */
void put_over(struct stage *stage, const char *path, struct made *made);
void replace(struct stage *stage, const char *path, struct made *made);
void tell(struct stage *stage, const struct made *made);
void tell_of(struct stage *stage, enum name_change change, const char *path,
             const struct file_handle_id *handle);
/* The judge is told what the file is now: as it was, or ciphertext. */
void answer(struct stage *stage, struct file_key file, bool is_noise);
void announce(struct stage *stage, struct shield_job **ret_job);
/* Each name must be known as destroyed, with the same original for both of a pair. */
void assert_all_told(struct stage *stage, const struct made *made, size_t count, bool are_pairs);
/* All of 2 * PAIRS are told of now, and known; what stands in their places goes, and the stage. */
void end_told(struct stage *stage, const struct made *made, bool are_pairs);
void make(const struct stage *stage, int number, bool has_two);

#endif
