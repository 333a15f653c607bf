/*
 * Files that others can write, that have another mode than the subject's table says, and that
 * nobody should have left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "tests/chaos/fake/case.h"

#define ID(n) "00000000-0000-4000-8000-00000000000" n
#define PLAIN                                                                                      \
    "version: 1\npurpose: p\nstack: {services: [api]}\nsteady_state:\n  - sign: {via: api}\n"      \
    "method:\n"

static const char signs[] = PLAIN "  - sign: {via: api}\n";
static const char kills[] = PLAIN "  - service: {kill: api}\n  - service: {start: api}\n"
                                  "  - service: {kill: api}\n";
static const char starts[] = PLAIN "  - service: {kill: api}\n  - service: {start: api}\n";

static const struct world_file lawful[] = {
    {"174-it.yaml", WORLD_FILE_FOLDER, 0777}, /* a folder of chaos' own */
    {"logs", WORLD_FILE_FOLDER, 0700},
    {"logs/anything", WORLD_FILE_REGULAR, 0666},
    {"trust.json", WORLD_FILE_REGULAR, 0644},
    {"ledgers", WORLD_FILE_FOLDER, 0755},
    {"ledgers/journal.ndjson", WORLD_FILE_REGULAR, 0600},
    {"ledgers/audit.ndjson", WORLD_FILE_REGULAR, 0600},
    {"ledgers/audit.ndjson.lock", WORLD_FILE_REGULAR, 0600},
    {"api", WORLD_FILE_FOLDER, 0700},
    {"api/api.lock", WORLD_FILE_REGULAR, 0600},
    {"api/store.lock", WORLD_FILE_REGULAR, 0600},
    {"api/runs", WORLD_FILE_FOLDER, 0700},
    {"api/runs/" ID("1") ".json", WORLD_FILE_REGULAR, 0600},
    {"api/manifests", WORLD_FILE_FOLDER, 0700},
    {"api/manifests/" ID("1") ".json", WORLD_FILE_REGULAR, 0644},
    {"cli", WORLD_FILE_FOLDER, 0700},
    {"cli/12.out", WORLD_FILE_REGULAR, 0600},
    {"cli/" ID("2"), WORLD_FILE_FOLDER, 0700},
    {"cli/" ID("2") "/bundle.json", WORLD_FILE_REGULAR, 0600},
    {"cli/" ID("2") "/statement-1.pdf", WORLD_FILE_REGULAR, 0600},
    {"cli/" ID("2") "/manifest.json", WORLD_FILE_REGULAR, 0644},
};

