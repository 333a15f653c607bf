/*
 * metering: what of a vault's life is counted, under Vault's names.
 */
#pragma once

struct vault;
struct vault_job;

/* Counts a request that ends now; one that cannot be counted is out of memory. */
void metering_request(struct vault_job *job);

/* Counts a seal that nobody asked for by a request. */
void metering_sealed(struct vault *v);

/* Brings the gauges up to date, and what other parts count by themselves. */
void metering_collect(struct vault *v);
