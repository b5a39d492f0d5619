/* The pipelines of rules/pipelines, linked in as bytes. */
#include "base/banned.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "detect/sigma/pipeline_part.h"

extern const char pipeline_windows_start[];
extern const char pipeline_windows_end[];
extern const char pipeline_linux_start[];
extern const char pipeline_linux_end[];
extern const char pipeline_web_start[];
extern const char pipeline_web_end[];

int sigma_pipelines_add_own(struct sigma_pipelines *pipelines)
{
    const struct {
        struct str name;
        const char *start;
        const char *end;
    } own[] = {
        {STR("rules/pipelines/windows.yml"), pipeline_windows_start, pipeline_windows_end},
        {STR("rules/pipelines/linux.yml"), pipeline_linux_start, pipeline_linux_end},
        {STR("rules/pipelines/web.yml"), pipeline_web_start, pipeline_web_end},
    };

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        struct str text = str_of(own[i].start, (size_t)(own[i].end - own[i].start));
        struct pipeline *pipeline;
        int r = pipeline_read(pipelines, own[i].name, text, NULL, &pipeline);

        if (r < 0) {
            return r;
        }
        pipeline->priority = INT64_MIN; /* whatever a user's says, it is behind */
        pipeline_insert(pipelines, pipeline);
    }
    return 0;
}
