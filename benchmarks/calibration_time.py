"""How long the fit of a calibration takes: eight trials of 45 s of a simulated person, windows as live.

Methods (a) and (b) are rest and ridge, (c) and (d) the adapters; each is fitted, chosen and judged with 99
shufflings, as `emod-rt calibrate` does it.

    python benchmarks/calibration_time.py
"""

import json
import os
import statistics
import time

from emod_model.calibration.fit import calibrate
from emod_model.checkpoint import load_checkpoint, simulated_checkpoint
from emod_model.montage import CYTON
from emod_model.training.people import SPLITS
from emod_model.training.sessions import Plan, sit_through

REPEATS = 3


def main() -> None:
    model = load_checkpoint(simulated_checkpoint())
    session = sit_through(SPLITS["development"] + 500, CYTON, model, Plan(), hop_s=model.spec.hop_s)
    print(f"load before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    print("| methods | wall, median s | CPU, median s |\n| --- | --- | --- |")
    wall, cpu = {}, {}
    for name, rich in (("(a), (b)", False), ("(a) to (d)", True)):
        walls, cpus = [], []
        for _ in range(REPEATS):
            start, used = time.perf_counter(), time.process_time()
            calibrate(session, model.info.centred, rich=rich)
            walls.append(time.perf_counter() - start)
            cpus.append(time.process_time() - used)
        wall[name], cpu[name] = statistics.median(walls), statistics.median(cpus)
        print(f"| {name} | {wall[name]:.1f} | {cpu[name]:.1f} |")
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
