// Clients that ask again as soon as they are answered, each on its own kept-alive connection.
//
//   requests --kind json|form|page --port P --path PATH --clients K --seconds S --warmup S --tag T --cookies FILE --acks FILE
//
// json and form post "<tag>-<client>-<number> …", the first word of which is the client_id too; --acks gets that word for every
// post that was acknowledged, the warm-up's included. Answers that come within the measured seconds are counted; those asked for
// before the end are waited for. Prints one line of JSON.
#include "common.h"

#define SAYING "We meet at seven by the old bridge; bring the map, please."
#define SAYING_IN_A_FORM "We+meet+at+seven+by+the+old+bridge%3B+bring+the+map%2C+please."
#define GIVE_UP_AFTER (10 * SECOND)

enum kind { JSON, FORM, PAGE };

struct client {
    int fd, number;
    long asked_at;
    bool waiting;
    char key[64];
    char *data;
    size_t size, room;
};

static struct {
    enum kind kind;
    int port, clients, expected, cookie_count;
    const char *path, *tag;
    char **cookies;
    FILE *acks;
} run;

static struct client *clients;
static int epoll, reconnects, refused, in_flight;
static long count_from, stop_at, counted, acknowledged, answer_bytes;
static struct samples latency;

static void open_client(int id) {
    clients[id].fd = connect_to(run.port);
    clients[id].size = 0;
    watch(epoll, clients[id].fd, (unsigned)id);
}

static void ask(int id) {
    struct client *c = &clients[id];
    char body[512] = "", request[4096];
    const char *cookie = run.cookies[id % run.cookie_count];
    snprintf(c->key, sizeof c->key, "%s-%d-%d", run.tag, id, c->number++);
    if (run.kind == JSON) snprintf(body, sizeof body, "{\"text\":\"%s %s\",\"client_id\":\"%s\"}", c->key, SAYING, c->key);
    if (run.kind == FORM) snprintf(body, sizeof body, "message=%s+%s", c->key, SAYING_IN_A_FORM);
    if (run.kind == PAGE)
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\nCookie: %s\r\n\r\n",
                 run.path, run.port, cookie);
    else
        snprintf(request, sizeof request,
                 "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nCookie: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 run.path, run.port, run.kind == JSON ? "application/json" : "application/x-www-form-urlencoded", cookie,
                 strlen(body), body);
    c->asked_at = now_ns();
    c->waiting = true;
    in_flight++;
    send_all(c->fd, request, strlen(request));
}

static void note_answer(struct client *c, const struct response *r) {
    long now = now_ns();
    c->waiting = false;
    in_flight--;
    if (r->status != run.expected) {
        if (!refused++) fwrite(c->data, 1, r->size, stderr);
        return;
    }
    acknowledged++;
    if (run.kind != PAGE) fprintf(run.acks, "%s\n", c->key);
    if (now < count_from || now > stop_at) return;
    counted++;
    answer_bytes += (long)r->size;
    add_sample(&latency, now - c->asked_at);
}

static void receive(int id) {
    struct client *c = &clients[id];
    if (c->room - c->size < 65536) {
        c->room = c->room * 2 + 65536;
        c->data = realloc(c->data, c->room + 1);
        if (!c->data) die("out of memory");
    }
    ssize_t got = read(c->fd, c->data + c->size, c->room - c->size);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) die("read");
    struct response response = {.closes = true};
    if (got > 0) {
        c->size += (size_t)got;
        c->data[c->size] = 0;
        if (!parse_response(c->data, c->size, &response)) return;
        note_answer(c, &response);
        c->size = 0;
    } else if (c->waiting) {
        errno = 0;
        die("the server closed a connection instead of answering");
    }
    if (response.closes) {
        reconnects++;
        close(c->fd);
        open_client(id);
    }
    if (now_ns() < stop_at) ask(id);
}

int main(int argc, char **argv) {
    const char *kind = option(argc, argv, "--kind", NULL);
    run.kind = !strcmp(kind, "json") ? JSON : !strcmp(kind, "form") ? FORM : PAGE;
    run.expected = run.kind == JSON ? 201 : run.kind == FORM ? 303 : 200;
    run.port = atoi(option(argc, argv, "--port", NULL));
    run.path = option(argc, argv, "--path", NULL);
    run.clients = atoi(option(argc, argv, "--clients", NULL));
    run.tag = option(argc, argv, "--tag", "x");
    run.cookies = read_lines(option(argc, argv, "--cookies", NULL), &run.cookie_count);
    run.acks = fopen(option(argc, argv, "--acks", "/dev/null"), "w");
    if (!run.acks) die("--acks");
    double seconds = atof(option(argc, argv, "--seconds", NULL)), warmup = atof(option(argc, argv, "--warmup", "0"));
    clients = allocate((size_t)run.clients, sizeof *clients);
    epoll = epoll_create1(0);
    raise_file_limit();

    for (int i = 0; i < run.clients; i++) open_client(i);
    count_from = now_ns() + (long)(warmup * SECOND);
    stop_at = count_from + (long)(seconds * SECOND);
    for (int i = 0; i < run.clients; i++) ask(i);
    long cpu = -1, cpu_from = 0, busy = -1, busy_wall = 0;
    while (in_flight && now_ns() < stop_at + GIVE_UP_AFTER) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, 100);
        for (int i = 0; i < count; i++) receive((int)events[i].data.u32);
        long now = now_ns();
        if (cpu < 0 && now >= count_from) cpu = cpu_ns(), cpu_from = now;
        if (cpu >= 0 && busy < 0 && now >= stop_at) busy = cpu_ns() - cpu, busy_wall = now - cpu_from;
    }
    if (busy < 0) busy = cpu_ns() - cpu, busy_wall = now_ns() - cpu_from;
    fclose(run.acks);
    printf("{\"counted\": %ld, \"acknowledged\": %ld, \"refused\": %d, \"unanswered\": %d, \"reconnects\": %d, \"per_second\": %.2f, "
           "\"answer_bytes\": %.1f, \"load_share\": %.4f, ",
           counted, acknowledged, refused, in_flight, reconnects, (double)counted / seconds,
           counted ? (double)answer_bytes / (double)counted : 0, busy_wall ? (double)busy / (double)busy_wall : 0);
    print_latency(&latency);
    printf("}\n");
    return 0;
}
