/* The reader: takes hostile pages apart and judges them, with no rights at all (no path, no
 * network, no new files; seccomp, rlimits). It gets a page and what has been kept of it as open
 * descriptors, hands back a verdict and what to keep from now on, remembers nothing, and dies
 * rather than misbehave; its parent starts another. On its way: fetch/look.c → readers.c →
 * (channel) → reader → detect/deface/. */
#ifndef CENTRE_READER_H
#define CENTRE_READER_H

#include "base/msg.h"
#include "model/site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_LINKS_MAX    128
#define READER_SHEETS_MAX   32          /* style sheets of a site that are kept */
#define READER_SHEETS_KEPT  (64U << 10) /* bytes of all of them, cut down and with addresses */
#define READER_SHEETS_GIVEN 8           /* new ones with a question */
#define READER_SHEET_SIZE   (1U << 20)  /* bytes of one that is given */
#define READER_SCRIPTS_MAX  16          /* its scripts that are kept, as SCRIPTS_MAX */
#define READER_SCRIPTS_KEPT (64U << 10) /* bytes of all of them, as SCRIPTS_SIZE_MAX */
#define READER_LINK_SIZE    512         /* bytes of one */
#define READER_CPU_SECONDS  2           /* of work on one page */
#define READER_WAIT_SECONDS 8           /* until it counts as hung */

struct reader_options {
    const char *user;  /* NULL: stay; one that does not exist: nobody */
    const char *lists; /* folder of indicator lists; NULL: none */
    int channel;       /* to fetch */
    int supervisor;    /* READY leaves; -1: none */
};

/* Process body: serves its channel until its end. Returns the exit status. */
int reader_run(const struct reader_options *options);

enum reader_message {
    /* reader → fetch: it has just started; what was asked of the one before is lost. */
    READER_MESSAGE_READY = 1,
    /* fetch → reader: u64 number, str check (site_check_encode: what the fetch told), u32 enum
     * reader_flag, u64 hash of the words that were handed on last (0: none yet), str charset that
     * the Content-Type named, u32 which descriptors travel (enum reader_part). SHEETS: CBOR, what
     * was kept of sheets, and an array of address, text, address … of those that came just now.
     * SCRIPTS: the same of scripts; null in a text's place: it is what it was. */
    READER_MESSAGE_ASK,
    /* reader → fetch: u64 number, str check (the same, judged), u32 enum reader_flag, u32 which
     * descriptors travel (PAGE and SITE, SHEETS and SCRIPTS each by itself: keep them; TEXT:
     * passages_encode of the words, when they are others), u64 their hash, u32 count, as many pairs
     * of u32 enum reader_link, str URL. */
    READER_MESSAGE_ANSWER,
};

enum reader_flag {
    READER_FLAG_OWN_CHANGE = 1,    /* asked: a deploy window is open, or its editors said so */
    READER_FLAG_SECOND = 2,        /* asked: confirms the verdict that the check holds */
    READER_FLAG_ELSEWHERE = 4,     /* asked: what came leads to url_final, another site */
    READER_FLAG_UNTRUSTED = 8,     /* asked: it came with a certificate that proves nothing */
    READER_FLAG_LINKS = 16,        /* asked: which addresses does it name? */
    READER_FLAG_NEEDS_SECOND = 32, /* answered: fetch again, then ask again; nothing is learned */
    READER_FLAG_NEEDS_SHEETS = 64, /* answered: fetch those of its links, then ask again */
    READER_FLAG_SHEETS_LAST = 128, /* asked: no more sheets are to be had */
};

enum reader_part {
    READER_PART_PAGE = 1,
    READER_PART_SITE = 2,
    READER_PART_BODY = 4,
    READER_PART_TEXT = 8,
    READER_PART_SHEETS = 16,
    READER_PART_SCRIPTS = 32,
};

enum reader_link {
    READER_LINK_PAGE,    /* another page of the site */
    READER_LINK_UPLOADS, /* a folder that visitors may have filled */
    READER_LINK_SITEMAP,
    READER_LINK_SHEET,        /* a style sheet of the page that is not known */
    READER_LINK_SCRIPT,       /* a script of the page that is not known as it is now */
    READER_LINK_SCRIPT_KNOWN, /* one that is */
    READER_LINK_COUNT,
};

#endif
