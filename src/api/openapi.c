/* /openapi.json: the endpoint table, printed as OpenAPI 3.1. */
#include "api/api.h"
#include "token/core.h"

#define OPENAPI_MAX (512 * 1024)

static const char *const method_names[HTTP_METHODS] = {"get", "post", "put", "patch", "delete", "options", "head"};

/* JSON Schema type of a field as it travels in a query or a form. */
static void print_schema(struct jw *w, const struct field *f)
{
    static const char *const types[] = {[F_STR] = "string", [F_BOOL] = "boolean", [F_INT] = "integer", [F_SECONDS] = "string", [F_STRS] = "array",
                                        [F_WORDS] = "string", [F_ENUM] = "string", [F_SECRET] = "string", [F_JSON] = "object"};
    struct str rest = str_z(f->choices), word;
    jw_open(w, '{');
    jw_m_str(w, "type", str_z(types[f->type]));
    if (f->type == F_STRS)
        jw_m_raw(w, "items", STR("{\"type\":\"string\"}"));
    if (f->type == F_STR && f->max)
        jw_m_int(w, "maxLength", (int64_t)f->max);
    if (f->type == F_ENUM) {
        jw_key(w, "enum");
        jw_open(w, '[');
        while (str_word(&rest, '|', &word))
            jw_str(w, word);
        jw_close(w, ']');
    }
    jw_close(w, '}');
}

static void print_parameter(struct jw *w, struct str name, const char *in, bool required, const char *doc, const struct field *f)
{
    jw_open(w, '{');
    jw_m_str(w, "name", name);
    jw_m_str(w, "in", str_z(in));
    jw_m_bool(w, "required", required);
    jw_m_str(w, "description", str_z(doc));
    jw_key(w, "schema");
    if (f)
        print_schema(w, f);
    else
        jw_raw(w, STR("{\"type\":\"string\"}"));
    jw_close(w, '}');
}

static void print_path_parameters(struct jw *w, const char *path)
{
    for (const char *open = strchr(path, '{'); open; open = strchr(open + 1, '{')) {
        const char *close = strchr(open, '}');
        if (close)
            print_parameter(w, (struct str){open + 1, (size_t)(close - open - 1)}, "path", true, NULL, NULL);
    }
}

static void print_form(struct jw *w, const struct fields *t)
{
    jw_key(w, "requestBody");
    jw_open(w, '{');
    jw_key(w, "content");
    jw_open(w, '{');
    jw_key(w, "application/x-www-form-urlencoded");
    jw_open(w, '{');
    jw_key(w, "schema");
    jw_open(w, '{');
    jw_m_str(w, "type", STR("object"));
    jw_key(w, "properties");
    jw_open(w, '{');
    for (size_t i = 0; i < t->n; i++) {
        jw_key(w, t->v[i].name);
        print_schema(w, &t->v[i]);
    }
    for (int i = 0; i < 5; i++) /* properties, schema, media type, content, requestBody */
        jw_close(w, '}');
}

static void print_operation(struct jw *w, const struct endpoint *e)
{
    static const char *const security[] = {[AUTH_NONE] = "[]", [AUTH_CLIENT] = "[{\"client\":[]},{}]", [AUTH_SESSION] = "[{\"session\":[]}]",
                                           [AUTH_BEARER] = "[{\"bearer\":[]}]"};
    bool form = e->params->n && e->method == HTTP_POST;
    jw_key(w, method_names[e->method]);
    jw_open(w, '{');
    jw_m_str(w, "operationId", str_z(e->name));
    jw_m_str(w, "summary", str_z(e->doc));
    jw_m_raw(w, "security", str_z(security[e->auth]));
    if (e->permission)
        jw_m_str(w, "x-permission", str_z(e->permission));
    jw_key(w, "parameters");
    jw_open(w, '[');
    print_path_parameters(w, e->path);
    for (size_t i = 0; !form && i < e->params->n; i++)
        print_parameter(w, str_z(e->params->v[i].name), "query", e->params->v[i].flags & FIELD_REQUIRED, e->params->v[i].doc, &e->params->v[i]);
    jw_close(w, ']');
    if (form)
        print_form(w, e->params);
    jw_m_raw(w, "responses", e->rate == RATE_SIGNIN ? STR("{\"429\":{\"description\":\"too many attempts; see Retry-After\"},"
                                                          "\"default\":{\"description\":\"see docs/api.md\"}}")
                                                    : STR("{\"default\":{\"description\":\"see docs/api.md\"}}"));
    jw_close(w, '}');
}

/* Rows of one path stand together in OpenAPI: the first row of a path prints all of its methods. */
static bool path_seen(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(api_endpoints[i].path, api_endpoints[row].path) == 0)
            return true;
    return false;
}

err_t api_openapi(struct call *c, void *params)
{
    (void)params;
    struct buf b;
    struct jw w;
    buf_init(&b, c->op.arena, OPENAPI_MAX);
    jw_init(&w, &b);
    jw_open(&w, '{');
    jw_m_str(&w, "openapi", STR("3.1.0"));
    jw_m_raw(&w, "info", STR("{\"title\":\"mereau\",\"version\":\"" MEREAU_VERSION "\"}"));
    jw_key(&w, "servers");
    jw_open(&w, '[');
    jw_open(&w, '{');
    jw_m_str(&w, "url", c->op.tenant->issuer);
    jw_close(&w, '}');
    jw_close(&w, ']');
    jw_m_raw(&w, "components",
             STR("{\"securitySchemes\":{\"client\":{\"type\":\"http\",\"scheme\":\"basic\"},\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                 "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"mereau\"}}}"));
    jw_key(&w, "paths");
    jw_open(&w, '{');
    for (size_t i = 0; i < api_endpoints_n; i++) {
        if (path_seen(i))
            continue;
        jw_key(&w, api_endpoints[i].path);
        jw_open(&w, '{');
        for (size_t j = i; j < api_endpoints_n; j++)
            if (strcmp(api_endpoints[i].path, api_endpoints[j].path) == 0)
                print_operation(&w, &api_endpoints[j]);
        jw_close(&w, '}');
    }
    jw_close(&w, '}');
    jw_close(&w, '}');
    return buf_ok(&b) ? answer_json(c, 200, buf_view(&b)) : op_fail(&c->op, ERR_MEMORY, "", "the description does not fit");
}
