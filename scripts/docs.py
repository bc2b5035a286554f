"""Keeps the documentation true: runs what it says, compares what it shows, follows its links.

    python3 scripts/docs.py links FILE...
    python3 scripts/docs.py run PROGRAM FILE...

In a Markdown file, the fenced blocks whose first line is one of these count:

    ```sh run               runs in bash; the blocks of a file run one after the other in one shell,
                            in an empty folder, with `entente` on the PATH
    ```sh run background    the same, but goes on in the background: a server; the next block waits
                            until something listens
    ```text output          what the block before it prints: `…` stands for anything within a line,
                            and alone on a line for any number of lines; blank ends do not count

127.0.0.1:50051, and likewise 50052 to 50059, are replaced by free ports. A server that is not told
where to listen listens on the first.
"""

import dataclasses
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse

# Where the pages say that servers listen; the first is the program's default.
ADDRESS = re.compile(r"(?<=127\.0\.0\.1:)5005[1-9]\b")
DEFAULT_PORT = "50051"
# What all blocks of a file may take together.
SECONDS_A_FILE = 120
MARK = "\x1e"
FENCE = re.compile(r"^(`{3,})(.*)$")
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


@dataclasses.dataclass
class Block:
    """A fenced block: its info string, its text, and the number of its first line."""

    info: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text."""
    found, inside = [], None
    for number, line in enumerate(text.split("\n"), 1):
        fence = FENCE.match(line)
        if inside is None and fence:
            inside = (fence.group(1), Block(fence.group(2).strip(), "", number))
        elif inside and fence and fence.group(1) == inside[0] and not fence.group(2).strip():
            found.append(inside[1])
            inside = None
        elif inside:
            inside[1].text += line + "\n"
    return found


def without_blocks(text: str) -> str:
    """Return a Markdown text without its fenced blocks and its code."""
    kept, inside = [], ""
    for line in text.split("\n"):
        fence = FENCE.match(line)
        if fence:
            inside = "" if inside == fence.group(1) else inside or fence.group(1)
        elif not inside:
            kept.append(re.sub(r"`[^`]*`", "", line))
    return "\n".join(kept)


def anchors(text: str) -> list[str]:
    """Return where the headings of a Markdown text can be reached."""
    inside, found = False, []
    for line in text.split("\n"):
        if FENCE.match(line):
            inside = not inside
        heading = re.match(r"#{1,6} (.*)", line)
        if heading and not inside:
            slug = re.sub(r"[^\w -]", "", heading.group(1).strip().lower()).replace(" ", "-")
            found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return found


def check_links(files: list[pathlib.Path]) -> int:
    """Follow the relative links of the files; returns how many lead nowhere."""
    broken = 0
    for file in files:
        for link in LINK.findall(without_blocks(file.read_text(encoding="utf-8"))):
            if re.match(r"[a-z][a-z+.-]*:", link):
                continue
            path, _, anchor = urllib.parse.unquote(link).partition("#")
            target = (file.parent / path).resolve() if path else file
            fine = target.exists()
            if fine and anchor and target.suffix == ".md":
                fine = anchor in anchors(target.read_text(encoding="utf-8"))
            if not fine:
                broken += 1
                print(f"error: {file}: the link {link} leads nowhere", file=sys.stderr)
    return broken


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def script(found: list[Block], ports: dict[str, int]) -> str:
    """Return one bash script of all blocks that are to run, with marks between them."""
    lines = ["set -euo pipefail", "exec 2>&1"]
    for index, block in enumerate(found):
        words = block.info.split()
        if words[:2] != ["sh", "run"]:
            continue
        text = ADDRESS.sub(lambda match: str(ports[match.group()]), block.text)
        lines.append(f"printf '{MARK}{index}\\n'")
        if "background" in words:
            named = ADDRESS.search(block.text)
            port = ports[named.group() if named else DEFAULT_PORT]
            listens = f"(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null"
            lines += [f"{{\n{text}}} >>server.log 2>&1 &"]
            lines += [f"for _ in {{1..300}}; do {listens} && break; sleep 0.1; done"]
        else:
            lines.append(text)
    return "\n".join([*lines, f"printf '{MARK}end\\n'"])


def matches(expected: str, actual: str) -> bool:
    """Whether a text is what a block says, where `…` stands for anything."""
    pattern = ""
    for line in expected.strip().split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n"
    text = "".join(line.rstrip() + "\n" for line in actual.strip().split("\n"))
    return re.fullmatch(pattern, text) is not None


def run(program: pathlib.Path, file: pathlib.Path) -> tuple[int, int]:
    """Run the blocks of a file; returns how many blocks are as they should be, and how many not."""
    found = blocks(file.read_text(encoding="utf-8"))
    if not any(block.info.startswith("sh run") for block in found):
        return 0, 0
    named = {DEFAULT_PORT, *ADDRESS.findall("".join(block.text for block in found))}
    ports = {name: free_port() for name in named}
    with tempfile.TemporaryDirectory() as room:
        (pathlib.Path(room) / "bin").mkdir()
        (pathlib.Path(room) / "work").mkdir()
        (pathlib.Path(room) / "bin" / "entente").symlink_to(program.resolve())
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ENTENTE_")}
        environment |= {
            "PATH": f"{room}/bin:{environment['PATH']}",
            "ENTENTE_LISTEN": f"127.0.0.1:{ports[DEFAULT_PORT]}",
        }
        # A session of its own, so that what goes on in the background can be ended with it.
        process = subprocess.Popen(
            ["bash", "-c", script(found, ports)],
            cwd=f"{room}/work",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output = read_to_end(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log = pathlib.Path(room) / "work" / "server.log"
        return judge(file, found, output, log.read_text() if log.exists() else "")


def read_to_end(process: subprocess.Popen) -> str:
    """Return what a script prints up to its last mark, its end, or the end of its time."""
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    signal.alarm(SECONDS_A_FILE)
    output = ""
    for line in process.stdout:
        output += line
        if line == f"{MARK}end\n":
            break
    signal.alarm(0)
    return output


def judge(file: pathlib.Path, found: list[Block], output: str, log: str) -> tuple[int, int]:
    """Compare what was printed with what the file shows."""
    passed = failed = 0
    printed = {}
    for part in output.split(MARK)[1:]:
        index, _, text = part.partition("\n")
        printed[index] = text
    last = None
    for index, block in enumerate(found):
        words = block.info.split()
        if words[:2] == ["sh", "run"]:
            last = index
            following = [str(i) for i in range(index + 1, len(found))] + ["end"]
            # What ran to its end is followed by a mark.
            if str(index) in printed and any(each in printed for each in following):
                passed += 1
            else:
                failed += 1
                text = printed.get(str(index), "it was not reached")
                print(f"error: {file}:{block.line}: failed:\n{text}{log}", file=sys.stderr)
                break
        elif words[:2] == ["text", "output"]:
            actual = printed.get(str(last), "")
            if matches(block.text, actual):
                passed += 1
            else:
                failed += 1
                print(
                    f"error: {file}:{block.line}: it shows\n{block.text}but there is\n{actual}",
                    file=sys.stderr,
                )
    return passed, failed


def main() -> None:
    """Do what the arguments say."""
    if sys.argv[1] == "links":
        sys.exit(1 if check_links([pathlib.Path(name) for name in sys.argv[2:]]) else 0)
    passed = failed = 0
    for name in sys.argv[3:]:
        right, wrong = run(pathlib.Path(sys.argv[2]), pathlib.Path(name))
        if right or wrong:
            print(f"{name}: {right} blocks are as it says, {wrong} are not", flush=True)
        passed, failed = passed + right, failed + wrong
    print(f"docs: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
