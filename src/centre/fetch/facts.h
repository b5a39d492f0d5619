/* What a site's certificate, name and redirects have been like, and what is new about them (layer
 * TLS). Kept with the site; pure. A new address or key alone is no news, since networks for content
 * and renewals change them: who issues the certificate, whether it leads people off TLS and whether
 * it stands in a private network count here. A new key from a new issuer while the old certificate
 * still held is what a name in other hands looks like. A page that always told browsers to come by
 * TLS only and stops lets people be led off it. What the name itself was like is zone.h's.
 */
#ifndef CENTRE_FETCH_FACTS_H
#define CENTRE_FETCH_FACTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "centre/fetch/fetcher.h"
#include "centre/fetch/zone.h"
#include "model/site.h"

#include <stdbool.h>
#include <stdint.h>

#define FACTS_ISSUERS_MAX 8
#define FACTS_KEYS_MAX    8
#define FACTS_SIZE_MAX    4096

enum facts_place {
    FACTS_PLACE_UNKNOWN,
    FACTS_PLACE_PUBLIC,
    FACTS_PLACE_PRIVATE,
    FACTS_PLACE_COUNT,
};

struct facts {
    enum facts_place place;
    unsigned looks; /* with a certificate */
    unsigned issuer_count;
    uint64_t issuers[FACTS_ISSUERS_MAX]; /* hashes of names */
    unsigned key_count;
    uint64_t keys[FACTS_KEYS_MAX]; /* the first bytes of each public key's SHA-256 */
    int64_t end;                   /* of the certificate seen last, ns since 1970 */
    struct zone zone;
    bool has_downgrade; /* it leads from https to http, and always has */
    unsigned strict;    /* looks at its first page that said HSTS, up to fifty */
    bool was_lax;       /* one did not: nothing is expected of it */
};

/* Adds what the answer tells to the check's reasons, which are copied into the arena, and to the
 * facts. What is new after fifty looks makes a quiet verdict yellow, once. -ERR_NOMEM. */
[[nodiscard]] int facts_take(struct facts *facts, const struct fetcher_answer *answer,
                             struct arena *arena, struct site_check *check);
void facts_encode(const struct facts *facts, struct buf *buf);
/* Read as hostile: -ERR_SYNTAX, -ERR_VERSION; *ret_facts is untouched then. */
[[nodiscard]] int facts_decode(struct str bytes, struct facts *ret_facts);

#endif
