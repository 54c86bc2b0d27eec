# SPDX-License-Identifier: Apache-2.0
"""The options of a push: Gerrit's names, aliases, ways to say yes and no, and its refusals, word for word."""

from __future__ import annotations

import pytest

from gatebot.review import push_help, push_options
from gatebot.review.model import ZERO
from gatebot.review.push_options import BadOption, Direct, Options, Request
from gatebot.review.receive import Command, Refusal, Refused, sort

SHA = "a" * 40


@pytest.mark.parametrize(
    ("suffix", "pushed", "expected"),
    [
        ("", (), Options()),
        ("topic=a,r=bob,cc=c@d.e,t=#x", ("hashtag=y",), Options("a", ("y", "x"), ("bob",), ("c@d.e",))),
        ("topic=behind", ("topic=before",), Options("behind")),
        (
            "l=Code-Review+2,label=Verified-1,l=Workflow,l=A=-2",
            (),
            Options(labels=(("Code-Review", 2), ("Verified", -1), ("Workflow", 1), ("A", -2))),
        ),
        ("m=a+b_c%2C", (), Options(message="a b c,")),
        ("message=x", (), Options(message="x")),
        ("wip,private,submit", (), Options(wip=True, private=True, submit=True)),
        ("work-in-progress", (), Options(wip=True)),
        ("-work-in-progress", (), Options(wip=True)),
        ("ready,remove-private", ("notify=NONE",), Options(wip=False, private=False, notify="NONE")),
        ("wip=false,ready", (), Options(wip=False)),
        ("private=true", (), Options(private=True)),
        ("topic=", (), Options(topic="")),
        ("edit", (), Options(edit=True)),
        ("e", (), Options(edit=True)),
        (f"base={SHA},base={SHA.upper()}", (), Options(base=(SHA, SHA))),
        ("merged", (), Options(merged=True)),
        ("publish-comments", (), Options(publish_comments=True)),
        ("np", (), Options(publish_comments=False)),
        ("notify-to=a,notify-cc=b", ("notify-bcc=c",), Options(notify_people=(("bcc", "c"), ("to", "a"), ("cc", "b")))),
        ("ias", (), Options(keep_attention=True)),
        ("create-cod-token,trace=x,deadline=nonsense", (), Options()),
        ("h,nonsense=no", (), None),
        ("help", (), Options(help=True)),
    ],
)
def test_options_are_read_by_all_their_names(suffix: str, pushed: tuple[str, ...], expected: Options | None) -> None:
    if expected is None:
        with pytest.raises(BadOption):
            push_options.parse(suffix, pushed)
    else:
        assert push_options.parse(suffix, pushed) == expected


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        ("nonsense", '"--nonsense" is not a valid option'),
        ("o=1", '"-o" is not a valid option'),
        ("wip,ready", "the options 'wip' and 'ready' are mutually exclusive"),
        ("private,remove-private", "the options 'private' and 'remove-private' are mutually exclusive"),
        ("np,publish-comments", "the options 'publish-comments' and 'no-publish-comments' are mutually exclusive"),
        ("wip=perhaps", 'invalid boolean "wip=perhaps"'),
        ("topic=" + "x" * 2049, "topic length exceeds the limit (2048)"),
        ('topic=a"b', "topic can't contain quotation marks."),
        ("topic=a\tb", "topic can't contain line ends or other control characters."),
        ("l=+2", '"+2" is not a valid label'),
        ("l=", "Empty label vote"),
        ("base=123", "expected SHA1 for option --base: 123"),
        (f"merged,base={SHA}", "cannot use merged with base"),
        ("notify=SOME", '"SOME" is not a valid value for "--notify"'),
        ("skip-validation", '"--skip-validation" option is only supported for direct push'),
    ],
)
def test_an_option_that_cannot_be_is_refused(suffix: str, sentence: str) -> None:
    with pytest.raises(BadOption) as error:
        push_options.parse(suffix, ())
    assert str(error.value) == sentence


def test_a_push_past_review_hears_what_is_for_it_and_ignores_the_rest() -> None:
    assert push_options.parse_direct(["nonsense", "topic=x"]) == Direct()
    assert push_options.parse_direct(["skip-validation"]) == Direct(skip_validation=True)


@pytest.mark.parametrize(
    ("value", "seconds"), [("1ms", 0.001), ("2s", 2), ("3 min", 180), ("1h", 3600), ("0", None), ("10 minutes", 600)]
)
def test_a_deadline_has_a_unit(value: str, seconds: float | None) -> None:
    assert push_options.parse_request([f"deadline={value}", "trace=t"]) == Request("t", seconds)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("1", "Invalid deadline. Missing time unit: 1"),
        ("1x", "Invalid deadline. Invalid value: 1x"),
        ("soon", "Invalid deadline. Invalid value: soon"),
    ],
)
def test_a_deadline_that_is_none_is_refused(value: str, sentence: str) -> None:
    with pytest.raises(BadOption) as error:
        push_options.parse_request([f"deadline={value}"])
    assert str(error.value) == sentence


def test_help_lists_every_option_and_refuses() -> None:
    answer = sort([Command(ZERO, SHA, "refs/for/main%help")], [])
    assert answer == Refused((Refusal("see help"),), push_help.LINES)
    listed = {line.split()[0].lstrip("-") for line in push_help.LINES if line.startswith(" --")}
    assert {name.rstrip("=") for name in push_options.KNOWN} - listed == {"r", "l", "m"}
    for name in sorted(listed - {"base", "label", "notify", "skip-validation", "help"}):
        assert push_options.parse(name, ()) is not None
