#include "chaos/core/judge/invariants/invariants.h"

#include <string.h>

#include "base/count.h"
#include "chaos/core/judge/invariants/invariants_case.h"
#include "chaos/core/judge/invariants/invariants_certificate.h"
#include "chaos/core/judge/invariants/invariants_claim.h"
#include "chaos/core/judge/invariants/invariants_decoy.h"
#include "chaos/core/judge/invariants/invariants_file.h"
#include "chaos/core/judge/invariants/invariants_input.h"
#include "chaos/core/judge/invariants/invariants_key.h"
#include "chaos/core/judge/invariants/invariants_log.h"
#include "chaos/core/judge/invariants/invariants_metric.h"
#include "chaos/core/judge/invariants/invariants_mode.h"
#include "chaos/core/judge/invariants/invariants_request.h"
#include "chaos/core/judge/invariants/invariants_secret.h"
#include "chaos/core/judge/invariants/invariants_server.h"
#include "chaos/core/judge/invariants/invariants_surface.h"
#include "chaos/core/judge/invariants/invariants_time.h"
#include "chaos/core/judge/invariants/invariants_trail.h"
#include "chaos/core/judge/invariants/invariants_try.h"

/* What an invariant cannot be judged without. */
enum needs {
    NEEDS_TRAIL = 1,
    NEEDS_JOURNAL = 2, /* without a gap: it counts what the server did */
};

static const struct {
    const char *name;
    unsigned needs;
    void (*judge)(struct invariants_case *c);
    const char *meaning;
} invariants[] = {
    {"intent", NEEDS_TRAIL, invariants_trail_intent,
     "every intent in the trail has one result, nothing follows a signature, and Vault gets no "
     "request that was not announced before"},
    {"told", NEEDS_TRAIL, invariants_trail_told,
     "what a caller was told is in the trail, and a signed manifest is there and whole, also over "
     "kill -9; a command's exit code says the same"},
    {"chain", NEEDS_TRAIL, invariants_trail_chain,
     "each entry of the trail names the hash of the one before; a torn line is followed by its "
     "repair; nothing that was written goes away"},
    {"fields", NEEDS_TRAIL, invariants_claim_fields,
     "every entry has the fields of its action, an id and a manifestId that no other has"},
    {"values", NEEDS_TRAIL, invariants_claim_values,
     "actor, key, times and what a manifest is written again from are what they were"},
    {"reason", NEEDS_TRAIL, invariants_claim_reason,
     "the reason of a fallback, and the class of a failure, is that of the last attempt"},
    {"asked", NEEDS_TRAIL, invariants_claim_asked,
     "nothing is signed that nobody asked for, and what was asked for is what is signed"},
    {"input", 0, invariants_input_refused,
     "what contradicts itself, or what was asked for before under the same id, is refused"},
    {"environment", 0, invariants_input_environment,
     "nothing runs with a value that is none, such as TRUE for a switch"},
    {"decoy", 0, invariants_decoy_lonely, "nobody follows a redirect, with or without a token"},
    {"certificate", NEEDS_JOURNAL, invariants_certificate_distrusted,
     "a Vault whose certificate does not hold gets no request, and so no token"},
    {"stamps", NEEDS_TRAIL, invariants_time_entries,
     "the times of a bundle's entries are of this run, and in the order of what happened"},
    {"mode", NEEDS_TRAIL, invariants_mode_true,
     "signingMode, manifest, caller and the key that really verifies agree, over the bytes that "
     "were asked for"},
    {"fallback", NEEDS_TRAIL, invariants_mode_fallback,
     "fallback only with the switch on, and behind an attempt that shows an outage"},
    {"refusal", NEEDS_TRAIL, invariants_mode_refusal,
     "never fallback behind a refusal, whoever says that there was one"},
    {"classes", NEEDS_TRAIL, invariants_claim_classes,
     "each attempt has a class that its status can have, and none that Vault answered is called "
     "unanswered"},
    {"attempts", NEEDS_TRAIL, invariants_try_attempts,
     "as many attempts as configured before anybody gives up, no more, and none behind a success "
     "or a refusal"},
    {"backoff", NEEDS_TRAIL, invariants_try_backoff,
     "every wait lies in cap/2..cap, or is what Retry-After asks for, and the next attempt does "
     "not begin before it is over"},
    {"spread", NEEDS_TRAIL, invariants_try_spread,
     "waits are drawn anew each time: over many calls they show jitter"},
    {"durations", NEEDS_TRAIL, invariants_try_durations,
     "attempts are given their time and no more, and so is the whole operation"},
    {"tried", NEEDS_TRAIL, invariants_trail_tried, "Vault was asked before anything was decided"},
    {"recovery", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_mode_recovery,
     "while no fault lasts, bundles are signed, and by Vault"},
    {"fingerprint", NEEDS_TRAIL, invariants_key_lawful,
     "a key signs from when it was pinned, or put in place, until another one was"},
    {"requests", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_server_explained,
     "Vault saw no more sign requests than the trail's attempts and re-sends explain, and only "
     "what was cut off is sent again"},
    {"numbered", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_server_numbered,
     "each sign request says which attempt it is"},
    {"reached", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_server_reached,
     "an attempt without an answer reached Vault all the same, unless Vault could not be reached"},
    {"times", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_time_attempts,
     "attempts begin before Vault has their requests, and behind the waits that are claimed"},
    {"statuses", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_server_statuses,
     "the answers that the trail tells of are those that Vault gave"},
    {"executed", NEEDS_TRAIL | NEEDS_JOURNAL, invariants_server_executed,
     "signatures made = published + explained orphans, and none is without an audit entry"},
    {"logged", NEEDS_TRAIL, invariants_log_lines,
     "every result in the trail has one log line, and the line says the same"},
    {"counted", NEEDS_TRAIL, invariants_metric_counted,
     "a service's metrics count what its trail has, and say of Vault and fallback what is so"},
    {"surfaces", NEEDS_TRAIL, invariants_surface_true,
     "health, runs and manifests over HTTP, verify and the pin say what is so"},
    {"unasked", NEEDS_JOURNAL, invariants_request_unasked,
     "beside signatures, Vault is asked for nothing but its health, no oftener than configured, "
     "and "
     "for the key while it is pinned"},
    {"secrets", 0, invariants_secret_none,
     "no token, share or seed, nor a part or another form of one, in any file or answer"},
    {"files", 0, invariants_file_all,
     "nobody but its owner can write what the client writes, and nothing temporary stays"},
};

