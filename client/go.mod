module github.com/tidepool-org/clinic/client

go 1.23

require (
	github.com/oapi-codegen/runtime v1.2.0
	go.uber.org/mock v0.5.2
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/google/uuid v1.5.0 // indirect
)
