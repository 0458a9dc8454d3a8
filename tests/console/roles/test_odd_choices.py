"""Rows that are chosen by something that is no id."""

import pytest

from tests.console.roles.support import MODELS, actions, root, signed_in


@pytest.mark.parametrize("chosen", ["bogus", "0" * 400, "-1", "9" * 30, "\0"])
def test_no_action_fails_on_an_id_that_is_none(chosen: str, secrets: list[str]) -> None:
    browser = signed_in("superuser")
    for model in MODELS:
        for action in actions(model):
            form = {"action": action, "_selected_action": chosen, "index": "0"}
            answer = browser.post(root(model), form)
            assert answer.status_code < 500, (model, action)
