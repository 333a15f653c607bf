#include "chaos/core/judge/invariants/invariants_file.h"

#include <string.h>

#include "base/count.h"
#include "chaos/core/subject/subjects.h"

#define UUID_CHARACTERS 36u
#define WRITABLE_BY_OTHERS 022u

/* What chaos itself puts into the folders that the subject writes to. */
static const struct subject_place ours[] = {
    {.path = "ledgers/journal.ndjson"},
    {.path = "ledgers/decoy.ndjson"},
    {.path = "surfaces.ndjson"},
    {.path = "ledgers", .folder = true},
    {.path = "${NAME}", .folder = true},
    {.path = "${COMMAND}", .folder = true},
    {.path = "${COMMAND}/${number}.out"},
    {.path = "${COMMAND}/${call}", .folder = true},
    {.path = "${COMMAND}/${call}/${file}"},
};

/* --- matching: ${…} stands for one of the words that there are, ? for a character --- */

static size_t word_len(const char *name, const char *word)
{
    size_t len = word == NULL ? 0 : strlen(word);
    return strncmp(name, word == NULL ? "" : word, len) == 0 ? len : 0;
}

/* Length of a door's name that `name` begins with; 0: none of that kind. */
static size_t door_len(const char *name, enum subject_door_kind kind)
{
    const struct subject *subject = subjects_default();
    size_t found = 0;
    for (size_t i = 0; i < subject->door_count; i++) {
        size_t len = word_len(name, subject->doors[i].name);
        if (subject->doors[i].kind == kind && len > found)
            found = len;
    }
    return found;
}

static size_t service_len(const struct invariants_case *c, const char *name)
{
    (void)c;
    return door_len(name, SUBJECT_SERVICE);
}

static size_t command_len(const struct invariants_case *c, const char *name)
{
    (void)c;
    return door_len(name, SUBJECT_COMMAND);
}

/* A bundle that anybody asked for or told of. */
static size_t call_len(const struct invariants_case *c, const char *name)
{
    char id[UUID_CHARACTERS + 1] = "";
    if (strlen(name) < UUID_CHARACTERS)
        return 0;
    memcpy(id, name, UUID_CHARACTERS);
    return join_bundle_of(&c->evidence->join, id) != NULL ? UUID_CHARACTERS : 0;
}

static size_t number_len(const struct invariants_case *c, const char *name)
{
    (void)c;
    return strspn(name, "0123456789");
}

/* True when the name is what the template of a file says, whatever number its ${n} stands for. */
static bool is_numbered(const char *template, const char *name)
{
    const char *hole = strstr(template, "${n}");
    if (hole == NULL)
        return strcmp(template, name) == 0;
    size_t before = (size_t)(hole - template);
    size_t digits = strncmp(template, name, before) == 0 ? number_len(NULL, name + before) : 0;
    return digits > 0 && strcmp(hole + strlen("${n}"), name + before + digits) == 0;
}

/* A file that chaos puts into the folder of a call. */
static size_t file_len(const struct invariants_case *c, const char *name)
{
    const struct subject *subject = subjects_default();
    (void)c;
    for (size_t i = 0; i < subject->door_count; i++)
        for (size_t k = 0; k < SUBJECT_FILES && subject->doors[i].files[k].name != NULL; k++)
            if (is_numbered(subject->doors[i].files[k].name, name))
                return strlen(name);
    return 0;
}

static const struct {
    const char *word;
    size_t (*len)(const struct invariants_case *c, const char *name); /* 0: does not fit */
} holes[] = {
    {"${NAME}", service_len},  {"${COMMAND}", command_len}, {"${call}", call_len},
    {"${number}", number_len}, {"${file}", file_len},
};

/* Length of what the hole at the pattern's beginning takes of the name; *len: of the hole itself,
 * 0 when there is none. */
static size_t fill_hole(const struct invariants_case *c, const char *pattern, const char *name,
                        size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < COUNT(holes); i++) {
        if (word_len(pattern, holes[i].word) == 0)
            continue;
        *len = strlen(holes[i].word);
        return holes[i].len(c, name);
    }
    return 0;
}

static bool fits(const struct invariants_case *c, const char *pattern, const char *name)
{
    while (*pattern != '\0') {
        size_t hole = 0, taken = fill_hole(c, pattern, name, &hole);
        if (hole > 0 && taken == 0)
            return false;
        if (hole == 0 && (*name == '\0' || *name == '/' ? *pattern != *name || *name == '\0'
                                                        : *pattern != '?' && *pattern != *name))
            return false;
        pattern += hole > 0 ? hole : 1;
        name += hole > 0 ? taken : 1;
    }
    return *name == '\0';
}

static const struct subject_place *find_place(const struct invariants_case *c,
                                              const struct subject_place *places, size_t count,
                                              const struct world_file *file)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].folder == (file->kind == WORLD_FILE_FOLDER) &&
            fits(c, places[i].path, file->name))
            return &places[i];
    return NULL;
}

