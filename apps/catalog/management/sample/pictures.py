"""How the sample products look: flat shapes on a soft ground, drawn and not photographed."""

from io import BytesIO

from PIL import Image, ImageColor, ImageDraw, ImageFont

from apps.kernel.pictures import Picture

SIZE = 800
# Drawn twice as large and scaled down, so that edges are smooth.
SCALE = 2
PAPER = (250, 247, 242)
INK = (58, 54, 50)

Colour = tuple[int, int, int]
# Shapes in order: kind, tone (-1 darker … +1 lighter than the product's colour), points of a
# 100 × 100 grid; the last number of an "arc" or a "line" is its width.
Shape = tuple[str, float, tuple[float, ...]]
DRAWINGS: dict[str, list[Shape]] = {
    "bag": [
        ("arc", -0.4, (36, 16, 64, 60, 3)),
        ("round", 0, (24, 38, 76, 80, 5)),
        ("round", 0.25, (33, 54, 67, 74, 3)),
    ],
    "bottle": [
        ("round", -0.3, (44, 14, 56, 24, 1)),
        ("round", 0, (37, 24, 63, 84, 8)),
        ("round", 0.35, (43, 44, 57, 70, 2)),
    ],
    "box": [
        ("round", 0, (22, 42, 78, 76, 3)),
        ("round", 0.3, (20, 34, 80, 46, 3)),
        ("round", -0.4, (45, 54, 55, 58, 2)),
    ],
    "candle": [
        ("ellipse", 0.75, (46, 14, 54, 32)),
        ("line", -0.6, (50, 30, 50, 38, 1)),
        ("round", 0, (38, 37, 62, 82, 3)),
        ("ellipse", 0.3, (38, 34, 62, 42)),
    ],
    "chair": [
        ("round", 0, (32, 18, 68, 48, 3)),
        ("round", 0.25, (28, 50, 72, 58, 3)),
        ("line", -0.35, (32, 58, 26, 84, 3)),
        ("line", -0.35, (68, 58, 74, 84, 3)),
    ],
    "clock": [
        ("ellipse", 0, (24, 22, 76, 74)),
        ("ellipse", 0.8, (29, 27, 71, 69)),
        ("line", -0.6, (50, 48, 50, 34, 2)),
        ("line", -0.6, (50, 48, 60, 54, 2)),
    ],
    "cloth": [
        ("round", -0.15, (26, 58, 74, 78, 3)),
        ("round", 0, (26, 40, 74, 64, 3)),
        ("round", 0.25, (26, 24, 74, 48, 3)),
        ("line", 0.6, (32, 36, 68, 36, 1)),
        ("line", 0.45, (32, 56, 68, 56, 1)),
    ],
    "cup": [
        ("arc", -0.2, (56, 38, 80, 66, 4)),
        ("round", 0, (30, 32, 66, 76, 6)),
        ("ellipse", -0.45, (30, 27, 66, 37)),
    ],
    "cushion": [
        ("round", 0, (24, 24, 76, 76, 12)),
        ("line", 0.4, (34, 34, 66, 66, 1)),
        ("line", 0.4, (66, 34, 34, 66, 1)),
        ("ellipse", -0.35, (47, 47, 53, 53)),
    ],
    "frame": [
        ("round", 0, (28, 18, 72, 80, 1)),
        ("round", 0.85, (33, 23, 67, 75, 0)),
        ("polygon", 0.2, (37, 68, 48, 42, 63, 68)),
        ("ellipse", 0.45, (54, 32, 62, 40)),
    ],
    "jar": [
        ("round", -0.35, (36, 20, 64, 30, 2)),
        ("round", 0.3, (32, 30, 68, 80, 6)),
        ("round", 0, (32, 48, 68, 80, 6)),
    ],
    "kettle": [
        ("arc", -0.35, (62, 34, 84, 66, 3)),
        ("polygon", -0.15, (14, 36, 20, 34, 40, 58, 36, 66)),
        ("polygon", 0, (38, 34, 64, 34, 72, 78, 30, 78)),
        ("ellipse", 0.3, (38, 29, 64, 38)),
        ("ellipse", -0.4, (48, 24, 54, 31)),
    ],
    "lamp": [
        ("line", -0.4, (50, 44, 50, 80, 2)),
        ("ellipse", -0.25, (36, 76, 64, 84)),
        ("polygon", 0, (40, 18, 60, 18, 74, 48, 26, 48)),
        ("ellipse", 0.75, (28, 44, 72, 52)),
    ],
    "pan": [
        ("line", -0.35, (66, 56, 90, 70, 5)),
        ("ellipse", 0, (16, 24, 70, 76)),
        ("ellipse", 0.22, (21, 29, 65, 71)),
    ],
    "planter": [
        ("ellipse", -0.1, (44, 14, 56, 44)),
        ("ellipse", 0.2, (30, 22, 48, 46)),
        ("ellipse", 0.2, (52, 22, 70, 46)),
        ("polygon", 0, (32, 50, 68, 50, 62, 82, 38, 82)),
        ("round", -0.25, (29, 42, 71, 52, 2)),
    ],
    "plate": [
        ("ellipse", 0, (18, 20, 82, 78)),
        ("ellipse", 0.25, (26, 27, 74, 71)),
        ("ellipse", 0.45, (34, 34, 66, 64)),
    ],
    "pot": [
        ("round", -0.3, (14, 46, 86, 52, 3)),
        ("round", 0, (22, 40, 78, 78, 7)),
        ("round", 0.3, (20, 33, 80, 41, 4)),
        ("ellipse", -0.4, (46, 26, 54, 34)),
    ],
    "scissors": [
        ("line", 0.3, (52, 52, 38, 16, 4)),
        ("line", 0.1, (48, 52, 62, 16, 4)),
        ("arc", -0.1, (28, 50, 50, 82, 5)),
        ("arc", -0.1, (50, 50, 72, 82, 5)),
        ("ellipse", -0.5, (47, 48, 53, 54)),
    ],
    "spade": [
        ("line", -0.3, (50, 16, 50, 54, 4)),
        ("line", -0.45, (41, 16, 59, 16, 4)),
        ("polygon", 0, (36, 48, 64, 48, 62, 70, 50, 84, 38, 70)),
        ("line", 0.35, (50, 52, 50, 76, 1)),
    ],
    "spoon": [
        ("ellipse", 0, (24, 18, 42, 46)),
        ("line", 0, (33, 44, 33, 82, 4)),
        ("round", 0.25, (56, 18, 72, 44, 6)),
        ("line", 0.25, (64, 42, 64, 82, 4)),
    ],
    "tag": [
        ("arc", -0.4, (43, 10, 57, 34, 2)),
        ("round", 0, (36, 28, 64, 80, 5)),
        ("ellipse", 0.8, (47, 32, 53, 38)),
        ("line", 0.5, (42, 56, 58, 56, 1)),
        ("line", 0.5, (42, 63, 58, 63, 1)),
    ],
    "vase": [
        ("ellipse", 0.1, (34, 36, 66, 84)),
        ("round", 0.1, (44, 18, 56, 44, 2)),
        ("ellipse", -0.4, (43, 15, 57, 21)),
    ],
}


