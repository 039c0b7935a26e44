"""Commands called as functions."""


def code_of(main, *words):
    """The exit code of a command, be its words wrong when they are parsed or later."""
    try:
        return main([str(word) for word in words])
    except SystemExit as ended:
        return ended.code


def refused(capsys, main, *words):
    """The one line that a command refuses its words with."""
    capsys.readouterr()
    code, said = code_of(main, *words), capsys.readouterr().err
    assert code == 2 and len(said.splitlines()) == 1, (code, said)
    return said


def a_run(pictures, params, flags):
    """The words of a run with two of the pictures, the weights, and these flags."""
    inputs = f"--content-image {pictures}/chelsea.png --style-image {pictures}/coffee.png --model-params {params}"
    return f"{inputs} {flags}".split()
