"""What a pasted key is taken for."""

from __future__ import annotations

import pytest

from haha_config.core import keys

GOOD = (
    "sk-abcdef0123456789abcdef",
    "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "12|abcdefghijklmnopqrstuvwxyz012345",
    "0123456789abcdef0123456789abcdee.A1b2C3d4E5f6G7h8",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "short,ish",
    "QUJDREVGR0hJSktMTU5PUA==",
    "AB_CD=0123456789abcdef",
)


@pytest.mark.parametrize("key", GOOD)
def test_a_key_is_a_key(key: str) -> None:
    assert keys.clean(key) == key
    assert not keys.placeholder(key)
    assert keys.unsendable(key) is None
    assert keys.mistaken(key) is None


@pytest.mark.parametrize(
    "pasted",
    [
        "\ufeffsk-abcdef0123456789abcdef",
        "\ufeff\ufeff sk-abcdef0123456789abcdef\r\n",
        "\u200bsk-abcdef0123456789abcdef\u200b",
        "\u00a0'sk-abcdef0123456789abcdef'\u00a0",
        '\ufeff"sk-abcdef0123456789abcdef"',
        "Bearer sk-abcdef0123456789abcdef",
        "\ufeffbearer  sk-abcdef0123456789abcdef",
        "“sk-abcdef0123456789abcdef”",
        'DEEPSEEK_API_KEY="sk-abcdef0123456789abcdef"',
        "export OPENAI_API_KEY=sk-abcdef0123456789abcdef",
        "$env:ANTHROPIC_AUTH_TOKEN = 'sk-abcdef0123456789abcdef'",
    ],
)
def test_what_came_along_with_a_key_is_taken_off(pasted: str) -> None:
    assert keys.clean(pasted) == "sk-abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        "<YOUR_DEEPSEEK_API_KEY>",
        "sk-xxxxxxxx",
        "your_token_here",
        "PROXY_MANAGED",
        "sk-abc***cdef",
        "sk-abc...cdef",
        "${DEEPSEEK_API_KEY}",
        "你的密钥",
    ],
)
def test_a_stand_in_is_no_key(text: str) -> None:
    assert keys.placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-abcdef…cdef",
        "sk-abc•••cdef",
        "sk-a0123456789abcdef0123,sk-b0123456789abcdef0123",
        "sk-a0123456789abcdef0123;sk-b0123456789abcdef0123",
        "sk-abcdef0123456789sk-abcdef0123456789",
        '{"key":"sk-abcdef0123456789abcdef"}',
        '["sk-abcdef0123456789abcdef"]',
        "https://platform.deepseek.com/api_keys",
    ],
)
def test_two_keys_json_and_a_hidden_middle_are_none(text: str) -> None:
    assert keys.mistaken(text) is not None


@pytest.mark.parametrize("text", ["sk-ab cd", "sk-äbcdef0123456789", "sk-a\x00b", "sk-a…b"])
def test_some_keys_can_not_be_sent(text: str) -> None:
    assert keys.unsendable(text) is not None
