"""purity: the functions from outside that a core may call, each group with its reason.

A core has no clock, no randomness, no I/O, no exit: whoever gives it the same input twice gets the
same output twice. What is not listed is refused. To add a name, show that it neither reads nor
changes anything but its arguments and the heap.
"""

import functools
import re

ALLOWED = {
    "memory and text of the C library, on their arguments alone": r"""
        mem(cpy|move|set|cmp|chr|rchr|mem|pcpy)  __mem(cpy|move|set|pcpy)_chk
        stpcpy  strcpy
        str(n?len|n?cmp|n?casecmp|r?chr|str|casestr|c?spn|pbrk|dup|ndup|sep|tok_r|chrnul|n?cat)
        __strn?dup  str(to(u?ll?|d|imax|umax))  __isoc(99|23)_str.*  strerror_r
        __ctype_(b|tolower|toupper)_loc  tolower  toupper  qsort  qsort_r  bsearch  abs  labs  llabs
        """,
    "the heap": r"malloc calloc realloc reallocarray free",
    "formatting into memory": r"v?snprintf __v?snprintf_chk sscanf __isoc(99|23)_sscanf",
    "errno of the calls above": r"__errno_location",
    "addresses as text into memory": r"inet_pton",
    "mathematics": r"ceil floor l?l?round fabs sqrt pow log log2 exp fmod trunc isnan isinf",
    "calendar arithmetic on a given instant": r"gmtime_r timegm",
    "jansson on memory; not its files and callbacks": r"""
        json_(?!dump_file|dump_callback|dumpf|load_file|load_callback|loadf|object_seed).*
        """,
    "libsodium's arithmetic; not its randomness, key generation or page tricks": r"""
        crypto_(hash_sha256|hash_sha512|auth_hmacsha256|generichash|verify)_?.*
        sodium_(memzero|memcmp|bin2hex|hex2bin|bin2base64|base642bin|base64_encoded_len)
        sodium_(increment|is_zero|add|sub|pad|unpad|compare)
        """,
    "what the compiler puts in: sanitizers, stack protector": r"""
        __(asan|ubsan|tsan|lsan|msan|sanitizer|odr_asan|sancov|gcov).*
        __stack_chk_fail  _GLOBAL_OFFSET_TABLE_  __tls_get_addr
        """,
}

# file -> why, and what it alone may call.
EXCEPTIONS = {
    "base/bug.c": (
        "the one place that ends a program at a programmer error",
        r"abort fprintf __fprintf_chk stderr",
    ),
    "base/secret.c": (
        "locked memory is had from the kernel; its lock is its own",
        r"mmap munmap mlock2? munlock madvise pthread_mutex_.*",
    ),
    "base/wipe.c": (
        "asks the heap how large a block is",
        r"malloc_usable_size",
    ),
    "chaos/core/ledger/verify_manifest.c": (
        "chaos judges with a verifier of its own; verifying draws no randomness",
        r"(?!EVP_PKEY_(keygen|generate|Q_keygen)|EVP_DigestSign)(EVP|PEM|BIO|ERR|i2d|d2i)_.*",
    ),
    "base/text/jsonread.c": (
        "installs an allocator that remembers, once per process",
        r"pthread_once",
    ),
}

# The same for a folder.
FOLDERS = {
    "chaos/core/": (
        "parses scenario files from memory",
        r"yaml_(?!parser_set_input_file|emitter_).*",
    ),
}

REFUSED = {
    "reads a clock, take the instant as an argument": r"""
        time clock clock_.* gettimeofday times localtime(_r)? mktime ftime
        """,
    "waits, return a wake time instead": r"""
        nanosleep usleep sleep p?poll p?select epoll_.*
        """,
    "draws randomness, take an entropy or prng": r"""
        rand(_r)? srand random srandom [dlmejn]rand48.* getrandom getentropy arc4random.*
        randombytes.* crypto_.*_(keygen|keypair) RAND_.* EVP_PKEY_(keygen|generate|Q_keygen).*
        """,
    "prints or touches a file, return data instead": r"""
        v?f?d?printf __v?f?d?printf_chk puts putchar fputs fputc fwrite fread fopen.* fdopen fclose
        fflush fgets getline getdelim perror stdout stderr stdin open(at)?(64)? __open.* read
        pread(64)? write pwrite(64)? close fsync rename.* unlink.* mkdir.* stat fstat lstat
        fcntl(64)? ioctl mmap(64)? opendir readdir(64)?
        """,
    "speaks to the network": r"""
        socket.* bind listen accept4? connect send.* recv.* shutdown getaddrinfo
        curl_.* MHD_.* uv_.*
        """,
    "reads the process's surroundings, take them as arguments": r"""
        (secure_)?getenv setenv getpid getcwd getuid environ
        """,
    "ends or multiplies the process": r"""
        exit _exit _Exit quick_exit abort __assert_fail raise kill v?fork exec.* posix_spawn.*
        system popen signal sigaction
        """,
    "starts threads or shares state": r"pthread_.* thrd_.* mtx_.*",
}


@functools.cache
def compiled(pattern):
    return re.compile("|".join(f"(?:{part})" for part in pattern.split()))


def matches(pattern, name):
    return compiled(pattern).fullmatch(name) is not None


def excused(source, name):
    reason_and_pattern = EXCEPTIONS.get(source)
    if reason_and_pattern and matches(reason_and_pattern[1], name):
        return True
    return any(source.startswith(folder) and matches(p, name) for folder, (_, p) in FOLDERS.items())


def refusal(source, name):
    """None when the core file `source` may call `name`, otherwise the reason why not."""
    if excused(source, name):
        return None
    for reason, pattern in REFUSED.items():
        if matches(pattern, name):
            return reason
    if any(matches(pattern, name) for pattern in ALLOWED.values()):
        return None
    return "not known to be pure; if it is, list it in tests/tidy/purity.py with the reason"
