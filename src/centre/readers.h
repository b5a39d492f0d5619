/* The readers as fetch sees them: questions queue here, one at a time goes to each, and one that
 * does not answer in time is reported as hung. Between fetch/look.c and the channels to
 * centre/reader.h. */
#ifndef CENTRE_READERS_H
#define CENTRE_READERS_H

#include "base/arena.h"
#include "base/list.h"
#include "centre/reader.h"
#include "model/site.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READERS_MAX 8

struct readers;

struct reader_answer {
    int error;               /* -ERR_CANCELED: the reader died or hung over it; -ERR_PROTO */
    struct site_check check; /* judged; lives in the question's arena and in the packet */
    bool needs_second;
    bool needs_sheets; /* it was not judged: some of its links are sheets to be fetched first */
    int page_fd;       /* what to keep, -1: as before; taken by TAKE_FD, else closed */
    int site_fd;
    int sheets_fd;
    int scripts_fd;
    int text_fd; /* the page's words, -1: as before; taken likewise */
    uint64_t text_hash;
    size_t link_count;
    struct {
        enum reader_link kind;
        struct str url;
    } links[READER_LINKS_MAX];
};
typedef void reader_done_fn(void *context, struct reader_answer *answer);

/* A question; lives, with all that it borrows, until done was called. */
struct reader_ask {
    struct list node;
    const struct site_check *check;
    uint32_t flags;  /* enum reader_flag */
    int body;        /* -1: none */
    struct str page; /* what is kept; empty: nothing */
    struct str site;
    int sheets;         /* as READER_MESSAGE_ASK has it; -1: none */
    int scripts;        /* likewise */
    uint64_t text_hash; /* of the words that were told last */
    struct str charset; /* that its Content-Type named */
    struct arena *arena;
    reader_done_fn *done;
    void *context;
};

/* channels: one to each reader, non-blocking. on_hung: is told which one should be replaced. */
[[nodiscard]] int readers_new(struct loop *loop, const int *channels, size_t count,
                              void (*on_hung)(void *context, size_t reader), void *context,
                              struct readers **ret_readers);
/* Questions that wait are dropped without a word. */
void readers_free(struct readers *readers);
/* Calls done once, never before it returns. */
void readers_ask(struct readers *readers, struct reader_ask *ask);
size_t readers_waiting(const struct readers *readers);

#endif
