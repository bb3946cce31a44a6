/*
 * How long a byte takes there and back over a TCP connection: the latency of a network, with as little around it as there can be.
 *
 * usage: round-trip serve PORT                  says "ready" when it listens; each connection's bytes go back
 *        round-trip ask ADDRESS PORT COUNT      prints the median of COUNT round trips in microseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void check(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "round-trip: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double microseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void at_once(int connection)
{
    int one = 1;
    check(setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0, "TCP_NODELAY");
}

static void serve(struct sockaddr_in address)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    char byte;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    check(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    check(listen(listener, 16) == 0, "listen");
    puts("ready");
    fflush(stdout);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        check(connection >= 0, "accept");
        at_once(connection);
        while (read(connection, &byte, 1) == 1 && write(connection, &byte, 1) == 1)
            ;
        close(connection);
    }
}

static int compare(const void *one, const void *other)
{
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

static void ask(struct sockaddr_in address, int count)
{
    int connection = socket(AF_INET, SOCK_STREAM, 0), warm_up = count / 10;
    double *times = malloc(count * sizeof *times);
    char byte = 0;

    check(times != NULL, "malloc");
    check(connect(connection, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    at_once(connection);
    for (int i = -warm_up; i < count; i++) {
        double began = microseconds();
        check(write(connection, &byte, 1) == 1 && read(connection, &byte, 1) == 1, "the connection");
        if (i >= 0)
            times[i] = microseconds() - began;
    }
    qsort(times, count, sizeof *times, compare);
    printf("%.2f\n", times[count / 2]);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (argc == 3 && !strcmp(argv[1], "serve")) {
        address.sin_port = htons(atoi(argv[2]));
        serve(address);
    } else if (argc == 5 && !strcmp(argv[1], "ask") && inet_pton(AF_INET, argv[2], &address.sin_addr) == 1) {
        address.sin_port = htons(atoi(argv[3]));
        ask(address, atoi(argv[4]));
    } else {
        fputs("usage: round-trip serve PORT | ask ADDRESS PORT COUNT\n", stderr);
        return 2;
    }
    return 0;
}
