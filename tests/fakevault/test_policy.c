/* Policies as a real Vault 1.14.9 reads them, and what it says about those that are none. */
#include "base/count.h"
#include "base/units.h"
#include "tests/fakevault/cmocka_first.h"

#include <string.h>

#include "base/text/jsonread.h"
#include "fakevault/core/policy/acl.h"
#include "fakevault/core/policy/hcl.h"
#include "fakevault/core/policy/policy_builtin.h"

static const struct {
    const char *text;
    const char *error; /* behind "failed to parse policy: "; "" for none */
} texts[] = {
    {"a = 1 b = ", "1 error occurred:\n\t* invalid key \"a\" on line 1\n\n"},
    {"\"x\" = ", ""}, /* what has no value is not there */
    {"a = [1", "At 1:9: error parsing list, expected comma or list end, got: EOF"},
    {"path a rea\xc2\x9b }", "At 1:11: illegal char"},
    {"path \"a\" {}", ""},
    {"path \"a\" { capabilities = [\"read\"] }", ""},
    {"path \"a\" { capabilities = [\"foo\"] }", "path \"a\": invalid capability \"foo\""},
    {"path \"a\" { policy = \"read\" }", ""},
    {"path \"a\" { policy = \"x\" }", "path \"a\": invalid policy \"x\""},
    {"path \"a\" { policy = 5 }", "path \"a\": invalid policy \"5\""},
    {"path \"a\" { policy = true }",
     "path \"a\": At 1:21: root.Policy: unknown type for string *ast.LiteralType"},
    {"path \"a\" { policy = [\"a\"] }",
     "path \"a\": At 1:21: root.Policy: unknown type for string *ast.ListType"},
    {"path \"a\" { capabilities = \"read\" }",
     "path \"a\": At 1:27: unknown slice type: *ast.LiteralType"},
    {"path \"a\" { capabilities = [1, true] }",
     "path \"a\": At 1:31: root.Capabilities[1]: unknown type for string *ast.LiteralType"},
    {"path \"a\" { capabilities = [\"read\" \"list\"] }",
     "At 1:35: error parsing list, expected comma or list end, got: STRING"},
    {"path \"a\" { capabilities = [\"read\",] }", ""},
    {"path \"a\" { capabilities = [\"read\"",
     "At 1:34: error parsing list, expected comma or list end, got: EOF"},
    {"path \"a\" {", "At 1:12: object expected closing RBRACE got: EOF"},
    {"path \"a\"", "At 1:9: key 'path \"a\"' expected start of object ('{') or assignment ('=')"},
    {"path {", "At 1:8: object expected closing RBRACE got: EOF"},
    {"path \"a\" \"b\" { policy = \"read\" }", ""},
    {"path = \"x\"", "path \"path\": cannot check HCL keys of type *ast.LiteralType"},
    {"path = { a = 1 }", "1 error occurred:\n\t* path \"path\": invalid key \"a\" on line 1\n\n"},
    {"path \"a\" = \"b\"", "At 1:10: nested object expected: LBRACE got: ASSIGN"},
    {"foo = 1", "1 error occurred:\n\t* invalid key \"foo\" on line 1\n\n"},
    {"foo = 1\nbar \"x\" {}", "2 errors occurred:\n\t* invalid key \"foo\" on line 1\n\t* invalid "
                              "key \"bar\" on line 0\n\n"},
    {"path \"a\" { foo = 1\n bar {} }",
     "2 errors occurred:\n\t* path \"a\": invalid key \"foo\" on line 1\n\t* path \"a\": invalid "
     "key \"bar\" on line 0\n\n"},
    {"path \"a\" { comment = \"x\" }", ""},
    {"# only comment", ""},
    {"// c\n/* x\ny */path \"a\" { policy=\"sudo\" }", ""},
    {"/ x", "At 1:1: expected '/' for comment"},
    {"/* open", "At 1:8: comment not terminated"},
    {"path \"a\" { policy = \"read\" } # end", ""},
    {"path \"a+*\" {}", "path \"a+*\": invalid use of wildcards ('+*' is forbidden)"},
    {"path \"+\" {}", ""},
    {"path \"a/+/b*\" { policy=\"read\"}", ""},
    {"path \"{{identity.entity.id}}\" {}", ""},
    {"path \"{{a\" {}", "failed to validate policy templating: unbalanced templating characters"},
    {"path \"a}}\" {}", "failed to validate policy templating: unbalanced templating characters"},
    {"path \"{{a}}{{b\" {}",
     "failed to validate policy templating: unbalanced templating characters"},
    {"path \"a{{ {{x}} }}\" {}",
     "failed to validate policy templating: unbalanced templating characters"},
    {"path \"a\" { min_wrapping_ttl = 5 }", ""},
    {"path \"a\" { min_wrapping_ttl = \"5x\" }",
     "error parsing min_wrapping_ttl: time: unknown unit \"x\" in duration \"5x\""},
    {"path \"a\" { min_wrapping_ttl = true }",
     "error parsing min_wrapping_ttl: could not parse duration from input"},
    {"path \"a\" { max_wrapping_ttl = [1] }",
     "error parsing max_wrapping_ttl: could not parse duration from input"},
    {"path \"a\" { max_wrapping_ttl = 1.5 }", ""},
    {"path \"a\" { min_wrapping_ttl=\"2h\" max_wrapping_ttl=\"1h\"}",
     "max_wrapping_ttl cannot be less than min_wrapping_ttl"},
    {"path \"a\" { allowed_parameters = { \"x\" = [\"y\"] } }", ""},
    {"path \"a\" { allowed_parameters = { \"x\" = \"y\" } }",
     "path \"a\": At 1:41: unknown slice type: *ast.LiteralType"},
    {"path \"a\" { allowed_parameters = [\"x\"] }",
     "path \"a\": At 1:33: root.allowed_parameters: not an object type for map (*ast.ListType)"},
    {"path \"a\" { allowed_parameters = \"x\" }",
     "path \"a\": At 1:33: root.allowed_parameters: not an object type for map (*ast.LiteralType)"},
    {"path \"a\" { denied_parameters { x = [] } }", ""},
    {"path \"a\" { required_parameters = [\"x\"] }", ""},
    {"path \"a\" { required_parameters = \"x\" }",
     "path \"a\": At 1:34: unknown slice type: *ast.LiteralType"},
    {"path \"a\" { mfa_methods = \"x\" }",
     "path \"a\": At 1:26: unknown slice type: *ast.LiteralType"},
    {"path \"a\" { control_group = { } }", "no control group factors provided"},
    {"path \"a\" { control_group = { factor \"x\" { } } }", "no control_group factor provided"},
    {"path \"a\" { control_group = { factor \"x\" { identity { group_names = [\"a\"] approvals = 1 "
     "} } } }",
     ""},
    {"path \"a\" { control_group = { factor \"x\" { identity { group_names = [\"a\"] } } } }",
     "must provide more than one identity group and approvals > 0"},
    {"path \"a\" { capabilities = [\"deny\", \"foo\"] min_wrapping_ttl = \"zz\" }", ""},
    {"path \"a\" { capabilities = [\"foo\", \"deny\"] }", "path \"a\": invalid capability \"foo\""},
    {"name = \"x\"\npath \"a\" {policy=\"read\"}", ""},
    {"name = [\"x\"]", "At 1:8: root.name: unknown type for string *ast.ListType"},
    {"name = 5", ""},
    {"Name = \"x\"", "1 error occurred:\n\t* invalid key \"Name\" on line 1\n\n"},
    {"PATH \"a\" {}", "1 error occurred:\n\t* invalid key \"PATH\" on line 0\n\n"},
    {"path \"a\" { capabilities = <<EOF\nread\nEOF\n }",
     "path \"a\": At 1:27: unknown slice type: *ast.LiteralType"},
    {"path \"a\" { capabilities = [<<EOF\nread\nEOF\n] }",
     "path \"a\": invalid capability \"read\\n\""},
    {"path \"a\" { policy = <<-EOF\n  read\n  EOF\n }", "path \"a\": invalid policy \"read\\n\""},
    {"path \"a\" { policy = <<EOF\nread\nEOF\n }", "path \"a\": invalid policy \"read\\n\""},
    {"path \"a\" { policy = <<EOF\nread", "At 2:5: heredoc not terminated"},
    {"path \"a\\x\" {}", "At 1:14: literal not terminated"},
    {"path \"a\\\"b\" { policy = \"read\" }", ""},
    {"path \"a\\q\" {}", "At 1:9: illegal char escape"},
    {"path \"a\n\" {}", "At 2:5: literal not terminated"},
    {"path \"a\" { policy = \"re${ad}\" }", "path \"a\": invalid policy \"re${ad}\""},
    {"path \"${\n}\" {}", ""},
    {"path a { policy = \"read\" }", ""},
    {"path a.b-c { }", ""},
    {"path \"a\" { policy = @ }", "At 1:21: illegal char"},
    {"path \"a\" { @ }", "At 1:12: illegal char"},
    {"@", "At 1:1: illegal char"},
    {"\"x\" = 1", "1 error occurred:\n\t* invalid key \"x\" on line 1\n\n"},
    {"{}", ""},
    {"{\"path\":{\"a\":{\"policy\":\"read\"}}}", ""},
    {"{\"path\":{\"a\":{\"capabilities\":[\"foo\"]}}}", "path \"a\": invalid capability \"foo\""},
    {"{\"path\":[{\"a\":{\"policy\":\"read\"}},{\"b\":{\"policy\":\"x\"}}]}",
     "path \"b\": invalid policy \"x\""},
    {"{\"foo\":1}", "1 error occurred:\n\t* invalid key \"foo\" on line 1\n\n"},
    {"{\"path\":\"x\"}", "path \"path\": cannot check HCL keys of type *ast.LiteralType"},
    {"{\"path\":5}", "path \"path\": cannot check HCL keys of type *ast.LiteralType"},
    {"{\"path\":{}}", ""},
    {"{\"path\":{\"a\":{}}}", ""},
    {"{\"path\":{\"a\":{\"policy\":\"read\"}", ""},
    {"{\"path\" 5}", "expected: STRING got: NUMBER"},
    {"{5:1}", "expected: STRING got: NUMBER"},
    {"{\"a\":@}", "1:6: illegal char: @"},
    {"{\"a\":[}", ""},
    {"[1]", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK"},
    {"{\"path\":{\"a\":{\"allowed_parameters\":{\"x\":[\"y\"]},\"policy\":\"read\"}}}", ""},
    {"{\"path\":{\"a\":{\"allowed_parameters\":{\"x\":[\"y\"]}}}}",
     "1 error occurred:\n\t* path \"a\": invalid key \"x\" on line 1\n\n"},
    {"{\"path\":{\"a\":{\"capabilities\":[true,\"read\",[\"x\"]]}}}",
     "path \"a\": invalid capability \"x\""},
    {"{\"path\":{\"a\":null}}",
     "1 error occurred:\n\t* path \"path\": invalid key \"a\" on line 1\n\n"},
    {"{\"path\":{\"a\":{\"policy\":null}}}", ""},
    {"path \"a\" { policy = \"read\", capabilities = [\"list\"] }", ""},
    {"path \"a\" { policy = \"read\" capabilities = [\"list\"] },", ""},
    {"a = 1 b = 2",
     "2 errors occurred:\n\t* invalid key \"a\" on line 1\n\t* invalid key \"b\" on line 1\n\n"},
    {"a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN"},
    {"= 1", "At 1:1: no object keys found!"},
    {"path \"a\" { = 1 }", "At 1:12: no object keys found!"},
    {"path \"a\" { capabilities = }", "At 1:28: object expected closing RBRACE got: EOF"},
    {"path \"a\" { capabilities = [", "At 1:28: unexpected token while parsing list: EOF"},
    {"path \"a\" { capabilities = [[[\"read\"]]] }",
     "path \"a\": At 1:28: root.Capabilities[0]: unknown type for string *ast.ListType"},
    {"path \"a\" { capabilities = [{a=1}] }",
     "path \"a\": At 1:28: root.Capabilities[0]: unknown type for string *ast.ObjectType"},
    {"path \"a\" { capabilities = {a=1} }",
     "path \"a\": At 1:28: root.Capabilities[0]: unknown type for string *ast.ObjectItem"},
    {"path \"a\" { capabilities \"x\" { } }",
     "path \"a\": At 1:25: root.Capabilities[0]: unknown type for string *ast.ObjectItem"},
    {"path \"a\" { capabilities = [\"read\"] capabilities = [\"list\"] }", ""},
    {"path \"/a\" { policy = \"read\" }", ""},
    {"path \"\" { policy = \"read\" }", ""},
    {"path \"*\" { policy = \"sudo\" }", ""},
    {"path \"a**\" { policy = \"read\" }", ""},
    {"path \"a\" { min_wrapping_ttl = 0x10 }", ""},
    {"path \"a\" { min_wrapping_ttl = 089 }", "At 1:34: illegal octal number"},
    {"path \"a\" { min_wrapping_ttl = -5 }", ""},
    {"path \"a\" { min_wrapping_ttl = - }", "At 1:31: Unknown token: 1:31 SUB -"},
    {"path \"a\" { min_wrapping_ttl = .5 }", ""},
    {"path \"a\" { min_wrapping_ttl = 1e18 }", ""},
    {"path \"a\" { max_wrapping_ttl = -99999999999999999999 }", ""},
    {"path \"a\" { min_wrapping_ttl = 1e3 }", ""},
    {"path \"a\" { min_wrapping_ttl = + }", "At 1:31: Unknown token: 1:31 ADD +"},
    {"path \"é\" { policy = \"read\" }", ""},
    {"é = 1", "1 error occurred:\n\t* invalid key \"é\" on line 1\n\n"},
    {"path \"a\" { allowed_parameters = { \"*\" = [] } }", ""},
    {"path \"a\" { policy = \"write\" }\r\npath \"b\" {\r\n policy = \"x\"\r\n}",
     "path \"b\": invalid policy \"x\""},
};

static void test_policy__says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct policy *policy = NULL;
        struct errc_why why = {{0}};
        char want[ERRC_WHY_MAX] = "";
        enum errc code = policy_parse(SLICE_LITERAL("p"), slice_of(texts[i].text), &policy, &why);
        policy_free(policy);
        if (texts[i].error[0] != '\0')
            (void)snprintf(want, sizeof want, "failed to parse policy: %s", texts[i].error);
        if (strcmp(why.text, want) != 0 || (code == ERRC_OK) != (want[0] == '\0'))
            fail_msg("%s\n  says: %s\n  want: %s", texts[i].text, why.text, want);
    }
}

