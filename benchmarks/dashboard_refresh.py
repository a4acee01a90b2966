"""Milliseconds that one refresh of the dashboard takes, drawing included.

Run `QT_QPA_PLATFORM=offscreen python benchmarks/dashboard_refresh.py`. A refresh at 20 Hz has 50 ms.
"""

import json
import time

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from emod_model.signal.quality import ChannelQuality
from emod_rt.estimate import Estimate
from emod_rt.view import View
from gui.dashboard import Dashboard

SFREQ, TRACE_SFREQ, HOP = 250.0, 125.0, 125
REFRESHES, STEP = 200, 6  # samples that come in between two refreshes at 20 Hz


def make_view(channels: int, signal: np.ndarray, end: int) -> View:
    """Return a session after two minutes whose traces end at conditioned sample `end` of `signal`."""
    elapsed = 120.0 + end / TRACE_SFREQ
    newest = int(elapsed * SFREQ) // HOP
    estimates = tuple(
        Estimate(
            k * HOP / SFREQ, k * HOP - 1, float(np.sin(k / 20)), float(np.cos(k / 31)), 0.2, 0.3, None, 20.0
        )
        for k in range(newest - 239, newest + 1)
    )
    return View(
        state="running",
        message=None,
        source="sim:1",
        source_simulated=True,
        sfreq=SFREQ,
        channels=tuple(f"E{number}" for number in range(channels)),
        model="benchmark",
        model_simulated=True,
        elapsed_s=elapsed,
        samples=int(elapsed * SFREQ),
        lost=0,
        windows=newest,
        valid=newest,
        skipped=0,
        latency_ms=(20.0, 40.0),
        estimates=estimates,
        quality=(ChannelQuality(True, 1.0, None),) * channels,
        band_power_db=np.full((channels, 5), 10.0) + newest % 5,
        traces=signal[:, end : end + round(10 * TRACE_SFREQ)],
        trace_sfreq=TRACE_SFREQ,
        trace_end=end + round(10 * TRACE_SFREQ),
    )


def measure(channels: int, size: tuple[int, int]) -> dict[str, float]:
    rng = np.random.default_rng(0)
    length = REFRESHES * STEP + round(10 * TRACE_SFREQ)
    signal = (15 * rng.standard_normal((channels, length))).astype(np.float32)
    views = [make_view(channels, signal, step * STEP) for step in range(REFRESHES)]
    window = Dashboard()
    window.resize(*size)
    window.show()
    QCoreApplication.processEvents()
    taken, worked = [], []
    for view in views:
        start, start_cpu = time.perf_counter(), time.process_time()
        window.show_view(view)
        QCoreApplication.processEvents()
        taken.append(1e3 * (time.perf_counter() - start))
        worked.append(1e3 * (time.process_time() - start_cpu))
    window.close()
    p50, p99 = np.percentile(taken[5:], [50, 99])
    return {
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "cpu_ms": round(float(np.mean(worked[5:])), 1),
    }


def main() -> None:
    application = QApplication.instance() or QApplication(["benchmark"])
    print("| channels | window | p50 ms | p99 ms | processor ms |\n| --- | --- | --- | --- | --- |")
    results = []
    for size in ((1280, 800), (1920, 1080)):
        for channels in (8, 32, 64):
            figures = measure(channels, size)
            results.append({"channels": channels, "width": size[0], "height": size[1], **figures})
            print(f"| {channels} | {size[0]}x{size[1]} | " + " | ".join(map(str, figures.values())) + " |")
    print(json.dumps({"benchmark": "dashboard_refresh", "refreshes": REFRESHES, "results": results}))
    del application


if __name__ == "__main__":
    main()
