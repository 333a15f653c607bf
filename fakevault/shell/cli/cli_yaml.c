#include "fakevault/shell/cli/cli_yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/count.h"
#include "base/text/slice.h"
#include "fakevault/core/http/gojson.h"

static int take(void *context, unsigned char *bytes, size_t len)
{
    buf_add(context, bytes, len);
    return 1;
}

static bool looks_like_time(const char *text)
{
    return strspn(text, "0123456789") == 4 && text[4] == '-' &&
           strspn(text, "0123456789-:.+TtZz ") == strlen(text);
}

/* Words that a reader of YAML 1.1 takes for something else than text. */
static bool is_special(const char *text)
{
    static const char *const words[] = {"",    "~", "null", "true", "false", "yes",   "no", "on",
                                        "off", "y", "n",    ".nan", ".inf",  "-.inf", "<<"};
    char *end = NULL;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    (void)strtod(text, &end);
    if (end != text && *end == '\0' && !isalpha((unsigned char)text[0]))
        return true;
    return looks_like_time(text);
}

static yaml_scalar_style_t style_of(const char *text)
{
    if (is_special(text))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return strchr(text, '\n') != NULL ? YAML_LITERAL_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

static bool emit(yaml_emitter_t *emitter, yaml_event_t *event, int initialised)
{
    return initialised && yaml_emitter_emit(emitter, event);
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    yaml_char_t *bytes = (yaml_char_t *)(uintptr_t)text; /* only read */
    return emit(
        emitter, &event,
        yaml_scalar_event_initialize(&event, NULL, NULL, bytes, (int)strlen(text), 1, 1, style));
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value);

static bool emit_object(yaml_emitter_t *emitter, json_t *object)
{
    yaml_event_t event;
    const char *key;
    json_t *item;
    yaml_mapping_style_t style =
        json_object_size(object) == 0 ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
    if (!emit(emitter, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style)))
        return false;
    json_object_foreach(object, key, item) if (!emit_scalar(emitter, key, style_of(key)) ||
                                               !emit_value(emitter, item)) return false;
    return emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static bool emit_array(yaml_emitter_t *emitter, const json_t *array)
{
    yaml_event_t event;
    size_t i;
    json_t *item;
    yaml_sequence_style_t style =
        json_array_size(array) == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    if (!emit(emitter, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style)))
        return false;
    json_array_foreach(array, i, item) if (!emit_value(emitter, item)) return false;
    return emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static bool emit_plain(yaml_emitter_t *emitter, const json_t *value)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 64);
    if (json_is_null(value))
        buf_add_text(&text, "null");
    else
        gojson_print(value, &text);
    return emit_scalar(emitter, buf_text(&text), YAML_PLAIN_SCALAR_STYLE);
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    if (json_is_object(value))
        return emit_object(emitter, (json_t *)(uintptr_t)value);
    if (json_is_array(value))
        return emit_array(emitter, value);
    if (json_is_string(value))
        return emit_scalar(emitter, json_string_value(value), style_of(json_string_value(value)));
    return emit_plain(emitter, value);
}

static bool emit_all(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    return emit(emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           emit(emitter, &event,
                yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) &&
           emit_value(emitter, value) &&
           emit(emitter, &event, yaml_document_end_event_initialize(&event, 1)) &&
           emit(emitter, &event, yaml_stream_end_event_initialize(&event));
}

void cli_yaml_format(const json_t *value, struct buf *out)
{
    yaml_emitter_t emitter;
    if (!yaml_emitter_initialize(&emitter)) {
        out->failed = true;
        return;
    }
    yaml_emitter_set_output(&emitter, take, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    if (!emit_all(&emitter, value))
        out->failed = true;
    yaml_emitter_delete(&emitter);
    while (out->len > 0 && out->ptr[out->len - 1] == '\n')
        out->ptr[--out->len] = '\0';
}
