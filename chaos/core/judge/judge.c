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

bool judge_belongs_to(const struct judge *j, const struct ledger_request *request,
                      const char *bundle)
{
    const struct ledger_client *client = &j->evidence->client;
    for (size_t i = 0; i < client->entry_count; i++)
        if (client->entries[i].bundle != NULL && strcmp(client->entries[i].bundle, bundle) == 0 &&
            ledger_server_has_input(request, client->entries[i].input_sha256))
            return true;
    return false;
}
