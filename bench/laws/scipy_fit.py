"""SciPy's L-BFGS-B on the points and starts of bench/laws/laws.ts: the same objective, with its analytic gradient.

  python bench/laws/scipy_fit.py POINTS.json     prints {"seconds", "cpuSeconds", "objective"}, the fit alone, imports and reading not counted
"""

import json
import pathlib
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[2] / "tools/golden"))
from laws import fit  # noqa: E402

points = json.loads(pathlib.Path(sys.argv[1]).read_text())
N, D, r, loss = (np.array([point[key] for point in points]) for key in ("modelSize", "tokens", "ratio", "loss"))
begin, cpu = time.perf_counter(), time.process_time()
_, objective = fit(N / 1e9, D / 1e9, r, loss)
print(json.dumps({"seconds": time.perf_counter() - begin, "cpuSeconds": time.process_time() - cpu, "objective": objective}))
