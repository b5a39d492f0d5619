/* Regexes: see engine_regex.h; and the text that a regex cannot be found without, by which its
 * rule waits. */
#include "detect/sigma/engine_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/banned.h"
#include "base/err.h"
#include "detect/sigma/engine_compile.h"

#include <string.h>

#define STEPS_FIRST 1000
#define STEPS_MAX   512000 /* of a search, beyond one a byte: a few milliseconds */
#define STEPS_MORE  8      /* times as many when they were too few */
#define COST_CALL   24     /* bytes that could be searched meanwhile */

static uint32_t regex_options(unsigned flags)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

    options |= (flags & SIGMA_REGEX_NOCASE) != 0 ? PCRE2_CASELESS : 0;
    options |= (flags & SIGMA_REGEX_MULTILINE) != 0 ? PCRE2_MULTILINE : 0;
    options |= (flags & SIGMA_REGEX_DOTALL) != 0 ? PCRE2_DOTALL : 0;
    return options;
}

int regex_compile(const struct sigma_atom *atom, struct diag *diag, void **ret_regex)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR message[128] = {0};
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)atom->text.ptr, atom->text.len,
                                     regex_options(atom->regex_flags), &error, &at, NULL);

    if (code == NULL && error == PCRE2_ERROR_HEAP_FAILED) {
        return -ERR_NOMEM;
    }
    if (code == NULL) {
        (void)pcre2_get_error_message(error, message, sizeof(message));
        return diag_set(diag, -ERR_SYNTAX, "%.*s: %s (%zu)", STR_ARG(atom->text),
                        (const char *)message, at);
    }
    /* without it the interpreter does the same, more slowly */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    *ret_regex = code;
    return 0;
}

void regex_free(void *regex)
{
    pcre2_code_free(regex);
}

size_t regex_size(const void *regex)
{
    size_t size = 0;
    size_t jit = 0;

    (void)pcre2_pattern_info(regex, PCRE2_INFO_SIZE, &size);
    (void)pcre2_pattern_info(regex, PCRE2_INFO_JITSIZE, &jit);
    return size + jit;
}

uint32_t regex_least(const void *regex)
{
    uint32_t least = 0;

    (void)pcre2_pattern_info(regex, PCRE2_INFO_MINLENGTH, &least);
    return least;
}

int regex_bench_init(struct regex_bench *bench)
{
    bench->data = pcre2_match_data_create(1, NULL);
    bench->context = pcre2_match_context_create(NULL);
    if (bench->data == NULL || bench->context == NULL) {
        regex_bench_done(bench);
        return -ERR_NOMEM;
    }
    return 0;
}

void regex_bench_done(struct regex_bench *bench)
{
    pcre2_match_data_free(bench->data);
    pcre2_match_context_free(bench->context);
    *bench = (struct regex_bench){0};
}

static int regex_try(const void *regex, const struct regex_bench *bench, struct str text,
                     uint64_t steps)
{
    (void)pcre2_set_match_limit(bench->context, (uint32_t)(text.len + steps));
    return pcre2_match(regex, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len, 0, 0,
                       bench->data, bench->context);
}

/* PCRE does not say how many steps it took, only that they were too many: so it is let take few at
 * first, and what it may take is what it costs. */
int regex_find(const void *regex, const struct regex_bench *bench, struct str text, uint64_t *work,
               bool *ret_is_found)
{
    uint64_t steps = STEPS_FIRST;
    uint64_t cost = text.len + COST_CALL;
    int r = PCRE2_ERROR_MATCHLIMIT;

    while (r == PCRE2_ERROR_MATCHLIMIT && steps <= STEPS_MAX) {
        if (cost > *work) {
            *work = 0;
            return -ERR_LIMIT;
        }
        *work -= cost;
        r = regex_try(regex, bench, text, steps);
        steps *= STEPS_MORE;
        cost = text.len + steps;
    }
    if (r == PCRE2_ERROR_NOMEMORY) {
        return -ERR_NOMEM;
    }
    if (r < 0 && r != PCRE2_ERROR_NOMATCH) {
        return -ERR_LIMIT;
    }
    *ret_is_found = r >= 0;
    return 0;
}

/* ---- what it cannot do without ---- */

struct needle_hunt {
    struct str regex;
    size_t at;
    size_t from; /* of the run of plain characters that ends at `at` */
    struct str best;
    char must; /* the rarest of the bytes that must stand there and have no case; 0: none is */
};

/* What is seldom in logs, the rarest first. */
static const char rare_bytes[] = "`^~{}$%@#!;|&<>?*[]+,'=()\"";

static void must_better(struct needle_hunt *hunt, char byte)
{
    const char *found = byte != '\0' ? strchr(rare_bytes, byte) : NULL;

    if (found != NULL && (hunt->must == '\0' || found < strchr(rare_bytes, hunt->must))) {
        hunt->must = byte;
    }
}

static void run_end(struct needle_hunt *hunt, size_t end)
{
    if (end > hunt->from && end - hunt->from > hunt->best.len) {
        hunt->best = str_slice(hunt->regex, hunt->from, end);
    }
}

