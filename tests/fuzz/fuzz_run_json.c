/*
 * fuzz_run_json: a stored run that is taken for one is written and read back as the same run.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "signer/core/service/run_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run CLEANUP(run_done) = {0};
    struct run again CLEANUP(run_done) = {0};
    struct buf once CLEANUP(buf_done), twice CLEANUP(buf_done);
    struct errc_why why;
    buf_init(&once, (size_t)8 * LIMIT_FILE_BYTES);
    buf_init(&twice, (size_t)8 * LIMIT_FILE_BYTES);
    if (run_json_parse(slice_bytes(data, size), &run, &why) != ERRC_OK)
        return 0;
    run_json_store(&run, &once);
    if (run_json_parse(buf_slice(&once), &again, &why) != ERRC_OK)
        abort();
    run_json_store(&again, &twice);
    if (!slice_equal(buf_slice(&once), buf_slice(&twice)))
        abort();
    return 0;
}
