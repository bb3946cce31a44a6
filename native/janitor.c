/*
 * Cleans up after a Node process that could not do so itself.
 *
 * A container dies with the process that started it, but its cgroup and its directory stay, and a process that is killed with SIGKILL has no
 * last words. So the first container of a Node process starts this program as well, with the read end of a pipe on descriptor 0 whose
 * only write end is in that process. However the process ends, the kernel closes the write end, and this program reads
 * the end of the file. If nothing was said before, it becomes the command it was given (`tsbox system sweep`); if Node wrote the byte
 * 'q' (it has cleaned up, nothing is left), it just ends.
 *
 * usage: janitor COMMAND [ARG...] <pipe
 */
#include "program.h"

#define EINTR 4
#define AT_FDCWD (-100)
#define O_RDWR 2

/* SIGHUP, SIGINT, SIGPIPE, SIGTERM: what is sent to everybody when a terminal closes or a session is logged out. */
static const int ignored[] = {1, 2, 13, 15};

int main(int count, char **args, char **environment)
{
    char bytes[16];
    int farewell = 0;

    /* Out of reach of the terminal's Ctrl-C and of a shell that kills the process group. */
    raw_syscall(NR_setsid, 0, 0, 0, 0, 0, 0);
    for (u64 i = 0; i < sizeof ignored / sizeof *ignored; i++)
        handle_signal(ignored[i], 1);
    /* Keeps no file system busy, and no pipe open whose reader waits for its end (`tsbox run … | cat`). */
    raw_syscall(NR_chdir, (u64) "/", 0, 0, 0, 0, 0);
    raw_syscall(NR_close_range, 1, ~0U, 0, 0, 0, 0);
    raw_syscall(NR_openat, (u64)AT_FDCWD, (u64) "/dev/null", O_RDWR, 0, 0, 0);
    raw_syscall(NR_dup, 1, 0, 0, 0, 0, 0);

    for (;;) {
        i64 got = raw_syscall(NR_read, 0, (u64)bytes, sizeof bytes, 0, 0, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        for (i64 i = 0; i < got; i++)
            farewell |= bytes[i] == 'q';
    }
    if (farewell || count < 2)
        return 0;

    /* An ignored signal stays ignored across exec (execve(2)), and the command should be one that can be interrupted. */
    for (u64 i = 0; i < sizeof ignored / sizeof *ignored; i++)
        handle_signal(ignored[i], 0);
    raw_syscall(NR_execve, (u64)args[1], (u64)(args + 1), (u64)environment, 0, 0, 0);
    return 127;
}
