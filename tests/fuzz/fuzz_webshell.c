/* Any bytes may stand in a web page: the judge ends, answers in its range, says the same of the
 * same bytes in pieces, and what it shows is printable and short. The first byte chooses the name.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "detect/malware/webshell.h"

static void check_reasons(const struct webshell_verdict *verdict)
{
    fuzz_check(verdict->reason_count <= WEBSHELL_REASON_MAX);
    for (size_t i = 0; i < verdict->reason_count; i++) {
        const struct webshell_reason *reason = &verdict->reasons[i];

        fuzz_check(webshell_rule_text(reason->rule) != NULL);
        fuzz_check(reason->line >= 1);
        fuzz_check(reason->snippet.len <= WEBSHELL_SNIPPET_MAX && utf8_is_valid(reason->snippet));
        for (size_t k = 0; k < reason->snippet.len; k++) {
            fuzz_check((unsigned char)reason->snippet.ptr[k] >= ' ');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a.php",  "a.jsp",  "a.asp", "a.aspx",
                                        "a.ashx", "a.jspx", "a.txt", ""};
    static struct webshell *shell;
    struct webshell_verdict whole;
    struct webshell_verdict parts;
    struct str name = str_from(names[size != 0 ? data[0] % 8 : 0]);
    struct str bytes = size != 0 ? fuzz_input(data + 1, size - 1) : fuzz_input(data, 0);
    struct arena *arena = fuzz_arena();

    fuzz_check(shell != NULL || webshell_new(&shell) == 0);
    fuzz_check(webshell_judge(shell, name, bytes, arena, &whole) == 0);
    fuzz_check(whole.outcome < WEBSHELL_OUTCOME_COUNT && whole.language < WEBSHELL_LANGUAGE_COUNT);
    check_reasons(&whole);
    webshell_begin(shell, name);
    webshell_feed(shell, str_slice(bytes, 0, bytes.len / 3));
    webshell_feed(shell, str_slice(bytes, bytes.len / 3, bytes.len));
    fuzz_check(webshell_end(shell, arena, &parts) == 0);
    fuzz_check(parts.outcome == whole.outcome && parts.score == whole.score);
    return 0;
}