/* True for a folder that the subject is handed, and what lies in it; other folders are chaos'. */
static bool is_subjects(const struct invariants_case *c, const struct world_file *file)
{
    size_t top = strcspn(file->name, "/");
    bool in_folder = file->name[top] == '/' || file->kind == WORLD_FILE_FOLDER;
    return !in_folder || word_len(file->name, "ledgers") == top ||
           service_len(c, file->name) == top || command_len(c, file->name) == top;
}

/* --- kills --- */

static bool names_service(const struct scenario_step *step, const struct world_file *file)
{
    for (size_t i = 0; i < step->main.count; i++) {
        size_t len = word_len(file->name, step->main.texts[i]);
        if (len > 0 && file->name[len] == '/')
            return true;
    }
    return false;
}

/* How often the service whose folder it is was killed; since_start: behind its last start. */
static size_t kills(const struct record *record, const struct world_file *file, bool since_start)
{
    size_t count = 0;
    for (size_t i = 0; i < record->step_count; i++) {
        const struct scenario_step *step = record->steps[i].plan->step;
        if (record->steps[i].result == RECORD_SKIPPED || step->verb->name == NULL ||
            strcmp(step->actor->name, "service") != 0 || !names_service(step, file))
            continue;
        if (strcmp(step->verb->name, "kill") == 0)
            count++;
        else if (since_start && (strcmp(step->verb->name, "start") == 0 ||
                                 strcmp(step->verb->name, "restart") == 0))
            count = 0;
    }
    return count;
}

/* A command that a signal ended may have been about to write. */
static size_t signals(const struct record *record, const struct world_file *file)
{
    size_t count = 0;
    for (size_t i = 0; i < record->call_count; i++)
        count += record->calls[i].told.signal != 0 &&
                 strstr(file->name, record->calls[i].told.bundle) != NULL;
    return count;
}

static bool may_stay(const struct invariants_case *c, const struct subject_place *place,
                     const struct world_file *file)
{
    switch (place->stays) {
    case SUBJECT_STAYS:
        return true;
    case SUBJECT_STAYS_UNTIL_START:
        return kills(c->record, file, true) + signals(c->record, file) > 0;
    case SUBJECT_STAYS_UNTIL_TAKEN_UP:
        return kills(c->record, file, false) + signals(c->record, file) > 0;
    }
    return false;
}

/* --- the judgement --- */

static void check_mode(struct invariants_case *c, const struct world_file *file, unsigned mode)
{
    if ((file->mode & WRITABLE_BY_OTHERS) != 0)
        invariants_case_violated(c, 0,
                                 "expected nobody but its owner to write to %s, its mode is %04o",
                                 file->name, file->mode);
    else if (mode != 0 && file->mode != mode)
        invariants_case_caused(c, "mode", 0, "expected mode %04o of %s, found %04o", mode,
                               file->name, file->mode);
}

static void check_file(struct invariants_case *c, const struct world_file *file)
{
    const struct subject *subject = subjects_default();
    if (find_place(c, ours, COUNT(ours), file) != NULL)
        return;
    const struct subject_place *place = find_place(c, subject->places, subject->place_count, file);
    if (file->kind == WORLD_FILE_LINK || file->kind == WORLD_FILE_OTHER)
        invariants_case_violated(c, 0, "expected files and folders, %s is a %s", file->name,
                                 file->kind == WORLD_FILE_LINK ? "link" : "pipe or device");
    else if (place == NULL)
        invariants_case_violated(c, 0,
                                 "expected nothing to be left behind, there is a %s %s (mode "
                                 "%04o) that has no place there",
                                 file->kind == WORLD_FILE_FOLDER ? "folder" : "file", file->name,
                                 file->mode);
    else if (!may_stay(c, place, file))
        invariants_case_violated(c, 0,
                                 "expected nothing to be left behind, the temporary file %s is "
                                 "still there, and no kill explains it",
                                 file->name);
    if (file->kind != WORLD_FILE_LINK)
        check_mode(c, file, place == NULL ? 0 : place->mode);
}

/* What else is in the file is covered by no signature. */
static void check_bytes(struct invariants_case *c, const struct evidence_manifest *m)
{
    if (m->state == EVIDENCE_MANIFEST_READ && !m->canonical)
        invariants_case_violated(c, 0,
                                 "expected the manifest of bundle %s as canonical JSON and nothing "
                                 "else, its file has other bytes",
                                 m->bundle);
}

void invariants_file_all(struct invariants_case *c)
{
    for (size_t i = 0; i < c->evidence->manifest_count; i++)
        check_bytes(c, &c->evidence->manifests[i]);
    for (size_t i = 0; i < c->evidence->file_count; i++)
        if (is_subjects(c, &c->evidence->files[i]))
            check_file(c, &c->evidence->files[i]);
}
