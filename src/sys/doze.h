/* Whether processors without work may sleep, by the kernel's /dev/cpu_dma_latency (its
 * Documentation/power/pm_qos_interface.rst). One that sleeps takes long to wake: in a virtual
 * machine 20 µs and more, where an answer at the gate takes five. All of them are kept awake at
 * once, which costs power and, in a virtual machine, its host's time: for short rows of work only.
 */
#ifndef SYS_DOZE_H
#define SYS_DOZE_H

#include <stdbool.h>

/* Where there are more processors, two that wait for each other are not worth all the others. */
#define DOZE_CPUS_MAX 8

/* A descriptor, with all rights. They may sleep until doze_allow says otherwise, and again when its
 * last duplicate is closed, however its holders end. -ERR_OPNOTSUPP with more than DOZE_CPUS_MAX
 * processors. */
[[nodiscard]] int doze_open(void);
/* fd: of doze_open. */
[[nodiscard]] int doze_allow(int fd, bool is_allowed);

#endif
