"""How a store is made of a corpus: all that decides what its windows are, beside the raw files."""

from pydantic import BaseModel, ConfigDict, Field

from emod_model.signal.spec import SignalSpec


class Recipe(BaseModel):
    """What is done to a corpus; two stores of one recipe and the same raw files are the same.

    Windows of a length and hop of one's own have them in `signal.window_s` and `hop_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corpus: str = Field(min_length=1, description="name of the corpus")
    signal: SignalSpec = Field(
        SignalSpec(), description="conditioning and windows, as the model gets them live"
    )
    hop_s: float = Field(gt=0, allow_inf_nan=False, description="time between windows, s")
    vocabulary: str = Field("", description="name and fingerprint of where the labels lie; set by the corpus")
    ica: bool = Field(False, description="eyes, muscle and heart taken out before conditioning")
