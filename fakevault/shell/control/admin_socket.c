#include "fakevault/shell/control/admin_socket.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakevault/shell/control/sockname.h"

#define BACKLOG 128

/* "unix:PATH" may be written for PATH. */
static const char *bare(const char *address)
{
    return address != NULL && strncmp(address, "unix:", 5) == 0 ? address + 5 : address;
}

static bool is_path(const char *address)
{
    return strchr(address, '/') != NULL;
}

/* ---- Unix sockets ---- */

static enum errc unix_name(const char *path, struct sockaddr_un *out, struct errc_why *why)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof out->sun_path)
        return errc_fail(why, ERRC_TOO_BIG,
                         "admin socket \"%.200s\" has %zu bytes, a socket's path may have %zu; "
                         "give a shorter one with -admin",
                         path, len, sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, len + 1);
    return ERRC_OK;
}

static int unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* A socket file outlives a killed server; it is in the way only while somebody listens on it. */
static enum errc clear_way(const struct sockaddr_un *name, struct errc_why *why)
{
    struct stat st;
    if (lstat(name->sun_path, &st) != 0)
        return ERRC_OK;
    if (!S_ISSOCK(st.st_mode))
        return errc_fail(why, ERRC_EXISTS, "admin socket \"%s\": there is a file that is no socket",
                         name->sun_path);
    int fd = unix_socket();
    bool served = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof *name) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (served)
        return errc_fail(why, ERRC_EXISTS, "admin socket \"%s\" is served by another process",
                         name->sun_path);
    (void)unlink(name->sun_path);
    return ERRC_OK;
}

static enum errc listen_unix(struct admin_socket *s, struct errc_why *why)
{
    struct sockaddr_un name;
    TRY(unix_name(s->address, &name, why));
    TRY(clear_way(&name, why));
    s->fd = unix_socket();
    if (s->fd < 0 || bind(s->fd, (const struct sockaddr *)&name, sizeof name) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "admin socket \"%s\": %s", s->address,
                         strerror(errno));
    if (chmod(s->address, 0600) != 0 || listen(s->fd, BACKLOG) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "admin socket \"%s\": %s", s->address,
                         strerror(errno));
    return ERRC_OK;
}

static enum errc choose_path(struct admin_socket *s, uint16_t port, struct errc_why *why)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *temporary = getenv("TMPDIR");
    const char *folder = runtime;
    if (runtime == NULL || access(runtime, W_OK | X_OK) != 0) {
        temporary = temporary == NULL || *temporary == '\0' ? "/tmp" : temporary;
        (void)snprintf(s->folder, sizeof s->folder, "%s/fakevault-XXXXXX", temporary);
        if (mkdtemp(s->folder) == NULL) {
            s->folder[0] = '\0';
            return errc_fail(why, ERRC_UNAVAILABLE, "cannot make a folder in \"%s\": %s", temporary,
                             strerror(errno));
        }
        folder = s->folder;
    }
    int n = snprintf(s->address, sizeof s->address, "%s/fakevault-%u.sock", folder, port);
    return n > 0 && (size_t)n < sizeof s->address
               ? ERRC_OK
               : errc_fail(why, ERRC_TOO_BIG, "the admin socket's path is too long");
}

/* ---- TCP ---- */

static enum errc listen_tcp(struct admin_socket *s, const char *address, struct errc_why *why)
{
    struct sockname name;
    TRY(sockname_parse(address, &name, why));
    if (!sockname_is_loopback(&name))
        return errc_fail(why, ERRC_USAGE,
                         "admin address \"%.80s\" is not on the loopback interface; use 127.0.0.1",
                         address);
    TRY(sockname_bind(&name, &s->fd, why));
    char text[SOCKNAME_TEXT_MAX];
    sockname_format(&name, text);
    memcpy(s->address, text, sizeof text);
    if (listen(s->fd, BACKLOG) != 0)
        return errc_fail(why, ERRC_UNAVAILABLE, "cannot listen on %s: %s", s->address,
                         strerror(errno));
    return ERRC_OK;
}

/* ---- both ---- */

static enum errc open_any(struct admin_socket *s, const char *address, uint16_t data_port,
                          struct errc_why *why)
{
    if (address != NULL && !is_path(address)) {
        s->tcp = true;
        return listen_tcp(s, address, why);
    }
    if (address == NULL)
        TRY(choose_path(s, data_port, why));
    else if (strlen(address) < sizeof s->address)
        memcpy(s->address, address, strlen(address) + 1);
    else
        return errc_fail(why, ERRC_TOO_BIG, "the admin socket's path is too long");
    return listen_unix(s, why);
}

enum errc admin_socket_open(const char *address, uint16_t data_port, struct admin_socket *out,
                            struct errc_why *why)
{
    *out = (struct admin_socket){.fd = -1};
    enum errc code = open_any(out, bare(address), data_port, why);
    if (code != ERRC_OK) {
        out->tcp = true; /* the file, if there is one, is not ours */
        admin_socket_close(out);
    }
    return code;
}

void admin_socket_close(struct admin_socket *socket)
{
    if (socket->fd >= 0)
        (void)close(socket->fd);
    socket->fd = -1;
    if (!socket->tcp && socket->address[0] != '\0')
        (void)unlink(socket->address);
    if (socket->folder[0] != '\0')
        (void)rmdir(socket->folder);
}

/* ---- the client's side ---- */

static enum errc find_only(char out[static LIMIT_PATH_BYTES], struct errc_why *why)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char pattern[LIMIT_PATH_BYTES];
    glob_t found = {0};
    (void)snprintf(pattern, sizeof pattern, "%s/fakevault-*.sock", runtime == NULL ? "" : runtime);
    if (runtime == NULL || glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc != 1) {
        size_t count = found.gl_pathc;
        globfree(&found);
        return errc_fail(why, ERRC_USAGE,
                         "%s; its greeting names the \"Control address\": give that with "
                         "-admin=PATH or in FAKEVAULT_ADMIN",
                         count > 1 ? "several servers were found, say which one"
                                   : "no server was found in XDG_RUNTIME_DIR");
    }
    (void)snprintf(out, LIMIT_PATH_BYTES, "%s", found.gl_pathv[0]);
    globfree(&found);
    return ERRC_OK;
}

static enum errc connect_to(const char *address, int *fd, bool *tcp, struct errc_why *why)
{
    struct sockaddr_un local;
    struct sockname remote;
    *tcp = !is_path(address);
    if (*tcp)
        TRY(sockname_parse(address, &remote, why));
    else
        TRY(unix_name(address, &local, why));
    const struct sockaddr *name =
        *tcp ? (const struct sockaddr *)&remote.address : (const struct sockaddr *)&local;
    int s = *tcp ? socket(remote.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : unix_socket();
    if (s >= 0 && connect(s, name, *tcp ? remote.len : (socklen_t)sizeof local) == 0) {
        *fd = s;
        return ERRC_OK;
    }
    enum errc code = errc_fail(why, ERRC_UNAVAILABLE, "no fakevault answers at \"%s\": %s", address,
                               strerror(errno));
    if (s >= 0)
        (void)close(s);
    return code;
}

enum errc admin_socket_connect(const char *address, int *fd, const char **shown, bool *tcp,
                               struct errc_why *why)
{
    static char found[LIMIT_PATH_BYTES];
    const char *environment = getenv("FAKEVAULT_ADMIN");
    if (address == NULL && environment != NULL && *environment != '\0')
        address = environment;
    if (address == NULL) {
        TRY(find_only(found, why));
        address = found;
    }
    *shown = address = bare(address);
    return connect_to(address, fd, tcp, why);
}
