"""What is committed of runs is rendered again from what is committed: nothing is lost, and nothing changes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent
KEPT = Path("results") / "reference" / "paper" / "switches"


def test_committed_runs_are_rendered_again_as_they_are(tmp_path: Path, paper_data: Path) -> None:
    shutil.copytree(ROOT / KEPT, tmp_path / KEPT)
    script = ROOT / "benchmarks" / "tools" / "take_in.py"
    done = subprocess.run(
        [sys.executable, str(script), "--root", str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for name in ("numbers.csv", "runs.jsonl"):
        assert (tmp_path / KEPT / name).read_text() == (ROOT / KEPT / name).read_text()
    pd.testing.assert_frame_equal(*(pd.read_parquet(root / KEPT / "traces.parquet") for root in (tmp_path, ROOT)))
    report = (tmp_path / "reports" / "paper" / "switches" / "README.md").read_text()
    assert "butterfly" in report
    assert "26.41" in report  # all three settings of 2017: dB of the last output
