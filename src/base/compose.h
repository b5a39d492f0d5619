/* Letters and the marks behind them, composed into one rune as Unicode's NFC does it, for all Latin
 * letters with the marks of Vietnamese and of western Europe; whatever else comes stays as it is.
 * Vietnamese arrives decomposed from macOS, from windows-1258 and from some portals' editors. */
#ifndef BASE_COMPOSE_H
#define BASE_COMPOSE_H

#include <stdint.h>

/* letter with one more mark on it, in whatever order marks come ("e", dot below, circumflex); 0
 * when there is no such letter. */
uint32_t compose_rune(uint32_t letter, uint32_t mark);

#endif
