/*
 * Every invariant against a client, a server or a ledger that breaks it: the
 * finding names what was expected, what was found, and the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "chaos/core/judge/invariants.h"
#include "chaos/core/ledger/ledger_client.h"
#include "tests/chaos/case.h"

/* Lines of the trail: 1, 2 steady state; 3, 4 the outage; 5, 6 steady state again. Of the journal:
 * 1 start; 2, 3 steady state; 4..9 three refusals; 10, 11 steady state again. */
static const char sealed[] = "version: 1\npurpose: p\n"
                             "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
                             "steady_state:\n  - sign: {via: api}\n"
                             "method:\n  - vault: seal\n  - sign: {via: api, as: outage}\n"
                             "rollback:\n  - vault: {unseal: 3}\n";

static const char sealed_off[] =
    "version: 1\npurpose: p\n"
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"false\"}}\n"
    "steady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: seal\n"
    "  - sign: {via: api, as: outage, expect: {reason: fallback_off}}\n"
    "rollback:\n  - vault: {unseal: 3}\n";

static const char sealed_often[] =
    "version: 1\npurpose: p\n"
    "stack: {environment: {ALLOW_FALLBACK_SIGNING: \"true\"}}\n"
    "steady_state:\n  - sign: {via: api}\n"
    "method:\n  - vault: seal\n  - sign: {via: api}\n  - sign: {via: api}\n  - sign: {via: api}\n"
    "  - sign: {via: api}\nrollback:\n  - vault: {unseal: 3}\n";

struct planted {
    const char *name;
    const char *rule;     /* that must be broken */
    const char *text;     /* that its finding must contain */
    const char *scenario; /* NULL: sealed */
    void (*set)(struct fake_world *f);
    struct fake_world_edit edit;
    bool only; /* no other invariant is broken */
};

static void four_attempts(struct fake_world *f)
{
    f->attempts = 4;
}

static void two_attempts(struct fake_world *f)
{
    f->attempts = 2;
}

static void late_intent(struct fake_world *f)
{
    f->late_intent = true;
}

static void seen_late(struct fake_world *f)
{
    f->growth[0] = (struct world_growth){.journal = 1u << 20, .trail = 0};
    f->growth_count = 1;
}

static void always_first(struct fake_world *f)
{
    f->always_first = true;
}

static void repeats(struct fake_world *f)
{
    f->repeats = true;
}

static void longest_waits(struct fake_world *f)
{
    f->longest_waits = true;
}

static void exit_0(struct fake_world *f)
{
    f->exit_0 = true;
}

static void says_internal(struct fake_world *f)
{
    f->says_internal = true;
}

static void slow_attempts(struct fake_world *f)
{
    f->attempt_takes_ms = 9000;
}

static void hour_off(struct fake_world *f)
{
    f->clock_off_ms = 3600 * 1000;
}

static void rewrites(struct fake_world *f)
{
    f->rewrites = true;
}

static void no_backoff(struct fake_world *f)
{
    f->no_backoff = true;
}

static void no_patience(struct fake_world *f)
{
    f->no_patience = true;
}

static void pretends_patience(struct fake_world *f)
{
    f->wait_factor = 0;
}

static void waits_longer_than_it_says(struct fake_world *f)
{
    f->wait_factor = 10;
}

static void uninvited(struct fake_world *f)
{
    f->uninvited = true;
}

static void never_asks(struct fake_world *f)
{
    f->never_asks = true;
}

static void other_operator(struct fake_world *f)
{
    f->other_operator = true;
}

static void limits_rate(struct fake_world *f)
{
    f->refusal = 429;
}

static void redirects(struct fake_world *f)
{
    f->refusal = 307;
}

static void ignores_switch(struct fake_world *f)
{
    f->ignores_switch = true;
}

static void refuses(struct fake_world *f)
{
    f->refusal = 403;
}

static void refuses_and_lies(struct fake_world *f)
{
    f->refusal = 403;
    f->lies_about_status = true;
}

