/*
 * Secrets in every form that they get out in, and texts that only look like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "chaos/core/ledger/evidence_leaks.h"
#include "chaos/core/ledger/secretscan.h"
#include "tests/support/oom.h"

#define TOKEN "hvs.CAESIJ4kqFz1wT9sQb7XyLm0"
#define UUID_TOKEN "dev-1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
#define SEED "\x01\xff\x80 seed of thirty-two byt\xfe\xfd\x00\x07z"
#define SHARE "9mHQ0xV+8/3wq1Zkq2oTzVb5eYw7uR4sN6pLcXfJhGdA"

static const struct world_canary secrets[] = {
    {"root token", {.ptr = TOKEN, .len = sizeof TOKEN - 1}},
    {"dev token", {.ptr = UUID_TOKEN, .len = sizeof UUID_TOKEN - 1}},
    {"seed", {.ptr = SEED, .len = sizeof SEED - 1}},
    {"share", {.ptr = SHARE, .len = sizeof SHARE - 1}},
};

struct sample {
    const char *text;
    const char *name, *form; /* NULL: nothing is to be found */
    size_t line, before, after;
};

static const struct sample samples[] = {
    {"a\nb\nx=" TOKEN "\n", "root token", "", 3, 0, 0},
    {"token=hvs.CAESIJ4kqFz1wT9sQb7XyL debug", "root token", "", 1, 0, 2},
    {"CAESIJ4kqFz1wT9sQb7XyLm0", "root token", "", 1, 4, 0},
    {"…kqFz1wT9sQb7…", "root token", "", 1, 11, 5},
    {"…kqFz1wT9sQb…", NULL, NULL, 0, 0, 0}, /* eleven may be chance */
    {"hvs.CAESAAAAAAAAAAAAAAAA", NULL, NULL, 0, 0, 0},
    {"hvs.DIFFERENT-one-of-another-vault", NULL, NULL, 0, 0, 0},
    {"\n6876732e43414553494a346b71467a3177543973516237587"
     "94c6d30",
     "root token", "in hex", 2, 0, 0},
    {"6876732E43414553494A346B71467A317754397351623758", "root token", "in hex", 1, 0, 4},
    {"aHZzLkNBRVNJSjRrcUZ6MXdUOXNRYjdYeUxtMA==", "root token", "in base64", 1, 0, 0},
    {"eGh2cy5DQUVTSUo0a3FGejF3VDlzUWI3WHlMbTA=", "root token", "in base64", 1, 0, 0},
    {"eHhodnMuQ0FFU0lKNGtxRnoxd1Q5c1FiN1h5TG0w", "root token", "in base64", 1, 0, 0},
    {"%68%76%73%2E%43%41%45%53%49%4A%34%6B%71%46%7A%31%77", "root token", "percent-encoded", 1, 0,
     11},
    {"id=1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "dev token", "", 1, 4, 0},
    {"1b9d6bcd-bbfd-4", NULL, NULL, 0, 0, 0}, /* a UUID's beginning */
    {"01ff8020736565642"
     "06f66207468697274792d74776f20627974fefd00077a",
     "seed", "in hex", 1, 0, 0},
    {"Af+AIHNlZWQgb2YgdGhpcnR5LXR3byBieXT+/QAHeg==", "seed", "in base64", 1, 0, 0},
    {"Af-AIHNlZWQgb2YgdGhpcnR5LXR3byBieXT-_QAHeg", "seed", "in base64url", 1, 0, 0},
    {"k=9mHQ0xV%2B8%2F3wq1Zkq2oTzVb5eYw7uR4sN6pLcXfJhGdA&", "share", "URL-encoded", 1, 0, 0},
    {"", NULL, NULL, 0, 0, 0},
    {"short", NULL, NULL, 0, 0, 0},
};

struct hits {
    struct secretscan_hit first;
    size_t count;
};

static void take(void *context, const struct secretscan_hit *hit)
{
    struct hits *hits = context;
    if (hits->count++ == 0)
        hits->first = *hit;
}

static struct secretscan *new_scan(void)
{
    struct secretscan *scan = NULL;
    assert_int_equal(secretscan_new(secrets, COUNT(secrets), &scan, NULL), ERRC_OK);
    return scan;
}

static void test_secretscan__finds_each_form_and_nothing_that_chance_makes(void **state)
{
    (void)state;
    struct secretscan *scan = new_scan();
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        struct hits hits = {.count = 0};
        secretscan_text(scan, slice_of(s->text), take, &hits);
        if (s->name == NULL && hits.count > 0)
            fail_msg("\"%s\": found the %s", s->text, secrets[hits.first.secret].name);
        if (s->name == NULL)
            continue;
        if (hits.count != 1)
            fail_msg("\"%s\": found %zu", s->text, hits.count);
        assert_string_equal(secrets[hits.first.secret].name, s->name);
        assert_string_equal(hits.first.form, s->form);
        if (hits.first.before != s->before || hits.first.after != s->after)
            fail_msg("\"%s\": without %zu and %zu", s->text, hits.first.before, hits.first.after);
        assert_int_equal(hits.first.line, s->line);
    }
    secretscan_free(scan);
}

