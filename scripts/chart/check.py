"""Checks the chart, and that chart, rules, dashboard, papers and program speak of the same things.

Run by scripts/chart.sh, with the tools of scripts/chart-requirements.txt.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import agreement  # noqa: E402
import running  # noqa: E402
import rendering  # noqa: E402
from report import Report  # noqa: E402


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--promtool", required=True, help="the program")
    arguments.add_argument("--models", required=True, help="folder of the types of custom resources")
    given = arguments.parse_args()

    report = Report()
    renders = rendering.check(report, given.models)
    if report.faults:
        return report.end()
    agreement.check(report, renders, given.promtool)
    running.check(report, renders)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
