"""The command line as a newcomer uses it, in processes of its own."""

import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dipbench import api, processor, registry
from dipbench.cli import health
from dipbench.cli.main import main
from dipbench.errors import UserError
from dipbench.images.files import read_image, to_pillow, write_image

PROGRAM = [sys.executable, "-c", "from dipbench.cli.main import main; main()"]


def dipbench(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


@pytest.fixture
def suite(tmp_path: Path, photo: Tensor) -> Path:
    (tmp_path / "images").mkdir()
    write_image(tmp_path / "images" / "one.png", photo[:, :32, :32])
    path = tmp_path / "small.toml"
    path.write_text(
        f'title = "Small"\n[[experiments]]\nname = "a"\ndataset = "folder[path={tmp_path / "images"}]"\n'
        'task = "denoising"\nmethods = ["degraded", "dip[down=[8,8],iterations=4]"]\n'
    )
    return path


def test_help_answers_in_under_a_second() -> None:
    fastest = 9.0
    for _ in range(3):
        start = time.perf_counter()
        assert "restore" in dipbench("--help").stdout
        fastest = min(fastest, time.perf_counter() - start)
    assert fastest < 1


def test_run_says_where_the_report_is_and_computes_nothing_twice(suite: Path, tmp_path: Path) -> None:
    first = dipbench("run", str(suite), "--out", "out", "--jobs", "1", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "out/report/index.html" in first.stdout
    assert (tmp_path / "out" / "report" / "index.html").is_file()
    second = dipbench("run", str(suite), "--out", "out", cwd=tmp_path)
    assert "0 runs to compute; 2 already computed" in second.stderr
    again = dipbench("report", "out", cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_results_go_to_a_folder_named_after_the_suite(suite: Path, tmp_path: Path) -> None:
    done = dipbench("run", str(suite), "--only", "degraded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "small" / "index.parquet").is_file()


def test_restore_writes_an_image_without_a_truth(tmp_path: Path, photo: Tensor) -> None:
    write_image(tmp_path / "noisy.png", photo[:, :33, :40] + 0.1 * torch.randn(3, 33, 40))
    done = dipbench(
        "restore",
        "noisy.png",
        "--task",
        "denoising[sigma=25]",
        "--method",
        "dip[down=[8,8],iterations=3]",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "final output at iteration 3, too soon for the average" in done.stdout
    assert read_image(tmp_path / "noisy-dip.png").shape == (3, 33, 40)


MARKS = '''"""Leaves a mark when it runs."""
from dataclasses import dataclass
from pathlib import Path

from dipbench.contract import Method


@dataclass(frozen=True)
class Marks(Method):
    """Leaves a mark when it runs."""

    def run(self, problem, rng):
        Path("ran").touch()
        yield problem.measurement
'''


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "nowhere/x.png"], "cannot write 'nowhere/x.png': 'nowhere' is not a folder; make it first"),
        (["--out", "x.xyz"], "cannot write 'x.xyz': its suffix is '.xyz', and it takes .png, .tif"),
        (["--out", "x"], "cannot write 'x': its suffix is '', and it takes .png"),
        (["--out", "noisy.png"], "cannot write 'noisy.png': it is the image to restore; name another file"),
        (["--out", "./folder.png/../noisy.png"], "it is the image to restore"),
        (["--output", "avg"], "method './marks.py' has no output 'avg': it has final"),
        (["--output", "best"], "has no output 'best': it has final"),
    ],
)
def test_restore_looks_at_where_its_output_goes_before_the_method_runs(
    tmp_path: Path,
    photo: Tensor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(Path("noisy.png"), photo)
    Path("marks.py").write_text(MARKS)
    Path("folder.png").mkdir()
    before = Path("noisy.png").read_bytes()
    command = ["dipbench", "restore", "noisy.png", "--task", "denoising", "--method", "./marks.py", *options]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
    assert not Path("ran").exists()
    assert Path("noisy.png").read_bytes() == before


@pytest.mark.parametrize("method", ["dip[down=[8],iterations=2]", "nlm"])
def test_outputs_that_restore_expects_are_those_that_it_gets(tmp_path: Path, photo: Tensor, method: str) -> None:
    write_image(tmp_path / "noisy.png", photo[:, :32, :32])
    with pytest.raises(UserError, match="it has") as raised:
        api.restore(tmp_path / "noisy.png", task="denoising[sigma=25]", method=method, output="none")
    for name in str(raised.value).rpartition("it has ")[2].split(", "):
        assert api.restore(tmp_path / "noisy.png", task="denoising[sigma=25]", method=method, output=name).name == name


@pytest.mark.parametrize("orientation", range(1, 9))
def test_restored_photograph_is_seen_as_it_was(
    tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], orientation: int
) -> None:
    """A viewer turns the photograph of a phone, and shows the result, which has no such tag, likewise."""
    monkeypatch.chdir(tmp_path)
    tags = Image.Exif()
    tags[274] = orientation
    to_pillow(photo[:, :40]).save("phone.jpg", exif=tags, quality=100, subsampling=0)
    out = "o.png" if orientation % 2 else "o.tif"
    said(monkeypatch, capsys, *f"restore phone.jpg --task denoising --method degraded --out {out}".split())
    seen, result = (ImageOps.exif_transpose(Image.open(name)) for name in ("phone.jpg", out))
    assert np.array_equal(np.array(seen), np.array(result))


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the program prints, run in this process."""
    monkeypatch.setattr(sys, "argv", ["dipbench", *arguments])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("methods", "bm3d"),
        ("tasks", "inpainting"),
        ("datasets", "photos"),
        ("noises", "poisson"),
        ("signals", "psnr_measurement"),
        ("rules", "fixed"),
        ("tricks", "jitter"),
        ("executors", "this_process"),
        ("suites", "quickstart"),
    ],
)
def test_lists_what_there_is(
    kind: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = said(monkeypatch, capsys, "list", kind)
    assert name in listed
    assert "unavailable" not in listed


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_kind_of_plugin_is_listed(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = said(monkeypatch, capsys, "list", f"{kind}s").splitlines()
    assert [line.split()[0] for line in lines] == registry.names(kind)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nlm", "side of the compared patches"),
        ("bm3d", "non-commercial"),
        ("dip", "steps of Adam"),
        ("processes", "the cores divided by the processes"),
        ("quickstart", "denoising[sigma=25]"),
    ],
)
def test_shows_settings_with_their_comments_and_the_licence(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in said(monkeypatch, capsys, "show", name)


def test_doctor_finds_versions_devices_data_and_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "side_of", lambda device: 64)  # the fit is timed on less, for the test to be short
    found = said(monkeypatch, capsys, "doctor")
    words = ("torch", "device", "instructions", "kernels", "float32", "bf16", "s an iteration", "photos", "free disk")
    for word in words:
        assert word in found


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(("flags", "lines"), [("avx2", 1), ("avx2 avx512f avx512bw avx512dq avx512vl avx512_bf16", 0)])
def test_bf16_without_units_for_it_is_one_line_and_no_error(
    flags: str, lines: int, suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processor, "cpuinfo", lambda: f"flags\t\t: {flags}\n")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(sys, "argv", f"dipbench plan {suite} --only degraded --precision bf16 --device cpu".split())
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as ended:
        main()
    warned = capsys.readouterr().err.splitlines()
    assert ended.value.code == 0
    assert len(warned) == lines
    assert all("precision 'bf16' will not be faster than float32 here" in line for line in warned)


@pytest.mark.parametrize(("only", "without_fits"), [("degraded", 2), ("dip", 0)])
def test_plan_explains_what_stands_in_its_table(
    suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], only: str, without_fits: int
) -> None:
    """A row without a fit is at least the process: the experiment's and that of all."""
    text = said(monkeypatch, capsys, *f"plan {suite} --only {only} --device cpu".split())
    table, foot = text[: text.index(": time of the fits")], text.splitlines()[-1]
    assert table.count(">=") == without_fits
    assert foot == "what methods without a fit take is not included" + (", but the process: >=" if without_fits else "")


def test_python_answers_with_a_frame(suite: Path, tmp_path: Path) -> None:
    code = (
        f"import dipbench; f = dipbench.run({str(suite)!r}, out={str(tmp_path / 'o')!r}); "
        "print(type(f).__name__, len(f), sorted(f['method'].unique())[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["DataFrame", "5", "degraded"], done.stderr


WRONG = {
    "unknown suite": (["run", "quikstart"], "did you mean 'quickstart'"),
    "unknown method": (["run", "{suite}", "--method", "nml"], "did you mean 'nlm'"),
    "unknown setting": (["run", "{suite}", "--method", "nlm[patchsize=3]"], "did you mean 'patch_size'"),
    "wrong type": (
        ["run", "{suite}", "--method", "nlm[patch_size=big]"],
        "must be a valid integer, got 'big'",
    ),
    "out of range": (["run", "{suite}", "--method", "nlm[patch_size=0]"], "patch_size must be greater than 0, got 0"),
    "unknown plugin to set": (["run", "{suite}", "--set", "dop.iterations=3"], "did you mean 'dip'"),
    "nothing left": (["run", "{suite}", "--only", "zebra"], "matches nothing"),
    "no such folder": (["run", "{suite}", "--data", "nowhere"], "does not exist"),
    "no cuda": (["run", "{suite}", "--device", "cuda:7"], "take device 'cpu'"),
    "unknown device": (["run", "{suite}", "--device", "tpu9"], "it takes auto, cpu"),
    "unknown executor": (
        ["run", "{suite}", "--on", "proceses"],
        "did you mean 'processes'",
    ),
    "unknown setting of an executor": (["run", "{suite}", "--on", "processes[thread=2]"], "did you mean 'threads'"),
    "no seeds": (["run", "{suite}", "--seeds", "0"], "at least 1"),
    "no store": (["report", "."], "is not a results folder"),
    "unknown name": (["show", "quickstrat"], "did you mean 'quickstart'"),
    "empty image": (["restore", "{empty}", "--task", "denoising"], "is empty"),
    "unreadable image": (["restore", "{text}", "--task", "denoising"], "is no image of a kind that is known"),
    "no mask": (["restore", "{image}", "--task", "inpainting"], "mask=FILE.png"),
    "mask of another size": (
        ["restore", "{image}", "--task", "inpainting[mask={mask}]"],
        "give a mask of the image's size",
    ),
    "too small": (["restore", "{small}", "--task", "denoising"], "too small for a network of 5 scales"),
    "unwritable output": (["run", "{suite}", "--out", "{text}/out"], "cannot write"),
    "unknown output": (
        ["restore", "{image}", "--task", "denoising", "--method", "nlm", "--output", "best"],
        "it has final",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_bad_input_is_one_line_and_status_2(
    what: str,
    suite: Path,
    tmp_path: Path,
    photo: Tensor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: each one of its own would load torch anew."""
    arguments, message = WRONG[what]
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    write_image(tmp_path / "mask.png", photo[:1, :9, :9])
    write_image(tmp_path / "small.png", photo[:, :20, :20])
    names = {name: str(tmp_path / f"{name}.png") for name in ("empty", "text", "mask", "small")}
    names |= {"suite": str(suite), "image": str(tmp_path / "images" / "one.png")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["dipbench", *(argument.format(**names) for argument in arguments)])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    assert message in said
    assert len(said.strip().splitlines()) == 1


def test_debug_shows_where_an_error_came_from() -> None:
    assert "Traceback" in dipbench("run", "quikstart", "--debug").stderr


BAD = (
    '"""Fails."""\nfrom dataclasses import dataclass\nfrom dipbench.contract import Method\n\n'
    '@dataclass(frozen=True)\nclass Bad(Method):\n    """Fails."""\n\n'
    "    def run(self, problem, rng):\n        raise ValueError('no luck')\n        yield\n"
)


def test_an_error_in_a_plugin_has_its_line_whatever_the_command(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    done = dipbench("restore", "images/one.png", "--task", "jpeg", "--method", "bad.py", cwd=tmp_path)
    assert done.returncode == 1
    said = f"dipbench: ValueError: no luck (run, line 10 of {tmp_path / 'bad.py'}); --debug shows the way there\n"
    assert done.stderr == said


def test_failed_run_makes_the_status_non_zero_and_the_others_go_on(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    done = dipbench("run", str(suite), "--method", "bad.py", "--out", "out", "--jobs", "1", cwd=tmp_path)
    assert done.returncode == 1
    words = f"ValueError: no luck (run, line 10 of {tmp_path / 'bad.py'})"
    assert [line for line in done.stderr.splitlines() if line.startswith("dipbench: ")] == [
        f"dipbench: bad.py on one, denoising, seed 0 failed: {words}"
    ]
    assert "1 failed, 2 done" in done.stdout or "2 done, 1 failed" in done.stdout


def test_python_names_are_functions_whatever_was_imported_before() -> None:
    """A module of the package by the name `run` would take the function's place."""
    code = "import dipbench, dipbench.running.runner; print(callable(dipbench.run), callable(dipbench.restore))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "True"], done.stderr
