"""`terraform/` is formatted, and Terraform's core takes it against the AWS provider's schema.

The schema is derived from npm's @cdktf/provider-aws (`derive_schema.py`); the AWS provider itself,
with its checks of values, and AWS have not seen the configuration.
"""

import gzip
import json
import re
from pathlib import Path

import pytest
import toolbox
from api_values import actions, known
from core import SCHEMA, TERRAFORM, Core, core, modules, packaged
from derive_schema import used_types

ROOTS = [
    "bootstrap",
    "account",
    "environments/dev",
    "environments/staging",
    "environments/production",
]
# What is wrong -> (module, what is written, what is planted, what the core says).
ERRORS = {
    "misspelt argument": (
        "registry",
        "image_tag_mutability =",
        "image_tag_mutabilty =",
        'An argument named "image_tag_mutabilty" is not expected here.',
    ),
    "wrong type": (
        "redis",
        "num_cache_clusters         = local.copies",
        'num_cache_clusters = "many"',
        "a number is required",
    ),
    "missing argument": (
        "registry",
        "name                 = var.name\n",
        "\n",
        'The argument "name" is required',
    ),
    "unknown resource": (
        "registry",
        '"aws_ecr_lifecycle_policy"',
        '"aws_ecr_lifecycle_polici"',
        'does not support resource type "aws_ecr_lifecycle_polici"',
    ),
    "unknown attribute": (
        "pipeline",
        "aws_iam_openid_connect_provider.jenkins.arn",
        "aws_iam_openid_connect_provider.jenkins.arrn",
        'This object has no argument, nested block, or exported attribute named "arrn"',
    ),
    "repeated block": (
        "registry",
        "  encryption_configuration {",
        "  image_scanning_configuration {\n  }\n  encryption_configuration {",
        "Too many image_scanning_configuration blocks",
    ),
    "missing block": (
        "firewall",
        "  default_action {\n    allow {}\n  }\n",
        "",
        "Insufficient default_action blocks",
    ),
    "unknown variable": (
        "registry",
        "countNumber = var.images_kept",
        "countNumber = var.images",
        'An input variable with the name "images"',
    ),
}
SUPPRESSION = re.compile(r"#\s*(checkov:skip|trivy:ignore)\S*(.*)")
REASON = re.compile(r"#(checkov:skip=CKV2?_AWS_\d+:|trivy:ignore:AVD-AWS-\d{4} )(?=[A-Z]).{20,}")


def plant(module: Path, written: str, planted: str) -> None:
    """Put an error in the place of what is written, wherever in the module that is."""
    [file] = [file for file in module.glob("*.tf") if written in file.read_text()]
    file.write_text(file.read_text().replace(written, planted))


def test_every_file_is_formatted(terraform: Core):
    done = terraform.run(TERRAFORM, "fmt", "-check", "-recursive")

    assert done.returncode == 0, done.stdout


def test_a_badly_formatted_file_is_named(terraform: Core, configuration: Path):
    plant(configuration / "modules" / "registry", "scan_on_push = true", "scan_on_push=true")

    done = terraform.run(configuration, "fmt", "-check", "-recursive")

    assert done.returncode == 3
    assert done.stdout.strip() == "modules/registry/main.tf"


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_module_is_valid_with_all_it_uses(terraform: Core, untouched: Path, root: str):
    done = terraform.validated(untouched / root)

    assert done.returncode == 0, done.stdout


def test_the_root_modules_use_every_module():
    used = {
        source
        for file in TERRAFORM.rglob("*.tf")
        for source in re.findall(r'source\s+= "(?:\.\./)+(?:modules/)?([a-z_]+)"', file.read_text())
    }

    assert used == {folder.name for folder in modules(TERRAFORM / "modules")}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_refused_and_named(terraform: Core, configuration: Path, error: str):
    module, written, planted, message = ERRORS[error]
    folder = configuration / "modules" / module
    plant(folder, written, planted)

    done = terraform.validated(folder)

    assert done.returncode == 1
    assert message in " ".join(done.stdout.replace("│", " ").split())


