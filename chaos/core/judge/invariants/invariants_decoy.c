#include "chaos/core/judge/invariants/invariants_decoy.h"

#include "base/text/jsonread.h"

void invariants_decoy_lonely(struct invariants_case *c)
{
    struct slice rest = c->evidence->decoy;
    for (size_t line = 1; rest.len > 0; line++) {
        json_t *came CLEANUP(jsonread_done) = NULL;
        if (jsonread_parse(slice_cut(&rest, '\n'), &came, NULL) != ERRC_OK)
            continue;
        bool token = json_is_true(json_object_get(came, "token"));
        invariants_case_caused(c, token ? "token" : "request", 0,
                               "expected nobody to follow a redirect, \"%.16s %.100s\" came to "
                               "its target %s (" LEDGER_DECOY ":%zu)",
                               jsonread_string_or(came, "method", ""),
                               jsonread_string_or(came, "path", ""),
                               token ? "with Vault's token" : "without a token", line);
    }
}
