"""Runs shape.lua as Fluent Bit does, in LuaJIT. A program: JSON on stdin, JSON on stdout.

Needs the environment of `tools/python/logging.txt`.
"""

import json
import sys
from typing import Any

from lupa.luajit21 import LuaRuntime, lua_type

lua = LuaRuntime(unpack_returned_tuples=True)


def to_lua(value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({name: to_lua(inner) for name, inner in value.items()})
    return value


def from_lua(value: Any) -> Any:
    if lua_type(value) == "table":
        return {name: from_lua(inner) for name, inner in value.items()}
    return value


wanted = json.load(sys.stdin)
lua.execute(wanted["script"])
shaped = []
for record in wanted["records"]:
    code, _, result = lua.globals()[wanted["call"]]("kube.x", 0, to_lua(record))
    shaped.append({"code": code, "record": from_lua(result)})
json.dump(shaped, sys.stdout)
