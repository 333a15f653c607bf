#include "chaos/shell/cmd_look.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/flags.h"
#include "base/text/jsonwrite.h"
#include "base/text/printable.h"
#include "chaos/core/judge/verdict.h"
#include "chaos/core/language/schema.h"
#include "chaos/shell/run/library.h"

#define OUTPUT_BYTES_MAX (16u << 20)

struct list_options {
    bool json;
};

static const struct flags_spec list_specs[] = {
    {"json", FLAGS_SWITCH, offsetof(struct list_options, json), NULL, "print JSON"},
};
static const struct flags list_flags = {list_specs, COUNT(list_specs)};
static const struct flags no_flags = {NULL, 0};

static int complain(int code, const struct errc_why *why)
{
    (void)fprintf(stderr, "chaos: %s\n", printable_line(why->text).text);
    return code;
}

/* Reads flags and loads the scenarios that the positionals name; returns an exit code, 0 to go
 * on. Unsound files are told. */
static int open_library(const struct flags *flags, int argc, char *const argv[], void *options,
                        struct library *library)
{
    struct errc_why why = {""};
    size_t count = 0;
    const char **paths = calloc((size_t)argc + 1, sizeof *paths);
    enum errc code = ERRC_NOMEM;
    if (paths != NULL)
        code = flags_parse(flags, argc, argv, options, paths, &count, &why);
    if (code == ERRC_OK && count == 0)
        code = errc_fail(&why, ERRC_USAGE, "no scenario given; name a file or a folder");
    if (code == ERRC_OK)
        code = library_load(library, paths, count, &why);
    free(paths);
    if (code != ERRC_OK)
        return complain(errc_class(code) == ERRC_CLASS_FATAL ? VERDICT_EXIT_INTERNAL
                                                             : VERDICT_EXIT_USAGE,
                        &why);
    library_tell_findings(library);
    return library->unsound > 0 ? VERDICT_EXIT_SCENARIO : 0;
}

static int print_out(const struct buf *out)
{
    struct errc_why why = {""};
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, OUTPUT_BYTES_MAX);
    printable_text(buf_slice(out), &shown);
    if (buf_status(out, &why) != ERRC_OK || buf_status(&shown, &why) != ERRC_OK)
        return complain(VERDICT_EXIT_INTERNAL, &why);
    (void)fputs(buf_text(&shown), stdout);
    return 0;
}

int cmd_look_lint(int argc, char *const argv[])
{
    struct library library CLEANUP(library_done);
    library_init(&library);
    int code = open_library(&no_flags, argc, argv, NULL, &library);
    if (code == 0)
        (void)printf("%zu scenario%s, nothing to object to\n", library.count,
                     library.count == 1 ? "" : "s");
    return code;
}

static void list_json(const struct library *library, struct buf *out)
{
    struct jsonwrite w;
    jsonwrite_init(&w, out, JSONWRITE_PLAIN);
    jsonwrite_array(&w, NULL);
    for (size_t i = 0; i < library->count; i++) {
        const struct scenario *s = &library->entries[i]->scenario;
        jsonwrite_object(&w, NULL);
        jsonwrite_string(&w, "name", s->name);
        jsonwrite_string(&w, "file", s->file);
        jsonwrite_string(&w, "purpose", s->purpose);
        jsonwrite_array(&w, "tags");
        for (size_t t = 0; t < s->tag_count; t++)
            jsonwrite_string(&w, NULL, s->tags[t]);
        jsonwrite_end(&w);
        jsonwrite_int(&w, "steps", (int64_t)library->entries[i]->plan.count);
        jsonwrite_end(&w);
    }
    jsonwrite_end(&w);
    buf_add_char(out, '\n');
}

static void list_text(const struct library *library, struct buf *out)
{
    for (size_t i = 0; i < library->count; i++) {
        const struct scenario *s = &library->entries[i]->scenario;
        buf_addf(out, "%s\n    %s\n", s->file, s->purpose);
        for (size_t t = 0; t < s->tag_count; t++)
            buf_addf(out, "%s%s", t == 0 ? "    tags: " : ", ", s->tags[t]);
        buf_add_text(out, s->tag_count > 0 ? "\n" : "");
    }
}

int cmd_look_list(int argc, char *const argv[])
{
    struct library library CLEANUP(library_done);
    struct buf out CLEANUP(buf_done);
    struct list_options options = {0};
    library_init(&library);
    buf_init(&out, OUTPUT_BYTES_MAX);
    int code = open_library(&list_flags, argc, argv, &options, &library);
    if (code != 0)
        return code;
    if (options.json)
        list_json(&library, &out);
    else
        list_text(&library, &out);
    return print_out(&out);
}

void cmd_look_list_explain(void)
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_BYTES_MAX);
    flags_help(&list_flags, &out);
    (void)print_out(&out);
}

int cmd_look_plan(int argc, char *const argv[])
{
    struct library library CLEANUP(library_done);
    struct buf out CLEANUP(buf_done);
    library_init(&library);
    buf_init(&out, OUTPUT_BYTES_MAX);
    int code = open_library(&no_flags, argc, argv, NULL, &library);
    if (code != 0)
        return code;
    for (size_t i = 0; i < library.count; i++) {
        buf_add_text(&out, i > 0 ? "\n" : "");
        plan_format(&library.entries[i]->plan, &library.entries[i]->scenario, &out);
    }
    return print_out(&out);
}

int cmd_look_schema(int argc, char *const argv[])
{
    struct buf out CLEANUP(buf_done);
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (argc > 0) {
        (void)fprintf(stderr, "chaos: schema takes no argument, got \"%s\"\n",
                      printable_line(argv[0]).text);
        return VERDICT_EXIT_USAGE;
    }
    schema_format_json(&out);
    return print_out(&out);
}
