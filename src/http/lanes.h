/* Requests that wait for a worker, in lanes, one a tenant; lanes take turns. While others wait, a lane runs
 * on at most a quarter of the workers. When all places are taken, the longest lane makes room for a tenant
 * who has less than a quarter of them; else the newcomer is refused. Not thread-safe. */
#pragma once
#include <stdint.h>

struct request;
struct lanes;
struct lane;
struct lanes *lanes_new(unsigned queue_max, unsigned nworkers);
void lanes_free(struct lanes **s);
/* Returns who is to be refused: NULL, the longest lane's newest, or r itself. */
struct request *lanes_push(struct lanes *s, uint64_t key, struct request *r);
/* The next, NULL if none waits; *ret_lane counts it as running until lanes_done. */
struct request *lanes_take(struct lanes *s, struct lane **ret_lane);
void lanes_done(struct lanes *s, struct lane *l);
unsigned lanes_waiting(const struct lanes *s);
