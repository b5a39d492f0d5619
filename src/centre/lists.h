/* The folder of indicator lists as it is read: NAME.list each (detect/intel/indicators.h), written
 * by cli/lists_folder.c. In two steps, since what lies there is parsed only without rights: the
 * bytes are read, then the process gives up its rights, then indicators are made of them. */
#ifndef CENTRE_LISTS_H
#define CENTRE_LISTS_H

#include "base/buf.h"
#include "detect/intel/indicators.h"

#define LISTS_FOLDER "/var/lib/canhgac/lists"
#define LISTS_SUFFIX ".list"

struct lists_text {
    char file[INDICATORS_NAME_MAX + sizeof(LISTS_SUFFIX)];
    struct buf text;
    int error; /* it could not be read */
};

struct lists_texts {
    size_t count;
    struct lists_text all[INDICATORS_LISTS_MAX];
};

[[nodiscard]] int lists_texts_new(struct lists_texts **ret_texts);
void lists_texts_free(struct lists_texts *texts);
void lists_texts_freep(struct lists_texts **texts);
/* Reads one file of the folder. What keeps it from being read stands in its error; only -ERR_LIMIT
 * (there are more than INDICATORS_LISTS_MAX) is returned. */
[[nodiscard]] int lists_texts_add(struct lists_texts *texts, int folder, const char *file);
/* Each list of the folder, as lists_texts_add. */
[[nodiscard]] int lists_texts_add_all(struct lists_texts *texts, int folder);
/* Each list of the folder at path. One that is not there holds none; whatever else keeps lists from
 * being read is logged. */
void lists_texts_open(struct lists_texts *texts, const char *path);

/* Makes indicators of all lists that are whole, beside the popular hosts that are built in; the
 * others are logged by name. Takes the texts' bytes away. */
[[nodiscard]] int lists_indicators(struct lists_texts *texts, struct indicators **ret_indicators);

#endif
