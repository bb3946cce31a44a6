/*
 * What `exec` costs at least: a C program that joins a container's cgroup and namespaces, forks and execs, and waits for the end.
 *
 * It reads no record and no configuration, drops no capability, loads no seccomp filter, and takes no care of who might look at it: that is the difference to
 * tsbox.
 *
 * usage: enter PID CGROUP_PROCS PROGRAM, then a line on standard input for each; it answers with the milliseconds to the program's end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* In a child of its own, since nobody leaves a PID namespace again. */
static int enter_and_run(pid_t pid, const char *group, char *program)
{
    int status;
    int pidfd = syscall(SYS_pidfd_open, pid, 0);
    int procs = open(group, O_WRONLY | O_CLOEXEC);
    check(pidfd >= 0, "pidfd_open");
    check(procs >= 0 && write(procs, "0", 1) == 1, group);
    int all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
    check(setns(pidfd, all) == 0, "setns");
    pid_t child = fork();
    if (child == 0) {
        char *args[] = {program, NULL}, *variables[] = {"PATH=/bin", NULL};
        execve(program, args, variables);
        _exit(127);
    }
    check(child > 0 && waitpid(child, &status, 0) == child, "fork");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int count, char **args)
{
    char line[16];
    errno = EINVAL;
    check(count == 4, "usage: enter PID CGROUP_PROCS PROGRAM");
    while (fgets(line, sizeof line, stdin)) {
        int status;
        double began = milliseconds();
        pid_t child = fork();
        if (child == 0)
            _exit(enter_and_run(atoi(args[1]), args[2], args[3]));
        check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "the program");
        printf("%.3f\n", milliseconds() - began);
        fflush(stdout);
    }
    return 0;
}
