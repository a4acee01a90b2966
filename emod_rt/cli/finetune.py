"""`emod-rt finetune`: classes, valence and arousal, or both, from one corpus."""

from functools import partial

from emod_rt.cli.training import Resume, Settings, carry_out


def finetune(config: Settings, resume: Resume = False) -> None:
    """Fine-tune on the store of one corpus, and keep what validates best."""
    from emod_model.finetuning.config import read_finetuning
    from emod_model.finetuning.run import finetune as run

    carry_out("finetune", config, partial(run, read_finetuning(config)), resume)
