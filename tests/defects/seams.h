/*
 * seams: the functions of the signer that a defect may replace, as rows of type, function,
 * parameters and arguments. CMake makes a --wrap of each.
 */
#pragma once

#include <curl/curl.h>

#include "base/os/file.h"
#include "base/text/logline.h"
#include "signer/core/attempt/classify.h"
#include "signer/core/attempt/codec.h"
#include "signer/core/attempt/op.h"
#include "signer/core/attempt/retry.h"
#include "signer/core/bundle/manifest.h"
#include "signer/core/config.h"
#include "signer/core/keys/fallback.h"
#include "signer/core/keys/trust.h"
#include "signer/core/service/metrics.h"
#include "signer/core/service/run_json.h"
#include "signer/core/trail/audit.h"
#include "signer/core/trail/rebuild.h"
#include "signer/shell/command/commands.h"
#include "signer/shell/files/audit_file.h"
#include "signer/shell/files/fallback_file.h"
#include "signer/shell/files/publish.h"
#include "signer/shell/files/trust_file.h"
#include "signer/shell/keyport_openssl.h"
#include "signer/shell/service/health_poll.h"
#include "signer/shell/service/run_pool.h"
#include "signer/shell/service/run_store.h"
#include "signer/shell/service/service_api.h"
#include "signer/shell/service/service_stats.h"
#include "signer/shell/signing.h"
#include "signer/shell/startup.h"
#include "signer/shell/stderrlog.h"
#include "signer/shell/transport_curl.h"

