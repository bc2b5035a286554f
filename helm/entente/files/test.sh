# What `helm test` runs. Needs SERVER (https://name:50051) and curl with HTTP/2; API_KEY is optional.
set -eu

fail() {
    printf 'FAILED: %s\n' "$1"
    exit 1
}

# A certificate is rarely made out for the name inside the cluster: what is tested is the way there.
curl="curl --silent --show-error --insecure --max-time 10"
case "$SERVER" in
https:*) http2=--http2 ;;
*) http2=--http2-prior-knowledge ;;
esac

# gRPC: an empty request is five zero bytes; field 1 of the answer is 1 where the server is SERVING.
answer=$(printf '\0\0\0\0\0' | $curl "$http2" --header 'content-type: application/grpc' \
    --header 'te: trailers' --data-binary @- "$SERVER/grpc.health.v1.Health/Check" |
    od -An -tx1 | tr -d ' \n')
[ "$answer" = 00000000020801 ] || fail "gRPC health: answered '$answer'"
printf 'ok: gRPC, health is SERVING\n'

answer=$($curl --output /dev/null --write-out '%{http_code} %{content_type}' "$SERVER/openapi.json") || true
[ "$answer" = '200 application/json' ] || fail "OpenAPI document: answered '$answer'"
printf 'ok: JSON, the OpenAPI document\n'

# A well-formed key that does not exist is looked up in the database before it is refused.
stranger=entente_00000000-0000-7000-8000-000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
answer=$($curl --write-out ' %{http_code}' --header "authorization: Bearer $stranger" "$SERVER/v1:whoAmI") || true
case "$answer" in
*UNAUTHENTICATED*' 401') printf 'ok: the database was asked, an unknown key is refused\n' ;;
*) fail "unknown key: answered '$answer'" ;;
esac

if [ -n "${API_KEY:-}" ]; then
    answer=$($curl --write-out ' %{http_code}' --header "authorization: Bearer $API_KEY" \
        "$SERVER/v1/serviceInfo") || true
    case "$answer" in
    *checkpointPublicKey*' 200') printf 'ok: signed in; %s\n' "$answer" ;;
    *) fail "service info: answered '$answer'" ;;
    esac
else
    printf 'skipped: signing in, since test.apiKeySecret is not set\n'
fi
