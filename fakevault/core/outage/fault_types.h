/*
 * fault_types: what a rule looks at, and what it does to a request.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "base/text/slice.h"

#define FAULT_ID_MAX 64u      /* bytes of a rule's id with its NUL */
#define FAULT_HEADERS_MAX 32u /* headers of one `respond` */
#define FAULT_PPM_ALWAYS 1000000u

enum fault_effect {
    FAULT_NONE,    /* no rule took the request */
    FAULT_RESPOND, /* answer `reply`; not executed */
    FAULT_HOLD, /* wait until resume, until the rule goes, or until its lease ends; then execute */
    FAULT_REFUSE, /* close the listener, reset all data connections; not executed */
    FAULT_CRASH,  /* SIGKILL; not executed */
    FAULT_SEAL,   /* seal, then let the request meet a sealed Vault */
};

struct fault_header {
    char *name;
    char *value;
};

/* An invented answer: shared by its rule and the requests that it took, never changed. */
struct fault_reply {
    atomic_uint users;
    int status; /* 200..599 */
    char *body;
    size_t body_len;
    struct fault_header *headers; /* as given; a Content-Type here replaces application/json */
    size_t header_count;
};

/* What rules may look at. All parts are borrowed and may be empty. */
struct fault_facts {
    struct slice method;   /* as on the wire: "POST" */
    struct slice path;     /* decoded, without "/v1/" and the query: "transit/sign/k" */
    struct slice key;      /* transit key */
    struct slice accessor; /* of a valid token */
    struct slice test;     /* X-Fakevault-Test */
};
