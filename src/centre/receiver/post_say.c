/* Who wrote an entry, and where, as the reader of its format understands it. What else the entry
 * says is read where it is judged. Neighbour: post.c. */
#include "base/banned.h"
#include "base/err.h"
#include "centre/receiver/post_part.h"

/* By what a shipper names the log that an entry was in; the upper wins. */
static const char *const say_sources[] = {"Channel",  "log.file.path", "file",
                                          "filename", "program",       "SYSLOG_IDENTIFIER"};

struct say {
    struct receiver_entry *entry;
    bool is_said; /* of several records that one entry holds the first counts */
};

static int say_on_entry(void *context, const struct entry *read)
{
    struct say *say = context;
    struct receiver_entry *entry = say->entry;

    if (say->is_said) {
        return 0;
    }
    say->is_said = true;
    if (entry->host.len == 0) {
        entry->host = read->host;
    }
    for (size_t i = 0; entry->source.len == 0 && i < ARRAY_LEN(say_sources); i++) {
        const struct entry_field *field = entry_find(read, str_from(say_sources[i]));

        if (field != NULL && !field->is_escaped) {
            entry->source = field->value;
        }
    }
    if (entry->source.len == 0) {
        entry->source = read->source.service;
    }
    return 0;
}

/* A format by which one line alone can be read. */
static const struct log_format *say_guess(struct str raw)
{
    const struct log_format *format = log_format_guess(str_slice(raw, 0, LOG_HEAD_SIZE));

    if (format->has_head || str_is_text(str_from(format->name), "evtx") ||
        str_is_text(str_from(format->name), "csv")) {
        format = log_format_find(STR("lines"));
    }
    return format;
}

int post_say(struct post_cutter *cutter, struct receiver_entry *entry)
{
    const struct log_format *format = log_format_find(entry->format);
    struct say say = {.entry = entry};

    if (format == NULL) {
        format = say_guess(entry->raw);
        entry->format = str_from(format->name);
    }
    if (entry->host.len != 0 && entry->source.len != 0) {
        return 0;
    }
    cutter->reading.counts = (struct log_counts){0};
    return format->read(&cutter->reading, entry->raw, say_on_entry, &say);
}
