/* What each signal is worth: tables that tools/fit-deface makes. The score of a model becomes a
 * part of its signal's weight by a line (Platt 1999), cut at 0 and 1. */
#include "detect/deface/layers.h"

#include "base/banned.h"

#define FUSION(signal, weight) [SIGNAL_##signal] = (weight),
#define TOPIC_LINE(slope, offset)
#define BOAST_LINE(slope, offset)
static const double signal_weights[SIGNAL_COUNT] = {
#include "detect/deface/fusion.def"
};
#undef FUSION
#undef TOPIC_LINE
#undef BOAST_LINE

struct line {
    double slope;
    double offset;
};

#define FUSION(signal, weight)
#define TOPIC_LINE(slope, offset) {slope, offset},
#define BOAST_LINE(slope, offset)
static const struct line topic_line[] = {
#include "detect/deface/fusion.def"
};
#undef TOPIC_LINE
#undef BOAST_LINE

#define TOPIC_LINE(slope, offset)
#define BOAST_LINE(slope, offset) {slope, offset},
static const struct line boast_line[] = {
#include "detect/deface/fusion.def"
};
#undef FUSION
#undef TOPIC_LINE
#undef BOAST_LINE

double fusion_weight(enum signal signal)
{
    return signal_weights[signal];
}

static double line_part(const struct line *line, double score, enum signal signal)
{
    double part = (line->slope * score + line->offset) / signal_weights[signal];

    if (part < 0) {
        return 0;
    }
    return part < 1 ? part : 1;
}

double fusion_topic(double score)
{
    return line_part(topic_line, score, SIGNAL_TOPIC);
}

double fusion_boast(double score)
{
    return line_part(boast_line, score, SIGNAL_BOAST);
}
