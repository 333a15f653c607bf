/*
 * subject_template: texts with ${…}, which a subject is described in.
 *
 *     "127.0.0.1:${PORT}"        "${DIR}/manifests/${call}.json"
 *
 * Values are put in as they are: whoever writes a template of JSON uses values
 * that need no quoting (an id, a hash, a number). An unknown name, and a value
 * that the caller did not give, is an error.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "chaos/core/scenario/pool.h"

enum subject_template_value {
    SUBJECT_TEMPLATE_RUN,             /* ${RUN}: the folder of the run */
    SUBJECT_TEMPLATE_NAME,            /* ${NAME}: of the door */
    SUBJECT_TEMPLATE_DIR,             /* ${DIR}: the door's own folder */
    SUBJECT_TEMPLATE_PORT,            /* ${PORT}: of a service */
    SUBJECT_TEMPLATE_VAULT_ADDR,      /* ${VAULT_ADDR} */
    SUBJECT_TEMPLATE_VAULT_CACERT,    /* ${VAULT_CACERT}: empty without TLS */
    SUBJECT_TEMPLATE_TOKEN_FILE,      /* ${VAULT_TOKEN_FILE} */
    SUBJECT_TEMPLATE_KEY,             /* ${KEY}: Vault's signing key */
    SUBJECT_TEMPLATE_FALLBACK_FILE,   /* ${FALLBACK_FILE}: the local key */
    SUBJECT_TEMPLATE_CALL,            /* ${call}: the id of what is to be signed */
    SUBJECT_TEMPLATE_ARTEFACTS,       /* ${artefacts}: of a bundle (subject_bundle.h) */
    SUBJECT_TEMPLATE_METADATA,        /* ${metadata}: JSON */
    SUBJECT_TEMPLATE_N,               /* ${n}: which artefact, from 1 */
    SUBJECT_TEMPLATE_REVISION,        /* ${revision}: of its content */
    SUBJECT_TEMPLATE_ARTEFACT_SHA256, /* ${artefact_sha256}: hex, of its file */
    SUBJECT_TEMPLATE_WRONG_CHECKSUM,  /* ${wrong_checksum}: what makes it wrong, or nothing */
    SUBJECT_TEMPLATE_SECONDS,         /* ${seconds}: how long to wait */
    SUBJECT_TEMPLATE_VALUES,
};

/* NULL: not given. */
struct subject_template_values {
    const char *of[SUBJECT_TEMPLATE_VALUES];
};

/* Appends the text with its values. ERRC_SCHEMA, ERRC_TOO_BIG, ERRC_NOMEM. */
MUST_USE enum errc subject_template_expand(const char *text,
                                           const struct subject_template_values *values,
                                           struct buf *out, struct errc_why *why);

/* Makes an argv from the program and its arguments (NULL-terminated templates); it lives in pool
 * and is NULL-terminated. The same errors. */
MUST_USE enum errc subject_template_argv(const char *program, const char *const *arguments,
                                         const struct subject_template_values *values,
                                         struct pool *pool, const char *const **out,
                                         struct errc_why *why);
