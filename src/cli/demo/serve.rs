//! What `--serve` tells: how to call the server that was left up.

use super::Played;
use super::stage::Stage;

/// A line for `buf curl` and a Python snippet, ready to be pasted into a shell in the project's
/// folder.
#[must_use]
pub fn hints(stage: &Stage, played: &Played) -> String {
    let address = stage.address;
    let key = &stage.harbour.api_key;
    let partnership = &played.setting.partnership.name;
    let page = &played.hurry.link.path;
    format!(
        r#"
The server stays up at {address} until Ctrl-C.

The check-up as a page, for an hour: http://{address}{page}

Try it from another shell, in this folder:

export ENTENTE_API_KEY={key}

cargo run --quiet -- checkup {partnership} --server {address}

npx --yes @bufbuild/buf curl --protocol grpc --http2-prior-knowledge \
  --header "authorization: Bearer $ENTENTE_API_KEY" \
  --data '{{"name": "{partnership}"}}' \
  http://{address}/entente.v1.SlaService/GetAttainment

python3 -m venv /tmp/entente-python
/tmp/entente-python/bin/pip install --quiet grpcio grpcio-tools
mkdir -p /tmp/entente-python/proto
/tmp/entente-python/bin/python -m grpc_tools.protoc -I proto \
  --python_out=/tmp/entente-python/proto --grpc_python_out=/tmp/entente-python/proto \
  $(cd proto && find entente google -name '*.proto')
PYTHONPATH=/tmp/entente-python/proto /tmp/entente-python/bin/python - <<'END'
import os
import grpc
from entente.v1 import sla_requests_pb2, sla_service_pb2_grpc, ticket_pb2

sla = sla_service_pb2_grpc.SlaServiceStub(grpc.insecure_channel("{address}"))
key = [("authorization", "Bearer " + os.environ["ENTENTE_API_KEY"])]
partnership = "{partnership}"
request = sla_requests_pb2.ListTicketsRequest(parent=partnership, page_size=5)
for ticket in sla.ListTickets(request, metadata=key).tickets:
    print(ticket_pb2.TicketState.Name(ticket.state), ticket.priority, ticket.title)
END
"#
    )
}