@pytest.mark.slow
def test_a_machine_without_terraform_has_the_core_from_a_package(configuration: Path):
    folder = configuration / "modules" / "registry"
    try:
        with core(packaged()) as terraform:
            right = terraform.tested(folder)
            plant(folder, "image_tag_mutability =", "image_tag_mutabilty =")
            wrong = terraform.validated(folder)
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))

    assert right.returncode == 0, right.stdout
    assert wrong.returncode == 1
    assert 'An argument named "image_tag_mutabilty" is not expected here.' in wrong.stdout


def test_the_schema_holds_what_the_configuration_uses():
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))

    assert {kind: sorted(schema[kind]) for kind in ("resource", "data")} == used_types(), (
        "Derive the schema again: derive_schema.py says how."
    )


def test_every_variable_and_output_says_what_it_is():
    silent = [
        f"{file.relative_to(TERRAFORM)}: {name}"
        for file in TERRAFORM.rglob("*.tf")
        for kind, name, body in re.findall(
            r'^(variable|output) "(\w+)" \{\n(.*?)^\}', file.read_text(), re.MULTILINE | re.DOTALL
        )
        if not re.search(r'^  description = ".{5,}\."$', body, re.MULTILINE)
    ]

    assert silent == []


@pytest.mark.parametrize("root", ROOTS)
def test_credentials_of_another_account_are_refused_and_everything_is_tagged(root: str):
    text = (TERRAFORM / root / "main.tf").read_text()

    assert "allowed_account_ids = [var.account_id]" in text
    assert "default_tags" in text


def test_policies_name_actions_that_exist():
    named = {action for file in TERRAFORM.rglob("*.tf") for action in actions(file.read_text())}

    assert len(named) > 50
    assert {action for action in named if not known(action)} == set()


@pytest.mark.parametrize("action", ["ecr:PutImages", "ecrr:PutImage", "s3:Any", "kms:Generates*"])
def test_an_action_that_does_not_exist_is_found(action: str):
    [found] = actions(f'Action = ["{action}"]')

    assert not known(found)


def test_a_role_may_touch_everything_only_where_actions_know_no_resource():
    unbounded = {
        sid
        for file in (TERRAFORM / "modules").glob("*/*.tf")
        if file.parent.name != "key"
        for sid in re.findall(
            r'Sid\s+= "(\w+)"(?:(?!Sid\s).)*?Resource\s+= "\*"', file.read_text(), re.DOTALL
        )
    }

    assert unbounded == {"LogIn", "SeeWhatThereIs", "Look"}


def test_no_role_gets_a_whole_service():
    whole = re.compile(r'Action\s+= "(?!kms:\*|s3:\*)[a-z0-9-]*:?\*"')
    widest = {
        f"{file.parent.name}: {effect}"
        for file in TERRAFORM.rglob("*.tf")
        for effect in re.findall(
            r'Effect\s+= "(\w+)"(?:(?!Effect\s).)*?Action\s+= "(?:kms|s3):\*"',
            file.read_text(),
            re.DOTALL,
        )
    }

    assert not [file.name for file in TERRAFORM.rglob("*.tf") if whole.search(file.read_text())]
    # The account decides about its key; buckets refuse everything that is not TLS.
    assert widest == {"key: Allow", "bucket: Deny"}


def without_reason(text: str) -> list[str]:
    """Return the suppressions of findings that do not say why."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if SUPPRESSION.search(line) and not REASON.fullmatch(line)]


def test_each_suppressed_finding_says_why():
    texts = {file: file.read_text() for file in TERRAFORM.rglob("*.tf")}

    assert {
        file.name: found for file, text in texts.items() if (found := without_reason(text))
    } == {}
    assert sum(len(SUPPRESSION.findall(text)) for text in texts.values()) > 0


@pytest.mark.parametrize(
    "line",
    [
        "#checkov:skip=CKV_AWS_18",
        "# checkov:skip=CKV_AWS_18:",
        "#checkov:skip=CKV_AWS_18:no",
        "#trivy:ignore:AVD-AWS-0089",
        "#trivy:ignore:* Everything is fine, believe me",
    ],
)
def test_a_suppression_without_a_reason_is_found(line: str):
    assert without_reason(f"resource {{\n  {line}\n}}") == [line]
