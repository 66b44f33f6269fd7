"""The one door round every command: expected errors, interruptions, bugs, and their exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

from haha_config.core.errors import BUG, FINE, INTERRUPTED, PROBLEM, HahaError


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    from haha_config.io import report
    from haha_config.io.i18n import add_texts

    _never_unprintable()
    as_json = _asks_for_json(argv)
    try:
        wanted, words = _language(argv)
        report.use_language(wanted, os.environ)
        add_texts(_row_texts)
        # Imported once the language is known: the help texts are made as the module is.
        from haha_config.cli import app, completion

        tab = completion.asked(os.environ)
        code = app.invoke(words) if tab is None else app.complete(tab)
        sys.stdout.flush()
    except HahaError as error:
        report.failure(error, as_json=as_json, excerpt="" if as_json else _excerpt(error))
        return error.exit_code
    except (KeyboardInterrupt, EOFError):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not our error, and nobody to tell.
        return FINE
    except Exception as error:
        report.bug(error)
        return BUG
    return _delivered(code)


def _delivered(code: int) -> int:
    """The exit code, once it is known whether the results could be written.

    A write that was made stays what it was: who sees an error would believe that nothing happened.
    """
    from haha_config.io import output

    failed = output.lost()
    if failed is None:
        return code
    from haha_config.core.messages import msg
    from haha_config.io import disk, report

    report.failure(
        HahaError(msg("can't write the output: {why}", why=str(failed.strerror))), as_json=False
    )
    return code if disk.wrote() else code or PROBLEM


def _excerpt(error: HahaError) -> str:
    """The line that an error is about, with a caret; the file is read again for it."""
    if error.place is None or not error.place.line or not error.place.path:
        return ""
    from haha_config.core.change.excerpt import pointed
    from haha_config.io import disk

    data = disk.snapshot(error.place.path).data or b""
    return pointed(data.decode("utf-8", "replace"), error.place)


def _never_unprintable() -> None:
    """A character that a terminal's encoding lacks, or half of one in a path, ends no command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _row_texts() -> dict[str, str]:
    """The texts of the provider table, which are in the rows and in no catalog."""
    from haha_config.core.providers.table import load, msg_of, translations
    from haha_config.io import paths, templates

    try:
        rows = load(templates.provider_texts(paths.config_folder() / "providers"))
    except HahaError:
        # A broken row of one's own: the command that needs the table says so, and this one goes on.
        rows = load(templates.provider_texts())
    return {msg_of(text).text: msg_of(zh).text for text, zh in translations(rows).items()}


def _language(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """`--lang`, and the command line without it: it may stand anywhere before `--`.

    It is read before the options are parsed, because `--help` is already in that language.
    """
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    for at, word in enumerate(words[:end]):
        if word == "--lang" and at + 1 < end:
            return words[at + 1], words[:at] + words[at + 2 :]
        if word.startswith("--lang="):
            return word.partition("=")[2], words[:at] + words[at + 1 :]
    return None, words


def _asks_for_json(argv: Sequence[str]) -> bool:
    words = list(argv[: argv.index("--")] if "--" in argv else argv)
    if "--format=json" in words:
        return True
    return any(a == "--format" and b == "json" for a, b in pairwise(words))
