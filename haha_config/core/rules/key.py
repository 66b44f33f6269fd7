"""KEY: credentials, who can read them, and whether they fit. No value is ever shown in full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from haha_config.core import headers, trust, urls
from haha_config.core import variables as v
from haha_config.core.change import beside
from haha_config.core.keys import clean, masked, mistaken, placeholder, unsendable
from haha_config.core.messages import Message, msg
from haha_config.core.model import Fix, Header, Place, Problem, Severity
from haha_config.core.providers import table as rows
from haha_config.core.providers.index import Endpoint
from haha_config.core.providers.model import Provider
from haha_config.core.rules.literal_keys import looks_secret
from haha_config.core.rules.rule import (
    FIX,
    INIT,
    Holder,
    Rule,
    calls_loopback,
    configured,
    holders,
    quoted,
    set_everywhere,
    targets,
    where,
    with_fix,
)
from haha_config.core.state.file import File
from haha_config.core.state.layers import Effective
from haha_config.core.state.machine import Machine
from haha_config.core.state.state import State


def credentials(state: State) -> tuple[Effective, ...]:
    """The client's credential variables that hold something."""
    found = (state.effective(name) for name in v.CREDENTIALS)
    return tuple(f for f in found if f.value)


def endpoint(state: State) -> Endpoint | None:
    """The row that the client calls, where it calls one directly."""
    return state.rows.at(state.value(v.BASE_URL)) if state.route == "direct" else None


class KEY001(Rule):
    name = "one-credential"
    title = msg("One credential is set, not two")
    why = msg("The client sends both and warns at every start; the server may take either.")
    how = msg('`"NAME": ""` in settings.json cancels one from the shell.')
    severity = "error"
    fatal = False
    needs = frozenset({"client"})
    requires = ("ENV001", "SET001")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        found = credentials(state)
        if len(found) < 2:
            return
        token, key = found
        what = msg("`{one}` and `{other}` are both set", one=token.name, other=key.name)
        if (shell := next((f for f in found if f.layer == "shell"), None)) is not None:
            other = key if shell is token else token
            what = msg(
                "your shell exports `{name}`, so the client sends it along with `{other}`",
                name=shell.name,
                other=other.name,
            )
        extra = self._extra(token, key, state)
        place = (extra or key).place
        fixes = set_everywhere(state, {extra.name: ""}) if extra else ()
        hint: Message | str = msg('set the one that your provider does not use to ""')
        if extra is not None:
            hint = FIX if fixes else msg('set `{name}` to ""', name=extra.name)
            hint = f"unset {extra.name}" if extra.layer == "shell" else hint
        yield Problem(what, place if place.path else token.place, hint, fixes=fixes)

    @staticmethod
    def _extra(token: Effective, key: Effective, state: State) -> Effective | None:
        """The one that can go without a choice; None where only the person knows."""
        known = endpoint(state)
        if known is not None:
            return key if header(known) == "bearer" else token
        if token.layer == "shell" or key.layer == "shell":
            both = token.layer == key.layer
            return None if both else (token if token.layer == "shell" else key)
        same = token.value == key.value or state.route == "litellm"
        return key if same else None


def key_header(state: State) -> str:
    """What a custom header sends as `x-api-key`; "" where none does."""
    return headers.value(state.value(v.HEADERS), headers.KEY)


def header(known: Endpoint) -> Header:
    """How this endpoint wants its key."""
    if known.kind is not None and known.kind.header is not None:
        return known.kind.header
    return known.row.credential.header


