/* The OpenAPI 3.1 description of the API, out of the table of routes: `canhgac centre openapi`
 * prints it, and docs/openapi.json holds the same. */
#ifndef CENTRE_OPENAPI_H
#define CENTRE_OPENAPI_H

#include "base/buf.h"

/* English, whatever the process's language. The error of buf says how it went. */
void openapi_write(struct buf *buf);

#endif
