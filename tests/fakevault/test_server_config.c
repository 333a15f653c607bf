/* Vault's configuration files: what they mean, where they are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "fakevault/shell/server_config.h"

static enum errc read_text(const char *text, struct server_config *config, struct errc_why *why)
{
    return server_config_parse(slice_of(text), "c.hcl", config, why);
}

static void test_server_config__blocks_have_the_same_meaning_in_all_spellings(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "storage \"file\" { path = \"/data\" }\n"
        "listener \"tcp\" { address = \"127.0.0.1:1\" tls_disable = 1 }\n",
        "storage { file { path = \"/data\" } }\n"
        "listener { tcp { address = \"127.0.0.1:1\" tls_disable = \"true\" } }\n",
        "{\"storage\": {\"file\": {\"path\": \"/data\"}},"
        " \"listener\": {\"tcp\": {\"address\": \"127.0.0.1:1\", \"tls_disable\": true}}}",
        "{\"storage\": [{\"file\": {\"path\": \"/data\"}}],"
        " \"listener\": [{\"tcp\": {\"address\": \"127.0.0.1:1\", \"tls_disable\": \"1\"}}]}",
        "backend \"raft\" { path = \"/data\" node_id = \"a\" }\n"
        "LISTENER \"tcp\" { Address = \"127.0.0.1:1\" tls_disable = true }\n",
    };
    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct server_config config = {0};
        struct errc_why why = {""};
        if (read_text(spellings[i], &config, &why) != ERRC_OK ||
            server_config_check(&config, &why) != ERRC_OK)
            fail_msg("spelling %zu: %s", i, why.text);
        assert_string_equal(config.storage, "file");
        assert_string_equal(config.path, "/data");
        assert_string_equal(config.address, "127.0.0.1:1");
        assert_true(config.tls_disable);
        assert_null(config.tls.cert_file);
        server_config_done(&config);
    }
}

static void test_server_config__the_listener_says_how_tls_is_spoken(void **state)
{
    (void)state;
    struct server_config config = {0};
    const char *text = "storage \"inmem\" {}\n"
                       "listener \"tcp\" {\n"
                       "  tls_cert_file = \"c\"\n  tls_key_file = \"k\"\n"
                       "  tls_client_ca_file = \"a\"\n  tls_min_version = \"tls13\"\n"
                       "  tls_require_and_verify_client_cert = true\n"
                       "}\n";
    assert_int_equal(read_text(text, &config, NULL), ERRC_OK);
    assert_int_equal(server_config_check(&config, NULL), ERRC_OK);
    assert_string_equal(config.address, "127.0.0.1:8200");
    assert_string_equal(config.tls.cert_file, "c");
    assert_string_equal(config.tls.key_file, "k");
    assert_string_equal(config.tls.client_ca_file, "a");
    assert_string_equal(config.tls.min_version, "tls13");
    assert_true(config.tls.require_client_cert);
    assert_false(config.tls.disable_client_certs);
    server_config_done(&config);
}

static void test_server_config__a_later_text_wins(void **state)
{
    (void)state;
    struct server_config config = {0};
    assert_int_equal(
        read_text("storage \"file\" { path = \"a\" }\napi_addr = \"x\"\n", &config, NULL), ERRC_OK);
    assert_int_equal(read_text("storage \"inmem\" {}\napi_addr = \" y \"\n", &config, NULL),
                     ERRC_OK);
    assert_string_equal(config.storage, "inmem");
    assert_string_equal(config.api_address, "y");
    assert_null(config.notes[0]);
    server_config_done(&config);
}

static void test_server_config__what_is_not_known_is_noted_with_its_place(void **state)
{
    (void)state;
    struct server_config config = {0};
    const char *text = "storage \"inmem\" {}\nwhat = 1\nlistener \"tcp\" {\n  that = 2\n}\n"
                       "listener \"tcp\" {}\ntelemetry { prometheus_retention_time = \"1h\" }\n";
    static const char *const notes[] = {
        "unknown or unsupported field what found in configuration at c.hcl:2:1",
        "unknown or unsupported field that found in configuration at c.hcl:4:3",
        "only the first listener is served, the one at c.hcl:6:16 is left out",
    };
    assert_int_equal(read_text(text, &config, NULL), ERRC_OK);
    for (size_t i = 0; i < COUNT(notes); i++)
        assert_string_equal(config.notes[i], notes[i]);
    assert_null(config.notes[3]);
    server_config_done(&config);
}

static void test_server_config__more_notes_than_there_is_room_for_are_left_out(void **state)
{
    (void)state;
    struct server_config config = {0};
    for (int i = 0; i < 100; i++)
        assert_int_equal(read_text("a = 1\nb = 2\n", &config, NULL), ERRC_OK);
    assert_non_null(config.notes[SERVER_CONFIG_NOTES_MAX - 2]);
    assert_null(config.notes[SERVER_CONFIG_NOTES_MAX - 1]);
    server_config_done(&config);
}

static void test_server_config__every_complaint_names_the_file_and_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint;
    } bad[] = {
        {"storage \"inmem\" {", "from c.hcl: At 1:19: object expected closing RBRACE got: EOF"},
        {"\nstorage = 5", "from c.hcl: At 2:11: error parsing 'storage'"},
        {"seal \"pkcs11\" {}", "from c.hcl: At 1:15: seal \"pkcs11\" is not supported"},
        {"api_addr = [1]", "from c.hcl: At 1:12: \"api_addr\" wants a plain value"},
        {"max_lease_ttl = \"x\"", "from c.hcl: At 1:17: \"max_lease_ttl\": time: invalid duration"},
        {"storage \"etcd\" {}", "from c.hcl: At 1:16: Unknown storage type etcd"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct server_config config = {0};
        struct errc_why why = {""};
        assert_int_not_equal(read_text(bad[i].text, &config, &why), ERRC_OK);
        if (strstr(why.text, bad[i].complaint) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", bad[i].complaint, why.text);
        server_config_done(&config);
    }
}

static void test_server_config__parts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "storage \"file\" {}",
        "storage \"inmem\" {}\nlistener \"tcp\" {}",
        "storage \"inmem\" {}\nlistener \"tcp\" { tls_cert_file = \"c\" }",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct server_config config = {0};
        struct errc_why why = {""};
        assert_int_equal(read_text(bad[i], &config, &why), ERRC_OK);
        assert_int_equal(server_config_check(&config, &why), ERRC_USAGE);
        assert_true(why.text[0] != '\0');
        server_config_done(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_config__blocks_have_the_same_meaning_in_all_spellings),
        cmocka_unit_test(test_server_config__the_listener_says_how_tls_is_spoken),
        cmocka_unit_test(test_server_config__a_later_text_wins),
        cmocka_unit_test(test_server_config__what_is_not_known_is_noted_with_its_place),
        cmocka_unit_test(test_server_config__more_notes_than_there_is_room_for_are_left_out),
        cmocka_unit_test(test_server_config__every_complaint_names_the_file_and_the_place),
        cmocka_unit_test(test_server_config__parts_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
