#include "fakevault/core/audit/audit_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text/buf.h"
#include "base/text/hex.h"
#include "fakevault/core/http/gotext.h"

#define MODE_DEFAULT 0600u

/* --- options ---------------------------------------------------------------------------------- */

static const char *option(const struct audit_device *d, const char *name)
{
    return json_string_value(json_object_get(d->options, name));
}

static enum errc read_flag(const struct audit_device *d, const char *name, bool *out,
                           struct errc_why *why)
{
    const char *text = option(d, name);
    if (text == NULL || gotext_bool(slice_of(text), out))
        return ERRC_OK;
    return errc_fail(why, ERRC_SCHEMA, "strconv.ParseBool: parsing \"%s\": invalid syntax", text);
}

static enum errc read_mode(const struct audit_device *d, unsigned *out, struct errc_why *why)
{
    const char *text = option(d, "mode");
    int64_t mode = MODE_DEFAULT;
    struct errc_why inner;
    if (text != NULL &&
        (gotext_int(slice_of(text), 8, &mode, &inner) != ERRC_OK || mode < 0 || mode > UINT32_MAX))
        return errc_fail(why, ERRC_SCHEMA, "strconv.ParseUint: parsing \"%s\": invalid syntax",
                         text);
    *out = (unsigned)mode;
    return ERRC_OK;
}

static bool same_word(const char *text, const char *word)
{
    return strcasecmp(text, word) == 0;
}

/* In Vault's order, which decides the sentence when several options are wrong. */
static enum errc read_options(struct audit_device *d, struct errc_why *why)
{
    const char *path = option(d, "file_path"), *format = option(d, "format");
    unsigned mode;
    path = path == NULL ? option(d, "path") : path;
    if (path == NULL)
        return errc_fail(why, ERRC_SCHEMA, "file_path is required");
    if (format != NULL && strcmp(format, "json") != 0)
        return errc_fail(why, ERRC_SCHEMA, "unknown format type \"%s\"", format);
    d->hmac_accessor = true;
    TRY(read_flag(d, "hmac_accessor", &d->hmac_accessor, why));
    TRY(read_flag(d, "log_raw", &d->raw, why));
    TRY(read_flag(d, "elide_list_responses", &d->elide_lists, why));
    TRY(read_mode(d, &mode, why));
    d->prefix = option(d, "prefix");
    if (same_word(path, "discard"))
        return ERRC_OK;
    return d->port->make(d->port->context, same_word(path, "stdout") ? "stdout" : path, mode,
                         &d->sink);
}

/* --- a device --------------------------------------------------------------------------------- */

static void device_free(struct audit_device *d)
{
    if (d->sink != NULL)
        d->port->free(d->sink);
    json_decref(d->options);
    secret_wipe(d->salt, sizeof d->salt);
    free(d->path);
    free(d->description);
    free(d);
}

struct audit_device *audit_device_keep(struct audit_device *d)
{
    atomic_fetch_add(&d->references, 1);
    return d;
}

void audit_device_release(struct audit_device *d)
{
    if (d != NULL && atomic_fetch_sub(&d->references, 1) == 1)
        device_free(d);
}

enum errc audit_device_new(const struct audit_port *port, const char *salt, struct slice path,
                           struct slice description, bool local, json_t *options,
                           struct audit_device **out, struct errc_why *why)
{
    struct audit_device *d = calloc(1, sizeof *d);
    if (d == NULL)
        return ERRC_NOMEM;
    *d =
        (struct audit_device){.references = 1,
                              .port = port,
                              .path = slice_dup(path),
                              .description = slice_dup(description),
                              .local = local,
                              .options = options == NULL ? json_object() : json_deep_copy(options)};
    (void)snprintf(d->salt, sizeof d->salt, "%s", salt);
    bool short_of = d->path == NULL || d->description == NULL || d->options == NULL;
    enum errc code = short_of ? ERRC_NOMEM : read_options(d, why);
    if (code == ERRC_OK)
        *out = d;
    else
        device_free(d);
    return code;
}

enum errc audit_device_test(struct audit_device *d, struct slice line, struct errc_why *why)
{
    const char *skip = option(d, "skip_test");
    struct errc_why inner = {{0}};
    const char *path = option(d, "file_path");
    if (d->sink == NULL)
        return ERRC_OK;
    bool opened = d->port->open(d->sink, &inner) == ERRC_OK;
    if (!opened && slice_starts_with(slice_of(inner.text), "stat "))
        return errc_fail(why, ERRC_IO, "%s", inner.text); /* mode 0 wants a file that is there */
    if (!opened)
        return errc_fail(why, ERRC_IO, "sanity check failed; unable to open \"%s\" for writing: %s",
                         path == NULL ? option(d, "path") : path, inner.text);
    if (skip != NULL && strcmp(skip, "true") == 0)
        return ERRC_OK;
    if (d->port->write(d->sink, line, &inner) != ERRC_OK)
        return errc_fail(why, ERRC_IO, "audit backend failed test message: %s", inner.text);
    return ERRC_OK;
}

void audit_device_hash(const struct audit_device *d, struct slice text,
                       char out[static AUDIT_HASH_BYTES])
{
    uint8_t digest[DIGEST_BYTES];
    struct buf text_out = {.ptr = out, .cap = AUDIT_HASH_BYTES, .max = AUDIT_HASH_BYTES - 1};
    digest_hmac_sha256(slice_of(d->salt), text, digest);
    buf_add_text(&text_out, "hmac-sha256:");
    hex_format(slice_bytes(digest, sizeof digest), &text_out);
}
