"""The provider table: every row, the strict parser, and which key goes where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from haha_config.core.errors import Refusal, Usage
from haha_config.core.model import SLOTS
from haha_config.core.providers import table
from haha_config.core.providers.decode import did_you_mean
from haha_config.core.providers.model import Provider
from haha_config.io import templates
from haha_config.io.i18n import english
from haha_config.io.prompts.choice_list import Row, matching

ROWS = table.load(templates.provider_texts())

#: Design section 3: the keys, in the order of the menu's families, and each one's variable.
VARIABLES = {
    "litellm": "",
    "openai": "OPENAI_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "minimax": "MINIMAX_API_KEY",
    "ollama": "",
    "deepseek": "DEEPSEEK_API_KEY",
    "kimi": "MOONSHOT_API_KEY",
    "glm": "ZAI_API_KEY",
    "qwen": "DASHSCOPE_API_KEY",
    "lmstudio": "",
    "llamacpp": "",
    "vllm": "",
    "a2o": "A2O_AUTH_TOKEN",
    "empero": "EMPERO_API_KEY",
    "alma": "ALMA_API_KEY",
    "chutes": "CHUTES_API_KEY",
    "custom-anthropic": "CUSTOM_ANTHROPIC_API_KEY",
    "custom-openai": "CUSTOM_OPENAI_API_KEY",
}
OPTIONAL = {"empero", "alma"}
DIRECT_BY_DEFAULT = {"minimax", "deepseek", "openrouter", "ollama"}
#: The day on which the table was last compared with its sources: retired by then is no default.
TABLE_DATE = "2026-11-22"


@pytest.fixture(params=ROWS.values(), ids=ROWS)
def row(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


def texts(row: Provider) -> Iterator[str]:
    """Everything in a row that a person reads and a language changes."""
    yield row.about
    yield from row.notes
    for kind in row.credential.kinds:
        yield kind.name
        if kind.about:
            yield kind.about


def test_the_designs_rows_are_in_the_table() -> None:
    assert {key: ROWS[key].credential.variable for key in VARIABLES} == VARIABLES
    assert {key for key in VARIABLES if ROWS[key].credential.optional} == OPTIONAL
    assert {k for k in DIRECT_BY_DEFAULT if ROWS[k].routes[0] != "direct"} == set()


def test_menu_order_is_the_files_and_has_no_ties() -> None:
    orders = [row.order for row in ROWS.values()]
    assert orders == sorted(set(orders))


def test_direct_urls_never_end_in_v1(row: Provider) -> None:
    urls = [*row.base_urls.values()]
    urls += [url for kind in row.credential.kinds for url in kind.base_urls.values()]
    assert [u for u in urls if re.search(r"/v1/?$", u)] == []


def test_every_region_has_its_urls(row: Provider) -> None:
    assert row.regions
    if row.upstream is not None and row.base_urls:
        assert row.upstream.api_base.keys() == row.base_urls.keys()
    for kind in row.credential.kinds:
        assert kind.base_urls.keys() in (set(), row.base_urls.keys())


def test_default_slots_are_models_of_the_row_or_found_live(row: Provider) -> None:
    assert set(row.slots) <= set(SLOTS)
    assert not row.slots or "main" in row.slots
    unlisted = [name for name in row.slots.values() if row.model(name) is None]
    if row.models:
        assert unlisted == []


def test_no_default_is_retired(row: Provider) -> None:
    slots = [*row.slots.values()]
    slots += [name for kind in row.credential.kinds for name in kind.slots.values()]
    known = [row.model(name) for name in slots]
    assert [m.id for m in known if m is not None and m.retired] == []


def test_what_to_take_instead_is_there_and_lasts(row: Provider) -> None:
    for model in row.models:
        if model.instead is not None:
            successor = row.model(model.instead)
            assert successor is not None, model.id
            assert successor.retired is None, model.id


def test_a_model_that_is_already_gone_names_another(row: Provider) -> None:
    gone = [m for m in row.models if m.retired is not None and m.retired <= TABLE_DATE]
    assert [m.id for m in gone if m.instead is None] == []


def test_no_key_means_a_token(row: Provider) -> None:
    """A base URL never goes out without a credential: the client would send its own login."""
    held = row.credential
    if (not held.variable or held.optional) and not row.multi:
        assert held.token


def test_each_row_says_itself_in_chinese(row: Provider) -> None:
    missing = [text for text in texts(row) if not re.search(r"[一-鿿]", row.zh.get(text, ""))]
    assert missing == []


def test_backticked_words_survive_translation(row: Provider) -> None:
    for text in texts(row):
        assert sorted(re.findall(r"`[^`]+`", text)) == sorted(
            re.findall(r"`[^`]+`", row.zh[text])
        ), text


def test_client_variables_are_taken_out_again(row: Provider) -> None:
    asked = {*row.variables, *(name for model in row.models for name in model.env)}
    assert asked <= set(table.SETTABLE)


def test_local_rows_stay_on_this_machine(row: Provider) -> None:
    if row.local:
        assert all(
            re.match(r"http://(localhost|127\.0\.0\.1):\d+$", u) for u in row.base_urls.values()
        )


def test_discovery_asks_no_other_host_than_the_endpoint(row: Provider) -> None:
    if row.discovery is not None:
        assert row.discovery.url.startswith(("{base}/", "{origin}/"))


def test_litellm_is_given_the_url_of_the_protocol_that_it_speaks(row: Provider) -> None:
    """Read in the source of the LiteLLM of our lock: these three call `{api_base}/v1/messages`."""
    if row.upstream is not None:
        speaks_anthropic = row.upstream.prefix in {"deepseek/", "minimax/", "anthropic/"}
        for url in filter(None, row.upstream.api_base.values()):
            assert url.endswith("/anthropic") == speaks_anthropic


def test_local_ports_are_those_of_the_servers_and_not_the_gateways() -> None:
    ports = table.local_ports(ROWS)
    assert {11434, 1234, 8080, 8000, 11001, 8082} == ports


# --- look-ups --------------------------------------------------------------------------------


def test_an_unknown_provider_names_the_nearest() -> None:
    with pytest.raises(Usage) as refused:
        table.row(ROWS, "depseek")
    assert english(refused.value.hints[0]) == "did you mean `deepseek`?"


def test_nothing_near_gives_no_hint() -> None:
    assert did_you_mean("zzzzzz", ROWS) == ()


@pytest.mark.parametrize(
    ("key", "base", "asked"),
    [
        ("deepseek", "https://api.deepseek.com/anthropic", "https://api.deepseek.com/models"),
        ("deepseek", "http://127.0.0.1:9/anthropic", "http://127.0.0.1:9/models"),
        ("openrouter", "https://openrouter.ai/api/", "https://openrouter.ai/api/v1/models"),
        ("ollama", "http://localhost:11434", "http://localhost:11434/api/tags"),
        ("kimi", "https://api.moonshot.cn/anthropic", "https://api.moonshot.cn/v1/models"),
    ],
)
def test_the_live_list_is_at_the_endpoints_own_host(key: str, base: str, asked: str) -> None:
    row = ROWS[key]
    assert row.discovery is not None
    assert table.at(row.discovery.url, base) == asked


@pytest.mark.parametrize(
    ("key", "region", "credential", "url"),
    [
        ("minimax", "china", "", "https://api.minimaxi.com/anthropic"),
        ("minimax", "nowhere", "", "https://api.minimax.io/anthropic"),
        ("kimi", "global", "sk-kimi-0123456789abcdef", "https://api.kimi.ai/coding"),
        ("kimi", "china", "sk-kimi-0123456789abcdef", "https://api.kimi.com/coding"),
        ("kimi", "china", "sk-0123456789abcdef", "https://api.moonshot.cn/anthropic"),
        ("alma", "global", "", ""),
        ("custom-openai", "global", "", ""),
    ],
)
def test_endpoint_of_a_key(key: str, region: str, credential: str, url: str) -> None:
    assert table.endpoint(ROWS[key], region, credential) == url


# --- keys ------------------------------------------------------------------------------------

OPENROUTER = "sk-or-v1-0123456789abcdef"
PLAN = "sk-kimi-0123456789abcdef"


@pytest.mark.parametrize(
    ("key", "credential", "said"),
    [
        ("openai", OPENROUTER, "this is a key of OpenRouter, not of OpenAI"),
        ("openai", "sk-ant-api03-0123456789", "this is a key of Anthropic, not of OpenAI"),
        ("deepseek", "sk-proj-0123456789", "this is a key of OpenAI, not of DeepSeek"),
        ("chutes", "sk-ant-api03-0123456789", "this is a key of Anthropic, not of Chutes"),
        ("qwen", PLAN, "this is a key of Kimi (Moonshot AI), not of Qwen (Alibaba Model Studio)"),
        (
            "openai",
            "sk-admin-0123456789",
            "OpenAI admin key: an admin key manages an organisation and can't call models",
        ),
    ],
)
def test_a_key_of_another_kind_is_named(key: str, credential: str, said: str) -> None:
    message = table.misfit(ROWS, ROWS[key], credential)
    assert message is not None
    assert english(message) == said
    assert credential not in english(message)


@pytest.mark.parametrize(
    ("key", "credential"),
    [
        ("openai", "sk-0123456789abcdef"),
        ("openai", "sk-proj-0123456789"),
        ("openrouter", OPENROUTER),
        ("deepseek", "sk-0123456789abcdef"),
        ("glm", "0123456789abcdef.ABCDEF"),
        ("custom-anthropic", "sk-ant-api03-0123456789"),
        ("custom-openai", OPENROUTER),
        ("minimax", "eyJ0123456789"),
    ],
)
def test_a_key_that_may_fit_is_taken(key: str, credential: str) -> None:
    assert table.misfit(ROWS, ROWS[key], credential) is None


def test_a_plans_key_is_refused_at_the_pay_as_you_go_url_and_the_other_way_round() -> None:
    kimi = ROWS["kimi"]
    assert table.misfit(ROWS, kimi, PLAN, "https://api.kimi.com/coding/") is None
    wrong = table.misfit(ROWS, kimi, PLAN, "https://api.moonshot.ai/anthropic")
    assert wrong is not None
    assert "Kimi Code membership key" in english(wrong)
    assert table.misfit(ROWS, kimi, "sk-0123456789abcdef", "https://api.kimi.ai/coding") is not None
    assert table.misfit(ROWS, kimi, PLAN, "http://127.0.0.1:8080") is None


# --- the strict parser -----------------------------------------------------------------------

GOOD = """\
key = "mine"
name = "Mine"
about = "A service of mine."
routes = ["direct"]

