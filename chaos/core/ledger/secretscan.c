#include "chaos/core/ledger/secretscan.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/buf.h"
#include "base/wipe.h"

#define WINDOW 8u      /* bytes that are looked up at once */
#define ENOUGH 12u     /* bytes of a secret that chance does not make */
#define ENOUGH_HEX 20u /* of one that is written in sixteen characters, as a UUID is */
#define PREFIX_MAX 5u  /* "hvs.", "dev-": the public beginning of a token */
#define FORM_BYTES_MAX 65536u
#define FORMS 12u
#define NONE UINT32_MAX

/* How many characters stand for how many bytes, and how many bits are ahead of the first. */
struct scale {
    unsigned bits; /* of the secret, per character */
    unsigned lead; /* bits of the first characters that are not the secret's */
};

struct pattern {
    size_t secret, secret_len;
    const char *form;
    struct scale scale;
    struct buf text;
    size_t body; /* where the public beginning ends, in characters */
    size_t least;
};

struct slot {
    uint64_t window;
    uint32_t pattern, at; /* pattern NONE: empty */
};

struct secretscan {
    struct pattern *patterns;
    size_t pattern_count, secret_count;
    struct slot *slots; /* open addressing */
    unsigned char *filter;
    unsigned shift; /* 64 less the bits of a slot's number */
    size_t stride;  /* of the windows that are looked up */
    bool *seen;     /* secrets that this text has */
};

/* --- forms --- */

typedef void format_form(struct slice secret, struct buf *out);

static void format_plain(struct slice secret, struct buf *out)
{
    buf_add_slice(out, secret);
}

static void format_hex(struct slice secret, struct buf *out)
{
    for (size_t i = 0; i < secret.len; i++)
        buf_addf(out, "%02x", (unsigned char)secret.ptr[i]);
}

static void format_hex_upper(struct slice secret, struct buf *out)
{
    for (size_t i = 0; i < secret.len; i++)
        buf_addf(out, "%02X", (unsigned char)secret.ptr[i]);
}

static void format_percent(struct slice secret, struct buf *out)
{
    for (size_t i = 0; i < secret.len; i++)
        buf_addf(out, "%%%02X", (unsigned char)secret.ptr[i]);
}

static void format_percent_lower(struct slice secret, struct buf *out)
{
    for (size_t i = 0; i < secret.len; i++)
        buf_addf(out, "%%%02x", (unsigned char)secret.ptr[i]);
}

static void format_url(struct slice secret, struct buf *out)
{
    for (size_t i = 0; i < secret.len; i++)
        if (isalnum((unsigned char)secret.ptr[i]) || memchr("-._~", secret.ptr[i], 4) != NULL)
            buf_add_char(out, secret.ptr[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)secret.ptr[i]);
}

/* Encodes behind `pad` other bytes, and leaves out the characters that depend on those. */
static void format_base64(struct slice secret, size_t pad, enum base64_alphabet alphabet,
                          struct buf *out)
{
    struct buf bytes CLEANUP(buf_done), text CLEANUP(buf_done);
    buf_init(&bytes, FORM_BYTES_MAX);
    buf_init(&text, FORM_BYTES_MAX);
    buf_add(&bytes, "\0\0", pad);
    buf_add_slice(&bytes, secret);
    base64_format(buf_slice(&bytes), alphabet, &text);
    size_t from = (pad * 8 + 5) / 6, to = (pad + secret.len) * 8 / 6;
    struct slice all = buf_slice(&text);
    if (to > from && to <= all.len)
        buf_add(out, all.ptr + from, to - from);
    out->failed |= bytes.failed || text.failed;
}

static void format_base64_0(struct slice secret, struct buf *out)
{
    format_base64(secret, 0, BASE64_STANDARD, out);
}

static void format_base64_1(struct slice secret, struct buf *out)
{
    format_base64(secret, 1, BASE64_STANDARD, out);
}

static void format_base64_2(struct slice secret, struct buf *out)
{
    format_base64(secret, 2, BASE64_STANDARD, out);
}

static void format_base64url_0(struct slice secret, struct buf *out)
{
    format_base64(secret, 0, BASE64_URL_RAW, out);
}

static void format_base64url_1(struct slice secret, struct buf *out)
{
    format_base64(secret, 1, BASE64_URL_RAW, out);
}

static void format_base64url_2(struct slice secret, struct buf *out)
{
    format_base64(secret, 2, BASE64_URL_RAW, out);
}

