/*
 * fuzz_policy: a text is a policy, and then the ACL of it answers for every path in it; or it is
 * none, and then a sentence says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/core/policy/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition)
        abort();
}

/* Rules that grant something are found under their own path. */
static void check_rules(const struct policy *policy, const struct acl *acl)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct policy_rule *rule = &policy->rules[i];
        struct acl_request request = {.operation = ROUTE_LIST, .path = slice_of(rule->path)};
        unsigned bits = acl_capabilities(acl, request.path);
        demand(bits != 0 && (bits & POLICY_ROOT) == 0);
        bool allowed = acl_allows(acl, &request);
        demand(!allowed || (bits & POLICY_LIST) != 0);
        (void)acl_sees_mount(acl, request.path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errc_why why = {{0}};
    struct policy *policy = NULL;
    struct acl *acl = NULL;
    enum errc code = policy_parse(SLICE_LITERAL("p"), slice_bytes(data, size), &policy, &why);
    if (code != ERRC_OK) {
        demand(strncmp(why.text, "failed to parse policy: ", 24) == 0);
        return 0;
    }
    const struct policy *const list[] = {policy, NULL, policy};
    demand(acl_new(list, 3, &acl) == ERRC_OK);
    check_rules(policy, acl);
    acl_free(acl);
    policy_free(policy);
    return 0;
}
