#include "fakevault/core/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text/buf.h"
#include "base/text/jsonread.h"
#include "base/units.h"
#include "fakevault/core/http/gotext.h"
#include "fakevault/core/http/weak.h"
#include "fakevault/core/policy/hcl.h"
#include "fakevault/core/policy/hcldecode.h"

#define SHOWN_MAX (4 * ERRC_WHY_MAX)

static const struct {
    const char *name;
    unsigned bit;
} capabilities[] = {
    {"create", POLICY_CREATE}, {"read", POLICY_READ}, {"update", POLICY_UPDATE},
    {"delete", POLICY_DELETE}, {"list", POLICY_LIST}, {"sudo", POLICY_SUDO},
    {"patch", POLICY_PATCH},
};

#define WRITES (POLICY_CREATE | POLICY_READ | POLICY_UPDATE | POLICY_DELETE | POLICY_LIST)

/* What `policy = "..."` of old stands for. */
static const struct {
    const char *name;
    unsigned bits;
} old_policies[] = {
    {"deny", POLICY_DENY},
    {"read", POLICY_READ | POLICY_LIST},
    {"write", WRITES},
    {"sudo", WRITES | POLICY_SUDO},
};

static const char *const top_keys[] = {"name", "path", NULL};
static const char *const path_keys[] = {"comment",
                                        "policy",
                                        "capabilities",
                                        "allowed_parameters",
                                        "denied_parameters",
                                        "required_parameters",
                                        "min_wrapping_ttl",
                                        "max_wrapping_ttl",
                                        "mfa_methods",
                                        "control_group",
                                        NULL};

static enum errc no_memory(struct errc_why *why)
{
    return errc_fail(why, ERRC_NOMEM, "out of memory");
}

/* `path "secret/x": `; nothing for NULL. */
static void add_path(const struct slice *path, struct buf *out)
{
    if (path == NULL)
        return;
    buf_add_text(out, "path ");
    gotext_quote(*path, out);
    buf_add_text(out, ": ");
}

/* `path "secret/x": what "quoted"`; either text may be NULL. */
static enum errc bad_path(struct slice path, const char *what, const struct slice *quoted,
                          struct errc_why *why)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, SHOWN_MAX);
    add_path(&path, &text);
    buf_add_text(&text, what);
    if (quoted != NULL) {
        buf_add_char(&text, ' ');
        gotext_quote(*quoted, &text);
    }
    return errc_fail(why, ERRC_SYNTAX, "%s", buf_text(&text));
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool is_one_of(struct slice key, const char *const *valid)
{
    for (; *valid != NULL; valid++)
        if (slice_equal_text(key, *valid))
            return true;
    return false;
}

/* All keys that are not valid, as go-multierror tells them. */
static enum errc check_keys(const struct hcl_item *items, const char *const *valid,
                            const struct slice *path, struct errc_why *why)
{
    unsigned count = 0;
    struct buf lines CLEANUP(buf_done);
    buf_init(&lines, SHOWN_MAX);
    for (const struct hcl_item *i = items; i != NULL; i = i->next) {
        if (is_one_of(i->keys->text, valid))
            continue;
        count++;
        buf_add_text(&lines, "\t* ");
        add_path(path, &lines);
        buf_add_text(&lines, "invalid key ");
        gotext_quote(i->keys->text, &lines);
        buf_addf(&lines, " on line %u\n", i->assign.line);
    }
    if (count == 0)
        return ERRC_OK;
    return errc_fail(why, ERRC_SYNTAX, "%u error%s occurred:\n%s\n", count, count == 1 ? "" : "s",
                     buf_text(&lines));
}

static enum errc check_path_keys(struct slice path, const struct hcl_node *value,
                                 struct errc_why *why)
{
    if (value->kind == HCL_OBJECT)
        return check_keys(value->items, path_keys, &path, why);
    struct buf text CLEANUP(buf_done);
    buf_init(&text, SHOWN_MAX);
    add_path(&path, &text);
    return errc_fail(why, ERRC_SYNTAX, "%scannot check HCL keys of type %s", buf_text(&text),
                     hcl_type_name(value));
}