/* lead: of pad 1, two characters hold 8 bits of padding and 4 of the secret: 4 are lost. */
static const struct {
    const char *name;
    format_form *format;
    struct scale scale; /* bits in 1/12 of a byte: 96 to the byte */
} forms[FORMS] = {
    {"", format_plain, {96, 0}},
    {"in hex", format_hex, {48, 0}},
    {"in hex", format_hex_upper, {48, 0}},
    {"in base64", format_base64_0, {72, 0}},
    {"in base64", format_base64_1, {72, 48}},
    {"in base64", format_base64_2, {72, 24}},
    {"in base64url", format_base64url_0, {72, 0}},
    {"in base64url", format_base64url_1, {72, 48}},
    {"in base64url", format_base64url_2, {72, 24}},
    {"URL-encoded", format_url, {96, 0}},
    {"percent-encoded", format_percent, {32, 0}},
    {"percent-encoded", format_percent_lower, {32, 0}},
};

#define SCALE 96u /* of a byte */

/* --- patterns --- */

/* "hvs.", "hvb.", "s.", "dev-": what many tokens begin with. */
static size_t public_beginning(struct slice secret)
{
    for (size_t i = 0; i < secret.len && i < PREFIX_MAX; i++) {
        if (secret.ptr[i] == '.' || secret.ptr[i] == '-')
            return i + 1;
        if (!islower((unsigned char)secret.ptr[i]))
            return 0;
    }
    return 0;
}

static size_t enough(struct slice body)
{
    for (size_t i = 0; i < body.len; i++)
        if (!isxdigit((unsigned char)body.ptr[i]) && body.ptr[i] != '-')
            return ENOUGH;
    return ENOUGH_HEX;
}

/* Characters that bytes need in this form, rounded up. */
static size_t characters(size_t bytes, struct scale scale)
{
    size_t units = bytes * SCALE;
    units = units > scale.lead ? units - scale.lead : 0;
    return (units + scale.bits - 1) / scale.bits;
}

static bool is_known(const struct secretscan *s, size_t first, const struct buf *text)
{
    for (size_t i = first; i < s->pattern_count; i++)
        if (slice_equal(buf_slice(&s->patterns[i].text), buf_slice(text)))
            return true;
    return false;
}

static enum errc add_pattern(struct secretscan *s, size_t secret, struct slice bytes, size_t form,
                             size_t first, struct errc_why *why)
{
    struct pattern *p = &s->patterns[s->pattern_count];
    size_t prefix = public_beginning(bytes);
    size_t least = enough(slice_from(bytes, prefix));
    if (bytes.len < prefix + least)
        least = bytes.len - prefix;
    *p = (struct pattern){.secret = secret,
                          .secret_len = bytes.len,
                          .form = forms[form].name,
                          .scale = forms[form].scale,
                          .body = characters(prefix, forms[form].scale)};
    buf_init(&p->text, FORM_BYTES_MAX);
    forms[form].format(bytes, &p->text);
    p->least = least * SCALE / p->scale.bits;
    if (p->text.len < p->body + p->least)
        p->least = p->text.len > p->body ? p->text.len - p->body : 0;
    enum errc code = buf_status(&p->text, why);
    if (code != ERRC_OK || p->least < WINDOW || is_known(s, first, &p->text))
        buf_done(&p->text);
    else
        s->pattern_count++;
    return code;
}

/* --- the table --- */

static uint64_t window_at(const char *at)
{
    uint64_t window = 0;
    memcpy(&window, at, sizeof window);
    return window;
}

static uint64_t mix(uint64_t window)
{
    window ^= window >> 31;
    return window * 0x9e3779b97f4a7c15u;
}

/* Eight bits of the filter stand for each slot. */
static size_t filter_bit(const struct secretscan *s, uint64_t mixed)
{
    return (size_t)(mixed >> (s->shift - 3));
}

static void insert(struct secretscan *s, uint64_t window, size_t pattern, size_t at)
{
    uint64_t mixed = mix(window);
    size_t mask = ((size_t)1 << (64 - s->shift)) - 1, i = (size_t)(mixed >> s->shift);
    size_t bit = filter_bit(s, mixed);
    s->filter[bit / 8] |= (unsigned char)(1u << (bit % 8));
    while (s->slots[i].pattern != NONE)
        i = (i + 1) & mask;
    s->slots[i] = (struct slot){window, (uint32_t)pattern, (uint32_t)at};
}

static size_t count_windows(const struct secretscan *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->pattern_count; i++)
        count += s->patterns[i].text.len - WINDOW + 1 - s->patterns[i].body;
    return count;
}

