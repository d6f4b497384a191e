/* mereau.yaml(5), printed from config.def and the kinds' field tables (`mereau man 5`); a test holds docs/man
 * against it. */
#include "app/commands.h"

static void row(struct buf *b, const char *name, const char *type, const struct field *f)
{
    buf_z(b, ".TP\n.B ");
    cli_roff(b, name);
    if (*type)
        buf_fmt(b, " \\fR(%s)", type);
    buf_char(b, '\n');
    cli_roff(b, f->doc);
    if (f->initial && *f->initial) {
        buf_z(b, "; default ");
        cli_roff(b, f->initial);
    }
    buf_z(b, ".\n");
}

static const char *type_name(const struct field *f)
{
    static const char *const names[] = {
        [F_STR] = "text",       [F_BOOL] = "true or false", [F_INT] = "number", [F_SECONDS] = "duration",
        [F_STRS] = "list",      [F_WORDS] = "words",        [F_ENUM] = "",      [F_SECRET] = "secret",
        [F_JSON] = "any value",
    };
    return f->type == F_ENUM ? f->choices : names[f->type];
}

static void settings(struct buf *b)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        row(b, config_fields.v[i].name, type_name(&config_fields.v[i]), &config_fields.v[i]);
}

static void kinds(struct buf *b)
{
    for (size_t i = 0; i < app_kinds.n; i++) {
        const struct object_kind *k = app_kinds.v[i];
        buf_z(b, ".SS ");
        for (const char *p = k->plural; *p; p++)
            buf_char(b, *p == '-' ? '_' : *p);
        buf_fmt(b, "\nEach is %s. The field ", k->doc);
        cli_roff(b, k->name_field);
        buf_z(b, " is its name.\n");
        for (size_t f = 0; f < k->fields.n; f++)
            if (!(k->fields.v[f].flags & FIELD_READ_ONLY))
                row(b, k->fields.v[f].name, type_name(&k->fields.v[f]), &k->fields.v[f]);
    }
}

void app_man_yaml(struct buf *out)
{
    buf_z(out,
          ".TH MEREAU.YAML 5 \"\" \"mereau " MEREAU_VERSION "\"\n"
          ".SH NAME\nmereau.yaml \\- configuration of mereau\n"
          ".SH DESCRIPTION\n"
          "One YAML file, or several (\\fB\\-\\-config\\fR repeated, or a folder of *.yaml), with two keys:\n"
          ".B server\nholds the settings of the process,\n.B tenants\n"
          "the objects that are to exist: each tenant's own fields and its roles, clients, resources, "
          "webhooks, claims, providers, users and service_accounts.\n"
          "A collection is a list of objects, or a mapping from names to their fields.\n"
          ".PP\n"
          "Unknown keys, keys given twice and wrong types are errors that name file, line and what was "
          "expected. A duration is a number of\n"
          "seconds or text such as 90s, 15m, 12h, 30d. A secret is {env: NAME}, {file: PATH}, or, in a file "
          "that nobody else can read, the text\n"
          "itself. Relative paths start at the working directory of the process.\n"
          ".PP\n"
          "A setting can also be given in the environment, as \\fBMEREAU_SERVER__\\fR and its name in "
          "capitals with dots as two underscores\n"
          "(\\fBMEREAU_SERVER__TLS__KEY\\fR), or, with \\fB_FILE\\fR behind it, in a file; and as a flag of "
          "\\fBmereau serve\\fR\n"
          "(\\fB\\-\\-tls\\-key\\fR). A flag is stronger than the environment, that than the file, that than "
          "the default.\n"
          ".PP\n"
          "\\fBmereau serve\\fR creates and updates what the file names and removes nothing; \\fBmereau "
          "config apply \\-\\-prune\\fR removes what\n"
          "left it. An object of the file is changed by the file alone. SIGHUP reads everything again; a "
          "faulty file changes nothing.\n"
          ".SH SERVER\n");
    settings(out);
    buf_z(out, ".SH TENANTS\n");
    kinds(out);
    buf_z(
        out,
        ".SH EXAMPLE\n.nf\n"
        "server: {issuer: \"https://id.example\", listen: \"127.0.0.1:8080\", trusted_proxies: "
        "[\"127.0.0.1\"], data: /var/lib/mereau}\n"
        "tenants:\n"
        "  default:\n"
        "    roles: {support: {permissions: [orders.read]}}\n"
        "    users:\n"
        "      \\- {username: ann, email: ann@example.com, password: {env: ANN_PASSWORD}, roles: [support]}\n"
        "    clients:\n"
        "      \\- client_id: web\n"
        "        client_secret: {file: /run/secrets/web}\n"
        "        redirect_uris: [\"https://app.example/callback\"]\n"
        "        grant_types: [authorization_code, refresh_token]\n"
        "        scope: \"orders.read offline_access\"\n"
        ".fi\n"
        ".SH SEE ALSO\n.BR mereau (8)\n");
}
