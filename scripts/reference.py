"""Writes the reference as Markdown: a page for each service, what they share, all errors, and the
types of journal entries.

    python3 scripts/reference.py IMAGE SOURCE FOLDER

IMAGE is what `buf build -o image.json` makes of proto/; SOURCE is src/domain, whose `events!` name
the types of entries; FOLDER is emptied first. Run it by `make reference`. Needs nothing but Python.
"""

import collections
import json
import pathlib
import re
import sys

PACKAGE = ".entente.v1."
# What a page says of a field that is the same everywhere, with a link to where it is told in full.
COMMON = {
    "request_id": "Makes a retry safe",
    "origin": "The system that makes this change",
    "etag": "Nothing happens unless it is still current",
    "page_size": "The most results to return",
    "page_token": "Where to go on",
    "next_page_token": "Where the next page begins",
    "validate_only": "Check, and change nothing",
}
# Numbers of the fields that lead to a part of a file (see descriptor.proto).
MESSAGE, ENUM, SERVICE, FIELD, VALUE, METHOD, NESTED, NESTED_ENUM = 4, 5, 6, 2, 2, 2, 3, 4
SHARED, ERRORS, ENTRIES = "shared.md", "errors.md", "entries.md"
# One event in `events!`: its comment, its type and its version.
EVENT = re.compile(r'((?:^ *///.*\n)+) *\w+\([^()]*\) = "([a-z_]+\.[a-z_]+)", (\d+);', re.MULTILINE)
REASON_PREFIX = "ERROR_REASON_"
NOTE = "<!-- Made by `make reference` from proto/entente/v1: change that, not this. -->\n\n"


class Contract:
    """All messages, enums and services of the package, with their comments."""

    def __init__(self, image: dict) -> None:
        self.messages: dict[str, dict] = {}
        self.enums: dict[str, dict] = {}
        self.services: dict[str, dict] = {}
        for file in image["file"]:
            if file.get("package") != "entente.v1":
                continue
            comments = {
                tuple(place.get("path", [])): place["leadingComments"]
                for place in file.get("sourceCodeInfo", {}).get("location", [])
                if place.get("leadingComments")
            }
            self._messages(file.get("messageType", []), (MESSAGE,), PACKAGE, comments)
            self._enums(file.get("enumType", []), (ENUM,), PACKAGE, comments)
            for index, service in enumerate(file.get("service", [])):
                path = (SERVICE, index)
                service["text"] = comments.get(path, "")
                for number, method in enumerate(service["method"]):
                    method["text"] = comments.get((*path, METHOD, number), "")
                self.services[service["name"]] = service

    def _messages(self, messages: list, path: tuple, prefix: str, comments: dict) -> None:
        for index, message in enumerate(messages):
            here = (*path, index)
            name = prefix + message["name"]
            message["text"] = comments.get(here, "")
            for number, field in enumerate(message.get("field", [])):
                field["text"] = comments.get((*here, FIELD, number), "")
            self.messages[name] = message
            self._messages(message.get("nestedType", []), (*here, NESTED), name + ".", comments)
            self._enums(message.get("enumType", []), (*here, NESTED_ENUM), name + ".", comments)

    def _enums(self, enums: list, path: tuple, prefix: str, comments: dict) -> None:
        for index, enum in enumerate(enums):
            here = (*path, index)
            enum["text"] = comments.get(here, "")
            for number, value in enumerate(enum["value"]):
                value["text"] = comments.get((*here, VALUE, number), "")
            self.enums[prefix + enum["name"]] = enum

    def reached(self, service: dict) -> set[str]:
        """Return the names of all messages and enums that a service's RPCs lead to."""
        found: set[str] = set()
        waiting = [
            method[end] for method in service["method"] for end in ("inputType", "outputType")
        ]
        while waiting:
            name = waiting.pop()
            if name in found or name not in self.messages and name not in self.enums:
                continue
            found.add(name)
            fields = self.messages.get(name, {}).get("field", [])
            waiting += [field["typeName"] for field in fields if "typeName" in field]
        return found