/* NULL: nothing is wrong. */
static const struct {
    struct world_file file;
    const char *scenario, *text;
} samples[] = {
    {{"trust.json", WORLD_FILE_REGULAR, 0664},
     signs,
     "expected nobody but its owner to write to trust.json, its mode is 0664"},
    {{"ledgers/audit.ndjson", WORLD_FILE_REGULAR, 0666},
     signs,
     "expected nobody but its owner to write to ledgers/audit.ndjson, its mode is 0666"},
    {{"api/runs/" ID("2") ".json", WORLD_FILE_REGULAR, 0602},
     signs,
     "expected nobody but its owner to write to api/runs/" ID("2") ".json, its mode is 0602"},
    {{"api/runs", WORLD_FILE_FOLDER, 0777},
     signs,
     "expected nobody but its owner to write to api/runs, its mode is 0777"},
    {{"api/runs/" ID("2") ".json", WORLD_FILE_REGULAR, 0644},
     signs,
     "expected mode 0600 of api/runs/" ID("2") ".json, found 0644"},
    {{"cli/" ID("2") "/manifest.json", WORLD_FILE_REGULAR, 0600},
     signs,
     "expected mode 0644 of cli/" ID("2") "/manifest.json, found 0600"},
    {{"api/runs/" ID("9") ".json", WORLD_FILE_REGULAR, 0600},
     signs,
     "expected nothing to be left behind, there is a file api/runs/" ID("9") ".json (mode 0600) "
                                                                             "that has no place"},
    {{"core", WORLD_FILE_REGULAR, 0600}, signs, "there is a file core (mode 0600)"},
    {{"cli/core.4711", WORLD_FILE_REGULAR, 0600}, signs, "there is a file cli/core.4711"},
    {{"trust.json.a1B2c3", WORLD_FILE_REGULAR, 0644}, signs, "a file trust.json.a1B2c3"},
    {{"ledgers/audit.ndjson.bak", WORLD_FILE_REGULAR, 0600}, signs, "ledgers/audit.ndjson.bak"},
    {{"worker/runs/x", WORLD_FILE_FOLDER, 0700}, signs, "there is a folder worker/runs/x"},
    {{"api/link", WORLD_FILE_LINK, 0777}, signs, "expected files and folders, api/link is a link"},
    {{"api/pipe", WORLD_FILE_OTHER, 0600}, signs, "api/pipe is a pipe or device"},
    {{"api/runs/" ID("1") ".json.a1B2c3", WORLD_FILE_REGULAR, 0600},
     signs,
     "the temporary file api/runs/" ID("1") ".json.a1B2c3 is still there, and no kill explains it"},
    {{"api/runs/" ID("1") ".json.a1B2c3", WORLD_FILE_REGULAR, 0600},
     starts,
     "is still there, and no kill explains it"}, /* the start behind the kill removes it */
    {{"api/runs/" ID("1") ".json.a1B2c3", WORLD_FILE_REGULAR, 0600}, kills, NULL},
    {{"worker/runs/" ID("1") ".json.a1B2c3", WORLD_FILE_REGULAR, 0600},
     kills,
     "is still there, and no kill explains it"}, /* another one was killed */
    {{"api/runs/" ID("1") ".json.a1B2c3d", WORLD_FILE_REGULAR, 0600}, kills, "has no place"},
    {{"api/runs/" ID("1") ".json.a/B2c3", WORLD_FILE_REGULAR, 0600}, kills, "has no place"},
    {{"api/manifests/." ID("1") ".json.signing", WORLD_FILE_REGULAR, 0644},
     signs,
     "the temporary file api/manifests/." ID("1") ".json.signing is still there"},
    {{"api/manifests/." ID("1") ".json.signing", WORLD_FILE_REGULAR, 0644}, starts, NULL},
};

static void test_files__what_has_its_place_and_mode_is_fine(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    f.files = lawful;
    f.file_count = COUNT(lawful);
    case_run_scenario(&c, &f, signs);
    assert_null(case_finding(&c, "files"));
    assert_int_equal(c.judged.verdict, VERDICT_PASS);
}

static void test_files__each_other_one_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct fake_world f CLEANUP(fake_world_done);
        struct case_run c CLEANUP(case_done);
        fake_world_init(&f);
        f.files = &samples[i].file;
        f.file_count = 1;
        case_run_scenario(&c, &f, samples[i].scenario);
        const char *text = case_finding(&c, "files");
        if ((text == NULL) != (samples[i].text == NULL) ||
            (text != NULL && strstr(text, samples[i].text) == NULL))
            fail_msg("%s: %s", samples[i].file.name, text == NULL ? "nothing was found" : text);
    }
}

static void test_files__a_manifest_is_its_canonical_text(void **state)
{
    (void)state;
    struct fake_world f CLEANUP(fake_world_done);
    struct case_run c CLEANUP(case_done);
    fake_world_init(&f);
    fake_world_edit(&f, (struct fake_world_edit){FAKE_MANIFEST, 1, "{", "{ ", false});
    case_run_scenario(&c, &f, signs);
    const char *text = case_finding(&c, "files");
    assert_non_null(text);
    assert_non_null(strstr(text, "expected the manifest of bundle " ID("1") " as canonical JSON"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files__what_has_its_place_and_mode_is_fine),
        cmocka_unit_test(test_files__each_other_one_is_named),
        cmocka_unit_test(test_files__a_manifest_is_its_canonical_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
