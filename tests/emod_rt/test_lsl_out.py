"""The affect stream as others read it."""

import time

import numpy as np
import pytest

from emod_rt import liblsl
from emod_rt.estimate import AFFECT_CHANNELS, Estimate
from emod_rt.sinks.lsl_out import AffectOutlet
from emod_rt.sources.base import StreamInfo
from tests.emod_rt.lsl_help import unique, until

SOURCE = StreamInfo("lsl:Cyton", 250.0, ("Fp1", "Fp2"))


def estimate(t, valid=True):
    if valid:
        return Estimate(t, 100, 0.25, -0.5, 0.125, 0.375, None, 1.0)
    return Estimate(t, 100, None, None, None, None, "gap", 1.0)


def test_mne_lsl_reads_numbers_names_and_rate():
    mne_lsl = pytest.importorskip("mne_lsl")
    name = unique("affect")
    outlet = AffectOutlet(name, SOURCE, "small", True, 0.5, "abc123")
    stream = mne_lsl.stream.StreamLSL(bufsize=20, name=name)
    stream.connect(acquisition_delay=None, timeout=30)
    try:
        begin = liblsl.load().local_clock()
        for k in range(8):
            outlet.push(estimate(begin + 0.5 * k, valid=k != 3))
        until(lambda: stream.acquire() or stream.n_new_samples >= 8)
        data, times = stream.get_data()
        assert tuple(stream.ch_names) == AFFECT_CHANNELS
        assert stream.info["sfreq"] == 2.0
        assert stream.stype == "Affect"
        assert stream.sinfo.get_channel_units() == ["none"] * 4 + ["boolean"]
    finally:
        stream.disconnect()
    np.testing.assert_allclose(data[:4, -8], [0.25, -0.5, 0.125, 0.375])
    assert np.isnan(data[:4, -5]).all()
    np.testing.assert_array_equal(data[4, -8:], [1, 1, 1, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(times[-8:], begin + 0.5 * np.arange(8), rtol=0, atol=2e-3)


def test_the_description_says_which_model_and_whether_it_is_simulated():
    pylsl = liblsl.load()
    name = unique("described")
    outlet = AffectOutlet(name, SOURCE, "small", True, 0.5, "abc123")
    found = until(lambda: pylsl.resolve_byprop("name", name, 1, 0.2))
    description = pylsl.StreamInlet(found[0]).info(5.0)
    assert tuple(description.get_channel_labels()) == AFFECT_CHANNELS
    assert description.get_channel_types() == ["Affect"] * 5
    model = description.desc().child("model")
    assert [model.child_value(key) for key in ("name", "sha256", "simulated")] == ["small", "abc123", "true"]
    assert description.desc().child("acquisition").child_value("source") == "lsl:Cyton"
    assert description.desc().child_value("simulated") == "true"
    outlet.close()


def test_pushing_never_waits_for_readers_that_do_not_read():
    name = unique("slow")
    outlet = AffectOutlet(name, SOURCE, "small", False, 0.01)
    pylsl = liblsl.load()
    inlet = pylsl.StreamInlet(until(lambda: pylsl.resolve_byprop("name", name, 1, 0.2))[0], max_buflen=1)
    inlet.open_stream(5.0)
    began = time.monotonic()
    for k in range(20_000):
        outlet.push(estimate(float(k)))
    assert time.monotonic() - began < 2.0
    outlet.close()


def test_after_close_it_takes_no_more_and_does_not_mind():
    outlet = AffectOutlet(unique("closed"), SOURCE, "small", False, 0.5)
    outlet.close({})
    outlet.close()
    outlet.push(estimate(1.0))
