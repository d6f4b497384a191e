/* Text from a command line or the environment, made the JSON that a field's type expects: so that flags,
 * environment, FIELD=VALUE arguments and the file go through one parser (base/fields.h). */
#include "cli/cli.h"

/* Commas separate; spaces, too, where members are words. */
static err_t list_value(const struct field *f, struct str text, json_t **ret)
{
    json_t *list = json_array();
    struct str word, rest = text;
    char space = f->flags & FIELD_MULTI ? ',' : ' ';
    while (str_word(&rest, ',', &word)) {
        struct str item, more = word;
        while (str_word(&more, space, &item))
            if (json_array_append_new(list, json_stringn(item.p, item.n)))
                return json_decref(list), ERR_MEMORY;
    }
    *ret = list;
    return ERR_OK;
}

err_t cli_value(const struct field *f, struct str text, json_t **ret, struct fault *fault)
{
    int64_t n;
    json_t *v = NULL;
    if (!str_is_utf8(text))
        return fault_set(fault, ERR_PARAM_BAD, f->name, "expected UTF-8 text");
    switch (f->type) {
    case F_BOOL:
        if (!str_is(text, "true") && !str_is(text, "false"))
            return fault_set(fault, ERR_PARAM_BAD, f->name, "expected true or false");
        v = json_boolean(str_is(text, "true"));
        break;
    case F_INT:
        if (!str_to_int(text, &n))
            return fault_set(fault, ERR_PARAM_BAD, f->name, "expected a whole number");
        v = json_integer(n);
        break;
    case F_SECONDS:
        v = str_to_int(text, &n) ? json_integer(n) : json_stringn(text.p, text.n);
        break;
    case F_STRS:
        TRY(list_value(f, text, &v));
        break;
    case F_JSON:
        if ((f->flags & FIELD_TEXT ? json_or_text(text, &v) : json_load(text, &v)) != ERR_OK)
            return fault_set(fault, ERR_PARAM_BAD, f->name, "expected JSON");
        break;
    default:
        v = json_stringn(text.p ? text.p : "", text.n);
    }
    if (!v)
        return ERR_MEMORY;
    *ret = v;
    return ERR_OK;
}

static struct str next_line(struct str *input)
{
    size_t n = str_find(*input, '\n');
    struct str line = {input->p, n};
    size_t used = n < input->n ? n + 1 : n;
    *input = (struct str){input->p + used, input->n - used};
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static err_t put_value(json_t *doc, const struct field *f, struct str text, struct fault *fault)
{
    json_t *v = NULL, *old = json_object_get(doc, f->name);
    TRY(cli_value(f, text, &v, fault));
    if (old && f->type != F_STRS) {
        json_decref(v);
        return fault_set(fault, ERR_PARAM_TWICE, f->name, "given twice");
    }
    int bad = old ? json_array_extend(old, v) : json_object_set(doc, f->name, v);
    json_decref(v);
    return bad ? ERR_MEMORY : ERR_OK;
}

/* The hash of a password may stand on the command line: it is no more secret than the file it is imported
 * from. */
static bool is_secret(const struct field *f)
{
    size_t n = strlen(f->name);
    return f->type == F_SECRET && !(n > 5 && !strcmp(f->name + n - 5, "_hash"));
}

static err_t one_value(const struct fields *t, const char *arg, struct str *input, json_t *doc,
                       struct fault *fault)
{
    struct str a = str_z(arg), name = {a.p, str_find(a, '=')};
    if (name.n == a.n)
        return fault_set(fault, ERR_PARAM_BAD, arg, "expected FIELD=VALUE");
    struct str text = {a.p + name.n + 1, a.n - name.n - 1};
    const struct field *f = fields_find(t, name);
    if (!f) {
        char word[64];
        snprintf(word, sizeof word, "%.*s", STR_ARG(name));
        return fault_set(fault, ERR_PARAM_BAD, word, "there is no such field; --help lists them");
    }
    if (!is_secret(f))
        return put_value(doc, f, text, fault);
    if (!str_is(text, "-"))
        return fault_set(fault, ERR_PARAM_BAD, f->name,
                         "a secret is not given on the command line, where others can see it: write %s=- and "
                         "give it on standard input",
                         f->name);
    struct str line = next_line(input);
    if (!line.n)
        return fault_set(fault, ERR_PARAM_BAD, f->name, "nothing came on standard input");
    return put_value(doc, f, line, fault);
}

err_t cli_values(const struct fields *t, int argc, char **argv, struct str *input, json_t **ret,
                 struct fault *fault)
{
    json_t *doc = json_object();
    for (int i = 0; i < argc; i++) {
        err_t e = one_value(t, argv[i], input, doc, fault);
        if (e != ERR_OK) {
            json_decref(doc);
            return e;
        }
    }
    *ret = doc;
    return doc ? ERR_OK : ERR_MEMORY;
}

void cli_flag_name(const char *setting, char *ret, size_t n)
{
    size_t i = 0;
    for (; setting[i] && i + 1 < n; i++)
        ret[i] = setting[i] == '.' || setting[i] == '_' ? '-' : setting[i];
    ret[i] = '\0';
}
