/*
 * fallback: the local key's file, and when it may be trusted.
 *
 * The file is {"signingKey": "<base64 of 32 bytes>"}, an Ed25519 seed. It is never opened while
 * the switch is off. The rules about the file are ssh's (failures.md S5): a regular file, not
 * through a symbolic link, owned by the process's user, no access for group and others, one name
 * only, in a folder that only its owner can write.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/errc.h"
#include "base/secret.h"
#include "signer/core/keys/keyport.h"

/* Why a local signature was not made; the words stand in the audit trail. */
enum fallback_verdict {
    FALLBACK_USABLE,
    FALLBACK_OFF,         /* "fallback_off" */
    FALLBACK_KEY_MISSING, /* "fallback_key_missing" */
    FALLBACK_KEY_UNSAFE,  /* "fallback_key_unsafe": permissions, content, or Vault's own key */
    FALLBACK_VERDICT_COUNT
};

const char *fallback_verdict_text(enum fallback_verdict verdict);

/* What the shell saw of the opened file and of its folder. */
struct fallback_facts {
    bool regular;
    bool own;      /* owner is the effective user */
    unsigned mode; /* permission bits */
    uint64_t links;
    unsigned folder_mode;
    bool folder_own; /* owner of the folder is the effective user or root */
};

/* FALLBACK_USABLE, or FALLBACK_KEY_UNSAFE with a sentence that says how to mend it. */
enum fallback_verdict fallback_check(const struct fallback_facts *facts, const char *path,
                                     struct errc_why *why);

/* Reads the file's text into a seed of KEYPORT_SEED_BYTES. ERRC_SYNTAX, ERRC_SCHEMA; no
 * sentence quotes the content. */
MUST_USE enum errc fallback_parse(struct slice text, struct secret_arena *arena,
                                  struct secret *seed, struct errc_why *why);
