/*
 * fuzz_server_config: a configuration, and with it the HCL and the JSON beneath, is either taken,
 * or there is a reason that names the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fakevault/shell/server_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct server_config config = {0};
    struct errc_why why = {""};
    enum errc code = server_config_parse(slice_bytes(data, size), "fuzz.hcl", &config, &why);
    if (code != ERRC_OK && strstr(why.text, "fuzz.hcl") == NULL)
        abort();
    if (code == ERRC_OK && server_config_check(&config, &why) != ERRC_OK && why.text[0] == '\0')
        abort();
    for (size_t i = 0; config.notes[i] != NULL; i++)
        if (config.notes[i][0] == '\0')
            abort();
    server_config_done(&config);
    return 0;
}
