/* A resource server without HTTP: a token a line, or "id NONCE TOKEN"; answers with status, subject, scopes and roles.
 * usage: lib_client ISSUER AUDIENCE [status] */
#include <mereau.h>
#include <stdio.h>
#include <string.h>

static void answer(enum mereau_status s, struct mereau_result *r)
{
    const char *scope = mereau_scope(r), *roles = mereau_claim_json(r, "roles"), *client = mereau_client_id(r);
    if (s == MEREAU_OK)
        printf("ok\t%s\t%s\t%s\t%s\n", mereau_subject(r), scope ? scope : "", roles ? roles : "", client ? client : "");
    else
        printf("%d\t%s\t%s\n", (int)s, mereau_strerror(s), mereau_reason(r));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char line[16384];
    const char *audiences[] = {argc > 2 ? argv[2] : "", NULL}, *allow[] = {"127.0.0.1", NULL};
    struct mereau_options o = {.size = sizeof(o), .issuer = argv[1], .audiences = audiences, .allow = allow, .wait_ms = 20000};
    struct mereau_verifier *v;
    struct mereau_result *r = mereau_result_new();
    o.status_list = argc > 3 && !strcmp(argv[3], "status");
    if (!r || mereau_verifier_new(&o, &v) != MEREAU_OK)
        return 1;
    while (fgets(line, sizeof(line), stdin)) {
        char *save, *nonce, *token = strtok_r(line, " \n", &save);
        if (token && !strcmp(token, "id")) {
            nonce = strtok_r(NULL, " \n", &save);
            token = strtok_r(NULL, " \n", &save);
            answer(mereau_verify_id_token(v, token, token ? strlen(token) : 0, nonce, r), r);
        } else {
            answer(mereau_verify(v, token, token ? strlen(token) : 0, r), r);
        }
    }
    mereau_result_free(&r);
    mereau_verifier_free(&v);
    return 0;
}
