#include "chaos/core/judge/invariants/invariants_certificate.h"

/* The first request that came while the certificate was served, from its being in place to the
 * beginning of the step that took it away. */
static const struct ledger_request *came_during(const struct evidence *e,
                                                const struct condition_window *w)
{
    for (size_t i = 0; i < e->server.request_count; i++) {
        const struct ledger_request *r = &e->server.requests[i];
        if (r->wall_ns > w->made_ns && r->wall_ns < w->ending_ns)
            return r;
    }
    return NULL;
}

void invariants_certificate_distrusted(struct invariants_case *c)
{
    for (size_t i = 0; i < c->out->fault_count; i++) {
        const struct condition_window *w = &c->out->faults[i].window;
        const struct ledger_request *r =
            w->bit == CONDITION_CERTIFICATE ? came_during(c->evidence, w) : NULL;
        if (r != NULL)
            invariants_case_violated(c, w->plan->number,
                                     "expected no request to a Vault whose certificate does not "
                                     "hold, it got %s %.100s (" LEDGER_JOURNAL ":%zu)",
                                     r->method, r->path, r->line);
    }
}
