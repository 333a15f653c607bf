/*
 * hclscan: cuts HCL 1, or the JSON that stands for it, into tokens, and complains in the sentences
 * of HashiCorp's library.
 *
 * Lines and columns count from 1, columns in characters. A complaint does not end the scanning: the
 * last one counts, as it does there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text/slice.h"

enum hclscan_type {
    HCLSCAN_ILLEGAL,
    HCLSCAN_EOF,
    HCLSCAN_COMMENT,
    HCLSCAN_IDENT,
    HCLSCAN_NUMBER,
    HCLSCAN_FLOAT,
    HCLSCAN_BOOL,
    HCLSCAN_STRING,
    HCLSCAN_HEREDOC,
    HCLSCAN_NULL, /* JSON */
    HCLSCAN_LBRACK,
    HCLSCAN_RBRACK,
    HCLSCAN_LBRACE,
    HCLSCAN_RBRACE,
    HCLSCAN_COMMA,
    HCLSCAN_PERIOD,
    HCLSCAN_ASSIGN,
    HCLSCAN_ADD,
    HCLSCAN_SUB,
    HCLSCAN_COLON, /* JSON */
};

struct hclscan_place {
    unsigned line; /* 0: unknown */
    unsigned column;
};

struct hclscan_token {
    enum hclscan_type type;
    struct hclscan_place place;
    struct slice text; /* as written, quotes and all */
};

struct hclscan {
    struct slice source;
    bool json;
    size_t at;
    struct hclscan_place here, before; /* of what was read last, and to unread it */
    size_t at_before;
    size_t width;         /* bytes of the character read last; 0 at the end */
    unsigned line_length; /* characters of the line before, its end included */

    const char *complaint; /* NULL: none */
    char complaint_about[8];
    struct hclscan_place complaint_place;
};

/* Starts at the beginning of source, which is borrowed and must have no "\r\n" when it is HCL. */
void hclscan_init(struct hclscan *s, struct slice source, bool json);

/* Reads the next token; comments too. */
struct hclscan_token hclscan_next(struct hclscan *s);

/* "STRING", "RBRACE", ... */
const char *hclscan_type_name(enum hclscan_type type);
