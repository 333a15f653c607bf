/*
 * replay: runs a fuzz target over a corpus without libFuzzer, so that every
 * build guards what fuzzing once found. Each file is given as it is, and then
 * in repeatable variants (a byte changed, cut, doubled), VARIANTS over all files.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/os/file.h"
#include "base/prng.h"

#define VARIANTS 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The exact size matters: the sanitizer then sees a read behind the end. */
static void run_exactly(const char *bytes, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    if (exact == NULL)
        abort();
    if (len > 0)
        memcpy(exact, bytes, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void run_variant(struct prng *prng, struct slice original)
{
    struct buf variant CLEANUP(buf_done);
    buf_init(&variant, (size_t)2 * LIMIT_FILE_BYTES);
    size_t at = (size_t)prng_below(prng, original.len);
    switch (prng_below(prng, 4)) {
    case 0: /* cut */
        buf_add(&variant, original.ptr, at);
        break;
    case 1: /* one byte of any value in its place */
        buf_add_slice(&variant, original);
        variant.ptr[at] = (char)prng_below(prng, 256);
        break;
    case 2: /* a part twice */
        buf_add_slice(&variant, original);
        buf_add_slice(&variant, slice_from(original, at));
        break;
    default: /* a part left out */
        buf_add(&variant, original.ptr, at);
        buf_add_slice(&variant, slice_from(original, at + 1 + prng_below(prng, 8)));
        break;
    }
    run_exactly(variant.ptr, variant.len);
}

static void run_file(const char *path, size_t variants)
{
    struct buf text CLEANUP(buf_done);
    struct errc_why why;
    buf_init(&text, LIMIT_FILE_BYTES);
    if (file_read(path, &text, &why) != ERRC_OK) {
        (void)fprintf(stderr, "replay: %s\n", why.text);
        exit(1);
    }
    run_exactly(text.ptr, text.len);
    struct prng prng;
    prng_init(&prng, text.len);
    for (size_t i = 0; i < variants && text.len > 0; i++)
        run_variant(&prng, buf_slice(&text));
}

/* Runs the files of a folder; without variants it only counts them. */
static size_t run_folder(const char *folder, size_t variants)
{
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) {
        (void)fprintf(stderr, "replay: cannot open the folder \"%s\"\n", folder);
        exit(1);
    }
    size_t files = 0;
    for (struct dirent *e = readdir(open_folder); e != NULL; e = readdir(open_folder)) {
        char path[LIMIT_PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.')
            continue;
        files++;
        if (variants > 0)
            run_file(path, variants);
    }
    (void)closedir(open_folder);
    return files;
}

int main(int argc, char *argv[])
{
    size_t files = 0;
    for (int i = 1; i < argc; i++)
        files += run_folder(argv[i], 0);
    if (files == 0) {
        (void)fprintf(stderr, "usage: %s CORPUS_FOLDER..., with files in them\n", argv[0]);
        return 2;
    }
    size_t variants = VARIANTS / files + 1;
    for (int i = 1; i < argc; i++)
        (void)run_folder(argv[i], variants);
    (void)printf("%zu files, each with %zu variants\n", files, variants);
    return 0;
}
