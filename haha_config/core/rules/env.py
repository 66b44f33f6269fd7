"""ENV: the client's variables, and the `.env` that holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from haha_config.core import variables as v
from haha_config.core.messages import Message, msg, nmsg
from haha_config.core.model import SLOTS, Fix, Oddity, Place, Problem, Set, Severity, plain_name
from haha_config.core.rules.rule import (
    FIX,
    INIT,
    ON,
    Holder,
    Rule,
    broken,
    configured,
    holders,
    quoted,
    set_everywhere,
    spoilt,
    stays_home,
    targets,
    where,
    with_fix,
)
from haha_config.core.state import asked
from haha_config.core.state.file import File
from haha_config.core.state.layers import ORDER, Effective, as_text
from haha_config.core.state.state import SKIP_DOTENV, State


class ENV001(Rule):
    name = "dotenv-readable"
    title = msg("`.env` can be read")
    why = msg("The client gets no variable from a file that can't be read.")
    severity = "error"
    needs = frozenset({"env"})

    def check(self, state: State) -> Iterable[Problem]:
        yield from broken(state.dotenv)
        # Measured with Bun 1.4.5: a comment in GBK hides no variable.
        yield from spoilt(state.dotenv)


class ENV002(Rule):
    name = "endpoint-and-model"
    title = msg("The base URL and the model are set")
    why = msg(
        "Without `ANTHROPIC_BASE_URL` the client calls Anthropic. Without `ANTHROPIC_MODEL` it"
        " asks for the model for opus, or for Anthropic's own."
    )
    severity = "error"
    needs = frozenset({"client"})
    requires = ("ENV001", "SET001")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        url = state.effective(v.BASE_URL)
        if url.value:
            yield from self._model(state)
        elif not stays_home(state):
            # Another file may hold it, which `--only` does not read.
            severity: Severity = "note" if state.only else "error"
            place = url.place_or(_home(state))
            yield Problem(_absent(url), place, INIT, severity=severity)

    def _model(self, state: State) -> Iterator[Problem]:
        main, key = state.effective(SLOTS["main"]), _model_key(state)
        if main.value and not main.value.strip():
            blank = msg(
                "`{name}` is blank: the client asks for a model without a name", name=main.name
            )
            yield Problem(what=blank, place=main.place, hint=INIT)
        if main.value or state.only or "api.anthropic.com" in state.value(v.BASE_URL):
            return
        place = main.place_or(_home(state))
        if key is None and (opus := state.slots.get("opus")):
            what = msg(
                "{absent}: the client asks for `{model}`, the model for opus",
                absent=_absent(main),
                model=opus,
            )
            fixes = set_everywhere(state, {SLOTS["main"]: opus})
            yield with_fix(what, place, fixes, f"haha-config switch-model {quoted(opus)}", "note")
            return
        name = asked.model(state) or _own(plain_name(key or "").lower())
        what = msg("{absent}: the client asks for `{model}`", absent=_absent(main), model=name)
        if name.startswith("claude"):
            what = msg("{absent}: the client asks for a model of Anthropic's", absent=_absent(main))
        if state.route == "litellm" and not state.gateway.offers(name):
            hint = f"haha-config switch-model {quoted(state.models[0])}" if state.models else INIT
            yield Problem(what, place, hint)
        elif key is None:
            yield Problem(what, place, INIT, severity="note")


def _absent(found: Effective) -> Message:
    if found.value is None:
        return msg("`{name}` is not set", name=found.name)
    return msg("`{name}` is empty", name=found.name)


def _model_key(state: State) -> str | None:
    """`model` of the strongest settings file that has one: it decides without ANTHROPIC_MODEL."""
    held = (state.settings[n].data.get("model") for n in ORDER if n in state.settings)
    return next((model for model in held if isinstance(model, str) and model), None)


def _own(alias: str) -> str:
    """The client's own model behind an alias whose slot is empty."""
    return f"claude-{alias}-5" if alias in {"sonnet", "haiku", "fable"} else "claude-opus-5-5"


