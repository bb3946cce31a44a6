/*
 * What a start costs at least: a C program that makes the system calls of a container's plan, and nothing else.
 *
 * It carries out the very plan that tsbox made (bench/floor.mjs writes it to a file, laid out for the address that it had), with the same
 * interpreter, again and again, and does what must be done around it: the writable layer, the pipe that tells of the
 * exec, reaping, removing. It has no options to read, no names, no record, no lock and no event loop: that is the difference to tsbox.
 *
 * usage: floor PLAN DIRECTORY CGROUP READY, then a line on standard input for each start
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../native/launch.c"

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

/* The plan at the address it was laid out for, and a copy to begin each start with. */
static struct arena *load(const char *file, void **pristine, size_t *size)
{
    u64 header[2];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && read(fd, header, sizeof header) == sizeof header, file);
    u64 base = header[0] & ~4095UL;
    *size = header[1];
    void *memory = mmap((void *)base, header[0] - base + *size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    check(memory == (void *)base, "the plan's address is taken; run it again");
    *pristine = malloc(*size);
    check(read(fd, *pristine, *size) == (ssize_t)*size, file);
    close(fd);
    return (struct arena *)header[0];
}

static const struct step *clone_of(struct arena *arena)
{
    const struct step *step = steps_of(arena);
    while (step->number != OP_CLONE)
        step++;
    return step;
}

int main(int count, char **args)
{
    char line[16], upper[4096], work[4096];
    void *pristine;
    size_t size;
    errno = EINVAL;
    check(count == 5, "usage: floor PLAN DIRECTORY CGROUP READY");
    const char *directory = args[2], *cgroup = args[3];
    int ready = atoi(args[4]);
    struct arena *arena = load(args[1], &pristine, &size);
    snprintf(upper, sizeof upper, "%s/upper", directory);
    snprintf(work, sizeof work, "%s/work", directory);

    /* The plan takes the program's streams from the three descriptors above the pipe's. */
    for (int i = 1; i <= 3; i++)
        check(dup3(open("/dev/null", O_RDWR | O_CLOEXEC), ready + i, O_CLOEXEC) >= 0, "/dev/null");

    while (fgets(line, sizeof line, stdin)) {
        int pipe[2];
        char byte;
        double began = milliseconds();
        check(mkdir(directory, 0700) == 0 && mkdir(upper, 0755) == 0 && mkdir(work, 0700) == 0, directory);
        check(pipe2(pipe, O_CLOEXEC) == 0 && dup3(pipe[1], ready, O_CLOEXEC) == ready, "pipe2");
        close(pipe[1]);
        memcpy(arena, pristine, size);
        tsbox_run(arena, 0);
        errno = arena->error;
        check(arena->failed < 0, "a step of this process");
        /* The plan writes a byte to see whether its reader lives; what counts is the end of the file. */
        while (read(pipe[0], &byte, 1) > 0)
            ;
        double execed = milliseconds();
        errno = arena->error;
        check(arena->failed < 0, "a step of the container");
        close(pipe[0]);

        const u64 *clone_args = (const u64 *)clone_of(arena)->args[0];
        int pidfd = *(const int *)clone_args[1];
        siginfo_t info;
        check(waitid(P_PIDFD, pidfd, &info, WEXITED | __WALL) == 0, "waitid");
        errno = 0;
        check(info.si_code == CLD_EXITED && info.si_status == 0, "the program failed");
        close(pidfd);
        check(rmdir(cgroup) == 0, cgroup);
        check(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, directory);
        printf("%.3f %.3f\n", execed - began, milliseconds() - began);
        fflush(stdout);
    }
    return 0;
}
