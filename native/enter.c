/*
 * Enters a running container, for `tsbox exec`; and makes one that waits for its start, for `tsbox-oci create`.
 *
 * A process inside the container's PID namespace can be seen, and by one with CAP_SYS_PTRACE also read, written and stopped, from its first
 * instruction on; being not dumpable does not help against that capability. So nothing that enters may share or copy the
 * memory of Node, lead by /proc/PID/exe to a file of the host, or have more power than the program is to have. Hence this program: a helper of tsbox
 * executes it while still outside (from a sealed memfd, so that there is no file to overwrite: CVE-2019-5736), it carries out
 * the plan that it finds on descriptor 3 (namespaces, terminal, directory, limits, ids, capabilities, seccomp), all of that still outside of the
 * PID namespace, and only then clones the process that is seen, which has nothing left to do but to execute (CVE-2016-9962).
 *
 * The same holds for a container of `tsbox-oci create`, which waits for `start` with all that it needs in this program's few kilobytes.
 *
 * Arguments: how many bytes of the plan go back; `wait` where it stays as the program's parent (`tsbox exec -d`), `keep` where it keeps the
 * program's terminal as well (enter-keep.h), else `leave`; the number of READY, if it is not 5; with `keep`, the slot of the program's PID.
 * Descriptors: 3 the plan, laid out for PLAN_BASE by src/launch/arena.ts; READY a close-on-exec pipe that tells tsbox of the exec by closing; with
 * `keep`, after the plan: READY + 1 the terminal's master end, and READY + 2 STATUS, if anybody wants to know.
 * What became of the plan goes back into the file of 3; what became of the clone's part, if that failed, into the pipe of READY,
 * since the clone can write nothing that tsbox believes: it is in the container.
 */
#include "program.h"

static void report(const void *arena);
#define AFTER_FAILURE(arena) report(arena)
#include "enter-keep.h"

#if defined(__x86_64__)
#define NR_lseek 8
#define NR_mmap 9
#define NR_madvise 28
#else
#define NR_lseek 62
#define NR_mmap 222
#define NR_madvise 233
#endif
#define NR_close_range 436

#define PLAN 3

#define PR_SET_DUMPABLE 4
#define PR_SET_NAME 15
#define SEEK_END 2
#define PROT_READ_WRITE 3
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_FIXED_NOREPLACE 0x100000
#define MADV_DONTFORK 10

/* Bytes of the header, the slots and the steps: all that the interpreter writes to and arena.ts reads from. Less than a pipe holds. */
static u64 outcome_size;
static u64 ready;

static void report(const void *arena)
{
    raw_syscall(NR_write, ready, (u64)arena, outcome_size, 0, 0, 0);
}

static u64 number_in(const char *text)
{
    u64 value = 0;
    for (; *text; text++)
        value = value * 10 + (u64)(*text - '0');
    return value;
}

static int failed(i64 result)
{
    return result < 0 && result >= -4095;
}

int main(int count, char **args, char **environment)
{
    struct arena *arena;
    u64 *from, *to;
    i64 size, outcome;
    (void)environment;

    /* Exec made it dumpable again. It is outside as yet, where nobody of the container can see it. */
    raw_syscall(NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
    raw_syscall(NR_prctl, PR_SET_NAME, (u64) "tsbox-enter", 0, 0, 0, 0);
    size = raw_syscall(NR_lseek, PLAN, 0, SEEK_END, 0, 0, 0);
    outcome_size = number_in(count > 1 ? args[1] : "");
    ready = count > 3 ? number_in(args[3]) : 5;
    if (size <= 0 || outcome_size > (u64)size)
        return 125;
    /* A copy of its own: what the clone does to its memory stays there. */
    arena = (struct arena *)raw_syscall(NR_mmap, PLAN_BASE, size, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, PLAN, 0);
    /* The file itself, in this process only. */
    outcome = raw_syscall(NR_mmap, 0, size, PROT_READ_WRITE, MAP_SHARED, PLAN, 0);
    if ((u64)arena != PLAN_BASE || failed(outcome))
        return 125;
    if (failed(raw_syscall(NR_madvise, outcome, size, MADV_DONTFORK, 0, 0, 0)))
        return 125;
    raw_syscall(NR_close_range, PLAN, PLAN, 0, 0, 0, 0);
    run(arena, 0);
    from = (u64 *)arena;
    to = (u64 *)outcome;
    for (u64 words = outcome_size / 8; words; words--)
        *to++ = *from++;
    if (count < 3 || args[2][0] == 'l' || arena->failed >= 0)
        return 0;
    if (args[2][0] == 'k' && count > 4) {
        raw_syscall(NR_close_range, 0, ready, 0, 0, 0, 0);
        raw_syscall(NR_close_range, ready + 3, ~0U, 0, 0, 0, 0);
        keep(arena->slots[number_in(args[4])], (i32)ready + 1, (i32)ready + 2);
        return 0;
    }
    /* tsbox may end now, and so this is the parent; it waits for nothing but the program's end. */
    raw_syscall(NR_close_range, 0, ~0U, 0, 0, 0, 0);
    while (!failed(raw_syscall(NR_wait4, ~0ul, 0, WALL, 0, 0, 0)))
        ;
    return 0;
}
