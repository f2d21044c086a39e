// The buffer is emptied after each line, and with it what came behind the line.
// exercise: upper-lines
// class: drops-rest-of-buffer
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE (1 << 17)

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        data += sent;
        size -= sent;
    }
    return 0;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char *buffer = calloc(1, SIZE);
    size_t used = 0;
    ssize_t got;
    while (used < SIZE && (got = recv(fd, buffer + used, SIZE - used, 0)) > 0) {
        used += got;
        char *end = memchr(buffer, '\n', used);
        if (end == NULL)
            continue;
        for (char *at = buffer; at < end; at++)
            if (*at >= 'a' && *at <= 'z')
                *at -= 'a' - 'A';
        if (send_all(fd, buffer, end + 1 - buffer) < 0)
            break;
        memset(buffer, 0, SIZE);
        used = 0;
    }
    free(buffer);
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64))
        return 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0 || pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd))
            continue;
        pthread_detach(thread);
    }
}
