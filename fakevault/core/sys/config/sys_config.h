/*
 * sys_config: settings of the whole vault, each a topic of settings.h: sys/config/cors, ui/headers,
 * auditing/request-headers, sys/rotate/config, sys/quotas.
 */
#pragma once

#include "fakevault/core/call.h"

/* Stores a topic and answers 204, or says what went wrong. Takes the reference to value; NULL is
 * out of memory. */
void sys_config_set(struct vault_job *job, const char *topic, json_t *value);

/* Sets or takes away (value NULL) a member of a topic that is an object, in the same way. Takes the
 * reference to value. */
void sys_config_set_member(struct vault_job *job, const char *topic, const char *name,
                           json_t *value);
void sys_config_drop_member(struct vault_job *job, const char *topic, const char *name);

/* Answers a LIST of a topic's members: their names, sorted; 404 when there are none. */
void sys_config_list(struct vault_job *job, const char *topic);
