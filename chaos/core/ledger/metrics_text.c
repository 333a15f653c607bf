#include "chaos/core/ledger/metrics_text.h"

#include <string.h>

/* Takes one `name="value"` off the front; false at the end or at what is no label. Escapes stay
 * as they are: no label of ours has any. */
static bool next_label(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->len > 0 && (rest->ptr[0] == ',' || rest->ptr[0] == ' '))
        *rest = slice_from(*rest, 1);
    if (slice_find(*rest, '=') + 1 >= rest->len)
        return false;
    *name = slice_trim(slice_cut(rest, '='));
    if (rest->ptr[0] != '"')
        return false;
    *rest = slice_from(*rest, 1);
    if (slice_find(*rest, '"') == rest->len)
        return false;
    *value = slice_cut(rest, '"');
    return true;
}

static bool carries(struct slice labels, const struct scenario_pair *wanted)
{
    struct slice name, value;
    while (next_label(&labels, &name, &value))
        if (slice_equal_text(name, wanted->name) && slice_equal_text(value, wanted->value))
            return true;
    return false;
}

static bool carries_all(struct slice labels, const struct scenario_pair *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!carries(labels, &wanted[i]))
            return false;
    return true;
}

/* Takes a line apart into name, what stands in braces, and value. */
static bool split_sample(struct slice line, struct slice *name, struct slice *labels,
                         struct slice *value)
{
    size_t brace = slice_find(line, '{'), blank = slice_find(line, ' ');
    *labels = (struct slice){0};
    if (brace < blank) {
        *name = slice_cut(&line, '{');
        if (slice_find(line, '}') == line.len)
            return false;
        *labels = slice_cut(&line, '}');
    } else {
        *name = slice_cut(&line, ' ');
    }
    line = slice_trim(line);
    *value = slice_cut(&line, ' '); /* a time stamp may follow */
    return value->len > 0;
}

bool metrics_text_find(struct slice text, const char *name, const struct scenario_pair *labels,
                       size_t label_count, struct slice *value)
{
    while (text.len > 0) {
        struct slice line = slice_trim(slice_cut(&text, '\n')), found_name, found_labels, found;
        if (line.len == 0 || line.ptr[0] == '#' ||
            !split_sample(line, &found_name, &found_labels, &found))
            continue;
        if (slice_equal_text(found_name, name) && carries_all(found_labels, labels, label_count)) {
            *value = found;
            return true;
        }
    }
    return false;
}
