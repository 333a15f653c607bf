/* sys_headers: config/ui/headers, which the UI would send, and config/auditing/request-headers,
 * which audit devices write. */
#include <ctype.h>

#include "fakevault/core/api.h"
#include "fakevault/core/state.h"
#include "fakevault/core/sys/config/sys_config.h"

#define UI "ui_headers"
#define AUDITED "audited_headers"
#define NAME_BYTES 256u

/* --- config/ui/headers ------------------------------------------------------------------------ */

static const struct field_spec ui_fields[] = {
    {.name = "values", .type = FIELD_SLICE},
    {.name = "multivalue", .type = FIELD_BOOL},
    {0},
};

/* The capture as Go spells a header, "X-My-Header"; false, with an answer, when it is too long. */
static bool header_name(struct vault_job *job, bool canonical, char out[static NAME_BYTES])
{
    struct slice name = call_capture(job, "header");
    if (name.len >= NAME_BYTES) {
        call_fail(job, 400, "the name of a header is limited to %u bytes", NAME_BYTES - 1);
        return false;
    }
    bool begin = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        out[i] = (char)(canonical && begin ? toupper(c) : tolower(c));
        begin = c == '-';
    }
    out[name.len] = '\0';
    return true;
}

static void ui_list(struct vault_job *job)
{
    sys_config_list(job, UI);
}

static void ui_read(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (!header_name(job, true, name))
        return;
    json_t *values = json_object_get(settings_get(&job->vault->settings, UI), name);
    if (values == NULL)
        call_fail_bare(job, 404);
    else if (field_flag(&job->fields, "multivalue"))
        call_answer_tree(job, CALL_DATA, json_pack("{s:O}", "values", values));
    else
        call_answer_tree(job, CALL_DATA, json_pack("{s:O}", "value", json_array_get(values, 0)));
}

static void ui_update(struct vault_job *job)
{
    char name[NAME_BYTES];
    json_t *values = field_get(&job->fields, "values")->tree;
    if (!header_name(job, true, name))
        return;
    if (json_array_size(values) == 0)
        call_fail(job, 400, "header and values must be specified");
    else if (slice_starts_with(slice_of(name), "X-Vault-"))
        call_fail(job, 400, "X-Vault headers cannot be set");
    else
        sys_config_set_member(job, UI, name, json_incref(values));
    if (job->executed)
        call_answer_none(job, 200);
}

static void ui_delete(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (header_name(job, true, name))
        sys_config_drop_member(job, UI, name);
}

/* --- config/auditing/request-headers ---------------------------------------------------------- */

static const struct field_spec audited_fields[] = {{.name = "hmac", .type = FIELD_BOOL}, {0}};

static void audited_list(struct vault_job *job)
{
    json_t *all = mount_tree_copy(settings_get(&job->vault->settings, AUDITED));
    call_answer_tree(job, CALL_INJECTED, json_pack("{s:o}", "headers", all));
}

static void audited_read(struct vault_job *job)
{
    char name[NAME_BYTES];
    struct slice asked = call_capture(job, "header");
    if (!header_name(job, false, name))
        return;
    json_t *found = json_object_get(settings_get(&job->vault->settings, AUDITED), name);
    if (found == NULL)
        call_fail(job, 400, "Could not find header in config");
    else
        call_answer_tree(job, CALL_INJECTED, json_pack("{s%:O}", asked.ptr, asked.len, found));
}

static void audited_update(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (header_name(job, false, name))
        sys_config_set_member(job, AUDITED, name,
                              json_pack("{s:b}", "hmac", (int)field_flag(&job->fields, "hmac")));
}

static void audited_delete(struct vault_job *job)
{
    char name[NAME_BYTES];
    if (header_name(job, false, name))
        sys_config_drop_member(job, AUDITED, name);
}

/* clang-format off */
static const struct route_endpoint rows[] = {
    {.pattern = "config/ui/headers/:header", .operation = ROUTE_READ,
     .fields = ui_fields, .finish = ui_read},
    {.pattern = "config/ui/headers/:header", .operation = ROUTE_UPDATE,
     .fields = ui_fields, .finish = ui_update},
    {.pattern = "config/ui/headers/:header", .operation = ROUTE_DELETE, .finish = ui_delete},
    {.pattern = "config/ui/headers/?", .operation = ROUTE_LIST, .finish = ui_list},
    {.pattern = "config/auditing/request-headers/+header", .operation = ROUTE_READ,
     .finish = audited_read},
    {.pattern = "config/auditing/request-headers/+header", .operation = ROUTE_UPDATE,
     .fields = audited_fields, .finish = audited_update},
    {.pattern = "config/auditing/request-headers/+header", .operation = ROUTE_DELETE,
     .finish = audited_delete},
    {.pattern = "config/auditing/request-headers", .operation = ROUTE_READ, .finish = audited_list},
};
/* clang-format on */

const struct route_table sys_headers_table = ROUTE_TABLE(rows);
