#include "signer/core/service/api_guard.h"

#include <string.h>
#include <strings.h>

static bool same_name(struct slice a, struct slice b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

/* "HOST", "HOST:PORT", "[V6]" or "[V6]:PORT": without the port, with the brackets. Empty when what
 * is behind the host is no port. */
static struct slice without_port(struct slice host)
{
    bool bracketed = host.len > 0 && host.ptr[0] == '[';
    size_t end = bracketed ? slice_find(host, ']') + 1 : slice_find(host, ':');
    uint64_t port = 0;
    if (end > host.len)
        return (struct slice){0};
    struct slice behind = slice_from(host, end);
    bool good = behind.len == 0 || (behind.ptr[0] == ':' &&
                                    slice_to_u64(slice_from(behind, 1), &port) && port <= 65535);
    return good ? (struct slice){host.ptr, end} : (struct slice){0};
}

static bool is_v4(struct slice host, uint64_t parts[static 4])
{
    for (int i = 0; i < 4; i++) {
        struct slice part = slice_cut(&host, '.');
        if (part.len > 3 || !slice_to_u64(part, &parts[i]) || parts[i] > 255)
            return false;
    }
    return host.len == 0;
}

static bool is_v6(struct slice host)
{
    if (host.len < 4 || host.ptr[0] != '[' || host.ptr[host.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < host.len; i++)
        if (strchr("0123456789abcdefABCDEF:.", host.ptr[i]) == NULL || host.ptr[i] == '\0')
            return false;
    return true;
}

static bool is_loopback(struct slice host)
{
    uint64_t parts[4];
    return same_name(host, SLICE_LITERAL("localhost")) || slice_equal_text(host, "[::1]") ||
           (is_v4(host, parts) && parts[0] == 127);
}

static bool is_any_address(struct slice host)
{
    uint64_t parts[4];
    return slice_equal_text(host, "[::]") ||
           (is_v4(host, parts) && parts[0] + parts[1] + parts[2] + parts[3] == 0);
}

static bool is_listened_on(const struct api_guard *guard, struct slice host)
{
    uint64_t parts[4];
    struct slice listen = without_port(slice_of(guard->listen));
    if (is_any_address(listen))
        return is_v4(host, parts) || is_v6(host);
    return same_name(host, listen);
}

static bool is_named(const struct api_guard *guard, struct slice host)
{
    for (struct slice rest = slice_of(guard->names); rest.len > 0;)
        if (same_name(host, slice_trim(slice_cut(&rest, ','))))
            return true;
    return false;
}

bool api_guard_host(const struct api_guard *guard, struct slice host)
{
    struct slice name = without_port(slice_trim(host));
    return is_loopback(name) || is_listened_on(guard, name) || is_named(guard, name);
}

bool api_guard_origin(struct slice origin, struct slice host)
{
    origin = slice_trim(origin);
    return slice_starts_with(origin, "http://") &&
           same_name(slice_from(origin, 7), slice_trim(host));
}
