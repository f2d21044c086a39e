// Length-prefixed echo in C, a thread for each client.
// exercise: framed-echo-u16
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_all(int fd, unsigned char *to, size_t count)
{
    while (count > 0) {
        ssize_t got = read(fd, to, count);
        if (got <= 0)
            return -1;
        to += got;
        count -= got;
    }
    return 0;
}

static int write_all(int fd, const unsigned char *from, size_t count)
{
    while (count > 0) {
        ssize_t put = write(fd, from, count);
        if (put <= 0)
            return -1;
        from += put;
        count -= put;
    }
    return 0;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    unsigned char *frame = malloc(2 + 65535);
    while (frame && read_all(fd, frame, 2) == 0) {
        size_t size = frame[0] << 8 | frame[1];
        if (read_all(fd, frame + 2, size) || write_all(fd, frame, 2 + size))
            break;
    }
    free(frame);
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, SOMAXCONN))
        return 1;
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}