/* Past a class; at a '['. */
static size_t class_end(struct str regex, size_t at)
{
    at += at + 1 < regex.len && regex.ptr[at + 1] == '^' ? 2 : 1;
    if (at < regex.len && regex.ptr[at] == ']') {
        at++;
    }
    while (at < regex.len && regex.ptr[at] != ']') {
        if (regex.ptr[at] == '[') {
            return regex.len; /* [:alpha:] and the like: not worth telling apart */
        }
        at += regex.ptr[at] == '\\' ? 2 : 1;
    }
    return at + 1;
}

/* Past a group; at a '('. */
static size_t group_end(struct str regex, size_t at)
{
    unsigned depth = 0;

    while (at < regex.len) {
        char c = regex.ptr[at];

        if (c == '[') {
            at = class_end(regex, at);
            continue;
        }
        depth += c == '(' ? 1 : 0;
        depth -= c == ')' ? 1 : 0;
        if (depth == 0) {
            return at + 1;
        }
        at += c == '\\' ? 2 : 1;
    }
    return regex.len;
}

static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && strchr("\\^$.[]|()?*+{}", c) == NULL;
}

static bool is_quantified(struct str regex, size_t at)
{
    return at < regex.len && regex.ptr[at] != '\0' && strchr("?*{", regex.ptr[at]) != NULL;
}

/* At a '(': whether what stands in the group must stand where the regex is found; *ret_inside gets
 * where that begins. */
static bool is_sure_group(struct str regex, size_t at, size_t *ret_inside)
{
    size_t end = group_end(regex, at);
    struct str group = str_slice(regex, at, end);

    *ret_inside = at + (str_has_prefix(group, STR("(?:")) ? 3 : 1);
    return !is_quantified(regex, end) && str_find_byte(group, '|') == group.len &&
           str_find_byte(group, '[') == group.len &&
           (group.len < 2 || group.ptr[1] != '?' || *ret_inside == at + 3);
}

/* Of two characters, and of one meaning. */
static bool is_simple_escape(char letter)
{
    bool is_letter = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
                     (letter >= 'a' && letter <= 'z');

    return letter != '\0' && (!is_letter || strchr("dDwWsSbBnrtAzZ", letter) != NULL);
}

/* One thing of the regex that is no plain character; false: nothing can be said of this regex. */
static bool hunt_skip(struct needle_hunt *hunt)
{
    struct str regex = hunt->regex;
    char c = regex.ptr[hunt->at];
    char next = hunt->at + 1 < regex.len ? regex.ptr[hunt->at + 1] : '\0';

    if (c == '|' || (c == '\\' && !is_simple_escape(next))) {
        return false;
    }
    if (c == '[') {
        hunt->at = class_end(regex, hunt->at);
    } else if (c == '{') {
        hunt->at += str_find_byte(str_slice(regex, hunt->at, regex.len), '}') + 1;
    } else if (c == '(') {
        size_t inside;

        hunt->at = is_sure_group(regex, hunt->at, &inside) ? inside : group_end(regex, hunt->at);
    } else {
        hunt->at += c == '\\' ? 2 : 1;
        must_better(hunt, c == '\\' && !is_quantified(regex, hunt->at) ? next : '\0');
    }
    while (hunt->at < regex.len && regex.ptr[hunt->at] == '{') {
        hunt->at += str_find_byte(str_slice(regex, hunt->at, regex.len), '}') + 1;
    }
    hunt->from = hunt->at;
    return true;
}

/* (?x) and its kin: white space and '#' mean something else behind it. So do verbs, (*ACCEPT). */
static bool is_extended(struct str regex)
{
    for (size_t at = 0; at + 2 < regex.len; at++) {
        size_t end = at + 2;

        if (regex.ptr[at] == '(' && regex.ptr[at + 1] == '*') {
            return true;
        }
        if (regex.ptr[at] != '(' || regex.ptr[at + 1] != '?') {
            continue;
        }
        while (end < regex.len && strchr("imsnxJU^-", regex.ptr[end]) != NULL) {
            if (regex.ptr[end++] == 'x') {
                return true;
            }
        }
    }
    return false;
}

/* Runs of plain characters outside of choices and of what may be left out. An escaped character
 * ends a run, so that a run is a piece of the regex itself. */
struct str regex_needle(struct str regex, char *ret_must)
{
    struct needle_hunt hunt = {.regex = regex};

    *ret_must = '\0';
    if (is_extended(regex)) {
        return STR("");
    }
    while (hunt.at < regex.len) {
        if (!is_plain(regex.ptr[hunt.at])) {
            run_end(&hunt, hunt.at);
            if (!hunt_skip(&hunt)) {
                return STR("");
            }
            continue;
        }
        if (is_quantified(regex, hunt.at + 1)) {
            run_end(&hunt, hunt.at);
            hunt.from = hunt.at + 1;
        } else {
            must_better(&hunt, regex.ptr[hunt.at]);
        }
        hunt.at++;
    }
    run_end(&hunt, hunt.at);
    *ret_must = hunt.must;
    return hunt.best;
}
