"""What "the same work" is, in this version and in the one before defaults were left out."""

import pytest

from neural_style.options import flags
from neural_style.options.check import complete
from neural_style.options.parse import get_args
from neural_style.saved import work

SEVERAL = "--content-image a.jpg --style-image b.jpg c.jpg --model-params w.params --recipe gatys --seed 3 --mask m.png"


@pytest.mark.parametrize(
    "words, before",
    [
        ("", "569994ae9db9c6dda6eb5e543c05c4a6437a75fca686ca29714c813e5963f1d1"),
        (SEVERAL, "8f56d1eba5fae88181851de3d47c846aa89f4952bc234b56d37004a3fde52133"),
    ],
    ids=["defaults", "several"],
)
def test_the_digest_is_that_of_the_version_before(words, before):
    args = complete(get_args(words.split()))
    assert work.fingerprint(work.what_counts(args, lambda path: "digest of " + path), "") == before


def test_a_new_flag_counts_only_where_it_is_used(monkeypatch):
    args = complete(get_args([]))
    before = work.what_counts(args, str)
    monkeypatch.setitem(flags.BY_ATTRIBUTE, "sparkle", flags.Flag("--sparkle", float, 0.5, "sparkle"))
    args.sparkle = 0.5
    assert work.what_counts(args, str) == before
    args.sparkle = 0.25
    assert work.what_counts(args, str) == {**before, "sparkle": 0.25}


@pytest.mark.parametrize("name, counts", [("seed", True), ("lr", True), ("output", False), ("gpu", False)])
def test_what_a_picture_depends_on(name, counts):
    assert (name in work.what_counts(complete(get_args([])), str)) == counts
