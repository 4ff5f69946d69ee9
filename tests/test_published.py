"""The numbers of the literature are whole, name what dipbench has, and agree with each other."""

from pathlib import Path

import pytest

from dipbench import published, registry
from dipbench.errors import UserError
from dipbench.published import AVERAGE, Number, Published, best_source, images_of, numbers_of, read_table, table_names

LUMA = "peak:1|channels:luma|border:4+5|quantisation:none"
TABLES = ["denoising_25", "followups", "inpainting_50", "kodak24_25", "sr_x4", "sr_x8", "trajectories"]


def every_number() -> list[Number]:
    return [number for name in table_names() for number in read_table(name)]


def test_tables_are_those_of_the_paper_and_of_its_followers() -> None:
    assert table_names() == TABLES


def test_every_number_is_of_a_data_set_an_image_and_a_task_of_dipbench() -> None:
    for number in every_number():
        names = registry.build("dataset", number.dataset).names()
        assert number.image in [*names, AVERAGE], number
        registry.build("task", number.task)
        assert number.source, number


def test_a_protocol_is_one_that_can_be_asked_for_or_not_stated() -> None:
    for number in every_number():
        parts = number.protocol.split("|")
        assert parts == [""] or [part.partition(":")[0] for part in parts] == [
            "peak", "channels", "border", "quantisation",
        ], number  # fmt: skip


def test_tables_are_scored_as_their_tasks_score() -> None:
    for table in ("sr_x4", "sr_x8", "inpainting_50", "denoising_25", "kodak24_25"):
        numbers = read_table(table)
        signature = registry.build("task", numbers[0].task).protocol().signature
        assert signature in {number.protocol for number in numbers}


@pytest.mark.parametrize("table", ["sr_x4", "sr_x8", "inpainting_50", "denoising_25"])
def test_a_recomputed_average_is_the_mean_of_its_images(table: str) -> None:
    numbers = [number for number in read_table(table) if number.status == "recomputed"]
    averages = [number for number in numbers if number.image == AVERAGE]
    assert averages
    for average in averages:
        key = (average.dataset, average.method, average.protocol)
        of_images = [n.value for n in numbers if (n.dataset, n.method, n.protocol) == key and n.image != AVERAGE]
        assert len(of_images) == len(registry.build("dataset", average.dataset).names())
        assert average.value == pytest.approx(sum(of_images) / len(of_images), abs=2e-4)


def test_recomputed_numbers_are_the_printed_ones_but_for_rounding_and_eight_bit() -> None:
    """0.17 dB is what cutting to 8 bit costs at 39 dB; files of another run than the printed one have other names."""
    compared = 0
    for printed in (number for number in every_number() if number.status == "printed"):
        numbers = numbers_of(printed.table, printed.dataset, printed.method)
        same = [n for n in numbers if (n.image, n.protocol) == (printed.image, printed.protocol)]
        for other in (number for number in same if number.status == "recomputed"):
            compared += 1
            assert other.value == pytest.approx(printed.value, abs=0.17), printed
    assert compared == 6 + 22 + 2


@pytest.mark.parametrize(
    ("dataset", "method", "value"),
    [("set5", "Bicubic", 28.43), ("set14", "Bicubic", 26.05), ("set5", "DIP", 29.90), ("set14", "DIP", 27.00)],
)
def test_the_printed_number_comes_before_the_recomputed_one(dataset: str, method: str, value: float) -> None:
    number = best_source(numbers_of("sr_x4", dataset, method), AVERAGE, LUMA)
    assert number is not None
    assert (number.value, number.status) == (value, "printed")


def test_images_are_those_that_a_mean_is_over() -> None:
    assert images_of("denoising_25", "cbm3d9") == set(registry.build("dataset", "cbm3d9").names())


def test_trajectory_has_its_iterations() -> None:
    raw = [number for number in read_table("trajectories") if number.image == "F16_512"]
    assert max(raw, key=lambda number: number.value).iteration == 1550


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("sr_x5", "set5", "DIP"), "unknown published table 'sr_x5': did you mean 'sr_x"),
        (("sr_x4", "set4", "DIP"), "unknown data set of published table 'sr_x4' 'set4': did you mean 'set"),
        (("sr_x4", "set5", "dip"), "unknown method of published table 'sr_x4' on set5 'dip': did you mean 'DIP'"),
    ],
)
def test_what_is_not_published_is_named_with_what_is(asked: tuple[str, str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        numbers_of(*asked)


def test_a_wrong_row_is_named_by_its_line_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head, row, *_ = (published.FOLDER / "sr_x4.csv").read_text().splitlines()
    (tmp_path / "wrong.csv").write_text("\n".join([head, row, row.replace("29.90", "high")]))
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"wrong\.csv', line 3, column value: got 'high'"):
        read_table("wrong")


def test_a_file_holds_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.csv").write_bytes((published.FOLDER / "sr_x4.csv").read_bytes())
    monkeypatch.setattr(published, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=r"mine\.csv' has rows of sr_x4: its column table takes 'mine'"):
        read_table("mine")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tolerance": 0.1}, "a tolerance and its reason go together"),
        ({"reason": "re-runs differ by that"}, "a tolerance and its reason go together"),
        ({"stochastic": False}, "nothing judges this row"),
        ({"method": "Deep Image Prior"}, "unknown method of published table"),
        ({"tolerance": -1.0, "reason": "x"}, "greater than 0"),
    ],
)
def test_a_suite_is_held_to_what_is_published(change: dict[str, object], message: str) -> None:
    row: dict[str, object] = {"method": "DIP", "stochastic": True}
    table = {"table": "sr_x4", "dataset": "set5"}
    Published.model_validate({**table, "rows": {"dip": row}})
    with pytest.raises(ValueError, match=message):
        Published.model_validate({**table, "rows": {"dip": {**row, **change}}})


def test_a_comparison_has_a_row() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        Published.model_validate({"table": "sr_x4", "dataset": "set5", "rows": {}})
