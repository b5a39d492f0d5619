/* Files of Sigma rules and pipelines as they are read: in two steps, since what lies there is
 * parsed only without rights. The bytes are read, then the process gives up its rights, then the
 * set is loaded. */
#ifndef CENTRE_RULES_H
#define CENTRE_RULES_H

#include "base/buf.h"
#include "detect/sigma/load.h"
#include "model/setting.h"

#define RULES_FILES_MAX      20000
#define RULES_PIPELINES_SIZE (8U << 20) /* bytes of all files of pipelines together */

struct rules_texts;

/* limit: bytes of all files together. */
[[nodiscard]] int rules_texts_new(size_t limit, struct rules_texts **ret_texts);
void rules_texts_free(struct rules_texts *texts);
void rules_texts_freep(struct rules_texts **texts);
/* A file, or all of a folder and below it whose names end in .yml or .yaml, in the order of their
 * names. What cannot be read is logged and passed over; -ERR_LIMIT past the bounds, with diag. */
[[nodiscard]] int rules_texts_add(struct rules_texts *texts, const char *path, struct diag *diag);
/* All of a list of such paths; NULL: none. What finds no room is logged. */
[[nodiscard]] int rules_texts_read(const struct setting_list *paths, size_t limit,
                                   struct rules_texts **ret_texts);
/* A text that was not read from a file. -ERR_LIMIT, -ERR_NOMEM. */
[[nodiscard]] int rules_texts_put(struct rules_texts *texts, struct str name, struct str text);
/* All of `from` but the text of that name. */
[[nodiscard]] int rules_texts_put_all(struct rules_texts *texts, const struct rules_texts *from,
                                      struct str but);
/* Hands each to the loader, in order. */
[[nodiscard]] int rules_texts_load(const struct rules_texts *texts, struct sigma_loader *loader);
/* The same for pipelines, before any rule. One that is refused is logged and passed over. */
[[nodiscard]] int rules_texts_load_pipelines(const struct rules_texts *texts,
                                             struct sigma_loader *loader);

#endif
