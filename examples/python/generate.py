"""Makes Python of the contract: the folder `generated/` beside this file, with one module to import.

    import entente_v1
    entente_v1.SlaServiceStub(channel).GetTicket(entente_v1.GetTicketRequest(name=...))

Run it again whenever proto/ changes; nothing of what it makes belongs into version control.
"""

import pathlib
import shutil
import sys

import grpc_tools
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "proto"
GENERATED = HERE / "generated"
# google.protobuf comes with the compiler.
BUNDLED = pathlib.Path(grpc_tools.__file__).parent / "_proto"


def main() -> int:
    """Generate everything under proto/entente; returns 0 when all went well."""
    shutil.rmtree(GENERATED, ignore_errors=True)
    GENERATED.mkdir()
    files = sorted(str(file.relative_to(PROTO)) for file in PROTO.glob("entente/v1/*.proto"))
    # proto/google is only looked up: its modules come with googleapis-common-protos. Made here once
    # more, there would be two of the same name.
    paths = [f"-I{PROTO}", f"-I{BUNDLED}"]
    outputs = [f"--python_out={GENERATED}", f"--grpc_python_out={GENERATED}"]
    failed = protoc.main(["protoc", *paths, *outputs, *files])
    # The contract is one package in many files. Who uses it need not know which file has what.
    with open(GENERATED / "entente_v1.py", "w", encoding="utf-8") as together:
        for file in files:
            module = file.removesuffix(".proto").replace("/", ".")
            together.write(f"from {module}_pb2 import *\n")
            if file.endswith("_service.proto"):
                together.write(f"from {module}_pb2_grpc import *\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