static void stuck(struct fake_world *f)
{
    f->stuck = true;
}

static void other_key(struct fake_world *f)
{
    f->other_key = true;
}

static void hidden_request(struct fake_world *f)
{
    f->hidden_requests = 1;
}

static void new_key(struct fake_world *f)
{
    f->new_key = true;
}

static void no_manifests(struct fake_world *f)
{
    f->no_manifests = true;
}

#define DROP(what, at)                                                                             \
    {                                                                                              \
        .file = what, .line = at, .from = NULL, .to = NULL                                         \
    }
#define SWAP(what, at, old, new)                                                                   \
    {                                                                                              \
        .file = what, .line = at, .from = old, .to = new                                           \
    }

static const struct planted planted[] = {
    {"4 attempts instead of 3",
     "attempts",
     "expected at most 3 attempts, the trail has 4 (audit.ndjson:4)",
     NULL,
     four_attempts,
     {0},
     true},
    {"no backoff",
     "backoff",
     "expected a wait of 125..250 ms before attempt 2, asked for were 0 (audit.ndjson:4)",
     NULL,
     no_backoff,
     {0},
     true},
    {"waits that are not taken",
     "backoff",
     "expected attempt 2 at least 200 ms behind the one before, it began 3 ms behind it "
     "(audit.ndjson:4)",
     NULL,
     no_patience,
     {0},
     false},
    {"waits that are only written down",
     "times",
     "expected attempt 2 to begin before Vault had its request (journal.ndjson:6), the trail has "
     "it 199 ms later (audit.ndjson:4)",
     NULL,
     pretends_patience,
     {0},
     false},
    {"longer waits than are written down",
     "times",
     "expected the next attempt at least 400 ms behind the request of attempt 2 "
     "(journal.ndjson:6), it is ",
     NULL,
     waits_longer_than_it_says,
     {0},
     false},
    {"an old entry", "stamps", "expected a time behind the start of the run, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"timestamp\":\"2025", "\"timestamp\":\"2024"), false},
    {"an entry of tomorrow", "stamps", "expected a time before the end of the run, it is ", NULL,
     NULL, SWAP(FAKE_AUDIT, 4, "\"timestamp\":\"2025", "\"timestamp\":\"2026"), false},
    {"an entry that is older than its bundle's intent", "stamps",
     "expected a time behind the bundle's entry before, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 3, "\"timestamp\":\"2025", "\"timestamp\":\"2026"), false},
    {"attempts from before the intent", "times",
     "expected a time of each attempt behind its intent, it is ", NULL, NULL,
     SWAP(FAKE_AUDIT, 6, "\"started_at\":\"2025", "\"started_at\":\"2024"), false},
    {"a result before its request", "times",
     "expected the result at least 0 ms behind the request of attempt 1 (journal.ndjson:10), it "
     "is ",
     NULL, NULL, SWAP(FAKE_AUDIT, 6, "\"timestamp\":\"2025", "\"timestamp\":\"2024"), false},
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
     "expected a field class in the entry (audit.ndjson:4), there is none", sealed_off, NULL,
     SWAP(FAKE_AUDIT, 4, ",\"class\":\"sealed\",\"reason\"", ",\"reason\""), true},
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
    {"a rate limit that is called an outage",
     "classes",
     "expected a class that status 429 can have, attempt 1 is called unavailable (audit.ndjson:4)",
     NULL,
     limits_rate,
     {0},
     true},
    {"a redirect that is called an outage",
     "classes",
     "expected a class that status 307 can have, attempt 1 is called unavailable (audit.ndjson:4)",
     NULL,
     redirects,
     {0},
     false},
    {"fallback behind a redirect",
     "refusal",
     "expected no fallback behind a refusal, Vault answered 307 (journal.ndjson:5)",
     NULL,
     redirects,
     {0},
     false},
    {"attempts that were never made",
     "reached",
     "expected a request of attempt 1, which ended timeout while Vault could be reached "
     "(audit.ndjson:4), journal.ndjson has none",
     NULL,
     never_asks,
     {0},
     false},
    {"an answer that is called a refused connection", "classes",
     "expected no answer to attempt 3, which ended refused (audit.ndjson:4), Vault answered 503 "
     "(journal.ndjson:9)",
     NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "{\"class\":\"sealed\",\"n\":3,\"status\":503",
          "{\"class\":\"refused\",\"n\":3,\"status\":0"),
     false},
    {"re-sends that no lost connection explains", "requests",
     "expected at most 0 re-sends, since Vault cut no more connections (journal.ndjson), the trail "
     "claims 1000 (audit.ndjson:4)",
     NULL, NULL, SWAP(FAKE_AUDIT, 4, "\"resends\":0", "\"resends\":1000"), true},
    {"result missing in the trail", "told",
     "which the caller was told is signed, audit.ndjson has none", NULL, NULL, DROP(FAKE_AUDIT, 4),
     true},
    {"failure missing in the trail", "told",
     "expected an entry MANIFEST_SIGNING_FAILED for bundle 00000000-0000-4000-8000-000000000002, "
     "whose caller was told blocked, audit.ndjson has none",
     sealed_off, NULL, DROP(FAKE_AUDIT, 4), true},
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
    {"wrong signingMode", "mode",
     "expected mode vault as the trail says (audit.ndjson:4), the key that verifies is fallback",
     NULL, NULL, SWAP(FAKE_AUDIT, 4, "\"signingMode\":\"fallback\"", "\"signingMode\":\"vault\""),
     false},
    {"signing.fallback does not fit", "mode",
     "expected signing.fallback true with signingMode fallback, found false (audit.ndjson:4)", NULL,
     NULL, SWAP(FAKE_AUDIT, 4, "\"signing.fallback\":true", "\"signing.fallback\":false"), true},
    {"no signingMode", "mode",
     "expected signingMode vault or fallback, found none (audit.ndjson:2)", NULL, NULL,
     SWAP(FAKE_AUDIT, 2, ",\"signingMode\":\"vault\"", ""), false},
    {"signature by another key",
     "mode",
     "expected a signature of mode vault that verifies (audit.ndjson:2), it does not: signature "
     "\"vault:v1:",
     NULL,
     other_key,
     {0},
     true},
    {"a manifest that says another mode", "mode",
     "expected a signature of mode vault that verifies (audit.ndjson:2), it does not", NULL, NULL,
     SWAP(FAKE_MANIFEST, 1, "\"mode\":\"vault\"", "\"mode\":\"fallback\""), true},
    {"another key in the trail than in the manifest", "mode",
     "expected key sha256:00 as the trail says (audit.ndjson:4), the key that verifies is sha256:",
     NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"keyFingerprint\":\"", "\"keyFingerprint\":\"sha256:00\",\"x\":\""),
     false},
    {"other bytes audited than signed", "mode",
     "expected signed bytes 00 as the trail says (audit.ndjson:4), the manifest's are ", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"input_sha256\":\"", "\"input_sha256\":\"00\",\"x\":\""), true},
    {"fallback although off",
     "fallback",
     "expected no fallback, since ALLOW_FALLBACK_SIGNING is not true for api, found a fallback "
     "signature (audit.ndjson:4)",
     sealed_off,
     ignores_switch,
     {0},
     true},
    {"fallback without an outage", "fallback",
     "expected a failed attempt that shows an outage before fallback, the last one is rate_limited "
     "(audit.ndjson:4)",
     NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "{\"class\":\"sealed\",\"n\":3", "{\"class\":\"rate_limited\",\"n\":3"),
     false},
    {"fallback on a 403",
     "refusal",
     "expected no fallback behind a refusal, attempt 1 ended denied, found a fallback signature "
     "(audit.ndjson:4)",
     NULL,
     refuses,
     {0},
     false},
    {"fallback on a 403 that the trail hides",
     "refusal",
     "expected no fallback behind a refusal, Vault answered 403 (journal.ndjson:5), found a "
     "fallback "
     "signature (audit.ndjson:4)",
     NULL,
     refuses_and_lies,
     {0},
     false},
    {"answers that Vault did not give",
     "statuses",
     "expected 1 replies 503 of Vault for bundle 00000000-0000-4000-8000-000000000002 as attempt 1 "
     "says (audit.ndjson:4), journal.ndjson has 0",
     NULL,
     refuses_and_lies,
     {0},
     false},
    {"attempts behind a refusal",
     "attempts",
     "expected no attempt behind number 1, which ended denied, found another (audit.ndjson:4)",
     NULL,
     refuses,
     {0},
     false},
    {"attempts that are not numbered", "attempts",
     "expected attempt 2, found number 7 (audit.ndjson:4)", NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "\"n\":2", "\"n\":7"), true},
    {"stuck in fallback",
     "recovery",
     "expected mode vault while no fault lasts, found fallback (audit.ndjson:6)",
     NULL,
     stuck,
     {0},
     false},
    {"Vault was not asked",
     "tried",
     "expected at least one attempt at Vault for bundle 00000000-0000-4000-8000-000000000003, the "
     "trail has none (audit.ndjson:6)",
     NULL,
     stuck,
     {0},
     false},
    {"a request that no attempt explains",
     "requests",
     "expected at most 1 sign requests for bundle 00000000-0000-4000-8000-000000000001 (1 "
     "attempts, 0 "
     "re-sends; audit.ndjson:2), Vault saw 2 (journal.ndjson:4)",
     NULL,
     hidden_request,
     {0},
     true},
    {"a signature that Vault never made", "executed",
     "expected the signature of bundle 00000000-0000-4000-8000-000000000001 (audit.ndjson:2) among "
     "those that Vault made, journal.ndjson has none like it",
     NULL, NULL, SWAP(FAKE_JOURNAL, 3, "\"signature_sha256\":[\"", "\"signature_sha256\":[\"00"),
     true},
    {"a signature that nobody audited", "executed",
     "expected an audit entry for every signature, Vault made one (journal.ndjson:2) that "
     "audit.ndjson does not know",
     NULL, NULL, SWAP(FAKE_JOURNAL, 2, "\"input_sha256\":[\"", "\"input_sha256\":[\"00"), false},
    {"more signatures than attempts explain", "executed",
     "expected 1 published and at most 0 lost signatures for bundle "
     "00000000-0000-4000-8000-000000000001 (audit.ndjson:2), Vault made 2 (journal.ndjson:4)",
     NULL, hidden_request,
     SWAP(FAKE_JOURNAL, 3, "\"status\":500,\"executed\":false", "\"status\":500,\"executed\":true"),
     false},
    {"another key, and no step changed it",
     "fingerprint",
     "which nobody had pinned",
     NULL,
     new_key,
     {0},
     true},
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
    {"a token in a log", "secrets", "expected no secret in api.log, found the token (api.log:3)",
     NULL, NULL,
     SWAP(FAKE_API_LOG, 1, "event=completed signing_mode=fallback",
          "x\ntoken=hvs.fake-world-canary"),
     true},
    {"a token in the trail", "secrets",
     "expected no secret in audit.ndjson, found the token (audit.ndjson:1)", NULL, NULL,
     SWAP(FAKE_AUDIT, 1, "\"id\":\"api\"", "\"id\":\"hvs.fake-world-canary\""), false},
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
    {"the reason of another attempt", "reason",
     "expected the reason sealed, that of the last attempt, found timeout (audit.ndjson:4)", NULL,
     NULL, SWAP(FAKE_AUDIT, 4, "\"reason\":\"sealed\"", "\"reason\":\"timeout\""), false},
    {"the class of another attempt", "reason",
     "expected the class sealed, that of the last attempt, found timeout (audit.ndjson:4)",
     sealed_off, NULL,
     SWAP(FAKE_AUDIT, 4, ",\"class\":\"sealed\",\"reason\"", ",\"class\":\"timeout\",\"reason\""),
     true},
    {"fallback after two attempts",
     "attempts",
     "expected 3 attempts before fallback, since there was time for more, the trail has 2 "
     "(audit.ndjson:4)",
     NULL,
     two_attempts,
     {0},
     true},
    {"given up after two attempts",
     "attempts",
     "expected 3 attempts before giving up, since there was time for more, the trail has 2 "
     "(audit.ndjson:4)",
     sealed_off,
     two_attempts,
     {0},
     true},
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
    {"a timeout that Vault answered", "classes",
     "expected no answer to attempt 3, which ended timeout (audit.ndjson:4), Vault answered 503 "
     "(journal.ndjson:9)",
     NULL, NULL,
     SWAP(FAKE_AUDIT, 4, "{\"class\":\"sealed\",\"n\":3,\"status\":503",
          "{\"class\":\"timeout\",\"n\":3,\"status\":0"),
     false},
    {"a request without the number of its attempt", "numbered",
     "expected a header X-Signer-Attempt in each sign request, this one has none "
     "(journal.ndjson:2)",
     NULL, NULL, SWAP(FAKE_JOURNAL, 0, "\"attempt\":1", "\"attempt\":0"), true},
    {"requests that are all the first",
     "numbered",
     "expected X-Signer-Attempt to number the requests of the 3 attempts (audit.ndjson:4), they "
     "say "
     "1 first (journal.ndjson:4) and 1 last (journal.ndjson:8)",
     NULL,
     always_first,
     {0},
     true},
    {"a 503 that is repeated and called a re-send",
     "requests",
     "expected a re-send only of a request whose connection was cut, Vault had answered attempt 1 "
     "with 503 (journal.ndjson:5) and got it again (journal.ndjson:6)",
     NULL,
     repeats,
     {0},
     false},
    {"the same waits for all calls",
     "spread",
     "expected jitter: waits that differ from call to call, all 8 of them are the same for the "
     "same "
     "attempt, 200 ms before attempt 2 (audit.ndjson:4)",
     sealed_often,
     NULL,
     {0},
     true},
    {"waits that are the longest each time",
     "spread",
     "expected jitter",
     sealed_often,
     longest_waits,
     {0},
     true},
    {"a command that ends 0 although it failed",
     "told",
     "expected exit code 1 or 2 of a command that was not signing bundle ",
     sealed_off,
     exit_0,
     {0},
     true},
    {"another error than the trail has",
     "told",
     "expected the caller to be told vault_unavailable, since the trail says sealed, fallback_off "
     "(audit.ndjson:4), it was told internal",
     sealed_off,
     says_internal,
     {0},
     true},
    {"an attempt that lasts too long",
     "durations",
     "expected attempt 1 to be over after 2000 ms, it took 9003 ms (audit.ndjson:4)",
     NULL,
     slow_attempts,
     {0},
     true},
    {"a clock that is an hour off",
     "stamps",
     "expected the stamps of entries by the clock that callers and Vault have, all of them are ",
     NULL,
     hour_off,
     {0},
     true},
    {"a trail that is written anew",
     "chain",
     "expected audit.ndjson only to grow, what had been read of it is not there any more",
     NULL,
     rewrites,
     {0},
     false},
};