def _home(state: State) -> Place:
    """The file in which a missing variable belongs."""
    found = targets(state) or tuple(h for h in holders(state) if h.file.exists)
    return Place(path=found[0].file.path if found else state.target.path)


class ENV003(Rule):
    name = "files-agree"
    title = msg("`.env` and settings.json say the same")
    why = msg(
        "This client reads both, and settings.json wins: a different value in `.env` has no effect."
    )
    how = msg("`--fix` writes the value in use, or `.env`'s where only that can work.")
    severity = "error"
    fatal = False
    needs = frozenset({"env", "settings"})
    requires = ("ENV001", "SET001")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        if not state.reads_dotenv:
            return
        theirs = state.target.data.get("env") or {}
        for name in v.OWNED:
            here, there = state.dotenv_values.get(name), theirs.get(name)
            if not isinstance(here, str) or not isinstance(there, str):
                continue
            if not here or not there or here == there:
                continue
            what = self._what(name, here, there, where(state.target.place("env", name)))
            fixes = self._fixes(name, here, there, state)
            hint = None if fixes else self._hint(name, here, state)
            yield with_fix(what, state.dotenv.place(name), fixes, hint)

    @staticmethod
    def _fixes(name: str, here: str, there: str, state: State) -> tuple[Fix, ...]:
        """The value in use goes into the other file, unless another rule calls it wrong."""
        from haha_config.core.rules.plausible import suspicion

        against = suspicion(name, there, state)
        if against is None:
            return (Fix(path=state.dotenv.path, changes=(Set((name,), there),)),)
        # A project's settings.json is made to be shared: no key is ever written there.
        shared = name in v.CREDENTIALS and state.scope == "project"
        if against == "error" and suspicion(name, here, state) is None and not shared:
            return (Fix(path=state.target.path, changes=(Set(("env", name), here),)),)
        return ()

    @staticmethod
    def _hint(name: str, here: str, state: State) -> str:
        """The line that mends both files, where only a person knows which value is meant."""
        from haha_config.core.rules.models import switching
        from haha_config.core.rules.plausible import suspicion

        slot = next((slot for slot, variable in SLOTS.items() if variable == name), None)
        if slot is None:
            return INIT
        if suspicion(name, here, state) is not None:
            return "haha-config models"
        return switching(state, (slot,), here)

    @staticmethod
    def _what(name: str, here: str, there: str, path: str) -> Message:
        if v.is_secret(name):
            return msg("`{name}` is different in {path}, which wins", name=name, path=path)
        return msg(
            "`{name}` is `{here}` here and `{there}` in {path}, which wins",
            name=name,
            here=v.shown(name, here),
            there=v.shown(name, there),
            path=path,
        )


class ENV004(Rule):
    name = "dotenv-dialect"
    title = msg("All programs read each line of `.env` alike")
    why = msg(
        "Bun, Node, python-dotenv and a shell read quotes, `#` and `$` differently, and Bun"
        " silently skips what it does not understand."
    )
    severity = "note"
    needs = frozenset({"env"})
    requires = ("ENV001",)

    def check(self, state: State) -> Iterable[Problem]:
        for file in (state.dotenv, state.litellm_env):
            if skipped := [o for o in file.oddities if o.kind == "bad-line"]:
                yield self._skipped(skipped, file)
            dialect = {o.name: o for o in file.oddities if o.kind == "dialect"}
            for name in [n for n in dialect if n in v.OWNED]:
                yield self._dialect((name,), dialect.pop(name), file, "warning")
            if dialect:
                yield self._dialect(tuple(dialect), next(iter(dialect.values())), file, "note")

    @staticmethod
    def _skipped(lines: Sequence[Oddity], file: File) -> Problem:
        what = nmsg(
            "this line is no assignment and is skipped",
            "{n} lines are no assignments and are skipped; this is the first",
            n=len(lines),
        )
        hint = msg("write NAME=value, or put a `#` before it")
        return Problem(what, lines[0].place.of(file.path), hint, severity="warning")

    @staticmethod
    def _dialect(names: tuple[str, ...], first: Oddity, file: File, severity: Severity) -> Problem:
        """One finding for all variables that are nobody's business here."""
        what = msg("{names}: read differently by Bun, Node, python-dotenv or a shell", names=names)
        hint = msg("write {name}='…', without `$` and quotes inside", name=names[0])
        return Problem(what, first.place.of(file.path), hint, severity=severity)


