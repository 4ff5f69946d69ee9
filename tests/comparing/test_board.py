"""The leaderboard: whose results stand on one board, what is ranked there, and what is marked."""

import json
from pathlib import Path

import pandas as pd
import pytest
from stores import store

import dipbench
from dipbench.comparing.board import COLUMNS
from dipbench.errors import UserError
from results import LUMA, released

OTHER = LUMA.replace("luma", "all")
IMAGES = [f"image {i}" for i in range(8)]


def set14(name: str) -> dict[tuple[str, int], float]:
    return released("sr_x4", "set14", name, LUMA)


def level(psnr: float, seeds: int = 1, images: list[str] = IMAGES) -> dict[tuple[str, int], float]:
    """Scores around a PSNR in dB: the hardest image 3.5 dB below it."""
    return {(image, seed): psnr - 0.5 * i + 0.1 * seed for i, image in enumerate(images) for seed in range(seeds)}


def test_two_stores_make_one_board_as_compare_would_of_one(tmp_path: Path) -> None:
    scores = {"dip": set14("DIP"), "tv": set14("TV prior"), "lapsrn": set14("LapSRN"), "bicubic": set14("Bicubic")}
    a = store(tmp_path / "a", {label: scores[label] for label in ("dip", "tv")}, "set14")
    b = store(tmp_path / "b", {label: scores[label] for label in ("dip", "lapsrn", "bicubic")}, "set14")
    whole = dipbench.compare(suite=store(tmp_path / "whole", scores, "set14")).ranking
    board = dipbench.leaderboard([a, b])
    assert list(board) == list(COLUMNS)
    assert list(board["label"]) == ["lapsrn", "dip", "tv", "bicubic"]
    for column in ("rank", "group", "label", "mean", "images_low", "images_high", "images", "seeds"):
        assert list(board[column]) == list(whole[column])
    assert board["psnr"].tolist() == pytest.approx(board["mean"].tolist())
    assert list(board["stores"]) == ["b", "a", "a", "b"], "a run that both have is that of the first"
    (remarks,) = (said for title, said in board.attrs["remarks"].items() if title)
    assert remarks == ["14 runs are in more than one store, and counted once, as in the first."]


def test_a_run_that_two_machines_computed_counts_once_and_the_difference_is_said(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"dip": level(30.25)}, device="cuda")
    board = dipbench.leaderboard([a, b])
    assert board.loc[0, "mean"] == pytest.approx(30 - 0.5 * 3.5)
    assert board.loc[0, "device"] == "cpu"
    assert "though the PSNR differs by up to 0.25 dB" in "".join(board.attrs["remarks"][board.loc[0, "board"]])


def test_a_run_that_failed_on_one_machine_is_that_of_the_other(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"dip": level(30.25)})
    for place in a.glob("runs/*/result.json"):
        content = json.loads(place.read_text())
        if content["run"]["method"]["name"] == "dip":
            place.write_text(json.dumps({**content, "status": "failed", "message": "no memory", "outputs": []}))
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["dip", "tv"]
    assert board.loc[0, "mean"] == pytest.approx(30.25 - 0.5 * 3.5)
    assert board.loc[0, "stores"] == "b"


def test_precisions_of_one_method_are_two_rows_and_marked(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"dip": level(30.5)}, precision="tf32", device="H100")
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["dip (tf32)", "dip (float32)", "tv"]
    assert list(board["precision"]) == ["tf32", "float32", "float32"]
    assert list(board["note"]) == ["precision tf32; device H100", "", ""]
    said = " ".join(board.attrs["remarks"][board.loc[0, "board"]])
    assert "different precisions" in said
    assert "different devices: their seconds and memory do not compare. H100: dip (tf32); otherwise cpu." in said


def test_a_method_that_learned_from_other_images_is_noted(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"lapsrn": level(32)}, trained_on="291 images")
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["lapsrn", "dip", "tv"]
    assert list(board["trained_on"]) == ["291 images", "", ""]
    assert list(board["note"]) == ["trained on other images: 291 images", "", ""]


def test_another_protocol_is_another_board_and_of_a_single_method_none(tmp_path: Path) -> None:
    scores = {"dip": level(30), "tv": level(29)}
    a, b = store(tmp_path / "a", scores), store(tmp_path / "b", scores, protocol=OTHER)
    board = dipbench.leaderboard([a, b])
    assert list(board["protocol"]) == [LUMA, LUMA, OTHER, OTHER]
    assert board["board"].nunique() == 2
    single = store(tmp_path / "c", {"nlm": level(40)}, protocol=OTHER)
    board = dipbench.leaderboard([a, single])
    assert list(board["label"]) == ["dip", "tv"]
    assert f"nlm of c is not ranked, for another protocol scored it ({OTHER})" in board.attrs["remarks"][""][0]


