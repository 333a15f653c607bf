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

const char *judge_bundle_of(const struct runner *run, const char *name)
{
    for (size_t i = run->call_count; i > 0; i--) {
        const struct runner_call *call = &run->calls[i - 1];
        if (call->name != NULL && strcmp(call->name, name) == 0)
            return call->told.bundle;
    }
    return NULL;
}
