/* The inspector: a second scanner, for the webroot guard alone, so that a flood of uploads never
 * keeps the sensor waiting. It gets open descriptors and tells whether they hold a webshell; no
 * path, no network, no new file, bounded memory and processor time. It dies rather than misbehave;
 * the supervisor starts another. On its way: guard/inspect.c → (channel) → inspector_run →
 * detect/malware/webshell.h → guard/inspect.c. */
#ifndef AGENT_INSPECTOR_H
#define AGENT_INSPECTOR_H

#include "base/msg.h"
#include "detect/malware/webshell.h"

#define INSPECTION_RULE_SIZE 64

/* What the inspector says of one file. */
struct inspection {
    uint64_t question;
    int result; /* negative: it could not be read */
    enum webshell_outcome outcome;
    enum webshell_language language;
    bool is_ruled; /* it surely gives its caller power: a named rule, not its words alone */
    double score;  /* log-odds */
    char rule[INSPECTION_RULE_SIZE]; /* the strongest; one of webshell_rule_text, or empty */
    uint32_t line;
    char snippet[WEBSHELL_SNIPPET_MAX + 1]; /* UTF-8 */
};

/* Process body: serves one channel until its end. Returns the exit status. */
int inspector_run(int channel);

/* Judges an open file by its first and last bytes, WEBSHELL_LIMIT together. name: see
 * webshell_begin. */
[[nodiscard]] int inspector_judge(struct webshell *shell, int fd, struct str name,
                                  struct arena *arena, struct webshell_verdict *ret_verdict);

/* The guard's side. Hands a file over; -ERR_AGAIN: the channel is full. */
[[nodiscard]] int inspector_ask(int channel, uint64_t question, struct str path, int fd);
/* Reads an answer; -ERR_PROTO when it is none. */
[[nodiscard]] int inspector_read(struct msg_reader *msg, struct inspection *ret_inspection);

#endif
