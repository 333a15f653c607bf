#include "tests/fakevault/recorded_mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"

static const char *const secret_keys[] = {"accessor",
                                          "uuid",
                                          "cluster_id",
                                          "cluster_name",
                                          "version",
                                          "build_date",
                                          "server_time_utc",
                                          "nonce",
                                          "hmac_key",
                                          "creation_time",
                                          "expire_time",
                                          "issue_time",
                                          "term",
                                          "install_time",
                                          "running_plugin_version",
                                          "plugin_version",
                                          "ttl",
                                          "running_sha256",
                                          "encryptions"};
static const char *const key_fields[] = {"keys",       "keys_base64",   "public_key",
                                         "ciphertext", "plaintext_key", "key"};

static bool among(const char *word, const char *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

#define AMONG(word, list) among(word, list, COUNT(list))

static bool is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(s) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++)
        if (shape[i] == '-' ? s[i] != '-' : strchr("0123456789abcdef", s[i]) == NULL)
            return false;
    return true;
}

static bool is_time(const char *s)
{
    int y, mo, d, h, mi, se, n = 0;
    return sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &se, &n) == 6 && n == 19;
}

static bool is_token(const char *s)
{
    return strncmp(s, "hvs.", 4) == 0 && strlen(s) > 4;
}

static const char *alphabet(const char *s)
{
    if (strpbrk(s, "+/=") != NULL)
        return "b64";
    return strpbrk(s, "-_") != NULL || strlen(s) % 4 != 0 ? "url" : "any";
}

static json_t *mask_string(const char *s, const char *key)
{
    char pem[32];
    int version, at = 0;
    if (is_uuid(s))
        return json_string("<uuid>");
    if (is_time(s))
        return json_string("<time>");
    if (sscanf(s, "vault:v%d:%n", &version, &at) == 1 && at > 0 && s[at] != '\0')
        return json_sprintf("vault:v%d:<%s>", version, alphabet(s + at));
    if (is_token(s))
        return json_string("<token>");
    if (sscanf(s, "-----BEGIN %31[A-Z ]-", pem) == 1)
        return json_sprintf("<pem %s>", pem);
    if (AMONG(key, key_fields) && strlen(s) >= 40)
        return json_sprintf("<%s>", key);
    return json_string(s);
}

static json_t *mask_scalar(const json_t *value, const char *key)
{
    if (json_is_boolean(value) || json_is_null(value))
        return json_deep_copy(value);
    if (AMONG(key, secret_keys)) {
        if (json_is_string(value) && json_string_length(value) == 0)
            return json_string("");
        return json_sprintf("<%s %s>", json_is_number(value) ? "number" : "string", key);
    }
    if (json_is_integer(value) && json_integer_value(value) > 1500000000)
        return json_string("<unix time>");
    return json_is_number(value) ? json_deep_copy(value)
                                 : mask_string(json_string_value(value), key);
}

json_t *recorded_mask_apply(const json_t *value, const char *key)
{
    if (json_is_object(value)) {
        json_t *out = json_object(), *member;
        const char *name;
        json_object_foreach((json_t *)(uintptr_t)value, name, member)
            json_object_set_new(out, name, recorded_mask_apply(member, name));
        return out;
    }
    if (json_is_array(value)) {
        json_t *out = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(out, recorded_mask_apply(json_array_get(value, i), key));
        return out;
    }
    return mask_scalar(value, key);
}

static void report_pair(const json_t *want, const json_t *got, const char *path, struct buf *report)
{
    char *left = json_dumps(want, JSON_ENCODE_ANY), *right = json_dumps(got, JSON_ENCODE_ANY);
    buf_addf(report, "    %s: want %.300s, got %.300s\n", path, left == NULL ? "nothing" : left,
             right == NULL ? "nothing" : right);
    free(left);
    free(right);
}

/* Without a telling character the two alphabets of base64 cannot be told apart. */
static bool alike(const json_t *want, const json_t *got)
{
    const char *a = json_string_value(want), *b = json_string_value(got);
    if (a == NULL || b == NULL)
        return false;
    const char *left = strrchr(a, ':'), *right = strrchr(b, ':');
    return left != NULL && right != NULL && left - a == right - b &&
           strncmp(a, b, (size_t)(left - a)) == 0 &&
           (strcmp(left, ":<any>") == 0 || strcmp(right, ":<any>") == 0);
}

static bool is_any(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), "<any>") == 0;
}

static void differ_objects(const json_t *want, const json_t *got, const char *path,
                           struct buf *report)
{
    const char *name;
    json_t *member;
    char below[512];
    json_object_foreach((json_t *)(uintptr_t)want, name, member)
    {
        (void)snprintf(below, sizeof below, "%s.%s", path, name);
        recorded_mask_differ(member, json_object_get(got, name), below, report);
    }
    json_object_foreach((json_t *)(uintptr_t)got, name, member)
    {
        (void)snprintf(below, sizeof below, "%s.%s", path, name);
        if (json_object_get(want, name) == NULL)
            report_pair(NULL, member, below, report);
    }
}

void recorded_mask_differ(const json_t *want, const json_t *got, const char *path,
                          struct buf *report)
{
    char below[512];
    if (json_is_object(want) && json_is_object(got)) {
        differ_objects(want, got, path, report);
    } else if (json_is_array(want) && json_is_array(got) &&
               json_array_size(want) == json_array_size(got)) {
        for (size_t i = 0; i < json_array_size(want); i++) {
            (void)snprintf(below, sizeof below, "%s.%zu", path, i);
            recorded_mask_differ(json_array_get(want, i), json_array_get(got, i), below, report);
        }
    } else if (got == NULL ||
               (!json_equal(want, got) && !is_any(want) && !is_any(got) && !alike(want, got))) {
        report_pair(want, got, path, report);
    }
}

void recorded_mask_drop(json_t *value, const char *path)
{
    char head[128];
    const char *dot = strchr(path, '.'), *name;
    size_t len = dot == NULL ? strlen(path) : (size_t)(dot - path);
    json_t *member;
    (void)snprintf(head, sizeof head, "%.*s", (int)len, path);
    void *next;
    json_object_foreach_safe(value, next, name, member)
    {
        if (strcmp(head, "*") != 0 && strcmp(head, name) != 0)
            continue;
        if (dot == NULL)
            json_object_set_new(value, name, json_string("<any>"));
        else
            recorded_mask_drop(member, dot + 1);
    }
}
