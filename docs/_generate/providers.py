"""Make `docs/providers.md` and `docs/providers/*.md` from the provider table.

`python docs/_generate/providers.py` writes them; `--check` only says which are stale (exit 1).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from haha_config.core.providers import catalog as offline
from haha_config.core.providers import table
from haha_config.core.providers.model import KeyKind, Model, Provider
from haha_config.io import templates
from haha_config.io.i18n import render

DOCS: Final = Path(__file__).resolve().parent.parent
HEADER: Final = (
    "<!-- Made by docs/_generate/providers.py from templates/providers: edit there. -->\n"
)
ROUTES: Final = {"direct": "direct", "litellm": "through LiteLLM"}


def pages() -> dict[str, str]:
    """Every page's text by its path below `docs/`."""
    rows = table.load(templates.provider_texts())
    models = offline.parse(templates.text("catalog.json"))
    found = {"providers.md": _index(rows.values())}
    found |= {f"providers/{row.key}.md": _page(row, models) for row in rows.values()}
    return found


def _index(rows: Iterable[Provider]) -> str:
    lines = [
        [f"[{row.name}](providers/{row.key}.md)", f"`{row.key}`", _routes(row), _variable(row)]
        for row in rows
    ]
    return "\n".join(
        (
            HEADER,
            "# Providers\n",
            "Each row is one file, `templates/providers/<key>.toml`. `haha-config providers` lists"
            " them, and `haha-config providers add FILE.toml` adds one of your own.\n",
            *_table(("Provider", "`--provider`", "Route", "Key found in"), lines),
            "",
            "The first route is the default; `--via` chooses the other one. A key is never a"
            " command-line argument: it comes from the variable above, from the variable that"
            " `--api-key-env` names, from standard input with `--api-key-stdin`, or from a masked"
            " prompt.",
            "",
        )
    )


def _page(row: Provider, models: offline.Catalog) -> str:
    parts = [HEADER, f"# {row.name}\n", f"{row.about}\n", *_setup(row), *_endpoints(row)]
    parts += [*_credential(row), *_variables(row), *_models(row, models), *_gateway(row)]
    parts += [*_web_search(row), *_conversations(row)]
    if row.notes:
        parts += ["## Worth knowing\n", *(f"- {note}" for note in row.notes), ""]
    parts.append(_checked(row))
    return "\n".join(parts)


def _checked(row: Provider) -> str:
    if not row.verified:
        return (
            f"Not checked: there is no public page to check it against. Its site: <{row.docs}>.\n"
        )
    return f"Last checked on {row.verified}. The page to compare it with: <{row.docs}>.\n"


def _setup(row: Provider) -> Iterator[str]:
    command = f"haha-config init --provider {row.key}"
    if row.multi:
        command += " --upstream deepseek:deepseek-flash --upstream ollama:qwen3-coder"
    elif not table.endpoint(row, row.region) and not _upstream_url(row):
        command += " --base-url URL"
    if not row.multi and "main" not in row.slots:
        command += " --model MODEL"
    yield f"```sh\n{command}\n```\n"
    if row.start and not row.multi:
        yield f"It runs on your machine and must be started first:\n\n```sh\n{row.start}\n```\n"


def _endpoints(row: Provider) -> Iterator[str]:
    urls = [(region, url) for region, url in row.base_urls.items() if url]
    if urls and not row.multi:
        yield "## Endpoint\n"
        yield from _table(("Region", "Base URL"), [[f"`{r}`", f"`{u}`"] for r, u in urls])
        yield ""
    if len(row.regions) > 1:
        yield f"`--region` chooses one; the default is `{row.region}`.\n"


def _credential(row: Provider) -> Iterator[str]:
    held = row.credential
    yield "## Key\n"
    if row.multi:
        yield "Each upstream's key is found in its own variable; the gateway's key is made.\n"
    elif not held.variable:
        yield f"None is needed; the client sends `{held.token}`, so that no key goes out.\n"
    else:
        where = f" You get one at <{held.url}>." if held.url else ""
        optional = f" Without one, `{held.token}` is sent." if held.optional else ""
        yield f"Found in `{held.variable}`.{optional}{where}\n"
        if "direct" in row.routes:
            also = " and, so that it asks nothing about the key, as `Authorization: Bearer`"
            both = also if held.either and held.header == "x-api-key" else ""
            yield f"The client sends it {_header(held.header)}{both}.\n"
    if held.kinds:
        lines = [[f"`{k.prefix}…`", k.name, _good_for(k)] for k in held.kinds]
        yield from _table(("Starts with", "Kind", ""), lines)
        yield ""


def _good_for(kind: KeyKind) -> str:
    said = [] if kind.fits else ["**does not fit**"]
    said += [kind.about] if kind.about else []
    said += [f"`{url}` ({region})" for region, url in kind.base_urls.items()]
    said += [f"sent {_header(kind.header)}"] if kind.header else []
    return "; ".join(said)