/* --- the path --------------------------------------------------------------------------------- */

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Each "{{" has its "}}", and nothing is nested. */
static bool balanced(const char *text)
{
    for (;;) {
        const char *open = strstr(text, "{{"), *close = strstr(text, "}}");
        if (open == NULL)
            return close == NULL;
        if (close == NULL || close < open + 2)
            return false;
        const char *nested = strstr(open + 2, "{{");
        if (nested != NULL && nested < close)
            return false;
        text = close + 2;
    }
}

static enum errc check_template(struct slice key, struct errc_why *why)
{
    char *path = slice_dup(key);
    bool sound = path != NULL && balanced(path);
    enum errc code = path == NULL ? ERRC_NOMEM : sound ? ERRC_OK : ERRC_SYNTAX;
    free(path);
    if (code == ERRC_SYNTAX)
        return errc_fail(why, code,
                         "failed to validate policy templating: unbalanced templating characters");
    return code == ERRC_OK ? code : no_memory(why);
}

static enum errc read_path(struct slice key, struct policy_rule *rule, struct errc_why *why)
{
    rule->path = slice_dup(slice_from(key, slice_starts_with(key, "/") ? 1 : 0));
    if (rule->path == NULL)
        return no_memory(why);
    char *path = rule->path;
    size_t len = strlen(path);
    rule->templated = contains(path, "{{");
    if (contains(path, "+*"))
        return bad_path(slice_of(path), "invalid use of wildcards ('+*' is forbidden)", NULL, why);
    rule->segments = strcmp(path, "+") == 0 || contains(path, "/+") || strncmp(path, "+/", 2) == 0;
    rule->prefix = !rule->segments && len > 0 && path[len - 1] == '*';
    if (rule->prefix)
        path[len - 1] = '\0';
    return ERRC_OK;
}

/* --- capabilities ----------------------------------------------------------------------------- */

static enum errc read_old_policy(struct slice key, const struct hcl_item *items, unsigned *bits,
                                 struct errc_why *why)
{
    struct slice name = {0};
    TRY(hcldecode_string(items, "Policy", &name, why));
    if (name.len == 0)
        return ERRC_OK;
    for (size_t i = 0; i < COUNT(old_policies); i++)
        if (slice_equal_text(name, old_policies[i].name)) {
            *bits = old_policies[i].bits;
            return ERRC_OK;
        }
    return bad_path(key, "invalid policy", &name, why);
}

static unsigned capability_bit(const char *name)
{
    for (size_t i = 0; i < COUNT(capabilities); i++)
        if (strcmp(name, capabilities[i].name) == 0)
            return capabilities[i].bit;
    return 0;
}

/* "deny" ends it: nothing else counts then. */
static enum errc add_capabilities(struct slice key, const json_t *list, unsigned *bits,
                                  struct errc_why *why)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        struct slice quoted = slice_of(name);
        if (strcmp(name, "deny") == 0) {
            *bits = POLICY_DENY;
            return ERRC_OK;
        }
        if (capability_bit(name) == 0)
            return bad_path(key, "invalid capability", &quoted, why);
        *bits |= capability_bit(name);
    }
    return ERRC_OK;
}

/* --- wrapping and control groups -------------------------------------------------------------- */

/* A number of seconds as Go turns it into a duration, which wraps around where it does not fit. */
static int64_t seconds_as_ns(double seconds)
{
    bool fits = seconds >= (double)INT64_MIN && seconds < -(double)INT64_MIN;
    uint64_t whole = fits ? (uint64_t)(int64_t)seconds : (uint64_t)INT64_MIN;
    return (int64_t)(whole * (uint64_t)NS_PER_S);
}

