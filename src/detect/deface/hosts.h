/* What a host name is: whose domain it belongs to, whether everybody uses it, whether it is of a
 * kind that only those use who must hide. Tables in hosts.def. Pure. */
#ifndef DETECT_DEFACE_HOSTS_H
#define DETECT_DEFACE_HOSTS_H

#include "base/str.h"

#include <stdbool.h>

/* The part that somebody registered: "a.b.hanoi.gov.vn" gives "hanoi.gov.vn". An address is its own
 * domain. Borrows. */
struct str host_domain(struct str host);
/* Vendors, platforms and authorities that pages everywhere refer to: a new one says nothing. */
bool host_is_common(struct str domain);
/* Addresses instead of names, punycode, and endings that cost nothing. */
bool host_is_odd(struct str host);
/* Names under gov.vn, edu.vn and their like: only those who are entitled get one. */
bool host_is_public_body(struct str host);

#endif
