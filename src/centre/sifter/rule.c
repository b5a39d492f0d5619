/* The rule on trial. Neighbours: answer.c judges by it. */
#include "base/banned.h"
#include "base/err.h"
#include "base/text.h"
#include "centre/sifter/private.h"

void sift_drop_rule(struct sift *sift)
{
    sigma_matcher_free(sift->matcher);
    sigma_engine_free(sift->engine);
    sigma_loader_free(sift->loader);
    sift->matcher = NULL;
    sift->engine = NULL;
    sift->loader = NULL;
    sift->set = NULL;
    sift->refusal = (struct diag){0};
    buf_reset(&sift->rule);
}

/* Says why there is nothing to judge by. */
static bool sift_refuse(struct sift *sift)
{
    const struct sigma_set *set = sift->set;

    for (size_t i = 0; i < set->refusal_count; i++) {
        const struct sigma_refusal *refusal = &set->refusals[i];

        if (!refusal->is_warning) {
            (void)diag_set(&sift->refusal, -ERR_SYNTAX, _("line %u: %.*s%s%.*s"), refusal->line,
                           STR_ARG(refusal->reason), refusal->remedy.len != 0 ? "; " : "",
                           STR_ARG(refusal->remedy));
            return true;
        }
    }
    if (set->correlation_count != 0) {
        (void)diag_set(&sift->refusal, -ERR_SYNTAX,
                       _("a correlation cannot be tried on the archive: it looks at events in the "
                         "order in which they came; try the rules that it counts"));
    } else if (set->rule_count == 0) {
        (void)diag_set(&sift->refusal, -ERR_SYNTAX, _("there is no rule in this text"));
    }
    return sift->refusal.text[0] != '\0';
}

int sift_take_rule(struct sift *sift, struct str yaml)
{
    int r;

    if (sift->loader != NULL && str_is(buf_str(&sift->rule), yaml)) {
        return 0;
    }
    sift_drop_rule(sift);
    r = buf_put_str(&sift->rule, yaml);
    r = r < 0 ? r : sigma_loader_new(false, &sift->loader);
    r = r < 0 ? r : rules_texts_load_pipelines(sift->pipelines, sift->loader);
    r = r < 0 ? r : sigma_loader_add(sift->loader, STR("rule"), buf_str(&sift->rule));
    r = r < 0 ? r : sigma_loader_finish(sift->loader, &sift->set);
    if (r < 0 || sift_refuse(sift)) {
        return r;
    }
    if (sigma_engine_new(sift->set, &sift->engine, &sift->refusal) < 0) {
        return diag_set(&sift->refusal, 0, _("this rule cannot be compiled"));
    }
    return sigma_matcher_new(sift->engine, &sift->matcher);
}
