/* A finding: what a judge concluded, why, on which process and files of a host or which page of a
 * watched site, and what was done at once. Built by detect/, carried by link/, folded into an alert
 * by the store. Everything borrowed: the texts and arrays live in the arena of whoever made it. */
#ifndef MODEL_FINDING_H
#define MODEL_FINDING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "base/str.h"
#include "codec/cbor.h"
#include "codec/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDING_FILES_MAX     1000 /* named one by one; file_count tells all */
#define FINDING_ANCESTORS_MAX 16
#define FINDING_WHY_MAX       24
#define FINDING_GROUP_MAX     64

enum severity {
    SEVERITY_INFO,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITY_COUNT,
};

/* What became of a file: the words of `outcome` in JSON. */
enum file_outcome {
    FILE_OUTCOME_INTACT,
    FILE_OUTCOME_ENCRYPTED,   /* its content was replaced in place by ciphertext */
    FILE_OUTCOME_REPLACED,    /* another inode with ciphertext took its name */
    FILE_OUTCOME_DELETED,     /* removed after its content went into ciphertext */
    FILE_OUTCOME_OVERWRITTEN, /* wiped: random or constant bytes, no ciphertext of it known */
    FILE_OUTCOME_PRODUCT,     /* made by the attacker: ciphertext, note */
    FILE_OUTCOME_COUNT,
};

enum finding_action {
    FINDING_ACTION_NONE,    /* detect-only */
    FINDING_ACTION_PAUSED,  /* stopped, waits for a person */
    FINDING_ACTION_STOPPED, /* stopped, files restored */
    FINDING_ACTION_RESUMED,
    FINDING_ACTION_KILLED,
    FINDING_ACTION_RESTORED,
    FINDING_ACTION_COUNT,
};

struct finding_process {
    int64_t pid;
    uint64_t start;
    int64_t uid;
    struct str user;
    struct str exe;
    struct str cmdline;
};

struct finding_file {
    struct str path; /* of the original */
    enum file_outcome outcome;
    bool is_restored;
    bool is_partial; /* not all of the original had been kept */
};

struct finding_reason {
    struct str what;  /* machine word of model/reasons.def */
    struct str value; /* the figure or name behind it */
    double score;     /* its part of the whole */
};

struct finding {
    struct id id;      /* of this finding; a later state of the same case keeps it */
    uint32_t revision; /* grows with each state of the same finding */
    int64_t time;      /* ns since 1970 UTC */
    bool is_drill;
    struct str detector; /* "ransom", "supervisor", … */
    enum severity severity;
    struct str title; /* one sentence, English source text of a translated format */
    struct str host;  /* filled by the centre */
    double score;
    const struct finding_reason *reasons;
    size_t reason_count;
    struct finding_process process;
    const struct finding_process *ancestors; /* parent first */
    size_t ancestor_count;
    const struct finding_process *group; /* all processes that were stopped */
    size_t group_count;
    const struct finding_file *files;
    size_t file_count;    /* in files */
    uint64_t files_total; /* touched in all */
    uint64_t files_restored;
    enum finding_action action;
    int action_result;  /* 0 or a negative error */
    int64_t action_ns;  /* first destructive call seen to last process stopped */
    struct str subject; /* URL of the page it speaks of; empty: of the process above */
    uint64_t site;      /* whose page, and */
    uint64_t change;    /* which look at it: numbers in the centre's store, given by it alone */
};

const char *severity_name(enum severity severity);
bool severity_parse(struct str name, enum severity *ret_severity);
const char *file_outcome_name(enum file_outcome outcome);
const char *finding_action_name(enum finding_action action);

/* An array of the members in the order above; a list with its count is an array of arrays, an enum
 * its number. The last three are left out together when there is nothing in them, so that a centre
 * from before them reads what a host says. All arrays and texts of the result are borrowed from the
 * arena or the reader's bytes. Limits above hold for what is read: -ERR_LIMIT. -ERR_VERSION for a
 * member or an enum of a newer program. What stands behind is the caller's (cbor_close). */
void finding_encode(const struct finding *finding, struct buf *buf);
[[nodiscard]] int finding_decode(struct cbor_reader *reader, struct arena *arena,
                                 struct finding *ret_finding);
/* Names fewer files, then fewer of the group, then fewer ancestors, then cuts the command line,
 * until the encoded finding is at most limit bytes (at least 4096). The totals stay. */
void finding_fit(struct finding *finding, size_t limit);
/* The object of `canhgac agent --json`: time detector severity title why[{what,text,value,score}]
 * score process{pid,exe,cmdline,user,uid,ancestors[]} files[{path,outcome,restored,partial}]
 * action{kind,result,ms}, and id, revision, drill, host, group, files_total, files_restored beside;
 * subject, site and change when it speaks of a page. result is "OK" or the error's name. Title and
 * reasons' texts in the process's language. */
void finding_write_json(const struct finding *finding, struct json_writer *json);

#endif
