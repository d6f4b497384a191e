/* What the files of this folder share. A connection is met by the acceptor (accept.c), which hands it to a
 * front: one libmicrohttpd daemon with one event thread (front.c). A request object (request.c) is made when
 * the request line is in and given back when the answer is out. Workers (work.c) run what may block. The
 * acceptor's thread also sweeps: it shuts the sockets of those past their deadline (sweep.c). */
#pragma once
#include "base/limits.h"
#include "http/http.h"
#include "http/peer.h"
#include "http/router.h"
#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum conn_state { CONN_NEW, CONN_HEADER, CONN_BODY, CONN_WORK, CONN_SEND, CONN_IDLE };
#define CONN_NO_DEADLINE UINT32_MAX

/* One client connection. The list and fd belong to front->lock; state and deadline are written by the event
 * thread and read by the sweeper. */
struct conn {
    struct conn *prev, *next;
    struct front *front;
    struct tls_cred *cred;     /* the certificate this connection was greeted with */
    struct addr_slot *counted; /* its place in the count by address, or NULL */
    uint64_t bytes_seen;       /* sweeper only: what had arrived when the connection fell idle, */
    uint32_t probed;           /* behind so many requests */
    _Atomic uint32_t requests;
    int fd;
    _Atomic uint32_t deadline; /* in ticks (seconds) of http_server.tick */
    _Atomic uint8_t state;
    bool management, https, trusted; /* fixed before the hand-over */
    bool swept;                      /* sweeper, under front->lock */
    bool drain; /* answered before all was read: leftovers must be read, or the answer gets lost */
    struct addr peer;
    char peer_text[46];
};

enum request_stage { STAGE_HEADERS, STAGE_BODY, STAGE_WORK, STAGE_DONE };

struct request {
    struct http_req req;
    struct http_resp resp;
    struct request *next; /* free list, or the lane it waits in */
    struct front *front;
    struct conn *conn;
    struct MHD_Connection *mhd;
    struct MHD_Response *answer;
    const struct route *route;
    const struct node *node; /* what the router found for the path, for Allow */
    const char *uri_raw;     /* where the library holds the URI, to find NULs (check.c) */
    size_t uri_raw_n;
    struct str uri; /* a copy as sent */
    err_t refused;
    _Atomic enum request_stage stage; /* STAGE_DONE hands the request from the worker back to its front */
    bool close; /* the connection must not be used again */
    bool chunked, expects, http10;
    int64_t content_length; /* -1: none */
    uint64_t start_ns;
    size_t body_cap, body_seen;
    char *body_heap; /* bodies above BODY_IN_ARENA */
    struct http_header headers[LIMIT_HEADER_LINES];
    size_t nheaders;
};

struct front {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    struct db *db; /* opened by its thread at the first request */
    struct request *free;
    unsigned nfree;
    uint64_t id_random[2];
    bool tls;
    pthread_mutex_t lock; /* conns */
    struct conn *conns;
    _Atomic unsigned nconns;
};

struct listener {
    int fd;
    bool proxy_protocol, management, tls, local;
    char unix_path[108];
    int port;
};

struct http_server {
    struct http_config cfg; /* with the defaults filled in */
    struct listener *listeners;
    struct front *fronts; /* plain first, then TLS */
    unsigned nplain, ntls;
    struct router *routers[2]; /* public, management */
    struct cidrs trusted;
    struct pool *pools[WORK_CLASSES];
    struct tls *tls;
    struct addr_table *addresses;
    struct acceptor *acceptor;
    struct leftovers *linger;
    _Atomic(struct conn *) *by_fd; /* written by the acceptor before the hand-over */
    size_t by_fd_n;
    int64_t start_ms; /* of the ticks */
    _Atomic uint32_t tick;
    _Atomic unsigned nconns;
    unsigned conns_peak; /* sweeper: most since memory was given back */
    _Atomic bool stopping;
};

static inline uint32_t server_tick(const struct http_server *s)
{
    return atomic_load_explicit(&s->tick, memory_order_relaxed);
}
static inline void conn_state_set(struct conn *c, enum conn_state state, uint32_t deadline)
{
    atomic_store_explicit(&c->deadline, deadline, memory_order_relaxed);
    atomic_store_explicit(&c->state, (uint8_t)state, memory_order_relaxed);
}

/* listen.c */
err_t listen_open(const struct http_listener *l, bool tls, struct listener *ret, struct fault *f);
void listen_close(struct listener *l);

/* accept.c */
err_t acceptor_start(struct http_server *s, struct fault *f);
void acceptor_stop(struct http_server *s, unsigned grace_s); /* drains; ends the sweeper too */

/* conn.c */
struct addr_table *addr_table_new(unsigned per_address);
void addr_table_free(struct addr_table **t);
bool addr_take(struct addr_table *t, const struct addr *a, struct addr_slot **ret); /* false: one too many */
void addr_give(struct addr_table *t, struct addr_slot **slot);
struct conn *conn_new(struct http_server *s, int fd, const struct addr *peer, const struct listener *l);
void conn_free(struct http_server *s, struct conn *c);
void conn_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                 enum MHD_ConnectionNotificationCode code);

/* sweep.c: deadlines, by the acceptor's thread. */
void sweep(struct http_server *s); /* one tick */
/* Shuts what is idle; how many are still at work. */
unsigned sweep_drain(struct http_server *s, bool also_new);

/* linger.c: connections that were answered early. */
struct leftovers *linger_new(struct http_server *s);
void linger_free(struct leftovers **l);
int linger_fd(const struct leftovers *l);     /* readable when linger_serve has something to do */
void linger_add(struct leftovers *l, int fd); /* any thread; takes fd */
void linger_serve(struct leftovers *l);
void linger_sweep(struct leftovers *l);

/* front.c */
err_t front_start(struct http_server *s, struct front *f, bool tls, struct fault *fault);
void front_stop(struct front *f);
/* The handler, then response_build. *db is opened if need be. */
void front_run(struct front *f, struct db **db, size_t cache_kib, struct request *r);

/* request.c */
struct request *request_new(struct front *f);
void request_free(struct request *r); /* on its front's thread */
bool body_add(struct request *r, const char *p, size_t n);
size_t request_body_max(const struct request *r);

/* check.c: all that must hold of the headers; sets refused and close. */
void check_headers(struct request *r, const char *method, const char *version);

/* response.c */
uint64_t now_ns(void);
void refuse(struct request *r, err_t e);           /* fills resp */
void response_build(struct request *r);            /* resp -> answer; any thread */
enum MHD_Result response_queue(struct request *r); /* event thread */

/* work.c */
struct pool *pool_new(struct http_server *s, enum worker_class c, unsigned threads, unsigned queue_max);
bool pool_start(struct pool *p);
/* What waits is answered 503, what runs is waited for, what still comes is answered 503. */
void pool_stop(struct pool *p);
void pool_free(struct pool **p);
/* r's connection is suspended; it always comes back in STAGE_DONE, resumed. */
void pool_push(struct pool *p, struct request *r);
unsigned pool_waiting(struct pool *p);

/* tls.c */
err_t tls_new(const struct http_config *cfg, struct tls **ret, struct fault *f);
err_t tls_reload(struct tls *t, struct fault *f);
void tls_free(struct tls **t);
void tls_cred_give(struct tls_cred **c);
extern const char tls_priorities[];
gnutls_certificate_retrieve_function2 tls_choose;