def test_one_label_of_two_methods_is_told_apart_by_the_store(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"mine": level(30), "tv": level(29)}, specs={"mine": "dip"})
    b = store(tmp_path / "b", {"mine": level(31)}, specs={"mine": "dip[iterations=10]"})
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["mine (b)", "mine (a)", "tv"]
    (said,) = board.attrs["remarks"][board.loc[0, "board"]]
    assert said == (
        "mine stands for 2 methods, of other settings, source or version: mine (a) is dip in a, mine (b) is "
        "dip[iterations=10] in b."
    )


def test_two_labels_of_one_method_are_one_row(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"mine": level(30), "nlm": level(28)}, specs={"mine": "dip"})
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["dip", "tv", "nlm"]
    said = board.attrs["remarks"][board.loc[0, "board"]]
    assert said[0] == "mine of b is the same method as dip, and goes by that name."


def test_seeds_of_two_machines_add_up(tmp_path: Path) -> None:
    both = {"dip": level(30, seeds=4), "tv": level(29, seeds=4)}
    halves = [
        {
            label: {place: psnr for place, psnr in scores.items() if (place[1] < 2) == first}
            for label, scores in both.items()
        }
        for first in (True, False)
    ]
    stores = [store(tmp_path / name, half) for name, half in zip("ab", halves, strict=True)]
    board = dipbench.leaderboard(stores)
    assert list(board["seeds"]) == [4, 4]
    assert list(board["stores"]) == ["a; b", "a; b"]
    assert board.loc[0, "seeds_low"] < board.loc[0, "mean"] < board.loc[0, "seeds_high"]


def test_what_lacks_images_is_listed_and_puts_nobody_off(tmp_path: Path) -> None:
    more = [*IMAGES, "one more"]
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29), "nlm": level(40, images=IMAGES[:3])})
    b = store(tmp_path / "b", {"mine": level(31, seeds=2, images=more)})
    board = dipbench.leaderboard([a, b])
    assert list(board["label"]) == ["mine", "dip", "tv", "nlm"]
    assert list(board["rank"].fillna(0)) == [1, 2, 3, 0]
    assert list(board["images"]) == [8, 8, 8, 3]
    assert board.loc[3, "note"] == "not ranked: 3 of 8 images"
    assert board["mean"].isna().tolist() == [False, False, False, True]
    assert board.attrs["remarks"][board.loc[0, "board"]] == [
        "Compared on the 8 of 18 measurements (image and seed) that all have a score of. Lacking: dip (10), tv (10)."
    ]


def test_a_method_without_a_seed_in_common_is_not_ranked(tmp_path: Path) -> None:
    other = {(image, 2): psnr for (image, _), psnr in level(50).items()}
    two = {"dip": level(30, seeds=2), "tv": level(29, seeds=2)}
    board = dipbench.leaderboard([store(tmp_path / "a", {**two, "nlm": other})])
    assert list(board["label"]) == ["dip", "tv", "nlm"]
    assert board.loc[2, "note"] == "not ranked: no seed that the others have"
    some = {**other, (IMAGES[0], 0): 50.0, (IMAGES[1], 1): 50.0}
    board = dipbench.leaderboard([store(tmp_path / "b", {**two, "nlm": some})])
    assert list(board["rank"].fillna(0)) == [1, 2, 0]
    assert board.loc[2, "note"] == "not ranked: a seed that the others have on 2 of 8 images"


@pytest.mark.parametrize("order", [("dip", "bm3d"), ("bm3d", "dip"), ("bm3d", "dip", "nlm"), ("nlm", "bm3d", "dip")])
def test_one_failed_run_costs_its_image_and_no_method(tmp_path: Path, order: tuple[str, ...]) -> None:
    """Of nine images and three seeds dip lacks one, the seed that the others have of that image."""
    nine = [*IMAGES, "last"]
    scores = {"dip": level(30, seeds=3, images=nine), "bm3d": level(29, images=nine), "nlm": level(28, images=nine)}
    scores["dip"].pop(("last", 0))
    board = dipbench.leaderboard([store(tmp_path / "a", {method: scores[method] for method in order})])
    assert list(board["label"]) == ["dip", "bm3d", "nlm"][: len(order)]
    assert list(board["images"]) == [8] * len(order)
    assert board["mean"].tolist() == pytest.approx([28.25, 27.25, 26.25][: len(order)])
    said = board.attrs["remarks"][board.loc[0, "board"]][0]
    assert said.startswith("Compared on the 8 of 27 measurements (image and seed) that all have a score of. Lacking: ")
    assert "dip (1)" in said
    assert "bm3d (18)" in said


def test_methods_that_each_lack_another_image_are_ranked_on_those_that_both_have(tmp_path: Path) -> None:
    board = dipbench.leaderboard(
        [store(tmp_path / "a", {"dip": level(30, images=IMAGES[1:]), "tv": level(29, images=IMAGES[:-1])})]
    )
    assert list(board["label"]) == ["dip", "tv"]
    assert list(board["images"]) == [6, 6]


