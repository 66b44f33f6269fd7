"""Why LiteLLM did not start, from what it said: in words, with the place in its file."""

from __future__ import annotations

import re
from typing import Final

from haha_config.core.messages import Message, msg
from haha_config.core.model import Place, Problem
from haha_config.core.state.file import File

#: What it says last, `NAME` being what to look for in the file; and what that means.
_SAID: Final[tuple[tuple[str, Message], ...]] = (
    (
        r"(?P<key>fallbacks) must be a list|Item '.*' is not a dictionary"
        r"|Fallbacks for '(?P<name>[^']+)' must be a list",
        msg("LiteLLM does not start with this `{name}`", name="fallbacks"),
    ),
    (
        r"Invalid routing_strategy: '(?P<name>[^']*)'",
        msg("LiteLLM has no routing strategy of this name"),
    ),
    (
        r"Could not import \S+ from (?P<name>[\w.]+)",
        msg("LiteLLM can't load a function that is named here"),
    ),
    (r"Included (config )?file .*?(?P<name>[^/\\]+)$", msg("LiteLLM can't use the included file")),
    (r"'(?P<name>include)' must be a list", msg("`include` is no list")),
    (
        r"Could not build the '(?P<name>[^']+)' callback",
        msg("LiteLLM lacks a package that this callback needs"),
    ),
    (
        r"No module named '(?P<name>[\w.]+)'",
        msg("a package is missing; one of LiteLLM's own comes with: haha-config proxy install"),
    ),
    (r"(Scanner|Parser|Composer|Constructor)Error", msg("it can't parse litellm_config.yaml")),
    (
        r"no master key is set|the master key is (?:empty|a publicly known default)",
        msg("LiteLLM refuses to start without a strong master key in LITELLM_MASTER_KEY"),
    ),
    (r"Server name cannot contain '-'.* Found: (?P<name>\S+)", msg("the name holds a `-`")),
    (r"'host' or 'url' must be specified for (?P<name>redis)", msg("no Redis is named")),
    (r"prisma", msg("a LiteLLM without prisma does not start with a database")),
    (r"Config cannot be None or Empty", msg("the file is empty")),
    (
        r"'(?P<name>\w+)' is NOT a valid router_settings",
        msg("this belongs below `general_settings`"),
    ),
    (r"(?P<name>\w+) is an Enterprise Feature", msg("this needs a licence of LiteLLM's")),
    (r"^KeyError: '(?P<missing>model_name|litellm_params|model)'", msg("an entry lacks a part")),
    (r"address already in use|Errno 98|Errno 48|WinError 10048", msg("its port is taken")),
    (r"UnicodeEncodeError", msg("it can't write to its log")),
    (r"MemoryError|Killed", msg("this machine has too little memory for it")),
)
_ERROR: Final = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
_COLOUR: Final = re.compile(r"\x1b\[[\d;]*m")
_MARK: Final = re.compile(r'in "(?P<path>[^"]+)", line (?P<line>\d+), column (?P<column>\d+)')


def explained(log: str, file: File) -> Problem:
    """What LiteLLM stopped at. `log` is what it said, without keys."""
    text = _COLOUR.sub("", log)
    errors = [f"{found[1]}: {found[2]}" for found in _ERROR.finditer(text)]
    last = errors[-1] if errors else (text.strip().splitlines() or [""])[-1]
    if not last:
        return Problem(msg("it said nothing"), Place(path=file.path))
    marks = list(_MARK.finditer(text))
    if marks and "yaml" in text:
        mark = marks[-1]
        place = Place(path=mark["path"], line=int(mark["line"]), column=int(mark["column"]))
        return Problem(msg("LiteLLM can't parse this file: {why}", why=last), place)
    for pattern, what in _SAID:
        found = re.search(pattern, last) or re.search(pattern, text[-3000:])
        if found:
            names = [name for name in found.groupdict().values() if name]
            place = _where(names[0] if names else "", file)
            return Problem(msg("{what} ({why})", what=what, why=last[:200]), place)
    what = msg("LiteLLM does not start with this file: {why}", why=last[:300])
    return Problem(what, _where(next(iter(re.findall(r"'([\w.\-/]+)'", last)), ""), file))


def _where(name: str, file: File) -> Place:
    """The first line that has the name as a word; the file itself where none does."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    for number, line in enumerate(file.text.splitlines() if name else (), start=1):
        found = pattern.search(line.partition("#")[0])
        if found:
            return Place(path=file.path, line=number, column=found.start() + 1)
    return Place(path=file.path)
