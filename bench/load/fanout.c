// Many readers, one sender: how long until everybody has what was said, and does everybody get everything, once, in order.
//
//   fanout --transport sse|socketio --port P --readers N --rate PER_SECOND --count M --cookies FILE --acks FILE
//          [--patience SECONDS] [--sender-port P]
//
// The sender's text is "T=<its clock in ns>;" and each reader looks for it right behind a quotation mark ("T=…), where it
// stands once in every JSON that carries the message. Says {"phase": "connected"} when all readers are there, waits for a line on
// standard input while it goes on reading, sends, and says how it went in one more line of JSON. It ends
// without what has not come when nothing has come for so many seconds (10). The sender may be at another server of the same chat.
#include "common.h"

#define NEEDLE "\"T="
#define STAMP_DIGITS 19
#define STAMP_SIZE (3 + STAMP_DIGITS + 1)
#define CONNECTING_AT_ONCE 100

enum { STDIN_ID = 0xffffffff, SENDER_ID = 0xfffffffe };
enum step { HEAD, OPENING, JOINING, READY };

struct reader {
    int fd;
    enum step step;
    char *kept;  // what came and could not be read to its end yet
    size_t kept_size;
    long last, received;
};

static struct {
    bool socketio;
    int port, sender_port, count, readers;
    double rate, patience;
    char **cookies;
    int cookie_count;
    FILE *acks;
} run;

static struct reader *readers, sender;
static int epoll, ready_count, acknowledged, refused;
static long duplicates, disordered, last_arrival;
static struct samples latency;
static char *sent_texts;
static char buffer[1 << 20];

static void send_frame(int fd, const char *text) {
    char frame[256];
    size_t size = strlen(text);
    if (size > 125) die("a frame too long");
    frame[0] = (char)0x81;
    frame[1] = (char)(0x80 | size);
    memset(frame + 2, 0, 4);  // a mask of zeros is a mask
    memcpy(frame + 6, text, size);
    send_all(fd, frame, size + 6);
}

static void greet(struct reader *r, int number) {
    char request[4096];
    if (run.socketio)
        snprintf(request, sizeof request,
                 "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                 run.port);
    else
        snprintf(request, sizeof request,
                 "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\nCookie: %s\r\n\r\n", run.port,
                 run.cookies[number % run.cookie_count]);
    send_all(r->fd, request, strlen(request));
}

static void mark_ready(struct reader *r) {
    if (r->step == READY) return;
    r->step = READY;
    ready_count++;
}

static void note_stamp(struct reader *r, const char *digits) {
    long stamp = atol(digits), now = now_ns();
    if (stamp == r->last) {
        duplicates++;
    } else if (stamp < r->last) {
        disordered++;
    } else {
        add_sample(&latency, now - stamp);
        r->last = stamp;
        r->received++;
        last_arrival = now;
    }
}

static bool ends_with(const char *at, const char *end, const char *text) {
    size_t size = strlen(text);
    return (size_t)(end - at) >= size && !memcmp(end - size, text, size);
}

// Finds the stamps in data and says how many bytes are done with; a stamp cut in two is left for the next time.
static size_t take_stamps(struct reader *r, char *data, size_t size) {
    char *at = data, *end = data + size;
    for (;;) {
        char *found = find(at, (size_t)(end - at), NEEDLE);
        if (!found) return size - (ends_with(at, end, "\"T") ? 2 : ends_with(at, end, "\"") ? 1 : 0);
        if (found + STAMP_SIZE > end) return (size_t)(found - data);
        if (found[STAMP_SIZE - 1] == ';') note_stamp(r, found + 3);
        at = found + 3;
    }
}

static size_t take_head(struct reader *r, char *data, size_t size, const char *expected) {
    char *end = find(data, size, "\r\n\r\n");
    if (!end) return 0;
    errno = 0;
    if (strncmp(data + 8, expected, strlen(expected))) {
        fwrite(data, 1, size, stderr);
        die("a reader was refused");
    }
    r->step = OPENING;
    return (size_t)(end - data) + 4;
}

// One WebSocket frame from the server (never masked), with an engine.io packet in it.
static size_t take_frame(struct reader *r, char *data, size_t size) {
    unsigned char *bytes = (unsigned char *)data;
    if (size < 2) return 0;
    size_t length = bytes[1] & 0x7f, head = 2;
    if (length == 126) {
        if (size < 4) return 0;
        length = (size_t)bytes[2] << 8 | bytes[3];
        head = 4;
    } else if (length == 127) {
        die("a frame too long");
    }
    if (size < head + length) return 0;
    char *packet = data + head;
    if (!length) return head;
    if (packet[0] == '0') {
        send_frame(r->fd, "40");
        r->step = JOINING;
    } else if (packet[0] == '2') {
        send_frame(r->fd, "3");
    } else if (packet[0] == '4' && length > 1 && packet[1] == '0') {
        mark_ready(r);
    } else if (packet[0] == '4' && r != &sender) {
        take_stamps(r, packet, length);
    }
    return head + length;
}

static size_t take(struct reader *r, char *data, size_t size) {
    if (r->step == HEAD) return take_head(r, data, size, run.socketio ? " 101" : " 200");
    if (run.socketio) return take_frame(r, data, size);
    mark_ready(r);
    return take_stamps(r, data, size);
}

static size_t take_answer(char *data, size_t size) {
    struct response response;
    if (!parse_response(data, size, &response)) return 0;
    if (response.status == 201) {
        if (run.acks) fprintf(run.acks, "%s\n", sent_texts + 32 * (acknowledged + refused));
        acknowledged++;
    } else {
        if (!refused++) fwrite(data, 1, response.size, stderr);
    }
    return response.size;
}

static void receive(struct reader *r) {
    memcpy(buffer, r->kept, r->kept_size);
    ssize_t got = read(r->fd, buffer + r->kept_size, sizeof buffer / 2);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) die("the server closed a connection");
    size_t size = r->kept_size + (size_t)got, done = 0, step;
    while (done < size) {
        char *data = buffer + done;
        step = r == &sender && !run.socketio ? take_answer(data, size - done) : take(r, data, size - done);
        if (!step) break;
        done += step;
    }
    free(r->kept);
    r->kept = NULL;
    r->kept_size = size - done;
    if (!r->kept_size) return;
    if (r->kept_size > sizeof buffer / 2) die("more than fits");
    r->kept = allocate(1, r->kept_size);
    memcpy(r->kept, buffer + done, r->kept_size);
}

