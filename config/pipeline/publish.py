"""Push to ECR: bring the scanned archive into the registry, once for each commit."""

import os
import tempfile

import archive
import released_image
from environments import Registry, registry, use_account
from programs import Refused, carry_out, output, run
from released_image import ReleasedImage, checked_out_commit


def publish() -> None:
    """Have this commit's image in the registry and write down its digest. Raises Refused.

    Tags never move. A commit that is there already stays what it is, so a repeated run is harmless.
    """
    commit, place = checked_out_commit(), registry()
    use_account(place)
    digest = _digest_of(commit, place)
    if digest:
        print(f"The registry has an image of {commit} already; it is used.")
    else:
        pushed = _push(commit, place)
        digest = _digest_of(commit, place)
        if digest != pushed:
            raise Refused(
                f"{digest or 'nothing'} is in the registry under {commit}, but {pushed} was pushed."
            )
    image = ReleasedImage(commit=commit, name=f"{place.image}@{digest}")
    released_image.keep(image)
    print(image.name)


def _digest_of(commit: str, place: Registry) -> str:
    """Return the digest the registry has under the tag, or nothing."""
    digest = output(
        *("aws", "ecr", "batch-get-image"),
        f"--repository-name={place.repository}",
        f"--image-ids=imageTag={commit}",
        "--query=images[0].imageId.imageDigest",
        "--output=text",
    )
    return "" if digest == "None" else digest


def _push(commit: str, place: Registry) -> str:
    """Push the archive and return the digest that Docker has seen."""
    if not archive.FILE.exists():
        raise Refused(f"there is no {archive.FILE}; `make docker-build` writes it.")
    tag = f"{place.image}:{commit}"
    # The registry's password lives in a folder of this process, not in the home of the agent.
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "DOCKER_CONFIG": folder}
        password = output("aws", "ecr", "get-login-password")
        output(
            *("docker", "login", "--username=AWS", "--password-stdin", place.host),
            given=password,
            variables=variables,
        )
        run("docker", "load", f"--input={archive.FILE}")
        run("docker", "tag", archive.local_name(commit), tag)
        run("docker", "push", "--quiet", tag, variables=variables)
    known = output("docker", "image", "inspect", '--format={{join .RepoDigests "\\n"}}', tag)
    for name in known.splitlines():
        if name.startswith(f"{place.image}@"):
            return name.partition("@")[2]
    raise Refused(f"Docker knows no digest of {tag} after pushing it.")


if __name__ == "__main__":
    carry_out(publish)
