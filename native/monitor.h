/*
 * What the parts of the monitor have in common: its descriptors, the system calls that only it makes, and a few words about memory and
 * text that a C library would have. monitor.c is the program; monitor-log.h, monitor-attach.h and monitor-start.h are its larger parts.
 */
#ifndef TSBOX_MONITOR_H
#define TSBOX_MONITOR_H

#include "program.h"

#if defined(__x86_64__)
#define NR_close 3
#define NR_lseek 8
#define NR_mmap 9
#define NR_munmap 11
#define NR_writev 20
#define NR_recvmsg 47
#define NR_fcntl 72
#define NR_ftruncate 77
#define NR_umask 95
#define NR_waitid 247
#define NR_ppoll 271
#define NR_accept4 288
#define NR_signalfd4 289
#define NR_dup3 292
#define NR_pipe2 293
#define NR_renameat2 316
#else
#define NR_dup3 24
#define NR_fcntl 25
#define NR_ftruncate 46
#define NR_close 57
#define NR_pipe2 59
#define NR_lseek 62
#define NR_writev 66
#define NR_ppoll 73
#define NR_signalfd4 74
#define NR_waitid 95
#define NR_umask 166
#define NR_recvmsg 212
#define NR_munmap 215
#define NR_mmap 222
#define NR_accept4 242
#define NR_renameat2 276
#endif
#define NR_pidfd_send_signal 424
#define NR_pidfd_open 434

/* The descriptors that it is started with, by number: src/engine/life/monitor-plan.ts puts them there. */
enum {
    FD_DIRECTORY = 3, /* the container's; it holds the owner's lock */
    FD_ARENA = 4,     /* the plan, a memfd */
    FD_EXIT = 5,      /* the file for the exit status */
    FD_LISTEN = 6,    /* the socket for `attach` */
    FD_READY = 7,     /* in the plan: the end of the pipe that closes when the program is there */
    FD_PROGRAM = 8,   /* 8, 9, 10: the program's ends of its streams; with a terminal, 8 is the socket that takes the master end */
    FD_OURS = 11,     /* 11, 12, 13: ours */
    FD_REPORT = 14,   /* closed when the start has succeeded or failed */
    FD_ACK = 15,      /* 'k' once whoever started us has taken note; its end before that says that they were killed */
    FD_NETWORK = 16,  /* in the plan: its end of the socket on which it waits for its network, or the network namespace that it joins */
    FD_READER = 17,   /* in the plan: the other end of that pipe, of which the container must not keep a copy */
    FD_FREE = 18,     /* from here on the sockets that keep its published ports: open as long as we live, and nothing else */
};

#define EIO 5
#define EAGAIN 11
#define AT_FDCWD (-100)
#define O_WRONLY 1
#define O_RDWR 2
#define O_CREAT 0100
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_CLOEXEC 02000000
#define F_SETFD 2
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 1030
#define POLLIN 1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16

struct poll_entry {
    i32 fd;
    i16 events, answers;
};

struct part {
    const void *bytes;
    u64 length;
};

/* gcc may call these two for a struct, with any flags. */
void *memcpy(void *to, const void *from, u64 length)
{
    for (u64 i = 0; i < length; i++)
        ((u8 *)to)[i] = ((const u8 *)from)[i];
    return to;
}

void *memset(void *to, int value, u64 length)
{
    for (u64 i = 0; i < length; i++)
        ((u8 *)to)[i] = value;
    return to;
}

static u64 length_of(const char *text)
{
    u64 length = 0;
    while (text[length])
        length++;
    return length;
}

static int equal(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static i64 number_of(const char *text)
{
    i64 sign = *text == '-' ? -1 : 1, value = 0;
    for (text += sign < 0; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (*text - '0');
    return sign * value;
}

/* Appends, and returns where the text ends then. */
static char *add_text(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    *to = 0;
    return to;
}

/* With leading zeros up to the width. */
static char *add_number(char *to, u64 value, int width)
{
    char digits[24];
    int count = 0;
    do
        digits[count++] = '0' + value % 10;
    while ((value /= 10) || count < width);
    while (count)
        *to++ = digits[--count];
    *to = 0;
    return to;
}

static inline i64 call(i64 number, u64 a, u64 b, u64 c, u64 d)
{
    return raw_syscall(number, a, b, c, d, 0, 0);
}

static void close_fd(i32 *fd)
{
    if (*fd >= 0)
        call(NR_close, *fd, 0, 0, 0);
    *fd = -1;
}

typedef unsigned int u32;

struct moment {
    i64 seconds, nanoseconds;
};

static struct moment clock(int which)
{
    struct moment moment = {0, 0};
    call(NR_clock_gettime, which, (u64)&moment, 0, 0);
    return moment;
}

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

static i64 milliseconds_now(void)
{
    struct moment now = clock(CLOCK_MONOTONIC);
    return now.seconds * 1000 + now.nanoseconds / 1000000;
}

#endif
