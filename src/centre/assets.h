/* The console's files, made by console/build.mjs and linked into the program as bytes. */
#ifndef CENTRE_ASSETS_H
#define CENTRE_ASSETS_H

#include <stdbool.h>

struct asset {
    const char *path;     /* "/" or "/app-1a2b3c4d.js" */
    const char *type;     /* Content-Type */
    const char *encoding; /* "br", "gzip" or NULL: the same path may stand once for each */
    const char *etag;     /* strong, with its quotes */
    bool is_immutable;    /* its name holds a hash of its content */
    const char *start;
    const char *end;
};

/* Ended by a row without a path; rows of one path stand together, the smallest first. */
extern const struct asset assets[];

#endif
