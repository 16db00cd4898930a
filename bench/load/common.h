// What both load generators need: a clock, connections, HTTP answers, and how busy this process kept its core.
#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000L
#define MILLISECOND 1000000L

static inline void die(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static inline long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

// Processor time of this process, user and system together, in nanoseconds.
static inline long cpu_ns(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000L;
}

static inline void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) die("out of memory");
    return memory;
}

// As many open files as this machine lets the process have.
static inline void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static inline int connect_to(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0) die("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline void watch(int epoll, int fd, unsigned id) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = id};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

// Requests are small and the buffers of a socket are not: a write that does not fit at once is an error of the server.
static inline void send_all(int fd, const char *data, size_t size) {
    ssize_t sent = write(fd, data, size);
    if (sent < 0) die("send");
    if ((size_t)sent != size) die("the server does not read its requests");
}

// The lines of a text file, without their ends; *count says how many.
static inline char **read_lines(const char *path, int *count) {
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    char **lines = NULL, *line = NULL;
    size_t size = 0;
    ssize_t length;
    *count = 0;
    while ((length = getline(&line, &size, file)) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        lines = realloc(lines, (size_t)(*count + 1) * sizeof *lines);
        lines[(*count)++] = strdup(line);
    }
    free(line);
    fclose(file);
    if (!*count) die("no cookies");
    return lines;
}

static inline char *find(char *data, size_t size, const char *needle) {
    return memmem(data, size, needle, strlen(needle));
}

// The value of a header in a response's head of this size (its name with a colon, in lower case), or NULL.
static inline const char *header(const char *head, size_t size, const char *name) {
    const char *end = head + size;
    for (const char *line = head; line < end;) {
        if (!strncasecmp(line, name, strlen(name))) {
            const char *value = line + strlen(name);
            while (*value == ' ') value++;
            return value;
        }
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next) break;
        line = next + 1;
    }
    return NULL;
}

struct response {
    int status;
    size_t head, size;  // bytes up to the body, and of the whole
    bool closes;
};

static inline size_t chunked_size(char *body, size_t size) {
    char *at = body, *end = body + size;
    for (;;) {
        char *line = find(at, (size_t)(end - at), "\r\n");
        if (!line) return 0;
        size_t length = strtoul(at, NULL, 16);
        at = line + 2 + length + 2;
        if (at > end) return 0;
        if (!length) return (size_t)(at - body);
    }
}

// Whether a whole response stands at the beginning of data; then *r says what it is.
static inline bool parse_response(char *data, size_t size, struct response *r) {
    char *head_end = find(data, size, "\r\n\r\n");
    if (!head_end) return false;
    r->head = (size_t)(head_end - data) + 4;
    if (sscanf(data, "HTTP/1.%*d %d", &r->status) != 1) die("not an HTTP response");
    const char *length = header(data, r->head, "content-length:"), *connection = header(data, r->head, "connection:");
    const char *encoding = header(data, r->head, "transfer-encoding:");
    r->closes = connection && !strncasecmp(connection, "close", 5);
    if (length) {
        r->size = r->head + strtoul(length, NULL, 10);
    } else if (encoding && !strncasecmp(encoding, "chunked", 7)) {
        size_t body = chunked_size(data + r->head, size - r->head);
        if (!body) return false;
        r->size = r->head + body;
    } else {
        r->size = r->head;
    }
    return r->size <= size;
}

// A growing list of nanoseconds.
struct samples {
    long *ns;
    size_t count, room;
};

static inline void add_sample(struct samples *s, long ns) {
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 65536;
        s->ns = realloc(s->ns, s->room * sizeof *s->ns);
        if (!s->ns) die("out of memory");
    }
    s->ns[s->count++] = ns;
}

static inline int by_size(const void *a, const void *b) {
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

// The nearest-rank percentile in milliseconds; the samples must be sorted.
static inline double percentile_ms(const struct samples *s, double percent) {
    if (!s->count) return 0;
    size_t rank = (size_t)(percent / 100 * (double)s->count);
    if ((double)rank < percent / 100 * (double)s->count) rank++;
    return (double)s->ns[rank ? rank - 1 : 0] / MILLISECOND;
}

static inline void print_latency(struct samples *s) {
    if (s->count) qsort(s->ns, s->count, sizeof *s->ns, by_size);
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f", percentile_ms(s, 50), percentile_ms(s, 99),
           percentile_ms(s, 100));
}

// "--name value" among the arguments; dies without it when there is no fallback.
static inline const char *option(int count, char **arguments, const char *name, const char *fallback) {
    for (int i = 1; i + 1 < count; i++)
        if (!strcmp(arguments[i], name)) return arguments[i + 1];
    if (!fallback) {
        errno = 0;
        fprintf(stderr, "load: %s is missing\n", name);
        exit(2);
    }
    return fallback;
}

#endif
