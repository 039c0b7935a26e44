"""A first picture in about two minutes: the original pair where it was fetched, our own pictures otherwise."""
import sys
from pathlib import Path

from neural_style import nstyle

INPUT = Path("input")
ORIGINAL = INPUT / "IMG_4343.jpg", INPUT / "starry_night.jpg"
OWN = INPUT / "rocket.png", INPUT / "painting.png"


def make_own_pair():
    """A photograph that comes with scikit-image, and a painting that our own code paints."""
    import skimage.data
    from neural_style.images import save_picture
    from neural_style.painting import paint
    INPUT.mkdir(exist_ok=True)
    photograph, painting = OWN
    if not photograph.exists():
        save_picture(skimage.data.rocket(), photograph)
    if not painting.exists():
        save_picture(paint(), painting)


def main():
    content, style = ORIGINAL
    if not (content.exists() and style.exists()):
        make_own_pair()
        content, style = OWN
    code = nstyle.main(["--content-image", str(content), "--style-image", str(style), "--gpu", "-1", "--seed", "0",
                        "--max-long-edge", "400", "--max-num-epochs", "200"])
    if code == 0:
        print("Your picture: output/final.jpg, made of", content, "and", style)
    return code


if __name__ == "__main__":
    sys.exit(main())