class KEY002(Rule):
    name = "credential"
    title = msg("A credential goes along with the base URL")
    why = msg(
        "Without one the client sends your Anthropic login there. A local server needs a token"
        " too, any text."
    )
    severity = "error"
    needs = frozenset({"client"})
    requires = ("ENV001", "SET001")

    def check(self, state: State) -> Iterable[Problem]:
        helper = any(f.data.get("apiKeyHelper") for _, f in state.settings_files)
        base = state.effective(v.BASE_URL)
        if not base.value or credentials(state) or helper or state.only:
            return
        if (gone := _cancelled(state)) is not None:
            yield self._emptied(gone)
            return
        known = endpoint(state)
        url = v.shown_url(base.value)
        what = msg("no credential is set: the client would send its own login to `{url}`", url=url)
        yield Problem(what, base.place, f"{INIT} --provider {known.row.key}" if known else INIT)

    @staticmethod
    def _emptied(gone: Effective) -> Problem:
        """The key is there: a stronger layer sets it to nothing."""
        name = gone.name
        key = next(s for s in gone.shadows if s.value)
        if gone.layer == "shell":
            what = msg("your shell exports an empty `{name}`, which beats this line", name=name)
            return Problem(what, key.place, f"unset {name}")
        beaten = where(key.place)
        what = msg("`{name}` is empty here and beats the one in {where}", name=name, where=beaten)
        return Problem(what, gone.place, msg("delete that line"))


def _cancelled(state: State) -> Effective | None:
    """A credential that some layer holds and a stronger one sets to nothing."""
    found = (state.effective(name) for name in v.CREDENTIALS)
    return next((f for f in found if f.value == "" and any(s.value for s in f.shadows)), None)


class KEY003(Rule):
    name = "placeholder-key"
    title = msg("Keys are keys, not placeholders")
    why = msg("Every provider refuses a text such as `sk-xxx` or `your_token_here`.")
    severity = "error"

    def check(self, state: State) -> Iterable[Problem]:
        severity: Severity = "note" if calls_loopback(state) else "error"
        # A `.env` without an endpoint belongs to a program.
        for found in credentials(state) if configured(state) else ():
            value = found.value or ""
            if placeholder(value):
                yield Problem(_stand_in(found.name, value), found.place, INIT, severity=severity)
        for name, value in state.litellm_env.data.items():
            if v.is_secret(name) and isinstance(value, str) and placeholder(value):
                hint = msg("put your own key there, or delete the line")
                yield Problem(_stand_in(name, value), state.litellm_env.place(name), hint)


def _stand_in(name: str, value: str) -> Message:
    from haha_config.core.imports import cc_switch

    if cc_switch.is_stand_in(value):
        return msg("`{name}` holds a placeholder that only cc-switch's proxy accepts", name=name)
    if masked(value):
        return msg("`{name}` holds a key with its middle hidden, not a key", name=name)
    return msg("`{name}` holds a placeholder, not a key", name=name)


class KEY004(Rule):
    name = "key-characters"
    title = msg("Keys hold no spaces, quotes or line ends")
    why = msg("The provider refuses such a key.")
    severity = "error"
    needs = frozenset({"client"})
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        local = calls_loopback(state)
        for name in v.CREDENTIALS:
            for holder in holders(state):
                value = holder.values.get(name)
                if isinstance(value, str) and value:
                    yield from self._judged(name, value, holder, local=local)

    @staticmethod
    def _judged(name: str, value: str, holder: Holder, *, local: bool) -> Iterator[Problem]:
        key, place = clean(value), holder.place(name)
        # A server on this machine takes any text, as long as it can be sent.
        mistake = None if (local and key.isascii()) or placeholder(value) else mistaken(key)
        what = msg("`{name}` has spaces, quotes or line ends in it", name=name)
        again = msg("paste the key again, on one line")
        if not key or any(c.isspace() for c in key):
            yield Problem(what, place, again)
        elif (unfit := mistake or (None if placeholder(value) else unsendable(key))) is not None:
            yield Problem(msg("`{name}`: {why}", name=name, why=unfit), place, INIT)
        elif key != value:
            # Measured: both clients send it without the spaces behind it.
            severity: Severity = "warning" if value.rstrip(" ") == key else "error"
            yield with_fix(what, place, holder.fix(holder.set(name, key)), again, severity)


class KEY005(Rule):
    name = "key-kind"
    title = msg("The key fits this provider and URL")
    why = msg(
        "A key's first letters tell whose it is. Another provider refuses it, and has seen it."
    )
    needs = frozenset({"client"})
    requires = ("KEY003", "KEY004")

    def check(self, state: State) -> Iterable[Problem]:
        known = endpoint(state)
        if known is not None and not known.row.local:
            for found in credentials(state):
                why = rows.misfit(
                    state.providers, known.row, found.value or "", state.value(v.BASE_URL)
                )
                if why is not None:
                    yield Problem(why, found.place, _better(known, found.value or "", state))
        for entry in state.gateway.entries:
            row = state.rows.listed(entry.model, entry.api_base)
            secret = state.gateway.secret(entry.params.get("api_key"), entry.place("api_key"))
            if row is None or not secret.value or placeholder(secret.value):
                continue
            why = rows.misfit(state.providers, row, secret.value)
            if why is not None:
                place = entry.place("api_key")
                if secret.source == "litellm.env":
                    place = state.litellm_env.place(secret.variable)
                yield Problem(why, place, row.credential.url or None)


