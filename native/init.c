/*
 * PID 1 of a container that is run with --init.
 *
 * The first process of a PID namespace has two duties that an ordinary program does not know of. It is given every process whose
 * parent has died and must wait for it, or the table fills with zombies; and the kernel ignores signals for
 * it that it has no handler for, so that `docker stop`'s SIGTERM would do nothing to, say, a shell script. This program takes the two duties
 * over: it starts the real program as its child, passes every signal on to it, waits for whoever dies, and ends with the
 * program's own exit status. When it ends, the kernel kills whatever is left in the namespace (pid_namespaces(7)).
 *
 * usage: init [--] PROGRAM [ARG...]
 *
 * Exit status: the program's; 128+n when signal n killed it; 127 when there is no such program, 126 when it cannot be run, 125 for a
 * failure of init itself.
 */
#include "program.h"

#define EINTR 4
#define ENOENT 2
#define EACCES 13
#define ENOTDIR 20
#define ENAMETOOLONG 36

#define PATH_MAX 4096
#define WNOHANG 1
#define SIG_BLOCK 0
#define SIG_SETMASK 2
#define TIOCSPGRP 0x5410
#define PR_SET_CHILD_SUBREAPER 36

static u64 length(const char *text)
{
    u64 count = 0;
    while (text[count])
        count++;
    return count;
}

static int equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* One write a line, so that it is not mixed with what others write to the same pipe (pipe(7): up to PIPE_BUF is atomic). */
static void complain(const char *what, const char *why)
{
    static char line[1024];
    const char *parts[] = {"tsbox init: `", what, "`: ", why};
    u64 used = 0;
    for (u64 part = 0; part < 4; part++)
        for (const char *from = parts[part]; *from && used < sizeof line - 1; from++)
            line[used++] = *from == '\n' ? '?' : *from;
    line[used++] = '\n';
    raw_syscall(NR_write, 2, (u64)line, used, 0, 0, 0);
}

static const char *search_path(char **environment)
{
    for (; *environment; environment++) {
        const char *name = "PATH=", *entry = *environment;
        while (*name && *name == *entry)
            name++, entry++;
        if (!*name)
            return entry;
    }
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/*
 * execvp(3): a name with a slash is a path; any other is looked for in each directory of PATH, where an empty one is the current
 * directory. A file that may not be executed does not end the search, but is what the failure is called if nothing better
 * comes. Returns only on failure, with the errno.
 */
static i64 execute(char **args, char **environment)
{
    static char candidate[PATH_MAX];
    const char *name = args[0], *directory;
    i64 worst = ENOENT;
    for (const char *c = name; *c; c++)
        if (*c == '/')
            return -raw_syscall(NR_execve, (u64)name, (u64)args, (u64)environment, 0, 0, 0);
    if (!*name)
        return ENOENT;
    for (directory = search_path(environment);; directory++) {
        u64 used = 0;
        i64 error = ENAMETOOLONG;
        while (*directory && *directory != ':' && used < PATH_MAX - 2)
            candidate[used++] = *directory++;
        if (used)
            candidate[used++] = '/';
        if (used + length(name) < PATH_MAX) {
            for (const char *c = name; *c; c++)
                candidate[used++] = *c;
            candidate[used] = 0;
            error = -raw_syscall(NR_execve, (u64)candidate, (u64)args, (u64)environment, 0, 0, 0);
        }
        if (error == EACCES)
            worst = EACCES;
        else if (error != ENOENT && error != ENOTDIR && error != ENAMETOOLONG)
            return error;
        while (*directory && *directory != ':')
            directory++;
        if (!*directory)
            return worst;
    }
}

/* What the child does between fork and exec. It still has every signal blocked. */
__attribute__((noreturn)) static void become_program(char **args, char **environment, u64 mask)
{
    i32 group;
    i64 error;
    /*
     * A process group of its own, in the foreground of the terminal if there is one: Ctrl-C then reaches the program and what it
     * started, and not init as well, which would pass it on a second time. SIGTTOU must be blocked here (tcsetpgrp(3)).
     */
    raw_syscall(NR_setpgid, 0, 0, 0, 0, 0, 0);
    group = (i32)raw_syscall(NR_getpid, 0, 0, 0, 0, 0, 0);
    raw_syscall(NR_ioctl, 0, TIOCSPGRP, (u64)&group, 0, 0, 0);
    raw_syscall(NR_rt_sigprocmask, SIG_SETMASK, (u64)&mask, 0, sizeof mask, 0, 0);
    error = execute(args, environment);
    complain(args[0], error == ENOENT   ? "not found"
                      : error == EACCES ? "permission denied"
                      : error == 8      ? "not a program that this machine can run"
                                        : "cannot be run");
    leave(error == ENOENT ? 127 : 126);
}

/* Waits for all that have died by now. Returns whether the program was among them, and its exit status. */
static int reap(i64 program, int *status)
{
    int ended = 0;
    for (;;) {
        i32 how = 0;
        i64 pid = raw_syscall(NR_wait4, (u64)-1, (u64)&how, WNOHANG, 0, 0, 0);
        if (pid == -EINTR)
            continue;
        if (pid <= 0)
            return ended;
        if (pid == program) {
            ended = 1;
            *status = how & 0x7f ? 128 + (how & 0x7f) : how >> 8 & 0xff;
        }
    }
}

int main(int count, char **args, char **environment)
{
    u64 every = ~0UL, before = 0;
    i64 program;
    int status = 125, first = count > 1 && equal(args[1], "--") ? 2 : 1;
    if (first >= count) {
        complain("init", "which program? usage: init [--] PROGRAM [ARG...]");
        return 125;
    }
    /*
     * Blocked, not handled: a blocked signal waits until rt_sigtimedwait takes it, so none is lost and there is no moment at which
     * a handler could interrupt. It also makes the kernel keep signals for PID 1 that it would otherwise drop.
     */
    raw_syscall(NR_rt_sigprocmask, SIG_BLOCK, (u64)&every, (u64)&before, sizeof every, 0, 0);
    /* Where SIGCHLD is ignored the kernel reaps by itself, and the exit status is lost (wait(2)). */
    handle_signal(SIGCHLD, 0);
    /* As PID 1 it is given the orphans anyway; this is for a container in the host's PID namespace. */
    raw_syscall(NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);

    program = raw_syscall(NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
    if (program == 0)
        become_program(args + first, environment, before);
    if (program < 0) {
        complain(args[first], "cannot start a process: the limit of processes or of memory is reached");
        return 125;
    }
    for (;;) {
        i64 signal = raw_syscall(NR_rt_sigtimedwait, (u64)&every, 0, 0, sizeof every, 0, 0);
        if (signal == SIGCHLD) {
            if (reap(program, &status))
                return status;
        } else if (signal > 0) {
            raw_syscall(NR_kill, program, signal, 0, 0, 0, 0);
        }
    }
}
