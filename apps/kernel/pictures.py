"""Pictures that people bring: drawn anew by a process that nothing in a file can hurt much."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from apps.kernel import redrawing
from apps.kernel.errors import Invalid
from apps.kernel.ids import new_id

PATIENCE_SECONDS = 20  # of the clock; the process has LONGEST_SECONDS of a processor


class NotAPicture(Invalid):
    """The file is no JPEG, PNG or WebP picture, or it is too large."""

    code = "not_a_picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An encoded picture of a known format and size."""

    content: bytes
    format: str
    width: int
    height: int

    @property
    def name(self) -> str:
        """A new file name; the uploader's own is never used."""
        return f"{new_id()}.{self.format.lower()}"


def redrawn(
    *, content: bytes, sides: Sequence[int] = (), within: Sequence[int] = ()
) -> list[Picture]:
    """Return the picture encoded anew, upright, without metadata and without anything appended.

    With `sides` it is cut to a WebP square of each of them; with `within` it is a WebP picture of
    which no side is longer, once for each. The size is read from the header and refused before a
    pixel is decoded. Raises NotAPicture.
    """
    sizes = [*map(str, sides), *(f"<{side}" for side in within)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", redrawing.__file__, *sizes],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotAPicture("The picture takes too long to draw.") from error
    if done.returncode:
        raise NotAPicture(
            "Only JPEG, PNG and WebP pictures of at most 16 million pixels are taken."
        )
    pictures, output = [], BytesIO(done.stdout)
    while line := output.readline():
        about = json.loads(line)
        pictures.append(Picture(content=output.read(about.pop("bytes")), **about))
    return pictures
