#include "fakevault/core/builtin.h"

#include "base/bug.h"
#include "base/count.h"

#define VAULT "v1.14.9+builtin.vault"
#define METHOD(name, version, state)                                                               \
    {                                                                                              \
        (name), true, (version), MOUNT_EMPTY, (state), false                                       \
    }
#define ENGINE(name, version, state)                                                               \
    {                                                                                              \
        (name), false, (version), MOUNT_EMPTY, (state), false                                      \
    }

static const struct builtin builtins[] = {
    METHOD("alicloud", "v0.15.0+builtin", BUILTIN_SUPPORTED),
    METHOD("app-id", VAULT, BUILTIN_REMOVED),
    METHOD("approle", VAULT, BUILTIN_SUPPORTED),
    METHOD("aws", VAULT, BUILTIN_SUPPORTED),
    METHOD("azure", "v0.16.0+builtin", BUILTIN_SUPPORTED),
    METHOD("centrify", "v0.15.1+builtin", BUILTIN_SUPPORTED),
    METHOD("cert", VAULT, BUILTIN_SUPPORTED),
    METHOD("cf", "v0.15.0+builtin", BUILTIN_SUPPORTED),
    METHOD("gcp", "v0.16.0+builtin", BUILTIN_SUPPORTED),
    METHOD("github", VAULT, BUILTIN_SUPPORTED),
    METHOD("jwt", "v0.16.0+builtin", BUILTIN_SUPPORTED),
    METHOD("kerberos", "v0.10.0+builtin", BUILTIN_SUPPORTED),
    METHOD("kubernetes", "v0.16.0+builtin", BUILTIN_SUPPORTED),
    METHOD("ldap", VAULT, BUILTIN_SUPPORTED),
    METHOD("oci", "v0.14.0+builtin", BUILTIN_SUPPORTED),
    METHOD("oidc", VAULT, BUILTIN_SUPPORTED),
    METHOD("okta", VAULT, BUILTIN_SUPPORTED),
    METHOD("pcf", VAULT, BUILTIN_DEPRECATED),
    METHOD("radius", VAULT, BUILTIN_SUPPORTED),
    {"token", true, VAULT, MOUNT_TOKEN, BUILTIN_UNLISTED, true},
    METHOD("userpass", VAULT, BUILTIN_SUPPORTED),

    ENGINE("ad", "v0.16.0+builtin", BUILTIN_DEPRECATED),
    ENGINE("alicloud", "v0.15.0+builtin", BUILTIN_SUPPORTED),
    ENGINE("aws", VAULT, BUILTIN_SUPPORTED),
    ENGINE("azure", "v0.16.1+builtin", BUILTIN_SUPPORTED),
    ENGINE("cassandra", VAULT, BUILTIN_REMOVED),
    ENGINE("consul", VAULT, BUILTIN_SUPPORTED),
    {"cubbyhole", false, VAULT, MOUNT_CUBBYHOLE, BUILTIN_UNLISTED, true},
    ENGINE("database", VAULT, BUILTIN_UNLISTED),
    ENGINE("gcp", "v0.16.0+builtin", BUILTIN_SUPPORTED),
    ENGINE("gcpkms", "v0.15.0+builtin", BUILTIN_SUPPORTED),
    {"generic", false, VAULT, MOUNT_KV, BUILTIN_UNLISTED, false}, /* kv version 1, its old name */
    {"identity", false, VAULT, MOUNT_IDENTITY, BUILTIN_UNLISTED, true},
    ENGINE("kubernetes", "v0.5.0+builtin", BUILTIN_SUPPORTED),
    {"kv", false, "v0.15.0+builtin", MOUNT_KV, BUILTIN_SUPPORTED, false},
    ENGINE("ldap", VAULT, BUILTIN_SUPPORTED),
    ENGINE("mongodb", VAULT, BUILTIN_REMOVED),
    ENGINE("mongodbatlas", "v0.10.2+builtin", BUILTIN_SUPPORTED),
    ENGINE("mssql", VAULT, BUILTIN_REMOVED),
    ENGINE("mysql", VAULT, BUILTIN_REMOVED),
    ENGINE("nomad", VAULT, BUILTIN_SUPPORTED),
    ENGINE("openldap", "v0.11.1+builtin", BUILTIN_SUPPORTED),
    ENGINE("pki", VAULT, BUILTIN_SUPPORTED),
    ENGINE("postgresql", VAULT, BUILTIN_REMOVED),
    ENGINE("rabbitmq", VAULT, BUILTIN_SUPPORTED),
    ENGINE("ssh", VAULT, BUILTIN_SUPPORTED),
    {"system", false, VAULT, MOUNT_SYSTEM, BUILTIN_UNLISTED, true},
    ENGINE("terraform", "v0.7.1+builtin", BUILTIN_SUPPORTED),
    ENGINE("totp", VAULT, BUILTIN_SUPPORTED),
    {"transit", false, VAULT, MOUNT_TRANSIT, BUILTIN_SUPPORTED, false},
};

const struct builtin *builtin_at(size_t i)
{
    return i < COUNT(builtins) ? &builtins[i] : NULL;
}

const struct builtin *builtin_named(struct slice type, bool auth)
{
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (builtins[i].auth == auth && slice_equal_text(type, builtins[i].type))
            return &builtins[i];
    return NULL;
}

const struct builtin *builtin_of(enum mount_engine engine)
{
    const struct builtin *found = NULL;
    for (size_t i = 0; i < COUNT(builtins); i++)
        found = builtins[i].engine == engine ? &builtins[i] : found; /* kv, not generic */
    CHECK(engine != MOUNT_EMPTY && found != NULL);
    return found;
}

const char *builtin_status_text(enum builtin_status status)
{
    static const char *const texts[] = {[BUILTIN_UNLISTED] = NULL,
                                        [BUILTIN_SUPPORTED] = "supported",
                                        [BUILTIN_DEPRECATED] = "deprecated",
                                        [BUILTIN_REMOVED] = "removed"};
    return texts[status];
}
