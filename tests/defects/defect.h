/*
 * defect: what a defective signer is: a name, and the functions of the real one that it replaces.
 *
 *     static int64_t nothing(const struct config_retry *retry, int64_t n, struct prng *prng)
 *     {
 *         defect_acts();
 *         return 0;
 *     }
 *     DEFECT(no_backoff, .retry_wait_ms = nothing);
 *
 * All defects are in one program, signer_defects, which is the real signer linked with --wrap for
 * each seam. It is linked (hard) under the name signer_defect_NAME for each NAME of
 * catalogue.json; the name that it was started by says which one it has. Under its own name it has
 * none.
 */
#pragma once

#include "tests/defects/seams.h"

struct defect {
    const char *name;
#define DEFECT_MEMBER(type, function, parameters, arguments) type(*function) parameters;
    SEAMS_LIST(DEFECT_MEMBER)
#undef DEFECT_MEMBER
};

/* The real functions, for what a defect leaves as it is. */
#define DEFECT_REAL(type, function, parameters, arguments) type __real_##function parameters;
SEAMS_LIST(DEFECT_REAL)
#undef DEFECT_REAL

#define DEFECT(id, ...)                                                                            \
    extern const struct defect defect_##id;                                                        \
    const struct defect defect_##id = {.name = #id, __VA_ARGS__}

/* To be called where the program departs from the real one: try.py tells a judge who saw nothing
 * from a scenario that showed nothing. Notes it in PROGRAM.acted when that file is there. */
void defect_acts(void);

/* The real transport's send; context is what transport_curl_port was given. */
void defect_send(void *context, const struct transport_request *request,
                 struct transport_reply *reply);

/* True for a request to sign. */
bool defect_is_sign(const struct transport_request *request);

/* Takes the member "field":... out of the line that begins at out->ptr + start; false when the
 * line has none. A text or a single word as value. */
bool defect_drop_member(struct buf *out, size_t start, const char *field);