/* Wherever a part begins: no stride steps over it. */
static void test_secretscan__finds_a_part_at_every_offset(void **state)
{
    (void)state;
    struct secretscan *scan = new_scan();
    for (size_t lead = 0; lead < 40; lead++)
        for (size_t at = 4; at + 12 <= sizeof TOKEN - 1; at++) {
            char text[128];
            struct hits hits = {.count = 0};
            (void)snprintf(text, sizeof text, "%*s%.12s#", (int)lead, "", TOKEN + at);
            secretscan_text(scan, slice_of(text), take, &hits);
            assert_int_equal(hits.count, 1);
            assert_int_equal(hits.first.before, at);
        }
    secretscan_free(scan);
}

/* Each secret is told once, and each of several is told. */
static void test_secretscan__tells_each_secret_once(void **state)
{
    (void)state;
    struct secretscan *scan = new_scan();
    struct hits hits = {.count = 0};
    secretscan_text(scan, slice_of(TOKEN " " TOKEN "\n" SHARE "\n" TOKEN), take, &hits);
    assert_int_equal(hits.count, 2);
    secretscan_free(scan);
}

/* Random hex, base64 and identifiers, as ledgers are full of: 64 MiB without a false alarm. The
 * limit of the test says that it does not take minutes. */
static void test_secretscan__goes_through_much_text_without_a_false_alarm(void **state)
{
    (void)state;
    enum { SIZE = 64 << 20 };
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    char *text = malloc(SIZE);
    struct secretscan *scan = new_scan();
    struct hits hits = {.count = 0};
    uint64_t random = 88172645463325252u;
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text[i] = (i / 4096) % 2 == 0 ? "0123456789abcdef"[random >> 60]
                                      : alphabet[(random >> 32) % (sizeof alphabet - 1)];
    }
    secretscan_text(scan, slice_bytes(text, SIZE), take, &hits);
    assert_int_equal(hits.count, 0);
    memcpy(text + SIZE - (sizeof TOKEN - 1), TOKEN, sizeof TOKEN - 1);
    secretscan_text(scan, slice_bytes(text, SIZE), take, &hits);
    assert_int_equal(hits.count, 1);
    secretscan_free(scan);
    free(text);
}

static enum errc scan_once(void *context)
{
    struct secretscan *scan = NULL;
    struct hits hits = {.count = 0};
    (void)context;
    TRY(secretscan_new(secrets, COUNT(secrets), &scan, NULL));
    secretscan_text(scan, slice_of(TOKEN), take, &hits);
    secretscan_free(scan);
    assert_int_equal(hits.count, 1);
    return ERRC_OK;
}

