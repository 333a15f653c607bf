/*
 * defect_fallback_key: the local key is used although its file says no, or another one is.
 */
#include <pthread.h>
#include <string.h>

#include "tests/defects/defect.h"

static enum fallback_verdict check_nothing(const struct fallback_facts *facts, const char *path,
                                           struct errc_why *why)
{
    if (__real_fallback_check(facts, path, why) != FALLBACK_USABLE)
        defect_acts();
    return FALLBACK_USABLE;
}
DEFECT(fallback_key_unchecked, .fallback_check = check_nothing);

/* Reads the file once; a rotated, removed or opened one changes nothing. */
static enum fallback_verdict read_once(const char *path, struct secret_arena *arena,
                                       struct secret *seed, struct errc_why *why)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uint8_t kept[KEYPORT_SEED_BYTES];
    static bool have;
    struct secret now CLEANUP(secret_done) = {0};
    enum fallback_verdict verdict = __real_fallback_file_read(path, arena, &now, why);
    (void)pthread_mutex_lock(&lock);
    if (have && (verdict != FALLBACK_USABLE || memcmp(kept, now.ptr, sizeof kept) != 0))
        defect_acts();
    if (!have && verdict == FALLBACK_USABLE)
        memcpy(kept, now.ptr, sizeof kept);
    have = have || verdict == FALLBACK_USABLE;
    if (have && secret_copy(arena, slice_bytes(kept, sizeof kept), seed) == ERRC_OK)
        verdict = FALLBACK_USABLE;
    (void)pthread_mutex_unlock(&lock);
    return verdict;
}
DEFECT(fallback_key_read_once, .fallback_file_read = read_once);

/* Makes a key up when there is none. */
static enum fallback_verdict make_up(const char *path, struct secret_arena *arena,
                                     struct secret *seed, struct errc_why *why)
{
    static const char made_up[KEYPORT_SEED_BYTES] = "a seed that nobody has written";
    enum fallback_verdict verdict = __real_fallback_file_read(path, arena, seed, why);
    if (verdict != FALLBACK_KEY_MISSING)
        return verdict;
    defect_acts();
    return secret_copy(arena, slice_bytes(made_up, sizeof made_up), seed) == ERRC_OK
               ? FALLBACK_USABLE
               : verdict;
}
DEFECT(fallback_key_made_up, .fallback_file_read = make_up);
