"""A provider that knows the AWS provider's schema and nothing of AWS.

    python stand_in_provider.py aws-schema.json.gz

Terraform's core asks a provider for its schema before it looks at a configuration, and what the
core then refuses (unknown arguments and types, missing and repeated ones, wrong references) it
refuses without AWS. This program answers the plugin protocol, version 6, far enough for `validate`,
`plan` and `test`. It prints what TF_REATTACH_PROVIDERS has to hold and serves until its standard
input ends. It cannot apply: nothing would be made.
"""

import gzip
import json
import os
import sys
import tempfile
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as rpc

ADDRESS = "registry.terraform.io/hashicorp/aws"
UNKNOWN = msgpack.ExtType(0, b"\0")
NESTING = {
    "single": protocol.Schema.NestedBlock.SINGLE,
    "list": protocol.Schema.NestedBlock.LIST,
    "set": protocol.Schema.NestedBlock.SET,
}


def block_schema(block: dict[str, Any]) -> protocol.Schema.Block:
    """Return the block in the protocol's words."""
    return protocol.Schema.Block(
        attributes=[
            protocol.Schema.Attribute(
                name=name,
                type=json.dumps(attribute["type"]).encode(),
                required="required" in attribute,
                optional="optional" in attribute,
                computed="computed" in attribute,
            )
            for name, attribute in block["attributes"].items()
        ],
        block_types=[
            protocol.Schema.NestedBlock(
                type_name=name,
                nesting=NESTING[nested["nesting"]],
                min_items=nested.get("min", 0),
                max_items=nested.get("max", 0),
                block=block_schema(nested["block"]),
            )
            for name, nested in block["blocks"].items()
        ],
    )


def schema(block: dict[str, Any]) -> protocol.Schema:
    return protocol.Schema(version=0, block=block_schema(block))


def read(value: protocol.DynamicValue) -> Any:
    return msgpack.unpackb(value.msgpack, ext_hook=msgpack.ExtType, strict_map_key=False)


def written(value: Any) -> protocol.DynamicValue:
    return protocol.DynamicValue(msgpack=msgpack.packb(value))


class Provider(rpc.ProviderServicer):
    """What the core asks for, answered from the schema alone."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known
        self.schema = protocol.GetProviderSchema.Response(
            provider=schema(known["provider"]),
            provider_meta=protocol.Schema(block=protocol.Schema.Block()),
            resource_schemas={name: schema(block) for name, block in known["resource"].items()},
            data_source_schemas={name: schema(block) for name, block in known["data"].items()},
        )
        self.region = "us-east-1"
        self.default_tags: dict[str, str] = {}

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return self.schema

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return protocol.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return protocol.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        given = read(request.config)
        self.region = given["region"] or self.region
        self.default_tags = (given["default_tags"] or [{"tags": {}}])[0]["tags"] or {}
        return protocol.ConfigureProvider.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return protocol.StopProvider.Response()

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        """Plan what is written; what AWS would decide is unknown."""
        planned = read(request.proposed_new_state)
        block = self.known["resource"][request.type_name]
        attributes = block["attributes"]
        if "region" in attributes and planned["region"] is None:
            planned["region"] = self.region
        if "tags_all" in attributes and planned["tags_all"] is None:
            tags = planned["tags"] if planned["tags"] is not None else {}
            planned["tags_all"] = self.default_tags | tags if isinstance(tags, dict) else UNKNOWN
        return protocol.PlanResourceChange.Response(
            planned_state=written(self._completed(planned, block, UNKNOWN))
        )

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        """Answer with the name of what was asked for."""
        block = self.known["data"][request.type_name]
        answer = self._completed(read(request.config), block, "a value that only AWS knows")
        return protocol.ReadDataSource.Response(state=written(answer))

    def _completed(self, value: Any, block: dict[str, Any], unset: object) -> Any:
        """Put `unset` where the schema says computed and nothing is given."""
        if not isinstance(value, dict):
            return value
        for name, attribute in block["attributes"].items():
            if "computed" in attribute and value[name] is None:
                value[name] = unset
        for name, nested in block["blocks"].items():
            inner = nested["block"]
            if isinstance(value[name], list):
                value[name] = [self._completed(one, inner, unset) for one in value[name]]
            elif isinstance(value[name], dict):
                value[name] = self._completed(value[name], inner, unset)
        return value


def main() -> None:
    """Serve until standard input ends."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    known = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    rpc.add_ProviderServicer_to_server(Provider(known), server)
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/provider"
        server.add_insecure_port(f"unix:{socket}")
        server.start()
        reattach = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": socket},
        }
        print(json.dumps({ADDRESS: reattach}), flush=True)
        sys.stdin.read()
        server.stop(0)


if __name__ == "__main__":
    main()