def _better(known: Endpoint, key: str, state: State) -> Message | str:
    """The URL that a key of this kind belongs to; else how to give another key."""
    owner = rows.owner_of(state.providers, key)
    kind = rows.kind_of(known.row, key) if owner in {None, known.row.name} else None
    if kind is not None and kind.fits:
        fitting = kind.base_urls or known.row.base_urls
        url = fitting.get(known.region, next(iter(fitting.values()), ""))
        return msg("the URL for this key is {url}", url=url)
    return f"{INIT} --provider {known.row.key}"


class KEY006(Rule):
    name = "key-header"
    title = msg("The key goes in the header that the provider reads")
    why = msg(
        "`ANTHROPIC_AUTH_TOKEN` is sent as `Authorization: Bearer`, `ANTHROPIC_API_KEY` as"
        " `x-api-key`; some servers read only one."
    )
    severity = "note"
    needs = frozenset({"client"})
    requires = ("KEY001", "KEY002")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        found = next(iter(credentials(state)), None)
        row, wanted = _wanted(state)
        if found is None or row is None:
            return
        if found.name == wanted or key_header(state) == found.value:
            return
        values = {wanted: found.value or "", found.name: ""}
        what = msg(
            "{row} documents its key in `{wanted}`, not in `{name}`",
            row=row.name,
            wanted=wanted,
            name=found.name,
        )
        yield with_fix(what, found.place, set_everywhere(state, values, found.name), INIT)


def _wanted(state: State) -> tuple[Provider | None, str]:
    """The row that the client calls, where its key has one place to be, and that place."""
    url = urls.parse(state.value(v.BASE_URL))
    rows_here = state.providers.values() if url is not None else ()
    cloud = next((r for r in rows_here if url and url.host in r.credential.bearer_hosts), None)
    if cloud is not None:
        return cloud, v.AUTH_TOKEN
    known = endpoint(state)
    if known is None or known.row.credential.optional:
        return None, ""
    if known.row.local and not known.row.credential.variable:
        return None, ""
    return known.row, v.AUTH_TOKEN if header(known) == "bearer" else v.API_KEY


# --- who can read them -----------------------------------------------------------------------


def secret_files(state: State) -> Iterator[File]:
    """The files of this set-up that hold a secret now."""
    for holder in holders(state):
        if holder.file.exists and any(looks_secret(holder.values.get(c)) for c in v.CREDENTIALS):
            yield holder.file
    env, gateway = state.litellm_env, state.gateway
    if any(v.is_secret(n) and looks_secret(value) for n, value in env.data.items()):
        yield env
    keys = [entry.params.get("api_key") for entry in gateway.entries]
    if any(map(looks_secret, [*keys, gateway.general.get("master_key")])):
        yield state.litellm


class KEY007(Rule):
    name = "file-mode"
    title = msg("Only you can read a file with a key in it")
    why = msg("Every account and program on this machine could copy the key.")
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        ours = {state.dotenv.path, state.target.path, state.litellm.path, state.litellm_env.path}
        for file in secret_files(state):
            mode = file.snapshot.mode
            if mode is None or not mode & 0o077:
                continue
            fixes = (Fix(path=file.path, private=True),) if file.path in ours else ()
            shown = f"{mode:o}"
            what = msg("this file holds a key, and others can read it (mode {mode})", mode=shown)
            hint = f"chmod 600 {quoted(file.path)}"
            yield Problem(what, Place(path=file.path), hint, fixes=fixes)


