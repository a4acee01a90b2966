"""Sources: a device, an LSL stream, a file, a simulated person, behind one interface."""