class Reference:
    """The pages of the reference."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.page_of: dict[str, str] = {}
        uses = collections.defaultdict(list)
        for name in sorted(contract.services):
            for reached in contract.reached(contract.services[name]):
                uses[reached].append(page(name))
        for name, pages in uses.items():
            self.page_of[name] = pages[0] if len(pages) == 1 else SHARED
        values = contract.enums[PACKAGE + "ErrorReason"]["value"]
        self.reasons = {value["name"].removeprefix(REASON_PREFIX): value for value in values[1:]}

    def pages(self) -> dict[str, str]:
        """Return the text of each page by its file name."""
        result = {page(name): self.service(name) for name in self.contract.services}
        intro = (
            "# What several services share\n\nMessages and enums that more than one service uses.\n"
        )
        result[SHARED] = NOTE + intro + self.types(SHARED, set())
        result[ERRORS] = self.errors()
        result["README.md"] = self.index()
        return result

    def index(self) -> str:
        """Return the page that leads to the others, and what holds everywhere."""
        lines = [NOTE + "# Reference", ""]
        lines += [
            "Every service, call, field and error of the contract, by `make reference`. The same as an",
            "OpenAPI document: [openapi.json](../openapi.json). How to use it:",
            "[integrate.md](../integrate.md).",
            "",
            "| service | |",
            "| --- | --- |",
        ]
        for name, service in sorted(self.contract.services.items()):
            lines.append(f"| [{name}]({page(name)}) | {first_sentence(service['text'])} |")
        lines += [
            "",
            f"Beside them: [what they share]({SHARED}), [all errors]({ERRORS}), and the",
            f"[entries of the journal]({ENTRIES}).",
            "",
        ]
        lines += ["## Fields that are the same everywhere", ""]
        for name in COMMON:
            lines += [f"### {name}", "", self.common_text(name), ""]
        lines += ["## All calls", ""]
        for name, service in sorted(self.contract.services.items()):
            calls = [f"[{m['name']}]({page(name)}#{anchor(m['name'])})" for m in service["method"]]
            lines += [f"**{name}**: {', '.join(calls)}", ""]
        return "\n".join(lines).rstrip() + "\n"

    def common_text(self, field_name: str) -> str:
        """Return what most requests say of a common field."""
        texts = collections.Counter(
            prose(field["text"])
            for message in self.contract.messages.values()
            for field in message.get("field", [])
            if field["name"] == field_name
        )
        return texts.most_common(1)[0][0]

    def service(self, name: str) -> str:
        """Return the page of one service."""
        service = self.contract.services[name]
        here = page(name)
        lines = [NOTE + f"# {name}", "", self.linked(service["text"], here), ""]
        lines += ["| call | JSON | |", "| --- | --- | --- |"]
        for method in service["method"]:
            kind = http_bindings(method)
            way = f"`{kind[0][0]}`" if kind else "stream: gRPC only"
            says = first_sentence(method["text"])
            lines.append(f"| [{method['name']}](#{anchor(method['name'])}) | {way} | {says} |")
        inlined = set()
        for method in service["method"]:
            lines += ["", *self.method(method, here)]
            inlined.add(method["inputType"])
        return "\n".join(lines).rstrip() + "\n" + self.types(here, inlined)

    def method(self, method: dict, here: str) -> list[str]:
        """Return the section of one call, with the fields of its request."""
        lines = [f"## {method['name']}", "", self.linked(method["text"], here), ""]
        bindings = http_bindings(method)
        if bindings:
            body = bindings[0][1]
            what = {"*": "the request", "": "none"}.get(
                body, f"`{body}`; other fields in the query"
            )
            lines += ["```text", *[way for way, _ in bindings], "```", "", f"Body: {what}.", ""]
        request = self.contract.messages[method["inputType"]]
        lines += self.fields(request, here)
        stream = "A stream of " if method.get("serverStreaming") else "Returns "
        lines += [f"{stream}{self.link(method['outputType'], here)}."]
        return lines

    def types(self, here: str, left_out: set[str]) -> str:
        """Return the sections of all messages and enums whose place is this page."""
        names = sorted(name for name, where in self.page_of.items() if where == here)
        lines = []
        messages = [n for n in names if n in self.contract.messages and n not in left_out]
        for title, group, section in (
            ("Messages", messages, self.message),
            ("Enums", [n for n in names if n in self.contract.enums], self.enum),
        ):
            if group:
                lines += ["", f"## {title}"]
            for name in group:
                lines += ["", *section(name, here)]
        return "\n".join(lines).rstrip() + "\n" if lines else ""

    def message(self, name: str, here: str) -> list[str]:
        """Return the section of one message."""
        message = self.contract.messages[name]
        lines = [f"### {short(name)}", "", self.linked(message["text"], here), ""]
        resource = message.get("options", {}).get("[google.api.resource]")
        if resource:
            patterns = ", ".join(f"`{pattern}`" for pattern in resource["pattern"])
            lines += [f"Resource: {patterns}", ""]
        return lines + self.fields(message, here)[:-1]

    def fields(self, message: dict, here: str) -> list[str]:
        """Return the table of a message's fields."""
        fields = message.get("field", [])
        if not fields:
            return ["No fields.", ""]
        oneofs = message.get("oneofDecl", [])
        lines = ["| field | type | |", "| --- | --- | --- |"]
        for field in fields:
            marks = field.get("options", {}).get("[google.api.field_behavior]", [])
            said = {"REQUIRED": "**Required.** ", "INPUT_ONLY": "*Only in requests.* "}
            text = "".join(said.get(mark, "") for mark in marks)
            if "OUTPUT_ONLY" in marks and not any(f["name"] == "page_size" for f in fields):
                text += "*Set by the server.* "
            if "oneofIndex" in field and not field.get("proto3Optional"):
                text += f"*One of `{oneofs[field['oneofIndex']]['name']}`.* "
            common = field["name"] in COMMON and prose(field["text"]) == self.common_text(
                field["name"]
            )
            if common:
                text = f"{COMMON[field['name']]}: [more](README.md#{field['name']})."
            else:
                text += self.linked(field["text"], here)
            text = re.sub(r"\n+", "<br>", text).replace("|", "\\|")
            lines.append(f"| `{field['name']}` | {self.type_of(field, here)} | {text} |")
        return [*lines, ""]

    def enum(self, name: str, here: str) -> list[str]:
        """Return the section of one enum."""
        enum = self.contract.enums[name]
        lines = [f"### {short(name)}", "", self.linked(enum["text"], here), "", "| value | |"]
        lines.append("| --- | --- |")
        for value in enum["value"]:
            text = self.linked(value["text"], here).replace("\n", " ").replace("|", "\\|")
            lines.append(f"| `{value['name']}` | {text} |")
        return lines

    def errors(self) -> str:
        """Return the page of all reasons."""
        enum = self.contract.enums[PACKAGE + "ErrorReason"]
        lines = [NOTE + "# Errors", "", self.linked(enum["text"], ERRORS), ""]
        for name, value in sorted(self.reasons.items()):
            text, _, example = prose(value["text"]).partition("\n\nExample: ")
            lines += [f"### {name}", "", self.linked(text, ERRORS), "", "```json"]
            lines += [example.strip("`"), "```", ""]
        return "\n".join(lines).rstrip() + "\n"

    def type_of(self, field: dict, here: str) -> str:
        """Return the type of a field, with a link where it is ours."""
        if "typeName" in field:
            kind = self.link(field["typeName"], here)
        else:
            kind = field["type"].removeprefix("TYPE_").lower()
        return f"list of {kind}" if field["label"] == "LABEL_REPEATED" else kind

    def link(self, name: str, here: str) -> str:
        """Return a link to a message or an enum; of others than ours just the name."""
        if name not in self.page_of:
            return name.strip(".")
        where = self.page_of[name]
        # Requests have no section of their own: their fields are where their call is.
        return f"[{short(name)}]({'' if where == here else where}#{anchor(short(name))})"

    def linked(self, text: str, here: str) -> str:
        """Return a comment as Markdown, with a link for every reason of an error."""
        where = "" if here == ERRORS else ERRORS

        def reason(match: re.Match) -> str:
            word = match.group(0)
            return f"[{word}]({where}#{anchor(word)})" if word in self.reasons else word

        def outside_code(part: str) -> str:
            return re.sub(r"\b[A-Z][A-Z_]{3,}\b(?!\])", reason, part)

        # Only what follows `Errors:` is about reasons: some are also names of states.
        head, mark, tail = prose(text).partition("Errors: ")
        return head + mark + outside_code(tail)


