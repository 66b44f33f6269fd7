"""What other tools' files hold, read as data: also what no tool of theirs would have written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from haha_config.core.imports import ImportedSetup, cc_switch, litellm, router
from haha_config.core.messages import Message
from haha_config.core.model import Data

URL = "https://llm.example.com/v1/chat/completions"
KEY = "sk-test-0123456789abcdef"


def provider(name: str, models: Data, **more: Data) -> dict[str, Data]:
    return {"name": name, "api_base_url": URL, "api_key": KEY, "models": models, **more}


def served(*providers: Data, **rules: Data) -> dict[str, tuple[str, str]]:
    """Name by name: the model behind it and its key."""
    made = router.entry({"Providers": list(providers), "Router": rules}, "config.json")
    assert made.gateway is not None
    return {one.name: (one.model, one.key) for one in made.gateway.served}


def row(**more: Any) -> dict[str, Any]:
    usual = {"id": "1", "name": "mine", "settings_config": "{}", "category": None, "meta": "{}"}
    return {**usual, "is_current": 0, **more}


def why(**more: Any) -> Message | None:
    (found,) = cc_switch.entries([row(**more)], "", "cc-switch.db")
    return found.skipped


class TestJson5:
    @pytest.mark.parametrize("between", ["/**/", "// \n", "// // ", "/* */ ", "/*/**/"])
    def test_many_comments_after_a_comma_are_read_once(self, between: str) -> None:
        """One way of reading them was two for each comment: 40 of them took for ever."""
        text = router.as_json('{"a": [1,' + between * 60 + "\n]}")
        assert json.loads(text) == {"a": [1]}
        with pytest.raises(json.JSONDecodeError):
            json.loads(router.as_json('{"a": [1,' + between * 60 + "\nx]}"))

    def test_comments_that_do_not_end_are_refused(self) -> None:
        with pytest.raises(json.JSONDecodeError):
            json.loads(router.as_json("{" + "/*" * 100_000))

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            (r"""'a \"word\"'""", 'a "word"'),
            (r"""'a\\'""", "a\\"),
            (r"""'it\'s \\"x\\"'""", 'it\'s \\"x\\"'),
        ],
    )
    def test_what_is_escaped_in_single_quotes(self, text: str, wanted: str) -> None:
        assert json.loads(router.as_json(text)) == wanted


class TestRouter:
    @pytest.mark.parametrize("models", [5, True, {"a": 1}, None, [5, None, {"name": 5}]])
    def test_models_of_the_wrong_kind_are_none(self, models: Data) -> None:
        found = router.entry({"Providers": [provider("a", models)]}, "config.json")
        assert found.skipped is not None

    def test_one_model_without_its_list(self) -> None:
        assert served(provider("a", "gpt-x")) == {"gpt-x": ("gpt-x", KEY)}

    def test_a_model_named_twice_is_one(self) -> None:
        assert list(served(provider("a", ["x", "x"]))) == ["x"]

    def test_three_providers_of_one_model_have_three_names(self) -> None:
        same = (provider("b", ["x"], api_key=f"sk-test-{n}") for n in "12")
        found = served(provider("a", ["x"]), *same)
        assert len(found) == 3
        assert {key for _, key in found.values()} == {KEY, "sk-test-1", "sk-test-2"}

    def test_a_rule_means_the_provider_that_it_names(self) -> None:
        """Two accounts at one address: the key of each goes with its own name."""
        two = [provider("one", ["x"], api_key="sk-test-1"), provider("two", ["x"], api_key="sk-2")]
        rules: dict[str, Data] = {"default": "one,x", "background": "two,x"}
        made = router.entry({"Providers": two, "Router": rules}, "config.json").gateway
        assert made is not None
        keys = {one.name: one.key for one in made.served}
        assert keys[made.slots["main"]] == "sk-test-1"
        assert keys[made.slots["haiku"]] == "sk-2"

    def test_what_speaks_googles_own_protocol_is_lost_by_name(self) -> None:
        google = "https://generativelanguage.googleapis.com/v1beta/models/"
        data = [provider("g", ["gemini-x"], api_base_url=google), provider("a", ["x"])]
        made = router.entry({"Providers": data}, "config.json")
        assert made.gateway is not None
        assert [one.name for one in made.gateway.served] == ["x"]
        assert [note.values["name"] for note in made.notes] == ["gemini-x"]


class TestWithoutAKey:
    """A variable that two providers share would send the key of one to the other."""

    def test_a_provider_without_a_key_has_a_variable_of_its_own(self) -> None:
        data: list[Data] = [provider("a", ["x"]), provider("m s", ["y"], api_key="")]
        made = router.entry({"Providers": data}, "config.json").gateway
        assert made is not None
        assert [(one.key, one.variable) for one in made.served] == [(KEY, ""), ("", "M_S_API_KEY")]

    def test_an_entry_of_litellm_without_a_key_has_one_too(self) -> None:
        models: list[Data] = [
            {"model_name": "a", "litellm_params": {"model": "openai/a", "api_base": URL, **more}}
            for more in ({"api_key": KEY}, {})
        ]
        models[1]["model_name"] = "1-b"
        made = litellm.entry({"model_list": models}, "litellm_config.yaml", "x").gateway
        assert made is not None
        assert [one.variable for one in made.served] == ["", "KEY_1_B_API_KEY"]

    def test_a_server_of_this_machine_gets_a_token_that_is_no_key(self) -> None:
        local = "http://127.0.0.1:1234/v1/chat/completions"
        data: list[Data] = [provider("a", ["x"], api_base_url=local, api_key="")]
        made = router.entry({"Providers": data}, "config.json").gateway
        assert made is not None
        assert [(one.key, one.variable) for one in made.served] == [("local", "")]


class TestLiteLLM:
    @staticmethod
    def read(*params: dict[str, Data]) -> ImportedSetup:
        """Models `m1`, `m2`, … with these parameters."""
        models: list[Data] = [
            {"model_name": f"m{number}", "litellm_params": each}
            for number, each in enumerate(params, 1)
        ]
        return litellm.entry({"model_list": models}, "litellm_config.yaml", "x")

    @pytest.mark.parametrize(
        "params",
        [
            {"model": "azure/gpt-x", "api_base": "https://x.openai.azure.com"},
            {"model": "bedrock/anthropic.claude-x"},
            {"model": "vertex_ai/gemini-x", "api_base": URL},
            {"model": "gemini/gemini-x", "api_key": KEY},
            {"model": "anthropic/claude-x", "api_key": KEY},
        ],
        ids=lambda params: str(params["model"]),
    )
    def test_what_no_row_explains_is_lost_by_name_and_the_rest_is_not(
        self, params: dict[str, Data]
    ) -> None:
        """One of them made the whole file a skipped one, or a model that never answers."""
        found = self.read(params, {"model": "openai/gpt-x", "api_key": KEY})
        assert found.gateway is not None
        assert [one.name for one in found.gateway.served] == ["m2"]
        assert [note.values["name"] for note in found.notes] == ["m1"]
        assert found.gateway.slots == {"main": "m2"}

    def test_ollamas_old_prefix_is_read_as_the_one_with_tools(self) -> None:
        made = self.read({"model": "ollama/llama3", "api_base": "http://127.0.0.1:11434"}).gateway
        assert made is not None
        assert [one.model for one in made.served] == ["ollama_chat/llama3"]


class TestCcSwitch:
    def test_settings_nested_beyond_reason_are_no_settings(self) -> None:
        assert why(settings_config="[" * 100_000) == why(settings_config="{")

    def test_a_set_up_without_a_url_is_not_called_a_login(self) -> None:
        """Bedrock, for one."""
        bedrock = json.dumps({"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}})
        assert why(settings_config=bedrock) != why(category="official")
