/*
 * Planted violations: the entries of the trail and what callers were told.
 */
#include "tests/chaos/planted/planted.h"

#include <stdio.h>

static void late_intent(struct fake_world *f)
{
    f->late_intent = true;
}

static void seen_late(struct fake_world *f)
{
    f->growth[0] = (struct world_growth){.journal = 1u << 20, .trail = 0};
    f->growth_count = 1;
}

static void exit_0(struct fake_world *f)
{
    f->exit_0 = true;
}

static void says_internal(struct fake_world *f)
{
    f->says_internal = true;
}

static void rewrites(struct fake_world *f)
{
    f->rewrites = true;
}

static void uninvited(struct fake_world *f)
{
    f->uninvited = true;
}

static void other_operator(struct fake_world *f)
{
    f->other_operator = true;
}

static void no_manifests(struct fake_world *f)
{
    f->no_manifests = true;
}

static void tells_two(struct world_call *told)
{
    told->attempts = told->attempts == 3 ? 2 : told->attempts;
}

static void tells_timeout(struct world_call *told)
{
    if (told->reason[0] != '\0')
        (void)snprintf(told->reason, sizeof told->reason, "timeout");
}

static void tells_failed(struct world_call *told)
{
    if (told->error[0] != '\0')
        (void)snprintf(told->status, sizeof told->status, "failed");
}

static void fewer_told(struct fake_world *f)
{
    f->tells = tells_two;
}

static void other_reason_told(struct fake_world *f)
{
    f->tells = tells_timeout;
}

static void other_status_told(struct fake_world *f)
{
    f->tells = tells_failed;
}

