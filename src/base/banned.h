/* Functions that have bitten others: naming one does not compile. Every .c file includes this after
 * the headers it follows; <stdlib.h> and <string.h> must come first or not at all, hence the
 * includes here. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BANNED(name) name##_is_banned_see_style_md

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gets
#undef atoi
#undef atol
#undef atoll
#undef atof
#define strcpy    BANNED(strcpy)
#define strcat    BANNED(strcat)
#define strncpy   BANNED(strncpy)
#define strncat   BANNED(strncat)
#define sprintf   BANNED(sprintf)
#define vsprintf  BANNED(vsprintf)
#define strtok    BANNED(strtok)
#define gets      BANNED(gets)
#define atoi      BANNED(atoi)
#define atol      BANNED(atol)
#define atoll     BANNED(atoll)
#define atof      BANNED(atof)
#define sscanf    BANNED(sscanf)
#define system    BANNED(system)
#define popen     BANNED(popen)
#define tmpnam    BANNED(tmpnam)
#define mktemp    BANNED(mktemp)
#define rand      BANNED(rand)
#define srand     BANNED(srand)
#define getenv    BANNED(getenv)
#define localtime BANNED(localtime)
#define gmtime    BANNED(gmtime)
#define ctime     BANNED(ctime)
#define asctime   BANNED(asctime)
#define sleep     BANNED(sleep)
#define usleep    BANNED(usleep)

#endif
