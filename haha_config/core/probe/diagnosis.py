"""What services answer when something is wrong, and what that means: a table, most telling first.

From LiteLLM (measured, 1.106.2), Ollama's source, and what users of OpenRouter, DeepSeek, MiniMax
and local servers reported; every row has a test. A reply that no row knows is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Final, Literal
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from haha_config.core import urls
from haha_config.core.exchange import HttpExchange
from haha_config.core.messages import Message, msg
from haha_config.core.model import Data, from_json, mapping
from haha_config.core.probe.client_profile import ClientProfile
from haha_config.core.probe.wire import OUTPUT

#: Where a reply says the trouble is. `params`: the model answers, but not to this shape.
Stage = Literal["reach", "auth", "model", "params", "tools", "context"]

Hint = Message | str | None


class Diagnosis(Struct, frozen=True, kw_only=True):
    """Why there was no answer, and what mends it.

    `client_goes_on`: the client does by itself what the probe must not, so that nothing is known.
    """

    stage: Stage
    what: Message
    hint: Hint = None
    client_goes_on: bool = False


class ErrorContext(Struct, frozen=True):
    """A refusing reply and who asked."""

    exchange: HttpExchange
    caller: ClientProfile
    found: re.Match[str]

    @property
    def model(self) -> str:
        return str(mapping(self.exchange.ask.body).get("model", ""))


class ErrorPattern(Struct, frozen=True):
    """A reply that we know. `pattern` is looked for in the body, without regard to case."""

    stage: Stage
    what: Message
    pattern: str = ""
    statuses: tuple[int, ...] = ()
    hint: Callable[[ErrorContext], Hint] | Hint = None


# --- hints that depend on who asked ----------------------------------------------------------


def _headers(s: ErrorContext) -> Hint:
    """The other header kind, if the row says that it should be that one."""
    row = s.caller.row
    if row is not None and row.credential.header not in s.caller.kinds:
        return msg(
            "{name} reads another key header: haha-config init --provider {key}",
            name=row.name,
            key=row.key,
        )
    if row is not None and len(row.base_urls) > 1:
        return msg(
            "a key of {name} works in one region: haha-config init --provider {key}"
            " --region {regions}",
            name=row.name,
            key=row.key,
            regions="|".join(row.base_urls),
        )
    if s.caller.kinds == ("x-api-key",):
        return msg("some services read only ANTHROPIC_AUTH_TOKEN: haha-config init")
    if s.caller.route == "litellm":
        return "haha-config validate --fix"
    return "haha-config init"


def _pull(s: ErrorContext) -> Hint:
    ollama = s.caller.row is not None and s.caller.row.key == "ollama"
    return f"ollama pull {quote(s.model)}" if ollama else _MODELS


def _smaller_output(s: ErrorContext) -> Hint:
    return setting_hint((f"{OUTPUT}={_fitting_output(s.found.string, s.caller)}",))


def setting_hint(settings: Sequence[str]) -> Hint:
    """Where such a setting goes."""
    return msg("set {settings} in `env` of settings.json", settings=tuple(settings))


def _leave_out(s: ErrorContext) -> Hint:
    """The client's own setting for the part that the refusal names."""
    setting = s.caller.wire.switch_without([s.found["field"]])
    return setting_hint((setting,)) if setting else None


def _no_thinking(s: ErrorContext) -> Hint:
    if s.caller.route == "litellm":
        return msg(
            'add `additional_drop_params: ["reasoning_effort"]` to this model '
            "in litellm_config.yaml"
        )
    return setting_hint(("CLAUDE_CODE_DISABLE_THINKING=1",))


def _other_path(s: ErrorContext) -> Hint:
    """An `openai/` model is called at /responses: newer ones whatever the flag says (measured)."""
    if s.caller.chat_flag:
        return msg(
            "write `hosted_vllm/NAME` instead of `openai/NAME` for `{model}` in"
            " litellm_config.yaml",
            model=s.model,
        )
    return msg(
        "an `openai/` model needs use_chat_completions_url_for_anthropic_messages: "
        "haha-config validate --fix"
    )


