/* Shared inside the judge: its parts, and who calls whom.
 *   judge.c steps (judge_question.c: what they ask) → judge_answer.c what the content says →
 * judge_match.c products and removals → judge_ruling.c scores and rulings → judge_tell.c what a
 * ruling says */
#ifndef DETECT_RANSOM_JUDGE_PART_H
#define DETECT_RANSOM_JUDGE_PART_H

#include "detect/ransom/judge.h"
#include "detect/ransom/kin.h"
#include "detect/ransom/ledger.h"
#include "detect/ransom/verdict.h"

#define RULINGS_MAX     64
#define JUDGE_ARM_READS 3 /* files read by a group before its new files are worth a look */
#define MEMBERS_MAX     256

/* How widely the destroyed files of a ruling were spread. */
enum breadth {
    BREADTH_PROCESS,
    BREADTH_ANCESTOR,
    BREADTH_SESSION,
    BREADTH_EXE,
    BREADTH_CGROUP,
    BREADTH_UID,
    BREADTH_COUNT,
};

struct ruling {
    struct list node;
    struct list rows;
    enum breadth breadth;
    struct relative *culprit;
    struct relative *root;
    struct relative *members[MEMBERS_MAX]; /* who took part, root first; each held */
    size_t member_count;
    bool is_forgiven;
    int64_t time;  /* of the last file it took */
    bool has_news; /* since judge_ruling told of it */
};

/* Those who took a name from a file with several, held so that they are kin also when they have
 * ended: nothing else of theirs need be in the ledger. */
#define JUDGE_TAKERS 256

struct judge {
    struct judge_limits limits;
    struct kin kin;
    struct ledger ledger;
    struct list rulings;
    size_t ruling_count;
    struct ruling *announced;
    struct relative *takers[JUDGE_TAKERS]; /* a ring */
    size_t next_taker;
    int64_t now;
};

/* Opens a question about a row. */
void judge_ask(struct judge *judge, struct row *row, enum judge_look look, struct relative *who);

/* judge_answer.c */
/* A step of kind CONTENT: the answer to a question, or to none any more. */
[[nodiscard]] int judge_answer(struct judge *judge, const struct judge_step *step,
                               bool *ret_is_ruling);

/* judge_match.c */
/* A file that a kinsman had read was removed: seeks a ciphertext that covers it, or asks for one.
 */
[[nodiscard]] int judge_match_gone(struct judge *judge, struct row *row, bool *ret_is_ruling);
/* A ciphertext has turned up: seeks removed files that it covers. */
[[nodiscard]] int judge_match_product(struct judge *judge, struct row *product,
                                      bool *ret_is_ruling);
/* A file was emptied that ciphertext of an armed group may stand for: whether one covers it, which
 * then stands for less. Asks about the group's new files. */
[[nodiscard]] bool judge_match_wiped(struct judge *judge, struct row *row);
/* A new file was closed: worth looking at once kinsmen have removed what they had read. */
void judge_match_made(struct judge *judge, struct row *made);

/* judge_ruling.c */
/* Takes a destroyed file to account, and rules when that passes a threshold. */
[[nodiscard]] int judge_charge(struct judge *judge, struct row *row, const struct verdict *verdict,
                               bool *ret_is_ruling);
[[nodiscard]] const char *breadth_name(enum breadth breadth);
/* judge_ruling tells of this one next. */
void judge_announced(struct judge *judge, struct ruling *ruling);
void ruling_free(struct judge *judge, struct ruling *ruling);

#endif
