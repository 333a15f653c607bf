/*
 * Planted violations: what was asked for, with which environment, and of whom.
 */
#include "tests/chaos/planted/planted.h"

static const char conflict[] =
    "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: cli, as: first}\n"
    "method:\n  - sign: {via: cli, retry: first, content: other, expect: {exit: 2}}\n";

static const char untrusted[] =
    "version: 1\npurpose: p\nstack: {vault: {tls: true}}\nsteady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: {certificate: unknown_ca}\n  - sign: {via: api}\n"
    "rollback:\n  - vault: {certificate: good}\n";

static const char wrong_checksum[] =
    "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: cli}\n"
    "method:\n  - sign: {via: cli, checksum: wrong, expect: {exit: 2}}\n";

static const char any_switch[] =
    "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: cli}\n"
    "method:\n  - sign: {via: cli, environment: {ALLOW_FALLBACK_SIGNING: \"TRUE\"}, "
    "expect: {exit: 2}}\n";

static void odd_switch(struct fake_world *f)
{
    f->odd_switch = f->exit_0 = true;
}

static void follows_redirects(struct fake_world *f)
{
    f->decoy = "{\"method\":\"POST\",\"path\":\"/v1/transit\",\"headers\":[],\"token\":true}\n";
}

const struct planted planted_input[] = {
    {"another content that is signed",
     "input",
     "expected no signature for another content of bundle ",
     conflict,
     NULL,
     {0},
     false},
    {"a checksum that nobody compares",
     "input",
     "whose checksum does not fit its artefact, the caller was told that it is signed",
     wrong_checksum,
     NULL,
     {0},
     false},
    {"a switch in any spelling",
     "environment",
     "expected exit code 2 with ALLOW_FALLBACK_SIGNING=TRUE, which it must refuse, got 0",
     any_switch,
     odd_switch,
     {0},
     false},
    {"a redirect that is followed with the token",
     "decoy",
     "expected nobody to follow a redirect, \"POST /v1/transit\" came to its target with Vault's "
     "token (decoy.ndjson:1)",
     NULL,
     follows_redirects,
     {0},
     true},
    {"a certificate of nobody that is trusted",
     "certificate",
     "expected no request to a Vault whose certificate does not hold, it got ",
     untrusted,
     NULL,
     {0},
     true},
    {.name = NULL},
};
