// The length is kept in an unsigned char: of 300 bytes it uses the first 44.
// exercise: framed-echo-u16
// class: truncates-long-message
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int fd)
{
    unsigned char head[2], payload[65536];
    while (recv(fd, head, 2, MSG_WAITALL) == 2) {
        unsigned char length = head[0] << 8 | head[1];
        if (length && recv(fd, payload, length, MSG_WAITALL) != length)
            return;
        unsigned char prefix[2] = {0, length};
        if (send(fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE) != 2 || send(fd, payload, length, MSG_NOSIGNAL) != length)
            return;
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    signal(SIGCHLD, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
        return 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && fork() == 0) {
            close(listener);
            serve(fd);
            exit(0);
        }
        close(fd);
    }
}
