/* Messages between the processes of one machine: a type and typed values, built and read only here,
 * never longer than MSG_SIZE_MAX. A sequence of puts or gets needs one check at its end: the first
 * failure sticks and later gets give zeroes. Both sides are the same build, so numbers are in host
 * byte order. */
#ifndef BASE_MSG_H
#define BASE_MSG_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define MSG_SIZE_MAX 65536

struct msg_writer {
    int error;
    size_t len;
    uint8_t bytes[MSG_SIZE_MAX];
};

struct msg_reader {
    int error; /* first failure, negative: -ERR_TRUNCATED, -ERR_PROTO */
    uint16_t type;
    struct str rest; /* borrows the received bytes */
};

/* Starts a message of a type. */
void msg_begin(struct msg_writer *msg, uint16_t type);
void msg_put_u32(struct msg_writer *msg, uint32_t value);
void msg_put_u64(struct msg_writer *msg, uint64_t value);
void msg_put_i64(struct msg_writer *msg, int64_t value);
void msg_put_str(struct msg_writer *msg, struct str value);
/* 0, or -ERR_LIMIT when a put did not fit. */
[[nodiscard]] int msg_end(const struct msg_writer *msg);

/* Reads the type; bytes must outlive the reader and what it hands out. */
void msg_open(struct msg_reader *msg, struct str bytes);
uint32_t msg_get_u32(struct msg_reader *msg);
uint64_t msg_get_u64(struct msg_reader *msg);
int64_t msg_get_i64(struct msg_reader *msg);
/* Borrows; empty after a failure. */
struct str msg_get_str(struct msg_reader *msg);
/* 0 when every get fitted and nothing is left over; -ERR_PROTO otherwise. */
[[nodiscard]] int msg_close(const struct msg_reader *msg);

#endif
