/*
 * The keeper of a terminal: what native/enter.c becomes for `tsbox exec -d -t` and `tsbox exec --detach-keys`. The program is to live on when nobody looks at
 * its terminal any more, and a terminal whose master end is closed everywhere hangs up. So it stays open here, and once
 * nobody else reads it, what the program writes is read and dropped: it would wait for ever else.
 *
 * While somebody is connected (the pipe of STATUS has a reader) the keeper leaves the terminal to them. When the program has ended, STATUS gets two bytes: 0 and an
 * exit status, or 1 and a signal. They are written before the program is reaped: as long as nothing is there to be read, its PID is its own.
 */
#ifndef TSBOX_ENTER_KEEP_H
#define TSBOX_ENTER_KEEP_H

#include "launch.c"
#include "program.h"

#if defined(__x86_64__)
#define NR_waitid 247
#else
#define NR_waitid 95
#endif

#define P_PID 1
#define WEXITED 4
#define WNOWAIT 0x01000000
#define WALL 0x40000000
#define CLD_EXITED 1
#define POLLIN 1
#define EINTR 4
#define EAGAIN 11

struct polled {
    i32 fd;
    i16 events, revents;
};

/* What waitid(2) fills in; the kernel's siginfo_t has 128 bytes. */
struct death {
    i32 signal, error, code, padding, pid, uid, status;
    char rest[100];
};

static void keep(i64 pid, i32 master, i32 status)
{
    static char lost[1024];
    struct death death;
    struct polled polled[3];
    u8 said[2];
    i64 count, length;

    polled[0].fd = (i32)raw_syscall(NR_pidfd_open, pid, 0, 0, 0, 0, 0);
    polled[0].events = POLLIN;
    /* Without events: only that its reader is gone. */
    polled[1].fd = status;
    polled[1].events = 0;
    polled[2].fd = -1;
    polled[2].events = POLLIN;
    while (polled[0].fd >= 0) {
        count = raw_syscall(NR_ppoll, (u64)polled, 3, 0, 0, 0, 0);
        if (count == -EINTR)
            continue;
        if (count < 0 || polled[0].revents)
            break;
        if (polled[1].revents) {
            polled[1].fd = -1;
            polled[2].fd = master;
        }
        if (polled[2].revents) {
            length = raw_syscall(NR_read, master, (u64)lost, sizeof lost, 0, 0, 0);
            /* EIO: nobody has it open now, and nobody can have it open again (pty(7)). */
            if (length <= 0 && length != -EINTR && length != -EAGAIN)
                polled[2].fd = -1;
        }
    }
    death.code = 0;
    if (raw_syscall(NR_waitid, P_PID, pid, (u64)&death, WEXITED | WNOWAIT | WALL, 0, 0) == 0) {
        said[0] = death.code != CLD_EXITED;
        said[1] = (u8)death.status;
        /* SIGPIPE is what a program has by default, and nobody may be there. */
        handle_signal(13, 1);
        raw_syscall(NR_write, status, (u64)said, sizeof said, 0, 0, 0);
    }
    raw_syscall(NR_waitid, P_PID, pid, (u64)&death, WEXITED | WALL, 0, 0);
}

#endif
