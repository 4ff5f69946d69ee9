"""When the average of a stopped fit is better than its last output: results/reference/overfitting/averages.csv.

    python benchmarks/tools/averages.py

An average of the outputs begins with the first one. Of every output of the committed fits that a rule named: the
share that the first output still has in the average, by bins, and what the average gains over the raw output of that
iteration. Prints what taking the average up to a share, and the raw output above it, gains over the raw output.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from reference import read
from take_in_rule import fit_of

from dipbench.contract.prior import UNSETTLED, first_share
from dipbench.store.outputs import is_average, kind_of, raw_of

REFERENCE = Path(__file__).parent.parent.parent / "results" / "reference"
BINS = [0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1]


def gains() -> Iterator[dict[str, Any]]:
    """A row an average that a rule named, of every committed fit."""
    for file in sorted(REFERENCE.rglob("runs.jsonl")):
        for kept in read(file.parent)[0].values():
            weight, outputs = kept.run.method["settings"].get("average"), kept.result.outputs
            by_name = {output.output: output for output in outputs}
            for output in outputs:
                raw = by_name.get(raw_of(output.output))
                if weight and output.rule and is_average(output.output) and raw and not kind_of(output.output).oracle:
                    yield {
                        "fit": fit_of(kept.run),
                        "rule": output.rule.partition("[")[0],
                        "share": first_share(weight, output.iteration),
                        "gain": output.psnr - raw.psnr,
                    }


def main() -> None:
    """Writes the table, and prints what a threshold is worth."""
    found = pd.DataFrame(gains()).dropna().drop_duplicates()  # a fit, and one that the rule ended, say the same
    binned = found.assign(share=pd.cut(found["share"], BINS).astype(str))
    groups = pd.concat([binned, binned.assign(rule="all")]).groupby(["rule", "share"], sort=False)["gain"]
    found_of = groups.agg(outputs="size", mean="mean", median="median", better=lambda gain: (gain > 0).mean())
    table = pd.DataFrame(found_of).round(3).reset_index().sort_values(["rule", "share"])
    table.to_csv(REFERENCE / "overfitting" / "averages.csv", index=False, lineterminator="\n")
    print(table.to_string(index=False))
    print(f"gain in the mean of {len(found)} outputs, with the average up to a share (UNSETTLED is {UNSETTLED}):")
    for share in BINS[1:-1]:
        print(f"  {share:5.3f}  {np.where(found['share'] <= share, found['gain'], 0).mean():.3f} dB")


if __name__ == "__main__":
    main()
