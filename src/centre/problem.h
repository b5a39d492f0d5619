/* Refusals as RFC 9457 has them (application/problem+json), in the language of the process. */
#ifndef CENTRE_PROBLEM_H
#define CENTRE_PROBLEM_H

#include "base/buf.h"

enum problem {
#define PROBLEM(constant, status, code, title) PROBLEM_##constant,
#include "centre/problem.def"
#undef PROBLEM
    PROBLEM_COUNT,
};

unsigned problem_status(enum problem problem);
const char *problem_code(enum problem problem);
/* Which one a failure is. */
enum problem problem_of(int error);
/* The object: type, title, status, code, detail (NULL: left out), instance. */
void problem_write(enum problem problem, const char *detail, struct str instance, struct buf *buf);

#endif