class ENV005(Rule):
    name = "duplicate-variable"
    title = msg("No variable is assigned twice in one file")
    why = msg("The last one wins: editing another changes nothing.")
    needs = frozenset({"env"})
    requires = ("ENV001",)

    def check(self, state: State) -> Iterable[Problem]:
        for file in (state.dotenv, state.litellm_env):
            for oddity in file.oddities:
                if oddity.kind == "duplicate":
                    wins = file.place(oddity.name).line
                    what = msg(
                        "line {line} sets `{name}` again, and wins", name=oddity.name, line=wins
                    )
                    hint = msg("delete line {line}", line=oddity.place.line)
                    yield Problem(what, oddity.place.of(file.path), hint)


class ENV006(Rule):
    name = "dotenv-bom"
    title = msg("The file begins without a byte order mark")
    why = msg("Some programs ignore or misread a file that begins with this mark.")
    needs = frozenset({"env"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for file in (state.dotenv, state.litellm_env):
            yield from marks(file.path, file.snapshot.data)


def marks(path: str, data: bytes | None) -> Iterator[Problem]:
    """The problem of a file that starts with a byte order mark."""
    if (data or b"").startswith(b"\xef\xbb\xbf"):
        what = msg("the file begins with a byte order mark (BOM)")
        yield with_fix(what, Place(path=path, line=1, column=1), (Fix(path=path, bare=True),))


class ENV007(Rule):
    name = "shell-override"
    title = msg("The shell does not change what the files say")
    why = msg(
        "settings.json beats the shell, and the shell beats `.env`. Another terminal does not"
        " have the shell's variables."
    )
    how = msg("Delete it from your shell's start-up file too.")
    needs = frozenset({"client", "shell"})
    requires = ("ENV001", "SET001")

    def check(self, state: State) -> Iterable[Problem]:
        for name in v.OWNED:
            value = state.environ.get(name)
            files = [h for h in holders(state) if name in h.values]
            if value:
                yield from self._against(name, value, files, state)
            # An emptied credential is KEY002's business.
            elif value == "" and name not in v.CREDENTIALS and files[:1]:
                if files[0].layer != "dotenv" or not files[0].values[name]:
                    continue
                what = msg("your shell exports an empty `{name}`, which beats this line", name=name)
                yield Problem(what, files[0].place(name), f"unset {name}")

    @staticmethod
    def _against(name: str, value: str, files: list[Holder], state: State) -> Iterator[Problem]:
        hint, shown = f"unset {name}", v.shown(name, value)
        settings = [h for h in files if h.layer != "dotenv"]
        if settings:
            winner = settings[0].values[name]
            if winner and winner != value and name not in v.CREDENTIALS:
                what = msg(
                    "your shell exports `{name}` as `{value}`; this line wins",
                    name=name,
                    value=shown,
                )
                yield Problem(what, settings[0].place(name), hint, severity="note")
        elif files and files[0].values[name] != value:
            what = msg(
                "your shell exports `{name}` as `{value}`, which beats this line",
                name=name,
                value=shown,
            )
            yield Problem(what, files[0].place(name), hint)
        elif not files and name in _NEEDED and _alone(name, state):
            what = msg("`{name}` is only in your shell: another terminal lacks it", name=name)
            yield Problem(what, _home(state), INIT)


#: Variables without which a set-up is not complete.
_NEEDED: Final = frozenset({v.BASE_URL, *v.CREDENTIALS, SLOTS["main"]})


def _alone(name: str, state: State) -> bool:
    """For a credential: whether no file has one. A second one is KEY001's business."""
    if name not in v.CREDENTIALS:
        return True
    return not any(h.values.get(c) for h in holders(state) for c in v.CREDENTIALS)


_DELETE: Final = msg("delete that line")
_OFF: Final = frozenset({"0", "false", "no", "off"})


class ENV008(Rule):
    name = "cloud-switch"
    title = msg("No cloud provider is switched on")
    why = msg("With such a switch the client calls that cloud and ignores `ANTHROPIC_BASE_URL`.")
    how = msg('`"NAME": ""` in settings.json cancels one from the shell.')
    severity = "error"
    needs = frozenset({"client"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for name in state.clouds:
            cloud, found = v.CLOUDS[name], state.effective(name)
            if not state.value(v.BASE_URL):
                # Nothing is ignored: somebody wants that cloud.
                what = msg("`{name}` sends the client to {cloud}", name=name, cloud=cloud)
                yield Problem(what, found.place, severity="note")
                continue
            what = msg(
                "`{name}` sends the client to {cloud}; the base URL is ignored",
                name=name,
                cloud=cloud,
            )
            fixes = self._fixes(name, state)
            place = found.place if found.place.path else _home(state)
            hint = FIX if found.place.path in {fix.path for fix in fixes} else _DELETE
            yield Problem(
                what, place, f"unset {name}" if found.layer == "shell" else hint, fixes=fixes
            )

    @staticmethod
    def _fixes(name: str, state: State) -> tuple[Fix, ...]:
        if state.environ.get(name):
            settings = (h for h in targets(state) if h.layer != "dotenv")
            return tuple(fix for h in settings for fix in h.fix(h.set(name, "")))
        held = (h for h in targets(state) if h.values.get(name))
        return tuple(fix for h in held for fix in h.fix(h.remove(name)))


_SHORTEST: Final = 60_000
_LONGEST: Final = 2_147_483_647


class ENV009(Rule):
    name = "api-timeout"
    title = msg("`API_TIMEOUT_MS` lets a slow model finish")
    why = msg(
        "Below 60000 milliseconds slow answers are cut off; above 2147483647, or without a"
        " number, every request of Claude Code 2.1.197 fails at once."
    )
    needs = frozenset({"client"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        found = state.effective(v.TIMEOUT)
        if not found.value:
            if taken_out(v.TIMEOUT, state):
                yield self._absent(found, state)
            return
        fixes = set_everywhere(state, {v.TIMEOUT: v.TIMEOUT_MS}, held=v.TIMEOUT)
        hint = f"unset {v.TIMEOUT}" if found.layer == "shell" else (FIX if fixes else None)
        number = v.whole(found.value.strip())
        if number is not None and _SHORTEST <= number <= _LONGEST:
            return
        severity: Severity = "error" if 0 < (number or 0) < _HOPELESS else self.severity
        old = state.known_versions[:1]
        if _fails_at_once(found.value, number):
            what = msg(
                "`{name}` is `{value}`: every request of Claude Code {version} fails at once",
                name=v.TIMEOUT,
                value=found.value,
                version=old,
            )
            newer = state.client_version and state.answers_for not in old
            severity = "warning" if newer else "error"
        elif number is None:
            what = msg("`{name}` must be a number of milliseconds", name=v.TIMEOUT)
        else:
            what = msg(
                "`{name}` is {value} milliseconds: slow answers are cut off",
                name=v.TIMEOUT,
                value=found.value,
            )
        yield Problem(what, found.place, hint, severity=severity, fixes=fixes)

    @staticmethod
    def _absent(found: Effective, state: State) -> Problem:
        what = msg("{absent}: the client gives up after 10 minutes", absent=_absent(found))
        fixes = set_everywhere(state, {v.TIMEOUT: v.TIMEOUT_MS})
        export = f"export {v.TIMEOUT}={v.TIMEOUT_MS}"
        return with_fix(what, found.place_or(_home(state)), fixes, export, "note")


#: A connection takes longer.
_HOPELESS: Final = 100


def _fails_at_once(text: str, number: int | None) -> bool:
    """Whether 2.1.197 has no time for an answer: it reads the digits that `text` begins with."""
    digits = re.match(r"\s*(\d{1,30})", text, re.ASCII)
    first = int(digits[1]) if digits else 0
    return not 0 < first <= _LONGEST or (number is None and first < _HOPELESS)


#: Every guide writes these together. Each works without the others.
_TOGETHER: Final = (v.TIMEOUT, v.TELEMETRY, v.NONESSENTIAL)


def taken_out(name: str, state: State) -> bool:
    """Whether a set-up has all of what guides write together, but for `name`.

    A set-up that never had them is not told what it lacks.
    """
    if state.only or not state.value(v.BASE_URL) or state.value(name):
        return False
    return all(state.value(other) for other in _TOGETHER if other != name)


class ENV010(Rule):
    name = "zero-means-on"
    title = msg("No switch says `0` and is on")
    why = msg("Any value switches these variables on, `0` and `false` too.")
    needs = frozenset({"client"})

    def check(self, state: State) -> Iterable[Problem]:
        if taken_out(v.NONESSENTIAL, state):
            name, home = v.NONESSENTIAL, _home(state)
            what = msg("`{name}` is not set: each start also calls api.anthropic.com", name=name)
            hint = msg("add {name}=1 to {path}", name=name, path=home.path)
            yield Problem(what, home, hint, severity="note")
        for name in (v.TELEMETRY, v.NONESSENTIAL, "DISABLE_ERROR_REPORTING"):
            found = state.effective(name)
            if (found.value or "").lower() in _OFF:
                what = msg(
                    "`{name}` is `{value}`, and any value switches it on",
                    name=name,
                    value=found.value,
                )
                shell, edit = f"unset {name}", msg("delete the line, or write 1")
                yield Problem(what, found.place, shell if found.layer == "shell" else edit)


class ENV011(Rule):
    name = "small-fast-model"
    title = msg("`ANTHROPIC_SMALL_FAST_MODEL` is not used")
    why = msg("`ANTHROPIC_DEFAULT_HAIKU_MODEL` has replaced it.")
    severity = "note"
    needs = frozenset({"client"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        haiku = SLOTS["haiku"]
        for holder in holders(state):
            value = holder.values.get(v.SMALL_FAST)
            if not value:
                continue
            changes = [holder.remove(v.SMALL_FAST)]
            if not state.value(haiku):
                changes.append(holder.set(haiku, str(value)))
            what = msg("`{new}` has replaced `{old}`", old=v.SMALL_FAST, new=haiku)
            yield with_fix(what, holder.place(v.SMALL_FAST), holder.fix(*changes))


_RANGES: Final = {
    v.MAX_CONTEXT: (1, 100_000_000),
    v.MAX_OUTPUT: (1, 100_000_000),
    v.COMPACT_WINDOW: (100_000, 1_000_000),
    "MAX_THINKING_TOKENS": (0, 100_000_000),
    "CLAUDE_CODE_MAX_RETRIES": (0, 15),
    "CLAUDE_AUTOCOMPACT_PCT_OVERRIDE": (1, 100),
}


#: What works with most models, where nobody can tell which number is meant.
_USUAL: Final = {
    v.MAX_CONTEXT: 200_000,
    v.MAX_OUTPUT: 32_000,
    v.COMPACT_WINDOW: 200_000,
    "MAX_THINKING_TOKENS": 10_000,
    "CLAUDE_CODE_MAX_RETRIES": 10,
    "CLAUDE_AUTOCOMPACT_PCT_OVERRIDE": 80,
}


def _meant_number(text: str, least: int, most: int) -> int | None:
    """The number in `8k`, `1M`, `8,192`, `8_192` or `80%`, where it is within the limits."""
    found = re.fullmatch(r"\s*([0-9][0-9_,]{0,11})\s*([kKmM%]?)\s*", text)
    if found is None:
        return None
    times = {"k": 1000, "m": 1_000_000}.get(found[2].lower(), 1)
    number = int(re.sub(r"[_,]", "", found[1])) * times
    return number if least <= number <= most else None


class ENV012(Rule):
    name = "whole-numbers"
    title = msg("Numbers are whole and within the client's limits")
    why = msg(
        "The client silently reads `500k` as 500, and moves a number out of range to the"
        " nearest limit."
    )
    needs = frozenset({"client"})

    def check(self, state: State) -> Iterable[Problem]:
        for name, (least, most) in _RANGES.items():
            found = state.effective(name)
            if not found.value:
                continue
            number = v.whole(found.value.strip())
            if number is not None and least <= number <= most:
                continue
            what = msg(
                "`{name}` is `{value}`, not a whole number from {least} to {most}",
                name=name,
                value=found.value,
                least=least,
                most=most,
            )
            example = _meant_number(found.value, least, most) or _USUAL[name]
            yield Problem(
                what, found.place, msg("write all digits, like {example}", example=example)
            )


class ENV013(Rule):
    name = "variable-name"
    title = msg("The client knows the variables' names")
    why = msg("The client silently ignores a name that it does not know.")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        taken: set[str] = set()
        for holder in holders(state):
            if holder.layer == "dotenv" and not configured(state):
                continue  # a program's own
            for name in holder.values:
                meant = None if _known(name, state) else _meant(name)
                if meant is not None:
                    yield self._unknown(name, meant, holder, state, first=meant not in taken)
                    taken.add(meant)

    @staticmethod
    def _unknown(name: str, meant: str, holder: Holder, state: State, *, first: bool) -> Problem:
        place = holder.place(name)
        what = msg(
            "the client does not know `{name}`; did you mean `{meant}`?", name=name, meant=meant
        )
        if state.value(meant):
            held = state.effective(meant).place
            hint = msg("delete the line: your shell has `{name}`", name=meant)
            if held.path:
                hint = msg("delete the line: {place} has `{name}`", place=where(held), name=meant)
            return Problem(what, place, hint)
        value = as_text(holder.values[name])
        fixes = holder.fix(holder.remove(name), holder.set(meant, value)) if first else ()
        return with_fix(what, place, fixes, msg("rename it to {name}", name=meant))


def _known(name: str, state: State) -> bool:
    """Whether it is a name of the client's, or one that is no business of the client's."""
    ours = name.upper().startswith(("ANTHROPIC", "CLAUDE", "API_"))
    return not ours or name in v.CLIENT or name in state.documented.variables


#: Words of a name that say only whose it is.
_BRANDS: Final = frozenset({"ANTHROPIC", "CLAUDE", "CODE", "DEFAULT"})
#: What is left of a name without these -> the variable that people mean by it.
_MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    v.BASE_URL: ("URL", "BASE", "API URL", "API BASE", "API BASE URL", "BASE URL", "ENDPOINT",
                 "API ENDPOINT", "HOST", "API HOST"),
    v.AUTH_TOKEN: ("TOKEN", "AUTH", "AUTH TOKEN", "API TOKEN", "ACCESS TOKEN", "AUTH KEY"),
    v.API_KEY: ("KEY", "API KEY", "APIKEY", "SECRET KEY"),
    SLOTS["main"]: ("MODEL", "MAIN MODEL", "MODEL NAME", "MODEL ID"),
    SLOTS["opus"]: ("OPUS", "OPUS MODEL"),
    SLOTS["sonnet"]: ("SONNET", "SONNET MODEL"),
    SLOTS["haiku"]: ("HAIKU", "HAIKU MODEL", "SMALL MODEL", "FAST MODEL"),
    SLOTS["fable"]: ("FABLE", "FABLE MODEL"),
    SLOTS["subagent"]: ("SUBAGENT MODEL", "SUBAGENTS MODEL", "AGENT MODEL"),
    "ANTHROPIC_CUSTOM_HEADERS": ("HEADERS", "CUSTOM HEADERS", "EXTRA HEADERS", "HEADER"),
    "ANTHROPIC_BETAS": ("BETA", "BETAS"),
    v.TIMEOUT: ("TIMEOUT", "API TIMEOUT", "TIMEOUT MS", "API TIMEOUT MS", "REQUEST TIMEOUT"),
    v.MAX_CONTEXT: ("CONTEXT TOKENS", "MAX CONTEXT", "MAX CONTEXT TOKENS", "CONTEXT WINDOW"),
    v.MAX_OUTPUT: ("OUTPUT TOKENS", "MAX OUTPUT", "MAX OUTPUT TOKENS", "MAX TOKENS"),
}  # fmt: skip


def _meant(name: str) -> str | None:
    """The variable that a name which nobody knows is meant to be."""
    words = frozenset(name.upper().split("_")) - _BRANDS
    for variable, names in _MEANT.items():
        if any(words == frozenset(n.split()) for n in names):
            return variable
    from difflib import get_close_matches

    # A slip must not lead to a switch that turns the client away (ENV008).
    candidates = [c for c in v.CLIENT if c not in v.CLOUDS]
    return next(iter(get_close_matches(name.upper(), candidates, n=1, cutoff=0.88)), None)


class ENV014(Rule):
    name = "provider-variables"
    title = msg("The variables that this provider asks for are set")
    why = msg("The provider's documentation asks for them.")
    severity = "note"
    needs = frozenset({"client"})
    requires = ("ENV002",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        endpoint = state.rows.at(state.value(v.BASE_URL))
        if state.route != "direct" or endpoint is None:
            return
        for name, value in endpoint.row.variables.items():
            if state.effective(name).value is None:
                asked = f"{name}={v.shown(name, value)}"
                what = msg("{row} asks for `{variable}`", row=endpoint.row.name, variable=asked)
                yield with_fix(what, _home(state), set_everywhere(state, {name: value}))


class ENV015(Rule):
    name = "tool-search"
    title = msg("Tool search is on only where the endpoint understands it")
    why = msg(
        "With `ENABLE_TOOL_SEARCH` the client sends most tools as references, which only some"
        " endpoints understand."
    )
    severity = "note"
    needs = frozenset({"client"})
    requires = ("ENV002",)

    def check(self, state: State) -> Iterable[Problem]:
        found = state.effective(v.TOOL_SEARCH)
        endpoint = state.rows.at(state.value(v.BASE_URL))
        if (found.value or "").lower() not in ON or endpoint is None or state.route != "direct":
            return
        if endpoint.row.variables.get(v.TOOL_SEARCH, "false") == "false":
            row, name = endpoint.row.name, v.TOOL_SEARCH
            what = msg("`{name}` is on, and {row} may not understand it", name=name, row=row)
            yield Problem(what, found.place, msg("write {name}=false", name=name))


class ENV016(Rule):
    name = "model-discovery"
    title = msg("No other switch turns model discovery off")
    why = msg(
        "`CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC` also stops the request that fetches the"
        " gateway's models."
    )
    how = msg("`DISABLE_TELEMETRY=1` alone keeps discovery.")
    severity = "note"
    needs = frozenset({"client"})

    def check(self, state: State) -> Iterable[Problem]:
        found = state.effective("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY")
        if (found.value or "").lower() in ON and state.value(v.NONESSENTIAL):
            name, other = found.name, v.NONESSENTIAL
            what = msg("`{name}` has no effect while `{other}` is set", name=name, other=other)
            yield Problem(what, found.place, msg("delete one of the two"))


class ENV017(Rule):
    name = "dotenv-read"
    title = msg("claude-haha reads the `.env` that is written for it")
    why = msg(
        "With `CC_HAHA_SKIP_DOTENV=1` claude-haha skips `.env`; settings.json is always read."
    )
    needs = frozenset({"env", "shell"})

    def check(self, state: State) -> Iterable[Problem]:
        held = next((name for name in v.OWNED if name in state.dotenv.data), None)
        if state.client == "haha" and not state.reads_dotenv and held is not None:
            what = msg("this file is not read: your shell exports `{name}=1`", name=SKIP_DOTENV)
            yield Problem(what, state.dotenv.place(held), f"unset {SKIP_DOTENV}")
