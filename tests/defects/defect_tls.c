/*
 * defect_tls: talks to somebody who is not Vault.
 */
#include <strings.h>

#include "tests/defects/defect.h"

static CURLcode perform_unchecked(CURL *handle)
{
    long found = 0;
    (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    CURLcode code = __real_curl_easy_perform(handle);
    if (curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, &found) == CURLE_OK && found != 0)
        defect_acts();
    return code;
}
DEFECT(certificate_not_checked, .curl_easy_perform = perform_unchecked);

static CURLcode perform_any_host(CURL *handle)
{
    const char *scheme = NULL;
    (void)curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    CURLcode code = __real_curl_easy_perform(handle);
    if (curl_easy_getinfo(handle, CURLINFO_SCHEME, &scheme) == CURLE_OK && scheme != NULL &&
        strcasecmp(scheme, "https") == 0)
        defect_acts();
    return code;
}
DEFECT(certificate_of_any_host, .curl_easy_perform = perform_any_host);

/* The token goes with it: it is a header like any other. */
static CURLcode perform_following(CURL *handle)
{
    long followed = 0;
    (void)curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    (void)curl_easy_setopt(handle, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
    CURLcode code = __real_curl_easy_perform(handle);
    (void)curl_easy_getinfo(handle, CURLINFO_REDIRECT_COUNT, &followed);
    if (followed > 0)
        defect_acts();
    return code;
}
DEFECT(redirect_followed, .curl_easy_perform = perform_following);
