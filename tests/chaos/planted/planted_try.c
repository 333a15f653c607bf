/*
 * Planted violations: how often and why Vault was asked, and what followed.
 */
#include "tests/chaos/planted/planted.h"

static void four_attempts(struct fake_world *f)
{
    f->attempts = 4;
}

static void two_attempts(struct fake_world *f)
{
    f->attempts = 2;
}

static void always_first(struct fake_world *f)
{
    f->always_first = true;
}

static void repeats(struct fake_world *f)
{
    f->repeats = true;
}

static void never_asks(struct fake_world *f)
{
    f->never_asks = true;
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

static void hidden_request(struct fake_world *f)
{
    f->hidden_requests = 1;
}

const struct planted planted_try[] = {
    {"4 attempts instead of 3",
     "attempts",
     "expected at most 3 attempts, the trail has 4 (audit.ndjson:4)",
     NULL,
     four_attempts,
     {0},
     true},
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
    {"fallback although off",
     "fallback",
     "expected no fallback, since ALLOW_FALLBACK_SIGNING is not true for api, found a fallback "
     "signature (audit.ndjson:4)",
     planted_sealed_off,
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
    {"the reason of another attempt", "reason",
     "expected the reason sealed, that of the last attempt, found timeout (audit.ndjson:4)", NULL,
     NULL, SWAP(FAKE_AUDIT, 4, "\"reason\":\"sealed\"", "\"reason\":\"timeout\""), false},
    {"the class of another attempt", "reason",
     "expected the class sealed, that of the last attempt, found timeout (audit.ndjson:4)",
     planted_sealed_off, NULL,
     SWAP(FAKE_AUDIT, 4, ",\"class\":\"sealed\",\"reason\"", ",\"class\":\"timeout\",\"reason\""),
     false},
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
     planted_sealed_off,
     two_attempts,
     {0},
     true},
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
    {"a key that is pinned and called another one", "recovery",
     "expected a signature while Vault has the key that is pinned, found a failure of class "
     "key_mismatch (audit.ndjson:4)",
     planted_sealed_off, NULL,
     SWAP(FAKE_AUDIT, 4, ",\"class\":\"sealed\",\"reason\"",
          ",\"class\":\"key_mismatch\",\"reason\""),
     false},
    {.name = NULL},
};
