/* A headless Chromium that paints one page at a time for the visual layer. It is spoken to over a
 * pair of pipes (DevTools protocol), has no port, and gets every byte from us: each of its requests
 * is held and answered from what the caller gives, or refused. It runs in a
 * cell without network. Blocking; for a process that does nothing else (centre/render.c). Not
 * thread-safe. */
#ifndef CENTRE_BROWSER_H
#define CENTRE_BROWSER_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define BROWSER_PROGRAM       "/usr/bin/chromium"
#define BROWSER_BODY_MAX      (8U << 20)
#define BROWSER_PNG_MAX       (16U << 20)
#define BROWSER_RESOURCES_MAX 100 /* asked for a page; further ones are refused */

struct browser;

struct browser_options {
    const char *program;
    const char *user; /* of its cell (browser_cell.c); NULL: nobody's, or as started */
};

/* What a page asks for: 0 with the bytes in body and its type ("text/css"), or a negative error,
 * and the page goes without. */
typedef int browser_give_fn(void *context, struct str url, struct buf *body, char *type,
                            size_t type_size);

struct browser_page {
    struct str url;
    struct str body;
    struct str type; /* "text/html; charset=utf-8" */
    uint32_t width;
    uint32_t height;
    browser_give_fn *give; /* NULL: nothing is given */
    void *context;
};

/* -ERR_NOENT without the program, -errno. */
[[nodiscard]] int browser_start(const struct browser_options *options, struct browser **ret_browser,
                                struct diag *diag);
/* Waits until it answers: it was started, and what it was shut into lets it work. */
[[nodiscard]] int browser_greet(struct browser *browser, int64_t timeout_ns);
/* Ends it and all that it started. */
void browser_stop(struct browser *browser);
/* Appends the picture, as PNG that the browser made (hostile bytes). What is not loaded by the
 * deadline is missing in it. After any failure the browser must be stopped: -ERR_TIMEDOUT,
 * -ERR_PIPE, -ERR_PROTO. */
[[nodiscard]] int browser_shoot(struct browser *browser, const struct browser_page *page,
                                int64_t timeout_ns, struct buf *png);

#endif
