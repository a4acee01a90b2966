"""The command line `emod-rt`: thin, every heavy import inside the command that needs it."""

import sys

import typer

from emod_model.errors import EmodError
from emod_rt.cli import (
    calibrate,
    demo,
    devices,
    doctor,
    evaluate,
    export,
    export_recording,
    finetune,
    import_weights,
    model,
    prepare,
    pretrain,
    process,
    profile,
    record,
    recover,
    replay,
    run,
)

app = typer.Typer(
    name="emod-rt",
    help="Real-time valence and arousal from EEG.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(devices.devices)
app.command()(run.run)
app.command()(record.record)
app.command()(replay.replay)
app.command()(process.process)
app.command("export-recording")(export_recording.export_recording)
app.command()(recover.recover)
app.command()(calibrate.calibrate)
app.command()(export.export)
app.command("import-weights")(import_weights.import_weights)
app.command()(prepare.prepare)
app.command()(pretrain.pretrain)
app.command()(finetune.finetune)
app.command()(evaluate.evaluate)
app.add_typer(model.app, name="model")
app.add_typer(profile.app, name="profile")
app.command()(demo.demo)
app.command()(doctor.doctor)


def main() -> None:
    """Run one command; expected errors become one sentence on standard error and their exit code."""
    try:
        app()
    except EmodError as error:
        sys.stderr.write(f"emod-rt: {error}\n")
        sys.exit(error.exit_code)
