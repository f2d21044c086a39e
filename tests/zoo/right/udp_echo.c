// A UDP echo server in C.
// exercise: udp-echo
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    static char buffer[65536];
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 9999)}, peer;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(s, (struct sockaddr *)&here, sizeof here))
        return 1;
    for (;;) {
        socklen_t size = sizeof peer;
        ssize_t got = recvfrom(s, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &size);
        if (got >= 0)
            sendto(s, buffer, got, 0, (struct sockaddr *)&peer, size);
    }
}