#define SEAMS_LIST(X)                                                                              \
    X(enum errc, config_read,                                                                      \
      (const struct config_source *source, unsigned needs, struct config *out,                     \
       struct errc_why *why),                                                                      \
      (source, needs, out, why))                                                                   \
    X(enum classify_class, classify_reply, (const struct transport_reply *reply), (reply))         \
    X(const struct classify_policy *, classify_policy, (enum classify_class class), (class))       \
    X(int64_t, retry_wait_ms, (const struct config_retry *retry, int64_t n, struct prng *prng),    \
      (retry, n, prng))                                                                            \
    X(bool, retry_after_ms, (struct slice value, int64_t wall_ns, int64_t * out),                  \
      (value, wall_ns, out))                                                                       \
    X(int64_t, retry_clamp_ms,                                                                     \
      (const struct config_retry *retry, int64_t wait_ms, int64_t asked_ms),                       \
      (retry, wait_ms, asked_ms))                                                                  \
    X(void, codec_sign_request, (struct slice message, int64_t key_version, struct buf * out),     \
      (message, key_version, out))                                                                 \
    X(enum errc, codec_sign_reply,                                                                 \
      (struct slice body, int64_t key_version, struct buf * text, struct buf * raw,                \
       struct errc_why * why),                                                                     \
      (body, key_version, text, raw, why))                                                         \
    X(enum errc, op_new,                                                                           \
      (const struct op_setup *setup, struct instant now, struct op **out, struct errc_why *why),   \
      (setup, now, out, why))                                                                      \
    X(struct op_action, op_step, (struct op * op, const struct op_event *event), (op, event))      \
    X(enum errc, op_use_fallback,                                                                  \
      (struct op * op, const struct keyport_public *key, struct errc_why *why), (op, key, why))    \
    X(const char *, op_error_text, (enum op_error error), (error))                                 \
    X(enum errc, manifest_format,                                                                  \
      (const struct manifest_bundle *bundle, const struct manifest_terms *terms,                   \
       const char *signature, struct buf *out, struct errc_why *why),                              \
      (bundle, terms, signature, out, why))                                                        \
    X(enum errc, manifest_bundle_parse,                                                            \
      (struct slice text, enum manifest_source source, struct manifest_bundle * out,               \
       struct errc_why * why),                                                                     \
      (text, source, out, why))                                                                    \
    X(enum errc, manifest_inputs_hash,                                                             \
      (const struct manifest_bundle *bundle, char out[static MANIFEST_CHECKSUM_BYTES],             \
       struct errc_why *why),                                                                      \
      (bundle, out, why))                                                                          \
    X(enum errc, manifest_set_checksum,                                                            \
      (struct manifest_bundle * bundle, size_t i, const uint8_t sha256[static 32],                 \
       struct errc_why *why),                                                                      \
      (bundle, i, sha256, why))                                                                    \
    X(enum errc, audit_format,                                                                     \
      (const struct audit_entry *entry, const char *previous, struct buf *out,                     \
       struct errc_why *why),                                                                      \
      (entry, previous, out, why))                                                                 \
    X(bool, audit_tail_is_whole, (struct slice tail), (tail))                                      \
    X(const struct trust_key *, trust_pin, (const struct trust *trust), (trust))                   \
    X(const struct trust_key *, trust_find, (const struct trust *trust, const char *fingerprint),  \
      (trust, fingerprint))                                                                        \
    X(enum errc, trust_pin_key,                                                                    \
      (struct trust * trust, const char *name, int64_t version, const struct keyport_public *key,  \
       int64_t wall_ns, bool *changed, struct errc_why *why),                                      \
      (trust, name, version, key, wall_ns, changed, why))                                          \
    X(enum errc, rebuild_check_content,                                                            \
      (const struct manifest_bundle *bundle, const struct audit_signed *entry,                     \
       struct errc_why *why),                                                                      \
      (bundle, entry, why))                                                                        \
    X(enum errc, rebuild_manifest,                                                                 \
      (const struct manifest_bundle *bundle, const struct audit_signed *entry,                     \
       const struct trust *trust, const struct keyport *keyport, struct buf *out,                  \
       struct errc_why *why),                                                                      \
      (bundle, entry, trust, keyport, out, why))                                                   \
    X(enum fallback_verdict, fallback_check,                                                       \
      (const struct fallback_facts *facts, const char *path, struct errc_why *why),                \
      (facts, path, why))                                                                          \
    X(struct keyport, keyport_openssl, (void), ())                                                 \
    X(enum errc, run_complete,                                                                     \
      (struct run * run, const struct run_signing *signing, int64_t now_ns, struct errc_why *why), \
      (run, signing, now_ns, why))                                                                 \
    X(void, run_json_format, (const struct run *run, struct buf *out), (run, out))                 \
    X(void, metrics_backoff, (struct metrics * m, double seconds), (m, seconds))                   \
    X(void, metrics_signed, (struct metrics * m, bool fallback, int64_t mono_ns),                  \
      (m, fallback, mono_ns))                                                                      \
    X(void, logline_add, (struct logline * l, const char *key, const char *value),                 \
      (l, key, value))                                                                             \
    X(void, logline_add_int, (struct logline * l, const char *key, int64_t value),                 \
      (l, key, value))                                                                             \
    X(void, stderrlog_begin,                                                                       \
      (const struct stderrlog *log, struct stderrlog_line *line, const char *level,                \
       const char *event),                                                                         \
      (log, line, level, event))                                                                   \
    X(void, stderrlog_end, (struct stderrlog_line * line), (line))                                 \
    X(enum errc, audit_file_open,                                                                  \
      (const char *path, struct clock clock, struct entropy entropy, struct audit_file **out,      \
       struct errc_why *why),                                                                      \
      (path, clock, entropy, out, why))                                                            \
    X(enum errc, audit_file_append,                                                                \
      (struct audit_file * file, const struct audit_entry *entry, struct errc_why *why),           \
      (file, entry, why))                                                                          \
    X(enum errc, audit_file_lookup,                                                                \
      (struct audit_file * file, const char *bundle_run_id, struct audit_bundle *out,              \
       struct buf *line, struct errc_why *why),                                                    \
      (file, bundle_run_id, out, line, why))                                                       \
    X(enum errc, audit_file_claim,                                                                 \
      (struct audit_file * file, const char *bundle_run_id, int *claim, struct errc_why *why),     \
      (file, bundle_run_id, claim, why))                                                           \
    X(enum errc, publish_file, (const char *path, struct slice bytes, struct errc_why *why),       \
      (path, bytes, why))                                                                          \
    X(enum errc, file_replace,                                                                     \
      (const char *path, struct slice bytes, mode_t mode, struct errc_why *why),                   \
      (path, bytes, mode, why))                                                                    \
    X(enum fallback_verdict, fallback_file_read,                                                   \
      (const char *path, struct secret_arena *arena, struct secret *seed, struct errc_why *why),   \
      (path, arena, seed, why))                                                                    \
    X(enum errc, trust_file_read,                                                                  \
      (const char *path, const struct keyport *keyport, struct trust *out, struct errc_why *why),  \
      (path, keyport, out, why))                                                                   \
    X(enum errc, startup_open, (unsigned needs, struct startup *out, struct errc_why *why),        \
      (needs, out, why))                                                                           \
    X(void, signing_run,                                                                           \
      (struct signing * signing, const struct signing_request *request,                            \
       struct signing_result *result),                                                             \
      (signing, request, result))                                                                  \
    X(enum errc, signing_probe,                                                                    \
      (const struct transport *transport, int64_t timeout_ms, enum classify_class *class,          \
       struct errc_why *why),                                                                      \
      (transport, timeout_ms, class, why))                                                         \
    X(struct transport, transport_curl_port, (struct transport_curl * curl), (curl))               \
    X(CURLcode, curl_easy_perform, (CURL * handle), (handle))                                      \
    X(enum errc, health_poll_start,                                                                \
      (const struct health_poll_ports *ports, int64_t interval_ms, struct health_poll **out,       \
       struct errc_why *why),                                                                      \
      (ports, interval_ms, out, why))                                                              \
    X(bool, service_stats_vault,                                                                   \
      (struct service_stats * stats, bool up, const struct errc_why *why), (stats, up, why))       \
    X(void, service_stats_signing,                                                                 \
      (struct service_stats * stats, const struct op_result *result, int64_t mono_ns),             \
      (stats, result, mono_ns))                                                                    \
    X(void, service_api_answer,                                                                    \
      (void *context, const struct service_http_request *request,                                  \
       struct service_http_answer *answer),                                                        \
      (context, request, answer))                                                                  \
    X(void, run_pool_put, (struct run_pool * pool, const char *id), (pool, id))                    \
    X(enum errc, run_store_each_open,                                                              \
      (struct run_store * store, const struct run_store_visitor *visitor, struct errc_why *why),   \
      (store, visitor, why))                                                                       \
    X(enum errc, run_store_manifest,                                                               \
      (struct run_store * store, const char *id, struct buf *out, struct errc_why *why),           \
      (store, id, out, why))                                                                       \
    X(int, command_sign, (int argc, char *const argv[]), (argc, argv))                             \
    X(int, command_verify, (int argc, char *const argv[]), (argc, argv))                           \
    X(int, command_status, (int argc, char *const argv[]), (argc, argv))
