/*
 * op: one signing operation as a machine without I/O.
 *
 * The shell asks op_step with an event and does what the returned action says; the result of
 * that is the next event. The order that the audit trail promises is in the table of op.c:
 *
 *   BEGIN -> audit_started -> AUDITED -> send -> REPLY -> (wait -> WOKE -> send -> REPLY)*
 *         -> [sign_fallback -> FALLBACK_SIGNED] -> audit_signed -> AUDITED -> publish -> PUBLISHED
 *         -> done
 *   refused or out of attempts: -> audit_failed -> AUDITED -> done
 *
 * No audit, no signature: AUDIT_BROKEN ends the operation wherever it comes, and a signature that
 * is not in the trail is thrown away. Every reply is classified, parsed and verified under the
 * pin here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/errc.h"
#include "base/limits.h"
#include "base/prng.h"
#include "base/text/buf.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/attempt/transport.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/config.h"
#include "signer/core/ids.h"
#include "signer/core/keys/fallback.h"
#include "signer/core/keys/keyport.h"
#include "signer/core/keys/trust.h"
#include "signer/core/trail/audit.h"

enum op_state {
    OP_IDLE,
    OP_STARTING,   /* the STARTED entry is being written */
    OP_SENDING,    /* an attempt is under way */
    OP_WAITING,    /* between attempts */
    OP_LOCAL,      /* the local key is asked */
    OP_RECORDING,  /* the SIGNED entry is being written */
    OP_PUBLISHING, /* the manifest is being written */
    OP_FAILING,    /* the FAILED entry is being written */
    OP_DONE,
    OP_STATE_COUNT
};

enum op_event_kind {
    OP_BEGIN,
    OP_AUDITED,         /* the entry is durable */
    OP_AUDIT_BROKEN,    /* it is not */
    OP_REPLY,           /* an attempt came back */
    OP_WOKE,            /* wake_ns has come */
    OP_FALLBACK_SIGNED, /* the local key signed op_fallback_input() */
    OP_FALLBACK_REFUSED,
    OP_PUBLISHED,
    OP_PUBLISH_BROKEN,
    OP_EVENT_COUNT
};

struct op_event {
    enum op_event_kind kind;
    struct instant now;
    const struct transport_reply *reply; /* OP_REPLY */
    const uint8_t *signature;            /* OP_FALLBACK_SIGNED: KEYPORT_ED25519_BYTES */
    enum fallback_verdict verdict;       /* OP_FALLBACK_REFUSED */
    const char *message;                 /* the refusals: why, for people */
};

enum op_action_kind {
    OP_DO_AUDIT,    /* write op_entry() durably; answer AUDITED or AUDIT_BROKEN */
    OP_DO_SEND,     /* make one attempt; answer REPLY */
    OP_DO_WAIT,     /* until wake_ns; answer WOKE */
    OP_DO_FALLBACK, /* check and use the local key: op_fallback_key(), then sign op_input() */
    OP_DO_PUBLISH,  /* write op_manifest(); answer PUBLISHED or PUBLISH_BROKEN */
    OP_DO_FINISH,   /* op_result() is final */
};

struct op_action {
    enum op_action_kind kind;
    int64_t wake_ns;                  /* monotonic; OP_DO_WAIT */
    struct transport_request request; /* OP_DO_SEND; valid until the next step */
};

enum op_status {
    OP_COMPLETED,
    OP_FAILED,  /* refused, or our own trouble: the same again will not help by itself */
    OP_BLOCKED, /* Vault was not available and the local key could not take over */
};

/* Error codes of a run (GET /api/v1/bundles/{id}, `error.code`). */
enum op_error {
    OP_ERROR_NONE,
    OP_ERROR_REFUSED,     /* "vault_refused": Vault or the pin said no */
    OP_ERROR_UNAVAILABLE, /* "vault_unavailable" */
    OP_ERROR_RATE,        /* "vault_rate_limited" */
    OP_ERROR_AUDIT,       /* "audit_unavailable" */
    OP_ERROR_PUBLISH,     /* "publish_failed": signed and recorded; asking again writes it */
    OP_ERROR_TRUST,       /* "key_not_trusted": no usable pin in TRUST_FILE */
    OP_ERROR_CONFLICT,    /* "bundle_conflict": signed before, with other content */
    OP_ERROR_BUSY,        /* "bundle_busy": another process is signing it */
    OP_ERROR_INTERNAL,    /* "internal" */
    OP_ERROR_COUNT
};

const char *op_status_text(enum op_status status); /* completed, failed, blocked */
const char *op_error_text(enum op_error error);

/* What an operation needs; all borrowed until op_free. */
struct op_setup {
    const struct config_retry *retry;
    const char *signing_key;
    bool allow_fallback;
    const struct trust_key *pin;
    const struct keyport *keyport;
    const struct manifest_bundle *bundle;
    const struct ids_actor *actor;
    const char *manifest_id;  /* a fresh UUID */
    const char *entry_ids[2]; /* fresh UUIDs: of the start, and of the end */
    uint64_t seed;            /* of the jitter */
};

struct op;

/* Makes the machine: formats what Vault is to sign. ERRC_TOO_BIG, ERRC_NOMEM, ERRC_SCHEMA. */
MUST_USE enum errc op_new(const struct op_setup *setup, struct instant now, struct op **out,
                          struct errc_why *why);
void op_free(struct op *op);

/* Advances the machine. An event that the state does not know is a CHECK. */
struct op_action op_step(struct op *op, const struct op_event *event);

/* The entry to write, in OP_DO_AUDIT. */
const struct audit_entry *op_entry(const struct op *op);

/* Tells the machine which local key will sign (OP_DO_FALLBACK, before op_input): it goes into
 * the signed bytes. ERRC_CRYPTO when it is Vault's own key (failures.md S6). */
MUST_USE enum errc op_use_fallback(struct op *op, const struct keyport_public *key,
                                   struct errc_why *why);

/* The bytes to sign: PAE for the key in use. */
struct slice op_input(const struct op *op);

/* The signed manifest, in OP_DO_PUBLISH. */
struct slice op_manifest(const struct op *op);

enum op_state op_state(const struct op *op);

struct op_result {
    enum op_status status;
    enum op_error error;
    enum manifest_mode mode;  /* when completed */
    enum classify_class last; /* class of the last failed attempt; CLASSIFY_OK without one */
    const char *reason;       /* of the FAILED entry: "refused", "fallback_off", ...; or NULL */
    struct audit_attempt attempts[LIMIT_ATTEMPTS];
    size_t attempt_count;
    char message[LIMIT_MESSAGE_BYTES]; /* "" when completed */
    char key_fingerprint[KEYPORT_FINGERPRINT_BYTES];
};

/* Final once OP_DO_FINISH was returned. */
const struct op_result *op_result(const struct op *op);
