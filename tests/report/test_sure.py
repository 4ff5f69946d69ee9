"""The part of the page that says how sure the ranking is."""

from pathlib import Path

import pandas as pd
import pytest
from forge import Forge

from dipbench.report import write_report
from dipbench.store.store import Store

HEADING = "How sure is the ranking?"


def fill(forge: Forge, methods: int, images: int, seeds: int) -> None:
    """Methods a decibel apart; the first one has an average that is better by 0.5 dB, and a peak."""
    forge.experiment("denoising", "denoising")
    for method in range(methods):
        for image in range(images):
            for seed in range(seeds):
                psnr = 20.0 + method + image + 0.1 * seed * (1 + image % 2)
                more = {"ema": psnr + 0.5, "best": psnr + 9} if method == 0 else {}
                forge.done(f"m{method}" if method else "dip", f"image {image}", seed, {"final": psnr, **more})


def page_of(forge: Forge) -> tuple[str, Path]:
    forge.plan()
    folder = write_report(forge.store, forge.store.holdings()).parent
    return (folder / "index.html").read_text().replace("<wbr>", ""), folder


def test_the_page_has_both_intervals_and_a_verdict_in_words(forge: Forge) -> None:
    fill(forge, methods=3, images=8, seeds=2)
    text, folder = page_of(forge)
    assert HEADING in text
    assert "better by 1.50 [1.50, 1.50] dB" in text
    assert '<th scope="col">other images</th>' in text
    assert '<th scope="col">other seeds</th>' in text
    ranking = pd.read_csv(folder / "ranking" / "denoising.csv")
    assert list(ranking["label"]) == ["m2", "m1", "dip, EMA"], "one output a method, and no oracle"
    assert list(ranking["group"]) == ["a", "b", "c"]
    differences = pd.read_csv(folder / "ranking" / "denoising_differences.csv")
    assert list(differences["gain"]) == pytest.approx([1.5, 0.5])
    assert "better by 1.50" in (folder / "ranking" / "denoising.md").read_text()


def test_of_few_images_the_page_says_what_they_can_never_show(forge: Forge) -> None:
    fill(forge, methods=9, images=4, seeds=1)
    text, _ = page_of(forge)
    assert HEADING in text
    assert "4 images can never give a significant exact paired test" in text


@pytest.mark.parametrize(("methods", "images", "seeds"), [(1, 8, 2), (2, 3, 1)])
def test_where_nothing_can_be_said_there_is_no_such_part(methods: int, images: int, seeds: int, forge: Forge) -> None:
    fill(forge, methods, images, seeds)
    text, folder = page_of(forge)
    assert HEADING not in text
    assert not list((folder / "ranking").iterdir())


def test_the_baseline_is_that_of_the_suite(forge: Forge) -> None:
    fill(forge, methods=3, images=2, seeds=2)
    forge.experiments[0]["baseline"] = "m1"
    text, folder = page_of(forge)
    assert "against m1" in text
    assert set(pd.read_csv(folder / "ranking" / "denoising_differences.csv")["baseline"]) == {"m1"}


def test_a_baseline_of_the_suite_that_is_not_computed_is_not_replaced_without_a_word(forge: Forge) -> None:
    fill(forge, methods=3, images=2, seeds=2)
    forge.experiments[0]["baseline"] = "tv"
    text, folder = page_of(forge)
    said = "baseline tv is not computed here: differences are against dip, EMA."
    assert said in text
    assert said in (folder / "ranking" / "denoising.md").read_text()


def test_methods_with_more_seeds_than_others_are_compared_by_all_of_these(forge: Forge) -> None:
    fill(forge, methods=3, images=8, seeds=3)
    for image in range(8):
        forge.done("alone", f"image {image}", 0, {"final": 30.0 + image})
    text, folder = page_of(forge)
    assert "Of the methods with 3 seeds: 3 methods on 8 images" in text
    ranking = pd.read_csv(folder / "ranking" / "denoising.csv")
    assert list(ranking["label"]) == ["alone", "m2", "m1", "dip, EMA", "m2", "m1", "dip, EMA"]
    assert list(ranking["seeds"]) == [1] * 4 + [3] * 3
    assert list(ranking["among"].fillna("")) == [""] * 4 + ["the methods with 3 seeds"] * 3
    assert "\nOf the methods with 3 seeds:\n" in (folder / "ranking" / "denoising.md").read_text()


def test_a_baseline_with_fewer_seeds_is_replaced_among_those_with_more_and_that_is_said(forge: Forge) -> None:
    fill(forge, methods=3, images=8, seeds=3)
    forge.experiments[0]["baseline"] = "alone"
    for image in range(8):
        forge.done("alone", f"image {image}", 0, {"final": 30.0 + image})
    text, folder = page_of(forge)
    assert "baseline alone has fewer seeds: differences are against dip, EMA." in text
    differences = pd.read_csv(folder / "ranking" / "denoising_differences.csv")
    assert list(differences["baseline"]) == ["alone"] * 3 + ["dip, EMA"] * 2


def test_a_run_that_is_missing_makes_no_second_comparison(forge: Forge) -> None:
    fill(forge, methods=3, images=8, seeds=3)
    for image in range(8):
        for seed in range(3 if image else 2):
            forge.done("incomplete", f"image {image}", seed, {"final": 30.0 + image})
    assert "methods with" not in page_of(forge)[0]


@pytest.mark.parametrize("images", [7, 8])
def test_methods_that_lack_an_image_or_have_as_many_seeds_are_not_compared_twice(forge: Forge, images: int) -> None:
    fill(forge, methods=3, images=8, seeds=2)
    for image in range(images):
        for seed in range(4 if images == 7 else 2):
            forge.done("more", f"image {image}", seed, {"final": 30.0})
    text, _ = page_of(forge)
    assert HEADING in text
    assert "methods with" not in text


def test_every_output_that_the_suite_wants_ranked_has_tables_of_its_own(forge: Forge) -> None:
    fill(forge, methods=3, images=8, seeds=2)
    forge.experiments[0]["ranked"] = ["ema", "final", "wmv"]
    text, folder = page_of(forge)
    assert "Ranked by &#39;EMA&#39;, where a method has it" in text
    assert "Ranked by &#39;final&#39;, where a method has it" in text
    assert "stopped by wmv" not in text, "no method has it"
    assert text.count("How these tables are read") == 1
    ranking = pd.read_csv(folder / "ranking" / "denoising.csv")
    assert list(ranking["asked"]) == ["ema"] * 3 + ["final"] * 3
    assert list(ranking.loc[ranking["asked"] == "final", "label"]) == ["m2", "m1", "dip, final"]
    markdown = (folder / "ranking" / "denoising.md").read_text()
    assert markdown.count("| method | rank |") == 2
    assert markdown.count("Means over the images of the mean over the seeds") == 1


def test_the_store_of_another_version_has_no_baseline(tmp_path: Path) -> None:
    forge = Forge(Store(tmp_path / "s"))
    fill(forge, methods=2, images=2, seeds=2)
    forge.plan()
    assert forge.store.plan().experiments[0].baseline == ""
