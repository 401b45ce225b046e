from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unavoce.llm.base import Message
from unavoce.llm.prompt import ELLIPSIS, MESSAGE_OVERHEAD, STRIDE, build_prompt, estimate_tokens, shorten

EXAMPLES = [Message("user", "Hello."), Message("assistant", "Good day, sir.")]

texts = st.text(max_size=300) | st.just("word " * 400)
histories = st.builds(
    lambda before, newest: [*before, Message("user", newest)],
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), texts), max_size=60),
    texts.filter(lambda text: text.strip()),
)
budgets = st.integers(min_value=64, max_value=4000)


def cost(messages: list[Message]) -> int:
    return sum(estimate_tokens(message.text) + MESSAGE_OVERHEAD for message in messages)


def dialogue(turns: int) -> list[Message]:
    """`turns` questions with answers, then a question: `q0 a0 q1 a1 … q<turns>`."""
    pairs = [(Message("user", f"q{n}"), Message("assistant", f"a{n}")) for n in range(turns)]
    return [*(message for pair in pairs for message in pair), Message("user", f"q{turns}")]


@given(histories, budgets, st.integers(min_value=1, max_value=40))
def test_a_prompt_never_exceeds_its_budget(history: list[Message], budget: int, keep_last: int) -> None:
    """Whatever was said, the estimate of what is sent stays within the budget."""
    assert cost(build_prompt("You are a butler.", EXAMPLES, history, budget, keep_last)) <= budget


@given(histories, budgets)
def test_roles_alternate_from_a_user_message_on(history: list[Message], budget: int) -> None:
    """After the system prompt come user, assistant, user …, and a user message last if the history ends in one."""
    system, *rest = build_prompt("You are a butler.", [], history, budget)
    assert system.role == "system"
    assert [message.role for message in rest] == ["user", "assistant"] * (len(rest) // 2) + ["user"]


@given(histories)
def test_the_newest_user_message_is_whole_when_it_fits(history: list[Message]) -> None:
    """With room for everything, the prompt ends with what the user said last, word for word."""
    last = build_prompt("", [], history, 1_000_000)[-1].text
    assert last.endswith(history[-1].text.encode("utf-8", "replace").decode())


@given(st.integers(min_value=0, max_value=200))
def test_the_last_twenty_to_thirty_messages_stay(turns: int) -> None:
    """With short messages exactly the newest are kept, in order, and at least twenty of them."""
    history = dialogue(turns)
    kept = build_prompt("", [], history, 100_000)
    assert kept == history[len(history) - len(kept) :]
    assert min(len(history), 20) <= len(kept) < 20 + STRIDE


def test_the_beginning_of_the_prompt_moves_seldom() -> None:
    """Ten messages long the prompt only grows at its end, so that a server's prefix cache holds."""
    beginnings = [build_prompt("", [], dialogue(turns), 100_000)[0].text for turns in range(50)]
    moves = sum(before != after for before, after in itertools.pairwise(beginnings))
    assert moves == 7


def test_old_turns_go_whole_when_the_budget_is_short() -> None:
    """An answer never stands in a prompt without its question."""
    history = [Message("user", "x" * 350), Message("assistant", "old"), *dialogue(2)]
    kept = build_prompt("", [], history, 80)
    assert [message.text for message in kept] == ["q0", "a0", "q1", "a1", "q2"]


def test_examples_go_before_the_newest_message_does() -> None:
    """A long question drives out the example turns and is then shortened in its middle."""
    question = "begin " + "word " * 1000 + "end"
    (kept,) = build_prompt("", EXAMPLES, [Message("user", question)], 100)
    assert kept.text.startswith("begin ")
    assert ELLIPSIS in kept.text
    assert kept.text.endswith("end")


def test_neighbours_of_one_role_are_merged_and_blank_answers_dropped() -> None:
    """An aborted reply leaves an empty answer: its question and the next become one message."""
    history = [Message("user", "one"), Message("assistant", " "), Message("user", "two")]
    assert build_prompt("", [], history, 1000) == [Message("user", "one\n\ntwo")]


def test_system_messages_of_the_history_join_the_system_prompt() -> None:
    """Templates that allow one system message, at the start, get one."""
    history = [Message("system", "It is night."), Message("user", "hello")]
    assert build_prompt("Be brief.", [], history, 1000)[0] == Message("system", "Be brief.\n\nIt is night.")


@pytest.mark.parametrize("history", [[], [Message("assistant", "hello")], [Message("user", " \n")]])
def test_a_prompt_needs_a_user_message(history: list[Message]) -> None:
    """There is nothing to answer, and the error says so."""
    with pytest.raises(ValueError, match="user message"):
        build_prompt("", [], history, 1000)


@given(st.text(max_size=500), st.text(max_size=20), st.integers(min_value=8, max_value=200))
def test_shortening_keeps_both_ends(middle: str, ends: str, tokens: int) -> None:
    """A shortened text fits, begins as the original began and ends as it ended."""
    text = ends + middle + ends
    short = shorten(text, tokens)
    assert estimate_tokens(short) <= tokens
    if short != text:
        head, _, tail = short.partition(ELLIPSIS)
        assert text.startswith(head)
        assert text.endswith(tail) or ELLIPSIS in text


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_estimate_never_shrinks_as_text_grows(first: str, second: str) -> None:
    """More text is never estimated at fewer tokens, which the search for the longest fit relies on."""
    assert max(estimate_tokens(first), estimate_tokens(second)) <= estimate_tokens(first + second)


def test_dense_text_counts_more() -> None:
    """English counts 3.5 letters a token, digits one each, other scripts their bytes."""
    assert (estimate_tokens("hello there wide world"), estimate_tokens("2026"), estimate_tokens("茶")) == (7, 4, 3)
