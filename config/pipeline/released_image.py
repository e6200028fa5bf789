"""The image that this run of the pipeline has published, handed from stage to stage in a file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from programs import Refused, output

FILE = Path("build/pipeline/image.json")


@dataclass(frozen=True, slots=True)
class ReleasedImage:
    """An image that cannot change any more: its name ends in a digest."""

    commit: str
    name: str


def keep(image: ReleasedImage) -> None:
    """Write it down for the next stages."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps(asdict(image), indent=2) + "\n")


def kept() -> ReleasedImage:
    """Return the image that was written down, if this checkout is its source. Raises Refused."""
    if not FILE.exists():
        raise Refused(f"there is no {FILE}; `make push-to-ecr` writes it.")
    image = ReleasedImage(**json.loads(FILE.read_text()))
    if image.commit != checked_out_commit():
        raise Refused(
            f"the image is of commit {image.commit}, but this checkout is {checked_out_commit()}; "
            "its manifests are those of another release."
        )
    return image


def checked_out_commit() -> str:
    """Return the commit of this checkout. Raises Refused when it holds more than that commit."""
    if changed := output("git", "status", "--porcelain", "--untracked-files=no"):
        raise Refused(f"this checkout holds changes that are in no commit: {changed.split()[-1]}.")
    return output("git", "rev-parse", "HEAD")
