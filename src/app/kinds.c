/* The kinds of configured objects, in the order in which a file is applied: what others refer to comes first.
 */
#include "account/account.h"
#include "app/app.h"
#include "oauth/oauth.h"

static const struct object_kind *const kinds[] = {
    &kind_tenant, &kind_role, &kind_client, &kind_resource, &kind_webhook, &kind_claim, &kind_provider, &kind_user, &kind_service_account,
};
const struct object_kinds app_kinds = {kinds, sizeof kinds / sizeof *kinds};
