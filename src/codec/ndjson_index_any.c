/* For processors that nobody wrote vectors for: see codec/ndjson_index.h. */
#include "codec/ndjson_index.h"

#include "base/banned.h"

ndjson_marks_fn *ndjson_marks_best(void)
{
    return ndjson_marks_plain;
}
