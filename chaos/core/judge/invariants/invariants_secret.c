#include "chaos/core/judge/invariants/invariants_secret.h"

#include "chaos/core/judge/invariants/invariants_case.h"

/* Where a query goes, it is written down: proxies and servers log it. */
static void check_queries(struct invariants_case *c)
{
    const struct ledger_server *server = &c->evidence->server;
    for (size_t i = 0; i < server->request_count; i++) {
        const struct ledger_request *r = &server->requests[i];
        if (r->sign && r->query_count > 0)
            invariants_case_violated(c, 0,
                                     "expected sign requests without a query, which servers write "
                                     "down, found one with \"%.60s\" (" LEDGER_JOURNAL ":%zu)",
                                     r->query[0], r->line);
    }
}

void invariants_secret_none(struct invariants_case *c)
{
    const struct evidence *e = c->evidence;
    for (size_t i = 0; i < e->leak_count; i++)
        invariants_case_caused(c, e->leaks[i].what, 0,
                               "expected no secret in %s, found %s (%s:%zu)", e->leaks[i].file,
                               e->leaks[i].what, e->leaks[i].file, e->leaks[i].line);
    check_queries(c);
}
