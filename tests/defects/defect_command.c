/*
 * defect_command: a command's exit code or answer is not what came of it.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/defects/defect.h"

static int sign_always_zero(int argc, char *const argv[])
{
    if (__real_command_sign(argc, argv) != COMMANDS_DONE)
        defect_acts();
    return COMMANDS_DONE;
}
DEFECT(exit_0_on_failure, .command_sign = sign_always_zero);

static int sign_never_zero(int argc, char *const argv[])
{
    int code = __real_command_sign(argc, argv);
    if (code == COMMANDS_DONE)
        defect_acts();
    return code == COMMANDS_DONE ? COMMANDS_FAILED : code;
}
DEFECT(exit_1_on_success, .command_sign = sign_never_zero);

static int sign_invalid(int argc, char *const argv[])
{
    int code = __real_command_sign(argc, argv);
    if (code == COMMANDS_FAILED)
        defect_acts();
    return code == COMMANDS_FAILED ? COMMANDS_INVALID : code;
}
DEFECT(exit_2_on_outage, .command_sign = sign_invalid);

/* Signs and says nothing. */
static int sign_silently(int argc, char *const argv[])
{
    defect_acts();
    (void)!freopen("/dev/null", "w", stdout);
    return __real_command_sign(argc, argv);
}
DEFECT(answer_missing, .command_sign = sign_silently);

static int verify_nothing(int argc, char *const argv[])
{
    (void)argc, (void)argv;
    defect_acts();
    (void)printf("{\"valid\":true}\n");
    return COMMANDS_DONE;
}
DEFECT(verify_accepts_all, .command_verify = verify_nothing);

static int verify_never(int argc, char *const argv[])
{
    if (__real_command_verify(argc, argv) == COMMANDS_DONE)
        defect_acts();
    return COMMANDS_FAILED;
}
DEFECT(verify_refuses_all, .command_verify = verify_never);

/* Only the pinned key and the local one are known; a manifest of a retired key does not verify. */
static const struct trust_key *find_not_retired(const struct trust *trust, const char *fingerprint)
{
    const struct trust_key *found = __real_trust_find(trust, fingerprint);
    if (found == NULL || found->role != TRUST_RETIRED)
        return found;
    defect_acts();
    return NULL;
}
DEFECT(verify_refuses_retired, .trust_find = find_not_retired);

static enum errc probe_online(const struct transport *transport, int64_t timeout_ms,
                              enum classify_class *class, struct errc_why *why)
{
    if (__real_signing_probe(transport, timeout_ms, class, why) != ERRC_OK)
        defect_acts();
    *class = CLASSIFY_OK;
    return ERRC_OK;
}
DEFECT(health_always_good, .signing_probe = probe_online);

static int status_zero(int argc, char *const argv[])
{
    if (__real_command_status(argc, argv) != COMMANDS_DONE)
        defect_acts();
    return COMMANDS_DONE;
}
DEFECT(status_exit_0, .command_status = status_zero);