static enum errc read_ttl(const struct hcl_item *items, const char *name, int64_t *out_ns,
                          struct errc_why *why)
{
    json_t *value CLEANUP(jsonread_done) = NULL;
    TRY(hcldecode_any(items, name, &value, why));
    if (json_is_real(value)) {
        *out_ns = seconds_as_ns(json_real_value(value));
        return ERRC_OK;
    }
    if (weak_duration(value, out_ns, why) == ERRC_OK)
        return ERRC_OK;
    struct errc_why inner = *why;
    return errc_fail(why, ERRC_SYNTAX, "error parsing %s: %.400s", name, inner.text);
}

static enum errc read_ttls(const struct hcl_item *items, struct policy_rule *rule,
                           struct errc_why *why)
{
    TRY(read_ttl(items, "min_wrapping_ttl", &rule->min_wrapping_ttl_ns, why));
    TRY(read_ttl(items, "max_wrapping_ttl", &rule->max_wrapping_ttl_ns, why));
    if (rule->min_wrapping_ttl_ns != 0 && rule->max_wrapping_ttl_ns != 0 &&
        rule->max_wrapping_ttl_ns < rule->min_wrapping_ttl_ns)
        return errc_fail(why, ERRC_SYNTAX, "max_wrapping_ttl cannot be less than min_wrapping_ttl");
    return ERRC_OK;
}

/* A factor names groups, and how many of their members must agree. */
static enum errc check_factor(const struct hcl_node *factor, struct errc_why *why)
{
    const struct hcl_node *identity =
        factor->kind == HCL_OBJECT ? hcldecode_find(factor->items, "identity") : NULL;
    if (identity == NULL || identity->kind != HCL_OBJECT)
        return errc_fail(why, ERRC_SYNTAX, "no control_group factor provided");
    json_t *names CLEANUP(jsonread_done) = NULL, *ids CLEANUP(jsonread_done) = NULL;
    struct slice approvals = {0};
    int64_t count = 0;
    TRY(hcldecode_strings(identity->items, "group_names", &names, why));
    TRY(hcldecode_strings(identity->items, "group_ids", &ids, why));
    TRY(hcldecode_string(identity->items, "approvals", &approvals, why));
    if (gotext_int(approvals, 0, &count, NULL) != ERRC_OK || count <= 0 ||
        json_array_size(names) + json_array_size(ids) == 0)
        return errc_fail(why, ERRC_SYNTAX,
                         "must provide more than one identity group and approvals > 0");
    return ERRC_OK;
}

/* Control groups are checked and not enforced, as by a Vault without an enterprise licence. */
static enum errc check_control_group(const struct hcl_item *items, struct errc_why *why)
{
    const struct hcl_node *group = hcldecode_find(items, "control_group");
    unsigned factors = 0;
    if (group == NULL)
        return ERRC_OK;
    for (const struct hcl_item *i = group->items; i != NULL; i = i->next)
        if (slice_equal_text(i->keys->text, "factor")) {
            TRY(check_factor(i->value, why));
            factors++;
        }
    return factors > 0 ? ERRC_OK : errc_fail(why, ERRC_SYNTAX, "no control group factors provided");
}

/* --- rules and policies ----------------------------------------------------------------------- */

/* Wrong types first, whatever the capabilities say. */
static enum errc decode(struct slice key, const struct hcl_item *items, struct policy_rule *rule,
                        json_t **names, struct errc_why *why)
{
    struct slice policy = {0};
    json_t *methods CLEANUP(jsonread_done) = NULL;
    enum errc code = hcldecode_string(items, "Policy", &policy, why);
    if (code == ERRC_OK)
        code = hcldecode_strings(items, "Capabilities", names, why);
    if (code == ERRC_OK)
        code = hcldecode_lists(items, "allowed_parameters", &rule->allowed, why);
    if (code == ERRC_OK)
        code = hcldecode_lists(items, "denied_parameters", &rule->denied, why);
    if (code == ERRC_OK)
        code = hcldecode_strings(items, "required_parameters", &rule->required, why);
    if (code == ERRC_OK)
        code = hcldecode_strings(items, "mfa_methods", &methods, why);
    if (code != ERRC_SYNTAX)
        return code;
    struct errc_why inner = *why;
    return bad_path(key, inner.text, NULL, why);
}

