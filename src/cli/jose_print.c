/* A token for people: its members, and its times explained. */
#include "cli/jose.h"

static void print_time(struct cli_call *c, const json_t *payload, const char *claim, const char *label)
{
    const json_t *v = json_object_get(payload, claim);
    if (!json_is_integer(v))
        return;
    int64_t t_s = json_integer_value(v);
    buf_fmt(c->out, "%-11s%.*s (%.*s)\n", label, STR_ARG(cli_time(c, t_s)), STR_ARG(cli_ago(c, t_s)));
}

/* Its place in a status list: where to ask whether it has been revoked. */
static void print_status(struct cli_call *c, const json_t *payload)
{
    const json_t *list = json_object_get(json_object_get(payload, "status"), "status_list");
    struct str uri = json_str(json_object_get(list, "uri"));
    if (uri.n)
        buf_fmt(c->out, "%-11sindex %lld of %.*s\n", "status", (long long)json_integer_value(json_object_get(list, "idx")), STR_ARG(uri));
}

void cli_print_token(struct cli_call *c, const json_t *header, const json_t *payload)
{
    buf_z(c->out, "header\n");
    cli_print_members(c->out, header);
    if (!json_is_object(payload)) {
        buf_char(c->out, '\n');
        return;
    }
    buf_z(c->out, "\npayload\n");
    cli_print_members(c->out, payload);
    buf_char(c->out, '\n');
    print_time(c, payload, "auth_time", "signed in");
    print_time(c, payload, "iat", "issued");
    print_time(c, payload, "nbf", "valid from");
    print_time(c, payload, "exp", "expires");
    print_status(c, payload);
}

/* Times may be fractions (RFC 7519 section 2). */
static bool time_of(const json_t *payload, const char *claim, double *ret)
{
    const json_t *v = json_object_get(payload, claim);
    *ret = json_number_value(v);
    return json_is_number(v);
}

const char *cli_time_fault(const json_t *payload, int64_t now_s, int64_t skew_s)
{
    double t;
    double now = (double)now_s, skew = (double)skew_s;
    if (time_of(payload, "exp", &t) && t + skew <= now)
        return "expired";
    if (time_of(payload, "nbf", &t) && t - skew > now)
        return "not valid yet";
    if (time_of(payload, "iat", &t) && t - skew > now)
        return "issued in the future";
    return NULL;
}
