"""Many runs say the same of where and with which settings they were computed: it is kept once in memory."""

import json
from typing import Any

from dipbench.store.records import Environment, Result

_SETTINGS = "parameters"


class Shared:
    """Makes results of what their files say, of which equal parts are one object. Nobody changes a record."""

    def __init__(self) -> None:
        self._environments: dict[str, Environment] = {}
        self._parts: dict[str, Any] = {}

    def result(self, content: Any) -> Result:
        """The record. ValidationError, which is a ValueError, where the content is none."""
        if not isinstance(content, dict):
            return Result.model_validate(content)
        return Result.model_validate(
            {
                **content,
                **({"environment": self._environment(content["environment"])} if "environment" in content else {}),
                **({_SETTINGS: self._one(content[_SETTINGS])} if _SETTINGS in content else {}),
                **({"run": self._run(content["run"])} if isinstance(content.get("run"), dict) else {}),
            }
        )

    def _environment(self, content: Any) -> Environment:
        name = json.dumps(content)
        if name not in self._environments:
            self._environments[name] = Environment.model_validate(content)
        return self._environments[name]

    def _run(self, content: dict[str, Any]) -> dict[str, Any]:
        """Of a run the task, the method and the versions."""
        return {name: self._one(value) if isinstance(value, dict) else value for name, value in content.items()}

    def _one(self, part: Any) -> Any:
        return self._parts.setdefault(json.dumps(part), part)
