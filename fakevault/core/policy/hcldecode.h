/*
 * hcldecode: values of a parsed HCL object, by name and type, with the sentences of HashiCorp's
 * decoder. Names are given as its sentences have them ("Capabilities") and found without regard to
 * case.
 *
 * A name that stands there several times: of a string the last counts, lists are joined. What is
 * not there leaves *out as it is.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "fakevault/core/policy/hcl.h"

/* A string or number as text, borrowed from the tree: "root.name: unknown type for string ...". */
MUST_USE enum errc hcldecode_string(const struct hcl_item *items, const char *name,
                                    struct slice *out, struct errc_why *why);

/* A list of strings; *out is a new array, the caller's. */
MUST_USE enum errc hcldecode_strings(const struct hcl_item *items, const char *name, json_t **out,
                                     struct errc_why *why);

/* Any value; *out is new, the caller's. Numbers become reals: Vault compares them with what a
 * request says by Go's types, and never finds them equal. */
MUST_USE enum errc hcldecode_any(const struct hcl_item *items, const char *name, json_t **out,
                                 struct errc_why *why);

/* An object of lists, names in lower case; *out is new, the caller's. */
MUST_USE enum errc hcldecode_lists(const struct hcl_item *items, const char *name, json_t **out,
                                   struct errc_why *why);

/* Returns the first value with this name alone as its key, or NULL. */
const struct hcl_node *hcldecode_find(const struct hcl_item *items, const char *name);
