/*
 * cli_api: Vault's API as the command's author sees it: one call, its answer as a tree, and the
 * sentence that tells what went wrong. It finds the address and the token, sets the headers, tries
 * again and follows one redirect as Vault's Go client does (vault-api.md 2.18).
 *
 * Environment: VAULT_ADDR, VAULT_AGENT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE, VAULT_WRAP_TTL,
 * VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY, VAULT_SKIP_VERIFY,
 * VAULT_MAX_RETRIES (0), VAULT_CLIENT_TIMEOUT (60s), VAULT_PROXY_ADDR, VAULT_HTTP_PROXY; flags win.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"

struct cli_call {
    const char *method;
    const char *path;       /* behind /v1/, not escaped: "secret/data/a b" */
    json_t *query;          /* object of strings or lists of strings; NULL for none */
    const json_t *body;     /* NULL for none */
    const char *media_type; /* of the body; NULL leaves it out, as Go does */
    bool no_namespace;
    bool no_wrapping;
};

struct cli_answer {
    int status;        /* 0: none came */
    const char *error; /* NULL: it went well */
    const char *text;  /* the body */
    json_t *tree;      /* the body, NULL when it is empty or no JSON */
};

/* Why no call can be sent with these flags and this token, or NULL. */
const char *cli_api_refused(struct cli *cli);

/* Sends the call. Everything in the answer belongs to the run. */
struct cli_answer cli_api_do(struct cli *cli, const struct cli_call *call);

/* The same without more than a method, a path and a body. */
struct cli_answer cli_api_call(struct cli *cli, const char *method, const char *path,
                               const json_t *body);

/* cli_api_do; *secret is the answer as Vault's envelope (cli_shape_secret), or NULL when there is
 * none: an empty body, or a 404 that brings neither data nor warnings. False when it went wrong. */
bool cli_api_ask(struct cli *cli, const struct cli_call *call, json_t **secret,
                 struct cli_answer *answer);

/* The token in use: of the environment, else of the file; "" for none. */
const char *cli_api_token(struct cli *cli);

/* Replaces it for the rest of the run. */
void cli_api_set_token(struct cli *cli, const char *token);

/* $HOME/.vault-token, NULL without a home. */
const char *cli_api_token_file(struct cli *cli);

/* "https://127.0.0.1:8200" */
const char *cli_api_address(struct cli *cli);