static void test_secretscan__survives_every_failed_allocation(void **state)
{
    (void)state;
    assert_true(oom_each(scan_once, NULL) > 5);
}

/* --- a world of files --- */

static const struct {
    struct world_file file;
    const char *text;
} files[] = {
    {{"ledgers/audit.ndjson", WORLD_FILE_REGULAR, 0600}, "{}\n"},
    {{"logs/api.log", WORLD_FILE_REGULAR, 0600}, "ok\nhvs.CAESIJ4kqFz1wT9sQb7XyL\n"},
    {{"logs/cli.log", WORLD_FILE_REGULAR, 0600},
     "MY_VAULT_TOKEN=a VAULT_TOKEN= VAULT_TOKEN_FILE=f"},
    {{"api/core.4711", WORLD_FILE_REGULAR, 0600}, "HOME=/\nVAULT_TOKEN=another\n"},
    {{"api/link", WORLD_FILE_LINK, 0777}, NULL},
    {{"api/unreadable", WORLD_FILE_REGULAR, 0}, NULL},
};
#define FILES COUNT(files)

static enum errc list_files(void *context, const struct world_file **out, size_t *count,
                            struct errc_why *why)
{
    static struct world_file list[FILES];
    (void)context;
    (void)why;
    for (size_t i = 0; i < FILES; i++)
        list[i] = files[i].file;
    *out = list;
    *count = FILES;
    return ERRC_OK;
}

static enum errc read_file(void *context, enum world_evidence kind, const char *name, uint64_t from,
                           struct buf *out, struct errc_why *why)
{
    (void)context;
    (void)from;
    assert_int_equal(kind, WORLD_FILE);
    for (size_t i = 0; i < FILES; i++) {
        if (strcmp(files[i].file.name, name) != 0)
            continue;
        assert_int_not_equal(files[i].file.kind, WORLD_FILE_LINK);
        if (files[i].text == NULL)
            return errc_fail(why, ERRC_DENIED, "permission denied");
        buf_add_text(out, files[i].text);
        return ERRC_OK;
    }
    return ERRC_NOT_FOUND;
}

static size_t lend_secrets(void *context, const struct world_canary **out)
{
    (void)context;
    *out = secrets;
    return COUNT(secrets);
}

static void test_evidence_leaks__looks_through_every_file_and_follows_no_link(void **state)
{
    (void)state;
    static struct evidence evidence;
    const struct world world = {.read = read_file, .files = list_files, .canaries = lend_secrets};
    evidence_init(&evidence);
    assert_int_equal(evidence_leaks_collect(&evidence, &world, NULL), ERRC_OK);
    assert_int_equal(evidence.leak_count, 2);
    assert_string_equal(evidence.leaks[0].file, "logs/api.log");
    assert_int_equal(evidence.leaks[0].line, 2);
    assert_string_equal(evidence.leaks[0].what, "the root token, without its last 2 characters");
    assert_string_equal(evidence.leaks[1].file, "api/core.4711");
    assert_string_equal(evidence.leaks[1].what, "a variable VAULT_TOKEN of the environment");
    assert_int_equal(evidence.leaks[1].line, 2);
    assert_int_equal(evidence.problems.count, 1); /* what cannot be read is not clean */
    assert_string_equal(evidence.problems.items[0].file, "api/unreadable");
    evidence_done(&evidence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secretscan__finds_each_form_and_nothing_that_chance_makes),
        cmocka_unit_test(test_secretscan__finds_a_part_at_every_offset),
        cmocka_unit_test(test_secretscan__tells_each_secret_once),
        cmocka_unit_test(test_secretscan__goes_through_much_text_without_a_false_alarm),
        cmocka_unit_test(test_secretscan__survives_every_failed_allocation),
        cmocka_unit_test(test_evidence_leaks__looks_through_every_file_and_follows_no_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
