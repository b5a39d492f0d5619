/* What a machine says of itself: its system and its address. */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#define HOST_OS_MAX      128
#define HOST_ADDRESS_MAX 64

/* "" for what cannot be told. */
struct host_facts {
    char os[HOST_OS_MAX];           /* PRETTY_NAME of os-release(5) */
    char address[HOST_ADDRESS_MAX]; /* the first that others may reach, IPv4 rather than IPv6 */
};

/* Opens a socket and reads a file: not from inside a sandbox. */
void host_read(struct host_facts *ret_facts);

#endif
