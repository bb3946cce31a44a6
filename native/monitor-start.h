/*
 * The start: the plan is carried out, its outcome awaited, and what connects us to the program is taken over.
 */
#ifndef TSBOX_MONITOR_START_H
#define TSBOX_MONITOR_START_H

#include "launch.c"
#include "monitor-attach.h"

#define P_ALL 0
#define P_PID 1
#define P_PIDFD 3
#define WNOHANG 1
#define WEXITED 4
#define WNOWAIT 0x01000000
#define WALL 0x40000000
#define CLD_EXITED 1
#define SIGKILL 9

/* What waitid(2) fills in; the kernel's siginfo_t has 128 bytes. */
struct death {
    i32 signal, error, code, padding, pid, uid, status;
    char rest[100];
};

/* Begun at run time: what is zero at first takes no room in the program, and memory only where it is used. */
static struct stream streams[2];
static i32 container_pid, container = -1; /* the latter a pidfd */

static i64 wait_for(int kind, i64 which, struct death *death, int options)
{
    death->pid = 0;
    return raw_syscall(NR_waitid, kind, which, (u64)death, options | WEXITED | WALL, 0, 0);
}

static i64 slot(const struct arena *arena, i64 index)
{
    return index < 0 ? -1 : arena->slots[index];
}

/* The container's pidfd, or -1 where the plan failed. When this returns the program has begun, or all that was cloned for it is dead. */
static void carry_out(struct arena *arena, char **args)
{
    i32 ready[2];
    char byte;
    struct death death;
    /* Ends that close at exec, out of the way of the numbers that are taken. */
    raw_syscall(NR_pipe2, (u64)ready, O_CLOEXEC, 0, 0, 0, 0);
    i64 read_end = call(NR_fcntl, ready[0], F_DUPFD_CLOEXEC, FD_FREE, 0);
    i64 write_end = call(NR_fcntl, ready[1], F_DUPFD_CLOEXEC, FD_FREE, 0);
    close_fd(&ready[0]);
    close_fd(&ready[1]);
    call(NR_dup3, write_end, FD_READY, O_CLOEXEC, 0);
    call(NR_close, write_end, 0, 0, 0);
    call(NR_dup3, read_end, FD_READER, O_CLOEXEC, 0);
    call(NR_close, read_end, 0, 0, 0);

    tsbox_run(arena, 0);
    /* The plan does so itself, unless it failed before. */
    call(NR_close, FD_READY, 0, 0, 0);
    call(NR_close, FD_NETWORK, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        call(NR_close, FD_PROGRAM + i, 0, 0, 0);
    while (call(NR_read, FD_READER, (u64)&byte, 1, 0) > 0)
        ;
    call(NR_close, FD_READER, 0, 0, 0);

    i64 helper = slot(arena, number_of(args[4]));
    if (helper > 0)
        wait_for(P_PID, helper, &death, 0);
    container_pid = slot(arena, number_of(args[2]));
    if (container_pid <= 0)
        return;
    container = number_of(args[3]) < 0 ? call(NR_pidfd_open, container_pid, 0, 0, 0) : slot(arena, number_of(args[3]));
    if (container >= 0)
        call(NR_fcntl, container, F_SETFD, 1, 0);
    if (arena->failed < 0)
        return;
    call(NR_pidfd_send_signal, container, SIGKILL, 0, 0);
    wait_for(P_PIDFD, container, &death, 0);
    close_fd(&container);
}

/* The master end of the terminal: one descriptor that comes with a byte over the socket. recvmsg(2), SCM_RIGHTS of unix(7). */
static i32 receive_terminal(void)
{
    char byte;
    u64 control[4] = {0}, vector[2] = {(u64)&byte, 1};
    u64 message[7] = {0, 0, (u64)vector, 1, (u64)control, 24, 0};
    i64 got = call(NR_recvmsg, FD_OURS, (u64)message, 0x40 /* MSG_DONTWAIT */ | 0x40000000 /* MSG_CMSG_CLOEXEC */, 0);
    return got == 1 && control[0] == 20 ? (i32)control[2] : -1;
}

static void take_streams(int terminal)
{
    streams[0].kind = 'o';
    streams[0].name = "stdout";
    streams[1].kind = 'e';
    streams[1].name = "stderr";
    input.fd = FD_OURS;
    streams[0].fd = FD_OURS + 1;
    streams[1].fd = FD_OURS + 2;
    if (terminal) {
        input.fd = streams[0].fd = receive_terminal();
        input.terminal = 1;
        for (int i = 0; i < 3; i++)
            call(NR_close, FD_OURS + i, 0, 0, 0);
        streams[1].fd = -1;
    }
    for (int i = 0; i < 2; i++)
        if (call(NR_fcntl, streams[i].fd, F_SETFL, O_NONBLOCK, 0) < 0)
            streams[i].fd = -1;
    if (call(NR_fcntl, input.fd, F_SETFL, O_NONBLOCK, 0) < 0)
        input.fd = -1;
}

#endif
