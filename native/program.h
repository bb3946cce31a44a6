/*
 * What a program without a C library needs to start: init.c and janitor.c are complete programs of a few kilobytes, which matters
 * because one of them may run in every container and next to every Node process.
 *
 * The kernel enters a program at `_start` with the stack laid out as in the "Process Initialization" section of the machine's ELF
 * supplement: the number of arguments, the arguments, a null pointer, the environment, a null pointer.
 */
#ifndef TSBOX_PROGRAM_H
#define TSBOX_PROGRAM_H

#include "syscall.h"

#if defined(__x86_64__)
#define NR_read 0
#define NR_write 1
#define NR_rt_sigaction 13
#define NR_rt_sigprocmask 14
#define NR_ioctl 16
#define NR_dup 32
#define NR_getpid 39
#define NR_clone 56
#define NR_execve 59
#define NR_exit_group 231
#define NR_wait4 61
#define NR_kill 62
#define NR_chdir 80
#define NR_setpgid 109
#define NR_setsid 112
#define NR_rt_sigtimedwait 128
#define NR_prctl 157
#define NR_openat 257
#define NR_close_range 436
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
#else
#define NR_dup 23
#define NR_ioctl 29
#define NR_chdir 49
#define NR_openat 56
#define NR_read 63
#define NR_write 64
#define NR_exit_group 94
#define NR_kill 129
#define NR_rt_sigaction 134
#define NR_rt_sigprocmask 135
#define NR_rt_sigtimedwait 137
#define NR_setpgid 154
#define NR_setsid 157
#define NR_getpid 172
#define NR_prctl 167
#define NR_clone 220
#define NR_execve 221
#define NR_wait4 260
#define NR_close_range 436
__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x0, sp\n\tbl start\n");
#endif

#define SIGCHLD 17

/* The kernel's own struct sigaction, the same on both machines; handler 0 is SIG_DFL, 1 is SIG_IGN. */
struct signal_action {
    u64 handler, flags, restorer, mask;
};

int main(int count, char **args, char **environment);

__attribute__((noreturn)) static inline void leave(int status)
{
    for (;;)
        raw_syscall(NR_exit_group, status, 0, 0, 0, 0, 0);
}

__attribute__((noreturn, used)) static void start(u64 *stack)
{
    int count = (int)stack[0];
    char **args = (char **)(stack + 1);
    leave(main(count, args, args + count + 1));
}

static inline i64 handle_signal(int signal, u64 handler)
{
    struct signal_action action = {handler, 0, 0, 0};
    return raw_syscall(NR_rt_sigaction, signal, (u64)&action, 0, sizeof action.mask, 0, 0);
}

#endif
