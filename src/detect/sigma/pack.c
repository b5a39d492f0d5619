/* See detect/sigma/pack.h. Neighbours: tools/pack-rules wrote what lies here, detect/sigma/load.h
 * takes it. */
#include "detect/sigma/pack.h"

#include "base/banned.h"

#define PACK_MARK '\x01' /* stands before each file's path */

extern const char rules_pack_start[];
extern const char rules_pack_end[];

struct str sigma_pack(void)
{
    return str_of(rules_pack_start, (size_t)(rules_pack_end - rules_pack_start));
}

bool sigma_pack_next(struct str *rest, struct str *ret_file, struct str *ret_text)
{
    size_t next;

    if (rest->len == 0 || rest->ptr[0] != PACK_MARK) {
        return false;
    }
    *rest = str_slice(*rest, 1, rest->len);
    if (!str_cut(rest, '\n', ret_file)) {
        return false;
    }
    next = str_find_byte(*rest, PACK_MARK);
    *ret_text = str_slice(*rest, 0, next);
    *rest = str_slice(*rest, next, rest->len);
    return true;
}

int sigma_pack_load(struct sigma_loader *loader)
{
    struct str rest = sigma_pack();
    struct str file;
    struct str text;
    int r = 0;

    while (r == 0 && sigma_pack_next(&rest, &file, &text)) {
        r = sigma_loader_add(loader, file, text);
    }
    return r;
}
