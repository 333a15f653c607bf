#include "fakevault/core/outage/fault_schema.h"

/* integration/test_fakevault_control.py holds it against what fault_add takes and refuses. */
static const char schema[] =
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
    "\"properties\":{\"respond\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"integer\","
    "\"minimum\":200,\"maximum\":599},\"errors\":{\"type\":[\"array\",\"null\"],"
    "\"items\":{\"type\":\"string\"}},\"body\":true,\"headers\":{\"type\":[\"object\","
    "\"null\"],\"maxProperties\":32,"
    "\"propertyNames\":{\"pattern\":\"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$\"},"
    "\"additionalProperties\":{\"type\":\"string\"}}}},\"hold\":{\"const\":true},"
    "\"refuse\":{\"const\":true},\"crash\":{\"const\":true},\"seal\":{\"const\":true}}},"
    "\"lease_ms\":{\"$ref\":\"#/$defs/ms\"}}}";

const char *fault_schema_text(void)
{
    return schema;
}
