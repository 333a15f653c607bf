#include "chaos/shell/run/library.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/count.h"
#include "base/os/file.h"
#include "base/text/printable.h"
#include "chaos/core/scenario/read/scenario_parse.h"

#define FINDINGS_BYTES_MAX (16u << 20)

void library_init(struct library *library)
{
    *library = (struct library){0};
    buf_init(&library->findings, FINDINGS_BYTES_MAX);
}

void library_done(struct library *library)
{
    for (size_t i = 0; i < library->count; i++) {
        scenario_done(&library->entries[i]->scenario);
        buf_done(&library->entries[i]->text);
        free(library->entries[i]);
    }
    free(library->entries);
    buf_done(&library->findings);
    library_init(library);
}

void library_tell_findings(const struct library *library)
{
    struct buf shown CLEANUP(buf_done);
    buf_init(&shown, 8 * FINDINGS_BYTES_MAX);
    printable_text(buf_slice(&library->findings), &shown);
    (void)fputs(buf_text(&shown), stderr);
}

static enum errc add_entry(struct library *library, struct library_entry **out,
                           struct errc_why *why)
{
    if (library->count == LIBRARY_MAX)
        return errc_fail(why, ERRC_TOO_BIG, "more than %u scenarios", LIBRARY_MAX);
    if (library->entries == NULL)
        library->entries = calloc(LIBRARY_MAX, sizeof(struct library_entry *));
    if (library->entries == NULL || (*out = calloc(1, sizeof **out)) == NULL)
        return errc_fail(why, ERRC_NOMEM, "out of memory");
    library->entries[library->count++] = *out;
    return ERRC_OK;
}

static enum errc load_file(struct library *library, const char *path, struct errc_why *why)
{
    struct lint lint CLEANUP(lint_done) = {0};
    struct library_entry *entry = NULL;
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return errc_fail(why, ERRC_USAGE, "\"%s\" is neither a file nor a folder", path);
    TRY(add_entry(library, &entry, why));
    struct buf *text = &entry->text;
    buf_init(text, SCENARIO_BYTES_MAX);
    TRY(file_read(path, text, why));
    TRY(folder_format(&entry->path, why, "%s", path));
    enum errc code =
        scenario_parse(buf_slice(text), entry->path.text, &entry->scenario, &lint, why);
    if (code != ERRC_OK && errc_class(code) != ERRC_CLASS_INVALID)
        return code;
    entry->sound = code == ERRC_OK;
    if (entry->sound)
        return plan_make(&entry->scenario, &entry->plan, why);
    library->unsound++;
    lint_format(&lint, entry->path.text, &library->findings);
    return buf_status(&library->findings, why);
}

static int is_scenario(const struct dirent *entry)
{
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    struct slice name = slice_of(entry->d_name);
    for (size_t i = 0; i < COUNT(endings); i++)
        if (entry->d_name[0] != '.' && slice_ends_with(name, endings[i]))
            return 1;
    return 0;
}

static enum errc load_folder(struct library *library, const char *path, struct errc_why *why)
{
    struct dirent **names = NULL;
    enum errc code = ERRC_OK;
    int count = scandir(path, &names, is_scenario, alphasort);
    if (count < 0)
        return errc_fail(why, errno == EACCES ? ERRC_DENIED : ERRC_IO, "\"%s\": %s", path,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        struct folder_path file;
        if (code == ERRC_OK)
            code = folder_format(&file, why, "%s/%s", path, names[i]->d_name);
        if (code == ERRC_OK)
            code = load_file(library, file.text, why);
        free(names[i]);
    }
    free(names);
    if (count == 0)
        return errc_fail(why, ERRC_NOT_FOUND, "there is no scenario in \"%s\"", path);
    return code;
}

enum errc library_load(struct library *library, const char *const paths[], size_t count,
                       struct errc_why *why)
{
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        struct folder_path path;
        TRY(folder_format(&path, why, "%s", paths[i]));
        for (size_t n = strlen(path.text); n > 1 && path.text[n - 1] == '/'; n--)
            path.text[n - 1] = '\0';
        bool folder = stat(path.text, &st) == 0 && S_ISDIR(st.st_mode);
        TRY(folder ? load_folder(library, path.text, why) : load_file(library, path.text, why));
    }
    return ERRC_OK;
}
