/*
 * errc: the error codes of the project and the sentence that explains one.
 *
 * A function that can fail returns `enum errc`; one that can explain takes
 * `struct errc_why *why` last (NULL is allowed) and fills it exactly once,
 * where the failure is detected. Callers branch on the class, people read the
 * sentence. Sentences: lower case, no full stop, the offending value quoted, no
 * secrets.
 *
 *     enum errc port_parse(const char *text, uint16_t *out, struct errc_why *why)
 *     {
 *         long n = 0;
 *         TRY(number_parse(text, &n, why));
 *         if (n < 1 || n > 65535)
 *             return errc_fail(why, ERRC_RANGE, "port \"%s\" is not in 1..65535", text);
 *         ...
 */
#pragma once

#include <stddef.h>

enum errc_class {
    ERRC_CLASS_NONE,      /* it worked */
    ERRC_CLASS_INVALID,   /* the input is wrong; the same input will fail again */
    ERRC_CLASS_MISSING,   /* what was asked for is not there */
    ERRC_CLASS_CONFLICT,  /* it is there already, or in a state that forbids this */
    ERRC_CLASS_DENIED,    /* refused: authorisation or cryptography said no */
    ERRC_CLASS_TRANSIENT, /* may work later */
    ERRC_CLASS_FATAL,     /* out of memory, I/O trouble, a broken invariant */
};

/* code, class, text */
#define ERRC_LIST(X)                                                                               \
    X(OK, NONE, "done")                                                                            \
    X(SYNTAX, INVALID, "malformed")                                                                \
    X(SCHEMA, INVALID, "not of the expected shape")                                                \
    X(RANGE, INVALID, "out of range")                                                              \
    X(TOO_BIG, INVALID, "over the limit")                                                          \
    X(USAGE, INVALID, "wrong usage")                                                               \
    X(NOT_FOUND, MISSING, "not found")                                                             \
    X(EXISTS, CONFLICT, "exists already")                                                          \
    X(STATE, CONFLICT, "not possible in this state")                                               \
    X(DENIED, DENIED, "permission denied")                                                         \
    X(CRYPTO, DENIED, "cryptographic check failed")                                                \
    X(UNAVAILABLE, TRANSIENT, "not available")                                                     \
    X(TIMEOUT, TRANSIENT, "timed out")                                                             \
    X(IO, FATAL, "input or output failed")                                                         \
    X(NOMEM, FATAL, "out of memory")                                                               \
    X(INTERNAL, FATAL, "internal error")

enum errc {
#define ERRC_CODE(code, class, text) ERRC_##code,
    ERRC_LIST(ERRC_CODE)
#undef ERRC_CODE
        ERRC_COUNT
};

#define ERRC_WHY_MAX 512 /* bytes of a sentence with its NUL; a longer one is cut */

struct errc_why {
    char text[ERRC_WHY_MAX];
};

#define MUST_USE __attribute__((warn_unused_result))
#define CLEANUP(function) __attribute__((cleanup(function)))
#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

/* Returns the class of a code; callers branch on it. */
enum errc_class errc_class(enum errc code);

/* Returns the code's general text, e.g. "not found"; static. */
const char *errc_text(enum errc code);

/* Writes the sentence into why (may be NULL) and returns code, so that it can
 * stand in a return statement. */
enum errc errc_fail(struct errc_why *why, enum errc code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The static analyser reads one file at a time and would not know that the code comes back. */
#ifdef __clang_analyzer__
#define errc_fail(why, code, ...) ((void)(errc_fail)((why), (code), __VA_ARGS__), (code))
#endif

/* Puts `prefix` and ": " before a sentence that a callee wrote; for "where",
 * e.g. a file name. NULL allowed. */
void errc_prefix(struct errc_why *why, const char *format, ...) PRINTF_LIKE(2, 3);

/* The only hidden return of the project. */
#define TRY(expression)                                                                            \
    do {                                                                                           \
        enum errc try_code = (expression);                                                         \
        if (try_code != ERRC_OK)                                                                   \
            return try_code;                                                                       \
    } while (0)
