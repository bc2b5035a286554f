//! Calls by their bytes: every RPC of the contract is called alike, and every byte of the answer
//! can be looked at.

use std::time::Duration;

use prost::bytes::{Buf, BufMut};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes messages as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

/// Calls `service/Method` and returns up to `messages_max` messages of the answer.
///
/// # Errors
/// The status with which the call was refused.
pub async fn call(
    channel: &Channel,
    api_key: Option<&str>,
    rpc: &str,
    message: Vec<u8>,
    messages_max: usize,
) -> Result<Vec<Vec<u8>>, Status> {
    let mut request = Request::new(message);
    if let Some(key) = api_key {
        let bearer = format!("Bearer {key}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
    }
    let path: PathAndQuery = format!("/{rpc}").parse().expect("a path");
    let answer = async {
        let mut client = Grpc::new(channel.clone());
        client.ready().await.expect("the server is there");
        let mut stream = client
            .server_streaming(request, path, Bytes)
            .await?
            .into_inner();
        let mut messages = Vec::new();
        while messages.len() < messages_max {
            match stream.message().await? {
                Some(message) => messages.push(message),
                None => break,
            }
        }
        Ok(messages)
    };
    let answered = tokio::time::timeout(PATIENCE, answer).await;
    answered.unwrap_or_else(|_| panic!("{rpc} did not answer"))
}