static enum errc make_table(struct secretscan *s, struct errc_why *why)
{
    size_t bits = 8, windows = count_windows(s);
    while (((size_t)1 << bits) < 3 * windows)
        bits++;
    s->shift = (unsigned)(64 - bits);
    s->slots = calloc((size_t)1 << bits, sizeof *s->slots);
    s->filter = calloc((size_t)1 << bits, 1);
    if (s->slots == NULL || s->filter == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (size_t i = 0; i < (size_t)1 << bits; i++)
        s->slots[i].pattern = NONE;
    s->stride = SIZE_MAX;
    for (size_t i = 0; i < s->pattern_count; i++) {
        const struct pattern *p = &s->patterns[i];
        for (size_t at = p->body; at + WINDOW <= p->text.len; at++)
            insert(s, window_at(p->text.ptr + at), i, at);
        if (p->least - WINDOW + 1 < s->stride)
            s->stride = p->least - WINDOW + 1;
    }
    return ERRC_OK;
}

static enum errc fill(struct secretscan *s, const struct world_canary *canaries, size_t count,
                      struct errc_why *why)
{
    s->secret_count = count;
    s->patterns = calloc(count * FORMS + 1, sizeof *s->patterns);
    s->seen = calloc(count + 1, sizeof *s->seen);
    if (s->patterns == NULL || s->seen == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        size_t first = s->pattern_count;
        for (size_t form = 0; form < FORMS && canaries[i].bytes.len >= WINDOW; form++)
            TRY(add_pattern(s, i, canaries[i].bytes, form, first, why));
    }
    return make_table(s, why);
}

enum errc secretscan_new(const struct world_canary *canaries, size_t count, struct secretscan **out,
                         struct errc_why *why)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    enum errc code = fill(*out, canaries, count, why);
    if (code == ERRC_OK)
        return ERRC_OK;
    secretscan_free(*out);
    *out = NULL;
    return code;
}

void secretscan_free(struct secretscan *scan)
{
    if (scan == NULL)
        return;
    for (size_t i = 0; i < scan->pattern_count; i++)
        buf_done(&scan->patterns[i].text);
    free(scan->patterns);
    wipe_free(scan->slots);
    free(scan->filter);
    free(scan->seen);
    free(scan);
}

/* --- looking --- */

/* A run of characters that text and pattern share. */
struct run {
    const struct pattern *pattern;
    size_t text, at, len; /* where it begins in the text, and in the pattern */
};

static struct run follow(const struct pattern *p, size_t at, struct slice text, size_t pos)
{
    struct run r = {p, pos, at, WINDOW};
    while (r.at > 0 && r.text > 0 && p->text.ptr[r.at - 1] == text.ptr[r.text - 1]) {
        r.at--;
        r.text--;
        r.len++;
    }
    while (r.at + r.len < p->text.len && r.text + r.len < text.len &&
           p->text.ptr[r.at + r.len] == text.ptr[r.text + r.len])
        r.len++;
    return r;
}

/* What of it is behind the public beginning. */
static bool is_long_enough(const struct run *r)
{
    size_t public = r->at < r->pattern->body ? r->pattern->body - r->at : 0;
    return r->len >= public + r->pattern->least;
}

/* The longest run about the window at pos; pattern NULL: none that is long enough. */
static struct run look_up(const struct secretscan *s, struct slice text, size_t pos)
{
    uint64_t window = window_at(text.ptr + pos), mixed = mix(window);
    size_t mask = ((size_t)1 << (64 - s->shift)) - 1, bit = filter_bit(s, mixed);
    struct run best = {0};
    if ((s->filter[bit / 8] & (1u << (bit % 8))) == 0)
        return best;
    for (size_t i = (size_t)(mixed >> s->shift); s->slots[i].pattern != NONE; i = (i + 1) & mask) {
        if (s->slots[i].window != window)
            continue;
        struct run r = follow(&s->patterns[s->slots[i].pattern], s->slots[i].at, text, pos);
        if (r.len > best.len && is_long_enough(&r))
            best = r;
    }
    return best;
}

static struct secretscan_hit hit_of(const struct run *r, size_t line)
{
    const struct pattern *p = r->pattern;
    size_t first = (r->at * p->scale.bits + p->scale.lead + SCALE - 1) / SCALE;
    size_t last = ((r->at + r->len) * p->scale.bits + p->scale.lead) / SCALE;
    return (struct secretscan_hit){
        .secret = p->secret,
        .form = p->form,
        .line = line,
        .before = r->at == 0 ? 0 : first,
        .after = r->at + r->len == p->text.len || last > p->secret_len ? 0 : p->secret_len - last};
}

void secretscan_text(struct secretscan *scan, struct slice text,
                     void (*found)(void *context, const struct secretscan_hit *hit), void *context)
{
    size_t line = 1, counted = 0;
    memset(scan->seen, 0, (scan->secret_count + 1) * sizeof *scan->seen);
    for (size_t pos = 0; scan->pattern_count > 0 && pos + WINDOW <= text.len;) {
        struct run r = look_up(scan, text, pos);
        if (r.pattern == NULL) {
            pos += scan->stride;
            continue;
        }
        for (; counted < r.text; counted++)
            line += text.ptr[counted] == '\n';
        const struct secretscan_hit hit = hit_of(&r, line);
        if (!scan->seen[hit.secret])
            found(context, &hit);
        scan->seen[hit.secret] = true;
        pos = r.text + r.len;
    }
}
