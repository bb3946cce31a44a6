/*
 * The log: what the program writes, line by line, in the CRI format that Kubernetes' tools read:
 *
 *     2026-11-23T10:00:00.123456789Z stdout F text
 *
 * F ends a line; P is a piece of one that goes on (it was longer than a buffer, or the program ended without a newline). One writev(2) a
 * line, so a reader never sees half of one. A disk that is full stops nobody: what cannot be written is counted, and the log says how much is missing
 * as soon as it can.
 */
#ifndef TSBOX_MONITOR_LOG_H
#define TSBOX_MONITOR_LOG_H

#include "monitor.h"

#define PIECE 16384

static struct {
    i32 fd;
    int on;
    i64 size;
    /* Bytes before a new file is begun; 0 for no limit. */
    i64 max_size;
    /* How many files there are at most. */
    i64 max_files;
    /* Lines that could not be written. */
    u64 lost;
} log = {-1, 0, 0, 0, 1, 0};

struct stream {
    i32 fd;
    u8 kind; /* of its frames: 'o' or 'e' */
    const char *name;
    u64 pending; /* bytes of a line whose end has not come yet */
    char line[PIECE];
};

static void open_log(int flags)
{
    log.fd = call(NR_openat, FD_DIRECTORY, (u64) "container.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0600);
    if (log.fd >= 0)
        log.size = call(NR_lseek, log.fd, 0, 2 /* SEEK_END */, 0);
}

static char *log_name(char *to, i64 number)
{
    char *end = add_text(to, "container.log");
    return number == 0 ? end : add_number(add_text(end, "."), number, 1);
}

/* container.log becomes container.log.1, that becomes .2, and the last one goes. */
static void rotate(void)
{
    char from[40], to[40];
    if (log.max_files <= 1) {
        call(NR_ftruncate, log.fd, 0, 0, 0);
        log.size = 0;
        return;
    }
    close_fd(&log.fd);
    for (i64 number = log.max_files - 1; number > 0; number--) {
        log_name(from, number - 1);
        log_name(to, number);
        raw_syscall(NR_renameat2, FD_DIRECTORY, (u64)from, FD_DIRECTORY, (u64)to, 0, 0);
    }
    open_log(0);
}

/* `2026-11-23T10:00:00.123456789Z`. The date is computed once a second. Days to a date: Howard Hinnant's civil_from_days. */
static char *add_time(char *to, struct moment moment)
{
    static char text[24];
    static i64 known = -1;
    if (moment.seconds != known) {
        i64 seconds = moment.seconds < 0 ? 0 : moment.seconds;
        i64 days = seconds / 86400 + 719468, rest = seconds % 86400;
        i64 era = days / 146097, day_of_era = days % 146097;
        i64 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        i64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        i64 shifted = (5 * day_of_year + 2) / 153;
        i64 month = shifted < 10 ? shifted + 3 : shifted - 9;
        char *end = add_number(text, year_of_era + era * 400 + (month <= 2), 4);
        end = add_number(add_text(end, "-"), month, 2);
        end = add_number(add_text(end, "-"), day_of_year - (153 * shifted + 2) / 5 + 1, 2);
        end = add_number(add_text(end, "T"), rest / 3600, 2);
        end = add_number(add_text(end, ":"), rest / 60 % 60, 2);
        add_number(add_text(end, ":"), rest % 60, 2);
        known = moment.seconds;
    }
    to = add_number(add_text(add_text(to, text), "."), moment.nanoseconds, 9);
    return add_text(to, "Z ");
}

/* All of it or nothing. */
static int append(const struct part *parts, int count)
{
    i64 length = 0;
    for (int i = 0; i < count; i++)
        length += parts[i].length;
    if (log.fd < 0)
        open_log(0);
    if (log.fd >= 0 && log.max_size > 0 && log.size > 0 && log.size + length > log.max_size)
        rotate();
    if (log.fd < 0)
        return 0;
    i64 written = call(NR_writev, log.fd, (u64)parts, count, 0);
    if (written == length) {
        log.size += length;
        return 1;
    }
    /* The disk became full in the middle of it. */
    if (written > 0)
        call(NR_ftruncate, log.fd, log.size, 0, 0);
    return 0;
}

static void confess(struct moment now)
{
    char text[160];
    char *end = add_text(add_time(text, now), "stderr F tsbox: ");
    end = add_text(add_number(end, log.lost, 1), " lines of output could not be written to the log\n");
    struct part part = {text, end - text};
    if (append(&part, 1))
        log.lost = 0;
}

/* One line or piece: what was pending of it, and `length` bytes more. */
static void log_line(struct stream *stream, struct moment now, int ends, const char *bytes, u64 length)
{
    char prefix[64];
    char *end = add_text(add_time(prefix, now), stream->name);
    end = add_text(end, ends ? " F " : " P ");
    struct part parts[] = {{prefix, end - prefix}, {stream->line, stream->pending}, {bytes, length}, {"\n", 1}};
    if (log.lost)
        confess(now);
    if (!append(parts, 4))
        log.lost++;
    stream->pending = 0;
}

static void log_bytes(struct stream *stream, const char *bytes, u64 length)
{
    if (!log.on)
        return;
    struct moment now = clock(CLOCK_REALTIME);
    while (length > 0) {
        u64 room = PIECE - stream->pending, line = 0;
        u64 most = length < room ? length : room;
        while (line < most && bytes[line] != '\n')
            line++;
        if (line < most) {
            log_line(stream, now, 1, bytes, line);
            line++;
        } else if (line == room && length > room && bytes[line] == '\n') {
            /* It ends just where the buffer does. */
            log_line(stream, now, 1, bytes, line);
            line++;
        } else if (line == room) {
            log_line(stream, now, 0, bytes, line);
        } else {
            memcpy(stream->line + stream->pending, bytes, line);
            stream->pending += line;
        }
        bytes += line;
        length -= line;
    }
}

/* At its end: what no newline follows any more. */
static void log_rest(struct stream *stream)
{
    if (log.on && stream->pending > 0)
        log_line(stream, clock(CLOCK_REALTIME), 0, "", 0);
}

#endif
