/* What database.c and query.c share and nobody else sees. */
#ifndef STORE_DATABASE_INSIDE_H
#define STORE_DATABASE_INSIDE_H

#include "base/list.h"

#include <sqlite3.h>

struct database_statement {
    struct list node;
    const char *sql; /* a constant: its address is its name */
    sqlite3_stmt *statement;
};

struct database {
    sqlite3 *handle;
    struct list statements; /* the last used first */
};

#endif
