"""What a model was trained on, and so what it must get live."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

N_SPECTRUM_BINS = 45


class SignalSpec(BaseModel):
    """Signal specification that every checkpoint carries (rule 3 of the house).

    The defaults are the product's own. 125 Hz is the slowest rate a supported headset has
    (Cyton with Daisy), so no signal is ever upsampled, and makes a token exactly 25 samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sfreq: float = Field(125.0, gt=0, description="rate of the conditioned signal, Hz")
    band_hz: tuple[float, float] = Field((1.0, 45.0), description="Butterworth band-pass edges (-3 dB), Hz")
    filter_order: int = Field(2, ge=1, le=8, description="order of the band-pass prototype")
    notch_hz: tuple[float, ...] = Field((50.0, 60.0), description="mains frequencies removed, Hz")
    notch_q: float = Field(20.0, gt=0, description="quality factor of each notch")
    reference: Literal["average"] = Field("average", description="mean of the good channels")
    scale_uv: float = Field(20.0, gt=0, description="microvolts that become 1 in the temporal branch")
    window_s: float = Field(3.0, gt=0, le=10, description="window length, s")
    hop_s: float = Field(0.5, gt=0, description="default time between estimates, s")
    settle_s: float = Field(1.5, ge=0, description="filtered signal not used after a start or a hole, s")
    tokens_per_s: int = Field(5, ge=1, description="time tokens a second")
    spectrum: Literal["log-power", "real-part"] = Field(
        "log-power", description="spectral branch: fixed grid in Hz, or the published real-part spectrum"
    )
    electrode_rows: Literal["modern", "published"] = Field(
        "modern", description="T3 to T6 stand for T7 to P8, or have rows of their own as in released weights"
    )

    @property
    def window_samples(self) -> int:
        """Samples of one conditioned window."""
        return round(self.window_s * self.sfreq)

    @property
    def window_tokens(self) -> int:
        """Time tokens of one window: the published network counts whole seconds alone."""
        seconds = int(self.window_s) if self.spectrum == "real-part" else self.window_s
        return round(seconds * self.tokens_per_s)
