//! `GetTicket` against a bare tonic echo that answers with the same message.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use entente::ledger::Settings;
use entente::proto::v1::sla_service_client::SlaServiceClient;
use entente::proto::v1::{ExternalReference, GetTicketRequest, LookupTicketRequest, Ticket};
use entente::server;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::metadata::AsciiMetadataValue;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::Rounds;
use crate::load::per_second;
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::World;

/// Connections of the load.
const CONNECTIONS: usize = 4;
/// Calls in flight, over all connections.
const IN_FLIGHT: usize = 64;
/// Tickets in this smaller world.
const TICKETS: u64 = 640;
/// Where `GetTicket` is, on both servers.
const PATH: &str = "/entente.v1.SlaService/GetTicket";

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("echo.db").display());
    measure_on(
        &url,
        "(a) GetTicket on SQLite : bare tonic echo",
        rounds,
        table,
    )
    .await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(
        &url,
        "(a) GetTicket on PostgreSQL : bare tonic echo",
        rounds,
        table,
    )
    .await;
}

async fn measure_on(url: &str, what: &str, rounds: Rounds, table: &mut Table) {
    let World {
        application,
        api_key,
        partnerships,
        ..
    } = World::start(url, Settings::default(), TICKETS).await;
    let running = server::serve(application, ([127, 0, 0, 1], 0).into())
        .await
        .expect("a server");
    let token: AsciiMetadataValue = format!("Bearer {api_key}").parse().expect("a header");
    let ticket = lookup(running.address, &token, &partnerships[0]).await;
    let request = GetTicketRequest {
        name: ticket.name.clone(),
        ..GetTicketRequest::default()
    };
    let echo = serve_echo(ticket).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        ours.push(calls_per_second(running.address, &token, &request, rounds).await);
        theirs.push(calls_per_second(echo, &token, &request, rounds).await);
    }
    table.add(what, "/s", ours, theirs);
    running.stop().await;
}

async fn connect(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect()
        .await
        .expect("a connection")
}

async fn lookup(address: SocketAddr, token: &AsciiMetadataValue, partnership: &str) -> Ticket {
    let reference = ExternalReference {
        system: "bench".to_owned(),
        instance: String::new(),
        r#type: "ticket".to_owned(),
        id: "T0".to_owned(),
    };
    let mut request = Request::new(LookupTicketRequest {
        parent: format!("partnerships/{partnership}"),
        reference: Some(reference),
    });
    request
        .metadata_mut()
        .insert("authorization", token.clone());
    SlaServiceClient::new(connect(address).await)
        .lookup_ticket(request)
        .await
        .expect("the ticket")
        .into_inner()
}

async fn calls_per_second(
    address: SocketAddr,
    token: &AsciiMetadataValue,
    request: &GetTicketRequest,
    rounds: Rounds,
) -> f64 {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(connect(address).await);
    }
    let (token, request) = (token.clone(), Arc::new(request.clone()));
    per_second(IN_FLIGHT, rounds.length, move |number| {
        let channel = channels[usize::try_from(number).expect("small") % CONNECTIONS].clone();
        let (token, message) = (token.clone(), request.as_ref().clone());
        async move {
            let mut client = tonic::client::Grpc::new(channel);
            client.ready().await.expect("a connection");
            let mut request = Request::new(message);
            request.metadata_mut().insert("authorization", token);
            let codec = ProstCodec::<GetTicketRequest, Ticket>::default();
            let path = http::uri::PathAndQuery::from_static(PATH);
            client.unary(request, path, codec).await.expect("an answer");
        }
    })
    .await
}

async fn serve_echo(ticket: Ticket) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tonic::transport::Server::builder().add_service(Echo(Arc::new(ticket)));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// Answers every call with the same ticket.
#[derive(Clone)]
struct Echo(Arc<Ticket>);

impl NamedService for Echo {
    const NAME: &'static str = "entente.v1.SlaService";
}

impl UnaryService<GetTicketRequest> for Echo {
    type Response = Ticket;
    type Future = BoxFuture<Response<Ticket>, Status>;

    fn call(&mut self, _request: Request<GetTicketRequest>) -> Self::Future {
        let ticket = self.0.as_ref().clone();
        Box::pin(async move { Ok(Response::new(ticket)) })
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let mut grpc =
                tonic::server::Grpc::new(ProstCodec::<Ticket, GetTicketRequest>::default());
            Ok(grpc.unary(echo, request).await)
        })
    }
}
