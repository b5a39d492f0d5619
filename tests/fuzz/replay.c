/* Plays the corpus of one fuzz target through it, without libFuzzer: CORPUS is its folder. Every
 * input that once broke something lies there and stays a test. */
#include "fuzz.h"

#include <dirent.h>

#define INPUT_MAX (1 << 20)

static bool replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *all = malloc(INPUT_MAX);
    size_t size = file != NULL && all != NULL ? fread(all, 1, INPUT_MAX, file) : 0;
    uint8_t *input =
        malloc(size != 0 ? size : 1); /* as large as it is, so that ASan sees its end */
    bool is_read = file != NULL && all != NULL && input != NULL && ferror(file) == 0;

    if (is_read) {
        memcpy(input, all, size);
        (void)LLVMFuzzerTestOneInput(input, size);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(input);
    free(all);
    return is_read;
}

int main(void)
{
    DIR *folder = opendir(CORPUS);
    struct dirent *entry;
    unsigned played = 0;

    if (folder == NULL) {
        (void)printf("not ok 1 - no folder %s\n", CORPUS);
        return 1;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[4096];

        if (entry->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", CORPUS, entry->d_name);
        if (!replay(path)) {
            (void)printf("not ok 1 - cannot read %s\n", path);
            (void)closedir(folder);
            return 1;
        }
        played++;
    }
    (void)closedir(folder);
    (void)printf("%s 1 - %u inputs of %s\n", played != 0 ? "ok" : "not ok", played, CORPUS);
    return played != 0 ? 0 : 1;
}