def _variables(row: Provider) -> Iterator[str]:
    if row.variables:
        yield "## Client variables\n"
        yield "Written on the direct route, besides the ones that every set-up gets:\n"
        lines = [[f"`{name}`", f"`{value}`"] for name, value in row.variables.items()]
        yield from _table(("Variable", "Value"), lines)
        yield ""


def _models(row: Provider, models: offline.Catalog) -> Iterator[str]:
    if row.slots:
        yield "## Models\n"
        slots = ", ".join(f"{slot} `{model}`" for slot, model in row.slots.items())
        yield f"Default slots: {slots}. A slot that is not named takes the model of `main`.\n"
    elif row.models:
        yield "## Models\n"
    if row.models:
        entries = [offline.describe(models, row, model.id) for model in row.models]
        heads = ("Model", "Context", "Output", "Tools", "Thinking", "USD per million", "")
        yield from _table(heads, map(_model, entries))
        yield ""
        if any(entry.price for entry in entries):
            sources = " and ".join(models.sources)
            yield f"Prices are those of {sources}, {models.date}; empty where unknown.\n"
    if row.discovery is not None:
        base = table.endpoint(row, row.region) or _upstream_url(row)
        url = table.at(row.discovery.url, base or "URL")
        yield f"The live list is read from `{url}` (`haha-config models`).\n"


def _model(entry: offline.CatalogEntry) -> list[str]:
    model = entry.model
    price = f"{entry.price.input:g} in, {entry.price.output:g} out" if entry.price else ""
    sizes = [f"{n:,}" if n else "" for n in (model.context, model.output)]
    name = f"`{model.id}`"
    return [name, *sizes, _yes(model.tools), _yes(model.thinking), price, _fate(model)]


def _fate(model: Model) -> str:
    said = [f"not served from {model.retired} on"] if model.retired else []
    said += [f"take `{model.instead}`"] if model.instead else []
    return "; ".join(said)


def _gateway(row: Provider) -> Iterator[str]:
    how = row.upstream
    if how is None:
        return
    yield "## Through LiteLLM\n"
    base = _upstream_url(row)
    at = f" at `{base}`" if base else " at the URL that you give"
    yield f"`model: {how.prefix}MODEL`{at}.\n"
    if how.chat_completions:
        yield "`use_chat_completions_url_for_anthropic_messages: true` goes along.\n"
    for params, when in ((how.params, ""), (how.params_without_thinking, " without thinking")):
        for name, value in params.items():
            yield f"For every model{when}: `{name}: {value}`.\n".replace("'", '"')


def _web_search(row: Provider) -> Iterator[str]:
    told = [(route, table.web_search(row, route)) for route in row.routes if not row.multi]
    if not any(search for _, search in told):
        return
    yield "## Web search\n"
    yield "The client's web search is a request that the service has to run.\n"
    for route, search in told:
        way = ROUTES[route][:1].upper() + ROUTES[route][1:]
        if search is None:
            yield f"- {way}: not known."
        else:
            words = render(table.said_of_search(search))
            yield f"- {way}: {words} ([source]({search.source}), looked up on {search.date})."
    yield "\nWhere it fails, `--deny-web-search` takes the tool away from the model.\n"


def _conversations(row: Provider) -> Iterator[str]:
    told = row.thinking_back
    if told is not None:
        yield "## Conversations begun on another model\n"
        yield (
            "They are refused once the other model has used a tool: this service wants back what"
            " was thought before each call. Start a new conversation, or run `/compact` in it"
            f" before you switch ([reported]({told.source}), looked up on {told.date}; what the"
            " clients send was [measured](../profiles.md#a-conversation-that-goes-on)).\n"
        )


def _upstream_url(row: Provider) -> str:
    return next(iter(row.upstream.api_base.values()), "") if row.upstream else ""


def _routes(row: Provider) -> str:
    return ", ".join(ROUTES[route] for route in row.routes)


def _variable(row: Provider) -> str:
    held = row.credential
    if not held.variable:
        return "no key needed"
    return f"`{held.variable}`" + (" (optional)" if held.optional else "")


def _header(header: str) -> str:
    return "as `Authorization: Bearer`" if header == "bearer" else "as `x-api-key`"


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[value]


def _table(heads: Iterable[str], lines: Iterable[list[str]]) -> Iterator[str]:
    names = list(heads)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"


def stale() -> list[str]:
    """The pages that are missing, differ, or belong to no row any more."""
    made = pages()
    there = {p.relative_to(DOCS).as_posix() for p in (DOCS / "providers").glob("*.md")}
    differing = {name for name, text in made.items() if _text(DOCS / name) != text}
    return sorted(differing | (there - made.keys()))


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main() -> int:
    old = stale()
    if "--check" in sys.argv[1:]:
        print("\n".join(f"stale: docs/{name}" for name in old) or "docs/providers is fresh")
        return 1 if old else 0
    made = pages()
    (DOCS / "providers").mkdir(exist_ok=True)
    for name in old:
        path = DOCS / name
        if name in made:
            path.write_text(made[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