static bool is_invariant(const char *rule)
{
    for (size_t i = 0; invariants_name(i) != NULL; i++)
        if (strcmp(invariants_name(i), rule) == 0)
            return true;
    return false;
}

static void expect_only(const struct case_run *c, const struct planted *p)
{
    for (size_t i = 0; i < c->judged.findings.count; i++) {
        const struct verdict_finding *found = &c->judged.findings.items[i];
        if (is_invariant(found->rule) && strcmp(found->rule, p->rule) != 0)
            fail_msg("%s: also broke %s: %s", p->name, found->rule, found->text);
    }
}

static void expect_finding(const struct case_run *c, const struct planted *p)
{
    const char *other = NULL;
    for (size_t i = 0; i < c->judged.findings.count; i++) {
        const struct verdict_finding *found = &c->judged.findings.items[i];
        if (strcmp(found->rule, p->rule) != 0)
            continue;
        assert_int_equal(found->flag, VERDICT_FAIL);
        other = found->text;
        if (strstr(found->text, p->text) != NULL)
            return;
    }
    struct buf all CLEANUP(buf_done);
    buf_init(&all, 1u << 16);
    for (size_t i = 0; i < c->judged.findings.count; i++)
        buf_addf(&all, "\n  %s: %s", c->judged.findings.items[i].rule,
                 c->judged.findings.items[i].text);
    fail_msg("%s: %s was %s%s", p->name, p->rule, other == NULL ? "not broken" : "told otherwise",
             buf_text(&all));
}

