module github.com/tidepool-org/clinic/redox_models

go 1.23

require go.mongodb.org/mongo-driver v1.17.10