/* --- rules ------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    const char *path;
    bool prefix, segments;
    unsigned capabilities;
} rules[] = {
    {"path \"/a/*\" { capabilities = [\"read\", \"list\"] }", "a/", true, false,
     POLICY_READ | POLICY_LIST},
    {"path \"a/+/b*\" { policy = \"sudo\" }", "a/+/b*", false, true,
     POLICY_CREATE | POLICY_READ | POLICY_UPDATE | POLICY_DELETE | POLICY_LIST | POLICY_SUDO},
    {"path \"a\" { policy = \"read\" capabilities = [\"patch\"] }", "a", false, false,
     POLICY_READ | POLICY_LIST | POLICY_PATCH},
    {"path \"a\" { capabilities = [\"read\", \"deny\", \"what\"] }", "a", false, false,
     POLICY_DENY},
    {"path \"a\" { policy = \"deny\" capabilities = [\"read\"] }", "a", false, false, POLICY_DENY},
    {"path \"a\\x41\\u00e9\\101\" { }",
     "aA\xc3\xa9"
     "A",
     false, false, 0},
    {"path \"**\" { }", "*", true, false, 0},
    {"{\"path\":{\"a\":{\"capabilities\":[\"delete\"]}}}", "a", false, false, POLICY_DELETE},
};

static void test_policy__reads_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct policy *policy = NULL;
        assert_int_equal(policy_parse(SLICE_LITERAL("p"), slice_of(rules[i].text), &policy, NULL),
                         ERRC_OK);
        assert_int_equal(policy->rule_count, 1);
        assert_string_equal(policy->rules[0].path, rules[i].path);
        assert_int_equal(policy->rules[0].prefix, rules[i].prefix);
        assert_int_equal(policy->rules[0].segments, rules[i].segments);
        assert_int_equal(policy->rules[0].capabilities, rules[i].capabilities);
        policy_free(policy);
    }
}

static void expect_literal(const char *text, const char *value)
{
    struct hcl tree CLEANUP(hcl_done);
    assert_int_equal(hcl_parse(slice_of(text), &tree, NULL), ERRC_OK);
    assert_int_equal(tree.items->value->kind, HCL_LITERAL);
    struct slice got = tree.items->value->text;
    if (!slice_equal_text(got, value))
        fail_msg("%s\n  is \"%.*s\"\n  want \"%s\"", text, SLICE_FMT(got), value);
}

static void test_hcl__heredocs_lose_their_indentation_on_request(void **state)
{
    (void)state;
    expect_literal("a = <<EOF\n  x\n y\nEOF\n", "  x\n y\n");
    expect_literal("a = <<-EOF\n    x\n  y\n  EOF\n", "  x\ny\n");
    expect_literal("a = <<-EOF\n x\n  y\n  EOF\n", " x\n  y\n");
    expect_literal("a = \"${\"quoted\"} \\n\"", "${\"quoted\"} \n");
}

static void test_hcl__nesting_has_an_end(void **state)
{
    (void)state;
    char deep[1005] = "a =";
    struct errc_why why = {{0}};
    memset(deep + 3, '[', 1000);
    struct hcl tree;
    assert_int_equal(hcl_parse(slice_of(deep), &tree, &why), ERRC_SYNTAX);
    hcl_done(&tree);
}

/* --- ACLs ------------------------------------------------------------------------------------- */

