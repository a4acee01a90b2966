"""The one family of errors a user meets: one sentence, the offending value, what to do."""


class EmodError(Exception):
    """Base of every expected error; the command line prints it and ends with `exit_code`."""

    exit_code = 1


class UsageError(EmodError):
    """An option or argument that cannot be carried out."""

    exit_code = 2


class InputFileError(EmodError):
    """A file that is missing, damaged, or does not hold EEG."""

    exit_code = 3


class SourceError(EmodError):
    """A live source that was not found or was lost."""

    exit_code = 4


class ModelError(EmodError):
    """A model file that is damaged or does not fit the signal."""

    exit_code = 5
