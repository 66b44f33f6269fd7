"""What each command prints with `--format json`, and the schemas and the page made from it.

`python tools/json_shapes.py` writes docs/json.md and docs/json/*.schema.json; `--check` only says
whether one of them is stale (exit 1). The tests check every JSON that a command prints against its
shape here, where a field that is not named is an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"

Line = Annotated[int, Meta(ge=1, description="Counted from 1.")] | None
Column = Annotated[int, Meta(ge=1, description="In code points, counted from 1.")] | None
File = Annotated[str, Meta(description="An absolute path.")]
Command = Annotated[str, Meta(description="What to type next.")]


class Shape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Has the fields named here and no others."""


class Result(Shape, frozen=True, kw_only=True):
    """A whole result."""

    version: Literal[1]


# --- findings ---


class Finding(Shape, frozen=True, kw_only=True):
    """`path` null: no file is to blame. `line` null: the whole file is meant."""

    code: Annotated[str, Meta(pattern=r"^[A-Z]{3}\d{3}$")]
    severity: Literal["error", "warning", "note"]
    path: File | None
    line: Line
    column: Column
    message: str
    hint: Command | None


class Summary(Shape, frozen=True, kw_only=True):
    """How many findings of each severity."""

    errors: int
    warnings: int
    notes: int


class Findings(Result, frozen=True, kw_only=True):
    """What is wrong."""

    findings: list[Finding]
    summary: Summary


class Rule(Shape, frozen=True, kw_only=True):
    """One thing that `validate` checks."""

    code: str
    name: str
    severity: Literal["error", "warning", "note"]
    title: str
    why: str
    how: str
    fixable: bool
    sources: list[str]


class Rules(Result, frozen=True, kw_only=True):
    """`validate --list`."""

    rules: list[Rule]


class Explained(Result, frozen=True, kw_only=True):
    """`validate --explain CODE`."""

    rule: Rule


# --- writes ---


class Change(Shape, frozen=True, kw_only=True):
    """One file. `diff` is masked."""

    path: File
    action: Literal["create", "update", "delete", "none"]
    diff: str


class Written(Result, frozen=True, kw_only=True):
    """A write. `applied` false: nothing had to be written, or `--dry-run`."""

    applied: bool
    changes: list[Change]
    next: list[str]
    findings: list[Finding]


class PastWrite(Shape, frozen=True, kw_only=True):
    """A write that can be taken back; `time` is ISO 8601."""

    id: str
    time: str
    command: str
    paths: list[File]


class Writes(Result, frozen=True, kw_only=True):
    """`undo --list`, the newest first."""

    writes: list[PastWrite]


# --- show, models, providers ---


class Shadow(Shape, frozen=True, kw_only=True):
    """A weaker layer that holds the variable too."""

    value: str | None
    layer: str
    path: File | None
    line: Line


class Variable(Shape, frozen=True, kw_only=True):
    """`value` null: unset; "": cancelled. Secrets are masked."""

    name: str
    value: str | None
    layer: str | None
    path: File | None
    line: Line
    shadows: list[Shadow]


class Header(Shape, frozen=True, kw_only=True):
    """A header that goes out with each request; `value` null: not known before it is sent."""

    name: str
    value: str | None
    source: str
    path: File | None
    line: Line


class Setting(Shape, frozen=True, kw_only=True):
    """A setting beside `env`. `ours`: it is as haha-config wrote it."""

    name: str
    value: Any
    layer: str
    ours: bool
    path: File | None
    line: Line


class Shown(Result, frozen=True, kw_only=True):
    """What the client takes."""

    variables: list[Variable]
    headers: list[Header]
    settings: list[Setting]


class Price(Shape, frozen=True, kw_only=True):
    """USD per million tokens."""

    input: float
    output: float


class WebSearch(Shape, frozen=True, kw_only=True):
    """What becomes of the client's web search, and who runs it or refuses it."""

    result: Literal["works", "refused", "dropped"]
    by: str
    source: str
    date: str


class Model(Shape, frozen=True, kw_only=True):
    """Null: not known. `retired`: the day from which it is refused. `fallbacks`: what the gateway
    goes on with where it fails.
    """

    id: str
    provider: str | None
    context: int | None
    output: int | None
    tools: bool | None
    thinking: bool | None
    price: Price | None
    retired: str | None
    fallbacks: list[str] = []


