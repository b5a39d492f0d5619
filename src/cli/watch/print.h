/* What `canhgac watch` shows: a line a page, with why beneath it, and how far it is. What comes
 * from pages is shown in a form that a terminal does not obey. */
#ifndef CLI_WATCH_PRINT_H
#define CLI_WATCH_PRINT_H

#include "model/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch_print {
    bool is_json;
    bool is_once;
    size_t total; /* looks, when once */
    size_t done;
    int64_t started;
    bool has_bar;
};

/* What a person calls them; JSON has site_verdict_name and site_view_name. */
const char *watch_print_verdict(enum site_verdict verdict);
const char *watch_print_view(enum site_view view);

void watch_print_init(struct watch_print *print, bool is_json, bool is_once, size_t total);
/* Every look in JSON; for people, when once every look, else only what is news. */
void watch_print_look(struct watch_print *print, const struct site_check *check, bool is_news);
void watch_print_tick(struct watch_print *print);
void watch_print_end(struct watch_print *print);

#endif
