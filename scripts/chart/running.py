"""With a program that was built, the chart's settings and its test are tried for real."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import invariants
from report import CHART, ROOT, Report

# How long a server may take to be there, in seconds.
START_SECONDS = 20


def check(report: Report, renders: list) -> None:
    report.section("the program takes what the chart makes")
    program = _program()
    if program is None:
        report.say("not tried: there is no target/debug/entente or target/release/entente")
        return
    _check_settings(report, renders, program)
    if shutil.which("curl"):
        _check_test(report, program)
    else:
        report.say("the script of `helm test` was not tried: curl is missing")


def _program() -> Path | None:
    """The one that is named, or else the one built last."""
    if named := os.environ.get("ENTENTE_PROGRAM"):
        return Path(named)
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [file for file in (folder / "debug/entente", folder / "release/entente") if file.exists()]
    return max(built, key=lambda file: file.stat().st_mtime, default=None)


def _check_settings(report: Report, renders: list, program: Path) -> None:
    """The server reads every file of settings that was rendered, and would use just that."""
    for render in renders:
        texts = [each["data"]["entente.toml"] for each in render.of("ConfigMap") if "entente.toml" in each["data"]]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "entente.toml"
            file.write_text(texts[0])
            command = [program, "serve", "--config", file, "--print-config"]
            environment = {"ENTENTE_DATABASE_URL": "postgres://entente:tiger@db/entente"}
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            report.fault(f"{render.name}: the program refuses its settings (or was built long ago): {ran.stderr.strip()}")
            continue
        report.expect("tiger" not in ran.stdout, f"{render.name}: --print-config shows a password")
        for name in invariants.settings(render):
            report.expect(name in ran.stdout, f"{render.name}: the program does not show {name}")
    report.say(f"{len(renders)} files of settings are read")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _check_test(report: Report, program: Path) -> None:
    """The script that `helm test` runs, against a server without Kubernetes; and that it can fail."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite://{folder}/entente.db"
        environment = {"ENTENTE_DATABASE_URL": database, "PATH": os.environ["PATH"]}
        key = subprocess.run(
            [program, "keys", "create", "--firm", "acme"], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        server = subprocess.Popen(
            [program, "serve", "--listen", f"127.0.0.1:{port}"], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            _wait(port, environment)
            with_key = _run_test(port, environment | {"API_KEY": key})
            report.expect(with_key.returncode == 0, f"`helm test` fails: {with_key.stdout}{with_key.stderr}")
            report.expect("signed in" in with_key.stdout, f"`helm test` did not sign in: {with_key.stdout}")
            wrong = _run_test(port, environment | {"API_KEY": f"{key}x"})
            report.expect(wrong.returncode != 0, "`helm test` passes with a wrong key")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=START_SECONDS + invariants.DRAIN_SECONDS)
        gone = _run_test(port, environment)
        report.expect(gone.returncode != 0, "`helm test` passes without a server")
    lines = re.findall(r"^ok: [^;\n]*", with_key.stdout, re.MULTILINE)
    report.say("`helm test`, run here without Kubernetes: " + "; ".join(line[4:] for line in lines))


def _run_test(port: int, environment: dict) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["/bin/sh", CHART / "files/test.sh"],
        env=environment | {"SERVER": f"http://127.0.0.1:{port}"},
        capture_output=True,
        text=True,
        check=False,
    )


def _wait(port: int, environment: dict) -> None:
    """Until the server serves, which is a moment after it listens; a pod is ready only then, too."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and _run_test(port, environment).returncode != 0:
        time.sleep(0.1)
