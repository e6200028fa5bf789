"""Security Scan: Trivy on the image's archive, and on the files of the commit."""

import datetime
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import archive
import yaml
from programs import Refused, carry_out, output, run
from released_image import checked_out_commit

EXCEPTIONS = Path(".trivyignore.yaml")
NO_SECRETS = Path("config/pipeline/trivy-secret.yaml")
SBOM = Path("build/reports/sbom.json")
LONGEST_EXCEPTION = datetime.timedelta(days=180)
GATE = (
    *("--severity=HIGH,CRITICAL", "--exit-code=1", "--quiet", "--timeout=15m"),
    f"--ignorefile={EXCEPTIONS}",
)


def scan() -> None:
    """Look at everything and write the bill of materials. Raises Refused for what was found bad."""
    today = datetime.datetime.now(datetime.UTC).date()
    refuse_bad_exceptions(yaml.safe_load(EXCEPTIONS.read_text()), today)
    if not archive.FILE.exists():
        raise Refused(f"there is no {archive.FILE}; `make docker-build` writes it.")
    SBOM.parent.mkdir(parents=True, exist_ok=True)
    run("trivy", "image", f"--input={archive.FILE}", "--format=cyclonedx", f"--output={SBOM}")
    with tempfile.TemporaryDirectory() as files, tempfile.TemporaryDirectory() as rendered:
        _export(Path(files))
        _render(Path(files), Path(rendered))
        secrets = f"--secret-config={NO_SECRETS}"
        scans = {
            "the image": (
                *("image", "--scanners=vuln,secret,misconfig", "--ignore-unfixed", secrets),
                f"--input={archive.FILE}",
            ),
            "the files": ("fs", "--scanners=secret", secrets, files),
            "the configuration": ("config", "--skip-dirs=k8s", files),
            "the manifests": ("config", rendered),
        }
        bad = [what for what, words in scans.items() if not _passes(words)]
    if bad:
        raise Refused(f"Trivy has findings, or could not look, in {' and in '.join(bad)}.")


def _export(folder: Path) -> None:
    """Write the files of the commit, and nothing that lies beside them."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        run("git", "archive", "--format=tar", f"--output={file.name}", checked_out_commit())
        with tarfile.open(file.name) as source:
            source.extractall(folder, filter="data")


def _render(source: Path, folder: Path) -> None:
    """Write what reaches a cluster: a base says only half of it, its patches the rest."""
    for kind in ("overlays", "clusters"):
        for place in sorted((source / "k8s" / kind).glob("*/")):
            text = output("kubectl", "kustomize", str(place))
            (folder / f"{kind}-{place.name}.yaml").write_text(text)


def _passes(words: tuple[str, ...]) -> bool:
    command, *rest = words
    try:
        run("trivy", command, *GATE, *rest)
    except Refused:
        return False
    return True


def refuse_bad_exceptions(exceptions: dict[str, Any] | None, today: datetime.date) -> None:
    """Refuse a finding that is excused without a reason, without an end, or for too long."""
    for kind, entry in _entries(exceptions or {}):
        name = f"{EXCEPTIONS}: {entry.get('id', 'an entry without id')} ({kind})"
        ends = entry.get("expired_at")
        if not str(entry.get("statement", "")).strip():
            raise Refused(f"{name} has no statement that says why it is excused.")
        if not isinstance(ends, datetime.date):
            raise Refused(f"{name} has no expired_at, the day from which it counts again.")
        if ends <= today:
            raise Refused(f"{name} has expired on {ends}; look at the finding again.")
        if ends - today > LONGEST_EXCEPTION:
            raise Refused(f"{name} is excused for more than {LONGEST_EXCEPTION.days} days.")


def _entries(exceptions: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, entries in exceptions.items():
        for entry in entries or []:
            yield kind, entry


if __name__ == "__main__":
    carry_out(scan)