def test_a_run_that_diverged_without_a_score_is_not_passed_over(tmp_path: Path) -> None:
    scores = {**level(30, seeds=2), (IMAGES[0], 1): float("nan")}
    board = dipbench.leaderboard([store(tmp_path / "a", {"dip": scores, "tv": level(29, seeds=2)})])
    said = board.attrs["remarks"][board.loc[0, "board"]]
    assert "1 run of dip diverged and left no score: without them it looks better." in said


def test_of_a_metric_that_lacks_a_score_there_is_no_mean(tmp_path: Path) -> None:
    """As of a run that diverged, of which the trace has a PSNR and no SSIM."""
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    place = next(path for path in sorted(a.glob("runs/*/result.json")) if '"dip"' in path.read_text())
    place.write_text(place.read_text().replace('"ssim": 0.9', '"ssim": "NaN"'))
    board = dipbench.leaderboard([a]).set_index("label")
    assert board["images"].to_list() == [8, 8]
    assert board["ssim"].isna().to_dict() == {"dip": True, "tv": False}


def test_stores_that_share_no_measurement_stand_side_by_side(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b", {"dip": level(31), "tv": level(32)}, pixels="smaller")
    board = dipbench.leaderboard([a, b])
    task = "super_resolution[factor=4] on set5"
    assert list(board["board"]) == [f"{task} (a)"] * 2 + [f"{task} (b)"] * 2
    assert list(board["label"]) == ["dip", "tv", "tv", "dip"]
    assert board.attrs["remarks"][""][0].startswith("a, b: no measurement in common with another store")
    with pytest.raises(UserError, match="nothing to rank: no two methods of these stores have a score by PSNR"):
        dipbench.leaderboard(
            [store(tmp_path / "c", {"dip": level(30)}), store(tmp_path / "d", {"tv": level(30)}, "set14")]
        )


def test_smoke_scale_is_marked_and_never_on_a_board_with_full(tmp_path: Path) -> None:
    scores = {"dip": level(30), "tv": level(29)}
    board = dipbench.leaderboard([store(tmp_path / "a", scores), store(tmp_path / "b", scores, scale="smoke")])
    assert list(board["smoke"]) == [False, False, True, True]
    assert board.loc[2, "board"].endswith(", smoke scale")
    assert "At smoke scale" in board.attrs["remarks"][board.loc[2, "board"]][0]


def test_names_of_stores_are_as_short_as_tells_them_apart(tmp_path: Path) -> None:
    a = store(tmp_path / "a" / "results", {"dip": level(30), "tv": level(29)})
    b = store(tmp_path / "b" / "results", {"nlm": level(31)})
    assert list(dipbench.leaderboard([a, b])["stores"]) == ["b/results", "a/results", "a/results"]
    assert set(dipbench.leaderboard([a, a])["stores"]) == {"results"}, "given twice, it counts once"


def test_metrics_on_demand_and_what_is_wrong(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(30), "tv": level(29)})
    with pytest.raises(
        UserError, match=r"no run of a has a score by VIF: with it among .* \(--metric vif\) this .*: dipbench run sr"
    ):
        dipbench.leaderboard([a], metric="vif")
    with pytest.raises(UserError, match="unknown metric 'vfi'"):
        dipbench.leaderboard([a], metric="vfi")
    with pytest.raises(UserError, match="leaderboard needs at least one folder of results"):
        dipbench.leaderboard([])
    assert list(dipbench.leaderboard([a], metric="ssim")["mean"]) == pytest.approx([0.9, 0.9])


@pytest.mark.parametrize("psnr", [None, float("nan")])
def test_a_store_without_results_takes_no_part(tmp_path: Path, psnr: float | None) -> None:
    none = store(tmp_path / "none", {"dip": dict.fromkeys(level(30), psnr), "tv": dict.fromkeys(level(30), psnr)}, "a")
    with pytest.raises(UserError, match="nothing to rank"):
        dipbench.leaderboard([none])
    whole = store(tmp_path / "whole", {"dip": level(30), "tv": level(29)})
    assert list(dipbench.leaderboard([none, whole])["label"]) == ["dip", "tv"]


def test_a_rule_that_was_edited_between_two_stores_is_not_taken_for_one(tmp_path: Path) -> None:
    a = store(tmp_path / "a", {"dip": level(31), "wire": level(30)}, rule="early 1a2b")
    b = store(tmp_path / "b", {"siren": level(29)}, rule="early 3c4d")
    said = (
        "The rule is not the same for all: early 1a2b chose for dip, stopped by early, wire, stopped by early; "
        "early 3c4d chose for siren, stopped by early. They compare once all are run with one file."
    )
    assert of_rules(dipbench.leaderboard([a, b], output="early")) == [said]
    assert of_rules(dipbench.leaderboard([a, b])) == []
    same = store(tmp_path / "same", {"siren": level(29)}, rule="early 1a2b")
    assert of_rules(dipbench.leaderboard([a, same], output="early")) == []


def of_rules(board: pd.DataFrame) -> list[str]:
    return [remark for said in board.attrs["remarks"].values() for remark in said if "rule" in remark]
