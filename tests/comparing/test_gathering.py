"""Comparisons from stores, from the command line and from Python: what is there, what is not, and what to run."""

import json
import re
from pathlib import Path

import pytest
from stores import store

import dipbench
from dipbench.cli.main import main
from dipbench.errors import UserError
from results import LUMA, released


@pytest.fixture(scope="module")
def set5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = {"dip": "DIP", "tv": "TV prior", "lapsrn": "LapSRN"}
    scores = {label: released("sr_x4", "set5", name, LUMA) for label, name in names.items()}
    return store(tmp_path_factory.mktemp("set5") / "store", scores)


@pytest.fixture(scope="module")
def set14(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = {"dip": "DIP", "tv": "TV prior", "lapsrn": "LapSRN"}
    scores = {label: released("sr_x4", "set14", name, LUMA) for label, name in names.items()}
    return store(tmp_path_factory.mktemp("set14") / "store", scores, "set14")


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[str, str]:
    """What `dipbench compare` prints, and what it complains of."""
    monkeypatch.setattr("sys.argv", ["dipbench", "compare", *map(str, words)])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_of_set5_it_is_printed_that_no_test_can_ever_be_significant(
    set5: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(monkeypatch, capsys, "dip", "lapsrn", "--suite", set5)
    assert "5 images can never give a significant exact paired test: its smallest p is 0.0625" in out
    assert "lapsrn against dip: cannot tell: 124 more images needed to see 0.1 dB, 1 if it is 1.69 dB." in out
    assert "tv" not in out


def test_of_set14_verdicts_are_sentences_and_both_intervals_have_a_column(
    set14: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(monkeypatch, capsys, "dip", "lapsrn", "tv", "--baseline", "tv", "--suite", set14)
    assert "x4: PSNR on 14 images, 1 seed" in out
    assert "other images" in out
    assert "other seeds" in out
    assert "dip against tv: better by 0.58 [" in out
    assert "lapsrn against tv: better by 1.71 [" in out


def test_python_answers_with_tidy_frames(set14: Path) -> None:
    found = dipbench.compare(["dip", "tv"], suite=set14, baseline="tv")
    assert re.fullmatch(r".*: PSNR, against tv\n  dip.*: .*", str(found).partition("\n  Of")[0], re.DOTALL), found
    assert list(found.ranking["label"]) == ["dip", "tv"]
    line = found.differences.iloc[0]
    assert (line["experiment"], line["label"], line["baseline"], line["images"]) == ("x4", "dip", "tv", 14)
    assert line["gain"] == pytest.approx(0.581, abs=0.001)
    assert found.remarks == ()
    assert set(dipbench.compare(suite=set14).ranking["label"]) == {"dip", "tv", "lapsrn"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dpi", "tv"], "unknown method of these results 'dpi': did you mean 'dip'?\n"),
        (["dipp[iterations=5]", "tv"], "unknown method of these results 'dipp[iterations=5]': did you mean 'dip'?\n"),
        (["nlm[patchsize=3]", "tv"], "unknown method of these results 'nlm[patchsize=3]': known: dip, lapsrn, tv\n"),
        (
            ["nlm, final", "tv"],
            "unknown method of these results 'nlm': known: dip, lapsrn, tv (to compute it: dipbench run sr --method "
            "'nlm')\n",
        ),
        (["dip"], "only 'dip' is named: it takes two methods or more, or none for all"),
        (["dip", "dip, best"], "unknown output of 'dip' 'best'"),
        (["dip", "tv", "--metric", "psn"], "unknown metric 'psn': did you mean 'psnr'?"),
        (
            ["dip", "tv", "--ties", "-1"],
            "ties must be the difference up to which two methods are equal, 0 or",
        ),
        (["dip", "tv", "--output", "finl"], "unknown output of these results 'finl': did you mean 'final'?"),
        (["dip", "tv", "--baseline", "tvv"], "unknown method of these results 'tvv': did you mean 'tv'?"),
    ],
)
def test_what_is_wrong_is_one_line(
    set5: Path, words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = said(monkeypatch, capsys, *words, "--suite", set5)
    assert not out
    assert err.startswith(f"dipbench: {message}")
    assert err.count("\n") == 1


def test_with_ties_of_nothing_only_equal_ones_are_equal(
    set5: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = said(monkeypatch, capsys, "dip", "lapsrn", "--ties", "0", "--suite", set5)
    assert "lapsrn against dip: cannot tell: 1 more images needed to see 1.69 dB." in out
    assert "5/0/0" in out
    assert not err
    assert dipbench.compare(["dip", "lapsrn"], suite=set5, ties=0).differences["images_needed"].isna().all()


def test_a_suite_that_was_not_run_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"suite 'quickstart' has no results .*: run 'dipbench run quickstart' first"):
        dipbench.compare(["dip", "tv"], suite="quickstart")
    with pytest.raises(UserError, match=r"not a folder of results, nor a suite: .*did you mean 'quickstart'"):
        dipbench.compare(["dip", "tv"], suite="quickstar")
    scores = {label: released("sr_x4", "set14", name, LUMA) for label, name in (("dip", "DIP"), ("tv", "TV prior"))}
    store(tmp_path / "results" / "quickstart", scores)
    assert len(dipbench.compare(["dip", "tv"], suite="quickstart").ranking) == 2
    store(tmp_path / "results" / "mine", scores)
    assert len(dipbench.compare(["dip", "tv"], suite="mine").ranking) == 2, "a suite in a file, by its name"


def test_a_folder_that_is_not_there_is_answered_as_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("three", "four"):
        store(Path("results", name), {"dip": {}})
    Path("results/thred").mkdir()  # nobody's results
    for wanted, message in (
        ("results/thre", "'results/thre' is not a results folder: did you mean 'results/three'?"),
        ("thre", "'thre' is not a results folder: did you mean 'results/three'?"),
        ("results/seven", "'results/seven' is not a results folder: it takes one that 'dipbench run' wrote"),
        ("elsewhere/x", "'elsewhere/x' is not a results folder: it takes one that 'dipbench run' wrote"),
    ):
        with pytest.raises(UserError) as raised:
            dipbench.leaderboard(["results/four", wanted])
        assert str(raised.value) == message
    with pytest.raises(UserError, match="'paper/denoisin': did you mean 'paper/denoising'"):
        dipbench.leaderboard(["results/four", "paper/denoisin"])
    with pytest.raises(UserError, match=r"'results/thre' is not a results folder: did you mean 'results/three'\?"):
        dipbench.load("results/thre")


def test_what_is_not_computed_yet_is_said(tmp_path: Path) -> None:
    whole = released("sr_x4", "set14", "DIP", LUMA)
    half: dict[tuple[str, int], float | None] = {
        place: psnr if i < 7 else None for i, (place, psnr) in enumerate(whole.items())
    }
    folder = store(tmp_path / "s", {"dip": whole, "tv": half, "nlm": dict.fromkeys(whole)})
    found = dipbench.compare(["dip", "tv"], suite=folder)
    assert found.remarks == ("7 of 14 runs of tv are not computed: dipbench run sr",)
    assert set(found.ranking["images"]) == {7}
    with pytest.raises(UserError, match="no run of 'nlm' is computed yet: dipbench run sr"):
        dipbench.compare(["dip", "nlm"], suite=folder)


def test_stores_of_the_same_measurements_are_compared(set14: Path, tmp_path: Path) -> None:
    other = store(tmp_path / "s", {"bicubic": released("sr_x4", "set14", "Bicubic", LUMA)}, "set14")
    found = dipbench.compare(["dip", "bicubic"], suite=[set14, other])
    assert found.differences["gain"].iloc[0] == pytest.approx(-0.955, abs=0.001)


def test_of_runs_that_two_stores_have_it_is_said_how_far_apart_they_are(set14: Path, tmp_path: Path) -> None:
    other = {place: psnr + 0.5 for place, psnr in released("sr_x4", "set14", "DIP", LUMA).items()}
    found = dipbench.compare(["dip", "tv"], suite=[set14, store(tmp_path / "s", {"dip": other}, "set14")])
    assert found.differences["gain"].iloc[0] == pytest.approx(-0.581, abs=0.001), "those of the first store"
    (remark,) = found.remarks
    assert remark.startswith("14 runs are in more than one store, and counted once, as in the first, though the PSNR ")
    assert remark.endswith("differs by up to 0.5 dB.")
    assert not dipbench.compare(["dip", "tv"], suite=[set14, set14]).remarks, "one store, given twice"


def test_of_smoke_scale_it_is_said_that_it_is_no_result(tmp_path: Path) -> None:
    scores = {label: released("sr_x4", "set14", name, LUMA) for label, name in (("dip", "DIP"), ("tv", "TV prior"))}
    (remark,) = dipbench.compare(suite=store(tmp_path / "s", scores, "set14", scale="smoke")).remarks
    assert remark.startswith("x4 is at smoke scale")


def test_stores_that_share_no_measurement_are_refused(set5: Path, set14: Path) -> None:
    with pytest.raises(UserError, match=r"share no measurement: it takes stores with the same images, task and seeds"):
        dipbench.compare(["dip", "tv"], suite=[set5, set14])


def test_a_label_that_is_two_methods_is_refused(set14: Path, tmp_path: Path) -> None:
    scores = {"dip": released("sr_x4", "set14", "DIP", LUMA)}
    other = store(tmp_path / "s", scores, "set14", {"dip": "dip[iterations=10]"})
    with pytest.raises(UserError, match=r"'dip' is dip in .* and dip\[iterations=10\] in .*: it takes one method"):
        dipbench.compare(["dip", "tv"], suite=[set14, other])


def test_a_metric_that_nothing_was_scored_by_says_how_to_get_it(set14: Path) -> None:
    with pytest.raises(
        UserError, match=r"has a score by VIF: with it among .* \(--metric vif\) this scores .*: dipbench run sr"
    ):
        dipbench.compare(suite=set14, metric="vif")
    with pytest.raises(UserError, match="unknown metric 'vfi'"):
        dipbench.compare(suite=set14, metric="vfi")


def test_methods_are_compared_by_a_metric_on_demand(tmp_path: Path) -> None:
    scores = {label: {(str(image), 0): 30.0 for image in range(8)} for label in ("dip", "tv")}
    folder = store(tmp_path / "store", scores)
    for place in folder.glob("runs/*/result.json"):
        content = json.loads(place.read_text())
        better = content["run"]["method"]["name"] == "tv"
        content["outputs"][0]["gmsd"] = 0.02 + 0.001 * int(content["run"]["image"]) - 0.01 * better
        place.write_text(json.dumps(content))
    (line,) = dipbench.compare(suite=folder, metric="gmsd").differences.to_dict("records")
    assert line["gain"] == pytest.approx(0.01), "of GMSD less is better"


def test_a_metric_that_has_no_score_of_so_small_images_says_what_it_takes(set14: Path, tmp_path: Path) -> None:
    scores = {label: {(str(image), 0): 30.0 for image in range(8)} for label in ("dip", "tv")}
    folder = store(tmp_path / "store", scores)
    for place in folder.glob("runs/*/result.json"):
        content = json.loads(place.read_text())
        content["outputs"][0]["ms_ssim"] = "NaN"
        place.write_text(json.dumps(content))
    said = "no output has a score by MS-SSIM, which takes sides of 161 pixels; they have one by psnr, ssim"
    with pytest.raises(UserError, match=f"nothing to compare: {said}"):
        dipbench.compare(suite=folder, metric="ms_ssim")
    with pytest.raises(UserError, match=f"nothing to rank: {said}"):
        dipbench.leaderboard([folder], metric="ms_ssim")


def test_a_store_without_scores_has_nothing_to_compare(tmp_path: Path) -> None:
    whole = dict.fromkeys(released("sr_x4", "set14", "DIP", LUMA), float("nan"))
    with pytest.raises(UserError, match="nothing to compare: no output has a score by PSNR; they have one by ssim"):
        dipbench.compare(suite=store(tmp_path / "s", {"dip": whole, "tv": whole}))
    assert isinstance(dipbench.compare, type(lambda: 0)), "no module has taken the place of the function"
