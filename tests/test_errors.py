"""What an error says: the thing, what was meant, and the mend."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from dipbench import registry
from dipbench.errors import located, nearest, unknown
from dipbench.suites.preset_files import preset_names


@pytest.mark.parametrize(
    ("kind", "wanted", "meant"),
    [
        ("method", "DIP", "dip"),
        ("method", "BM3D", "bm3d"),
        ("method", "Deep-Decoder", "deep_decoder"),
        ("method", "nml", "nlm"),
        ("method", "dop", "dip"),
        ("task", "denoise", "denoising"),
        ("task", "superresolution", "super_resolution"),
        ("task", "in-painting", "inpainting"),
        ("dataset", "kodak", "kodak24"),
        ("rule", "WMV", "wmv"),
    ],
)
def test_who_mistypes_is_told_what_was_meant(kind: str, wanted: str, meant: str) -> None:
    assert str(unknown(kind, wanted, registry.names(kind))) == f"unknown {kind} '{wanted}': did you mean '{meant}'?"


@pytest.mark.parametrize("wanted", ["restormer", "noise2void", "swinir", "diffpir", "gan", "x", "median"])
def test_another_method_is_not_taken_for_a_neighbour(wanted: str) -> None:
    said = str(unknown("method", wanted, registry.names("method")))
    assert said.startswith(f"unknown method '{wanted}': known: aseqdip, bicubic, ")


def test_of_names_that_differ_in_case_alone_the_right_one_is_named() -> None:
    assert str(unknown("image", "cat", ["Cat", "dog"])) == "unknown image 'cat': did you mean 'Cat'?"
    assert (
        str(unknown("suite", "QUICKSTART", preset_names())) == "unknown suite 'QUICKSTART': did you mean 'quickstart'?"
    )


def test_a_mend_of_its_own_stands_where_nothing_is_near() -> None:
    assert str(unknown("name", "zebra", ["dip"], "look there")) == "unknown name 'zebra': look there"
    assert str(unknown("name", "Dip", ["dip"], "look there")) == "unknown name 'Dip': did you mean 'dip'?"
    assert str(unknown("name", "zebra", [])) == "unknown name 'zebra': known: none"


@pytest.mark.parametrize(
    ("wanted", "path"), [("pkg", "./pkg"), ("res", "/some/where/res.py"), ("res:two", "res.py:Two")]
)
def test_a_plugin_given_by_its_path_is_found_by_its_name(wanted: str, path: str) -> None:
    assert nearest(wanted, ["degraded", path, "nlm"]) == path


def test_the_line_of_a_plugin_is_named_and_not_that_of_pythons_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half_written.py").write_text("1 +")
    (tmp_path / "asks_for_it.py").write_text("def build():\n    import half_written\n")
    with pytest.raises(SyntaxError) as raised:
        import_module("asks_for_it").build()
    del sys.modules["asks_for_it"]
    assert located(raised.value).endswith(f"(build, line 2 of {tmp_path}/asks_for_it.py)")
