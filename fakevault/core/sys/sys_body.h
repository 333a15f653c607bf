/*
 * sys_body: bodies of the hard-wired sys endpoints, which Vault decodes into Go structs: names in
 * any case, no weak typing, Go's own complaints (vault-api.md 1.7).
 */
#pragma once

#include "fakevault/core/call.h"

enum sys_body_type {
    SYS_BODY_INT,
    SYS_BODY_BOOL,
    SYS_BODY_STRING,
    SYS_BODY_STRINGS,
};

struct sys_body_field {
    const char *name;
    enum sys_body_type type;
};

/* Reads the body; answers when it is no JSON object or a field has a wrong type. go_struct is the
 * name of Go's struct in the complaint. */
void sys_body_read(struct vault_job *job, const char *go_struct,
                   const struct sys_body_field *fields, size_t count);

/* The field's value; NULL, 0, false or the empty slice when it is not there. */
json_t *sys_body_get(const struct vault_job *job, const char *name);
int64_t sys_body_int(const struct vault_job *job, const char *name);
bool sys_body_flag(const struct vault_job *job, const char *name);
struct slice sys_body_text(const struct vault_job *job, const char *name);
