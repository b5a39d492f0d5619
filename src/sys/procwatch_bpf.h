/* What procwatch.bpf.c writes and procwatch.c reads. */
#ifndef SYS_PROCWATCH_BPF_H
#define SYS_PROCWATCH_BPF_H

#define PROCWATCH_ARGUMENTS_MAX 1024
#define PROCWATCH_PATH_MAX      256

struct procwatch_head {
    unsigned long long boot_ns;
    unsigned int kind; /* enum procwatch_kind */
    int pid;
    int ppid;
    unsigned int uid;
    int exit_status;
    unsigned int argument_len;
};

/* Of a start; of everything else the head alone. */
struct procwatch_record {
    struct procwatch_head head;
    char path[PROCWATCH_PATH_MAX];
    char arguments[PROCWATCH_ARGUMENTS_MAX];
};

#endif
