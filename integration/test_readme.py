"""The README tells the truth: its commands work, its paths and targets exist."""

import re
import subprocess

import pytest

RESULTS = ("timeline.txt", "result.json", "junit.xml", "ledgers/", "logs/", "repro.sh")
BLOCK = re.compile(r"<!-- (\w+) -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.fixture
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def blocks(readme, kind):
    return [text for mark, text in BLOCK.findall(readme) if mark == kind]


def test_every_command_block_is_marked(readme):
    marked = len(blocks(readme, "ci")) + len(blocks(readme, "tested"))
    assert marked == readme.count("```sh") >= 4


def test_commands_of_a_fresh_clone_are_what_ci_runs(root, readme):
    script = (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    for block in blocks(readme, "ci"):
        for line in block.splitlines():
            assert line in script


def test_the_examples_work_one_after_the_other(factory, root, readme):
    folder = factory.folder / "clone"
    (folder / "build" / "release").mkdir(parents=True)
    (folder / "build" / "release" / "bin").symlink_to(factory.binaries)
    (folder / "fixtures").symlink_to(root / "fixtures")
    script = "set -e\n" + "".join(blocks(readme, "tested"))
    child = factory.run("readme", ["bash", "-c", script], folder=folder)
    assert child.code == 0, f"{child.output()}\n{child.errors()}"
    assert "Vault offline: sealed" in child.output()
    for name in RESULTS:
        assert f"`{name}`" in readme
        assert (folder / "runs" / "brownout" / "latest" / name).exists(), name


def test_paths_exist(root, readme):
    for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*|\w+\.md)`", readme):
        if not path.startswith((*RESULTS, "build/", "runs/", "core/", "shell/")):
            assert (root / path).exists(), path


def test_make_targets_exist(root, readme):
    for target in set(re.findall(r"`?make ([a-z]+)", readme)):
        dry = subprocess.run(["make", "-n", target], cwd=root, capture_output=True, text=True)
        assert dry.returncode == 0, dry.stderr
