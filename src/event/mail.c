/* The mail sink. */
#include "event/event.h"
#include "base/json.h"

err_t mail_deliver(void *ctx, const struct delivery *d, struct arena *a, struct fault *f)
{
    const struct mail_sink *m = ctx;
    json_t *doc = NULL;
    if (json_load(d->payload, &doc) != ERR_OK)
        return fault_set(f, ERR_JSON, "", "the payload is not JSON");
    const struct net_mail mail = {
        .smtp_url = m->smtp_url,
        .username = m->username,
        .password = m->password,
        .from = str_z(m->from),
        .to = json_str(json_object_get(doc, "to")),
        .subject = json_str(json_object_get(doc, "subject")),
        .text = json_str(json_object_get(doc, "text")),
    };
    err_t e = mail.to.p && mail.subject.p && mail.text.p
                  ? net_send_mail(m->net, &mail, a, f)
                  : fault_set(f, ERR_JSON, "", "to, subject and text are needed");
    json_decref(doc);
    return e;
}
