/*
 * The interpreter of plans: what runs between clone and exec.
 *
 * A container is a list of system calls (see src/launch/plan.ts). JavaScript can compute the list but cannot carry it out: the new
 * process is a copy of one thread of Node, without the threads that V8 needs to collect garbage or compile, and V8 marks its
 * heap MADV_DONTFORK besides, so a plain fork() of Node dies at its first step. So this file does it, in C without
 * a C library: no allocation, no locks, no thread-local storage, no signal handlers.
 *
 * The process is cloned with CLONE_VM: it runs in Node's own memory (nothing is copied, which is why starting a container
 * costs the same whatever the size of the program that asks), on a stack of its own, and touches only that stack and the
 * arena. What it leaves in the arena (the step that failed, its errno, the times) Node can simply read.
 * exec gives the process a memory of its own and ends the sharing.
 */
#include "plan.h"

#if defined(__x86_64__)
#define NR_exit 60
#define NR_exit_group 231
#define NR_close 3
#define NR_clone 56
#define NR_wait4 61
#define NR_clone3 435
#define NR_clock_gettime 228
#define NR_ppoll 271
#else
#define NR_close 57
#define NR_ppoll 73
#define NR_exit 93
#define NR_exit_group 94
#define NR_clone 220
#define NR_clone3 435
#define NR_clock_gettime 113
#define NR_wait4 260
#endif
#define NR_pidfd_send_signal 424
#define NR_pidfd_open 434

#define ERROR_INTERRUPTED 4
#define ERROR_TIMED_OUT 110

/* What a clone does at its end, if it has failed; a program that includes this file may have something to do then. */
#ifndef AFTER_FAILURE
#define AFTER_FAILURE(arena) ((void)(arena))
#endif

static void run(struct arena *arena, i64 index);

static struct step *steps_of(struct arena *arena)
{
    return (struct step *)(arena->slots + arena->slot_count);
}

static i64 now(void)
{
    i64 time[2] = {0, 0};
    raw_syscall(NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (u64)time, 0, 0, 0, 0);
    return time[0] * 1000000000 + time[1];
}

/* The first thing that a clone does on its new stack. It never returns: there is nothing above it on that stack. */
__attribute__((noreturn, used)) static void child(struct arena *arena, i64 index)
{
    run(arena, index);
    AFTER_FAILURE(arena);
    raw_syscall(NR_exit, 125, 0, 0, 0, 0, 0);
    /* A seccomp filter may refuse one of them, or both; going on for ever would keep tsbox waiting. */
    raw_syscall(NR_exit_group, 125, 0, 0, 0, 0, 0);
    __builtin_trap();
}

/*
 * clone3(2). It must be written in assembly because both processes return from the system call, and one of them on another, empty
 * stack: nothing that a C compiler keeps on the stack is there for it.
 */
__attribute__((noinline)) static i64 clone_child(u64 clone_args, u64 size, u64 stack_top, struct arena *arena, i64 index)
{
#if defined(__x86_64__)
    i64 result;
    register u64 r12 __asm__("r12") = (u64)arena;
    register i64 r13 __asm__("r13") = index;
    (void)stack_top; /* clone3 sets the stack pointer itself, from clone_args */
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r12, %%rdi\n\t"
                     "mov %%r13, %%rsi\n\t"
                     "and $-16, %%rsp\n\t"
                     "call child\n\t"
                     "1:"
                     : "=a"(result)
                     : "a"(NR_clone3), "D"(clone_args), "S"(size), "r"(r12), "r"(r13)
                     : "rcx", "r11", "memory");
    return result;
#else
    register i64 x8 __asm__("x8") = NR_clone3;
    register u64 x0 __asm__("x0") = clone_args;
    register u64 x1 __asm__("x1") = size;
    register u64 x20 __asm__("x20") = (u64)arena;
    register i64 x21 __asm__("x21") = index;
    (void)stack_top;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x20\n\t"
                     "mov x1, x21\n\t"
                     "bl child\n\t"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x20), "r"(x21)
                     : "memory", "cc", "x30");
    return (i64)x0;
#endif
}

static void write_decimal(char *to, u64 value)
{
    char digits[24];
    int count = 0;
    do
        digits[count++] = '0' + value % 10;
    while ((value /= 10));
    while (count)
        *to++ = digits[--count];
    *to = 0;
}

