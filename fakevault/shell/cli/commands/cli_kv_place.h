/*
 * cli_kv_place: where a secret lies. The engine's version and mount are asked for first
 * (sys/internal/ui/mounts), since they decide: secret/x in version 1, secret/data/x in version 2.
 *
 * Those that return an int return 0, or the exit code after having said why.
 */
#pragma once

#include "fakevault/shell/cli/cli.h"

/* Where the first word, or -mount and the first word, lead. */
struct cli_kv_place {
    const char *mount; /* "secret/" */
    const char *path;  /* of the secret, mount included */
    bool v2;
};

#define CLI_KV_PLACE_FLAG                                                                          \
    {                                                                                              \
        "mount", CLI_FLAG_TEXT, NULL, "the engine's path; PATH is relative then", NULL             \
    }

int cli_kv_place_find(struct cli *cli, struct cli_kv_place *out);

/* secret/x becomes secret/data/x, for part "data". */
const char *cli_kv_place_path(struct cli *cli, const struct cli_kv_place *place, const char *part);

/* Sends a body to a path; what came back is in *secret, which may be NULL. */
int cli_kv_place_write(struct cli *cli, const char *method, const char *path, const json_t *body,
                       json_t **secret);

/* The secret at path, in one of its versions (0: the newest). */
int cli_kv_place_read(struct cli *cli, const char *path, int64_t version, const char *failed,
                      json_t **secret);

int cli_kv_place_empty(const char *path);

/* A title over a path; a title as wide as the table of the map that comes under it. */
void cli_kv_place_show(const char *title, const char *path);
void cli_kv_place_title(const char *title, const json_t *map);
