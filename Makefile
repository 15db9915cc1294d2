# The door to everything that a developer does here. What takes more than a line is in scripts/.

# Tools have a go.mod of their own, so that their many modules do not become modules of the service.
TOOL = go tool -modfile=tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help run test test-long bench soak restart-test chaos generate viewer lint build image clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the service with a database, stand-in neighbours and a demo clinic on :8080 (PORT=, ENGINE=)
	@PORT=$(PORT) ENGINE=$(ENGINE) scripts/run

test: ## Run all tests against a real database, which is started if need be (ENGINE=)
	@ENGINE=$(ENGINE) scripts/test

test-long: ## Run also the tests that take minutes: large merges, and stories with twenty kills each
	@ENGINE=$(ENGINE) CLINIC_LONG_TESTS=1 scripts/test -run 'TestLarge' -timeout 40m
	@ENGINE=$(ENGINE) CLINIC_LONG_TESTS=1 scripts/test -timeout 40m ./test/story

bench: ## Measure the service on a clinic of N patients (make bench N=20000), beside the bare driver and REFERENCE=path; CLINICS=10 for memory
	@N=$(N) CLINICS=$(CLINICS) ENGINE=$(ENGINE) REFERENCE=$(REFERENCE) scripts/bench

soak: ## Send requests to two replicas for long (MINUTES=15), and look at what they hold
	@ENGINE=$(ENGINE) scripts/endure -for $(or $(MINUTES),15)m soak

restart-test: ## Restart two replicas in turn under requests (N=10000), of which none may fail
	@ENGINE=$(ENGINE) scripts/endure -n $(or $(N),10000) restart

chaos: ## Break database, neighbours and replicas one after the other, and look at what is lost
	@ENGINE=$(ENGINE) scripts/endure chaos

generate: ## Make the generated code anew from api/clinic.v1.yaml
	$(TOOL) oapi-codegen -config api/oapi-codegen.yaml api/clinic.v1.yaml
	tools/client/generate
	go generate ./...

viewer: ## Fetch the pinned files of pdf.js for the report page anew
	@scripts/viewer

lint: ## Check formatting, run go vet, golangci-lint and, where it is installed, shellcheck
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
		if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) golangci-lint run
	scripts/lint-shell

build: ## Build the static binary into bin/: clinic, and ehr as a link to it
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w $$(scripts/version)" -o bin/ ./cmd/clinic
	ln -sf clinic bin/ehr

image: ## Build the container image into bin/image, without registry and engine
	@scripts/image

clean: ## Delete built binaries, stop the development databases (their data stays)
	rm -rf bin
	@scripts/database down