class Models(Result, frozen=True, kw_only=True):
    """The models on offer."""

    models: list[Model]
    web_search: WebSearch | None


class Provider(Shape, frozen=True, kw_only=True):
    """`variable` null: no key is needed. The first route and region are the defaults."""

    key: str
    name: str
    routes: list[Literal["direct", "litellm"]]
    regions: list[str]
    variable: str | None
    web_search: WebSearch | None


class Providers(Result, frozen=True, kw_only=True):
    """The table of providers."""

    providers: list[Provider]


# --- probe ---


class Check(Shape, frozen=True, kw_only=True):
    """One thing that was tried; `ms` is how long it took."""

    name: str
    status: Literal["pass", "fail", "warn", "skip"]
    detail: str
    hint: Command | None
    ms: int | None


class Probed(Shape, frozen=True, kw_only=True):
    """One model; `grade` is the last one reached."""

    model: str
    slots: list[str]
    grade: Literal["none", "reach", "auth", "model", "stream", "tools"]
    verdict: str
    checks: list[Check]


class ProbeResult(Result, frozen=True, kw_only=True):
    """What real requests showed."""

    models: list[Probed]


# --- proxy ---


class Elsewhere(Shape, frozen=True, kw_only=True):
    """A gateway of another folder."""

    folder: File
    port: int
    pid: int


class ProxyStatus(Result, frozen=True, kw_only=True):
    """`owned`: haha-config started it. `stale`: its files have changed since; null: not known."""

    running: bool
    owned: bool
    url: str
    pid: int | None
    litellm: Annotated[str, Meta(description="The version of LiteLLM.")] | None
    models: list[str]
    stale: bool | None
    elsewhere: list[Elsewhere] = []


class Checked(Result, frozen=True, kw_only=True):
    """What LiteLLM made of the files."""

    litellm: Annotated[str, Meta(description="The version of LiteLLM.")]
    models: list[str]
    findings: list[Finding]
    summary: Summary


# --- profiles ---


class ProfileKey(Shape, frozen=True, kw_only=True):
    """`found` null: a keyring, which is not opened for a list."""

    variable: str
    reference: str
    found: bool | None


class Profile(Shape, frozen=True, kw_only=True):
    """A saved set-up, without its keys."""

    name: str
    provider: str | None
    route: Literal["direct", "litellm"]
    base_url: str | None
    model: str | None
    keys: list[ProfileKey]
    current: bool


class WholeProfile(Profile, frozen=True, kw_only=True):
    """With its answers, by the flags' long names."""

    answers: dict[str, Any]


class Profiles(Result, frozen=True, kw_only=True):
    """`profile list`."""

    profiles: list[Profile]


class OneProfile(Result, frozen=True, kw_only=True):
    """`profile show NAME`."""

    profile: WholeProfile


class ImportedItem(Shape, frozen=True, kw_only=True):
    """A set-up of another tool; `missing` are the keys that it needs yet."""

    source: str
    name: str
    path: File
    line: Line
    status: str
    profile: str | None
    missing: list[str]
    reason: str | None
    notes: list[str]
    current: bool


class Unreadable(Shape, frozen=True, kw_only=True):
    """A file that could not be read."""

    message: str
    path: File | None


class Imported(Written, frozen=True, kw_only=True):
    """`profile import`."""

    items: list[ImportedItem]
    errors: list[Unreadable]


# --- trust ---


class Folder(Shape, frozen=True, kw_only=True):
    """A folder that was agreed to, and what it names."""

    path: File
    values: list[str]


class Folders(Result, frozen=True, kw_only=True):
    """`trust --list`."""

    folders: list[Folder]


class Agreed(Result, frozen=True, kw_only=True):
    """What was agreed to just now."""

    agreed: list[str]


class Forgotten(Result, frozen=True, kw_only=True):
    """`trust --forget`: whether there was anything to forget."""

    forgotten: bool


# --- refusals ---


class Error(Shape, frozen=True, kw_only=True):
    """Why, where, and what to type next."""

    message: str
    path: File | None
    line: Line
    column: Column
    hint: Command | None


