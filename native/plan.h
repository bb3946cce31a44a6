/*
 * A plan in memory. `src/launch/arena.ts` writes these bytes; the two files are one definition in two languages, and the
 * static assertions below are what keeps them so.
 */
#ifndef TSBOX_PLAN_H
#define TSBOX_PLAN_H

#include "syscall.h"

/* Steps that are not a system call of the kernel's but a word to the interpreter. */
#define OP_CLONE (-1)   /* args: struct clone_args, its size, top of the new stack, index of the child's first step */
#define OP_POKE (-2)    /* args: address, value, width in bytes: completes a struct with a descriptor known only now */
#define OP_DECIMAL (-3) /* args: address, value: writes the value as decimal text, for /proc/<pid> */
#define OP_END (-4)     /* this process has no further step */
#define OP_FORK (-5)    /* args: flags of clone(2), -, -, index of the child's first step: a child with a copy of this memory */
#define OP_AWAIT (-6)   /* args: PID of a child, milliseconds (0: no end): its end; its failure as an errno of our own, see AWAIT_ */

/* Above all errnos of the kernel's, and within what a system call may return as one. src/launch/arena.ts names them too. */
#define AWAIT_EXITED 1000   /* plus its exit status */
#define AWAIT_SIGNALED 1300 /* plus the signal */

/* Where a plan lies in a program of its own (enter.c): low enough for 39-bit addresses of arm64, far from where anything else is put. */
#define PLAN_BASE 0x1000000000ul

struct step {
    i64 number;       /* of the system call, or one of the OP_ above */
    u64 args[6];
    i32 slots[6];     /* where not -1, the argument is the content of this slot */
    i32 save;         /* where not -1, the slot that keeps the result */
    i16 tolerate[4];  /* errnos after which the plan goes on; 0 for none */
    i32 skip_error;   /* how many steps to leave out after a tolerated errno */
    i32 skip_success; /* how many steps to leave out after success */
    i32 error;        /* out: the errno, also a tolerated one */
    i32 done;         /* out: 1 once the step was carried out */
    i64 began;        /* out, where timed: CLOCK_MONOTONIC in nanoseconds */
    i64 ended;
};

struct arena {
    i32 failed;   /* out: index of the step that ended the plan, -1 for none */
    i32 error;    /* out: its errno */
    i32 timed;    /* whether steps are timed */
    i32 slot_count; /* as many as the plan needs; the steps begin after them */
    i64 slots[];
};

_Static_assert(sizeof(struct step) == 128, "arena.ts writes steps of 128 bytes");
_Static_assert(sizeof(struct arena) == 16, "arena.ts begins the slots after this header, and the steps after the slots");

#endif
