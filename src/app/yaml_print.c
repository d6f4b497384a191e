/* A JSON value as block-style YAML that yaml_parse reads back as the same: text that a reader could take for
 * something else is quoted. */
#include "app/yaml.h"
#include <stdio.h>
#include <yaml.h>

static int print_sink(void *ctx, unsigned char *p, size_t n)
{
    buf_add(ctx, p, n);
    return buf_ok(ctx);
}

static bool print_scalar(yaml_emitter_t *e, const char *text, bool quoted)
{
    yaml_event_t ev;
    yaml_scalar_style_t style = quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
    return yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text),
                                        !quoted, quoted, style) &&
           yaml_emitter_emit(e, &ev);
}

/* Text that a reader could take for something else is quoted. */
static bool print_text(yaml_emitter_t *e, const char *s)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    bool real, quote = !*s || yaml_is_number(s, &real) || strspn(s, "0123456789.+-_:xXoOeE") == strlen(s);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        quote |= !strcasecmp(s, words[i]);
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- /";
    quote |= strspn(s, safe) != strlen(s) ||
             !((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9')) ||
             (*s && s[strlen(s) - 1] == ' ');
    return print_scalar(e, s, quote);
}

static bool print_node(yaml_emitter_t *e, const json_t *v)
{
    yaml_event_t ev;
    char num[40];
    size_t i;
    const char *key;
    json_t *item;
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        if (!yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) ||
            !yaml_emitter_emit(e, &ev))
            return false;
        json_object_foreach((json_t *)v, key,
                            item) if (!print_text(e, key) || !print_node(e, item)) return false;
        return yaml_mapping_end_event_initialize(&ev) && yaml_emitter_emit(e, &ev);
    case JSON_ARRAY:
        if (!yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
                                                  json_is_object(json_array_get(v, 0))
                                                      ? YAML_BLOCK_SEQUENCE_STYLE
                                                      : YAML_FLOW_SEQUENCE_STYLE) ||
            !yaml_emitter_emit(e, &ev))
            return false;
        json_array_foreach(v, i, item) if (!print_node(e, item)) return false;
        return yaml_sequence_end_event_initialize(&ev) && yaml_emitter_emit(e, &ev);
    case JSON_STRING:
        return print_text(e, json_string_value(v));
    case JSON_INTEGER:
        snprintf(num, sizeof num, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        return print_scalar(e, num, false);
    case JSON_REAL:
        snprintf(num, sizeof num, "%.17g", json_real_value(v));
        if (!strpbrk(num, ".e")) /* or it would be read as an integer */
            strcat(num, ".0");
        return print_scalar(e, num, false);
    default:
        return print_scalar(e, json_is_true(v) ? "true" : json_is_false(v) ? "false" : "null", false);
    }
}

err_t yaml_print(const json_t *v, const char *comment, struct buf *out)
{
    for (const char *p = comment; *p;) {
        size_t n = strcspn(p, "\n");
        buf_fmt(out, "# %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    yaml_emitter_t e;
    yaml_event_t ev;
    if (!yaml_emitter_initialize(&e))
        return ERR_MEMORY;
    yaml_emitter_set_output(&e, print_sink, out);
    yaml_emitter_set_unicode(&e, 1);
    yaml_emitter_set_width(&e, -1);
    bool ok = yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING) && yaml_emitter_emit(&e, &ev) &&
              yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1) && yaml_emitter_emit(&e, &ev) &&
              print_node(&e, v) && yaml_document_end_event_initialize(&ev, 1) && yaml_emitter_emit(&e, &ev) &&
              yaml_stream_end_event_initialize(&ev) && yaml_emitter_emit(&e, &ev);
    yaml_emitter_delete(&e);
    return ok && buf_ok(out) ? ERR_OK : ERR_MEMORY;
}