const struct planted planted_trail[] = {
    {"two entries with one id", "fields",
     "expected an id of its own, e3 is also that of audit.ndjson:3 (audit.ndjson:4)", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"id\":\"e4\"", "\"id\":\"e3\""), true},
    {"a signature without its hash", "fields",
     "expected a field signature_sha256 in the entry (audit.ndjson:2), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "\"signature_sha256\"", "\"x\""), true},
    {"a signature without the hash of what was signed", "fields",
     "expected a field input_sha256 in the entry (audit.ndjson:2), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "\"input_sha256\"", "\"x\""), true},
    {"a signature without its key", "fields",
     "expected a field keyFingerprint in the entry (audit.ndjson:4), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"keyFingerprint\"", "\"x\""), true},
    {"an intent without its hash", "fields",
     "expected a field manifestHash in the entry (audit.ndjson:3), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 3, "\"manifestHash\"", "\"x\""), true},
    {"a failure without its class", "fields",
     "expected a field class in the entry (audit.ndjson:4), there is none", planted_sealed_off,
     NULL, SWAP(FAKE_AUDIT, 4, ",\"class\":\"sealed\",\"reason\"", ",\"reason\""), false},
    {"a bundle that nobody asked for",
     "asked",
     "expected only bundles that somebody asked for, nobody did for "
     "00000000-0000-4000-8000-000000000001 (audit.ndjson:1)",
     NULL,
     uninvited,
     {0},
     true},
    {"another operator than was asked for",
     "asked",
     "expected operatorId of bundle 00000000-0000-4000-8000-000000000001 as it was asked for, its "
     "signed manifest has something else (audit.ndjson:2)",
     NULL,
     other_operator,
     {0},
     true},
    {"another manifestHash than that of what was asked for", "asked", "found sha256:00", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"manifestHash\":\"sha256:", "\"manifestHash\":\"sha256:00"), true},
    {"result missing in the trail", "told",
     "which the caller was told is signed, audit.ndjson has none", NULL, NULL, DROP(FAKE_AUDIT, 4),
     false},
    {"failure missing in the trail", "told",
     "expected an entry MANIFEST_SIGNING_FAILED for bundle 00000000-0000-4000-8000-000000000002, "
     "whose caller was told blocked, audit.ndjson has none",
     planted_sealed_off, NULL, DROP(FAKE_AUDIT, 4), false},
    {"intent missing in the trail", "intent",
     "expected an entry MANIFEST_SIGNING_STARTED of bundle 00000000-0000-4000-8000-000000000002 "
     "before its result, there is none (audit.ndjson:3)",
     NULL, NULL, DROP(FAKE_AUDIT, 3), false},
    {"two intents for one bundle", "intent",
     "expected a result for the intent of bundle 00000000-0000-4000-8000-000000000001 "
     "(audit.ndjson:1), found a second intent (audit.ndjson:2)",
     NULL, NULL, SWAP(FAKE_AUDIT, 2, "MANIFEST_SIGNED", "MANIFEST_SIGNING_STARTED"), false},
    {"two signatures for one bundle", "intent",
     "expected nothing more for bundle 00000000-0000-4000-8000-000000000001 behind its signature "
     "(audit.ndjson:2), found another entry (audit.ndjson:6)",
     NULL, NULL, SWAP(FAKE_AUDIT, 6, "000000000003", "000000000001"), false},
    {"a broken chain",
     "chain",
     ": the chain is broken (audit.ndjson:3)",
     NULL,
     NULL,
     {.file = FAKE_AUDIT,
      .line = 2,
      .from = "\"id\":\"e2\"",
      .to = "\"id\":\"e9\"",
      .behind = true},
     true},
    {"an entry taken out of the middle",
     "chain",
     ": the chain is broken (audit.ndjson:4)",
     NULL,
     NULL,
     {.file = FAKE_AUDIT, .line = 4, .from = NULL, .to = NULL, .behind = true},
     false},
    {"a torn line that nobody repaired", "chain",
     "expected AUDIT_TAIL_REPAIRED behind the torn line (audit.ndjson:3), found something else",
     NULL, NULL, SWAP(FAKE_AUDIT, 3, "{\"action\"", "{\"acti"), false},
    {"a manifest that is gone",
     "told",
     "expected the manifest of bundle 00000000-0000-4000-8000-000000000001, which the caller was "
     "told "
     "is signed, there is none",
     NULL,
     no_manifests,
     {0},
     true},
    {"a manifest that is half", "told",
     "expected a whole manifest of bundle 00000000-0000-4000-8000-000000000001, it is broken: line "
     "1",
     NULL, NULL, SWAP(FAKE_MANIFEST, 1, "\"signature\"", "\"signa"), true},
    {"an actor that is somebody else", "values",
     "expected actor automation:api of what api was asked, found automation:worker "
     "(audit.ndjson:2)",
     NULL, NULL, SWAP(FAKE_AUDIT, 2, "\"id\":\"api\"", "\"id\":\"worker\""), true},
    {"an actor of another kind", "values",
     "expected actor automation:api of what api was asked, found cli-user:api (audit.ndjson:1)",
     NULL, NULL, SWAP(FAKE_AUDIT, 1, "automation", "cli-user"), true},
    {"another version of the key than signed", "values",
     "expected a signingKeyId that ends in :v1 of signature \"vault:v1:", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "docugen-manifest:v1", "docugen-manifest:v7"), true},
    {"a manifest id that is another one in the trail", "values",
     "expected manifestId as the manifest's id 11111111-0000-4000-8000-000000000001, found "
     "22222222-0000-4000-8000-000000000001 (audit.ndjson:2)",
     NULL, NULL, SWAP(FAKE_AUDIT, 2, "\"11111111-", "\"22222222-"), true},
    {"a signature in the trail that is not the manifest's", "values",
     "expected signature_sha256 of the entry's own signature ", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "\"signature\":\"vault:v1:", "\"signature\":\"vault:v1:AAAA"), true},
    {"createdAt of another year", "values",
     "expected createdAt between the call and the signature, found 2024", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "\"createdAt\":\"2025", "\"createdAt\":\"2024"), true},
    {"createdAt that is no time", "values", "expected createdAt as RFC 3339 has it, found soon",
     NULL, NULL, SWAP(FAKE_AUDIT, 2, "\"createdAt\":\"2025", "\"createdAt\":\"soon\",\"x\":\"2025"),
     true},
    {"one manifest id for two", "fields",
     "expected a manifestId of its own, 11111111-0000-4000-8000-000000000001 is also that of "
     "audit.ndjson:2 (audit.ndjson:6)",
     NULL, NULL,
     SWAP(FAKE_AUDIT, 6, "11111111-0000-4000-8000-000000000003",
          "11111111-0000-4000-8000-000000000001"),
     false},
    {"a signature that no manifest can be built from", "fields",
     "expected a field signature in the entry (audit.ndjson:2), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, "\"signature\":", "\"x\":"), true},
    {"a fallback signature without its public key", "fields",
     "expected a field publicKey in the entry (audit.ndjson:4), there is none", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"publicKey\":", "\"x\":"), true},
    {"an intent that is written together with the result",
     "intent",
     "expected the intent of bundle 00000000-0000-4000-8000-000000000001 before Vault has its "
     "request (journal.ndjson:2), it is from ",
     NULL,
     late_intent,
     {0},
     false},
    {"an intent with an honest face that was written late",
     "intent",
     "in the trail before Vault has its request (journal.ndjson:2), it was written later "
     "(audit.ndjson:1)",
     NULL,
     seen_late,
     {0},
     true},
    {"a request that nobody announced", "intent",
     "expected an entry MANIFEST_SIGNING_STARTED for every sign request, Vault got one "
     "(journal.ndjson:4) that audit.ndjson does not know",
     NULL, NULL, SWAP(FAKE_JOURNAL, 4, "\"input_sha256\":[\"", "\"input_sha256\":[\"00"), false},
    {"a command that ends 0 although it failed",
     "told",
     "expected exit code 1 or 2 of a command that was not signing bundle ",
     planted_sealed_off,
     exit_0,
     {0},
     true},
    {"another error than the trail has",
     "told",
     "expected the caller to be told vault_unavailable, since the trail says sealed, fallback_off "
     "(audit.ndjson:4), it was told internal",
     planted_sealed_off,
     says_internal,
     {0},
     false},
    {"a trail that is written anew",
     "chain",
     "expected audit.ndjson only to grow, what had been read of it is not there any more",
     NULL,
     rewrites,
     {0},
     false},
    {"fewer attempts told than made",
     "told",
     "expected the caller to be told of 3 attempts as the trail has (audit.ndjson:4), it was told "
     "2",
     NULL,
     fewer_told,
     {0},
     false},
    {"another reason told",
     "told",
     "expected the caller to be told the reason \"sealed\" as the trail says (audit.ndjson:4), it "
     "was told \"timeout\"",
     NULL,
     other_reason_told,
     {0},
     false},
    {"another status told",
     "told",
     "expected status blocked of a bundle that ended vault_unavailable (audit.ndjson:4), the "
     "caller was told failed",
     planted_sealed_off,
     other_status_told,
     {0},
     false},
    {.name = NULL},
};
