import json

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from dipbench.errors import UserError
from dipbench.spec import Spec, parse


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("nlm", {}),
        ("nlm[patch_size=5]", {"patch_size": 5}),
        (
            "dip[down=[32,32],upsampling=nearest,learning_rate=1e-3]",
            {"down": [32, 32], "upsampling": "nearest", "learning_rate": 1e-3},
        ),
        ("dip[pointwise=false,jitter=none]", {"pointwise": False, "jitter": None}),
        ("inpainting[mask=holes/a.png]", {"mask": "holes/a.png"}),
    ],
)
def test_reads_what_a_user_writes(text: str, settings: dict[str, object]) -> None:
    assert parse(text).settings == settings


@pytest.mark.parametrize("text", ["nlm[patch_size=5]", "dip[down=[32,32],jitter=none,pointwise=true]", "tv"])
def test_writes_what_it_reads(text: str) -> None:
    assert str(parse(text)) == text


NAMES = st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(PLAIN, st.lists)


@given(st.builds(Spec, NAMES | st.text(min_size=1), st.dictionaries(NAMES, VALUES)))
@example(Spec("dip", {"jitter": 1 / 30, "input": "none", "path": "my,photos", "year": "2024", "empty": ""}))
@example(Spec("folder", {"path": 'a[1]=b\'s "x"\n#\\', "list": ["none", None, "1", [True, "true", "inf"]]}))
@example(Spec("my [old] methods/a,b.py", {}))
def test_what_is_written_is_read_back_as_it_was(spec: Spec) -> None:
    again = parse(str(spec))
    assert again == spec
    assert json.dumps(again.settings) == json.dumps(spec.settings), "1 is no True, and 1.0 no 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a[x='it is, [so]']", "it is, [so]"),
        ('a[x="5"]', "5"),
        ("a[x=it's]", "it's"),
        ("a[x=[one, none, 2]]", ["one", None, 2]),
        ('a[x="say \\"no, no\\""]', 'say "no, no"'),
        ("a[x=[2024-01-01, 07:32:00]]", ["2024-01-01", "07:32:00"]),
    ],
)
def test_quotes_keep_what_they_hold(text: str, value: object) -> None:
    assert parse(text).settings == {"x": value}


@pytest.mark.parametrize("text", ["", "[a=1]", "nlm[patch_size", "nlm[patch_size]", "nlm[=3]"])
def test_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(UserError, match="it takes"):
        parse(text)


def test_settings_on_top_win() -> None:
    assert Spec("a", {"x": 1, "y": 2}).with_settings({"y": 3}) == Spec("a", {"x": 1, "y": 3})
