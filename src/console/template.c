/* The template renderer: one pass over the text, a small stack of contexts, names looked up from the innermost out. */
#include "console/template.h"

#define TEMPLATE_DEPTH 12

struct context {
    const json_t *stack[TEMPLATE_DEPTH];
    size_t depth;
    size_t partials;
    struct buf *out;
};

const struct asset *console_asset(struct str name)
{
    for (const struct asset *a = console_assets; a->name; a++)
        if (str_is(name, a->name))
            return a;
    return NULL;
}

static const json_t *look_up(const struct context *c, struct str name)
{
    if (str_is(name, "."))
        return c->stack[c->depth - 1];
    for (size_t i = c->depth; i-- > 0;) {
        const json_t *v = json_is_object(c->stack[i]) ? json_object_getn(c->stack[i], name.p, name.n) : NULL;
        if (v)
            return v;
    }
    return NULL;
}

static bool truthy(const json_t *v)
{
    if (!v || json_is_null(v) || json_is_false(v))
        return false;
    if (json_is_array(v))
        return json_array_size(v) > 0;
    if (json_is_string(v))
        return json_string_length(v) > 0;
    return true;
}

static void put_value(struct context *c, const json_t *v, bool raw)
{
    if (json_is_string(v)) {
        struct str s = {json_string_value(v), json_string_length(v)};
        if (raw)
            buf_str(c->out, s);
        else
            buf_html(c->out, s);
    } else if (json_is_integer(v)) {
        buf_int(c->out, json_integer_value(v));
    }
}

/* Cuts the next tag off *rest: text before it, its sigil (0, '{', '#', '^', '/', '>') and its name. */
static bool next_tag(struct str *rest, struct str *ret_text, char *ret_sigil, struct str *ret_name)
{
    const char *open = rest->n ? memmem(rest->p, rest->n, "{{", 2) : NULL;
    const char *end = rest->p + rest->n;
    const char *close = open ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
    if (!close) {
        *ret_text = *rest;
        rest->n = 0;
        return false;
    }
    *ret_text = (struct str){rest->p, (size_t)(open - rest->p)};
    const char *p = open + 2;
    *ret_sigil = strchr("{#^/>", *p) ? *p++ : 0;
    *ret_name = (struct str){p, (size_t)(close - p)};
    close += *ret_sigil == '{' ? 3 : 2;
    rest->n = (size_t)(end - close);
    rest->p = close;
    return true;
}

/* The text inside a section whose opening tag has just been read; *rest moves behind its closing tag. */
static struct str section_body(struct str *rest)
{
    struct str body = *rest, text, name;
    size_t nested = 1;
    char sigil;
    while (next_tag(rest, &text, &sigil, &name)) {
        if (sigil == '#' || sigil == '^')
            nested++;
        else if (sigil == '/' && --nested == 0) {
            body.n = (size_t)(text.p + text.n - body.p);
            return body;
        }
    }
    return (struct str){body.p, 0};
}

static void render(struct context *c, struct str text);

static void render_section(struct context *c, const json_t *v, bool inverted, struct str body)
{
    if (inverted) {
        if (!truthy(v))
            render(c, body);
        return;
    }
    if (!truthy(v) || c->depth == TEMPLATE_DEPTH)
        return;
    size_t n = json_is_array(v) ? json_array_size(v) : 1;
    for (size_t i = 0; i < n; i++) {
        c->stack[c->depth++] = json_is_array(v) ? json_array_get(v, i) : v;
        render(c, body);
        c->depth--;
    }
}

static void render_partial(struct context *c, struct str name)
{
    const struct asset *a = console_asset(name);
    if (!a || c->partials == TEMPLATE_DEPTH)
        return;
    c->partials++;
    render(c, (struct str){(const char *)a->p, a->n});
    c->partials--;
}

static void render(struct context *c, struct str rest)
{
    struct str text, name;
    char sigil;
    while (next_tag(&rest, &text, &sigil, &name)) {
        buf_str(c->out, text);
        if (sigil == '#' || sigil == '^')
            render_section(c, look_up(c, name), sigil == '^', section_body(&rest));
        else if (sigil == '>')
            render_partial(c, name);
        else if (sigil != '/')
            put_value(c, look_up(c, name), sigil == '{');
    }
    buf_str(c->out, text);
}

void template_render(const char *name, const json_t *data, struct buf *out)
{
    struct context c = {.out = out, .depth = 1, .stack = {data}};
    render_partial(&c, str_z(name));
}
