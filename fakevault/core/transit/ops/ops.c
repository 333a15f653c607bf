#include "fakevault/core/transit/ops/ops.h"

#include "fakevault/core/api.h"

/* One item or a batch: what they share. They are answered in their work, since they change nothing
 * and need nothing of the vault any more. */
#define LIST .operation = ROUTE_UPDATE, .work = ops_list_run
#define SIGN LIST, .fields = ops_sign_fields, .prepare = ops_sign_prepare
#define VERIFY LIST, .fields = ops_verify_fields, .prepare = ops_verify_prepare
#define HMAC LIST, .fields = ops_hmac_fields, .prepare = ops_hmac_prepare

static const struct route_endpoint rows[] = {
    {.pattern = "sign/:name!urlalgorithm", SIGN},
    {.pattern = "sign/:name/+urlalgorithm", SIGN},
    {.pattern = "verify/:name!urlalgorithm", VERIFY},
    {.pattern = "verify/:name/+urlalgorithm", VERIFY},
    {.pattern = "hmac/:name!urlalgorithm", HMAC},
    {.pattern = "hmac/:name/+urlalgorithm", HMAC},
    {.pattern = "encrypt/:name",
     .operation = ROUTE_UPDATE,
     .fields = ops_encrypt_fields,
     .exists = ops_encrypt_exists,
     .prepare = ops_encrypt_prepare,
     .work = ops_encrypt_work,
     .finish = ops_encrypt_finish},
    {.pattern = "decrypt/:name",
     LIST,
     .fields = ops_decrypt_fields,
     .prepare = ops_decrypt_prepare},
    {.pattern = "rewrap/:name", LIST, .fields = ops_rewrap_fields, .prepare = ops_rewrap_prepare},
    {.pattern = "datakey/:plaintext/:name",
     LIST,
     .fields = ops_datakey_fields,
     .prepare = ops_datakey_prepare},
};

const struct route_table ops_table = ROUTE_TABLE(rows);