def window_hint(caller: ClientProfile) -> Hint:
    """How a server on this machine is given a window that the client can work in."""
    row = caller.row
    if row is not None and row.key == "ollama":
        return "OLLAMA_CONTEXT_LENGTH=65536 ollama serve"
    if caller.loopback or (row is not None and row.local):
        return msg("load the model with a window of at least 64K")
    return msg("choose a model with a window of at least 32K: haha-config models")


NO_SEARCH: Final = setting_hint(("ENABLE_TOOL_SEARCH=false",))
_MODELS: Final = "haha-config models"
_LOGS: Final = "haha-config proxy logs"
_ASK_FOR_A_KEY = msg("ask the gateway's owner for a new key, then: haha-config init")


#: First the replies whose words tell; statuses alone come last. A table, so that rows stay short.
# fmt: off
KNOWN: Final[tuple[ErrorPattern, ...]] = (
    # LiteLLM's own
    ErrorPattern(
        "auth", msg("this key is not the gateway's master key"),
        r"no_db_connection|no connected db", hint="haha-config validate --fix",
    ),
    ErrorPattern(
        "auth", msg("no key reached LiteLLM"),
        r"no module named 'prisma'|\bprisma\b", statuses=(401, 500),
        hint="haha-config validate --fix",
    ),
    ErrorPattern(
        "auth", msg("this key is not the gateway's master key"),
        r"litellm virtual key expected|invalid proxy server token|no api key passed in",
        hint="haha-config validate --fix",
    ),
    # a gateway for a team (measured, 1.108.7, with examples/team)
    ErrorPattern(
        "auth", msg("this key is unknown to the gateway, or revoked"),
        r"key is unknown to the gateway", hint=_ASK_FOR_A_KEY,
    ),
    ErrorPattern(
        "auth", msg("this key has expired"), r"expired[_ ]key|this key has expired",
        statuses=(400, 401), hint=_ASK_FOR_A_KEY,
    ),
    ErrorPattern(
        "model", msg("the gateway's limit is reached: {limit} {kind} a minute"),
        r"rate limit exceeded for \w+:.*limit type: (?P<kind>\w+).*current limit: (?P<limit>\d+)",
        hint=msg("wait a minute, or ask the gateway's owner for more"),
    ),
    ErrorPattern(
        "model", msg("the gateway does not allow `{model}` with this key"),
        r"model_access_denied|is not available for this api key|not allowed to access model",
        hint=_MODELS,
    ),
    ErrorPattern(
        "model",
        msg("the gateway takes no requests: its Redis does not answer"),
        r"request counters could not be verified against redis",
        hint=msg("the gateway's owner has to start Redis again"),
    ),
    ErrorPattern(
        "model", msg("LiteLLM pauses this model after upstream failures"),
        r"no deployments available.*try again in (?P<seconds>\d+)", hint=_LOGS,
    ),
    ErrorPattern(
        "model", msg("the gateway offers no model `{model}`"),
        r"invalid model name passed in|no deployments available", hint=_MODELS,
    ),
    ErrorPattern(
        "model", msg("LiteLLM left out `{model}`: unknown prefix"),
        r"no healthy deployments",
        hint=msg("put the provider before the name in `model:` (`openai/NAME`): haha-config "
            "validate"),
    ),
    ErrorPattern(
        "model", msg("LiteLLM has no upstream key for `{model}`"),
        r"litellm\.\w+error.{0,120}missing credentials",
        hint=msg("put the variable of `api_key` into litellm.env, then: haha-config proxy"
                     " restart"),
    ),
    ErrorPattern(
        "model", msg("the upstream refuses the gateway's key"), r"litellm\.authenticationerror",
        hint=msg("put the right key into litellm.env, then: haha-config proxy restart"),
    ),
    ErrorPattern(
        "model", msg("the upstream reports too many requests or no credit"),
        r"litellm\.ratelimiterror", hint=msg("wait, or look at the upstream's account"),
    ),
    ErrorPattern(
        "model", msg("the upstream lacks the model behind `{model}`"),
        r"litellm\.notfounderror.*(?P<said>model).*(not found|does not exist|not exist)",
        hint=_MODELS,
    ),
    ErrorPattern(
        "model", msg("the upstream lacks the path that LiteLLM calls (404)"),
        r"litellm\.notfounderror", hint=_other_path,
    ),
    ErrorPattern(
        "model", msg("LiteLLM can't reach its upstream"),
        r"litellm\.(apiconnectionerror|internalservererror).{0,200}"
        r"(connection error|cannot connect|connect call failed)", hint=_LOGS,
    ),
    ErrorPattern(
        "model", msg("the upstream answers with a web page, not as an API"),
        r"litellm\.\w+error.{0,200}<!doctype|litellm\.\w+error.{0,200}<html",
        hint=msg("check `api_base` of this model in litellm_config.yaml"),
    ),
    ErrorPattern(
        "model", msg("the upstream did not answer in time"), r"litellm\.timeout",
        hint=_LOGS,
    ),
    # what a model or a server can't do
    ErrorPattern(
        "tools", msg("this model can't call tools"),
        r"does not support tools|tool.{0,20}not supported|no endpoints found that support tool"
        r"|enable-auto-tool-choice|requires --jinja|tools param requires",
        hint="haha-config models --tools",
    ),
    ErrorPattern(
        "params", msg("the endpoint does not know deferred tools"), r"tool_reference|defer_loading",
        hint=NO_SEARCH,
    ),
    ErrorPattern(
        "params", msg("this model does not think; the client asks for thinking"),
        r"does not support thinking|thinking.{0,40}not (supported|enabled)"
        r"|adaptive.{0,60}(not supported|invalid|expected)|input tag 'adaptive'", hint=_no_thinking,
    ),
    ErrorPattern(
        "tools", msg("the endpoint wants thinking back after a tool call"),
        r"thinking.{0,60}must be passed back|expected `?thinking`?"
        r"|signature.{0,40}(required|invalid)", hint=_no_thinking,
    ),
    ErrorPattern(
        "params", msg("the endpoint refuses `{field}`"),
        r"(?P<field>\b[a-z][a-z-]+-20\d\d-\d\d-\d\d|context_management|output_config|cache_control)",
        statuses=(400, 422), hint=_leave_out,
    ),
    ErrorPattern(
        "params", msg("the endpoint refuses a field of the client's ({said})"),
        r"extra inputs are not permitted|extra_forbidden|unknown (field|parameter|argument)"
        r"|unrecognized (request )?(field|argument)|unsupportedparamserror",
    ),
    ErrorPattern(
        "context", msg("the prompt exceeds the model's window"),
        r"prompt is too long|context[_ ](length|size|window)|maximum context|n_ctx"
        r"|exceeds? the (available )?context|too many tokens|input is too long",
        hint=lambda s: window_hint(s.caller),
    ),
    ErrorPattern(
        "params", msg("the model can't write {n} tokens, as the client allows"),
        r"max_(completion_)?tokens|max_output_tokens|maximum allowed number of output tokens",
        statuses=(400, 422), hint=_smaller_output,
    ),
    ErrorPattern(
        "model", msg("the model does not fit into memory"),
        r"more (system )?memory|out of memory|insufficient memory",
    ),
    # money, region, keys
    ErrorPattern(
        "model", msg("the account has no credit"),
        r"insufficient[_ ]?(balance|quota|credit|funds)|exceeded your current quota"
        r'|requires more credits|余额不足|\"?status_code\"?: ?1008',
        hint=msg("top up, or choose another provider: haha-config init"),
    ),
    ErrorPattern(
        "auth", msg("the service excludes this country or region"),
        r"unsupported_country|country, region, or territory"
        r"|not available in your (country|region)",
    ),
    ErrorPattern(
        "auth", msg("the service found no key"),
        r"no auth credentials found"
        r"|missing.{0,30}(api[ _-]?key|authorization|authentication|credential)"
        r"|(api[ _-]?key|authorization|authentication).{0,30}(required|missing|not provided)"
        r"|missing bearer", statuses=(200, 400, 401, 403), hint=_headers,
    ),
    ErrorPattern(
        "auth", msg("the service does not accept this key"),
        r"login fail|invalid[_ ]api[_ ]?key|incorrect api key|invalid x-api-key|user not found"
        r'|status_code\"?: ?(1004|2049)|invalid token|token.{0,20}expired'
        r"|api key.{0,20}(invalid|expired)", statuses=(200, 400, 401, 403), hint=_headers,
    ),
    # model names
    ErrorPattern(
        "model", msg("the endpoint has no model `{model}`"),
        r"not a valid model|model_not_found|unknown model|no such model|invalid model"
        r'|model[^\"]{0,80}(not found|does not exist|not exist|not supported|is not available)'
        r'|\"message\": ?\"model: ', statuses=(200, 400, 404, 422), hint=_pull,
    ),
    # statuses whose words we don't know
    ErrorPattern(
        "model", msg("the upstream refuses LiteLLM's request with HTTP {code}"),
        r"litellm\.\w+.{0,300}error code: (?P<code>\d{3})", hint=_LOGS,
    ),
    ErrorPattern(
        "auth", msg("the service does not accept this key ({said})"), statuses=(401,),
        hint=_headers,
    ),
    ErrorPattern(
        "model", msg("the account has no credit"), statuses=(402,),
        hint=msg("top up, or choose another provider: haha-config init"),
    ),
    ErrorPattern(
        "auth", msg("the service refuses this key or address ({said})"), statuses=(403,),
        hint=_headers,
    ),
    ErrorPattern("context", msg("the request is too large for the endpoint"), statuses=(413,)),
    ErrorPattern(
        "model", msg("too many requests ({said})"), statuses=(429,),
        hint=msg("wait, or look at the account's limits"),
    ),
    ErrorPattern(
        "model", msg("the service is overloaded or loading ({said})"),
        statuses=(503, 529), hint=msg("try again in a minute"),
    ),
)
# fmt: on


