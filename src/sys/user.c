/* passwd(5): name:password:uid:… */
#include "sys/user.h"

#include "base/banned.h"
#include "base/err.h"
#include "sys/fd.h"

#include <fcntl.h>

#define PASSWD_LIMIT (1U << 20)

static int user_find(struct str rest, uid_t uid, char *out, size_t size)
{
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        struct str name;
        struct str part;
        uint64_t number;

        if (str_cut(&line, ':', &name) && str_cut(&line, ':', &part) &&
            str_cut(&line, ':', &part) && str_to_u64(part, &number) == 0 && number == uid) {
            (void)snprintf(out, size, "%.*s", STR_ARG(name));
            return 0;
        }
    }
    return -ERR_NOENT;
}

int user_name(uid_t uid, char *out, size_t size)
{
    struct buf buf;
    int r;

    out[0] = '\0';
    buf_init(&buf, PASSWD_LIMIT);
    r = file_read_all(AT_FDCWD, "/etc/passwd", &buf);
    if (r == 0) {
        r = user_find(buf_str(&buf), uid, out, size);
    }
    buf_done(&buf);
    return r;
}
