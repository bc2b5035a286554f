"""A first call: who am I, start a partnership, read it back.

Needs grpcio and the modules that grpc_tools.protoc makes from proto/ (see README.md).
The key comes from ENTENTE_API_KEY, the address from ENTENTE_SERVER (default 127.0.0.1:50051).
"""

import os
import uuid

import grpc
from entente.v1 import partnership_pb2, partnership_requests_pb2, partnership_service_pb2_grpc


def main() -> None:
    """Make the calls and print what came back."""
    metadata = [("authorization", "Bearer " + os.environ["ENTENTE_API_KEY"])]
    with grpc.insecure_channel(os.environ.get("ENTENTE_SERVER", "127.0.0.1:50051")) as channel:
        partnerships = partnership_service_pb2_grpc.PartnershipServiceStub(channel)

        me = partnerships.WhoAmI(partnership_requests_pb2.WhoAmIRequest(), metadata=metadata)
        print("I am", me.firm, f"({me.display_name})")

        request = partnership_requests_pb2.CreatePartnershipRequest(
            partnership=partnership_pb2.Partnership(display_name="Acme and Nightdesk"),
            partner_display_name="Nightdesk",
            role=partnership_pb2.PARTY_ROLE_PRIME,
            partner_role=partnership_pb2.PARTY_ROLE_SUB,
            # A retry with the same id finds the partnership that the first try made.
            request_id=str(uuid.uuid4()),
        )
        created = partnerships.CreatePartnership(request, metadata=metadata)
        print("started", created.name)

        same = partnerships.GetPartnership(
            partnership_requests_pb2.GetPartnershipRequest(name=created.name), metadata=metadata
        )
        print("state", partnership_pb2.PartnershipState.Name(same.state))


if __name__ == "__main__":
    main()
