#include "base/errc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"

#undef errc_fail

static const struct {
    enum errc_class class;
    const char *text;
} codes[ERRC_COUNT] = {
#define ERRC_ROW(code, class, text) [ERRC_##code] = {ERRC_CLASS_##class, text},
    ERRC_LIST(ERRC_ROW)
#undef ERRC_ROW
};

enum errc_class errc_class(enum errc code)
{
    CHECK(code < ERRC_COUNT);
    return codes[code].class;
}

const char *errc_text(enum errc code)
{
    CHECK(code < ERRC_COUNT);
    return codes[code].text;
}

enum errc errc_fail(struct errc_why *why, enum errc code, const char *format, ...)
{
    CHECK(code != ERRC_OK);
    if (why != NULL) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return code;
}

void errc_prefix(struct errc_why *why, const char *format, ...)
{
    if (why == NULL)
        return;
    char old[ERRC_WHY_MAX];
    memcpy(old, why->text, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used + 3 >= sizeof why->text)
        return;
    memcpy(why->text + used, ": ", 2);
    size_t room = sizeof why->text - used - 3;
    size_t keep = strnlen(old, room);
    memcpy(why->text + used + 2, old, keep);
    why->text[used + 2 + keep] = '\0';
}
