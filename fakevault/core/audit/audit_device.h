/*
 * audit_device: the devices that every request and every answer is written to, and the port to
 * their files (vault-api.md 2.11).
 *
 * Lines are formatted under the core's lock and written without it, because a file may block (a
 * FIFO that nobody reads) or fail (a full disk). A request is written before it is executed, an
 * answer before it is given; when there are devices and none takes the line, the client gets a 500
 * instead. A device lives as long as lines for it do, also when it was disabled meanwhile.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/entropy.h"
#include "base/errc.h"
#include "base/text/slice.h"

#define AUDIT_HASH_BYTES (12u + DIGEST_HEX_BYTES) /* "hmac-sha256:", hex and NUL */

struct audit_sink; /* one file, the port's */

/* All but make and free may block and come from any thread, several at once. Sentences are Go's:
 * "open /x/y: permission denied". */
struct audit_port {
    /* Makes a sink for a file (or "stdout") and touches nothing yet. `mode`: permission bits; 0
     * leaves those of a file that must be there. ERRC_NOMEM. */
    enum errc (*make)(void *context, const char *path, unsigned mode, struct audit_sink **out);

    /* Opens the file, if it is not open. ERRC_IO. */
    enum errc (*open)(struct audit_sink *sink, struct errc_why *why);

    /* Appends all of a line, opening the file as needed. ERRC_IO: some of it may be there. */
    enum errc (*write)(struct audit_sink *sink, struct slice line, struct errc_why *why);

    void (*free)(struct audit_sink *sink);
    void *context;
};

struct audit_device {
    _Atomic size_t references;
    const struct audit_port *port;
    struct audit_sink *sink; /* NULL: discards */
    char *path;              /* with '/' at its end; names the device */
    char *description;
    json_t *options; /* as given: an object of strings */
    bool local;
    bool raw;           /* log_raw: nothing is hashed */
    bool hmac_accessor; /* accessors are hashed, too */
    bool elide_lists;   /* of listed keys only their number */
    const char *prefix; /* before each line; lent by options */
    char salt[ENTROPY_UUID_BYTES];
};

/* Makes a device with one reference out of the options of a request; touches no file. ERRC_SCHEMA
 * with Vault's sentence, ERRC_NOMEM. */
MUST_USE enum errc audit_device_new(const struct audit_port *port, const char *salt,
                                    struct slice path, struct slice description, bool local,
                                    json_t *options, struct audit_device **out,
                                    struct errc_why *why);

struct audit_device *audit_device_keep(struct audit_device *d);

/* Gives a reference back, on any thread; the last one closes the file. NULL allowed. */
void audit_device_release(struct audit_device *d);

/* Blocks. Opens the file, and writes a first line unless the options say skip_test. */
MUST_USE enum errc audit_device_test(struct audit_device *d, struct slice line,
                                     struct errc_why *why);

/* "hmac-sha256:..." of a text under the device's salt. */
void audit_device_hash(const struct audit_device *d, struct slice text,
                       char out[static AUDIT_HASH_BYTES]);
