/* Access logs: the first line is the format, the others are read by it; what comes out lies inside
 * its line. */
#include "fuzz.h"

#include "codec/weblog.h"

static void check_inside(struct str part, struct str line)
{
    fuzz_check(part.len == 0 ||
               (part.ptr >= line.ptr && part.ptr + part.len <= line.ptr + line.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weblog_format format;
    struct str rest = fuzz_input(data, size);
    struct weblog_line line;
    struct str text;

    if (!str_cut(&rest, '\n', &text) || weblog_format_init(&format, text, NULL) < 0) {
        return 0;
    }
    while (str_cut(&rest, '\n', &text)) {
        if (weblog_read(&format, text, &line) != 1) {
            continue;
        }
        check_inside(line.address, text);
        check_inside(line.path, text);
        check_inside(line.query, text);
        check_inside(line.agent, text);
        fuzz_check(line.status <= 999);
    }
    return 0;
}
