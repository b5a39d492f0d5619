/* Where there are no vectors that we know of: see engine_teddy.h. */
#include "base/banned.h"
#include "detect/sigma/engine_teddy.h"

teddy_find_fn *teddy_best(void)
{
    return teddy_find_plainly;
}

sieve_find_fn *sieve_best(void)
{
    return sieve_find_plainly;
}