static struct acl *build(const char *const *sources, size_t count)
{
    struct policy *policies[4] = {0};
    struct acl *acl = NULL;
    for (size_t i = 0; i < count; i++) {
        struct errc_why why = {{0}};
        if (policy_parse(SLICE_LITERAL("p"), slice_of(sources[i]), &policies[i], &why) != ERRC_OK)
            fail_msg("%s: %s", sources[i], why.text);
    }
    assert_int_equal(acl_new((const struct policy *const *)policies, 4, &acl), ERRC_OK);
    for (size_t i = 0; i < count; i++)
        policy_free(policies[i]);
    return acl;
}

#define RULE(path, capability) "path \"" path "\" { capabilities = [\"" capability "\"] }\n"

/* Each rule grants another capability, so that the answer tells which one decided. */
static void test_acl__the_closest_rule_decides(void **state)
{
    (void)state;
    static const char *const source[] = {
        RULE("a/b", "read") RULE("a/*", "update") RULE("a/+/c", "delete") RULE("a/+/*", "list")
            RULE("+/x/c", "sudo") RULE("a/b/*", "create") RULE("d/+/+", "read")
                RULE("d/+/e*", "update") RULE("d/+/ef*", "delete") RULE("d/g/+", "list")
                    RULE("+", "patch") RULE("deny/*", "deny") RULE("deny/not", "read")};
    static const struct {
        const char *path;
        unsigned capabilities;
    } rows[] = {
        {"a/b", POLICY_READ},       {"/a/b", POLICY_READ},
        {"a/b/", POLICY_READ}, /* asked as a list is */
        {"a/c", POLICY_UPDATE},     {"a/z/c", POLICY_DELETE},
        {"a/z/d", POLICY_UPDATE}, /* fewer wildcards */
        {"a/b/c", POLICY_CREATE},   {"q/x/c", POLICY_SUDO},
        {"q/x/d", POLICY_DENY},     {"d/1/2", POLICY_READ},
        {"d/1/e", POLICY_READ},     {"d/1/ef/g", POLICY_DELETE},
        {"d/1/e/g", POLICY_UPDATE}, {"d/g/ef", POLICY_LIST},
        {"q", POLICY_PATCH},        {"deny/x", POLICY_DENY},
        {"deny/not", POLICY_READ},  {"", POLICY_PATCH},
    };
    struct acl *acl = build(source, 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned got = acl_capabilities(acl, slice_of(rows[i].path));
        if (got != rows[i].capabilities)
            fail_msg("%s: capabilities %x, want %x", rows[i].path, got, rows[i].capabilities);
    }
    acl_free(acl);
}