class KEY008(Rule):
    name = "key-in-git"
    title = msg("No file with a key in it is in git")
    why = msg(
        "Everyone with the repository has the key, also from its history. Make a new key if it"
        " was ever pushed."
    )
    severity = "error"
    fatal = False

    def check(self, state: State) -> Iterable[Problem]:
        for file in secret_files(state):
            snapshot = file.snapshot
            if snapshot.committed:
                what = msg("this file holds a key, and it is in git's last commit: make a new key")
            elif snapshot.tracked:
                what = msg("this file holds a key, and git is about to commit it")
            else:
                continue
            yield Problem(what, Place(path=file.path), f"git rm --cached {quoted(file.path)}")


class KEY009(Rule):
    name = "key-not-ignored"
    title = msg("Git ignores the files with keys in them")
    why = msg("The next `git add .` would add the key.")
    how = msg("`--fix` names the file in `.git/info/exclude`, which stays on this machine.")
    requires = ("KEY008",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        for file in secret_files(state):
            if file.snapshot.ignored is False and not file.snapshot.tracked:
                what = msg("this file holds a key, and git does not ignore it")
                fix = Fix(path=file.path, exclude=True)
                yield with_fix(what, Place(path=file.path), (fix,))


_OUT: Final = msg("delete it, or type /logout in the client")


class KEY010(Rule):
    name = "second-credential"
    title = msg("No other credential stands behind the one in use")
    why = msg(
        "The client sends a Console login's `primaryApiKey`, or an `apiKeyHelper`'s key, to"
        " the same address as `x-api-key`, and warns at every start."
    )
    how = msg("`--fix` sends your own key in that header instead (`ANTHROPIC_CUSTOM_HEADERS`).")
    severity = "note"
    fatal = False
    needs = frozenset({"client", "shell"})
    requires = ("KEY002",)
    fixable = True

    def check(self, state: State) -> Iterable[Problem]:
        if not credentials(state):
            return
        from haha_config.core.change.helper import helper_profile
        from haha_config.core.change.outgoing import outgoing

        login = state.machine.primary_api_key if state.machine is not None else None
        sent = {header.source: header.name.lower() for header in outgoing(state, login)}
        for _, file in state.settings_files:
            command, place = file.data.get("apiKeyHelper"), file.place("apiKeyHelper")
            if command and (profile := helper_profile(command)):
                yield self._outranking(credentials(state)[0], profile)
            elif command:
                at = sent.get("apiKeyHelper", "")
                yield self._along(msg("`apiKeyHelper`"), place, state, at)
        oauth = state.effective("CLAUDE_CODE_OAUTH_TOKEN")
        if oauth.value:
            hint = f"unset {oauth.name}" if oauth.layer == "shell" else _OUT
            yield Problem(_second(msg("`CLAUDE_CODE_OAUTH_TOKEN`")), oauth.place, hint)
        if login is not None:
            yield self._along(msg("`primaryApiKey`"), login, state, sent.get("primaryApiKey", ""))

    @staticmethod
    def _along(name: Message, place: Place, state: State, at: str) -> Problem:
        """A credential that goes out in the header `at`; "" where another one takes its place."""
        found = credentials(state)[0]
        base = state.value(v.BASE_URL)
        if not at or not beside.elsewhere(base):
            return Problem(_second(name), place, _OUT)
        # No header of the person's own takes the place of a Bearer.
        replaced = targets(state) if at == headers.KEY else ()
        fixes = tuple(
            Fix(path=h.file.path, changes=changes)
            for h in replaced
            if (changes := tuple(beside.header_changes(found.value or "", state, h.file, h.root)))
        )
        what = msg(
            "{name} is sent to {url} too, in the header `{header}`",
            name=name,
            url=v.shown_url(base),
            header=at,
        )
        return with_fix(what, place, fixes, INIT if replaced else _OUT, "error")

    @staticmethod
    def _outranking(found: Effective, profile: str) -> Problem:
        name = found.name
        what = msg(
            "`{name}` beats the key of `{profile}` in the keyring", name=name, profile=profile
        )
        hint = f"unset {name}" if found.layer == "shell" else f"haha-config use {profile}"
        return Problem(what, found.place, hint, severity="warning")


def _second(name: Message) -> Message:
    return msg("{name} is a second credential; the client uses yours and warns", name=name)


class KEY011(Rule):
    name = "custom-header"
    title = msg("Custom headers can be sent, and none replaces the credential")
    why = msg(
        "`ANTHROPIC_CUSTOM_HEADERS` holds one `Name: value` a line. With a wrong name, as in"
        " JSON, the client sends none."
    )
    needs = frozenset({"client"})

    def check(self, state: State) -> Iterable[Problem]:
        found = state.effective(v.HEADERS)
        for what, hint, severity in self._found(found.value or "", state):
            yield Problem(what, found.place, hint, severity=severity)
        betas = state.effective("ANTHROPIC_BETAS")
        if not headers.is_value(betas.value or ""):
            yield Problem(_unsendable(betas.name), betas.place, _PLAIN, severity="error")

    def _found(self, text: str, state: State) -> Iterator[tuple[Message, Message, Severity]]:
        for line in filter(str.strip, headers.lines(text)):
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                what = msg("a line of `{name}` has no colon, so it is not sent", name=v.HEADERS)
                yield what, _LINES, "warning"
            elif not headers.is_name(name):
                what = msg("`{name}` has a wrong header name: nothing is sent", name=v.HEADERS)
                yield what, _LINES, "error"
            elif not headers.is_value(value):
                yield _unsendable(name), _PLAIN, "error"
            else:
                yield from self._sent(name, value, state)

    @staticmethod
    def _sent(name: str, value: str, state: State) -> Iterator[tuple[Message, Message, Severity]]:
        if re.search(r"(,|\\n)\s*[A-Za-z]\w*(-\w+)+:", value):
            what = msg("`{name}` is sent with all that follows it as one header", name=name)
            yield what, _LINES, "warning"
        if name.lower() == "authorization" and state.value(v.AUTH_TOKEN):
            what = msg("`{name}` is not sent: the client's own replaces it", name=name)
            yield what, msg("delete that header"), "note"
        found = credentials(state)
        if name.lower() == headers.KEY and found and key_header(state) != found[0].value:
            what = msg("the header `{name}` replaces your credential", name=name)
            yield what, msg("delete that header"), "warning"


def _unsendable(name: str) -> Message:
    return msg("`{name}` has letters that no header can have: nothing is sent", name=name)


_PLAIN: Final = msg("write it in plain letters")
_LINES: Final = msg("write each as `Name: value` on a line of its own (in JSON with \\n between)")


class KEY012(Rule):
    name = "project-key"
    title = msg("The project's settings.json holds no key")
    why = msg("Git shares that file; `settings.local.json` is private.")
    needs = frozenset({"settings"})

    def check(self, state: State) -> Iterable[Problem]:
        for holder in holders(state):
            for name in v.CREDENTIALS:
                if holder.layer == "project" and looks_secret(holder.values.get(name)):
                    what = msg("`{name}` is in a file that is shared through git", name=name)
                    yield Problem(what, holder.place(name), "haha-config init --scope local")


class KEY013(Rule):
    name = "trust"
    title = msg("No file of this folder sends your keys where you have not agreed")
    why = msg(
        "A cloned repository can bring an endpoint, a proxy, a certificate, a helper or code"
        " that would get your key."
    )
    needs = frozenset({"machine"})
    fatal = False

    def check(self, state: State) -> Iterable[Problem]:
        machine = state.machine
        if machine is None or not machine.brought:
            return
        for value in trust.unknown(self._values(state, machine), machine.agreed):
            what = msg("{what}, and you have not agreed to that", what=trust.told(value))
            severity: Severity = "note" if value.kind == "entry" else self.severity
            yield Problem(what, value.place, "haha-config trust", severity=severity)

    @staticmethod
    def _values(state: State, machine: Machine) -> Iterator[trust.NamingValue]:
        """What would get a key of the person's, and what LiteLLM would load."""
        keys = trust.credentials(state)
        for value in trust.client_values(state, machine.brought, machine.here):
            along = trust.going_along(value, keys, machine.brought, machine.agreed)
            if value.kind == "helper" or along:
                yield value
        folder = machine.brought.get(state.dotenv.path)
        for value in trust.gateway_values(state, folder) if folder is not None else ():
            pulled = any(name in state.environ for name in value.pulls)
            if value.kind in ("code", "ca", "proxy", "program") or pulled:
                yield value
