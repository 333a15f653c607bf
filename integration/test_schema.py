"""The JSON Schema and `chaos lint` agree, file by file.

What one of them accepts and the other refuses would send an author with an editor into CI's red.
"""

import json
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml
from harness import limits

ROOT = pathlib.Path(__file__).resolve().parents[1]
GOOD = sorted((ROOT / "fixtures" / "scenarios").glob("*.yaml"))
BROKEN = sorted(
    path for path in (ROOT / "fixtures" / "broken").iterdir() if path.suffix in (".yaml", ".json")
)
SEMANTIC = set((ROOT / "fixtures" / "broken" / "semantic.txt").read_text().split())


def run_chaos(factory, *arguments, cwd=None):
    return subprocess.run(
        [factory.binary("chaos"), *arguments],
        env=factory.environment(),
        capture_output=True,
        text=True,
        timeout=limits.EVENT,
        cwd=cwd,
        check=False,
    )


@pytest.fixture
def schema(factory):
    done = run_chaos(factory, "schema")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


class Strict(yaml.SafeLoader):
    """YAML as editors with a schema see it: of YAML 1.2, where only true and false are booleans. A
    key that is given twice is an error."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(map(str, keys))):
            raise yaml.YAMLError("a key is given twice")
        return super().construct_mapping(node, deep)


Strict.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def load(path):
    """The document, or None when it cannot be read: then there is nothing for a schema to say."""
    try:
        text = path.read_bytes().decode()
        # Anchors and tags are read away by the loader; chaos refuses them in the text.
        if any(
            isinstance(t, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken))
            for t in yaml.scan(text)
        ):
            return None
        return yaml.load(text, Loader=Strict)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_good_scenario_passes_both(factory, schema, path):
    schema.validate(load(path))
    assert run_chaos(factory, "lint", path).returncode == 0


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_a_broken_scenario_gets_its_message(factory, path):
    done = run_chaos(factory, "lint", path.name, cwd=path.parent)
    assert done.returncode == 65
    assert done.stdout + done.stderr == path.with_suffix(".expected").read_text()


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_the_schema_refuses_what_lint_refuses(schema, path):
    document = load(path)
    if document is None and path.name != "01-empty.yaml":
        assert path.name not in SEMANTIC
        return
    errors = list(schema.iter_errors(document))
    # 10: a NUL is a character like any other to JSON.
    if path.name in SEMANTIC or path.name == "10-nul-character.yaml":
        assert not errors, f"the schema knows it too: {errors[0].message}"
    else:
        assert errors, "the schema accepts it; is it for semantic.txt?"
