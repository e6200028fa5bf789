"""A process that draws a picture anew: `python redrawing.py [SIZE …] < picture > pictures`.

Whatever a file does to the decoder, it does it here, in little memory and little time. Without
sizes the picture keeps its format and size; `128` cuts it to a square, `<600` lets no side be
longer, both in WebP. Each picture is a line of JSON, and its bytes. Ends with REFUSED when the file
is no picture that is taken.
"""

import json
import resource
import sys
import warnings

LARGEST_MEMORY = 300 * 1024 * 1024
LONGEST_SECONDS = 2
LARGEST_PIXELS = 16_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
REFUSED = 2

if __name__ == "__main__":
    # Before anything of the file, or of what reads it, is in memory.
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_SECONDS, LONGEST_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

from io import BytesIO  # noqa: E402 - after the limits

from PIL import Image, ImageOps  # noqa: E402 - after the limits


def redraw(content: bytes, sizes: list[str]) -> None:
    """Write the picture anew. Raises what Pillow raises."""
    Image.MAX_IMAGE_PIXELS = LARGEST_PIXELS  # told by the header
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    image: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
    kind = image.format or ""
    sides = [int(size.lstrip("<")) for size in sizes]
    if sides:
        image.draft("RGB", (2 * max(sides), 2 * max(sides)))  # a large JPEG is decoded small
    image = ImageOps.exif_transpose(image)
    # All but which colour is see-through: EXIF, XMP, comments, colour profiles.
    image.info = {name: image.info[name] for name in ("transparency",) if name in image.info}
    if not sizes:
        write(image.convert("RGB") if kind == "JPEG" else image, kind, method=0)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    for size, side in zip(sizes, sides, strict=True):
        if size.startswith("<"):
            drawn = image.convert(mode)
            drawn.thumbnail((side, side), Image.Resampling.BICUBIC)
        else:
            drawn = ImageOps.fit(image.convert(mode), (side, side))
        write(drawn, "WEBP", method=4)


def write(image: Image.Image, kind: str, *, method: int) -> None:
    """Write one picture and what it is; `method` is how hard WebP tries to be small."""
    target = BytesIO()
    image.save(target, kind, quality=85, method=method, compress_level=3)
    about = {"format": kind, "width": image.width, "height": image.height, "bytes": target.tell()}
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n" + target.getvalue())


if __name__ == "__main__":
    try:
        redraw(sys.stdin.buffer.read(), sys.argv[1:])
    except Exception:  # whatever a file can make Pillow raise
        sys.exit(REFUSED)
