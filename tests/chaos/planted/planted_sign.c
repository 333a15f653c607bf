/*
 * Planted violations: with which key was signed, and what is secret.
 */
#include "tests/chaos/planted/planted.h"

static void other_key(struct fake_world *f)
{
    f->other_key = true;
}

static void new_key(struct fake_world *f)
{
    f->new_key = true;
}

const struct planted planted_sign[] = {
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
    {"another key, and no step changed it",
     "fingerprint",
     "which nobody had pinned",
     NULL,
     new_key,
     {0},
     true},
    {"a token in a log", "secrets", "expected no secret in api.log, found the token (api.log:3)",
     NULL, NULL,
     SWAP(FAKE_API_LOG, 1, "signing_mode=fallback",
          "signing_mode=fallback\ntoken=hvs.fake-world-canary"),
     true},
    {"a token in the query", "secrets",
     "expected sign requests without a query, which servers write down, found one with \"token\" "
     "(journal.ndjson:2)",
     NULL, NULL, SWAP(FAKE_JOURNAL, 2, "\"key\":", "\"query\":[\"token\"],\"key\":"), true},
    {"a manifest with more in it than is signed", "files",
     "expected the manifest of bundle 00000000-0000-4000-8000-000000000001 as canonical JSON and "
     "nothing else, its file has other bytes",
     NULL, NULL, SWAP(FAKE_MANIFEST, 1, "{", "\n{"), true},
    {"a token in the trail", "secrets",
     "expected no secret in audit.ndjson, found the token (audit.ndjson:1)", NULL, NULL,
     SWAP(FAKE_AUDIT, 1, "\"id\":\"api\"", "\"id\":\"hvs.fake-world-canary\""), false},
    {.name = NULL},
};
