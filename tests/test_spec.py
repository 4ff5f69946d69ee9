import pytest

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


@pytest.mark.parametrize("text", ["", "[a=1]", "nlm[patch_size", "nlm[patch_size]", "nlm[=3]"])
def test_refuses_what_it_cannot_read(text: str) -> None:
    with pytest.raises(UserError, match="it takes"):
        parse(text)


def test_settings_on_top_win() -> None:
    assert Spec("a", {"x": 1, "y": 2}).with_settings({"y": 3}) == Spec("a", {"x": 1, "y": 3})
