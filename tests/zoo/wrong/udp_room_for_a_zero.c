// Keeps the last byte of its buffer for a zero, so that of 4096 bytes 4095 come back.
// exercise: udp-echo
// class: truncates-long-message
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) {
        perror("bind");
        return 1;
    }
    char text[4096];
    for (;;) {
        struct sockaddr_in client;
        socklen_t size = sizeof client;
        ssize_t got = recvfrom(fd, text, sizeof text - 1, 0, (struct sockaddr *)&client, &size);
        if (got < 0)
            continue;
        text[got] = 0;
        sendto(fd, text, got, 0, (struct sockaddr *)&client, size);
    }
}
