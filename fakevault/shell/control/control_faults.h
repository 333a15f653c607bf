/*
 * control_faults: the verbs of the control API that change rules. As all verbs (control.h), each is
 * atomic and writes its result into w, nothing on failure. A rule that goes lets go what it held,
 * and opens the listener that it closed.
 */
#pragma once

#include <jansson.h>

#include "base/errc.h"
#include "base/text/jsonwrite.h"
#include "fakevault/shell/control/control.h"

void control_faults_list(struct control *control, struct jsonwrite *w);
MUST_USE enum errc control_faults_get(struct control *control, const char *id, struct jsonwrite *w,
                                      struct errc_why *why);
MUST_USE enum errc control_faults_add(struct control *control, const json_t *rule,
                                      struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_faults_set(struct control *control, const json_t *rules,
                                      struct jsonwrite *w, struct errc_why *why);
MUST_USE enum errc control_faults_patch(struct control *control, const char *id,
                                        const json_t *change, struct jsonwrite *w,
                                        struct errc_why *why);
MUST_USE enum errc control_faults_remove(struct control *control, const char *id,
                                         struct jsonwrite *w, struct errc_why *why);
void control_faults_clear(struct control *control, struct jsonwrite *w);
