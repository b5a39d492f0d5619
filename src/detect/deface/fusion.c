/* What each signal is worth: tables that tools/fit-deface makes. The score of a model becomes a
 * part of its signal's weight by a line (Platt 1999), cut at 0 and 1. */
#include "detect/deface/layers.h"

#include "base/banned.h"

#include <math.h>

/* So much is added where the page alone must do: an alarm is then raised from log-odds 4 on, where
 * the line has one ordinary page in 5,000 (bar: one in 2,000). */
#define STRANGER               2.9

#define FUSION(signal, weight) [SIGNAL_##signal] = (weight),
#define TOPIC_LINE(slope, offset, pieces)
#define CLAIM_LINE(slope, offset, pieces)
#define BOAST_LINE(slope, offset)
static const double signal_weights[SIGNAL_COUNT] = {
#include "detect/deface/fusion.def"
};
#undef FUSION
#undef TOPIC_LINE
#undef CLAIM_LINE
#undef BOAST_LINE

struct line {
    double slope;
    double offset;
    double pieces; /* of an ordinary page */
};

#define FUSION(signal, weight)
#define TOPIC_LINE(slope, offset, pieces) [SIGNAL_TOPIC] = {slope, offset, pieces},
#define CLAIM_LINE(slope, offset, pieces) [SIGNAL_CLAIM] = {slope, offset, pieces},
#define BOAST_LINE(slope, offset)         [SIGNAL_BOAST] = {slope, offset, 1},
static const struct line lines[SIGNAL_COUNT] = {
#include "detect/deface/fusion.def"
};
#undef FUSION
#undef TOPIC_LINE
#undef CLAIM_LINE
#undef BOAST_LINE

double fusion_weight(enum signal signal)
{
    return signal_weights[signal];
}

/* The line holds for the highest of an ordinary page's pieces: of fewer, one comes so high less
 * often by as much (Bonferroni). */
static double line_part(double score, size_t pieces, enum signal signal)
{
    const struct line *line = &lines[signal];
    double fewer = pieces != 0 ? log(line->pieces / (double)pieces) : 0;
    double part =
        (line->slope * score + line->offset + (fewer > 0 ? fewer : 0)) / signal_weights[signal];

    if (part < 0) {
        return 0;
    }
    return part < 1 ? part : 1;
}

double fusion_topic(double score, size_t pieces)
{
    return line_part(score, pieces, SIGNAL_TOPIC);
}

double fusion_claim(double score, size_t pieces)
{
    return line_part(score, pieces, SIGNAL_CLAIM);
}

double fusion_boast(double score, bool is_stranger)
{
    double more = is_stranger ? STRANGER / lines[SIGNAL_BOAST].slope : 0;

    return line_part(score + more, 1, SIGNAL_BOAST);
}