static void test_invariants__each_planted_defect_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(planted); i++) {
        const struct planted *p = &planted[i];
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        if (p->set != NULL)
            p->set(&f);
        if (p->edit.from != NULL || p->edit.line != 0)
            fake_world_edit(&f, p->edit);
        case_run_scenario(&c, &f, p->scenario == NULL ? sealed : p->scenario);
        expect_finding(&c, p);
        if (p->only)
            expect_only(&c, p);
        assert_true(c.judged.verdict == VERDICT_FAIL || c.judged.verdict == VERDICT_NOT_STARTED);
    }
}

static void test_invariants__clean_ledgers_pass(void **state)
{
    (void)state;
    static const char *const scenarios[] = {sealed, sealed_off};
    for (size_t i = 0; i < 2; i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        case_run_scenario(&c, &f, scenarios[i]);
        for (size_t k = 0; k < c.judged.findings.count; k++)
            fail_msg("%s: %s", c.judged.findings.items[k].rule, c.judged.findings.items[k].text);
        assert_int_equal(c.judged.verdict, VERDICT_PASS);
    }
}

static void test_invariants__every_one_has_a_defect_that_breaks_it(void **state)
{
    (void)state;
    for (size_t i = 0; invariants_name(i) != NULL; i++) {
        bool planted_one = false;
        for (size_t k = 0; k < COUNT(planted); k++)
            planted_one |= strcmp(planted[k].rule, invariants_name(i)) == 0;
        if (!planted_one)
            fail_msg("nothing breaks %s", invariants_name(i));
        assert_non_null(invariants_meaning(i));
    }
}