static bool allows(const struct acl *acl, enum route_operation operation, const char *path,
                   const char *data, int64_t wrap_ttl_s, bool sudo)
{
    json_t *tree CLEANUP(jsonread_done) = NULL;
    if (data != NULL)
        tree = json_loads(data, JSON_DECODE_ANY, NULL);
    struct acl_request request = {operation, slice_of(path), tree, wrap_ttl_s * NS_PER_S, sudo};
    return acl_allows(acl, &request);
}

static void test_acl__operations_need_their_capability(void **state)
{
    (void)state;
    static const char *const source[] = {
        RULE("c", "create") RULE("u", "update") RULE("l", "list") RULE("p", "patch")
            RULE("d", "delete")
                RULE("r", "read") "path \"s\" { capabilities = [\"read\", \"sudo\"] }"};
    static const struct {
        enum route_operation operation;
        const char *path;
    } pairs[] = {{ROUTE_CREATE, "c"}, {ROUTE_UPDATE, "u"}, {ROUTE_LIST, "l/"},
                 {ROUTE_PATCH, "p"},  {ROUTE_DELETE, "d"}, {ROUTE_READ, "r"}};
    struct acl *acl = build(source, 1);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            assert_int_equal(allows(acl, pairs[i].operation, pairs[j].path, NULL, 0, false),
                             i == j);
    assert_true(allows(acl, ROUTE_READ, "s", NULL, 0, true));
    assert_false(allows(acl, ROUTE_READ, "r", NULL, 0, true));
    acl_free(acl);
}

