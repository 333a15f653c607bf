"""chaos: one run of the controller and what it left behind."""

import json

from . import limits


class Outcome:
    """How a run of chaos ended."""

    def __init__(self, child, runs):
        self.code = child.code
        self.stdout = child.output()
        self.stderr = child.errors()
        self.runs = runs

    def folder(self, scenario):
        return (self.runs / scenario / "latest").resolve()

    def result(self, scenario):
        text = (self.folder(scenario) / "result.json").read_text(encoding="utf-8")
        return json.loads(text)

    def __repr__(self):
        return f"exit {self.code}\n{self.stdout}{self.stderr}"


class Chaos:
    def __init__(self, factory):
        self.factory = factory
        self.folder = factory.folder / "chaos"

    def argv(self, *words):
        return [self.factory.binary("chaos"), *words]

    def __call__(self, *words, deadline=limits.WORK, **environment):
        settings = self.factory.environment(**environment)
        child = self.factory.run("chaos", self.argv(*words), settings, self.folder, deadline)
        return Outcome(child, self.folder / "runs")

    def start(self, *words, **environment):
        """For tests that interrupt it."""
        settings = self.factory.environment(**environment)
        return self.factory.start("chaos", self.argv(*words), settings, folder=self.folder)

    def scenario(self, name, text):
        """Writes a scenario file; returns its path."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path
