"""Which `apiKeyHelper` is ours: exactly what `use --keyring` writes."""

from __future__ import annotations

import pytest

from haha_config.core.change.helper import helper_profile


@pytest.mark.parametrize(
    ("command", "profile"),
    [
        ("haha-config key deepseek", "deepseek"),
        ("/usr/bin/python3 -P -m haha_config key my.profile-2", "my.profile-2"),
        ("/usr/bin/python3 -m haha_config key deepseek", "deepseek"),
        ("'/opt/my tools/python' -P -m haha_config key deepseek", "deepseek"),
        (r"'C:\tools\python.exe' -P -m haha_config key deepseek", "deepseek"),
        ("secret-tool lookup service claude-haha key anthropic", ""),
        ("haha-config key deepseek | tr -d '\\n'", ""),
        ("haha-config key off", ""),
        ("/usr/local/bin/haha-config key deepseek", ""),
        ("python3 -P -m haha_config key deepseek", ""),
        ("/usr/bin/env python3 -m haha_config key deepseek", ""),
        ("/usr/bin/python3 -P -m haha_config key 'a b'", ""),
        (["haha-config key deepseek"], ""),
        (None, ""),
    ],
)
def test_whose_key_a_helper_prints(command: object, profile: str) -> None:
    assert helper_profile(command) == profile
