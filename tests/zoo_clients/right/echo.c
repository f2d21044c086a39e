/* Copies stdin to the socket and the socket to stdout, in one poll loop. */
// exercise: tcp-echo
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int all(int fd, const char *data, ssize_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written <= 0)
            return 0;
        data += written;
        size -= written;
    }
    return 1;
}

int main(int argc, char **argv) {
    static char buffer[4096];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int sock = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGPIPE, SIG_IGN);
    if (connect(sock, (struct sockaddr *)&server, sizeof server) < 0)
        return 1;
    struct pollfd sources[2] = {{.fd = sock, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    for (;;) {
        if (poll(sources, 2, -1) < 0)
            return 1;
        if (sources[0].revents) {
            ssize_t size = read(sock, buffer, sizeof buffer);
            if (size <= 0)
                return size < 0;
            if (!all(1, buffer, size))
                return 1;
        }
        if (sources[1].revents) {
            ssize_t size = read(0, buffer, sizeof buffer);
            if (size > 0 && !all(sock, buffer, size))
                return 1;
            if (size <= 0) {
                shutdown(sock, SHUT_WR);
                sources[1].fd = -1;
            }
        }
    }
}
