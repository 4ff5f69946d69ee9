"""Equal parts of results are one object, and the results are what they would be without."""

import copy
from typing import Any

import pytest

from dipbench.store.records import Result
from dipbench.store.shared import Shared

CONTENT: dict[str, Any] = {
    "status": "done",
    "run": {
        "dataset": "set",
        "image": "one",
        "pixels": "p",
        "task": {"name": "denoising", "settings": {"sigma": 25.0}},
        "method": {"name": "dip", "settings": {"down": [8, 8]}},
        "protocol": "usual",
        "seed": 0,
    },
    "environment": {"device": "cpu", "versions": {"torch": "2.7"}},
    "outputs": [{"output": "final", "iteration": 3, "psnr": 30.0, "picture": "final.png"}],
    "parameters": {"down": [8, 8], "jitter": 0.1},
}


def other(**facts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CONTENT), **facts}


def test_results_are_as_without() -> None:
    shared = Shared()
    for content in (CONTENT, other(parameters={"down": [8]}), other(status="failed", outputs=[])):
        result, alone = shared.result(copy.deepcopy(content)), Result.model_validate(content)
        assert result == alone
        assert result.content() == alone.content()
        assert result.run.key == alone.run.key


def test_what_is_equal_is_one() -> None:
    shared = Shared()
    first, second, third = (shared.result(other(**facts)) for facts in ({}, {}, {"parameters": {"down": [9]}}))
    assert first.environment is second.environment is third.environment
    assert first.parameters["down"] is second.parameters["down"]
    assert first.run.method["settings"] is second.run.method["settings"]
    assert third.parameters == {"down": [9]}


@pytest.mark.parametrize("content", [[], "text", None, {"status": "done"}, other(run=[]), other(environment=3)])
def test_what_is_no_result_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Shared().result(content)
