/* Refusals as RFC 9457 has them (application/problem+json), in the language of the process. */
#ifndef CENTRE_PROBLEM_H
#define CENTRE_PROBLEM_H

#include "base/buf.h"

enum problem {
#define PROBLEM(constant, status, code, title, remedy) PROBLEM_##constant,
#include "centre/problem.def"
#undef PROBLEM
    PROBLEM_COUNT,
};

unsigned problem_status(enum problem problem);
const char *problem_code(enum problem problem);
/* Which one a failure is. */
enum problem problem_of(int error);
struct problem_words {
    const char *detail; /* what is wrong and what to do; NULL: the remedy of the table */
    struct str field;   /* the argument that is meant; empty: none */
    struct str instance;
};
/* The object: type, title, status, code, detail, field (left out when empty), instance. */
void problem_write(enum problem problem, const struct problem_words *words, struct buf *buf);

#endif
