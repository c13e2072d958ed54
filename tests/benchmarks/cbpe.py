"""NannyML's own estimates on a reference and a stream; runs in an environment of its own that has it.

    OTHER/bin/python tests/benchmarks/cbpe.py REFERENCE STREAM CHUNK

Prints one JSON object: its version, and estimated and realized values by metric, a chunk each.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from importlib.metadata import version

LABEL, SCORE, DECISION = "work_home_actual", "y_pred_proba", "y_pred"
NAMES = ("roc_auc", "f1")


def main() -> None:
    """Fit on the reference, estimate the stream."""
    warnings.simplefilter("ignore")
    os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}  # nothing is sent anywhere
    import nannyml
    import pandas as pd

    reference, stream = (pd.read_csv(path) for path in sys.argv[1:3])
    made = nannyml.CBPE(
        y_true=LABEL,
        y_pred_proba=SCORE,
        y_pred=DECISION,
        problem_type="classification_binary",
        metrics=list(NAMES),
        chunk_size=int(sys.argv[3]),
    )
    table = made.fit(reference).estimate(stream).filter(period="analysis").to_df()
    found = {
        name: {kind: [float(x) for x in table[(name, kind)]] for kind in ("value", "realized")}
        for name in NAMES
    }
    sys.stdout.write(json.dumps({"version": version("nannyml"), **found}))


if __name__ == "__main__":
    main()
