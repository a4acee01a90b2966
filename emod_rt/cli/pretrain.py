"""`emod-rt pretrain`: a backbone from many corpora."""

from functools import partial

from emod_rt.cli.training import Resume, Settings, carry_out


def pretrain(config: Settings, resume: Resume = False) -> None:
    """Pretrain on the stores of many corpora; torchrun spreads it over GPUs and machines."""
    from emod_model.pretraining.config import read_pretraining
    from emod_model.pretraining.run import pretrain as run

    carry_out("pretrain", config, partial(run, read_pretraining(config)), resume)
