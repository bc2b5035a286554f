"""What was checked, and what is wrong."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "entente"


class Report:
    """Collects faults; all of them are told, not the first one alone."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def section(self, title: str) -> None:
        print(f"\n== {title}", flush=True)

    def say(self, line: str) -> None:
        print(line, flush=True)

    def fault(self, line: str) -> None:
        self.faults.append(line)
        print(f"FAULT: {line}", flush=True)

    def expect(self, holds: bool, line: str) -> None:
        if not holds:
            self.fault(line)

    def end(self) -> int:
        if self.faults:
            print(f"\n{len(self.faults)} faults in what is deployed", flush=True)
            return 1
        return 0
