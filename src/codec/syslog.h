/* The header of a syslog line, as RFC 3164 and RFC 5424 have it and as rsyslog, syslog-ng and
 * journalctl write files: with and without <PRI>, times of either kind. Pure; hostile bytes:
 * nothing is copied but structured data whose names are joined. */
#ifndef CODEC_SYSLOG_H
#define CODEC_SYSLOG_H

#include "codec/logs.h"

#define SYSLOG_PRIORITY_MAX 191

struct syslog_line {
    int64_t time;    /* ns since 1970 UTC; 0: none could be read */
    int priority;    /* -1: none */
    struct str host; /* NILVALUE is empty, as everywhere */
    struct str program;
    struct str pid;
    struct str msgid; /* 5424 */
    struct str data;  /* 5424: its elements in brackets, escapes as they stand */
    struct str message;
    struct str module; /* "pam_unix" of "su(pam_unix)[7]:" */
    bool is_5424;
    bool is_tagged; /* sure to be one: a sign stands behind the program */
};

/* zone and around of the reading are heeded. False: no header; message is then all of the line
 * behind <PRI>. */
bool syslog_parse(struct str line, const struct log_reading *reading, struct syslog_line *ret_line);
/* Empty for -1 and for what is out of range. */
struct str syslog_facility(int priority);
struct str syslog_severity(int priority);

#endif
