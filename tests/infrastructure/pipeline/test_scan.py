"""Security Scan, by make: what Trivy is asked, what is excused, and what it finds for real."""

import datetime
import subprocess
import tarfile

import pytest
import yaml
from small_overlay import DEPLOYMENT

GATE = "--severity=HIGH,CRITICAL --exit-code=1 --quiet --timeout=15m --ignorefile=.trivyignore.yaml"
SECRETS = "--secret-config=config/pipeline/trivy-secret.yaml"


@pytest.fixture
def place(workplace, programs, tool):
    """A checkout whose image is built; its manifests are rendered by the real kubectl."""
    archive = workplace.folder / "build" / "pipeline" / "image.tar"
    archive.parent.mkdir(parents=True)
    archive.touch()
    programs.add_shell("kubectl", f'exec {tool("kubectl")} "$@"')
    return workplace


def excuse(workplace, **entry):
    """Excuse one finding."""
    text = yaml.safe_dump({"vulnerabilities": [{"id": "CVE-2026-1", **entry}]})
    (workplace.folder / ".trivyignore.yaml").write_text(text)


def in_days(days):
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)


def test_the_image_the_configuration_and_the_files_are_looked_at(place, programs):
    done = place.make("security-scan")

    assert done.returncode == 0, done.stderr
    calls = [str(call) for call in programs.calls("trivy")]
    files, manifests = (call.rpartition(" ")[2] for call in calls[-2:])
    image = "--input=build/pipeline/image.tar"
    assert calls == [
        f"trivy image {image} --format=cyclonedx --output=build/reports/sbom.json",
        f"trivy image {GATE} --scanners=vuln,secret,misconfig --ignore-unfixed {SECRETS} {image}",
        f"trivy fs {GATE} --scanners=secret {SECRETS} {files}",
        f"trivy config {GATE} --skip-dirs=k8s {files}",
        f"trivy config {GATE} {manifests}",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("image", "--ignore-unfixed"), "in the image."),
        (("fs",), "in the files."),
        (("config", "--skip-dirs=k8s"), "in the configuration."),
        (("config",), "in the configuration and in the manifests."),
    ],
)
def test_a_finding_anywhere_fails_the_stage_after_all_was_looked_at(place, programs, words, said):
    programs.answer("trivy", *words, code=1)

    done = place.make("security-scan")

    assert done.returncode != 0
    assert said in done.stderr
    assert len(programs.calls("trivy")) == 5


def test_an_excuse_with_a_reason_and_an_end_is_let_through(place):
    excuse(place, statement="It is never called.", expired_at=in_days(30))

    assert place.make("security-scan").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"expired_at": in_days(30)}, "has no statement"),
        ({"expired_at": in_days(30), "statement": "  "}, "has no statement"),
        ({"statement": "Because."}, "has no expired_at"),
        ({"statement": "Because.", "expired_at": "soon"}, "has no expired_at"),
        ({"statement": "Because.", "expired_at": in_days(-1)}, "has expired on"),
        (
            {"statement": "Because.", "expired_at": in_days(400)},
            "is excused for more than 180 days",
        ),
    ],
)
def test_other_excuses_are_refused_before_anything_is_scanned(place, programs, entry, said):
    excuse(place, **entry)

    done = place.make("security-scan")

    assert done.returncode != 0
    assert f".trivyignore.yaml: CVE-2026-1 (vulnerabilities) {said}" in done.stderr
    assert programs.calls("trivy") == []


def test_the_excuses_of_this_project_have_reasons_and_ends(checkout):
    excuses = yaml.safe_load((checkout / ".trivyignore.yaml").read_text()) or {}

    for entry in (entry for entries in excuses.values() for entry in entries):
        assert entry["statement"].strip()
        assert isinstance(entry["expired_at"], datetime.date)


@pytest.mark.slow
def test_without_an_archive_there_is_nothing_to_scan(workplace, programs):
    done = workplace.make("security-scan")

    assert done.returncode != 0
    assert "`make docker-build` writes it" in done.stderr


@pytest.fixture
def with_real_trivy(place, programs, tool):
    """The image is left to the stand-in: the database of vulnerabilities is out of reach here."""
    trivy, pretended = tool("trivy"), programs.path / "pretended-trivy"
    (programs.path / "trivy").rename(pretended)
    programs.add_shell("trivy", f'[ "$1" = image ] && exec {pretended} "$@"; exec {trivy} "$@"')
    return place


@pytest.mark.slow
def test_the_real_trivy_finds_nothing_in_this_project_that_is_not_excused(
    with_real_trivy, checkout
):
    workplace = with_real_trivy
    workplace.git("rm", "-r", "--quiet", "k8s")
    source = workplace.folder.with_name("source.tar")
    subprocess.run(["git", "archive", "--output", source, "HEAD"], cwd=checkout, check=True)
    with tarfile.open(source) as files:
        files.extractall(workplace.folder, filter="data")
    (workplace.folder / "requirements.txt").write_text("")  # what is lent counts as installed
    workplace.git("add", "--all")
    workplace.git("commit", "--quiet", "--message=everything")

    done = workplace.make("security-scan")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config/key.txt", "aws = AKIA" + "QYLPMN5HHHFPZAM2\n", "in the files."),
        ("Dockerfile", "FROM scratch\nUSER root\n", "in the configuration."),
        ("k8s/base/web.yaml", DEPLOYMENT, "in the manifests."),
    ],
)
def test_the_real_trivy_finds_what_is_planted(with_real_trivy, file, text, said):
    if not file.startswith("k8s"):
        with_real_trivy.git("rm", "-r", "--quiet", "k8s")
    with_real_trivy.commit(file, text)

    done = with_real_trivy.make("security-scan")

    assert done.returncode != 0
    assert said in done.stderr
