/*
 * sys_seal: the endpoints that answer without an open barrier: init, seal-status, unseal, seal,
 * health, leader, step-down (vault-api.md 2.1 to 2.6, 2.15).
 */
#pragma once

#include "fakevault/core/http/route.h"

/* Checks a body that is read as that of a logical request; answers and returns false when it is no
 * JSON object. */
bool sys_seal_body_is_sound(struct vault_job *job);

/* GET and PUT sys/init; sys_init.c. */
void sys_init_read(struct vault_job *job);
void sys_init_prepare(struct vault_job *job);
void sys_init_finish(struct vault_job *job);

/* GET sys/health; sys_health.c. */
void sys_health_read(struct vault_job *job);
