/* The first byte chooses: bytes that are read as a profile or a site are written as the same bytes
 * and can be judged and learned with; bytes as a page bring the judge out of no bound. */
#include "fuzz.h"

#include "detect/deface/deface.h"

static struct deface_model *model_once(void)
{
    static struct deface_model *model;

    if (model == NULL) {
        fuzz_check(deface_model_new(NULL, &model) == 0);
    }
    return model;
}

static struct arena *arena_once(void)
{
    static struct arena *arena;

    if (arena == NULL) {
        fuzz_check(arena_new(PAGE_ARENA_MAX * 2, &arena) == 0);
    }
    arena_reset(arena);
    return arena;
}

static void use(struct deface_site *site, struct deface_profile *profile, struct str body)
{
    const struct page_options options = {.url = STR("https://trang.example/")};
    struct arena *arena = arena_once();
    struct page page;
    struct deface_look look = {.page = &page, .status = 200, .time = 1};
    struct deface_verdict verdict;

    fuzz_check(page_read(&options, body, arena, &page) == 0);
    fuzz_check(deface_judge(model_once(), site, profile, &look, arena, &verdict) == 0);
    for (size_t i = 0; i < verdict.reason_count; i++) {
        fuzz_check(verdict.reasons[i].snippet.len <= SITE_SNIPPET_MAX);
    }
    look.is_own_change = true;
    fuzz_check(deface_learn(site, profile, &look, &verdict) == 0);
}

static void fuzz_profile(struct str bytes)
{
    struct deface_profile *profile;
    struct deface_site *site;
    struct buf again;

    if (deface_profile_decode(bytes, &profile) < 0) {
        return;
    }
    buf_init(&again, DEFACE_PROFILE_MAX * SITE_VIEW_COUNT);
    fuzz_check(deface_profile_encode(profile, &again) == 0);
    fuzz_check(str_is(buf_str(&again), bytes));
    buf_done(&again);
    fuzz_check(deface_site_new(&site) == 0);
    use(site, profile, STR("<title>a</title><p>b <a href=//c.top/>nhà cái</a><img src=d>"));
    deface_site_free(site);
    deface_profile_free(profile);
}

static void fuzz_site(struct str bytes)
{
    struct deface_profile *profile;
    struct deface_site *site;
    struct buf again;

    if (deface_site_decode(bytes, &site) < 0) {
        return;
    }
    buf_init(&again, DEFACE_SITE_MAX);
    fuzz_check(deface_site_encode(site, &again) == 0);
    fuzz_check(str_is(buf_str(&again), bytes));
    buf_done(&again);
    fuzz_check(deface_profile_new(&profile) == 0);
    use(site, profile, STR("<p>a<script src=//b.vip/c></script>"));
    deface_profile_free(profile);
    deface_site_free(site);
}

static void fuzz_page(struct str body)
{
    struct deface_profile *profile;
    struct deface_site *site;

    fuzz_check(deface_profile_new(&profile) == 0);
    fuzz_check(deface_site_new(&site) == 0);
    use(site, profile, STR("<title>a</title><p>b"));
    use(site, profile, body);
    use(site, profile, str_slice(body, body.len / 2, body.len));
    deface_profile_free(profile);
    deface_site_free(site);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = fuzz_input(data, size);
    struct str rest = str_slice(input, 1, input.len);

    if (size == 0) {
        return 0;
    }
    if (data[0] == 'p') {
        fuzz_profile(rest);
    } else if (data[0] == 's') {
        fuzz_site(rest);
    } else {
        fuzz_page(rest);
    }
    return 0;
}