static void test_invariants__a_declared_key_event_may_change_the_key(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.new_key = true;
    case_run_scenario(&c, &f,
                      "version: 1\npurpose: p\nsteady_state:\n  - sign: {via: api}\n"
                      "method:\n  - vault: rotate_key\n  - trust: accept\n"
                      "  - sign: {via: api}\n");
    assert_null(case_finding(&c, "fingerprint"));
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
}

static void test_ledger__a_result_without_its_bundle_is_missing_evidence(void **state)
{
    (void)state;
    struct pool pool;
    struct ledger_client trail CLEANUP(ledger_client_done);
    struct ledger_problems problems = {.count = 0};
    pool_init(&pool, 1u << 20);
    ledger_client_init(&trail, &pool, &problems);
    assert_int_equal(
        ledger_client_feed(
            &trail, SLICE_LITERAL("{\"action\":\"MANIFEST_SIGNED\",\"id\":\"1\",\"timestamp\":"
                                  "\"2026-11-23T18:11:46.081Z\",\"payload\":{}}\n")),
        ERRC_OK);
    bool named = false;
    for (size_t i = 0; i < problems.count; i++)
        named |= strstr(problems.items[i].text, "bundleRunId") != NULL;
    assert_true(named);
    assert_null(trail.entries[0].bundle);
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants__clean_ledgers_pass),
        cmocka_unit_test(test_invariants__each_planted_defect_is_named_with_its_line),
        cmocka_unit_test(test_invariants__every_one_has_a_defect_that_breaks_it),
        cmocka_unit_test(test_invariants__a_declared_key_event_may_change_the_key),
        cmocka_unit_test(test_ledger__a_result_without_its_bundle_is_missing_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