#define PARAMETERS                                                                                 \
    "path \"a\" { capabilities = [\"update\"]\n"                                                   \
    "  allowed_parameters = { \"Kind\" = [\"x*\", \"*y\", \"*z*\", true, 5], \"any\" = [] }\n"     \
    "  denied_parameters = { \"any\" = [\"no\"] } }\n"                                             \
    "path \"o\" { capabilities = [\"update\"]\n"                                                   \
    "  allowed_parameters = { \"kind\" = [\"x\"] \"*\" = [] } required_parameters = [\"Id\"] }\n"  \
    "path \"n\" { capabilities = [\"update\"] denied_parameters = { \"*\" = [] } }\n"

static void test_acl__parameters_decide_too(void **state)
{
    (void)state;
    static const char *const source[] = {PARAMETERS};
    static const struct {
        const char *path;
        const char *data;
        bool allowed;
    } rows[] = {
        {"a", NULL, true},
        {"a", "{}", true},
        {"a", "{\"kind\":\"x\"}", true},
        {"a", "{\"KIND\":\"xx\"}", true},
        {"a", "{\"kind\":\"ay\"}", true},
        {"a", "{\"kind\":\"azb\"}", true},
        {"a", "{\"kind\":\"b\"}", false},
        {"a", "{\"kind\":true}", true},
        {"a", "{\"kind\":5}", false}, /* a number of HCL is none of JSON */
        {"a", "{\"kind\":null}", false},
        {"a", "{\"other\":1}", false},
        {"a", "{\"any\":{\"b\":1}}", true},
        {"a", "{\"any\":\"no\"}", false},
        {"o", NULL, false},
        {"o", "{\"id\":1}", true},
        {"o", "{\"ID\":1}", false}, /* required ones are looked for in lower case */
        {"o", "{\"id\":1,\"other\":2}", true},
        {"o", "{\"id\":1,\"kind\":\"z\"}", false},
        {"n", NULL, true},
        {"n", "{\"x\":1}", false},
    };
    struct acl *acl = build(source, 1);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (allows(acl, ROUTE_UPDATE, rows[i].path, rows[i].data, 0, false) != rows[i].allowed)
            fail_msg("%s %s", rows[i].path, rows[i].data);
    acl_free(acl);
}

