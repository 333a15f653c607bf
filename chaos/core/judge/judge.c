#include "chaos/core/judge/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void judge_say(const struct judge *j, const char *format, ...)
{
    char text[ERRC_WHY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_addf(j->message, "%s%s", j->message->len > 0 ? "; " : "", text);
}

const char *judge_bundle_of(const struct record *record, const char *name)
{
    const struct record_call *call = record_call_named(record, name);
    return call == NULL ? NULL : call->told.bundle;
}

/* bundle: NULL for any. */
static bool is_named(const struct judge *j, const struct ledger_request *request,
                     const char *bundle)
{
    const struct ledger_client *client = &j->evidence->client;
    for (size_t i = 0; i < request->input_count; i++)
        for (size_t k = ledger_client_input(client, request->inputs[i]); k != TEXTMAP_NONE;
             k = client->entries[k].same_input) {
            const char *whose = client->entries[k].bundle;
            if (bundle == NULL || (whose != NULL && strcmp(whose, bundle) == 0))
                return true;
        }
    return false;
}

bool judge_belongs_to(const struct judge *j, const struct ledger_request *request,
                      const char *bundle)
{
    return is_named(j, request, bundle);
}

bool judge_is_stranger(const struct judge *j, const struct ledger_request *request)
{
    return !is_named(j, request, NULL);
}
