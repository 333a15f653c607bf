#include "fakevault/core/textorder.h"

/* Each number is followed by those that begin with its digits. Depth: ten digits at most. */
static void each_from(uint64_t first, uint64_t end, uint32_t low, uint32_t high,
                      void (*visit)(void *context, uint32_t n), void *context)
{
    for (uint64_t n = first; n < end && n <= high; n++) {
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