static void test_acl__wrapping_can_be_demanded(void **state)
{
    (void)state;
    static const char *const source[] = {
        "path \"a\" { capabilities = [\"read\"] min_wrapping_ttl = 60 max_wrapping_ttl = \"2m\" }"};
    struct acl *acl = build(source, 1);
    assert_false(allows(acl, ROUTE_READ, "a", NULL, 0, false));
    assert_false(allows(acl, ROUTE_READ, "a", NULL, 59, false));
    assert_true(allows(acl, ROUTE_READ, "a", NULL, 60, false));
    assert_true(allows(acl, ROUTE_READ, "a", NULL, 120, false));
    assert_false(allows(acl, ROUTE_READ, "a", NULL, 121, false));
    acl_free(acl);
}

static void test_acl__several_policies_are_merged(void **state)
{
    (void)state;
    static const char *const source[] = {
        RULE("a", "read") RULE("b", "deny")
            RULE("c", "read") "path \"p\" { capabilities = [\"update\"] allowed_parameters = { "
                              "\"x\" = [\"1\"] } }",
        RULE("a", "list") RULE("b", "read")
            RULE("c", "deny") "path \"p\" { capabilities = [\"update\"] allowed_parameters = { "
                              "\"x\" = [\"2\"] } }"};
    struct acl *acl = build(source, 2);
    assert_int_equal(acl_capabilities(acl, SLICE_LITERAL("a")), POLICY_READ | POLICY_LIST);
    assert_int_equal(acl_capabilities(acl, SLICE_LITERAL("b")), POLICY_DENY);
    assert_int_equal(acl_capabilities(acl, SLICE_LITERAL("c")), POLICY_DENY);
    assert_true(allows(acl, ROUTE_UPDATE, "p", "{\"x\":\"1\"}", 0, false));
    assert_true(allows(acl, ROUTE_UPDATE, "p", "{\"x\":\"2\"}", 0, false));
    assert_false(allows(acl, ROUTE_UPDATE, "p", "{\"x\":\"3\"}", 0, false));
    acl_free(acl);
}

