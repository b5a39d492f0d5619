/* Names and sentences of err.def. */
#include "base/err.h"

#include "base/banned.h"
#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>

struct err_row {
    int number;
    const char *name;
    const char *sentence;
};

static const struct err_row err_rows[] = {
#define ERR(name, number, sentence) {number, #name, sentence},
#include "base/err.def"
#undef ERR
};

static const struct err_row *err_find(int code)
{
    int number = code < 0 ? -code : code;

    for (size_t i = 0; i < sizeof(err_rows) / sizeof(err_rows[0]); i++) {
        if (err_rows[i].number == number) {
            return &err_rows[i];
        }
    }
    return NULL;
}

const char *err_text(int code)
{
    const struct err_row *row = err_find(code);

    return row != NULL ? text_get(row->sentence) : text_get("failed for a reason without a name");
}

const char *err_name(int code)
{
    const struct err_row *row = err_find(code);

    return row != NULL ? row->name : "UNKNOWN";
}