static enum errc read_rule(struct slice key, const struct hcl_node *value, struct policy_rule *rule,
                           struct errc_why *why)
{
    json_t *names CLEANUP(jsonread_done) = NULL;
    TRY(check_template(key, why));
    TRY(check_path_keys(key, value, why));
    TRY(decode(key, value->items, rule, &names, why));
    TRY(read_path(key, rule, why));
    TRY(read_old_policy(key, value->items, &rule->capabilities, why));
    if (rule->capabilities != POLICY_DENY)
        TRY(add_capabilities(key, names, &rule->capabilities, why));
    if (rule->capabilities == POLICY_DENY)
        return ERRC_OK;
    TRY(read_ttls(value->items, rule, why));
    return check_control_group(value->items, why);
}

static enum errc read_rules(const struct hcl_item *items, struct policy *policy,
                            struct errc_why *why)
{
    size_t count = 0;
    for (const struct hcl_item *i = items; i != NULL; i = i->next)
        count++;
    policy->rules = calloc(count + 1, sizeof *policy->rules);
    if (policy->rules == NULL)
        return no_memory(why);
    for (const struct hcl_item *i = items; i != NULL; i = i->next) {
        const struct hcl_key *key = i->keys->next;
        if (!slice_equal_text(i->keys->text, "path"))
            continue;
        struct policy_rule *rule = &policy->rules[policy->rule_count++];
        TRY(read_rule(key != NULL ? key->text : SLICE_LITERAL("path"), i->value, rule, why));
    }
    return ERRC_OK;
}

static enum errc read_all(struct policy *policy, struct errc_why *why)
{
    struct hcl tree CLEANUP(hcl_done);
    struct slice name = {0};
    TRY(hcl_parse(slice_of(policy->text), &tree, why));
    TRY(check_keys(tree.items, top_keys, NULL, why));
    TRY(hcldecode_string(tree.items, "name", &name, why));
    return read_rules(tree.items, policy, why);
}

static void drop_rules(struct policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct policy_rule *rule = &policy->rules[i];
        free(rule->path);
        json_decref(rule->allowed);
        json_decref(rule->denied);
        json_decref(rule->required);
    }
    free(policy->rules);
    policy->rules = NULL;
    policy->rule_count = 0;
}

enum errc policy_read(struct policy *policy, struct errc_why *why)
{
    struct errc_why inner = {{0}};
    if (policy->read)
        return ERRC_OK;
    enum errc code = read_all(policy, &inner);
    policy->read = code == ERRC_OK;
    if (code == ERRC_OK)
        return ERRC_OK;
    drop_rules(policy);
    return errc_fail(why, code, "failed to parse policy: %.480s", inner.text);
}

enum errc policy_hold(struct slice name, struct slice text, struct policy **out)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL)
        return ERRC_NOMEM;
    policy->name = slice_dup(name);
    policy->text = slice_dup(text);
    if (policy->name == NULL || policy->text == NULL) {
        policy_free(policy);
        return ERRC_NOMEM;
    }
    *out = policy;
    return ERRC_OK;
}

/* What C cannot hold as a text. */
static enum errc check_text(struct slice text, struct errc_why *why)
{
    if (slice_find(text, '\0') == text.len)
        return ERRC_OK;
    struct hcl tree CLEANUP(hcl_done);
    struct errc_why inner = {{0}};
    enum errc code = hcl_parse(text, &tree, &inner);
    return errc_fail(why, code == ERRC_OK ? ERRC_SYNTAX : code, "failed to parse policy: %.480s",
                     inner.text);
}

enum errc policy_parse(struct slice name, struct slice text, struct policy **out,
                       struct errc_why *why)
{
    struct policy *policy = NULL;
    TRY(check_text(text, why));
    if (policy_hold(name, text, &policy) != ERRC_OK)
        return no_memory(why);
    enum errc code = policy_read(policy, why);
    if (code == ERRC_OK)
        *out = policy;
    else
        policy_free(policy);
    return code;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    drop_rules(policy);
    free(policy->name);
    free(policy->text);
    free(policy);
}
