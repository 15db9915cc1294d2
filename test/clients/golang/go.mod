module github.com/tidepool-org/clinic/test/clients/golang

go 1.23

require (
	github.com/oapi-codegen/runtime v1.2.0
	github.com/tidepool-org/clinic/client v0.0.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/google/uuid v1.5.0 // indirect
	go.uber.org/mock v0.5.2 // indirect
)

replace github.com/tidepool-org/clinic/client => ../../../client
