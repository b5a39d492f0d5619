/* A compiled catalogue: what is loaded can be searched without leaving its bytes. */
#include "fuzz.h"

#include "base/text.h"

/* A catalogue of nothing, so that none of a past input stays loaded. */
static const char nothing[28] = {(char)0xde, 0x12, 0x04, (char)0x95};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sentences[] = {"", "a", "stop", "zzz", "\xff\xff"};
    struct str catalogue = fuzz_input(data, size);

    if (text_load(LANGUAGE_EN, catalogue) == 0) {
        for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
            const char *found = text_in(LANGUAGE_EN, sentences[i]);

            fuzz_check(found == sentences[i] || strlen(found) < size);
        }
    }
    fuzz_check(text_load(LANGUAGE_EN, str_of(nothing, sizeof(nothing))) == 0);
    return 0;
}