def entries(source: pathlib.Path) -> str:
    """Return the page of the types of journal entries."""
    found = {}
    for file in sorted(source.rglob("*.rs")):
        for comment, name, version in EVENT.findall(file.read_text(encoding="utf-8")):
            lines = [line.strip().removeprefix("///") for line in comment.strip().split("\n")]
            text = re.sub(r"\[(`[^`]*`)\]", r"\1", prose("\n".join(lines)))
            found[name] = (text.replace("\n\n", "<br>").replace("|", "\\|"), version)
    lines = [
        NOTE.replace("proto/entente/v1", "src/domain") + "# Entries of the journal",
        "",
        "The `type` of an entry says what happened; `type_version` is the version of its `payload`, which",
        "is JSON. A form never changes under its version. Instants are microseconds since",
        "1970-01-01T00:00:00Z, sealed values are commitments. What an entry makes of a record is better",
        "read from the record: see [integrate.md](../integrate.md#following-what-happens).",
    ]
    kinds: dict[str, list[str]] = {}
    for name, (text, version) in sorted(found.items()):
        row = f"| `{name}` | {version} | {text} |"
        kinds.setdefault(name.partition(".")[0], []).append(row)
    for kind, rows in kinds.items():
        lines += ["", f"## {kind}", "", "| type | version | |", "| --- | --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def prose(comment: str) -> str:
    """Return a comment with its paragraphs on one line each."""
    lines = [line.strip() for line in comment.strip().split("\n")]
    paragraphs = re.split(r"\n\n+", "\n".join(lines))
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def first_sentence(comment: str) -> str:
    """Return what a comment says first."""
    return re.split(r"(?<=\.)\s", prose(comment), maxsplit=1)[0].replace("|", "\\|")


def http_bindings(method: dict) -> list[tuple[str, str]]:
    """Return the ways to make a call by JSON: verb with path, and what the body is."""
    rule = method.get("options", {}).get("[google.api.http]")
    if not rule:
        return []
    bindings = []
    for each in [rule, *rule.get("additionalBindings", [])]:
        verb = next(verb for verb in ("get", "put", "post", "delete", "patch") if verb in each)
        bindings.append((f"{verb.upper()} {each[verb]}", each.get("body", "")))
    return bindings


def page(service: str) -> str:
    """Return the file of a service's page: `SlaService` is on `sla.md`."""
    return service.removesuffix("Service").lower() + ".md"


def short(name: str) -> str:
    """Return the name of a message or an enum within the package."""
    return name.removeprefix(PACKAGE)


def anchor(heading: str) -> str:
    """Return where a heading is on its page."""
    return re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    """Read the image, write the pages."""
    image, source, folder = sys.argv[1:]
    with open(image, encoding="utf-8") as file:
        contract = Contract(json.load(file))
    target = pathlib.Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.md"):
        old.unlink()
    pages = Reference(contract).pages() | {ENTRIES: entries(pathlib.Path(source))}
    for name, text in pages.items():
        (target / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
