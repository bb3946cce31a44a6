/*
 * How much memory a command takes at most: runs it with its streams on /dev/null and prints ru_maxrss (getrusage(2)) in KiB, that is the
 * largest resident set of it or of any of its descendants that was waited for.
 *
 * usage: peak COMMAND [ARG...]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **args)
{
    struct rusage usage;
    int status;
    if (count < 2)
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        execvp(args[1], args + 1);
        _exit(127);
    }
    if (wait4(pid, &status, 0, &usage) < 0)
        return 1;
    printf("%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