// Reads what has come, waiting for it at most so long; true when a line came on standard input.
static bool turn(int wait_ms) {
    struct epoll_event events[512];
    int count = epoll_wait(epoll, events, 512, wait_ms);
    bool line = false;
    for (int i = 0; i < count; i++) {
        unsigned id = events[i].data.u32;
        if (id == STDIN_ID) {
            if (read(0, buffer, sizeof buffer) <= 0) exit(0);
            line = true;
        } else {
            receive(id == SENDER_ID ? &sender : &readers[id]);
        }
    }
    return line;
}

static void wait_until_ready(int count) {
    long deadline = now_ns() + 60 * SECOND;
    errno = 0;
    while (ready_count < count) {
        if (now_ns() > deadline) die("not every reader was let in within a minute");
        turn(100);
    }
}

static void connect_all(void) {
    for (int i = 0; i < run.readers; i++) {
        readers[i].fd = connect_to(run.port);
        watch(epoll, readers[i].fd, (unsigned)i);
        greet(&readers[i], i);
        if (i % CONNECTING_AT_ONCE == CONNECTING_AT_ONCE - 1) wait_until_ready(i + 1);
    }
    wait_until_ready(run.readers);
    sender.fd = connect_to(run.sender_port);
    watch(epoll, sender.fd, SENDER_ID);
    if (run.socketio) {
        greet(&sender, 0);
        wait_until_ready(run.readers + 1);
    }
}

static void say(int number) {
    char *text = sent_texts + 32 * number, body[128], request[4096];
    snprintf(text, 32, "T=%0*ld;", STAMP_DIGITS, now_ns());
    if (run.socketio) {
        snprintf(body, sizeof body, "42[\"message\",\"%s\"]", text);
        send_frame(sender.fd, body);
        return;
    }
    snprintf(body, sizeof body, "{\"text\":\"%s\",\"client_id\":\"fanout-%.*s\"}", text, STAMP_DIGITS, text + 2);
    snprintf(request, sizeof request,
             "POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
             "Cookie: %s\r\nContent-Length: %zu\r\n\r\n%s",
             run.sender_port, run.cookies[0], strlen(body), body);
    send_all(sender.fd, request, strlen(request));
}

static bool finished(int sent) {
    bool answered = run.socketio || acknowledged + refused == sent;
    return sent == run.count && answered && latency.count == (size_t)run.readers * (size_t)run.count;
}

int main(int argc, char **argv) {
    run.socketio = !strcmp(option(argc, argv, "--transport", NULL), "socketio");
    run.port = atoi(option(argc, argv, "--port", NULL));
    run.sender_port = atoi(option(argc, argv, "--sender-port", option(argc, argv, "--port", NULL)));
    run.readers = atoi(option(argc, argv, "--readers", NULL));
    run.count = atoi(option(argc, argv, "--count", NULL));
    run.rate = atof(option(argc, argv, "--rate", NULL));
    run.patience = atof(option(argc, argv, "--patience", "10"));
    run.cookies = read_lines(option(argc, argv, "--cookies", NULL), &run.cookie_count);
    run.acks = fopen(option(argc, argv, "--acks", "/dev/null"), "w");
    readers = allocate((size_t)run.readers, sizeof *readers);
    sent_texts = allocate((size_t)run.count, 32);
    epoll = epoll_create1(0);
    raise_file_limit();

    long started = now_ns();
    connect_all();
    printf("{\"phase\": \"connected\", \"readers\": %d, \"seconds\": %.3f}\n", run.readers, (double)(now_ns() - started) / SECOND);
    fflush(stdout);
    watch(epoll, 0, STDIN_ID);
    while (!turn(1000)) {
    }

    long start = now_ns(), cpu = cpu_ns();
    int sent = 0;
    last_arrival = start;
    for (;;) {
        long now = now_ns(), due = start + (long)(sent / run.rate * SECOND);
        if (sent < run.count && now >= due) {
            say(sent++);
            continue;
        }
        if (finished(sent)) break;
        if (sent == run.count && now > last_arrival + (long)(run.patience * SECOND)) break;
        turn(sent < run.count ? (int)((due - now) / MILLISECOND) : 50);
    }
    long wall = now_ns() - start, busy = cpu_ns() - cpu;
    for (long end = now_ns() + SECOND / 4; now_ns() < end;) turn(50);  // what comes twice comes late

    long complete = 0;
    for (int i = 0; i < run.readers; i++) complete += readers[i].received == run.count;
    printf("{\"phase\": \"done\", \"sent\": %d, \"acknowledged\": %d, \"refused\": %d, \"deliveries\": %zu, \"complete_readers\": %ld, "
           "\"duplicates\": %ld, \"disordered\": %ld, \"seconds\": %.3f, \"load_share\": %.4f, ",
           sent, run.socketio ? sent : acknowledged, refused, latency.count, complete, duplicates, disordered, (double)wall / SECOND,
           (double)busy / (double)wall);
    print_latency(&latency);
    printf("}\n");
    if (run.acks) fclose(run.acks);
    return 0;
}
