#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/count.h"
#include "signer/core/attempt/retry.h"
#include "tests/signer/play.h"

static const struct {
    struct play play;
    const char *trace;
    const char *entries;
    enum op_status status;
    enum op_error error;
    const char *reason; /* of the failed entry */
    enum classify_class last;
} stories[] = {
    /* clang-format off */
    /* Vault signs */
    {{.vault = "O"}, "asap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_OK},
    {{.vault = "SO"}, "aswsap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_SEALED},
    {{.vault = "CTO", .allow_fallback = true},
     "aswswsap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_TIMEOUT},
    {{.vault = "MVO"}, "aswswsap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_MALFORMED},
    {{.vault = "RIO"}, "aswswsap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_STALE},
    /* the local key takes over: availability only */
    {{.vault = "SSS", .allow_fallback = true},
     "aswswsfap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_SEALED},
    {{.vault = "CCC", .allow_fallback = true},
     "aswswsfap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_REFUSED},
    {{.vault = "UMT", .allow_fallback = true},
     "aswswsfap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_TIMEOUT},
    {{.vault = "RRS", .allow_fallback = true},
     "aswswsfap.", "SD", OP_COMPLETED, OP_ERROR_NONE, NULL, CLASSIFY_SEALED},
    /* it may not, or cannot */
    {{.vault = "SSS"},
     "aswswsa.", "SF", OP_BLOCKED, OP_ERROR_UNAVAILABLE, "fallback_off", CLASSIFY_SEALED},
    {{.vault = "SSS", .allow_fallback = true, .verdict = FALLBACK_KEY_MISSING},
     "aswswsfa.", "SF", OP_BLOCKED, OP_ERROR_UNAVAILABLE, "fallback_key_missing", CLASSIFY_SEALED},
    {{.vault = "SSS", .allow_fallback = true, .verdict = FALLBACK_KEY_UNSAFE},
     "aswswsfa.", "SF", OP_BLOCKED, OP_ERROR_UNAVAILABLE, "fallback_key_unsafe", CLASSIFY_SEALED},
    {{.vault = "SSS", .allow_fallback = true, .local_key_is_vaults = true},
     "aswswsfa.", "SF", OP_BLOCKED, OP_ERROR_UNAVAILABLE, "fallback_key_unsafe", CLASSIFY_SEALED},
    /* a refusal ends it at once, whatever came before and whatever is allowed */
    {{.vault = "F", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_DENIED},
    {{.vault = "N", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_NOT_FOUND},
    {{.vault = "K", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_KEY_STATE},
    {{.vault = "D", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_REDIRECT},
    {{.vault = "X", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_CERTIFICATE},
    {{.vault = "W", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_KEY_MISMATCH},
    {{.vault = "SSF", .allow_fallback = true},
     "aswswsa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_DENIED},
    {{.vault = "L", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_DENIED},
    /* our own trouble is no outage, not even in the middle of one */
    {{.vault = "E", .allow_fallback = true},
     "asa.", "SF", OP_FAILED, OP_ERROR_INTERNAL, "internal", CLASSIFY_INTERNAL},
    {{.vault = "CCE", .allow_fallback = true},
     "aswswsa.", "SF", OP_FAILED, OP_ERROR_INTERNAL, "internal", CLASSIFY_INTERNAL},
    /* load is no outage */
    {{.vault = "RRR", .allow_fallback = true},
     "aswswsa.", "SF", OP_FAILED, OP_ERROR_RATE, "refused", CLASSIFY_RATE_LIMITED},
    {{.vault = "SSI", .allow_fallback = true},
     "aswswsa.", "SF", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_STALE},
    /* no audit, no signature */
    {{.vault = "", .audit_breaks_at = 1}, "a.", "", OP_FAILED, OP_ERROR_AUDIT, NULL, CLASSIFY_OK},
    {{.vault = "O", .audit_breaks_at = 2},
     "asa.", "S", OP_FAILED, OP_ERROR_AUDIT, NULL, CLASSIFY_OK},
    {{.vault = "SSS", .allow_fallback = true, .audit_breaks_at = 2},
     "aswswsfa.", "S", OP_FAILED, OP_ERROR_AUDIT, NULL, CLASSIFY_SEALED},
    {{.vault = "F", .audit_breaks_at = 2},
     "asa.", "S", OP_FAILED, OP_ERROR_REFUSED, "refused", CLASSIFY_DENIED},
    /* signed and recorded, but not published: said so, to be written again from the trail */
    {{.vault = "O", .publish_breaks = true},
     "asap.", "SD", OP_FAILED, OP_ERROR_PUBLISH, NULL, CLASSIFY_OK},
};
/* clang-format on */

static void check_story(size_t i)
{
    struct play play = stories[i].play;
    assert_int_equal(play_run(&play), ERRC_OK);
    const struct op_result *r = &play.result;
    if (strcmp(play.trace, stories[i].trace) != 0 || strcmp(play.entries, stories[i].entries) != 0)
        fail_msg("story %zu \"%s\": %s %s, want %s %s", i, play.vault, play.trace, play.entries,
                 stories[i].trace, stories[i].entries);
    assert_int_equal(r->status, stories[i].status);
    assert_int_equal(r->error, stories[i].error);
    assert_int_equal(r->last, stories[i].last);
    assert_int_equal(r->attempt_count, strlen(play.vault));
    if (stories[i].reason == NULL)
        assert_null(r->reason);
    else
        assert_string_equal(r->reason, stories[i].reason);
    assert_int_equal(r->status == OP_COMPLETED, r->message[0] == '\0');
    if (strchr(play.trace, 'p') != NULL) {
        assert_true(play.verifies);
        bool local = strchr(play.trace, 'f') != NULL;
        assert_int_equal(r->mode, local ? MANIFEST_FALLBACK : MANIFEST_VAULT);
        /* The mode is signed, so each mode signs other bytes. */
        assert_int_equal(strcmp(play.input_sha256[0], play.input_sha256[1]) != 0, local);
    }
    if (strchr(play.entries, 'F') != NULL)
        assert_string_equal(play.failed_class, classify_text(stories[i].last));
}

static void test_op__every_story_has_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++)
        check_story(i);
}

static void test_op__attempts_are_recorded_with_their_waits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct play play = {.vault = "STS", .seed = seed};
        assert_int_equal(play_run(&play), ERRC_OK);
        assert_int_equal(play.wait_count, 2);
        assert_int_equal(play.result.attempts[0].wait_ms, 0);
        for (int64_t n = 1; n <= 2; n++) {
            int64_t cap = retry_cap_ms(&fake_retry, n);
            const struct audit_attempt *next = &play.result.attempts[n];
            assert_true(play.waits_ms[n - 1] >= cap / 2 && play.waits_ms[n - 1] <= cap);
            assert_int_equal(next->wait_ms, play.waits_ms[n - 1]);
            assert_int_equal(next->n, n + 1);
        }
        assert_int_equal(play.result.attempts[1].status, 0);
        assert_int_equal(play.result.attempts[2].status, 503);
        assert_true(play.result.attempts[2].started_wall_ns >
                    play.result.attempts[0].started_wall_ns);
    }
}

static void test_op__the_same_seed_waits_the_same(void **state)
{
    (void)state;
    struct play one = {.vault = "SSS", .seed = 5}, two = one, other = {.vault = "SSS", .seed = 6};
    assert_int_equal(play_run(&one), ERRC_OK);
    assert_int_equal(play_run(&two), ERRC_OK);
    assert_int_equal(play_run(&other), ERRC_OK);
    assert_int_equal(one.waits_ms[0], two.waits_ms[0]);
    assert_int_equal(one.waits_ms[1], two.waits_ms[1]);
    assert_true(one.waits_ms[0] != other.waits_ms[0] || one.waits_ms[1] != other.waits_ms[1]);
}

static void test_op__retry_after_lengthens_the_wait_within_the_clamp(void **state)
{
    (void)state;
    static const struct {
        const char *vault;
        const char *value;
        int64_t min_ms;
        int64_t max_ms;
    } cases[] = {
        {"RO", "0", 125, 250},       {"RO", "1", 1000, 1000}, {"RO", "3600", 2000, 2000},
        {"RO", "garbage", 125, 250}, {"RO", "-5", 125, 250},  {"SO", "1", 125, 250},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct play play = {.vault = cases[i].vault, .retry_after = cases[i].value};
        assert_int_equal(play_run(&play), ERRC_OK);
        if (play.waits_ms[0] < cases[i].min_ms || play.waits_ms[0] > cases[i].max_ms)
            fail_msg("Retry-After %s: waited %lld ms", cases[i].value, (long long)play.waits_ms[0]);
    }
}

static void test_op__no_attempt_starts_behind_the_deadline(void **state)
{
    (void)state;
    struct config_retry tight = fake_retry;
    tight.attempts = 10;
    tight.total_timeout_ms = 5000;
    struct play play = {.vault = "TTTTTTTTTT", .retry = &tight, .allow_fallback = true};
    assert_int_equal(play_run(&play), ERRC_OK);
    assert_true(play.took_ms <= 5000);
    assert_true(play.sends == 3 || play.sends == 2);
    assert_true(play.timeouts_ms[play.sends - 1] <= 2000);
    assert_int_equal(play.result.mode, MANIFEST_FALLBACK);
    assert_int_equal(play.result.status, OP_COMPLETED);

    /* One attempt is always made, with what time there is. */
    tight.total_timeout_ms = 1;
    struct play short_play = {.vault = "T", .retry = &tight};
    assert_int_equal(play_run(&short_play), ERRC_OK);
    assert_string_equal(short_play.trace, "asa.");
    assert_int_equal(short_play.timeouts_ms[0], 1);
    assert_int_equal(short_play.result.status, OP_BLOCKED);
}

static struct op *make_op(struct manifest_bundle *bundle, struct trust_key *pin,
                          const struct keyport *keyport)
{
    struct op *op = NULL;
    *pin = fake_pin(1);
    assert_int_equal(fake_bundle(bundle), ERRC_OK);
    const struct op_setup setup = {.retry = &fake_retry,
                                   .signing_key = "k",
                                   .allow_fallback = true,
                                   .pin = pin,
                                   .keyport = keyport,
                                   .bundle = bundle,
                                   .actor = &fake_actor,
                                   .manifest_id = FAKE_RUN_ID,
                                   .entry_ids = {FAKE_RUN_ID, FAKE_RUN_ID}};
    assert_int_equal(op_new(&setup, (struct instant){0}, &op, NULL), ERRC_OK);
    return op;
}

/* The events that lead to each state, from the start. */
static const struct {
    enum op_state state;
    enum op_event_kind path[8];
    size_t len;
    unsigned known; /* bits of the events that are allowed there */
} places[] = {
    {OP_IDLE, {0}, 0, 1u << OP_BEGIN},
    {OP_STARTING, {OP_BEGIN}, 1, 1u << OP_AUDITED | 1u << OP_AUDIT_BROKEN},
    {OP_SENDING, {OP_BEGIN, OP_AUDITED}, 2, 1u << OP_REPLY},
    {OP_WAITING, {OP_BEGIN, OP_AUDITED, OP_REPLY}, 3, 1u << OP_WOKE},
    {OP_LOCAL,
     {OP_BEGIN, OP_AUDITED, OP_REPLY, OP_WOKE, OP_REPLY, OP_WOKE, OP_REPLY},
     7,
     1u << OP_FALLBACK_SIGNED | 1u << OP_FALLBACK_REFUSED},
    {OP_FAILING,
     {OP_BEGIN, OP_AUDITED, OP_REPLY, OP_WOKE, OP_REPLY, OP_WOKE, OP_REPLY, OP_FALLBACK_REFUSED},
     8,
     1u << OP_AUDITED | 1u << OP_AUDIT_BROKEN},
    {OP_DONE, {OP_BEGIN, OP_AUDIT_BROKEN}, 2, 0},
};

static struct op_event event_of(enum op_event_kind kind, const struct transport_reply *reply)
{
    static const uint8_t signature[KEYPORT_ED25519_BYTES];
    return (struct op_event){.kind = kind,
                             .reply = reply,
                             .signature = signature,
                             .verdict = FALLBACK_KEY_MISSING,
                             .message = "x"};
}

/* In a child: leads the machine to a place, gives it one more event. Exit 0: taken. */
static int try_event(size_t place, enum op_event_kind kind)
{
    struct manifest_bundle bundle = {0};
    struct trust_key pin;
    const struct keyport keyport = fake_keyport();
    struct transport_reply reply = {.outcome = TRANSPORT_REFUSED};
    buf_init(&reply.body, 100);
    struct op *op = make_op(&bundle, &pin, &keyport);
    for (size_t i = 0; i < places[place].len; i++) {
        struct op_event event = event_of(places[place].path[i], &reply);
        (void)op_step(op, &event);
    }
    if (op_state(op) != places[place].state)
        return 3;
    struct keyport_public local = fake_key(KEYPORT_ED25519, 9);
    if (kind == OP_FALLBACK_SIGNED && op_state(op) == OP_LOCAL &&
        op_use_fallback(op, &local, NULL) != ERRC_OK)
        return 4;
    struct op_event event = event_of(kind, &reply);
    (void)op_step(op, &event);
    manifest_bundle_done(&bundle);
    op_free(op);
    return 0;
}

static bool is_taken(size_t place, enum op_event_kind kind)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        _exit(try_event(place, kind));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return false;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void test_op__each_state_knows_its_events_and_no_others(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT(places); p++)
        for (int e = 0; e < OP_EVENT_COUNT; e++)
            if (is_taken(p, (enum op_event_kind)e) != ((places[p].known >> e & 1) == 1))
                fail_msg("state %d, event %d", (int)places[p].state, e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_op__every_story_has_its_end),
        cmocka_unit_test(test_op__attempts_are_recorded_with_their_waits),
        cmocka_unit_test(test_op__the_same_seed_waits_the_same),
        cmocka_unit_test(test_op__retry_after_lengthens_the_wait_within_the_clamp),
        cmocka_unit_test(test_op__no_attempt_starts_behind_the_deadline),
        cmocka_unit_test(test_op__each_state_knows_its_events_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
