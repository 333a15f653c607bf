/*
 * limits: every maximum of the project in one place. Sizes are bytes, counts
 * are items, times are milliseconds.
 */
#pragma once

/* clang-format off */
#define LIMIT_FILE_BYTES         (16u << 20)  /* a file read whole: scenario, bundle, key file */
#define LIMIT_JSON_DEPTH         64u          /* nesting of any JSON we read */
#define LIMIT_LINE_BYTES         (1u << 20)   /* one line of a journal, audit trail or log */
#define LIMIT_PATH_BYTES         4096u        /* a file path with its NUL */
#define LIMIT_REQUEST_BODY_BYTES (32u << 20)  /* Vault's max_request_size (vault-api.md 1.7) */
#define LIMIT_REPLY_BODY_BYTES   (512u << 20) /* fakevault's; a batch's is ten times its request */
#define LIMIT_SECRET_ARENA_BYTES (4u << 20)   /* locked memory of one process */

/* the services' HTTP API */
#define LIMIT_API_BODY_BYTES     (1u << 20)   /* of a request that is accepted */
#define LIMIT_API_DRAIN_BYTES    (8u << 20)   /* read and dropped, so that a refusal arrives */
#define LIMIT_API_CONNECTIONS    512u         /* open at a time */
#define LIMIT_API_IDLE_S         30u          /* a connection without traffic */
#define LIMIT_API_WAITERS        256u         /* requests that wait for a run (Prefer: wait) */
#define LIMIT_API_WAIT_S         60u          /* longest such wait */
#define LIMIT_RUN_QUEUE          64u          /* runs that wait for a thread; the default */
#define LIMIT_RUN_THREADS        32u          /* signing threads of one service */

/* the signer */
#define LIMIT_ADDRESS_BYTES      512u         /* VAULT_ADDR */
#define LIMIT_TOKEN_BYTES        8192u        /* VAULT_TOKEN, or what its file holds */
#define LIMIT_NAMESPACE_BYTES    1024u        /* VAULT_NAMESPACE */
#define LIMIT_TEST_NAME_BYTES    256u         /* FAKEVAULT_TEST */
#define LIMIT_BUNDLE_ARTEFACTS   1000u        /* of one bundle */
#define LIMIT_ARTEFACT_BYTES     (2ull << 30) /* one file of a bundle */
#define LIMIT_ARTEFACTS_MS       60000        /* reading all files of a bundle */
#define LIMIT_BUNDLE_TEXT_BYTES  512u         /* any one string of a bundle */
#define LIMIT_MANIFEST_BYTES     (4u << 20)   /* canonical; its base64 fits into Vault's limit */
#define LIMIT_VAULT_REPLY_BYTES  (1u << 20)   /* a sign reply has under 1 KiB */
#define LIMIT_ATTEMPTS           10           /* of one operation */
#define LIMIT_IDLE_CONNECTIONS   32u          /* to Vault, kept for the next request */
#define LIMIT_MESSAGE_BYTES      400          /* why a run failed, with its NUL */
#define LIMIT_AUDIT_LINE_BYTES   (64u << 10)  /* an entry with its newline */
#define LIMIT_AUDIT_LOCK_MS      5000         /* waiting for other writers of the trail */
#define LIMIT_TRUST_KEYS         256u         /* pinned, retired and fallback keys together */
#define LIMIT_TRUST_FILE_BYTES   (256u << 10)
/* clang-format on */
