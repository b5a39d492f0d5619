/* Forms of messages: what programs write, as rows of a table (forms.def), not as code. A row is a
 * program and a pattern with named fields; it is compiled once, and a message is tried against the
 * rows of its program whose first bytes fit. Logs that keep a file of their own, without syslog's
 * header, are rows of stamped.def. Pure; hostile bytes: one pass a row, nothing is copied.
 *
 * A pattern is literal text and fields:
 *   {name}    a word: no space in it, up to the last place in it of the literal behind
 *   {name*}   any text, also none, up to the first place of the literal behind it, or to the end
 *   {name**}  the same up to its last place: for what a stranger chose, so that he cannot write the
 *             rest of the line in his name
 *   {@}       a time of any kind of codec/log_time.h
 *   {=a:name,b:name,…}  key=value pairs up to the end: the value of key a under that name
 * A field without a name ({}, {*}) is passed over. What stands behind the last field is not looked
 * at. A word that is to be an address (src_ip) and is none is its host's (src_host). */
#ifndef CODEC_FORMS_H
#define CODEC_FORMS_H

#include "codec/logs.h"

/* Finds the program's row that fits the message, adds its fields to reading->entry and says the log
 * source. 1: found, 0: none (the source is then the program's all the same), -ERR_NOMEM. */
[[nodiscard]] int forms_read(struct log_reading *reading, struct str program, struct str message);

/* As forms_read, for a line with a head of its own (stamped.def): its time too. 0: not even a time
 * stands in front. */
[[nodiscard]] int forms_read_stamped(struct log_reading *reading, struct str line);

/* Whether a row may say a value of that field, its name in whatever case, that is wanted without
 * its standing in the line. */
typedef bool forms_value_fn(const void *context, struct str value);
bool forms_make(struct str name, forms_value_fn *is_wanted, const void *context);

/* How many rows there are; 0 when one of them is not well formed, and its pattern is then given:
 * for the test that keeps the table whole. */
size_t forms_check(const char **ret_bad);

#endif
