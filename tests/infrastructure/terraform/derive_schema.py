"""Derives the schema of the AWS provider, as far as `terraform/` uses it.

    npm pack @cdktf/provider-aws@21.22.1
    .venv/bin/python tests/infrastructure/terraform/derive_schema.py cdktf-provider-aws-21.22.1.tgz

The package is bindings that were generated from the schema of hashicorp/aws 6.25.0. Each of its
files carries its TypeScript source, where every attribute's name, type, and whether it is required,
optional or computed can be read. What cannot be read there is the number of blocks beyond "one" and
"any", and recursive blocks, which OVERRIDES writes down by hand.
"""

import base64
import gzip
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
SCHEMA = HERE / "aws-schema.json.gz"

SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GETTERS = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
}
USED = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)
SOURCE_MAP = re.compile(rb"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
TOP_LEVEL = re.compile(r"^export (?:class|function) (\w+)", re.MULTILINE)
ATTRIBUTE = re.compile(
    r"^ *// ([\w-]+) - computed: (true|false), optional: (true|false), required: (true|false)$",
    re.MULTILINE,
)
CONFIGURABLE = re.compile(
    r'^ +"?([\w.-]+)"?: \{\n +value: [^\n]*,\n +isBlock: (true|false),'
    r'\n +type: "([^"]*)",\n +storageClassType: "([^"]*)",',
    re.MULTILINE,
)
NESTED = re.compile(r"new (\w+?)(OutputReference|List|Map)\(this, \"[\w-]+\"(?:, (true|false))?")
GETTER = re.compile(r"this\.get(\w+?)Attribute\('")


def one(attributes: dict[str, Any], blocks: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a block that may stand once."""
    return {
        "nesting": "list",
        "max": 1,
        "block": {"attributes": attributes, "blocks": blocks or {}},
    }


REQUIRED_STRING = {"type": "string", "required": True}
OPTIONAL_STRING = {"type": "string", "optional": True}
OPTIONAL_NUMBER = {"type": "number", "optional": True}
# The provider's own block, and what a statement of a firewall may be here; written by hand after
# the provider's documentation.
PROVIDER = {
    "attributes": {
        "region": OPTIONAL_STRING,
        "allowed_account_ids": {"type": ["set", "string"], "optional": True},
    },
    "blocks": {"default_tags": one({"tags": {"type": ["map", "string"], "optional": True}})},
}
OVERRIDES = {
    ("aws_wafv2_web_acl", "rule", "statement"): one(
        {},
        {
            "managed_rule_group_statement": one(
                {
                    "name": REQUIRED_STRING,
                    "vendor_name": REQUIRED_STRING,
                    "version": OPTIONAL_STRING,
                },
                {
                    "rule_action_override": {
                        "nesting": "list",
                        "block": {
                            "attributes": {"name": REQUIRED_STRING},
                            "blocks": {
                                "action_to_use": one({}, {"count": one({}), "block": one({})})
                            },
                        },
                    }
                },
            ),
            "rate_based_statement": one(
                {
                    "limit": {"type": "number", "required": True},
                    "aggregate_key_type": OPTIONAL_STRING,
                    "evaluation_window_sec": OPTIONAL_NUMBER,
                }
            ),
        },
    )
}


class Unreadable(Exception):
    """The package does not say what the schema has to hold."""


class Source:
    """The TypeScript of one resource or data source."""

    def __init__(self, package: tarfile.TarFile, type_name: str, kind: str) -> None:
        self.type_name = type_name
        folder = ("data-" if kind == "data" else "") + type_name.replace("_", "-")
        if kind == "resource":
            folder = folder.removeprefix("aws-")
        texts = [self._typescript(package, member) for member in _members(package, folder)]
        if not texts:
            raise Unreadable(f"The package has no {kind} {type_name}.")
        self.parts: dict[str, str] = {}
        for text in texts:
            starts = list(TOP_LEVEL.finditer(text))
            for place, start in enumerate(starts, 1):
                end = starts[place].start() if place < len(starts) else len(text)
                self.parts[start[1]] = text[start.start() : end]

    def block(self) -> dict[str, Any]:
        """Return the block of the whole resource."""
        [body] = [
            body
            for body in self.parts.values()
            if re.search(r"extends cdktf\.Terraform(Resource|DataSource) ", body)
        ]
        settable = body[body.index("synthesizeHclAttributes") :]
        return self._block(body, settable, (self.type_name,))

    def _block(self, body: str, settable: str, path: tuple[str, ...]) -> dict[str, Any]:
        known = {found[1]: found for found in CONFIGURABLE.finditer(settable)}
        attributes, blocks = {}, {}
        for name, flags, getter in _attributes(body):
            nested, setter = NESTED.search(getter), known.get(name)
            if (*path, name) in OVERRIDES:
                blocks[name] = OVERRIDES[*path, name]
            elif nested and setter and setter[2] == "true" and "computed" not in flags:
                blocks[name] = self._nested(nested, setter, flags, (*path, name))
            else:
                attributes[name] = {"type": self._type(getter, setter, (*path, name)), **flags}
        return {"attributes": attributes, "blocks": blocks}

    def _nested(
        self,
        nested: re.Match[str],
        setter: re.Match[str],
        flags: dict[str, bool],
        path: tuple[str, ...],
    ) -> dict[str, Any]:
        structure, wrapper = nested[1], nested[2]
        function = (structure + "ToHclTerraform").lower()
        settable = next(text for name, text in self.parts.items() if name.lower() == function)
        block = self._block(self.parts[structure + "OutputReference"], settable, path)
        if setter[3] == "struct":
            return {"nesting": "single", "block": block}
        nesting = "set" if setter[3] == "set" or nested[3] == "true" else "list"
        least = {"min": 1} if "required" in flags else {}
        most = {"max": 1} if wrapper == "OutputReference" else {}
        return {"nesting": nesting, "block": block, **least, **most}

    def _type(self, getter: str, setter: re.Match[str] | None, path: tuple[str, ...]) -> Any:
        if nested := NESTED.search(getter):
            fields = _attributes(self.parts[nested[1] + "OutputReference"])
            shape = [
                "object",
                {name: self._type(text, None, (*path, name)) for name, _, text in fields},
            ]
            if nested[2] == "Map":
                return ["map", shape]
            return ["set" if nested[3] == "true" else "list", shape]
        if setter:
            element = re.sub(r"(List|Map)$", "", setter[4])
            if element not in SCALARS:
                raise Unreadable(f"{'.'.join(path)} holds {setter[4]}.")
            return SCALARS[element] if setter[3] == "simple" else [setter[3], SCALARS[element]]
        if map_of := re.search(r"new cdktf\.(String|Number|Boolean)Map\(this", getter):
            return ["map", GETTERS[map_of[1]]]
        found = GETTER.search(getter)
        if not found or found[1] not in GETTERS:
            raise Unreadable(f"{'.'.join(path)} has no getter that is known.")
        kind = GETTERS[found[1]]
        return ["set", kind[1]] if "Fn.tolist(" in getter else kind

    @staticmethod
    def _typescript(package: tarfile.TarFile, member: str) -> str:
        file = package.extractfile(member)
        assert file
        encoded = SOURCE_MAP.search(file.read())
        if not encoded:
            raise Unreadable(f"{member} carries no source.")
        text: str = json.loads(base64.b64decode(encoded[1]))["sourcesContent"][0]
        return text


def _members(package: tarfile.TarFile, folder: str) -> list[str]:
    path = re.compile(rf"package/lib/{re.escape(folder)}/(index|index-structs/.*)\.js")
    return [member for member in package.getnames() if path.fullmatch(member)]


def _attributes(body: str) -> Iterator[tuple[str, dict[str, bool], str]]:
    """Yield each attribute's name, its flags, and the text that reads it."""
    found = list(ATTRIBUTE.finditer(body))
    for place, start in enumerate(found, 1):
        end = found[place].start() if place < len(found) else len(body)
        computed, optional, required = (start[group] == "true" for group in (2, 3, 4))
        flags = {"computed": computed, "optional": optional, "required": required}
        text = body[start.end() : end].split("// =====", maxsplit=1)[0]
        yield start[1], {name: True for name, holds in flags.items() if holds}, text


def used_types() -> dict[str, list[str]]:
    """Return the resource and data types that the configuration names, by kind."""
    texts = [file.read_text() for file in (CHECKOUT / "terraform").rglob("*.tf")]
    found = {pair for text in texts for pair in USED.findall(text)}
    return {
        kind: sorted(name for other, name in found if other == kind)
        for kind in ("resource", "data")
    }


def derive(archive: Path) -> dict[str, Any]:
    """Return the schema of everything that the configuration uses. Raises Unreadable."""
    with tarfile.open(archive) as package:
        about = package.extractfile("package/package.json")
        assert about
        version = json.load(about)["version"]
        return {
            "source": f"npm @cdktf/provider-aws {version}, generated from hashicorp/aws 6.25.0",
            "provider": PROVIDER,
            **{
                kind: {name: Source(package, name, kind).block() for name in names}
                for kind, names in used_types().items()
            },
        }


def main() -> None:
    """Read the package named on the command line; write the schema beside this file."""
    text = json.dumps(derive(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True)
    SCHEMA.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{SCHEMA.name}: {len(text):,} characters, {SCHEMA.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
