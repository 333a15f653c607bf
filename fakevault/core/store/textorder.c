#include "fakevault/core/store/textorder.h"

#include <stdbool.h>

/* True when n, or a number that begins with n's digits, is in low..high. */
static bool reaches(uint64_t n, uint32_t low, uint32_t high)
{
    for (uint64_t first = n, last = n; first <= high; first *= 10, last = last * 10 + 9)
        if (last >= low)
            return true;
    return false;
}

/* Each number is followed by those that begin with its digits. Depth: ten digits at most. */
static void each_from(uint64_t first, uint64_t end, uint32_t low, uint32_t high,
                      void (*visit)(void *context, uint32_t n), void *context)
{
    for (uint64_t n = first; n < end && n <= high; n++) {
        if (!reaches(n, low, high))
            continue;
        if (n >= low)
            visit(context, (uint32_t)n);
        each_from(n * 10, n * 10 + 10, low, high, visit, context);
    }
}

void textorder_each(uint32_t low, uint32_t high, void (*visit)(void *context, uint32_t n),
                    void *context)
{
    each_from(1, 10, low, high, visit, context);
}