class Refusal(Result, frozen=True, kw_only=True):
    """What every command prints instead where it refuses."""

    error: Error


#: Each command and what it can print; the longest name that fits is the one.
SHAPES: Final[Mapping[str, tuple[type[Result], ...]]] = {
    "init": (Written,),
    "validate": (Findings, Written, Rules, Explained, ProbeResult, Checked),
    "switch-model": (Written,),
    "show": (Shown,),
    "models": (Models,),
    "probe": (ProbeResult,),
    "use": (Written,),
    "profile save": (Written,),
    "profile list": (Profiles,),
    "profile show": (OneProfile,),
    "profile remove": (Written,),
    "profile import": (Imported,),
    "proxy check": (Checked,),
    "proxy status": (ProxyStatus,),
    "undo": (Written, Writes),
    "providers": (Providers,),
    "trust": (Agreed, Folders, Forgotten),
}


def checked(words: tuple[str, ...], data: Any) -> Any:
    """The JSON result of a command line, or ValueError with the path of what is wrong in it."""
    name = next((n for n in (" ".join(words[:2]), *words[:1]) if n in SHAPES), "")
    if not name or not isinstance(data, dict) or "version" not in data:
        return data
    shapes: tuple[type[Result], ...] = (*SHAPES[name], Refusal)
    fitting = [shape for shape in shapes if set(data) <= set(shape.__struct_fields__)]
    if not fitting:
        raise ValueError(f"no shape of `{name}` has the fields {sorted(data)}")
    msgspec.convert(data, fitting[0])
    return data


# --- the page and the schemas ---

INTRODUCTION: Final = """\
<!-- Made by tools/json_shapes.py: edit there. -->

# JSON

`--format json` prints one object on standard output. Its text is English, whatever the language.
`version` is 1: it changes when a field changes its meaning or goes. New fields may come.
Each schema is JSON Schema 2020-12.
"""


def files() -> dict[str, str]:
    """The page and the schemas, by their names below docs/."""
    schemas = {f"json/{_file(name)}": _schema(name) for name in SHAPES}
    return {"json.md": "\n".join((INTRODUCTION, *_page())), **schemas}


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.schema.json"


def _schema(name: str) -> str:
    (*results, error), parts = msgspec.json.schema_components(
        (*SHAPES[name], Refusal), ref_template="#/$defs/{name}"
    )
    for part in parts.values():
        part.pop("additionalProperties", None)  # a later release may say more
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"haha-config {name} --format json",
        "anyOf": [*results, error],
        "$defs": parts,
    }
    return json.dumps(schema, indent=1) + "\n"


def _page() -> Iterator[str]:
    yield "| command | prints | schema |\n|---|---|---|"
    for name, shapes in SHAPES.items():
        links = ", ".join(f"[{s.__name__}](#{s.__name__.lower()})" for s in shapes)
        yield f"| `{name}` | {links} | [`{_file(name)}`](json/{_file(name)}) |"
    yield "| every one that refuses | [Refusal](#refusal) | in each |\n"
    every: list[type[Result]] = [shape for many in SHAPES.values() for shape in many]
    every.append(Refusal)
    for shape in dict.fromkeys(every):
        yield from _described(shape, f"## {shape.__name__}")


def _described(shape: type[Shape], head: str) -> Iterator[str]:
    (ref,), parts = msgspec.json.schema_components((shape,), ref_template="{name}")
    yield f"{head}\n\n{shape.__doc__}\n\n| field | type |\n|---|---|"
    for part in (ref["$ref"], *(name for name in parts if name != ref["$ref"])):
        inside = "" if part == ref["$ref"] else f"{part}: "
        for name, field in parts[part]["properties"].items():
            yield f"| {inside}`{name}` | {_type(field)} |"
    yield ""


def _type(field: Mapping[str, Any]) -> str:
    """A type as a person reads it."""
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "$ref" in field:
        return str(field["$ref"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    return str(field.get("type", "anything"))


def main(arguments: list[str]) -> int:
    stale = False
    for name, text in files().items():
        target = DOCS / name
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if "--check" not in arguments:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print("stale: docs/json: run python tools/json_shapes.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