static void test_acl__a_mount_is_seen_by_who_may_do_something_there(void **state)
{
    (void)state;
    static const char *const source[] = {RULE("a/x", "read") RULE("b/*", "deny") RULE(
        "c/d/", "deny") RULE("+/e/f", "list") RULE("sec*", "read")};
    struct acl *acl = build(source, 1);
    assert_true(acl_sees_mount(acl, SLICE_LITERAL("a/")));
    assert_true(acl_sees_mount(acl, SLICE_LITERAL("secret/")));
    assert_true(acl_sees_mount(acl, SLICE_LITERAL("any/")));
    assert_true(acl_sees_mount(acl, SLICE_LITERAL("any/e/")));
    assert_false(acl_sees_mount(acl, SLICE_LITERAL("c/d/")));
    assert_false(acl_sees_mount(acl, SLICE_LITERAL("any/g/")));
    acl_free(acl);
}

static void test_acl__templates_fit_nobody(void **state)
{
    (void)state;
    const char *source[] = {policy_builtin_all[1].text};
    assert_string_equal(policy_builtin_all[1].name, "default");
    struct acl *acl = build(source, 1);
    assert_int_equal(acl_capabilities(acl, SLICE_LITERAL("auth/token/lookup-self")), POLICY_READ);
    assert_int_equal(
        acl_capabilities(acl, SLICE_LITERAL("identity/entity/id/{{identity.entity.id}}")),
        POLICY_DENY);
    assert_int_equal(acl_capabilities(acl, SLICE_LITERAL("identity/oidc/provider/x/authorize")),
                     POLICY_READ | POLICY_UPDATE);
    assert_false(acl_is_root(acl));
    acl_free(acl);
}

/* A policy may have the size of a body. What takes the square of that never ends. */
static void test_acl__many_rules_keys_and_names_take_no_square(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64u << 20);
    for (int i = MANY; i > 0; i--)
        buf_addf(&text, "path \"p/%06d\" { policy = \"read\" }\n", i);
    buf_add_text(&text, "path \"q\" { capabilities = [\"update\"] required_parameters = [\"A\"");
    for (int i = 0; i < MANY; i++)
        buf_addf(&text, ",\"%06d\"", i);
    buf_add_text(&text, "] }\npath \"r\"");
    for (int i = 0; i < MANY; i++)
        buf_add_text(&text, " k");
    buf_add_text(&text, " { policy = \"read\" }");
    const char *source = buf_text(&text);
    struct acl *acl = build(&source, 1);
    assert_true(allows(acl, ROUTE_READ, "p/000001", NULL, 0, false));
    assert_true(allows(acl, ROUTE_READ, "p/099999", NULL, 0, false));
    assert_false(allows(acl, ROUTE_READ, "p/100001", NULL, 0, false));
    assert_false(allows(acl, ROUTE_UPDATE, "q", "{\"a\":1}", 0, false));
    assert_true(allows(acl, ROUTE_READ, "r", NULL, 0, false));
    acl_free(acl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__says_what_is_wrong),
        cmocka_unit_test(test_policy__reads_rules),
        cmocka_unit_test(test_hcl__heredocs_lose_their_indentation_on_request),
        cmocka_unit_test(test_hcl__nesting_has_an_end),
        cmocka_unit_test(test_acl__the_closest_rule_decides),
        cmocka_unit_test(test_acl__operations_need_their_capability),
        cmocka_unit_test(test_acl__parameters_decide_too),
        cmocka_unit_test(test_acl__wrapping_can_be_demanded),
        cmocka_unit_test(test_acl__several_policies_are_merged),
        cmocka_unit_test(test_acl__a_mount_is_seen_by_who_may_do_something_there),
        cmocka_unit_test(test_acl__templates_fit_nobody),
        cmocka_unit_test(test_acl__many_rules_keys_and_names_take_no_square),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
