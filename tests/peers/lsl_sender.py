"""A sender of EEG and markers in a process of its own, to be killed, stopped and started again.

Each sample's value is its own number, on every channel; the stamps sit on a grid that begins when the program
does. Every `--mark` samples a marker is sent with the stamp of its sample. It speaks until it is killed.

    python tests/peers/lsl_sender.py NAME [--source-id ID] [--rate HZ] [--labels Fp1,C3] [--mark N] [--from N]
"""

import argparse
import time

import pylsl

CHUNK_S = 0.02


def stream(options: argparse.Namespace) -> pylsl.StreamOutlet:
    labels = options.labels.split(",")
    info = pylsl.StreamInfo(options.name, "EEG", len(labels), options.rate, "float32", options.source_id)
    channels = info.desc().append_child("channels")
    for label in labels:
        channel = channels.append_child("channel")
        for key, value in (("label", label), ("unit", "microvolts"), ("type", "EEG")):
            channel.append_child_value(key, value)
    return pylsl.StreamOutlet(info)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--source-id", default="")
    parser.add_argument("--rate", type=float, default=250.0)
    parser.add_argument("--labels", default="Fp1,Fp2,C3,C4")
    parser.add_argument("--mark", type=int, default=0)
    parser.add_argument("--from", dest="first", type=int, default=0)
    options = parser.parse_args()
    width = len(options.labels.split(","))
    markers = None
    if options.mark:
        name = f"{options.name}-markers"
        markers = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, "string", name))
    outlet = stream(options)
    begin, sent = pylsl.local_clock(), 0
    print(f"{begin:.9f}", flush=True)
    while True:
        due = int((pylsl.local_clock() - begin) * options.rate)
        if due > sent:
            numbers = range(options.first + sent, options.first + due)
            stamps = [begin + n / options.rate for n in range(sent, due)]
            outlet.push_chunk([[float(n)] * width for n in numbers], stamps)
            for number, stamp in zip(numbers, stamps, strict=True):
                if markers is not None and number % options.mark == 0:
                    markers.push_sample([str(number)], stamp)
            sent = due
        time.sleep(CHUNK_S)


if __name__ == "__main__":
    main()
