/* What atoms ask of one value, beyond text: numbers, networks, parts of a time. The oracle and the
 * engine share these, so that they cannot differ. A null value answers none of them. Pure. */
#ifndef DETECT_SIGMA_VALUE_H
#define DETECT_SIGMA_VALUE_H

#include "base/str.h"
#include "detect/sigma/rule.h"

/* A decimal number as JSON writes it, a sign + and zeros in front allowed; false for all else,
 * also for what is longer than 64 bytes. */
bool sigma_value_number(struct str text, double *ret_number);
/* One of SIGMA_MATCH_NUMBER, CIDR, COMPARE, TIME; text: the value without escapes, as written. */
bool sigma_value_holds(const struct sigma_atom *atom, struct str text);
/* Whether a stands to b as the affix says (START: a begins with b). Both folded, or both as
 * written. */
bool sigma_value_affix(enum sigma_affix affix, struct str a, struct str b);

#endif
