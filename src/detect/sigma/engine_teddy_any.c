/* Where there are no vectors that we know of: see engine_teddy.h. */
#include "base/banned.h"
#include "detect/sigma/engine_teddy.h"

teddy_find_fn *teddy_way(unsigned rank)
{
    return rank == 0 ? teddy_find_plainly : NULL;
}

sieve_find_fn *sieve_way(unsigned rank)
{
    return rank == 0 ? sieve_find_plainly : NULL;
}