/*
 * clone(2) as fork(2) uses it: the child goes on on a copy of this very stack. Only for a program that is alone in its memory,
 * such as enter.c. Not clone3, which a seccomp filter cannot look into, and which Docker's therefore refuses.
 */
static i64 fork_child(u64 flags, struct arena *arena, i64 index)
{
    i64 result = raw_syscall(NR_clone, flags, 0, 0, 0, 0, 0);
    if (result == 0)
        child(arena, index);
    return result;
}

/* A child's end: 0 where it exited with 0. One that takes too long is killed. */
static i64 await_child(i64 pid, i64 milliseconds)
{
    i64 timeout[2], end = now() + milliseconds * 1000000, result;
    i32 status = 0;
    i64 pidfd = raw_syscall(NR_pidfd_open, pid, 0, 0, 0, 0, 0);
    if (pidfd < 0)
        return pidfd;
    do {
        struct {
            i32 fd;
            i16 events, answers;
        } entry = {(i32)pidfd, 1 /* POLLIN */, 0};
        i64 left = end - now();
        timeout[0] = left > 0 ? left / 1000000000 : 0;
        timeout[1] = left > 0 ? left % 1000000000 : 0;
        result = raw_syscall(NR_ppoll, (u64)&entry, 1, milliseconds > 0 ? (u64)timeout : 0, 0, 8, 0);
    } while (result == -ERROR_INTERRUPTED);
    if (result <= 0)
        raw_syscall(NR_pidfd_send_signal, pidfd, 9 /* SIGKILL */, 0, 0, 0, 0);
    raw_syscall(NR_wait4, pid, (u64)&status, 0x40000000 /* __WALL */, 0, 0, 0);
    raw_syscall(NR_close, pidfd, 0, 0, 0, 0, 0);
    if (result <= 0)
        return result < 0 ? result : -ERROR_TIMED_OUT;
    if (status & 0x7f)
        return -(AWAIT_SIGNALED + (status & 0x7f));
    return (status >> 8) & 0xff ? -(AWAIT_EXITED + ((status >> 8) & 0xff)) : 0;
}

static void poke(u64 address, u64 value, u64 width)
{
    if (width == 4)
        *(i32 *)address = (i32)value;
    else
        *(u64 *)address = value;
}

static i64 perform(struct arena *arena, i64 number, const u64 *a)
{
    switch (number) {
    case OP_CLONE:
        return clone_child(a[0], a[1], a[2], arena, (i64)a[3]);
    case OP_FORK:
        return fork_child(a[0], arena, (i64)a[3]);
    case OP_AWAIT:
        return await_child((i64)a[0], (i64)a[1]);
    case OP_POKE:
        poke(a[0], a[1], a[2]);
        return 0;
    case OP_DECIMAL:
        write_decimal((char *)a[0], a[1]);
        return 0;
    default:
        return raw_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

static int tolerated(const struct step *step, i64 error)
{
    for (int i = 0; i < 4; i++)
        if (step->tolerate[i] == error)
            return 1;
    return 0;
}

static void run(struct arena *arena, i64 index)
{
    for (;; index++) {
        struct step *step = &steps_of(arena)[index];
        u64 a[6];
        i64 result;
        if (step->number == OP_END)
            return;
        for (int i = 0; i < 6; i++)
            a[i] = step->slots[i] < 0 ? step->args[i] : (u64)arena->slots[step->slots[i]];
        /* Before the call, because a successful execve does not come back to say so. */
        step->done = 1;
        if (arena->timed)
            step->began = now();
        result = perform(arena, step->number, a);
        if (arena->timed)
            step->ended = now();
        if (result < 0 && result >= -4095) {
            step->error = (i32)-result;
            if (!tolerated(step, -result)) {
                arena->error = (i32)-result;
                arena->failed = (i32)index;
                return;
            }
            index += step->skip_error;
        } else {
            /* It may be carried out a second time (skip_error -1, see AGAIN in src/launch/plan.ts). */
            step->error = 0;
            if (step->save >= 0)
                arena->slots[step->save] = result;
            index += step->skip_success;
        }
    }
}

/* Carries out the plan's steps from `index` on, in the calling thread, until one ends it. Returns 0, or the errno of the step that failed. */
i64 tsbox_run(struct arena *arena, i64 index)
{
    run(arena, index);
    return arena->failed < 0 ? 0 : arena->error;
}

/* One system call for src/kernel/, with the kernel's own answer: no errno to lose between two calls. */
i64 tsbox_syscall(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    return raw_syscall(number, a, b, c, d, e, f);
}
