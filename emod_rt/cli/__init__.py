"""The command line `emod-rt`: thin, every import inside the command that needs it."""