[base_urls]
global = "https://models.example/anthropic"

[credential]
variable = "MINE_API_KEY"

[slots]
main = "one"

[[models]]
id = "one"
context = 100000
"""


def test_a_row_of_ones_own_needs_little() -> None:
    row = table.parse("mine", GOOD)
    assert (row.key, row.region, row.credential.header) == ("mine", "global", "bearer")
    assert row.model("one[1m]") is not None


def test_a_row_of_ones_own_replaces_the_tables() -> None:
    text = GOOD.replace('"mine"', '"ollama"')
    rows = table.load([*templates.provider_texts(), ("ollama", text, "/rows/ollama.toml")])
    assert rows["ollama"].name == "Mine"
    assert len(rows) == len(ROWS)


@pytest.mark.parametrize(
    ("old", "new", "line", "said", "hint"),
    [
        ("name =", "nmae =", 2, "there is no `nmae` here", "did you mean `name`?"),
        ('name = "Mine"\n', "", None, "`name` is missing", None),
        (
            'name = "Mine"',
            'name = "Mine"\nbase_url = "x"',
            3,
            "there is no `base_url` here",
            "did you mean `base_urls`?",
        ),
        ('about = "A service of mine."', "about = 3", 3, "`about` has the wrong type", None),
        ("context = 100000", 'context = "100k"', 17, "`models.context` has the wrong type", None),
        ("context = 100000", "context = true", 17, "`models.context` has the wrong type", None),
        (
            '["direct"]',
            '["direkt"]',
            4,
            "`routes` can't be `direkt`: direct, litellm",
            "did you mean `direct`?",
        ),
        ('["direct"]', "[]", 4, "`routes` is empty", None),
        ('["direct"]', '["litellm"]', 4, "the route `litellm` needs a table `upstream`", None),
        (
            'anthropic"',
            'anthropic/v1"',
            7,
            "a base URL can't end in `/v1`: the client adds it",
            None,
        ),
        ("https://models", "https://me:secret@models", 7, None, None),
        (
            'variable = "MINE_API_KEY"',
            'variable = "X"\nheader = "barer"',
            11,
            "`credential.header` can't be `barer`: bearer, x-api-key",
            "did you mean `bearer`?",
        ),
        (
            "main =",
            "mian =",
            13,
            "`slots` can't be `mian`: main, opus, sonnet, haiku, fable, subagent",
            "did you mean `main`?",
        ),
        (
            'main = "one"',
            'main = "onne"',
            13,
            "`main` is `onne`, which is not among `models`",
            "did you mean `one`?",
        ),
        (
            'id = "one"',
            'id = "one"\nretired = "soon"',
            17,
            '`models.retired` must be a date like "2026-11-22"',
            None,
        ),
        (
            'key = "mine"',
            'key = "other"',
            1,
            "`key` is `other`, but the file is named `mine.toml`",
            None,
        ),
    ],
)
def test_a_bad_row_is_refused_with_its_line(
    old: str, new: str, line: int | None, said: str | None, hint: str | None
) -> None:
    with pytest.raises(Refusal) as refused:
        table.parse("mine", GOOD.replace(old, new), path="/rows/mine.toml")
    error = refused.value
    assert error.place is not None
    assert (error.place.path, error.place.line) == ("/rows/mine.toml", line)
    if said is not None:
        assert english(error.what) == said
    assert [english(h) for h in error.hints] == ([hint] if hint else [])


def test_what_is_not_toml_is_refused_with_line_and_column() -> None:
    with pytest.raises(Refusal) as refused:
        table.parse("mine", 'key = "mine"\nname = Mine\n')
    assert refused.value.place is not None
    assert (refused.value.place.line, refused.value.place.column) == (2, 8)


def test_a_url_with_a_password_is_not_printed() -> None:
    with pytest.raises(Refusal) as refused:
        table.parse("mine", GOOD.replace("https://models", "https://me:hunter2@models"))
    assert "hunter2" not in english(refused.value.what)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('variable = "MINE_API_KEY"', "", "without a key a `token` is needed"),
        (
            "[[models]]",
            '[discovery]\nurl = "https://elsewhere.example/models"\nkind = "openai"\n[[models]]',
            "`discovery.url` must start with `{base}` or `{origin}`",
        ),
        (
            "[[models]]",
            '[variables]\nANTHROPIC_AUTH_TOKEN = "x"\n[[models]]',
            "`ANTHROPIC_AUTH_TOKEN` is not a variable that a provider can set",
        ),
    ],
)
def test_a_row_that_would_send_a_login_or_a_key_astray_is_refused(
    old: str, new: str, said: str
) -> None:
    with pytest.raises(Refusal) as refused:
        table.parse("mine", GOOD.replace(old, new))
    assert english(refused.value.what) == said


def test_a_doubled_model_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        table.parse("mine", GOOD + '\n[[models]]\nid = "one"\n')
    assert english(refused.value.what) == "the model `one` is there twice"


def test_half_a_translation_is_refused() -> None:
    text = GOOD.replace("routes =", 'notes = ["a", "b"]\nroutes =') + '\n[zh]\nnotes = ["甲"]\n'
    with pytest.raises(Refusal) as refused:
        table.parse("mine", text)
    assert refused.value.place is not None
    assert refused.value.place.line == text.splitlines().index('notes = ["甲"]') + 1


@pytest.mark.parametrize("key", ["Mine", "my row", "../mine", ""])
def test_a_key_is_a_plain_word(key: str) -> None:
    with pytest.raises(Refusal):
        table.parse(key, GOOD)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("gpt", ("openai", "ollama", "openrouter")),
        ("4o", ("openai",)),
        ("gemini", ("openrouter", "custom-openai")),
        ("free", ("ollama", "openrouter")),
        ("local", ("ollama", "vllm")),
        ("deepseek-v4-pro", ("openrouter", "deepseek")),
    ],
)
def test_what_people_type_finds_a_row(typed: str, found: tuple[str, ...]) -> None:
    rows = [Row(value=r.key, title=r.name, words=r.search_words) for r in ROWS.values()]
    values = [row.value for row in matching(rows, typed)]
    assert values[0] == found[0]
    assert [value for value in values if value in found] == list(found)


def test_where_nothing_fits_any_openai_compatible_url_is_named() -> None:
    assert [r.key for r in ROWS.values() if "*" in r.search] == ["custom-openai"]
