/*
 * hcl: HCL 1 as a tree: what policies and Vault's configuration are written in. JSON that stands
 * for HCL (it begins with '{') gives the same tree.
 *
 *     path "secret/+" {              item: keys "path", "secret/+"; value: object of one item
 *       capabilities = ["read"]      item: key "capabilities"; value: list of one literal
 *     }
 *
 * Sentences are those of HashiCorp's library ("At 1:11: object expected closing RBRACE got: EOF").
 * Everything lives in one struct hcl and borrows nothing.
 */
#pragma once

#include "base/errc.h"
#include "base/text/buf.h"
#include "base/text/slice.h"
#include "fakevault/core/policy/hclscan.h"

enum hcl_kind {
    HCL_LITERAL,
    HCL_LIST,
    HCL_OBJECT,
};

struct hcl_item;

struct hcl_node {
    enum hcl_kind kind;
    struct hclscan_place place;
    enum hclscan_type type; /* of a literal: STRING, HEREDOC, NUMBER, FLOAT or BOOL */
    struct slice text;      /* of a literal: its value; of numbers and bools as written */
    struct hcl_node *nodes; /* of a list, linked by next */
    struct hcl_item *items; /* of an object, linked by next */
    struct hcl_node *next;
};

struct hcl_key {
    struct slice text;
    bool quoted;
    struct hclscan_place place;
    struct hcl_key *next;
};

struct hcl_item {
    struct hcl_key *keys; /* "a" of `a = 1`; "a" and "b" of `a "b" { }` */
    struct hcl_node *value;
    struct hclscan_place assign; /* of its '='; unknown when it has none */
    struct hcl_item *next;
};

struct hcl {
    struct hcl_item *items;
    struct hcl_block *blocks; /* memory */
};

/* Parses a text; hcl_done(out) is due whatever it returns. ERRC_SYNTAX with the library's sentence,
 * ERRC_NOMEM. */
MUST_USE enum errc hcl_parse(struct slice text, struct hcl *out, struct errc_why *why);

/* Frees the tree; fits CLEANUP. */
void hcl_done(struct hcl *h);

/* Appends a place as sentences have it: "2:5", "-" when unknown. */
void hcl_add_place(struct hclscan_place place, struct buf *out);

/* Returns the library's name of a node's type: "*ast.LiteralType", ... */
const char *hcl_type_name(const struct hcl_node *node);
