/* Any bytes as a search: it is refused with a sentence, or it says of an event and its entry what
 * its needles do not hide, and can be written down as a rule that loads. */
#include "fuzz.h"

#include "base/err.h"
#include "base/utf8.h"
#include "detect/sigma/draft.h"
#include "detect/sigma/load.h"
#include "model/terms.h"

static void check_draft(const struct terms *terms, const struct entry *entry)
{
    const struct sigma_draft draft = {.title = terms->typed, .sample = entry};
    const struct sigma_set *set = NULL;
    struct sigma_loader *loader;
    struct diag diag = {0};
    struct buf yaml;
    int r;

    buf_init(&yaml, 64 << 10);
    r = sigma_draft(terms, &draft, &yaml, &diag);
    fuzz_check(r == 0 || (r == -ERR_SYNTAX && diag.text[0] != '\0'));
    if (r == 0 && utf8_is_valid(terms->typed)) {
        fuzz_check(sigma_loader_new(true, &loader) == 0);
        fuzz_check(sigma_loader_add(loader, STR("draft"), buf_str(&yaml)) == 0);
        fuzz_check(sigma_loader_finish(loader, &set) == 0);
        sigma_loader_free(loader);
    }
    buf_done(&yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct entry_field field = {.name = {"src", 3}, .value = {"1.2", 3}};
    struct arena *arena = fuzz_arena();
    struct diag diag = {0};
    struct terms terms;
    struct needles needles;
    struct event event;
    struct entry entry;
    struct str folded[3];
    char room[3][64];
    int r = terms_parse(fuzz_input(data, size), arena, &terms, &diag);

    fuzz_check(r == 0 || diag.text[0] != '\0' || r == -ERR_NOMEM);
    if (r < 0) {
        return 0;
    }
    event_init(&event, EVENT_KIND_LOG, 1);
    (void)event_add_text(&event, EVENT_FIELD_EVENT_ORIGINAL, STR("Đồng Nai: a 1.2 root"));
    (void)event_add_text(&event, EVENT_FIELD_LOG_FILE_PATH, STR("/var/log/a.log"));
    (void)event_add_text(&event, EVENT_FIELD_EVENT_MODULE, STR("syslog"));
    entry_init(&entry);
    fuzz_check(entry_add(&entry, &field) == 0);
    terms_needles(&terms, &needles);
    fuzz_check(needles.count <= NEEDLES_MAX && terms.node_count < 2 * TERMS_MAX);
    for (size_t i = 0; i < 3; i++) {
        folded[i] = str_of(room[i], utf8_fold(event.fields[i].text, room[i], sizeof(room[i])));
    }
    if (terms_judge(&terms, &event, STR("web"), &entry, arena) == TERMS_YES) {
        fuzz_check(needles_stand_in(&needles, &event, folded, 3));
    }
    check_draft(&terms, &entry);
    entry_done(&entry);
    return 0;
}
