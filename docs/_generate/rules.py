"""Make `docs/rules.md` from the rules and their examples.

`python docs/_generate/rules.py` writes it; `--check` only says whether it is stale (exit 1).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Final

from haha_config.core import rules
from haha_config.core.rules import sources
from haha_config.io import templates
from haha_config.io.i18n import english

DOCS: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = DOCS.parent / "tests" / "examples"
HEADER: Final = (
    "<!-- Made by docs/_generate/rules.py from haha_config/core/rules: edit there. -->\n"
)

SOURCES: Final = sources.parse(templates.text("facts/sources.toml"))

#: A key of an example; the page shows none that could be taken for a real one.
_KEY: Final = re.compile(r"\b(?:sk|cpk)-[\w-]{12,}")

INTRODUCTION: Final = """\
# Rules

`haha-config validate` asks these rules of the files, the environment and this machine, without a
request to anybody's server. `validate --explain CODE` prints one of them, `--select` and `--ignore`
take codes, names or families, separated by commas.

- **error**: the client will not work with these files. `validate` exits 1.
- **warning**: it may not, or what was seen may be temporary. With `--strict` the exit code is 1.
- **note**: worth knowing.

On a direct route, where the client calls the provider itself, rules that compare the client with
the gateway are skipped, and what LiteLLM's files lack is a note. A severity below is the usual one;
a case that is less bad says so. `--fix` mends what is marked *mends*, after showing the difference.
"""


def page() -> str:
    """The page's text."""
    return "\n".join((HEADER, INTRODUCTION, *_families()))


def _families() -> Iterator[str]:
    for family, about in rules.FAMILIES.items():
        yield f"## {family}: {english(about)}\n"
        for rule in rules.family(family):
            yield from _rule(rule)


def _rule(rule: type[rules.Rule]) -> Iterator[str]:
    code = rules.code_of(rule)
    mends = " · `--fix` mends" if rule.fixable else ""
    yield f"### {code} {rule.name}: {english(rule.title)}\n"
    yield f"*{rule.severity}*{mends}\n"
    yield f"{english(rule.why)}\n"
    if rule.how is not None:
        yield f"{english(rule.how)}\n"
    yield "Source: " + "; ".join(map(_source, SOURCES.of(code))) + ".\n"
    words = (EXAMPLES / code / "fail" / "expected.txt").read_text(encoding="utf-8")
    yield f"```text\n{words}```\n"
    yield from _examples(EXAMPLES / code)


def _source(source: sources.Source) -> str:
    text = english(source.told)
    text = text.replace(source.page, f"<{source.page}>") if "://" in source.page else text
    return f"{text} (`{source.test}`)" if source.test else text


def _examples(folder: Path) -> Iterator[str]:
    """What makes the failing example the passing one, in the first file that differs."""
    for good in sorted((folder / "pass").rglob("*")):
        within = good.relative_to(folder / "pass")
        bad = folder / "fail" / within
        if good.is_file() and bad.is_file() and good.name != "state.toml":
            before, after = (f.read_text("utf-8", "replace") for f in (bad, good))
            if before != after:
                name = within.as_posix().replace("home/", "~/")
                lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
                yield f"From the example that fails to the one that passes, in `{name}`:\n"
                text = "\n".join(list(lines)[2:])
                yield f"```diff\n{_KEY.sub('sk-…', text)}\n```\n"
                return


def main(arguments: list[str]) -> int:
    target = DOCS / "rules.md"
    fresh = page()
    if "--check" in arguments:
        stale = not target.exists() or target.read_text(encoding="utf-8") != fresh
        if stale:
            print(f"stale: {target.name}: run python docs/_generate/rules.py", file=sys.stderr)
        return int(stale)
    target.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
