# syntax=docker/dockerfile:1.7
# The image of the server: one program, certificates of authorities, time zones; no shell.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --sbom=true --provenance=mode=max \
#     --tag registry.example.com/entente:0.1.0 --push .
#
# The program names its own dependencies (`cargo auditable`), so scanners find them in the image, too.
# For a build that can be repeated to the byte, give both base images with their digests:
#   --build-arg BUILD_IMAGE=rust:1.95.0-trixie@sha256:... --build-arg RUN_IMAGE=...

# Both are Debian 13: the program is linked to the libc that it will meet.
ARG BUILD_IMAGE=docker.io/library/rust:1.95.0-trixie
ARG RUN_IMAGE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
# BuildKit's list of what is inside covers this stage as well.
ARG BUILDKIT_SBOM_SCAN_STAGE=true
ARG CARGO_AUDITABLE_VERSION=0.7.7
# The toolchain that the image comes with, and no other that a file may ask rustup for.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install --locked --version "${CARGO_AUDITABLE_VERSION}" cargo-auditable
WORKDIR /build
COPY . .
# The folders of the cache are not part of the layer, so the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo auditable build --locked --profile dist --bin entente \
    && install -D --mode=0755 target/dist/entente /out/usr/local/bin/entente \
    && install -D --mode=0644 LICENSE /out/usr/share/doc/entente/LICENSE \
    && install -d --owner=65532 --group=65532 --mode=0700 /out/data

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Entente" \
      org.opencontainers.image.description="Keeps the promises between IT firms that sell and support together" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# /data belongs to the user below: a named volume that is mounted there takes that over.
COPY --from=build /out/ /
USER 65532:65532
WORKDIR /data
EXPOSE 50051 9464
ENTRYPOINT ["/usr/local/bin/entente"]
# By flags, not by environment: the environment would count before a file of settings.
CMD ["serve", "--listen", "0.0.0.0:50051", "--metrics-listen", "0.0.0.0:9464"]
