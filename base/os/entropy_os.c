#include "base/os/entropy_os.h"

#include <sodium.h>

#include "base/bug.h"

static void fill(void *context, void *out, size_t len)
{
    (void)context;
    randombytes_buf(out, len);
}

struct entropy entropy_os(void)
{
    CHECK(sodium_init() >= 0);
    return (struct entropy){.fill = fill, .context = NULL};
}
