/*
 * Those who are attached: connections to the socket `attach` of the container's directory. Each message is one byte of kind, four bytes of
 * length with the highest first, and that many bytes:
 *
 *     to us     i  input of the program      c  end of input      w  size of the terminal: rows, columns, two bytes each, highest first
 *     from us   o  standard output           e  standard error
 *
 * All of them get everything. One that is slow makes the program slow, as a slow terminal would, for as long as it is connected; but nobody can keep
 * us from seeing the program's end. Whatever they send, it is cut off at the first message that is none of these.
 */
#ifndef TSBOX_MONITOR_ATTACH_H
#define TSBOX_MONITOR_ATTACH_H

#include "monitor-log.h"

#define CLIENTS 32
#define HEADER 5

struct client {
    i32 fd;
    u32 sent;   /* of the chunk, header included */
    u32 left;   /* of the message that is coming in */
    u8 have;    /* of its header */
    u8 header[HEADER];
    u8 size[4];
};

static struct client clients[CLIENTS];

/* What was just read from the program; nothing more is read until everybody has it. */
static struct {
    u32 length;
    u8 header[HEADER];
    char bytes[PIECE];
} chunk;

/* What is on its way to the program; nothing more is taken from anybody until it is there. */
static struct {
    i32 fd;
    int terminal;
    u32 length, written;
    char bytes[4096];
} input;

static int waits_for_chunk(const struct client *client)
{
    return client->fd >= 0 && chunk.length > 0 && client->sent < chunk.length + HEADER;
}

static void send_chunk(struct client *client)
{
    while (waits_for_chunk(client)) {
        u32 header = client->sent < HEADER ? HEADER - client->sent : 0;
        u32 from = client->sent < HEADER ? 0 : client->sent - HEADER;
        struct part parts[] = {{chunk.header + HEADER - header, header}, {chunk.bytes + from, chunk.length - from}};
        i64 sent = call(NR_writev, client->fd, (u64)parts, 2, 0);
        if (sent == -EAGAIN)
            return;
        if (sent < 0)
            close_fd(&client->fd);
        else
            client->sent += sent;
    }
}

/* Whether somebody has not got all of it yet. */
static int send_chunks(void)
{
    int waiting = 0;
    for (int i = 0; i < CLIENTS; i++) {
        send_chunk(&clients[i]);
        waiting |= waits_for_chunk(&clients[i]);
    }
    if (!waiting)
        chunk.length = 0;
    return waiting;
}

static void offer_chunk(u8 kind, u32 length)
{
    u8 header[HEADER] = {kind, length >> 24, length >> 16, length >> 8, length};
    memcpy(chunk.header, header, HEADER);
    chunk.length = length;
    for (int i = 0; i < CLIENTS; i++)
        clients[i].sent = 0;
    send_chunks();
}

static void accept_clients(void)
{
    for (;;) {
        i32 fd = call(NR_accept4, FD_LISTEN, 0, 0, O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return;
        int i = 0;
        while (i < CLIENTS && clients[i].fd >= 0)
            i++;
        if (i == CLIENTS) {
            close_fd(&fd);
            continue;
        }
        struct client client = {fd, chunk.length + HEADER, 0, 0, {0}, {0}};
        clients[i] = client;
    }
}

static void write_input(void)
{
    while (input.written < input.length) {
        i64 written = input.fd < 0 ? -EIO : call(NR_write, input.fd, (u64)input.bytes + input.written, input.length - input.written, 0);
        if (written == -EAGAIN)
            return;
        if (written < 0) {
            /* Nobody reads it any more. A terminal stays: its window may still change. */
            if (!input.terminal)
                close_fd(&input.fd);
            break;
        }
        input.written += written;
    }
    input.length = input.written = 0;
}

static void resize(const u8 *size)
{
    unsigned short window[4] = {size[0] << 8 | size[1], size[2] << 8 | size[3], 0, 0};
    if (input.terminal && input.fd >= 0)
        call(NR_ioctl, input.fd, 0x5414 /* TIOCSWINSZ */, (u64)window, 0);
}

/* The head of a message is complete. */
static void begin_message(struct client *client)
{
    const u8 *header = client->header;
    client->left = (u32)header[1] << 24 | (u32)header[2] << 16 | (u32)header[3] << 8 | header[4];
    client->have = 0;
    if (header[0] == 'c' && client->left == 0) {
        if (!input.terminal)
            close_fd(&input.fd);
    } else if (!(header[0] == 'i' || (header[0] == 'w' && client->left == 4))) {
        close_fd(&client->fd);
    }
}

/* One read(2); the next when poll says so. */
static void read_client(struct client *client)
{
    u8 *to = client->header + client->have;
    u64 most = HEADER - client->have;
    if (client->left > 0) {
        int text = client->header[0] == 'i';
        if (text && input.length > 0)
            return;
        to = text ? (u8 *)input.bytes : client->size + 4 - client->left;
        most = text && client->left > sizeof input.bytes ? sizeof input.bytes : client->left;
    }
    i64 got = call(NR_read, client->fd, (u64)to, most, 0);
    if (got == -EAGAIN)
        return;
    if (got <= 0) {
        close_fd(&client->fd);
        return;
    }
    if (client->left == 0) {
        client->have += got;
        if (client->have == HEADER)
            begin_message(client);
        return;
    }
    client->left -= got;
    if (client->header[0] == 'i') {
        input.length = got;
        write_input();
    } else if (client->left == 0) {
        resize(client->size);
    }
}

#endif
