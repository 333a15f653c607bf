/*
 * Which defect the program has, by the name it was started by, and the wrappers that ask it.
 */
#include "tests/defects/defect.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/count.h"

#define PROGRAM "signer_defects"
#define PREFIX "signer_defect_"

/* DEFECTS_LIST is made from the catalogue. */
#define DECLARATION(id) extern const struct defect defect_##id;
DEFECTS_LIST(DECLARATION)

static const struct defect *const all[] = {
#define ADDRESS(id) &defect_##id,
    DEFECTS_LIST(ADDRESS)
#undef ADDRESS
};

static const struct defect none = {.name = PROGRAM};
static const struct defect *active = &none;

static const char *program(void)
{
    return (const char *)(uintptr_t)getauxval(AT_EXECFN);
}

__attribute__((constructor)) static void choose(void)
{
    const char *slash = strrchr(program(), '/');
    const char *name = slash == NULL ? program() : slash + 1;
    if (strcmp(name, PROGRAM) == 0)
        return;
    for (size_t i = 0; i < COUNT(all); i++)
        if (strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
            strcmp(name + strlen(PREFIX), all[i]->name) == 0)
            active = all[i];
    if (active != &none)
        return;
    (void)fprintf(stderr, "%s: there is no such defect\n", name);
    _exit(2);
}

void defect_acts(void)
{
    static atomic_bool noted;
    char path[LIMIT_PATH_BYTES];
    if (atomic_exchange(&noted, true))
        return;
    (void)snprintf(path, sizeof path, "%s.acted", program());
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "x", 1);
    (void)close(fd);
}

void defect_send(void *context, const struct transport_request *request,
                 struct transport_reply *reply)
{
    struct transport real = __real_transport_curl_port(context);
    real.send(real.context, request, reply);
}

bool defect_is_sign(const struct transport_request *request)
{
    return strstr(request->path, "/sign/") != NULL;
}

static char *behind_value(char *value)
{
    if (*value != '"')
        return value + strcspn(value, ",}");
    for (value++; *value != '"'; value++)
        value += *value == '\\';
    return value + 1;
}

bool defect_drop_member(struct buf *out, size_t start, const char *field)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":", field);
    char *from = out->ptr == NULL ? NULL : strstr(out->ptr + start, key);
    if (from == NULL)
        return false;
    char *to = behind_value(from + strlen(key));
    if (*to == ',')
        to++;
    else if (from[-1] == ',')
        from--;
    memmove(from, to, out->len - (size_t)(to - out->ptr) + 1);
    out->len -= (size_t)(to - from);
    return true;
}

#define WRAP(type, function, parameters, arguments)                                                \
    type __wrap_##function parameters;                                                             \
    type __wrap_##function parameters                                                              \
    {                                                                                              \
        return active->function != NULL ? active->function arguments                               \
                                        : __real_##function arguments;                             \
    }
SEAMS_LIST(WRAP)
