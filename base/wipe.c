#include "base/wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void wipe_free(void *ptr)
{
    if (ptr == NULL)
        return;
    secret_wipe(ptr, malloc_usable_size(ptr));
    free(ptr);
}

void *wipe_realloc(void *ptr, size_t size)
{
    void *moved = malloc(size);
    if (moved == NULL || ptr == NULL)
        return moved;
    size_t old = malloc_usable_size(ptr);
    memcpy(moved, ptr, old < size ? old : size);
    wipe_free(ptr);
    return moved;
}
