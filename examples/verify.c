/* Verifies an access token with libmereau: no call to the server but for its public keys.
 *     cc -o verify verify.c $(pkg-config --cflags --libs libmereau)
 *     ./verify https://id.example https://orders.example TOKEN [address of a private network, to try it there] */
#include <mereau.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s ISSUER AUDIENCE TOKEN [PRIVATE-ADDRESS]\n", argv[0]);
        return 2;
    }
    const char *audiences[] = {argv[2], NULL}, *allow[] = {argv[4], NULL};
    struct mereau_options options = {.size = sizeof(options), .issuer = argv[1], .audiences = audiences, .allow = allow};
    struct mereau_verifier *verifier; /* one a program, for all its threads */
    enum mereau_status status = mereau_verifier_new(&options, &verifier);
    if (status != MEREAU_OK) {
        fprintf(stderr, "verifier: %s\n", mereau_strerror(status));
        return 1;
    }
    struct mereau_result *result = mereau_result_new(); /* one a thread, for all its tokens */
    if (!result)
        return 1;
    status = mereau_verify(verifier, argv[3], strlen(argv[3]), result);
    if (status == MEREAU_OK) {
        const char *scope = mereau_scope(result);
        printf("subject: %s\nscope: %s\n", mereau_subject(result), scope ? scope : "");
        printf("may read orders: %s\n", mereau_has_scope(result, "orders.read") ? "yes" : "no");
    } else {
        char problem[256];
        fprintf(stderr, "refused: %s (%s) %s\n", mereau_strerror(status), mereau_reason(result),
                mereau_verifier_problem(verifier, problem, sizeof(problem)));
    }
    mereau_result_free(&result);
    mereau_verifier_free(&verifier);
    return status != MEREAU_OK;
}
