/* One line, one write. */
#include "base/log.h"

#include "base/banned.h"
#include "base/text.h"
#include "base/time.h"

#include <stdarg.h>

static const char *log_name = "canhgac";
static enum log_level log_highest = LOG_LEVEL_INFO;

static const char *const log_words[] = {[LOG_LEVEL_ERROR] = "<3>error",
                                        [LOG_LEVEL_WARN] = "<4>warn",
                                        [LOG_LEVEL_INFO] = "<6>info",
                                        [LOG_LEVEL_DEBUG] = "<7>debug"};

void log_init(const char *name, enum log_level level)
{
    log_name = name;
    log_highest = level;
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[2048];
    char when[TIME_TEXT_SIZE];
    va_list args;
    int head;
    int len;

    if (level > log_highest) {
        return;
    }
    time_format_utc(clock_wall(&clock_real), when);
    head = snprintf(line, sizeof(line), "%s %s %s: ", log_words[level], when, log_name);
    va_start(args, format);
    len = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    len = head + len < (int)sizeof(line) - 2 ? head + len : (int)sizeof(line) - 2;
    for (int i = head; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    line[len] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)len + 1);
}
