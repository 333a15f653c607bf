/*
 * policy_builtin: the policies that a vault has from the start, with the texts that clients of
 * Vault 1.14.9 read.
 */
#pragma once

struct policy_builtin {
    const char *name;
    const char *text;
};

/* Ends with a name of NULL. */
extern const struct policy_builtin policy_builtin_all[];
