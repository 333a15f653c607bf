/*
 * misbehave: does what a sanitizer reports, to see what such a report ends a program with.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int shared;

static void *race(void *unused)
{
    shared++;
    return unused;
}

static int racing(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, race, NULL) != 0)
        return 1;
    (void)race(NULL);
    return pthread_join(other, NULL);
}

int main(int argc, char *argv[])
{
    const char *what = argc == 2 ? argv[1] : "";
    char *memory = malloc(8);
    if (memory == NULL)
        return 1;
    if (strcmp(what, "leak") == 0)
        memory = NULL;
    if (strcmp(what, "behind") == 0)
        memory[8 * argc / 2] = 1;
    if (strcmp(what, "overflow") == 0)
        shared = INT_MAX - 1 + argc;
    if (strcmp(what, "race") == 0)
        return racing();
    free(memory);
    return shared == 0;
}
