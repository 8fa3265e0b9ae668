# One recipe for all services: docker build --build-arg SERVICE=order --tag souk.invalid/order .
#
# Everything above the last stage is the same for all, so that five images take one compilation.
# Dependencies are a layer of their own that a change of code leaves alone; where a builder keeps its
# caches, what was compiled of the workspace stays too.

# `debug-nonroot` has a shell to look around with.
ARG BASE=nonroot
# Releases name the images below by digest, too: infra/gke/digests.sh
ARG RUST_DIGEST=
ARG STATIC_DIGEST=

FROM docker.io/library/rust:1.95.0-slim-bookworm${RUST_DIGEST} AS rust

FROM rust AS manifests
WORKDIR /souk
COPY . .
# Which dependencies there are, and members of the workspace that hold nothing yet.
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -path '*/src/lib.rs' ! -path '*/src/main.rs' \
        ! -path '*/benches/*' ! -path './.cargo/*' -delete \
    && find . -type d -empty -delete \
    && find . -name '*.rs' -exec sh -c 'for file; do \
        echo "#![allow(dead_code, missing_docs)] fn main() { }" > "$file"; done' _ {} +

FROM rust AS dependencies
# `dev` compiles sooner, for a loop of small changes; cargo keeps it in `debug`.
ARG PROFILE=release
ARG FOLDER=${PROFILE}
ARG DEBUG=none
ENV CARGO_PROFILE_DEV_DEBUG=${DEBUG} CARGO_PROFILE_RELEASE_STRIP=symbols
WORKDIR /souk
COPY --from=manifests /souk .
# Members that held nothing must not pass for compiled later.
RUN cargo build --locked --profile "${PROFILE}" --workspace --bins --exclude xtask \
    && for member in crates/* services/*; do \
        cargo clean --locked --profile "${PROFILE}" --package "${member#*/}"; done

FROM dependencies AS programs
ARG PROFILE=release
ARG FOLDER=${PROFILE}
WORKDIR /context
COPY . .
# The cache begins with the dependencies of the layer below. Files are told apart by what is in them,
# since cargo goes by their times: what differs is copied and so is new, and what does not differ is
# compiled no second time, wherever it was checked out.
RUN --mount=type=cache,id=souk,target=/cache,sharing=locked \
    cp --archive --no-clobber /souk/. /cache \
    && find . -type f -exec sh -c 'for file; do \
        cmp --silent "$file" "/cache/$file" || install -D --mode 644 "$file" "/cache/$file"; done' _ {} + \
    && find /cache/crates /cache/services /cache/xtask -type f -exec sh -c 'for file; do \
        test -e "/context${file#/cache}" || rm "$file"; done' _ {} + \
    && cargo build --locked --profile "${PROFILE}" --workspace --bins --exclude xtask \
        --manifest-path /cache/Cargo.toml \
    && mkdir /programs \
    && cp --preserve "/cache/target/${FOLDER}/auditor" "/cache/target/${FOLDER}/demo" /programs \
    && for service in services/*; do \
        cp --preserve "/cache/target/${FOLDER}/${service#services/}" /programs; done

# The few libraries that they are linked with, and which packages those are, so that scanners know.
FROM programs AS runtime
RUN mkdir --parents /runtime/lib /runtime/lib64 /runtime/status.d \
    && ldd /programs/* > /linked \
    && for folder in lib lib64; do \
        grep --only-matching "/$folder/[^ ]*" /linked > "/linked-$folder" || continue; \
        xargs --max-args 1 --arg-file "/linked-$folder" cp --dereference --target-directory "/runtime/$folder"; done \
    && for package in libc6 libgcc-s1; do \
        dpkg --status "$package" > "/runtime/status.d/$package"; done

# Certificates, time zones, and nothing to run.
FROM gcr.io/distroless/static-debian12:${BASE}${STATIC_DIGEST}
ARG SERVICE
ARG REVISION=unknown
LABEL org.opencontainers.image.title="souk/${SERVICE}" \
      org.opencontainers.image.description="The ${SERVICE} service of Souk, an e-commerce platform" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.vendor="Souk" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=runtime /runtime/lib64/ /lib64/
COPY --from=runtime /runtime/lib/ /lib/
COPY --from=runtime /runtime/status.d/ /var/lib/dpkg/status.d/
COPY --from=programs /programs/${SERVICE} /service
USER 65532:65532
EXPOSE 3000 9000
ENTRYPOINT ["/service"]
