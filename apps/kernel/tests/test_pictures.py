"""What pictures of strangers may cost, and what is left of them."""

import json
import struct
import subprocess
import sys
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from apps.kernel import redrawing
from apps.kernel.pictures import NotAPicture, redrawn

GPS, MAKER, ORIENTATION = 0x8825, 0x010F, 0x0112
SCRIPT = b"<script>alert(1)</script>"

# In a small process of its own: a child's peak counts from the size of whoever started it.
MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-I", *sys.argv[1:]], stdin=0, stdout=-3, stderr=-3)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def cost_of(content: bytes, *sizes: object) -> tuple[int, float, int]:
    """Return exit code, seconds of a processor and KiB of memory of drawing it anew."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", MEASURE, redrawing.__file__, *map(str, sizes)],
        input=content,
        stdout=subprocess.PIPE,
        check=True,
    )
    code, seconds, memory = json.loads(done.stdout)
    return code, seconds, memory


def assert_cheap(content: bytes, *sizes: object, code: int) -> None:
    ended, seconds, memory = cost_of(content, *sizes)

    assert ended == code
    assert seconds <= redrawing.LONGEST_SECONDS
    assert memory < 300 * 1000


def encoded(
    kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any
) -> bytes:
    target = BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(target, kind, **options)
    return target.getvalue()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of these chunks, each with a right checksum."""
    written = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (*chunks, (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + written


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


@cache
def zeros(count: int) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(count >> 20)) + packer.flush()


# What it costs

BOMBS = {
    "178 megapixels": lambda: png(header(13_350, 13_350), (b"IDAT", zeros(100 << 20))),
    "a header that lies": lambda: png(header(2**31 - 1, 2**31 - 1), (b"IDAT", zeros(1 << 20))),
    "one pixel too many": lambda: png(header(16_000_001, 1), (b"IDAT", zeros(100 << 20))),
    "a text of 100 MB": lambda: png(
        header(8, 8), (b"zTXt", b"a\0\0" + zeros(100 << 20)), (b"IDAT", zeros(1 << 20))
    ),
    "a profile of 100 MB": lambda: png(
        header(8, 8), (b"iCCP", b"a\0\0" + zeros(100 << 20)), (b"IDAT", zeros(1 << 20))
    ),
    "a GIF": lambda: encoded("GIF", (4000, 4000), "L"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_at_little_cost(bomb: Any) -> None:
    ended, seconds, memory = cost_of(bomb(), 512)

    # A text or a profile that is too large may also be left out: then a picture of 8 × 8 is left.
    assert ended in {0, redrawing.REFUSED}
    assert seconds <= redrawing.LONGEST_SECONDS
    assert memory < 300 * 1000


@pytest.mark.parametrize(
    ("kind", "mode", "sides"),
    [("JPEG", "CMYK", ()), ("PNG", "RGBA", (512, 128)), ("WEBP", "RGBA", ())],
    ids=["JPEG", "PNG", "WebP"],
)
def test_the_largest_picture_that_is_taken_stays_small(
    kind: str, mode: str, sides: tuple[int, ...]
) -> None:
    options = {"method": 0} if kind == "WEBP" else {}

    assert_cheap(encoded(kind, (4000, 4000), mode, **options), *sides, code=0)


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    ended, seconds, memory = cost_of(encoded("PNG"), *range(3000, 3040))

    assert ended < 0  # killed
    assert seconds <= redrawing.LONGEST_SECONDS + 0.2
    assert memory < 300 * 1000


# What is left

REFUSED = {
    "nothing": b"",
    "text": b"hello",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "GIF and JavaScript": b"GIF89a/*" + encoded("GIF")[8:] + b"*/=1;alert(1)//",
    "TIFF": encoded("TIFF"),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(/etc/passwd) (r) file\n",
    "PDF": encoded("PDF"),
    "BMP": encoded("BMP"),
    "ICO": encoded("ICO"),
    "cut off": encoded("PNG")[:60],
    "half a JPEG": encoded("JPEG", (400, 300))[:500],
    "zero pixels": png(header(0, 5), (b"IDAT", zeros(1 << 20))),
    "PHP": b"<?php system('id');",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("sides", [(), (64,)], ids=["whole", "squares"])
def test_what_is_no_picture_that_is_taken_is_refused(
    content: bytes, sides: tuple[int, ...]
) -> None:
    with pytest.raises(NotAPicture):
        redrawn(content=content, sides=sides)


@pytest.mark.parametrize("sides", [(), (64,)], ids=["whole", "squares"])
def test_a_picture_that_is_a_page_as_well_is_only_a_picture_afterwards(
    sides: tuple[int, ...],
) -> None:
    polyglots = [
        encoded("JPEG", comment=SCRIPT) + SCRIPT,
        encoded("PNG") + SCRIPT,
        encoded("WEBP") + SCRIPT,
        png(header(8, 8), (b"tEXt", b"a\0" + SCRIPT), (b"IDAT", zlib.compress(bytes(200)))),
    ]

    for content in polyglots:
        assert SCRIPT in content
        [picture] = redrawn(content=content, sides=sides)
        assert b"script" not in picture.content
        assert Image.open(BytesIO(picture.content)).format == picture.format


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("sides", [(), (64,)], ids=["whole", "squares"])
def test_where_and_by_what_it_was_taken_is_gone(kind: str, sides: tuple[int, ...]) -> None:
    exif = Image.Exif()
    exif[MAKER] = "secret camera"
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 8.0, 15.0), 3: "E", 4: (11.0, 34.0, 30.0)})
    content = encoded(kind, exif=exif)
    assert Image.open(BytesIO(content)).getexif().get_ifd(GPS)

    [picture] = redrawn(content=content, sides=sides)

    left = Image.open(BytesIO(picture.content))
    assert not left.getexif()
    assert {"exif", "xmp", "comment", "icc_profile"}.isdisjoint(left.info)
    assert b"secret" not in picture.content


def test_a_picture_is_turned_upright_before_that_is_forgotten() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6

    [picture] = redrawn(content=encoded("JPEG", (40, 30), exif=exif))

    assert (picture.width, picture.height) == (30, 40)


def test_squares_are_cut_from_the_middle_in_webp() -> None:
    large, small = redrawn(content=encoded("PNG", (40, 300)), sides=(128, 32))

    assert [(each.format, each.width, each.height) for each in (large, small)] == [
        ("WEBP", 128, 128),
        ("WEBP", 32, 32),
    ]
    assert Image.open(BytesIO(small.content)).size == (32, 32)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_see_through_stays_so(mode: str) -> None:
    target = BytesIO()
    Image.new(mode, (8, 8)).save(target, "PNG")

    [picture] = redrawn(content=target.getvalue(), sides=(8,))

    assert Image.open(BytesIO(picture.content)).convert("RGBA").getchannel("A").getextrema() == (
        0,
        0,
    )


def test_of_what_moves_the_first_picture_is_left() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    target = BytesIO()
    frames[0].save(target, "PNG", save_all=True, append_images=frames[1:])

    [picture] = redrawn(content=target.getvalue())

    assert getattr(Image.open(BytesIO(picture.content)), "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((3000, 1500), [(200, 100), (600, 300)]), ((90, 300), [(60, 200), (90, 300)])],
    ids=["wide", "high and small"],
)
def test_within_a_size_a_picture_keeps_its_shape_and_is_never_made_larger(
    size: tuple[int, int], drawn: list[tuple[int, int]]
) -> None:
    pictures = redrawn(content=encoded("PNG", size), within=(200, 600))

    assert [(each.width, each.height) for each in pictures] == drawn
    assert {each.format for each in pictures} == {"WEBP"}


def test_the_largest_picture_is_drawn_in_three_sizes_within_the_limits() -> None:
    assert_cheap(encoded("JPEG", (5000, 3200)), "<200", "<600", "<1200", code=0)
