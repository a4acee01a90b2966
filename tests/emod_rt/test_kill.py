"""Real recorders that are killed leave whole files (200 of them: benchmarks/kill_soak.py)."""

import json
import subprocess
import sys

from tests.conftest import ROOT


def test_recorders_killed_under_load_leave_whole_files_that_lack_less_than_a_second():
    words = [sys.executable, str(ROOT / "benchmarks" / "kill_soak.py"), "--kills", "3"]
    done = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, timeout=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["opens_after_recover"] == found["values_exact"] == found["markers_exact"] == 3
    assert found["with_markers"] == 3
    assert found["mark_off_samples_max"] < 1
    assert found["lack_s_max"] < 1
