/*
 * The monitor: the parent of a container that outlives the tsbox that started it.
 *
 * A container needs somebody who waits for its end, keeps its output and holds its terminal. In the foreground that is tsbox itself; for `run -d` and
 * `start` it is this program, one for each container, because a Node process would take eighty times the memory. It has no
 * policy and reads no configuration: tsbox lays out the plan in memory, at an address that both have agreed on, and passes it on with everything
 * else that is needed as open descriptors (monitor.h). The monitor carries the plan out, by the same interpreter as tsbox (launch.c), and
 * becomes the container's parent thereby. Then it copies output into the log and to those who are attached, waits for orphans, runs the health check, and
 * at the end writes the exit status down before anything else can see the container as dead, and becomes `tsbox system ended`,
 * which decides what follows. It holds the lock on the container's directory all the while, and hands it on in the exec.
 *
 * It allocates nothing, belongs to no terminal, and blocks every signal that can be blocked: what ends it is the container's end, or SIGKILL, with which
 * the container dies too (PR_SET_PDEATHSIG).
 *
 * usage: monitor run BASE SIZE PID_SLOT PIDFD_SLOT HELPER_SLOT TERMINAL MAX_SIZE MAX_FILES HEALTH CGROUP COMMAND...
 * HEALTH: milliseconds between two checks, 0 for none; and after a space those until the first, and after one that says that it is still starting.
 *        monitor sleep MILLISECONDS COMMAND...
 */
#include "monitor-start.h"

#define PR_SET_PDEATHSIG 1
#define PR_SET_NAME 15
#define PR_SET_CHILD_SUBREAPER 36

static i64 health_every, health_starting, health_next;
static i32 health_pid;

/* The exit status of `tsbox system healthcheck` (src/cli/system.ts). */
#define STILL_STARTING 100
static char **command, **variables;
static int command_length;

static void block_signals(u64 mask)
{
    raw_syscall(NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (u64)&mask, 0, sizeof mask, 0, 0);
}

/* Whatever came while signals were blocked is forgotten: it was not meant for what we become. */
static void forget_signals(void)
{
    for (int signal = 1; signal < 65; signal++) {
        handle_signal(signal, 1);
        handle_signal(signal, 0);
    }
    block_signals(0);
}

__attribute__((noreturn)) static void become_command(void)
{
    call(NR_close_range, FD_DIRECTORY + 1, ~0U, 0, 0);
    forget_signals();
    call(NR_execve, (u64)command[0], (u64)command, (u64)variables, 0);
    leave(127);
}

