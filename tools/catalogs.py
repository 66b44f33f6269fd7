"""The catalog of each language: `python tools/catalogs.py` (or `python -m tasks catalogs`).

Extracts every sentence of the source, brings `haha_config/locale/*/LC_MESSAGES/haha_config.po` up
to date and compiles it. A sentence without a translation, or whose English has changed, is named:
exit code 1, and so it is in a test. Needs Babel, which haha-config itself does not.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "haha_config"
DOMAIN: Final = "haha_config"
LANGUAGES: Final = ("zh",)
#: Our functions, and how many of their arguments are sentences.
KEYWORDS: Final = {"msg": 1, "nmsg": 2, "_": 1}
_HEAD: Final = re.compile(
    r'^"(?:(?:POT-Creation|PO-Revision)-Date|Report-Msgid-Bugs-To|Last-Translator|Language-Team'
    r"|Generated-By|Project-Id-Version): .*\n",
    re.MULTILINE,
)


def po_path(language: str) -> Path:
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_path(language: str) -> Path:
    return po_path(language).with_suffix(".mo")


def sentences(source: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and text (one and many, where it counts) of every sentence in a module.

    From the syntax tree, since Babel's own reader sees no call inside an f-string. Raises
    ValueError for a sentence that is no literal: it could not be translated.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            count = KEYWORDS.get(node.func.id, 0)
            texts = tuple(
                a.value
                for a in node.args[:count]
                if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )
            if len(texts) != count:
                raise ValueError(f"line {node.lineno}: {node.func.id}() wants a literal")
            if texts:
                yield node.lineno, texts


def extracted() -> Catalog:
    """Every sentence that the source holds now, in the order of the files."""
    template = Catalog(project="haha-config", charset="utf-8")
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        for line, texts in sorted(sentences(file.read_text(encoding="utf-8"))):
            template.add(texts[0] if len(texts) == 1 else texts, locations=[(name, line)])
    return template


def read(language: str) -> Catalog:
    """The catalog as it is on disk; an empty one where there is none yet."""
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language, domain=DOMAIN, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def updated(language: str, template: Catalog) -> Catalog:
    """The catalog with the sentences of the source: new ones empty, changed ones fuzzy."""
    catalog = read(language)
    catalog.update(template)
    catalog.fuzzy = False
    # Else each run writes other bytes; when a sentence was translated is git's to know.
    catalog.creation_date = catalog.revision_date = datetime.fromtimestamp(0, UTC)
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The text of a catalog. Without what changes when no sentence does: dates, lines."""
    catalog.header_comment = f"# haha-config in {catalog.locale_identifier}; see tools/catalogs.py."
    file = BytesIO()
    write_po(
        file, catalog, width=100, ignore_obsolete=True, include_lineno=False, sort_by_file=True
    )
    return _HEAD.sub("", file.getvalue().decode("utf-8")).encode("utf-8")


def as_mo(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def unfinished(catalog: Catalog) -> Iterator[Message]:
    """The sentences that are missing or fuzzy."""
    for message in catalog:
        if message.id and (message.fuzzy or not _complete(message)):
            yield message


def _complete(message: Message) -> bool:
    said = message.string
    return all(said) if isinstance(said, tuple | list) else bool(said)


def main() -> int:
    """Extract, update, compile; name what is left to translate."""
    template = extracted()
    left = 0
    for language in LANGUAGES:
        catalog = updated(language, template)
        po_path(language).parent.mkdir(parents=True, exist_ok=True)
        po_path(language).write_bytes(as_po(catalog))
        mo_path(language).write_bytes(as_mo(catalog))
        todo = list(unfinished(catalog))
        for message in todo:
            where = ", ".join(sorted({file for file, _ in message.locations}))
            print(
                f"{language}: {'fuzzy' if message.fuzzy else 'missing'}: {message.id!r} ({where})"
            )
        print(f"{language}: {len(catalog)} sentences, {len(todo)} to translate")
        left += len(todo)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
