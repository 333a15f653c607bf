"""Each rule of tidy sees the violation that is planted for it, and says where."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import objects
import purity
import text

# Calls the function that the planted sources define.
CALLER = "int op_step(void);\nint main(void) { return op_step(); }\n"


class Tree:
    """A small repository with the given files, thrown away at the end."""

    def __init__(self, test, files):
        folder = tempfile.TemporaryDirectory(prefix="tidy-")
        test.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.names = sorted(files)
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def text(self):
        return text.check(self.root, self.names)

    def objects(self, built=None):
        """Compiles every .c, or those named, as the real build does and checks what came out."""
        build = self.root / "build"
        build.mkdir()
        commands = []
        for name in built or [name for name in self.names if name.endswith(".c")]:
            output = name.replace("/", "_") + ".o"
            command = f"cc -std=gnu17 -I{self.root} -o {output} -c {self.root / name}"
            subprocess.run(command.split(), check=True, cwd=build)
            commands.append({"file": str(self.root / name), "command": command})
        (build / "compile_commands.json").write_text(json.dumps(commands), encoding="utf-8")
        return self.checked()

    def checked(self):
        return objects.check(self.root, self.root / "build", self.names)


class TidyCase(unittest.TestCase):
    def assert_found(self, findings, start, part):
        hits = [f for f in findings if f.startswith(start) and part in f]
        self.assertEqual(len(hits), 1, findings)

    def text_of(self, files):
        return Tree(self, files).text()

    def objects_of(self, files):
        return Tree(self, files).objects()


class TestText(TidyCase):
    def test_a_clean_tree_has_no_finding(self):
        files = {
            "base/prng.h": "#pragma once\nint prng_next(void);\n",
            "base/prng.c": '#include "base/prng.h"\nint prng_next(void)\n{\n    return 4;\n}\n',
            "signer/shell/main.c": '#include "base/prng.h"\n',
            "fakevault/shell/main.c": '#include "base/prng.h"\n',
        }
        self.assertEqual(self.text_of(files), [])

    def test_unfinished_words(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            found = self.text_of({"base/a.c": f"\n/* {word}: later */\n"})
            self.assert_found(found, "base/a.c:2:", word)
        self.assertEqual(self.text_of({"base/a.c": "mkostemp(XXXXXX)\n"}), [])

    def test_long_lines_count_characters_not_bytes(self):
        found = self.text_of({"base/a.c": "x" * 101 + "\n", "base/b.c": "é" * 100 + "\n"})
        self.assert_found(found, "base/a.c:1:", "101 columns")
        self.assertEqual(len(found), 1)

    def test_long_files(self):
        found = self.text_of({"base/a.c": "\n" * 601, "base/b.c": "\n" * 600})
        self.assert_found(found, "base/a.c:1:", "601 lines")
        self.assertEqual(len(found), 1)

    def test_long_functions(self):
        body = "    x();\n"
        long = "void a(void)\n{\n" + body * 60 + "}\n"
        short = "void b(void)\n{\n" + body * 59 + "}\n"
        found = self.text_of({"base/a.c": long, "base/b.c": short})
        self.assert_found(found, "base/a.c:2:", "function of 61 lines")
        self.assertEqual(len(found), 1)

    def test_cleanups_of_what_is_not_set_yet(self):
        bad = "    struct buf a CLEANUP(buf_done), b CLEANUP(buf_done);\n    buf_init(&a, 1);\n"
        bad += "    if (x)\n        return;\n    buf_init(&b, 1);\n"
        good = "    struct buf a CLEANUP(buf_done);\n    buf_init(&a, 1);\n    TRY(x());\n"
        good += "    struct key *k CLEANUP(key_free) = NULL;\n    return;\n"
        good += "    int fd CLEANUP(close_fd);\n    TRY(open_it(&fd));\n"
        found = self.text_of({"base/a.c": bad, "base/b.c": good})
        self.assert_found(found, "base/a.c:1:", "b is cleaned up before it is set")
        self.assertEqual(len(found), 1)

    def test_elements_counted_by_hand(self):
        for bad in (
            "sizeof a / sizeof *b",
            "sizeof(a) / sizeof((a)[0])",
            "sizeof a.b / sizeof *a.b",
        ):
            found = self.text_of({"signer/core/a.c": f"\nsize_t n = {bad};\n"})
            self.assert_found(found, "signer/core/a.c:2:", "COUNT(array)")
        good = "size_t n = COUNT(a), half = sizeof a / 2, all = x / sizeof a;\n"
        self.assertEqual(self.text_of({"signer/core/a.c": good}), [])

    def test_prose_that_is_too_wide(self):
        wide = "word " * 24 + "end."
        self.assert_found(self.text_of({"docs/a.md": f"\n{wide}\n"}), "docs/a.md:2:", "124 columns")
        self.assert_found(self.text_of({"README.md": f"- {wide}\n"}), "README.md:1:", "re-wrap")
        for good in (f"| {wide} |\n", f"```\n{wide}\n```\n", wide[:119] + "\n"):
            self.assertEqual(self.text_of({"docs/a.md": good}), [])
        self.assertEqual(self.text_of({"tests/README.md": f"{wide}\n"}), [])

    def test_headers_without_pragma_once(self):
        self.assert_found(self.text_of({"base/a.h": "int a;\n"}), "base/a.h:1:", "pragma once")

    def test_includes_against_an_arrow(self):
        header = "#pragma once\n"
        cases = {
            "signer/core/attempt/op.c": "fakevault/core/seal.h",
            "fakevault/core/seal.c": "signer/core/attempt/op.h",
            "base/buf.c": "signer/core/attempt/op.h",
            "chaos/core/scenario/plan.c": "chaos/shell/stack/stack.h",
            "chaos/shell/stack/stack.c": "signer/core/attempt/op.h",
            "fakevault/core/vault.c": "base/os/file.h",
            "base/slice.c": "base/os/file.h",
        }
        for source, target in cases.items():
            with self.subTest(source=source, target=target):
                found = self.text_of({target: header, source: f'#include "{target}"\n'})
                self.assert_found(found, f"{source}:1:", target)

    def test_includes_not_from_the_root(self):
        found = self.text_of({"base/a.h": "#pragma once\n", "base/a.c": '#include "a.h"\n'})
        self.assert_found(found, "base/a.c:1:", "no path from the root")

    def test_a_library_in_two_files_of_a_program(self):
        line = "#include <microhttpd.h>\n"
        found = self.text_of(
            {"fakevault/shell/data/httpd.c": line, "fakevault/shell/data/wire.c": line}
        )
        self.assert_found(found, "fakevault/shell/data/wire.c:1:", "fakevault/shell/data/httpd.c")
        found = self.text_of({"fakevault/shell/data/httpd.c": line, "signer/shell/service.c": line})
        self.assertEqual(found, [])

    def test_a_library_in_a_core_or_a_header(self):
        found = self.text_of({"signer/core/attempt/op.c": "#include <curl/curl.h>\n"})
        self.assert_found(found, "signer/core/attempt/op.c:1:", "outside of a shell")
        found = self.text_of({"signer/shell/op.h": "#pragma once\n#include <curl/curl.h>\n"})
        self.assert_found(found, "signer/shell/op.h:2:", "in a header")
        found = self.text_of({"chaos/core/scenario/plan.c": "#include <uv.h>\n"})
        self.assert_found(found, "chaos/core/scenario/plan.c:1:", "in a core")

    def test_stems_that_two_files_share(self):
        found = self.text_of({"signer/core/sign.c": "", "fakevault/core/sign.c": ""})
        self.assert_found(found, "signer/core/sign.c:1:", "fakevault/core/sign.c")
        found = self.text_of({"signer/core/sign.h": "#pragma once\n", "chaos/core/sign.c": ""})
        self.assert_found(found, "signer/core/sign.h:1:", "chaos/core/sign.c")
        found = self.text_of({"signer/shell/main.c": "", "chaos/shell/main.c": ""})
        self.assertEqual(found, [])

    def test_modules_that_include_each_other(self):
        header = "#pragma once\n"
        files = {
            "signer/core/a.h": header,
            "signer/core/a.c": '#include "signer/core/a.h"\n#include "signer/core/b.h"\n',
            "signer/core/b.h": header,
            "signer/core/b.c": '#include "signer/core/b.h"\n',
            "signer/core/c.h": header + '#include "signer/core/a.h"\n',
        }
        self.assertEqual(self.text_of(files), [])  # a -> b, c -> a
        files["signer/core/b.c"] += '#include "signer/core/c.h"\n'
        found = self.text_of(files)
        way = "signer/core/a -> signer/core/b -> signer/core/c -> signer/core/a:"
        self.assert_found(found, "signer/core/a.c:2:", way)
        self.assertEqual(len(found), 1)
        files["signer/core/b.h"] = header + '#include "signer/core/a.h"\n'
        self.assert_found(
            self.text_of(files),
            "signer/core/a.c:2:",
            "signer/core/a -> signer/core/b -> signer/core/a",
        )


class TestObjects(TidyCase):
    def test_a_clean_tree_has_no_finding(self):
        files = {
            "base/prng.h": "#pragma once\nint prng_next(void);\n",
            "base/prng.c": '#include "base/prng.h"\nint prng_next(void) { return 4; }\n',
            "signer/core/attempt/op.c": '#include "base/prng.h"\n'
            "int op_step(void);\nint op_step(void) { return prng_next(); }\n",
            "signer/shell/main.c": CALLER,
        }
        self.assertEqual(self.objects_of(files), [])

    def test_a_core_that_touches_the_world(self):
        calls = {
            "time": ("#include <time.h>", "(int)time(0)"),
            "clock_gettime": ("#include <time.h>", "clock_gettime(0, &(struct timespec){0})"),
            "getenv": ("#include <stdlib.h>", 'getenv("A") != 0'),
            "puts": ("#include <stdio.h>", 'puts("a")'),
            "open": ("#include <fcntl.h>", 'open("a", 0)'),
            "rand": ("#include <stdlib.h>", "rand()"),
            "exit": ("#include <stdlib.h>", "(exit(1), 0)"),
            "fork": ("#include <unistd.h>", "fork()"),
            "pthread_create": ("#include <pthread.h>", "pthread_create(0, 0, 0, 0)"),
            "randombytes_random": ("int randombytes_random(void);", "randombytes_random()"),
            "json_load_file": ("int json_load_file(void);", "json_load_file()"),
            "unheard_of": ("int unheard_of(void);", "unheard_of()"),
        }
        for name, (head, call) in calls.items():
            with self.subTest(call=name):
                source = f"{head}\nint op_step(void);\nint op_step(void) {{ return {call}; }}\n"
                found = self.objects_of({"signer/core/attempt/op.c": source})
                self.assert_found(found, "signer/core/attempt/op.c:1:", f"calls {name}: ")
                files = {"signer/shell/op.c": source, "signer/shell/main.c": CALLER}
                self.assertEqual(self.objects_of(files), [])

    def test_a_core_that_calls_a_shell_or_another_core(self):
        define = "int {0}(void);\nint {0}(void) {{ return 1; }}\n"
        use = "int seal_now(void);\nint op_step(void);\nint op_step(void) { return seal_now(); }\n"
        for home in ("fakevault/core/seal.c", "signer/shell/seal.c"):
            found = self.objects_of(
                {home: define.format("seal_now"), "signer/core/attempt/op.c": use}
            )
            self.assert_found(found, "signer/core/attempt/op.c:1:", home)

    def test_exports_without_their_stem(self):
        source = "int helper;\nint prng_next(void);\nint prng_next(void) { return helper; }\n"
        found = self.objects_of({"base/prng.c": source})
        self.assert_found(found, "base/prng.c:1:", 'exports helper, want "prng_..."')

    def test_exports_may_carry_the_topic_that_a_header_names(self):
        source = "int judge_say(void);\nint judge_say(void) { return 1; }\n"
        header = "#pragma once\nint judge_say(void);\n"
        caller = CALLER.replace("op_step", "judge_say")
        files = {
            "chaos/core/judge/judge_sign.c": source,
            "chaos/core/judge/judge.h": header,
            "chaos/shell/main.c": caller,
        }
        self.assertEqual(self.objects_of(files), [])
        del files["chaos/core/judge/judge.h"]
        found = self.objects_of(files)
        self.assert_found(found, "chaos/core/judge/judge_sign.c:1:", "exports judge_say")

    def test_exports_that_nobody_uses(self):
        source = "int op_step(void);\nint op_step(void) { return 1; }\nint op_n = 2;\n"
        found = self.objects_of({"signer/core/op.c": source, "signer/shell/main.c": CALLER})
        self.assert_found(found, "signer/core/op.c:1:", "exports op_n, which no other file uses")
        self.assertEqual(len(found), 1)
        test = "extern int op_n;\nint main(void) { return op_n; }\n"
        files = {"signer/core/op.c": source, "signer/shell/main.c": CALLER}
        self.assertEqual(self.objects_of({**files, "tests/signer/test_op.c": test}), [])

    def test_exports_that_two_files_share(self):
        files = {
            "signer/core/attempt/op.c": "int op_n = 1;\n",
            "fakevault/core/op.c": "int op_n = 1;\n",
        }
        self.assert_found(self.objects_of(files), "signer/core/attempt/op.c:1:", "exports, too")

    def test_headers_that_need_another(self):
        found = self.objects_of({"base/a.h": "#pragma once\nsize_t a_size(void);\n"})
        self.assert_found(found, "base/a.h:1:", "does not compile alone")

    def test_headers_that_lean_on_what_their_source_includes_before(self):
        header = "#pragma once\nsize_t a_size(void);\n"
        for before in ("#include <stddef.h>\n", "typedef unsigned long size_t;\n"):
            with self.subTest(before=before):
                source = f'/* a */\n{before}#include "base/a.h"\n'
                found = self.objects_of({"base/a.h": header, "base/a.c": source})
                self.assert_found(found, "base/a.h:1:", "does not compile alone")

    def test_headers_that_no_built_source_includes_first(self):
        files = {"base/a.h": "#pragma once\nsize_t a_size(void);\n"}
        tree = Tree(self, {**files, "base/a.c": '#include "base/a.h"\n', "base/b.c": ""})
        self.assert_found(tree.objects(built=["base/b.c"]), "base/a.h:1:", "does not compile alone")

    def test_headers_newer_than_the_object_that_proved_them(self):
        header = "#pragma once\ntypedef int a_size;\n"
        tree = Tree(self, {"base/a.h": header, "base/a.c": '#include "base/a.h"\n'})
        self.assertEqual(tree.objects(), [])
        (tree.root / "base/a.h").write_text("#pragma once\nsize_t a_size(void);\n")
        os.utime(tree.root / "base/a.h", (2**31, 2**31))
        self.assert_found(tree.checked(), "base/a.h:1:", "does not compile alone")


class TestPurity(unittest.TestCase):
    def test_no_name_is_both_allowed_and_refused(self):
        for name in ("memcpy", "snprintf", "malloc", "json_loadb", "crypto_hash_sha256", "qsort"):
            self.assertIsNone(purity.refusal("signer/core/attempt/op.c", name), name)

    def test_exceptions_hold_for_their_file_only(self):
        self.assertIsNone(purity.refusal("base/bug.c", "abort"))
        self.assertIsNotNone(purity.refusal("base/buf.c", "abort"))
        self.assertIsNone(purity.refusal("chaos/core/grammar.c", "yaml_parser_parse"))
        self.assertIsNotNone(purity.refusal("signer/core/grammar.c", "yaml_parser_parse"))


if __name__ == "__main__":
    unittest.main()
