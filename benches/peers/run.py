#!/usr/bin/env python3
"""The race against the peers: netlab beside what is installed, in turn, and a Markdown table of the ratios.

Installs nothing: a peer that is missing is skipped with a line on stderr. Every run is bounded, and only
processes that were started here are ended. Python's standard library alone; Linux (it reads /proc).
`races.py` says what is compared; README.md beside this file says how to read it.
"""

import argparse
import datetime
import os
import platform
import signal
import statistics
import sys

import processes
import races

HEAD = ("load", "peer", "figure", "netlab", "peer's", "netlab / peer (median, range)")


def main():
    # A plain kill ends like Ctrl-C: with the servers that were started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    args = arguments()
    chosen = [race for race in races.ALL if not args.only or set(args.only) & {race.name, race.peer}]
    if args.list:
        print("\n".join(f"{race.name}  {race.load}, against {race.peer}" for race in chosen))
        return 0
    if not os.access(args.netlab, os.X_OK):
        note(f"no netlab at {args.netlab}: build it (cargo build --release), or pass --netlab PATH")
        return 2
    if not chosen:
        note("nothing has such a name: --list shows what there is")
        return 2
    print(f"{machine()}\n\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    failed = False
    for race in chosen:
        if (missing := race.missing()) is not None:
            note(f"{race.name} is skipped: {missing} is not installed")
            continue
        try:
            pairs = [pair(race, args, number) for number in range(args.pairs)]
        except (RuntimeError, OSError) as error:
            note(f"{race.name} failed: {error}")
            failed = True
            continue
        for figure in pairs[0][0]:
            print(row(race, figure, pairs), flush=True)
    return 1 if failed else 0


def arguments():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--netlab", default=os.path.join(root, "target", "release", "netlab"), metavar="PATH")
    parser.add_argument("--only", action="append", metavar="NAME", help="a race or a peer of --list; repeats")
    parser.add_argument("--pairs", type=positive(int), default=9, metavar="N", help="runs of each side (9)")
    parser.add_argument("--secs", type=positive(float), default=1.0, metavar="S",
                        help="length of a run (1); sockperf and iperf3 count whole seconds")
    parser.add_argument("--list", action="store_true", help="print the races and end")
    return parser.parse_args()


def positive(kind):
    def parse(text):
        value = kind(text)
        if not 0 < value <= 1000:
            raise argparse.ArgumentTypeError("between 0 and 1000")
        return value

    return parse


def pair(race, args, number):
    """Both sides once, next to each other in time; who begins alternates. netlab's figures come first."""
    note(f"{race.name}: pair {number + 1} of {args.pairs}")
    sides = [lambda: race.netlab(args.netlab, args.secs), lambda: race.other(args.netlab, args.secs)]
    if number % 2 == 0:
        return [side() for side in sides]
    return [side() for side in reversed(sides)][::-1]


def row(race, figure, pairs):
    ours, theirs = ([side[figure] for side in sides] for sides in zip(*pairs))
    ratios = [a / b for a, b in zip(ours, theirs)]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    cells = (race.load, race.peer, figure, number(ours), number(theirs), spread)
    return f"| {' | '.join(cells)} |"


def number(values):
    value = statistics.median(values)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def machine():
    model = "unknown processor"
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    count = len(os.sched_getaffinity(0))
    server, generator = processes.cores()
    pins = "server and generator on one core" if server is None else "server and generator on a core each"
    return (f"{datetime.date.today()}, {model}, {count} {'core' if count == 1 else 'cores'}, "
            f"{platform.system()} {platform.release()}; loopback, {pins}.")


def note(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the table has seen enough. Python would complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
