"""Save the built image as a file: what is scanned is then, byte for byte, what is pushed."""

from pathlib import Path

from programs import carry_out, run
from released_image import checked_out_commit

FILE = Path("build/pipeline/image.tar")


def local_name(commit: str) -> str:
    """Return what `make image` calls the image of a commit."""
    return f"ecommerce:{commit}"


def save() -> None:
    """Write the image of this commit to the file. Raises Refused."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    run("docker", "save", f"--output={FILE}", local_name(checked_out_commit()))


if __name__ == "__main__":
    carry_out(save)