def draw(*, drawing: str, colour: str, name: str) -> Picture:
    """Return a WebP picture of a kind of thing in a colour, with its name below."""
    base = ImageColor.getrgb(colour)[:3]
    canvas = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), _mixed(base, 0.82))
    pen = ImageDraw.Draw(canvas)
    unit = SIZE * SCALE / 100
    pen.ellipse([10 * unit, 8 * unit, 90 * unit, 88 * unit], fill=_mixed(base, 0.68))
    for kind, tone, numbers in DRAWINGS[drawing]:
        points = [number * unit for number in numbers]
        fill = _mixed(base, tone)
        match kind:
            case "round":
                pen.rounded_rectangle(points[:4], radius=points[4], fill=fill)
            case "ellipse":
                pen.ellipse(points, fill=fill)
            case "polygon":
                pen.polygon(points, fill=fill)
            case "line":
                pen.line(points[:4], fill=fill, width=int(points[4]))
            case "arc":
                pen.ellipse(points[:4], outline=fill, width=int(points[4]))
    pen.rectangle([0, 89 * unit, 100 * unit, 100 * unit], fill=PAPER)
    font = ImageFont.load_default(size=3.6 * unit)
    pen.text((50 * unit, 94.5 * unit), name, fill=INK, font=font, anchor="mm")
    target = BytesIO()
    canvas.reduce(SCALE).save(target, "WEBP", quality=80, method=1)
    return Picture(content=target.getvalue(), format="WEBP", width=SIZE, height=SIZE)


def _mixed(colour: Colour, tone: float) -> Colour:
    """Return the colour, lighter by a positive tone and darker by a negative one."""
    target = 255 if tone > 0 else 0
    share = abs(tone)
    red, green, blue = (round(part + (target - part) * share) for part in colour)
    return red, green, blue
