#include "fakevault/core/token/api/token_policies.h"

#include "base/count.h"
#include "base/limits.h"
#include "fakevault/core/state.h"
#include "fakevault/core/token/api/token_role.h"

static bool fail(struct token_policies *p, const char *text)
{
    call_fail(p->job, 400, "%s", text);
    return false;
}

static bool no_memory(struct token_policies *p)
{
    p->job->no_memory = true;
    return false;
}

static const json_t *wanted(const struct token_policies *p)
{
    return field_get(&p->job->fields, "policies")->tree;
}

static bool no_default(const struct token_policies *p)
{
    return field_flag(&p->job->fields, "no_default_policy");
}

static bool parent_has(const struct token_policies *p, struct slice name)
{
    return token_names_among(p->parent->policies, p->parent->policy_count, name);
}

/* --- without a role's lists ------------------------------------------------------------------- */

static bool subset_of_parent(const struct token_policies *p)
{
    for (size_t i = 0; i < p->names.count; i++)
        if (!parent_has(p, p->names.items[i]))
            return false;
    return true;
}

/* Who asks for none gets the parent's; who may not do everything gets no more than that. */
static bool choose_by_parent(struct token_policies *p)
{
    bool add_default = !no_default(p);
    if (json_array_size(wanted(p)) == 0) {
        add_default = false;
        if (token_names_add_all(&p->names, p->parent->policies, p->parent->policy_count) != ERRC_OK)
            return no_memory(p);
    } else if (token_names_add_json(&p->names, wanted(p)) != ERRC_OK ||
               token_names_sanitize(&p->names, false) != ERRC_OK) {
        return no_memory(p);
    } else if (!p->sudo) {
        if (!subset_of_parent(p))
            return fail(p, "child policies must be subset of parent");
        add_default = add_default && parent_has(p, SLICE_LITERAL("default"));
    }
    return token_names_sanitize(&p->names, add_default) == ERRC_OK || no_memory(p);
}

/* --- with a role's lists ---------------------------------------------------------------------- */

struct lists {
    struct token_names allowed, allowed_globs, disallowed, disallowed_globs;
};

static void lists_done(struct lists *l)
{
    token_names_done(&l->allowed);
    token_names_done(&l->allowed_globs);
    token_names_done(&l->disallowed);
    token_names_done(&l->disallowed_globs);
}

static enum errc read_lists(const json_t *role, struct lists *l)
{
    TRY(token_names_add_json(&l->allowed, json_object_get(role, "allowed_policies")));
    TRY(token_names_add_json(&l->allowed_globs, json_object_get(role, "allowed_policies_glob")));
    TRY(token_names_add_json(&l->disallowed, json_object_get(role, "disallowed_policies")));
    return token_names_add_json(&l->disallowed_globs,
                                json_object_get(role, "disallowed_policies_glob"));
}

static bool allows(const struct lists *l, struct slice name)
{
    return token_names_has(&l->allowed, name) || token_names_fit(&l->allowed_globs, name);
}

static bool disallows(const struct lists *l, struct slice name)
{
    return token_names_has(&l->disallowed, name) || token_names_fit(&l->disallowed_globs, name);
}

static bool not_allowed(struct token_policies *p, const struct lists *l)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, LIMIT_REQUEST_BODY_BYTES);
    buf_add_text(&text, "token policies (");
    token_names_print(&p->names, &text);
    buf_add_text(&text, ") must be subset of the role's allowed policies (");
    token_names_print(&l->allowed, &text);
    buf_add_text(&text, ") or glob policies (");
    token_names_print(&l->allowed_globs, &text);
    buf_add_char(&text, ')');
    return text.failed ? no_memory(p) : fail(p, buf_text(&text));
}

/* With an allowed list, what is asked for must be in it, and it is what is given to who asks for
 * nothing; without one, the parent's policies are. */
static bool apply_allowed(struct token_policies *p, struct lists *l, bool add_default)
{
    bool limited = l->allowed.count > 0 || l->allowed_globs.count > 0;
    if (limited && token_names_sanitize(&l->allowed, add_default) != ERRC_OK)
        return no_memory(p);
    if (p->names.count == 0) {
        const struct slice *items = limited ? l->allowed.items : p->parent->policies;
        size_t count = limited ? l->allowed.count : p->parent->policy_count;
        return (token_names_add_all(&p->names, items, count) == ERRC_OK &&
                token_names_sanitize(&p->names, add_default) == ERRC_OK) ||
               no_memory(p);
    }
    for (size_t i = 0; i < p->names.count && limited; i++)
        if (!allows(l, p->names.items[i]))
            return not_allowed(p, l);
    return true;
}

static bool choose_by_lists(struct token_policies *p, struct lists *l)
{
    bool add_default = !no_default(p) && !token_role_flag(p->role, "token_no_default_policy") &&
                       !disallows(l, SLICE_LITERAL("default"));
    if (json_array_size(wanted(p)) > 0 && (token_names_add_json(&p->names, wanted(p)) != ERRC_OK ||
                                           token_names_sanitize(&p->names, add_default) != ERRC_OK))
        return no_memory(p);
    if (!apply_allowed(p, l, add_default))
        return false;
    for (size_t i = 0; i < p->names.count; i++)
        if (disallows(l, p->names.items[i])) {
            call_fail(p->job, 400, "token policy \"%.*s\" is disallowed by this role",
                      SLICE_FMT(p->names.items[i]));
            return false;
        }
    return true;
}

/* --- both ------------------------------------------------------------------------------------- */

static bool choose(struct token_policies *p)
{
    struct lists l CLEANUP(lists_done) = {0};
    if (read_lists(p->role, &l) != ERRC_OK)
        return no_memory(p);
    bool any =
        l.allowed.count + l.allowed_globs.count + l.disallowed.count + l.disallowed_globs.count > 0;
    return any ? choose_by_lists(p, &l) : choose_by_parent(p);
}

/* Policies of Vault's own, and root, which only root gives. */
static bool check(struct token_policies *p)
{
    static const struct slice reserved[] = {{"response-wrapping", 17}, {"control-group", 13}};
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (token_names_has(&p->names, reserved[i])) {
            call_fail(p->job, 400, "cannot assign policy \"%s\"", reserved[i].ptr);
            return false;
        }
    if (!token_names_has(&p->names, SLICE_LITERAL("root")))
        return true;
    if (!parent_has(p, SLICE_LITERAL("root")))
        return fail(p, "root tokens may not be created without parent token being root");
    if (p->type == TOKEN_BATCH)
        return fail(p, "batch tokens cannot be root tokens");
    return true;
}

bool token_policies_choose(struct token_policies *p)
{
    if (!choose(p))
        return false;
    if (no_default(p))
        token_names_remove(&p->names, "default");
    return check(p);
}

void token_policies_warn(const struct token_policies *p)
{
    for (size_t i = 0; i < p->names.count; i++)
        if (policy_store_find(&p->job->vault->policies, p->names.items[i]) == NULL)
            call_warn(p->job, "Policy \"%.*s\" does not exist", SLICE_FMT(p->names.items[i]));
}
