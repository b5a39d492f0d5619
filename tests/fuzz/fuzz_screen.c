/* Any bytes as the values of an entry's fields: whatever they are, a hit is something that a list
 * has. The first byte says which name a field has, a newline ends its value. */
#include "fuzz.h"

#include "detect/intel/screen.h"

static const struct str names[] = {
    {"ip", 2},      {"url", 3},          {"CommandLine", 11},  {"userAgent", 9},
    {"cs-host", 7}, {"cs-uri-stem", 11}, {"cs-uri-query", 12}, {"http.url", 8}};

static struct screen *screen_of_all(void)
{
    static struct indicators *indicators;
    static struct screen *screen;
    struct diag diag = {{0}};

    if (screen == NULL) {
        fuzz_check(indicators_new(indicators_popular(), &indicators, &diag) == 0);
        fuzz_check(
            indicators_add_file(indicators,
                                STR("canhgac-list 1\nname a\nlabel b\n\ndomain evil.example\n"
                                    "address 10.0.0.0/8\naddress 2001:db8::/32\n"
                                    "hash d41d8cd98f00b204e9800998ecf8427e\nurl evil.example/x\n"
                                    "agent EvilBot/1\nemail a@evil.example\nend 7\n"),
                                &diag) == 0);
        fuzz_check(screen_new(indicators, &screen) == 0);
    }
    return screen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct entry_field fields[64];
    struct entry entry = {.fields = fields};
    struct str rest = fuzz_input(data, size);
    const struct screen_hit *hits;
    size_t count;
    struct str line;

    while (entry.count < 64 && str_cut(&rest, '\n', &line)) {
        unsigned char first = line.len != 0 ? (unsigned char)line.ptr[0] : 0;

        fields[entry.count++] = (struct entry_field){
            .name = names[first & 7],
            .value = str_slice(line, 1, line.len),
            .kind = (first & 16) != 0 ? (uint8_t)field_kind_of(names[first & 7]) : 0,
            .is_escaped = (first & 8) != 0};
    }
    fuzz_check(screen_entry(screen_of_all(), &entry, &hits, &count) == 0);
    for (size_t i = 0; i < count; i++) {
        fuzz_check(hits[i].field < entry.count && hits[i].hit.list != NULL);
        fuzz_check(hits[i].hit.value.len != 0);
    }
    return 0;
}