/* `tsbox system ended ID` becomes `tsbox system healthcheck ID`. One at a time: the next is due when this one is done. */
static void check_health(void)
{
    if (health_pid > 0 || milliseconds_now() < health_next)
        return;
    health_pid = call(NR_clone, SIGCHLD, 0, 0, 0);
    if (health_pid != 0)
        return;
    call(NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    call(NR_close_range, 3, ~0U, 0, 0);
    forget_signals();
    command[command_length - 2] = "healthcheck";
    call(NR_execve, (u64)command[0], (u64)command, (u64)variables, 0);
    leave(127);
}

/* Orphans of the container that its own PID 1 did not get (`--pid host`), and the health check. */
static void reap_others(void)
{
    struct death death;
    while (wait_for(P_ALL, 0, &death, WNOHANG | WNOWAIT) == 0 && death.pid > 0 && death.pid != container_pid) {
        if (death.pid == health_pid) {
            health_pid = 0;
            health_next = milliseconds_now() + (death.code == CLD_EXITED && death.status == STILL_STARTING ? health_starting : health_every);
        }
        wait_for(P_PID, death.pid, &death, 0);
    }
}

/* One read. False where there is nothing now, or for good. */
static int copy(struct stream *stream)
{
    i64 got = call(NR_read, stream->fd, (u64)chunk.bytes, PIECE, 0);
    if (got == -EAGAIN)
        return 0;
    if (got <= 0) {
        /* A pty whose other end is closed gives EIO, pty(7). */
        log_rest(stream);
        if (!input.terminal)
            close_fd(&stream->fd);
        stream->fd = -1;
        return 0;
    }
    log_bytes(stream, chunk.bytes, got);
    offer_chunk(stream->kind, got);
    return 1;
}

/* One round: waits until there is something to do, and does it. False when the container is dead. */
static int serve(i32 children)
{
    static struct poll_entry entries[6 + CLIENTS];
    int busy = send_chunks();
    i64 wait = health_every <= 0 || health_pid > 0 ? -1 : health_next - milliseconds_now();
    if (health_every > 0 && wait < 0 && health_pid <= 0)
        wait = 0;
    struct moment timeout = {wait / 1000, wait % 1000 * 1000000};
    i32 fixed[6] = {container, children, FD_LISTEN, busy ? -1 : streams[0].fd, busy ? -1 : streams[1].fd, input.length > 0 ? input.fd : -1};
    for (int i = 0; i < 6; i++) {
        struct poll_entry entry = {fixed[i], i == 5 ? POLLOUT : POLLIN, 0};
        entries[i] = entry;
    }
    for (int i = 0; i < CLIENTS; i++) {
        i16 events = (input.length == 0 || clients[i].left == 0 ? POLLIN : 0) | (waits_for_chunk(&clients[i]) ? POLLOUT : 0);
        struct poll_entry entry = {events ? clients[i].fd : -1, events, 0};
        entries[6 + i] = entry;
    }
    raw_syscall(NR_ppoll, (u64)entries, 6 + CLIENTS, wait < 0 ? 0 : (u64)&timeout, 0, 8, 0);
    /* Before any output is read, so that whoever connected before the start gets all of it. */
    if (entries[2].answers)
        accept_clients();
    for (int i = 0; i < CLIENTS; i++)
        if (entries[6 + i].fd >= 0 && entries[6 + i].fd == clients[i].fd && entries[6 + i].answers & (POLLIN | POLLHUP | POLLERR))
            read_client(&clients[i]);
    if (entries[5].answers)
        write_input();
    if (!send_chunks() && entries[3].answers)
        copy(&streams[0]);
    if (!send_chunks() && entries[4].answers)
        copy(&streams[1]);
    if (entries[1].answers) {
        char news[128];
        call(NR_read, children, (u64)news, sizeof news, 0);
        reap_others();
    }
    if (health_every > 0)
        check_health();
    return !entries[0].answers;
}

/*
 * What is still in the pipes. Its writers are dead, so it is little; where some are not (`--pid host`), it is a pipe's content and no more. Somebody
 * attached who does not take what he is sent has two seconds altogether.
 */
static void drain(void)
{
    i64 end = milliseconds_now() + 2000;
    for (int i = 0; i < 2; i++) {
        for (int reads = 0; streams[i].fd >= 0 && reads < 256; reads++) {
            while (send_chunks()) {
                struct moment pause = {0, 5000000};
                raw_syscall(NR_ppoll, 0, 0, (u64)&pause, 0, 8, 0);
                if (milliseconds_now() < end)
                    continue;
                for (int c = 0; c < CLIENTS; c++)
                    if (waits_for_chunk(&clients[c]))
                        close_fd(&clients[c].fd);
            }
            if (!copy(&streams[i]))
                break;
        }
        log_rest(&streams[i]);
    }
    while (send_chunks() && milliseconds_now() < end) {
        struct moment pause = {0, 5000000};
        raw_syscall(NR_ppoll, 0, 0, (u64)&pause, 0, 8, 0);
    }
}

/* `oom_kill` of memory.events: how many processes of the group were killed for its memory. */
static u64 out_of_memory(const char *cgroup)
{
    char path[4200], text[1024];
    if (*cgroup == 0 || length_of(cgroup) > 4096)
        return 0;
    add_text(add_text(path, cgroup), "/memory.events");
    i32 fd = call(NR_openat, (u64)AT_FDCWD, (u64)path, O_CLOEXEC, 0);
    i64 got = fd < 0 ? 0 : call(NR_read, fd, (u64)text, sizeof text - 1, 0);
    close_fd(&fd);
    text[got < 0 ? 0 : got] = 0;
    for (char *line = text; *line;) {
        char *end = line;
        while (*end && *end != '\n' && *end != ' ')
            end++;
        char after = *end;
        *end = 0;
        if (after == ' ' && equal(line, "oom_kill"))
            return number_of(end + 1);
        for (line = end + (after != 0); after == ' ' && *line && line[-1] != '\n';)
            line++;
    }
    return 0;
}

/* `CODE SIGNAL OOM_KILLS NANOSECONDS`, the last since 1970. One write, so it is there or not. */
static void write_exit(const struct death *death, u64 kills)
{
    char text[128];
    struct moment now = clock(CLOCK_REALTIME);
    int exited = death->code == CLD_EXITED;
    char *end = add_number(text, exited ? death->status : 128 + death->status, 1);
    end = add_number(add_text(end, " "), exited ? 0 : death->status, 1);
    end = add_number(add_text(end, " "), kills, 1);
    end = add_number(add_text(end, " "), now.seconds, 1);
    end = add_text(add_number(end, now.nanoseconds, 9), "\n");
    call(NR_write, FD_EXIT, (u64)text, end - text, 0);
}

static const char *after_space(const char *text)
{
    while (*text && *text++ != ' ')
        ;
    return text;
}

static void settle_in(void)
{
    u64 all = ~0UL;
    call(NR_setsid, 0, 0, 0, 0);
    /* Blocked rather than ignored: what is ignored the program would inherit, while the plan unblocks everything. */
    block_signals(all);
    call(NR_chdir, (u64) "/", 0, 0, 0);
    call(NR_umask, 077, 0, 0, 0);
    call(NR_prctl, PR_SET_NAME, (u64) "tsbox-monitor", 0, 0);
    call(NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0);
    call(NR_close_range, 0, 2, 0, 0);
    call(NR_openat, (u64)AT_FDCWD, (u64) "/dev/null", O_RDWR, 0);
    call(NR_dup3, 0, 1, 0, 0);
    call(NR_dup3, 0, 2, 0, 0);
}

static void monitor(char **args)
{
    u64 base = number_of(args[0]), size = number_of(args[1]), only_children = 1UL << (SIGCHLD - 1);
    const char *cgroup = args[9];
    struct death death;
    char answer = 0;
    /* No number of ours is free for anything else, so that closing one that was not given to us closes nothing. */
    for (int fd = FD_ARENA; fd < FD_FREE; fd++)
        if (call(NR_fcntl, fd, F_SETFD, 1 /* FD_CLOEXEC */, 0) < 0)
            call(NR_dup3, 0, fd, O_CLOEXEC, 0);
    i64 mapped = raw_syscall(NR_mmap, base, size, 3 /* read, write */, 0x100001 /* MAP_SHARED|MAP_FIXED_NOREPLACE */, FD_ARENA, 0);
    if (mapped != (i64)base)
        leave(125);
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;

    carry_out((struct arena *)base, args);
    raw_syscall(NR_munmap, base, size, 0, 0, 0, 0);
    call(NR_close, FD_ARENA, 0, 0, 0);
    call(NR_close, FD_REPORT, 0, 0, 0);
    call(NR_read, FD_ACK, (u64)&answer, 1, 0);
    call(NR_close, FD_ACK, 0, 0, 0);
    if (container < 0) {
        if (answer == 'k')
            leave(0);
        become_command();
    }
    /* Nobody knows of it, and nobody would look for it. */
    if (answer != 'k')
        call(NR_pidfd_send_signal, container, SIGKILL, 0, 0);
    i32 children = raw_syscall(NR_signalfd4, (u64)-1, (u64)&only_children, 8, O_CLOEXEC | O_NONBLOCK, 0, 0);
    log.max_size = number_of(args[6]);
    log.max_files = number_of(args[7]);
    log.on = log.max_size >= 0;
    if (log.on)
        open_log(0);
    take_streams(number_of(args[5]));
    health_every = number_of(args[8]);
    health_starting = number_of(after_space(args[8]));
    health_next = milliseconds_now() + health_starting;
    while (serve(children))
        ;
    wait_for(P_PIDFD, container, &death, WNOWAIT);
    drain();
    write_exit(&death, out_of_memory(cgroup));
    wait_for(P_PIDFD, container, &death, 0);
    if (health_pid > 0)
        call(NR_kill, health_pid, SIGKILL, 0, 0);
    reap_others();
    become_command();
}

int main(int count, char **args, char **environment)
{
    int run = count > 12 && equal(args[1], "run");
    if (!run && !(count > 3 && equal(args[1], "sleep")))
        return 125;
    command = args + (run ? 12 : 3);
    command_length = count - (run ? 12 : 3);
    variables = environment;
    settle_in();
    if (run)
        monitor(args + 2);
    i64 milliseconds = number_of(args[2]);
    struct moment pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    raw_syscall(NR_ppoll, 0, 0, (u64)&pause, 0, 8, 0);
    become_command();
}
