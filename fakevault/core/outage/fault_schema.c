#include "fakevault/core/outage/fault_schema.h"

#include "fakevault/core/outage/effect.h"

/* integration/test_fakevault_control.py holds it against what fault_add takes and refuses. */
static const char head[] =
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
    "\"title\":\"fault rule of fakevault\",\"type\":\"object\","
    "\"additionalProperties\":false,\"required\":[\"effect\"],"
    "\"$defs\":{\"text\":{\"type\":[\"string\",\"null\"],\"minLength\":1},"
    "\"count\":{\"type\":[\"integer\",\"null\"],\"minimum\":1},\"ms\":{\"type\":[\"integer\","
    "\"null\"],\"minimum\":0}},\"properties\":{\"id\":{\"type\":[\"string\",\"null\"],"
    "\"pattern\":\"^[!$&-.0->@-\\\\[\\\\]-~]{1,63}$\","
    "\"description\":\"made up when left out\"},\"match\":{\"type\":[\"object\","
    "\"null\"],\"additionalProperties\":false,"
    "\"properties\":{\"method\":{\"$ref\":\"#/$defs/text\"},"
    "\"path\":{\"$ref\":\"#/$defs/text\"},\"key\":{\"$ref\":\"#/$defs/text\"},"
    "\"accessor\":{\"$ref\":\"#/$defs/text\"},\"test\":{\"$ref\":\"#/$defs/text\"}}},"
    "\"trigger\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,"
    "\"properties\":{\"after\":{\"$ref\":\"#/$defs/ms\"},"
    "\"times\":{\"$ref\":\"#/$defs/count\"},\"every\":{\"$ref\":\"#/$defs/count\"},"
    "\"ppm\":{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":1000000},"
    "\"from_ms\":{\"$ref\":\"#/$defs/ms\"},\"to_ms\":{\"$ref\":\"#/$defs/ms\"}}},"
    "\"effect\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"minProperties\":1,\"maxProperties\":1,"
    "\"properties\":{";

static const char tail[] = "}},"
                           "\"lease_ms\":{\"$ref\":\"#/$defs/ms\"}}}";

void fault_schema_format(struct buf *out)
{
    buf_add_text(out, head);
    effect_format_schema(out);
    buf_add_text(out, tail);
}