def judge(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    """Why this exchange is no answer."""
    if exchange.status is None:
        return _unanswered(exchange, caller)
    if 300 <= exchange.status < 400:
        return _redirected(exchange, caller)
    kind, start = exchange.headers.get("content-type", ""), exchange.body.lstrip()[:15].lower()
    if "text/html" in kind or start.startswith(("<!doctype", "<html")):
        return _page(exchange, caller)
    for known in KNOWN:
        if exchange.status in known.statuses or (not known.statuses and exchange.status >= 400):
            found = re.search(known.pattern, exchange.body[:20_000], re.IGNORECASE | re.DOTALL)
            if found is not None:
                return _explained(known, ErrorContext(exchange, caller, found))
    return _unknown(exchange, caller)


def _explained(known: ErrorPattern, at: ErrorContext) -> Diagnosis:
    values = {
        "model": at.model,
        "said": shortened(words(at.exchange)),
        "n": at.caller.max_tokens,
        **{name: text for name, text in at.found.groupdict().items() if text},
    }
    hint = known.hint(at) if callable(known.hint) else known.hint
    return Diagnosis(stage=known.stage, what=Message(known.what.text, values), hint=hint)


def asked_wait(exchange: HttpExchange) -> float | None:
    """Seconds that the endpoint wants us to wait; None where it does not say."""
    asked = exchange.headers.get("retry-after", "")
    if asked.isdigit():
        return float(asked)
    pause = re.search(r"try again in (\d+)", exchange.body[:20_000], re.IGNORECASE)
    return float(pause[1]) + 0.5 if pause else None


def settings_without(
    parts: Sequence[str], refused: HttpExchange, caller: ClientProfile
) -> tuple[str, ...]:
    """The `NAME=value` of the client that leave these parts out; none where one has no such."""
    found: list[str] = []
    for part in parts:
        if part == "max_tokens":
            setting = f"{OUTPUT}={_fitting_output(refused.body, caller)}"
        else:
            setting = caller.wire.switch_without([part])
        if not setting:
            return ()
        found.append(setting)
    return tuple(dict.fromkeys(found))


def _fitting_output(said: str, caller: ClientProfile) -> int:
    """The largest output that the refusal names, below what was asked for."""
    numbers = [int(n) for n in re.findall(r"\d{3,7}", said)]
    return max((n for n in numbers if n < caller.max_tokens), default=8192)


# --- no answer at all ------------------------------------------------------------------------


def _unanswered(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    what, failure = silence(exchange), exchange.failure or ""
    if failure == "slow":
        # Nothing came in the time that we gave it, which may be less than the client's.
        early = exchange.ask.timeout < caller.patience
        if early:
            what = msg("{what}; the client waits {n} s", what=what, n=round(caller.patience))
        return Diagnosis(stage="model", what=what, hint=logs_hint(caller), client_goes_on=early)
    through = msg("check HTTPS_PROXY and NO_PROXY: haha-config show")
    if caller.loopback:
        through = msg("add 127.0.0.1,localhost to NO_PROXY")
    hints: dict[str, Hint] = {
        "dns": None,
        "refused": _start(caller),
        "unreachable": None,
        "tls": msg("try http:// instead of https://") if caller.loopback else None,
        "certificate": msg("set NODE_EXTRA_CA_CERTS to the issuer's certificate file"),
        "proxy": through,
        "socks": msg("set HTTPS_PROXY to that proxy's http:// port"),
    }
    if failure in hints:
        return _at_reach(what, hints[failure])
    return Diagnosis(stage="model", what=what)


def silence(exchange: HttpExchange) -> Message:
    """Why no answer came at all, in words."""
    host = urlsplit(exchange.ask.url).netloc.rpartition("@")[2]
    reason = exchange.reason
    words: dict[str, Message] = {
        "dns": msg("`{host}` has no address: wrong name, or this machine is offline", host=host),
        "refused": msg("nothing listens at {host}", host=host),
        "unreachable": msg("{host} can't be reached ({reason})", host=host, reason=reason),
        "tls": msg("{host} breaks the TLS protocol ({reason})", host=host, reason=reason),
        "certificate": msg(
            "the certificate of {host} is not trusted ({reason})", host=host, reason=reason
        ),
        "proxy": msg("the proxy (HTTP_PROXY, HTTPS_PROXY) did not reach {host}", host=host),
        "socks": msg("the client can't use a {reason} proxy", reason=reason.upper()),
        "slow": msg("no answer began within {n} s", n=round(exchange.ask.timeout)),
        "stalled": msg("the answer stopped for {n} s", n=round(exchange.waited)),
    }
    silent = msg("{host} hung up without an answer", host=host)
    return words.get(exchange.failure or "", silent)


def _at_reach(what: Message, hint: Hint = None) -> Diagnosis:
    return Diagnosis(stage="reach", what=what, hint=hint)


def _start(caller: ClientProfile) -> Hint:
    if caller.route == "litellm":
        return "haha-config proxy up"
    if caller.row is not None and caller.row.local and caller.row.start:
        return caller.row.start
    return None


def logs_hint(caller: ClientProfile) -> Hint:
    """Where a failure behind the gateway is told."""
    return _LOGS if caller.route == "litellm" else None


# --- pages and wrong places ------------------------------------------------------------------


#: The client repeats its request at the new place; after the other codes it asks by GET, without
#: a body. Measured with 2.1.197 and 2.1.330 (tests/e2e/test_probe.py).
_REPEATED: Final = (307, 308)


def _redirected(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    """The probe follows no redirect with a key; what the client makes of it depends."""
    try:
        there = urljoin(exchange.ask.url, exchange.headers.get("location", ""))
    except ValueError:
        there = exchange.ask.url
    base = urls.without_endpoint(there.split("?")[0])
    if not urls.same_origin(there, caller.base_url):
        return _sent_away(there, base, caller)
    if "location" not in exchange.headers:
        return _at_reach(
            msg("the endpoint redirects nowhere (HTTP {status})", status=exchange.status)
        )
    hint = _init_at(base)
    if exchange.status in _REPEATED:
        what = msg(
            "the endpoint redirects to {url}. The client follows, the probe does not", url=base
        )
        return Diagnosis(stage="reach", what=what, hint=hint, client_goes_on=True)
    what = msg(
        "the endpoint redirects to {url} (HTTP {status}): the question gets lost",
        url=base,
        status=exchange.status,
    )
    return _at_reach(what, hint)


def _init_at(url: str) -> str:
    """The set-up at another URL; the endpoint may have named it, and a person pastes this."""
    return f"haha-config init --base-url {quote(url)}"


def _sent_away(there: str, base: str, caller: ClientProfile) -> Diagnosis:
    """Another host, port or scheme: the client takes the conversation there (measured).

    Of the key it leaves behind only the `Authorization` header.
    """
    mine, other = urlsplit(caller.base_url), urlsplit(there)
    host = f"{other.scheme}://{other.hostname}"
    if "x-api-key" in caller.kinds:
        what = msg(
            "the endpoint redirects to {host}: conversation and key would go there", host=host
        )
    else:
        what = msg(
            "the endpoint redirects to {host}: the conversation would go there, without the key",
            host=host,
        )
    if mine.hostname == other.hostname:
        return _at_reach(what, _init_at(base))
    return _at_reach(what, msg("check the URL: {url}", url=caller.base_url))


_WALL: Final = re.compile(
    r"cloudflare|attention required|just a moment|access denied|forbidden|captcha|waf|incapsula|"
    r"akamai|request blocked|challenge",
    re.IGNORECASE,
)


def _page(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    status = exchange.status
    if status in (403, 429, 503) and _WALL.search(exchange.body):
        return _at_reach(
            msg("a firewall refuses the request (HTTP {status})", status=status),
            msg("is a VPN, company proxy or country block in between?"),
        )
    if status in (502, 503, 504):
        return _at_reach(
            msg("a server in front can't reach the endpoint (HTTP {status})", status=status)
        )
    found = re.search(r"<title[^>]*>(.*?)</title>", exchange.body, re.IGNORECASE | re.DOTALL)
    title = shortened(found[1] if found else exchange.body, 40)
    return _at_reach(
        msg(
            "a web page answers, not an API (HTTP {status}, “{title}”)", status=status, title=title
        ),
        msg("is the URL right? Is a sign-in page in between? {url}", url=caller.base_url),
    )


def _unknown(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    status = exchange.status or 0
    said = shortened(words(exchange))
    if exchange.succeeded:
        return _not_an_answer(exchange, caller)
    if status in (404, 405, 501):
        return _at_reach(
            msg("no Messages API at {url} (HTTP {status})", url=caller.url, status=status),
            _better_url(caller),
        )
    if status >= 500 and not caller.kinds:
        # LiteLLM looks for a key that did not come in a database that it does not have.
        return Diagnosis(
            stage="auth",
            what=msg("the endpoint fails without a key (HTTP {status})", status=status),
            hint="haha-config init",
        )
    if status >= 500:
        what = msg("the endpoint failed with HTTP {status}: {said}", status=status, said=said)
        return Diagnosis(stage="model", what=what, hint=logs_hint(caller))
    what = msg(
        "the endpoint refuses the request with HTTP {status}: {said}", status=status, said=said
    )
    return Diagnosis(stage="params", what=what)


def _not_an_answer(exchange: HttpExchange, caller: ClientProfile) -> Diagnosis:
    if not exchange.body.strip():
        return Diagnosis(
            stage="model", what=msg("HTTP 200 and an empty answer"), hint=_better_url(caller)
        )
    if "choices" in mapping(from_json(exchange.body)):
        return _at_reach(
            msg("the endpoint answers in OpenAI's protocol"),
            "haha-config init --provider custom-openai",
        )
    said = shortened(words(exchange))
    return Diagnosis(
        stage="model", what=msg("HTTP 200 without a Messages API answer: {said}", said=said)
    )


def _better_url(caller: ClientProfile) -> Hint:
    """The row's own URL where the configured one is not it; else what is off in the path."""
    bare = urls.without_endpoint(caller.base_url)
    if bare != caller.base_url.rstrip("/"):
        return _init_at(bare)
    return msg("check ANTHROPIC_BASE_URL: the client adds /v1/messages")


# --- words -----------------------------------------------------------------------------------


def words(exchange: HttpExchange) -> str:
    """The message inside an error, whatever its shape."""
    return next(_messages(from_json(exchange.body)), exchange.body)


def _messages(data: Data) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for name in ("error", "base_resp", "message", "status_msg", "detail", "msg"):
            if name in data:
                yield from _messages(data[name])
    elif isinstance(data, list):
        for item in data:
            yield from _messages(item)


def shortened(text: str, limit: int = 160) -> str:
    """One line of at most `limit` characters. Keys that a service quotes are masked."""
    line = " ".join(text.split())
    line = re.sub(r"\b(sk|cpk|tp|pk)-[A-Za-z0-9_\-*.]{6,}", "****", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"