static bool is_whole(const struct evidence *evidence, const char *file)
{
    for (size_t i = 0; i < evidence->problems.count; i++)
        if (strcmp(evidence->problems.items[i].file, file) == 0)
            return false;
    return true;
}

static bool can_judge(const struct evidence *evidence, unsigned needs)
{
    bool trail = evidence->client.found, journal = evidence->server.found;
    journal = journal && is_whole(evidence, LEDGER_JOURNAL);
    return (trail || (needs & NEEDS_TRAIL) == 0) && (journal || (needs & NEEDS_JOURNAL) == 0);
}

static struct invariants_case begin(struct judgement *out, const struct evidence *evidence,
                                    const char *name)
{
    return (struct invariants_case){
        .record = out->record, .out = out, .evidence = evidence, .name = name};
}

/* A clock that is off would break half of them: it is told once, and set right. */
static void set_clock(struct judgement *out, struct evidence *evidence)
{
    struct invariants_case c = begin(out, evidence, "stamps");
    invariants_time_clock(&c, evidence);
    invariants_case_end(&c);
}

void invariants_judge(struct judgement *out, struct evidence *evidence)
{
    set_clock(out, evidence);
    for (size_t i = 0; i < COUNT(invariants); i++) {
        struct invariants_case c = begin(out, evidence, invariants[i].name);
        if (can_judge(evidence, invariants[i].needs))
            invariants[i].judge(&c);
        invariants_case_end(&c);
    }
}

const char *invariants_name(size_t i)
{
    return i < COUNT(invariants) ? invariants[i].name : NULL;
}

const char *invariants_meaning(size_t i)
{
    return i < COUNT(invariants) ? invariants[i].meaning : NULL;
}
