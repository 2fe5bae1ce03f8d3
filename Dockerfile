# The local door in a container: both lanes in one process. `docs/deploy-anywhere.md` says how to run it.
# scripts/check-container runs the same commands without Docker.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p twinlane-local

# Nothing but the C library: no shell, no package manager, not root.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/twinlane /usr/local/bin/twinlane
ENV HOST=0.0.0.0 PORT=3000 DEMO=false LOG_FORMAT=json
EXPOSE 3000
USER nonroot
HEALTHCHECK --interval=30s --timeout=5s --start-period=2s CMD ["/usr/local/bin/twinlane", "health"]
ENTRYPOINT ["/usr/local/bin/twinlane"]
