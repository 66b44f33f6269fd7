"""`--fix` where one entry of a file can't be edited: the others are mended all the same."""

from __future__ import annotations

from msgspec.structs import replace

from haha_config.core.model import Snapshot
from haha_config.core.rules.fix import fixed
from haha_config.core.state.file import parse
from haha_config.core.state.state import State
from haha_config.io.i18n import english
from tests.core.rules.example import EXAMPLES, FOLDER, load

CONFIG = f"{FOLDER}/litellm_config.yaml"
#: `litellm_settings` is an alias: what is written there would change another place too.
ALIAS = """\
shared: &shared {drop_params: false}
model_list:
  - model_name: m
    litellm_params: {model: ollama/qwen3-coder}  # mine
litellm_settings: *shared
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"""


def with_config(text: str) -> State:
    state = load(EXAMPLES / "LLM001" / "pass")
    snapshot = Snapshot(path=CONFIG, real=CONFIG, data=text.encode(), mode=0o600)
    return replace(state, litellm=parse(snapshot, "yaml"))


def test_the_rest_of_the_file_is_mended_and_what_is_not_is_said() -> None:
    after = fixed(with_config(ALIAS), select=["LLM003", "LLM004"])
    (write,) = after.plan.writes
    assert write.after == ALIAS.replace("ollama/", "ollama_chat/").encode()
    (note,) = after.plan.notes
    assert f"{CONFIG} is repaired only in part: " in english(note)
    assert fixed(after.state, select=["LLM003", "LLM004"]).plan.effective == ()


def test_a_file_of_which_nothing_can_be_mended_stays() -> None:
    after = fixed(with_config(ALIAS), select=["LLM003"])
    assert after.plan.effective == ()
    (note,) = after.plan.notes
    assert f"{CONFIG} is unchanged: " in english(note)
