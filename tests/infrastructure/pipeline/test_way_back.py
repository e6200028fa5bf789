"""Going back to an earlier release, by make."""

from stand_in_cluster import FIRST, SECOND, THIRD, deploy


def test_going_back_brings_exactly_the_release_before_and_can_be_repeated(workplace, cluster):
    deploy(workplace, FIRST)
    first = cluster.objects
    settings = workplace.folder / "k8s" / "base" / "settings.yaml"
    workplace.commit("k8s/base/settings.yaml", settings.read_text().replace("hello", "welcome"))
    deploy(workplace, SECOND)
    assert cluster.objects["configmap/settings"]["data"] == {"GREETING": "welcome"}

    for _ in range(2):
        done = workplace.make("roll-back-staging")

        assert done.returncode == 0, done.stderr
        assert f"staging runs {FIRST} again" in done.stdout
        assert cluster.images() == {FIRST}
        assert cluster.objects["configmap/settings"]["data"] == first["configmap/settings"]["data"]
        assert cluster.history() == [FIRST]


def test_a_named_commit_is_taken_away(workplace, cluster):
    deploy(workplace, FIRST)
    deploy(workplace, SECOND)
    bad = deploy(workplace, THIRD)
    workplace.commit("k8s/base/release.txt", "main has moved on")

    assert workplace.make("roll-back-staging", COMMIT=bad).returncode == 0

    assert cluster.images() == {SECOND}
    assert cluster.history() == [FIRST, SECOND]


def test_the_only_release_cannot_be_taken_away(workplace, cluster):
    deploy(workplace, FIRST)

    done = workplace.make("roll-back-staging")

    assert done.returncode != 0
    assert "staging remembers no release but" in done.stderr
    assert cluster.images() == {FIRST}
