/* What a request was for, as fields under Sigma's names for servers (cs-) and for proxies (c-). */
#ifndef CODEC_NDJSON_TARGET_H
#define CODEC_NDJSON_TARGET_H

#include "codec/logs.h"

/* One more field, when somebody asks for it or all are wanted. Texts must live as long as the
 * entry. -ERR_NOMEM, as all of them. */
[[nodiscard]] int ndjson_target_add(struct log_reading *reading, struct str name, struct str value);
/* "/path?query", also with a scheme and a host before it. */
[[nodiscard]] int ndjson_target_uri(struct log_reading *reading, struct str uri);
/* "GET /path?query HTTP/1.1" */
[[nodiscard]] int ndjson_target_request(struct log_reading *reading, struct str request);

#endif
