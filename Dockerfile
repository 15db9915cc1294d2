# A static binary on a small base that has a shell and sleep: deployments stop a container with
# sh -c "sleep 15" first, so that it leaves the load balancer before it goes.

FROM --platform=$BUILDPLATFORM golang:1.26-alpine AS build
WORKDIR /src

# Modules change less often than code: in a layer of their own they are fetched once.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG TARGETOS
ARG TARGETARCH
# The same binary is the operators' command line when it is called ehr: one in the image instead of two.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags='-s -w' -o /out/ ./cmd/clinic \
    && ln -s clinic /out/ehr

FROM alpine:3.22
# Certificates for the neighbours that are called over TLS; time zones for the reports of clinics.
RUN apk add --no-cache ca-certificates tzdata \
    && adduser -S -D -H -u 10001 -G nogroup clinic

WORKDIR /app
COPY --from=build /out/ ./
ENV PATH=/app:$PATH

# By number, so that a cluster that demands an unprivileged user can see that it is one.
USER 10001
EXPOSE 8080

# Without a shell in between, so that SIGTERM reaches the service.
CMD ["/app/clinic"]
