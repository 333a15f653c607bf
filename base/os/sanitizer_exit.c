/*
 * sanitizer_exit: a sanitizer's report ends any program of ours with 70, which no verdict uses.
 * (The libraries' own exit codes, 1 and 66, read as "failed" and as a fault of the user's.) Linked
 * into every program of a build with sanitizers; it needs no environment, which children lose.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "exitcode=70:detect_leaks=1:abort_on_error=0";
}

const char *__ubsan_default_options(void)
{
    return "exitcode=70:print_stacktrace=1";
}

const char *__tsan_default_options(void)
{
    return "exitcode=70:halt_on_error=0";
}
