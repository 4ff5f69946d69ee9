"""Checks what the quickstart must show: `python check_quickstart.py results/quickstart`."""

import sys
from pathlib import Path

import pandas as pd


def check(folder: Path) -> None:
    results = pd.read_parquet(folder / "index.parquet")
    assert (results["status"] == "done").all(), results.loc[results["status"] != "done", ["method", "message"]]
    means = results.groupby(["experiment", "method", "output"])["psnr"].mean()
    for experiment, label in results.loc[results["output"] == "ema", ["experiment", "method"]].drop_duplicates().values:
        if label.startswith("dip"):
            gain = means[experiment, label, "ema"] - means[experiment, "degraded", "final"]
            assert gain > 0, f"{experiment}: {label} is {gain:.2f} dB from the degraded image"
    denoising = means["denoising"]
    assert denoising["bm3d", "final"] > denoising["nlm", "final"], "BM3D is not above non-local means"
    saved = denoising["dip", "discrepancy_ema"] - denoising["dip", "ema"]
    assert saved > 1, f"stopping gains {saved:.2f} dB only"
    for _, row in results[(results["experiment"] == "denoising") & (results["output"] == "best")].iterrows():
        trace = pd.read_parquet(folder / "runs" / row["run"] / "trace.parquet")
        fall = trace["psnr"].max() - trace["psnr"].tail(50).mean()
        assert 0 < row["iteration"] < trace["iteration"].max(), "the best is at an end of the fit"
        assert fall > 1, f"{row['method']} on {row['image']} falls by {fall:.2f} dB only"
    assert (folder / "report" / "index.html").is_file()
    print(means.round(2).to_string())


if __name__ == "__main__":
    check(Path(sys.argv[1]))
