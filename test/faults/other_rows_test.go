package faults_test

func mergeOperations() []operation { return nil }
