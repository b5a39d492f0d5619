/* The process of `canhgac hunt` that reads: without rights, handed rules and logs as open files. On
 * its way: porter.c opens → here: rulebook.c loads, input.c unpacks, crew.c spreads blocks over
 * threads, judge.c judges, sheet.c prints in order → chain.c, tally.c, account.c at the end. */
#ifndef CLI_HUNT_READER_H
#define CLI_HUNT_READER_H

/* context: a const struct hunt_order. An enum exit_status. */
int hunt_reader_run(void *context, int channel);

#endif
