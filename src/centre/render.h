/* The painter of pages: hands pages that were fetched to a browser in its cell (browser_cell.c),
 * takes its pictures apart with no rights at all (no path, no network, no new files; seccomp,
 * rlimits), and hands back what a page looks like as numbers and as a small picture of its own
 * making. It ends with the first thing that goes wrong, and its browser with it; the supervisor
 * starts both again. On its way: fetch/paint.c → (channel) → render → detect/deface/visual. */
#ifndef CENTRE_RENDER_H
#define CENTRE_RENDER_H

#include "base/msg.h"

#include <stdint.h>

#define RENDER_WIDTH        1280 /* pixels, of people's window */
#define RENDER_WIDTH_MOBILE 412
#define RENDER_HEIGHT       960
#define RENDER_SMALL        640         /* width of the picture that is kept */
#define RENDER_BODY_MAX     (8U << 20)  /* of a page */
#define RENDER_GIVEN_MAX    (12U << 20) /* of all that it is made of besides */
#define RENDER_WANTED_MAX   24          /* addresses that a page asks for */
#define RENDER_URL_MAX      512
#define RENDER_PICTURE_MAX  (2U << 20) /* of the small picture, PNG: what libpng may need */
#define RENDER_VISUAL_SIZE  73         /* visual_encode */
#define RENDER_SECONDS      12         /* for one picture; what is not there by then is missing */
#define RENDER_WAIT_SECONDS 30         /* until the process counts as hung */

struct render_options {
    const char *user; /* NULL: stay, and nobody for the browser */
    const char *program;
    int channel;    /* to fetch */
    int supervisor; /* READY leaves; -1: none */
};

/* Process body, still with its parent's rights: starts the browser, gives up its own, serves its
 * channel until its end or the first failure. Returns the exit status. */
int render_run(const struct render_options *options);

enum render_message {
    /* render → fetch: it has just started; what was asked of the one before is lost. */
    RENDER_MESSAGE_READY = 1,
    /* fetch → render: u64 number, str URL, str charset that its Content-Type named, u32 whether a
     * phone's width, u32 whether what it is made of comes too; fds: the body, and that (an array in
     * CBOR of arrays of URL, type, bytes). */
    RENDER_MESSAGE_ASK,
    /* render → fetch: u64 number, str visual_encode, u32 count, as many str URLs that the page
     * asked for and did not get; fd: the small picture. */
    RENDER_MESSAGE_ANSWER,
};

#endif
